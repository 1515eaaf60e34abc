// Package watch runs alerts: it holds figures against the rules of package alerts, stores what follows in the ledger, and has
// notifiers deliver it.
//
// The parts, each with one job:
//
//   - Watcher makes one round: figures in, one transaction out. It goes on from what a round found only when that is
//     committed; so a crash or a lost write repeats a round and loses nothing.
//   - Sender empties the outbox: one notification of a notifier and key at a time, in their order, several notifiers side by
//     side. Each is stored as under way before it is tried; after a crash that one is repeated, under the same key and id.
//   - Alarm tells, without the ledger, that the ledger cannot commit.
//   - Heartbeat calls an address while rounds work, so that somebody else notices when they do not.
//   - Silences adds, ends and lists silences. Records reads everything that is kept, in any process. Store is how all of this
//     lies in a ledger.
//
// Watcher, Alarm and Heartbeat are run by somebody who owns their cadence; Sender.Run is a loop that ends with its context. No
// goroutine is left behind. Every method may be called from several goroutines; rounds, and checks of an Alarm, take turns.
// Time and randomness are passed in, timers are those of package time. It knows the ledger's contract, and no engine, no
// notifier and no configuration.
package watch
