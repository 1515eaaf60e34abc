package ses

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/event"
)

const (
	// letGo is how long after its receive a message is held on to at most.
	letGo = 10 * time.Minute
	// grace is how long putting and deleting may go on once the pass has been told to stop, confirmTimeout how long
	// confirming may take. Together they stay under the 10 seconds that a stop may take.
	grace          = 6 * time.Second
	confirmTimeout = 2 * time.Second
	// maxUnsaid bounds the confirmations that wait for the ledger. The ids of those left out stay known for as long as
	// SQS could hold their messages.
	maxUnsaid = 1000
)

var (
	errLetGo    = errors.New("the messages could not be stored in time and were let go")
	errStopping = errors.New("the messages could not be stored before the stop")
)

// Pass makes one pass. full says that the receive brought as many messages as it could, so that more are likely to wait.
func (c *Collector) Pass(ctx context.Context, sink collectors.Sink) (full bool, err error) {
	visibility, err := c.visibilityTimeout(ctx)
	if err != nil {
		return false, err
	}
	got, err := c.transport.Receive(ctx, visibility)
	if err != nil {
		return false, c.fault(ctx, "receive from", err)
	}
	defer got.Release()
	if len(got.Messages) == 0 {
		c.observe(Stats{Source: c.name})
		return false, nil
	}
	d := c.desks.Get().(*desk)
	defer c.desks.Put(d)
	defer d.clear()
	d.read(c.name, c.nextKey(), got.Messages)

	work, stop := c.outlive(ctx, got.At)
	defer stop()
	l := c.lease(work, got, visibility)
	defer l.end()

	if err := d.put(work, sink); err != nil {
		c.observe(d.stats(c.now(), nil))
		return false, &collectors.Error{Source: c.name, Op: "store messages of", Reason: collectors.ReasonLedger, Err: err}
	}
	committed := d.committed()
	if len(committed) == 0 {
		c.observe(d.stats(c.now(), nil))
		return false, nil
	}
	kept, deleteErr := c.delete(work, d, committed, l)
	c.observe(d.stats(c.now(), kept))
	confirmErr := c.confirm(ctx, sink, collectors.Confirm{Key: d.batch.Key, Kept: kept})
	switch {
	case deleteErr != nil && len(kept) == len(got.Messages):
		return false, c.fault(work, "delete from", deleteErr)
	case confirmErr != nil:
		return false, &collectors.Error{Source: c.name, Op: "confirm messages of", Reason: collectors.ReasonLedger, Err: confirmErr}
	}
	return len(got.Messages) == batchSize, nil
}

// outlive returns a context for work on messages that were received at that time. It ends when they must be let go, or a
// grace after ctx has ended. stop releases it.
func (c *Collector) outlive(ctx context.Context, received time.Time) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	timer := time.AfterFunc(c.letGo-c.now().Sub(received), func() {
		if ctx.Err() != nil {
			cancel(errStopping)
		} else {
			cancel(errLetGo)
		}
	})
	unhook := context.AfterFunc(ctx, func() { timer.Reset(c.grace) })
	return work, func() {
		unhook()
		timer.Stop()
		cancel(nil)
	}
}

// delete deletes the messages that were committed and returns the indexes of all messages that may come back. Entries that
// the queue refused are tried once more.
func (c *Collector) delete(ctx context.Context, d *desk, committed []int, l *lease) (kept []int, err error) {
	left := committed
	for range 2 {
		var again []int
		again, err = c.transport.Delete(ctx, d.choose(left))
		for i, n := range again {
			again[i] = left[n]
		}
		if left = again; !isEntriesError(err) {
			break
		}
	}
	if l.lapsed() {
		left = committed // some may have become visible before they were deleted
	}
	kept = append(slices.Clone(d.uncommitted), left...)
	slices.Sort(kept)
	return kept, err
}

func isEntriesError(err error) bool {
	_, ok := errors.AsType[*entriesError](err)
	return ok
}

