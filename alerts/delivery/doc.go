// Package delivery is what notifiers share that post to an address: one HTTP call with bounds and typed errors, secrets that
// are read when they are needed, a notification in words, and how one is shortened to what a receiver takes.
//
// A Client keeps nothing between calls but open connections, and may be used by several goroutines. It makes one attempt;
// whoever calls Notify repeats it. No error holds a secret: addresses are named by their host alone, and what an answer says
// is repeated only where it holds no part of a secret.
//
// Of the module it imports alerts and collectors; the packages beside it import it.
package delivery
