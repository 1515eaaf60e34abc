// Package intake is the Sink: it turns what collectors read into what the ledger counts. Each event becomes entries, one
// for each recipient that it speaks of, named by campaign (under the identity rules in force when the mail was sent), by
// mailbox provider and by reason. Out of range or unreadable messages go to quarantine.
//
// An Intake is safe for concurrent use: many passes put at once and the ledger merges them into groups. A Put returns only
// when the ledger has answered, even if its context is cancelled, because events share memory with the pass's buffers.
package intake