// confirm tells the sink what became of a batch at the queue, also when the pass has been told to stop. A confirmation
// that cannot be put goes with a later one.
func (c *Collector) confirm(ctx context.Context, sink collectors.Sink, confirm collectors.Confirm) error {
	c.unsaidMu.Lock()
	confirms := c.unsaid
	c.unsaid = nil
	c.unsaidMu.Unlock()
	confirms = append(confirms, confirm)

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.confirmTimeout)
	defer cancel()
	err := sink.Put(ctx, collectors.Batch{Source: c.name, Confirms: confirms})
	if err != nil {
		c.unsaidMu.Lock()
		c.unsaid = append(c.unsaid, confirms...)
		c.unsaid = c.unsaid[max(len(c.unsaid)-maxUnsaid, 0):]
		c.unsaidMu.Unlock()
	}
	return err
}

// desk is what a pass works on; desks are used again. It belongs to one pass at a time.
type desk struct {
	decoder  event.Decoder
	batch    collectors.Batch
	messages []Message
	kinds    []event.Kind
	// uncommitted are the indexes of messages that the sink refused alone.
	uncommitted []int
	chosen      []Message
}

func newDesk(region string) *desk { return &desk{decoder: event.Decoder{Region: region}} }

// read decodes the messages into the batch.
func (d *desk) read(source string, key uint64, messages []Message) {
	d.messages = messages
	d.batch.Source, d.batch.Key = source, key
	for i := range messages {
		m := &messages[i]
		d.batch.Messages = append(d.batch.Messages, collectors.Message{ID: m.ID, Body: m.Body, SentAt: m.SentAt})
	}
	for i := range messages {
		d.kinds = append(d.kinds, d.decoder.Decode(i, messages[i].Body, &d.batch))
	}
}

// put puts the batch. A KeptError is no failure: the messages that it lists stay in the queue.
func (d *desk) put(ctx context.Context, sink collectors.Sink) error {
	err := sink.Put(ctx, d.batch)
	if err == nil {
		return nil
	}
	if kept, ok := errors.AsType[*collectors.KeptError](err); ok {
		for _, i := range kept.Messages {
			if i >= 0 && i < len(d.messages) && !slices.Contains(d.uncommitted, i) {
				d.uncommitted = append(d.uncommitted, i)
			}
		}
		return nil
	}
	d.uncommitted = all(len(d.messages))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// committed lists the indexes of the messages that were committed.
func (d *desk) committed() []int {
	return slices.DeleteFunc(all(len(d.messages)), func(i int) bool { return slices.Contains(d.uncommitted, i) })
}

// choose returns the messages with those indexes, until it is called again.
func (d *desk) choose(indexes []int) []Message {
	d.chosen = d.chosen[:0]
	for _, i := range indexes {
		d.chosen = append(d.chosen, d.messages[i])
	}
	return d.chosen
}

// stats counts the messages; kept are those that may come back.
func (d *desk) stats(now time.Time, kept []int) Stats {
	s := Stats{Source: d.batch.Source, Full: len(d.messages) == batchSize, Kept: len(d.uncommitted)}
	for i := range d.messages {
		m := &d.messages[i]
		if m.Receives > 1 {
			s.Redelivered++
		}
		if !m.SentAt.IsZero() {
			s.Lag = max(s.Lag, now.Sub(m.SentAt))
		}
		if slices.Contains(d.uncommitted, i) {
			continue
		}
		if slices.Contains(kept, i) {
			s.Undeleted++
		}
		switch d.kinds[i] {
		case event.KindEvent:
			s.Events++
		case event.KindStatus:
			s.Statuses++
		case event.KindSetup:
			s.Setups++
		case event.KindUnreadable:
			s.Quarantined++
		}
	}
	return s
}

// clear lets go of everything that was received and keeps the room.
func (d *desk) clear() {
	b := &d.batch
	clear(b.Messages)
	clear(b.Events)
	clear(b.Statuses)
	clear(b.Unreadable)
	clear(d.chosen)
	*b = collectors.Batch{
		Messages: b.Messages[:0], Events: b.Events[:0], Statuses: b.Statuses[:0], Unreadable: b.Unreadable[:0],
	}
	d.messages, d.kinds, d.uncommitted, d.chosen = nil, d.kinds[:0], nil, d.chosen[:0]
	d.decoder.Reset()
}
