// Package observation holds the words of the field: what sources say about mail (events and readings) and the names under
// which it is counted (outcome, origin, campaign, provider). It is the leaf that every other package may import and it
// imports the standard library only. Its types are plain values without locks; whoever shares one must not write to it.
package observation
