package collectors

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Positions says, per subject of a source (a domain, a metric series), how far it has been read.
type Positions map[string]string

// Collector reads one source.
type Collector interface {
	// Collect makes one bounded pass: it reads what the source holds after from, hands it to sink in batches, and
	// returns. It never sleeps between passes, retries a pass or leaves a goroutine behind.
	Collect(ctx context.Context, from Positions, sink Sink) error
}

// Sink takes what a collector read.
type Sink interface {
	// Put stores a batch. When it returns nil the batch and the positions it carries are committed; only then may the
	// source forget. When it returns a *KeptError everything was committed except the messages that it lists, which the
	// source must not forget. After any other error nothing was committed.
	Put(ctx context.Context, b Batch) error
}

// Batch is what one step of a pass read. The sink does not keep it, nor anything it points to, once Put has returned.
type Batch struct {
	// Source names the source that the batch comes from, for example the queue.
	Source string
	// Messages are the messages of a queue in which Events, Statuses and Unreadable were found.
	Messages []Message
	// Events, Statuses and Readings are what was understood.
	Events   []observation.Event
	Statuses []observation.Status
	Readings []observation.Reading
	// Unreadable lists the messages that could not be understood.
	Unreadable []Unreadable
	// Positions are how far the source has been read once this batch is stored.
	Positions Positions
	// Since, when not zero, is when the source was first read: Readings of periods that began before are its past and feed
	// no exported counter.
	Since time.Time
	// Key, when not 0, says that the source will be told to forget the messages and that a later batch will carry a
	// Confirm for it. It is unique among the batches of one process.
	Key uint64
	// Confirms tell what became of earlier batches at their source.
	Confirms []Confirm
	// Replay says how the batch was obtained; nil for what a source said live.
	Replay *Replay
}

// Message is one message of a queue.
type Message struct {
	// ID is the queue's id of the message.
	ID string
	// Body is the whole body as received; it is kept only if the message goes to quarantine.
	Body string
	// SentAt is when the queue took the message, zero when not known.
	SentAt time.Time
}

// Unreadable is a message that was not understood, and why.
type Unreadable struct {
	// Message is its index in the batch's Messages.
	Message int
	// Reason is one of the bounded reasons; Detail says what was wrong and where, without quoting the body.
	Reason UnreadableReason
	Detail string
}

// UnreadableReason is why a message could not be understood: a bounded set that metrics may carry.
type UnreadableReason string

// The reasons for which a message goes to quarantine.
const (
	ReasonNotJSON     UnreadableReason = "not_json"
	ReasonUnknownType UnreadableReason = "unknown_type"
	ReasonBadField    UnreadableReason = "bad_field"
	ReasonTooDeep     UnreadableReason = "too_deep"
	ReasonTooLarge    UnreadableReason = "too_large"
	ReasonFuture      UnreadableReason = "in_the_future"
	ReasonPast        UnreadableReason = "too_old"
)

// Confirm tells what became of the batch Key at its source: every message of it has been forgotten for good except Kept,
// indexes of messages whose deletion failed or is not certain. They may come back.
type Confirm struct {
	Key  uint64
	Kept []int
}

// Replay marks a batch that a person feeds from saved files or from quarantine. It counts in cohorts, never in exported
// counters.
type Replay struct {
	// AssumeNew takes events of hours that were already covered live; without it they are refused, because their ids may
	// have been forgotten.
	AssumeNew bool
}
