// Package sqlite is the embedded engine of the ledger: one SQLite file, which a person can open and query, written by one
// daemon that holds its lock and read by any number of processes.
//
// The life of a batch:
//
//  1. Callers put entries. One committer takes whatever waits (natural batching) and, in the order of the Puts, drops the
//     entries whose id is known, holds those without tags, and tallies the rest by send minute.
//  2. The sums and the new ids become one row of the table batch, beside readings, positions and quarantine in tables of
//     their own, in one transaction. Its COMMIT is one fsync, however many Puts it carries. When COMMIT gives no clear
//     answer, the file is reopened and the batch's mark looked up before any caller is answered.
//  3. About once a second a fold adds the sums of all new batches to the tables that are read (cohort, own_time, use,
//     published, sample), with buckets as wide as the mail is old, and moves the ids to id_segment. In the same transaction
//     it advances folded_through, so a batch is folded once, however often the process dies.
//  4. The oldest segments are dropped when a class of ids is over its budget, or after 14 days. Ids of Puts that their source
//     has not confirmed outlive that, as pins.
//  5. The batch row goes when it is folded and each of its Puts is confirmed.
//  6. Maintain moves old buckets into wider ones, drops what is too old, copies the WAL into the file and gives unused pages
//     back, in short steps. While the clock is doubted, because it leapt far ahead, nothing is too old.
//
// Alerts, what notifiers have been told of them, the outbox and silences are rows that transactions of their own change; see
// CommitAlerts. So are reports. They share the writer with the committer, and have nothing in memory.
//
// Known ids, held ids, covered hours and pins are also in memory, read at start from the tables that have them and changed
// only with them; all of it belongs to whoever holds Ledger.mu, which is held over every transaction. Two things have locks
// of their own, so that nobody waits for a disk to use them: unconfirmed ids and the changes of the latest folds.
//
// A new schema is a further file in schema/, applied at start; batch bodies have a format of their own. Only internal/app
// and the commands import this package.
package sqlite
