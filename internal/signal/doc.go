// Package signal says what each signal is: its formula, its interval, its maturity and its state. A signal is a rate over
// a cohort, which is the mail sent in a window with everything that later became of it.
//
// Tallies go into Counts one row at a time, in any order, so that running sums and sums made afresh agree. A Figure is what
// Counts say about one signal. Counts leave out, on both sides of a rate, mail whose origin did not publish the events that
// the rate needs, and all mail to the mailbox simulator.
//
// The package is pure: it reads no clock and does no I/O. Its types are plain values without locks. Everything but
// observation may import it.
package signal
