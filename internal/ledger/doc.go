// Package ledger is the contract of the store: what was counted, once and for good, and what must survive a crash. It holds
// types and interfaces only; engines are in packages of their own and ledgertest is the one specification that each must
// pass. It also keeps alerts, the messages about them, and reports, whose forms it does not know.
//
// A Commit is durable when it returns, but its tallies are seen by readers only after the next Fold, which moves
// committed batches into the tables that are read; what is not tallied may be seen sooner. Known ids decide what is
// counted: an entry whose id is known is dropped, whatever else it says. Engines serialise commits among themselves;
// every method may be called from several goroutines.
package ledger
