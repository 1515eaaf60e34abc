package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// desk is a Sender over a real ledger, in a bubble of its own time.
type desk struct {
	*rig
	sender    *Sender
	notifiers map[string]alerts.Notifier
	cancel    context.CancelFunc
	tries     []Try
	log       bytes.Buffer
	next      map[string]int64
}

// inBubble runs f with a desk whose time is the bubble's.
func inBubble(t *testing.T, f func(d *desk)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{rig: newRig(t), next: make(map[string]int64)}
		d.live = true
		defer func() { // also when the test has failed, because a bubble lasts until all has ended
			d.stop()
			if err := d.ledger.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(d)
	})
}

// run starts a sender to the notifiers.
func (d *desk) run(notifiers map[string]alerts.Notifier) {
	d.notifiers = notifiers
	d.sender = NewSender(SenderOptions{
		Outbox: d.store, Now: time.Now, Random: func() float64 { return 0 }, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
		Observe: func(try Try) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.tries = append(d.tries, try)
		},
	}, notifiers)
	ctx, cancel := context.WithCancel(d.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.sender.Run(ctx); err != nil {
			d.Error(err)
		}
	}()
	d.cancel = func() {
		cancel()
		<-done
	}
}

func (d *desk) stop() {
	if d.cancel != nil {
		d.cancel()
		d.cancel = nil
	}
}

// after lets time pass.
func (d *desk) after(passed time.Duration) {
	time.Sleep(passed)
	synctest.Wait()
}

// post puts a notification into the outbox.
func (d *desk) post(notifier, key string, change alerts.Change) {
	d.Helper()
	place := notifier + "/" + key
	d.next[place]++
	n := alerts.Notification{
		ID: fmt.Sprintf("%s/%d", place, d.next[place]), Key: key, Sequence: d.next[place], Notifier: notifier, Change: change,
		Resolved: change == alerts.Closed, Severity: alerts.Critical, Rule: "Lag", Signal: alerts.QueueLag, By: alerts.BySource,
		At: time.Now(),
	}
	group := alerts.Group{Key: key, Notifier: notifier, Signal: n.Signal, By: n.By, Version: n.Sequence, Sequence: n.Sequence}
	step := alerts.Step{
		Groups: []alerts.GroupChange{{From: n.Sequence - 1, Group: group, Notification: &n}}, Entries: []alerts.Entry{alerts.NewEntry(n)},
	}
	if err := d.store.Commit(d.Context(), step); err != nil {
		d.Fatal(err)
	}
	if d.sender != nil {
		d.sender.Wake()
	}
}

func refusal(reason alerts.DeliveryReason, retryAfter time.Duration) error {
	return &alerts.DeliveryError{Notifier: "pager", Reason: reason, RetryAfter: retryAfter, Err: errors.New("answered so")}
}

func always(err error) func(context.Context, int, *alerts.Notification) error {
	return func(context.Context, int, *alerts.Notification) error { return err }
}

// first fails so many times.
func first(n int, err error) func(context.Context, int, *alerts.Notification) error {
	return func(_ context.Context, i int, _ *alerts.Notification) error {
		if i <= n {
			return err
		}
		return nil
	}
}

func TestDelivers(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager, chat := newPhone(nil), newPhone(nil)
		d.run(map[string]alerts.Notifier{"pager": pager, "chat": chat})
		d.post("pager", "a", alerts.Opened)
		d.post("chat", "a", alerts.Opened)
		d.after(time.Millisecond)
		d.post("pager", "b", alerts.Opened)
		d.after(time.Millisecond)
		d.post("pager", "a", alerts.Closed)
		d.after(time.Second)
		same(d, "pager", pager.heard(d), []call{
			{0, "a", alerts.Opened}, {time.Millisecond, "b", alerts.Opened}, {2 * time.Millisecond, "a", alerts.Closed},
		})
		same(d, "chat", chat.heard(d), []call{{0, "a", alerts.Opened}})
		same(d, "outbox", d.outbox(), []string{"pager opened delivered", "chat opened delivered", "pager opened delivered", "pager closed delivered"})
		same(d, "tries", len(d.tries), 4)
	})
}

