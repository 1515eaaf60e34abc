// Package backtest says what rules would have done over the history that a ledger holds.
//
// It goes through time step by step: 5 minutes at a time where the ledger has its mail by 5 minutes, an hour at a time before
// that. At each step a past shows the ledger as it was known then, as far as the ledger can tell; a view.View and a
// sampler.Sampler over it tell the figures, and package alerts evaluates the rules and plans the notifications. So all that
// decides is what decides in a daemon, and a step costs what a round of a daemon does.
//
// What cannot be known any more is said in the Result: tallies are kept by the time of sending, so all that became of a mail
// counts from then on; of a reading only the last value is kept; and what a daemon tells of itself was never stored.
//
// A Backtest reads a ledger and changes nothing. It is used by one goroutine. It may be imported by internal/app.
package backtest
