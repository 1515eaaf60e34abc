// Package publish makes reports when they are due and brings them to where people read them.
//
// The life of a report:
//
//  1. A Plan says when it is due. How far its schedule has been followed is in the ledger, so what fell into a downtime is made
//     up once, and of several times that were missed the last. A schedule that is new or was changed begins now.
//  2. MakeDue has the report made, of each owner where the plan says so: the ledger is read once for all of them. It stores it
//     together with a delivery for each destination, in one transaction. The ledger takes one report of a plan, owner and due time; so a crash between two owners
//     goes on with the second.
//  3. DeliverDue hands the stored report to its destinations, one after the other, and stores how each delivery ended. A failed
//     one is repeated after a growing pause, up to a week, and holds up no other. After a crash at most the one that was under
//     way is repeated: under the same file, key, message or webhook id.
//  4. Archive lists and reads what was made.
//
// MakeDue and DeliverDue are passes, run by somebody who owns their cadence; each takes turns with itself, and the two may run
// side by side. Nothing here starts a goroutine. Time and randomness are passed in. It knows the ledger's contract, and no
// engine and no configuration.
package publish