// TestBackOff holds when a failing notifier is asked again, by what it answered.
func TestBackOff(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		lasts time.Duration
		want  []time.Duration // in seconds, to the next even one
	}{
		"unavailable":              {refusal(alerts.DeliveryUnavailable, 0), 14 * time.Minute, []time.Duration{0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812}},
		"no delivery error":        {errors.New("who knows"), 30 * time.Second, []time.Duration{0, 2, 4, 8, 16}},
		"quota that says when":     {refusal(alerts.DeliveryQuota, 90*time.Second), 4 * time.Minute, []time.Duration{0, 90, 180}},
		"quota that says too much": {refusal(alerts.DeliveryQuota, 48*time.Hour), 16 * time.Minute, []time.Duration{0, 900}},
		"auth":                     {refusal(alerts.DeliveryAuth, 0), 4 * time.Minute, []time.Duration{0, 30, 90, 210}},
		"refused":                  {refusal(alerts.DeliveryRefused, 0), time.Minute, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *desk) {
				pager := newPhone(always(test.err))
				d.run(map[string]alerts.Notifier{"pager": pager})
				d.post("pager", "a", alerts.Opened)
				d.after(test.lasts)
				var got []time.Duration
				for _, c := range pager.heard(d) {
					got = append(got, c.at.Round(2*time.Second)/time.Second)
				}
				same(d, "tries", got, test.want)
			})
		})
	}
}

// TestOneNotifierHoldsUpNoOther has one hang and one fail.
func TestOneNotifierHoldsUpNoOther(t *testing.T) {
	inBubble(t, func(d *desk) {
		hangs := newPhone(func(ctx context.Context, _ int, _ *alerts.Notification) error {
			<-ctx.Done()
			return fmt.Errorf("wait: %w", context.Cause(ctx))
		})
		fails, works := newPhone(always(refusal(alerts.DeliveryUnavailable, 0))), newPhone(nil)
		for i := range 50 {
			for _, name := range []string{"fails", "hangs", "works"} {
				d.post(name, fmt.Sprint(i), alerts.Opened)
			}
		}
		d.run(map[string]alerts.Notifier{"fails": fails, "hangs": hangs, "works": works})
		d.after(time.Second)
		same(d, "delivered by the one that works", len(works.heard(d)), 50)
		same(d, "most at once", works.atOnce() <= sideBySide && hangs.atOnce() == sideBySide, true)
		d.after(30 * time.Second)
		states := d.sender.States()
		same(d, "names", []string{states[0].Notifier, states[1].Notifier, states[2].Notifier}, []string{"fails", "hangs", "works"})
		for i, failing := range []bool{true, true, false} {
			if got := states[i].FailingFor(time.Now()) > 0; got != failing {
				d.Errorf("%s: failing %t", states[i].Notifier, got)
			}
		}
		if states[1].Reason != alerts.DeliveryUnavailable || !strings.Contains(states[1].Error, "no answer within 20s") {
			d.Errorf("the one that hangs: %+v", states[1])
		}
	})
}

// TestOneThatFailsHoldsUpNoOther has a notifier fail for one key only.
func TestOneThatFailsHoldsUpNoOther(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager := newPhone(func(_ context.Context, _ int, n *alerts.Notification) error {
			if n.Key == "poison" {
				return refusal(alerts.DeliveryUnavailable, 0)
			}
			return nil
		})
		d.post("pager", "poison", alerts.Opened)
		for i := range 20 {
			d.post("pager", fmt.Sprint(i), alerts.Opened)
		}
		d.run(map[string]alerts.Notifier{"pager": pager})
		d.after(10 * time.Second)
		delivered := strings.Count(strings.Join(d.outbox(), "\n"), "delivered")
		same(d, "delivered", delivered, 20)
	})
}

// TestLongOutage sends the latest, not the history: but what may have been heard of is ended.
func TestLongOutage(t *testing.T) {
	for name, test := range map[string]struct {
		during []alerts.Change
		want   []alerts.Change
	}{
		"worse":            {[]alerts.Change{alerts.Joined, alerts.Worsened}, []alerts.Change{alerts.Opened, alerts.Worsened}},
		"over":             {[]alerts.Change{alerts.Closed}, []alerts.Change{alerts.Opened, alerts.Opened, alerts.Closed}},
		"worse, then over": {[]alerts.Change{alerts.Worsened, alerts.Closed}, []alerts.Change{alerts.Opened, alerts.Closed}},
		"over and again":   {[]alerts.Change{alerts.Closed, alerts.Opened}, []alerts.Change{alerts.Opened, alerts.Opened}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *desk) {
				pager := newPhone(first(1, refusal(alerts.DeliveryQuota, 4*time.Minute)))
				d.run(map[string]alerts.Notifier{"pager": pager})
				d.post("pager", "a", alerts.Opened)
				for _, change := range test.during {
					d.after(time.Minute)
					d.post("pager", "a", change)
				}
				d.after(4 * time.Minute)
				same(d, "heard", pager.changes(d), test.want)
			})
		})
	}
}

