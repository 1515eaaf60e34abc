// Package known holds the ids that a ledger knows: 64-bit keyed hashes in open-addressing tables without pointers, so that
// the garbage collector never looks inside. The tables are 256 by the high bits of the (mixed) id, and each grows by a fifth
// on its own: at the full budget of 16 million ids a set takes about 11.4 bytes an id (180 MB) and never needs twice its size
// to grow. A Set has no locks; its owner has one. Ledger engines alone import it.
package known
