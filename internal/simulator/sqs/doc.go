// Package sqs serves Amazon SQS standard queues over HTTP, in the AWS JSON 1.0 protocol that current SDKs speak. It is
// meant to be no easier than the real service: messages come out of order and sometimes twice, they come back when their
// visibility timeout ends, deleting with an outdated receipt handle succeeds without deleting, at most 120,000 messages are
// in flight, and a request without a signature or for the wrong region is refused. Faults can be injected while it runs.
//
// A queue holds what was sent to it, and can draw on a Source that makes messages only when they are asked for, so that a
// million of them need no memory. Signatures must be present and scoped to the queue's region; they are not verified.
//
// Server and Queue are safe for concurrent use. A Source is called by one goroutine at a time, under its queue's lock.
// Long polls wait in real time; visibility and retention follow Options.Now. Tests, the benchmark and the demo import this
// package; nothing that runs against the real service does.
//
// The wire form follows the SQS API reference (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/).
package sqs