// TestRefused holds that what is refused is not tried again, and that what comes after it is sent.
func TestRefused(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager := newPhone(first(1, refusal(alerts.DeliveryRefused, 0)))
		d.run(map[string]alerts.Notifier{"pager": pager})
		d.post("pager", "a", alerts.Opened)
		d.after(time.Minute)
		same(d, "outbox", d.outbox(), []string{"pager opened dead"})
		if s := d.sender.States()[0]; s.FailingFor(time.Now()) < 59*time.Second || s.Reason != alerts.DeliveryRefused || s.Error != "answered so" {
			d.Errorf("state %+v", s)
		}
		d.post("pager", "a", alerts.Closed)
		d.after(time.Minute)
		same(d, "outbox", d.outbox(), []string{"pager opened dead", "pager closed delivered"})
		if s := d.sender.States()[0]; s.FailingFor(time.Now()) != 0 || s.Error != "" {
			d.Errorf("state once it took one: %+v", s)
		}
		same(d, "tries", []alerts.DeliveryReason{d.tries[0].Reason, d.tries[1].Reason}, []alerts.DeliveryReason{alerts.DeliveryRefused, ""})
	})
}

func TestPanicIsNoEnd(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager := newPhone(func(_ context.Context, _ int, n *alerts.Notification) error {
			if n.Key == "a" {
				panic("the key is s3cr3t")
			}
			return nil
		})
		d.run(map[string]alerts.Notifier{"pager": pager})
		d.post("pager", "a", alerts.Opened)
		d.post("pager", "b", alerts.Opened)
		d.after(time.Minute)
		same(d, "outbox", d.outbox(), []string{"pager opened dead", "pager opened delivered"})
		if strings.Contains(d.log.String(), "s3cr3t") || !strings.Contains(d.log.String(), "panicked") {
			d.Errorf("log: %s", d.log.String())
		}
	})
}

// TestNotifierThatIsGone makes dead letters of what nobody can deliver, but not of what a reload is about to.
func TestNotifierThatIsGone(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager := newPhone(nil)
		d.run(nil)
		d.post("pager", "a", alerts.Opened)
		d.post("gone", "a", alerts.Opened)
		d.after(30 * time.Second)
		d.sender.Apply(map[string]alerts.Notifier{"pager": pager})
		d.after(time.Minute)
		same(d, "outbox", d.outbox(), []string{"pager opened delivered", "gone opened dead"})
		messages, err := d.store.Messages(d.Context(), MessageQuery{Notifier: "gone", State: alerts.EntryDead})
		if err != nil || len(messages) != 1 || messages[0].LastError != errGone.Error() {
			d.Errorf("messages %+v, %v", messages, err)
		}
	})
}

// TestOutboxThatCannotBeWritten sends nothing that is not stored as under way, and what was sent once.
func TestOutboxThatCannotBeWritten(t *testing.T) {
	inBubble(t, func(d *desk) {
		pager := newPhone(nil)
		pager.answer = func(context.Context, int, *alerts.Notification) error {
			d.flaky.fail(nil, ledger.ErrCannotCommit)
			return nil
		}
		d.run(map[string]alerts.Notifier{"pager": pager})
		d.post("pager", "a", alerts.Opened)
		d.after(time.Millisecond)
		d.post("pager", "b", alerts.Opened)
		d.after(2 * time.Minute)
		same(d, "heard while it cannot", len(pager.heard(d)), 1)
		same(d, "outbox", d.outbox(), []string{"pager opened sending", "pager opened waiting"})
		if got := strings.Count(d.log.String(), "the outbox cannot be used"); got != 1 {
			d.Errorf("logged %d times", got)
		}
		pager.will(nil)
		d.flaky.fail(nil, nil)
		d.after(10 * time.Second)
		same(d, "heard", len(pager.heard(d)), 2)
		same(d, "outbox", d.outbox(), []string{"pager opened delivered", "pager opened delivered"})
	})
}

// TestStop lets what is under way end, for a while.
func TestStop(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		want  string
	}{"in time": {2 * time.Second, "pager opened delivered"}, "too late": {time.Hour, "pager opened sending"}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(d *desk) {
				pager := newPhone(func(ctx context.Context, _ int, _ *alerts.Notification) error {
					select {
					case <-time.After(test.takes):
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				})
				d.run(map[string]alerts.Notifier{"pager": pager})
				d.post("pager", "a", alerts.Opened)
				d.after(time.Second)
				began := time.Now()
				d.stop()
				if took := time.Since(began); took > lastWords {
					d.Errorf("the stop took %s", took)
				}
				same(d, "outbox", d.outbox(), []string{test.want})
				if s := d.sender.States()[0]; s.FailingFor(time.Now()) != 0 {
					d.Errorf("the stop is held against the notifier: %+v", s)
				}
				pager.will(nil)
				d.run(d.notifiers)
				d.after(time.Second)
				same(d, "outbox after the next start", d.outbox(), []string{"pager opened delivered"})
			})
		})
	}
}
