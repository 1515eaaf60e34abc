package event

import (
	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/scan"
	"github.com/mailvane/mailvane/internal/observation"
)

// MaxBody is the longest body that is read, in bytes: the longest message that SQS takes.
const MaxBody = 1 << 20

// Kind is what a message turned out to be.
type Kind uint8

// The kinds of messages.
const (
	// KindEvent: one event was appended to the batch's Events.
	KindEvent Kind = iota + 1
	// KindStatus: one account or tenant status was appended to the batch's Statuses.
	KindStatus
	// KindSetup: a text that confirms a subscription; understood, nothing to count.
	KindSetup
	// KindUnreadable: the message was appended to the batch's Unreadable with its reason.
	KindUnreadable
)

// String names the kind.
func (k Kind) String() string {
	switch k {
	case KindEvent:
		return "event"
	case KindStatus:
		return "status"
	case KindSetup:
		return "setup"
	case KindUnreadable:
		return "unreadable"
	default:
		return "unknown"
	}
}

// Decoder reads message bodies. It owns the memory of what it decodes, so that a busy queue costs no allocation. It is not
// safe for concurrent use. The zero value is ready.
type Decoder struct {
	// Region is the queue's AWS region: that of events which name none themselves.
	Region string

	// text, fields and recipients back the strings and slices of decoded events until Reset.
	text       scan.Arena
	fields     []observation.Field
	recipients []observation.Recipient
	// document and scratch serve one event and are used again for the next.
	document document
	scratch  scratch
}

// envelope is what the layers around an event say about where it comes from.
type envelope struct {
	// account and region are those of EventBridge, topicARN that of SNS; empty when there was no such layer.
	account, region, topicARN string
}

// fault says why a message cannot be read; its zero value says that it can.
type fault struct {
	reason collectors.UnreadableReason
	detail string
}

func (f fault) bad() bool { return f.reason != "" }

// badField is the fault of a field; path names it as SES nests it and problem never quotes its value.
func badField(path, problem string) fault {
	return fault{reason: collectors.ReasonBadField, detail: path + " " + problem}
}

// Decode reads one message body and appends what it holds to b; index is the message's index in b.Messages. The strings and
// slices of what is appended alias body or d's buffers: they are valid until d.Reset, and body must live as long.
func (d *Decoder) Decode(index int, body string, b *collectors.Batch) Kind {
	if len(body) > MaxBody {
		b.Unreadable = append(b.Unreadable, collectors.Unreadable{
			Message: index, Reason: collectors.ReasonTooLarge, Detail: "the body is longer than 1 MiB",
		})
		return KindUnreadable
	}
	if d.decodeFast(index, body, b) {
		return KindEvent
	}
	return d.decodeStrict(index, body, b)
}

// Reset makes the buffers free for the next batch. Whatever was decoded before is invalid after it.
func (d *Decoder) Reset() {
	d.text.Reset()
	d.fields = recycle(d.fields)
	d.recipients = recycle(d.recipients)
	d.document = document{}
	d.scratch.reset()
}

// decodeFast lets the scanner try; when it returns false, b is as it was and the strict decoder must decide.
func (d *Decoder) decodeFast(index int, body string, b *collectors.Batch) bool {
	fields := len(d.fields)
	d.document = document{}
	d.scratch.reset()
	var around envelope
	s := scanner{Scanner: scan.Scanner{Text: body, Arena: &d.text}, owner: d}
	if s.body(&d.document, &around) {
		if f := d.appendEvent(index, around, b); !f.bad() {
			return true
		}
	}
	d.fields = d.fields[:fields]
	return false
}

// appendEvent builds the event of d.document in place at the end of b.Events; on a fault b is as it was.
func (d *Decoder) appendEvent(index int, around envelope, b *collectors.Batch) fault {
	events := len(b.Events)
	recipients := len(d.recipients)
	b.Events = append(b.Events, observation.Event{Message: index, ProcessingTime: -1})
	if f := d.build(around, &b.Events[events]); f.bad() {
		b.Events = b.Events[:events]
		d.recipients = d.recipients[:recipients]
		return f
	}
	return fault{}
}

// keepItems bounds what a Decoder keeps for the next batch, so that one batch of giant messages does not hold its memory for
// ever.
const keepItems = 8 << 10

// recycle empties a buffer for the next batch. It clears what was used, so that no body outlives its batch.
func recycle[T any](s []T) []T {
	if cap(s) > keepItems {
		return nil
	}
	clear(s)
	return s[:0]
}
