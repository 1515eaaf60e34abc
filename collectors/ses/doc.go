// Package ses collects Amazon SES events from one SQS queue.
//
// A pass receives once (ten messages at most, a long poll of 20 seconds), decodes what came, puts it, and only then deletes
// what was committed; last it tells the sink which messages the queue has really forgotten, so that the ledger knows which
// ids it must go on knowing. Many passes of one Collector may run at once; internal/schedule decides how many.
//
// # What a pass promises
//
//   - A message is deleted only after it was committed. What was not committed is left alone and comes back when its
//     visibility timeout ends. It is not made visible at once: what failed would come back at once too, and a ledger that
//     cannot commit would turn the queue into a busy loop that uses up the receives its redrive policy allows.
//   - While it puts and deletes, a pass extends the visibility of its messages at half the timeout, for 10 minutes at most.
//     Then it lets them go.
//   - A message counts as forgotten only if its deletion succeeded while it was still invisible. SQS answers the deletion of
//     a message that has become visible again with success, and delivers it again.
//   - A pass whose context ends stops receiving at once, but puts, deletes and confirms what it already has within 8
//     seconds.
//   - The memory of messages in flight is taken from a Budget that all queues share, before an answer's body is read.
//
// The wire form is in https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/. This package alone knows it; it
// may be imported by internal/app and by tests.
package ses
