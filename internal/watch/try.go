package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// try is one try to deliver. The first fields are set before, the others by make.
type try struct {
	// notifier is nil when there is none of the entry's name.
	notifier alerts.Notifier
	entry    alerts.Entry
	// again says that it has been delivered before, so that nothing is to be stored.
	again bool
	// failures counts those of the notifier in a row before this try.
	failures int

	// tried says that the notifier was asked. err is what it said, and pause for how long it is then left alone.
	tried   bool
	err     *alerts.DeliveryError
	pause   time.Duration
	endedAt time.Time
	// outboxErr is why the outbox could not be written.
	outboxErr error
}

// settlePause is how long to wait before trying again to store what became of a notification.
const settlePause = time.Second

// errGone is the error of a notification that nobody can deliver.
var errGone = errors.New("there is no notifier of that name any more")

// make makes a try. When ctx ends during it the entry stays as under way, because nobody knows whether it arrived.
func (s *Sender) make(ctx context.Context, t *try) {
	e := &t.entry
	if t.notifier == nil {
		e.State, e.LastError = alerts.EntryDead, errGone.Error()
		if err := s.o.Outbox.Settle(ctx, *e); !errors.Is(err, ErrSettled) {
			t.outboxErr = err
		}
		return
	}
	if !t.again {
		e.State = alerts.EntrySending
		e.Attempts++
		err := s.o.Outbox.Settle(ctx, *e)
		switch {
		case errors.Is(err, ErrSettled):
			return // a later one has overtaken it
		case err != nil:
			t.outboxErr = err
			return
		}
	}
	s.deliver(ctx, t)
	if t.again || t.err != nil && ctx.Err() != nil {
		return
	}
	e.State, e.LastReason, e.LastError = alerts.EntryDelivered, "", ""
	if t.err != nil {
		e.State, e.LastReason, e.LastError = alerts.EntryWaiting, t.err.Reason, inShort(t.err.Err)
		e.NextAt = t.endedAt.Add(max(t.pause, pause(e.Attempts, t.err, s.o.Random())))
		if t.err.Reason == alerts.DeliveryRefused {
			e.State = alerts.EntryDead
		}
	}
	t.outboxErr = s.settle(ctx, e)
}

// deliver asks the notifier, and tells everybody what it said.
func (s *Sender) deliver(ctx context.Context, t *try) {
	name := t.entry.Notification.Notifier
	began := s.o.Now()
	err := notify(ctx, s.o.Log, s.o.Timeout, t.notifier, &t.entry.Notification)
	t.endedAt, t.tried = s.o.Now(), true
	told := Try{Notifier: name, Took: t.endedAt.Sub(began), Again: t.again}
	if err != nil {
		t.err = deliveryError(name, err)
		t.pause = pause(t.failures+1, t.err, s.o.Random())
		told.Reason = t.err.Reason
	}
	if ctx.Err() != nil && err != nil {
		return // the stop is to blame, not the notifier
	}
	if first := s.health.note(name, t.err, t.endedAt); first {
		s.o.Log.Warn("a notifier fails", "notifier", name, "err", t.err)
	}
	s.o.Observe(told)
}

// notify has a notifier deliver, within its time. A panic is an answer like another, because a daemon that dies of a
// notification dies of it again after each start.
func notify(ctx context.Context, log *slog.Logger, timeout time.Duration, to alerts.Notifier, n *alerts.Notification) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			log.Error("a notifier panicked", "notifier", n.Notifier, "stack", string(debug.Stack()))
			err = &alerts.DeliveryError{Notifier: n.Notifier, Reason: alerts.DeliveryRefused, Err: errors.New("the notifier panicked")}
		}
	}()
	own := *n // the notifier may shorten it
	return to.Notify(ctx, &own)
}

// settle stores what became of an entry. It goes on until it can, or ctx ends: forgetting a delivery repeats it.
func (s *Sender) settle(ctx context.Context, e *alerts.Entry) error {
	for {
		err := s.o.Outbox.Settle(ctx, *e)
		if err == nil || errors.Is(err, ErrSettled) {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(settlePause):
		}
	}
}

// maxError bounds a stored error, in bytes.
const maxError = 500

// inShort is an error as it is stored and shown.
func inShort(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToValidUTF8(strings.Join(strings.Fields(err.Error()), " "), "\uFFFD")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return text
}
