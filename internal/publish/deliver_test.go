package publish

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// due makes a report and is about to deliver it.
func due(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.pass()
	r.now = monday
	r.must(r.publisher.MakeDue(t.Context()))
	return r
}

func (r *rig) deliver() {
	r.Helper()
	r.must(r.publisher.DeliverDue(r.Context()))
}

// TestOneFails holds that a destination which fails holds up no other, is tried again after a growing pause, also by another
// process, and is seen to fail.
func TestOneFails(t *testing.T) {
	t.Parallel()
	r := due(t)
	r.mail.fail = failing(alerts.DeliveryUnavailable, 0)
	r.deliver()
	r.same("states", r.states(1), map[string]string{"email": "waiting 1 unavailable", "folder": "delivered 1 "})
	began := r.now
	var tries []time.Duration
	for i := range 11 {
		k, _, err := NewArchive(r.ledger).Open(t.Context(), 1)
		r.must(err)
		next, before := k.Deliveries[0].NextTry, r.mail.tries
		r.now = next.Add(-time.Millisecond)
		r.deliver()
		r.same("tries before its time", r.mail.tries, before)
		r.now = next
		r.deliver()
		r.same("tries in its time", r.mail.tries, before+1)
		tries = append(tries, r.now.Sub(began))
		if i == 2 {
			r.restart()
		}
	}
	want := []time.Duration{10 * time.Second, 30 * time.Second, 70 * time.Second, 150 * time.Second, 310 * time.Second, 630 * time.Second}
	r.same("tries", tries[:6], want)
	if last := tries[10] - tries[9]; last != ledger.MaxPause {
		t.Errorf("the longest pause is %s", last)
	}
	r.same("waiting", r.publisher.Waiting(), map[string]time.Time{"email": monday})
	k, _, err := NewArchive(r.ledger).Open(t.Context(), 1)
	r.must(err)
	if d := k.Deliveries[0]; d.Error != "it failed" || d.NextTry.IsZero() || !d.SettledAt.IsZero() {
		t.Errorf("shown as %+v", d)
	}
	r.mail.fail = nil
	r.now = r.now.Add(ledger.MaxPause)
	r.deliver()
	r.deliver()
	r.same("mail", len(r.mail.arrived), 1)
	r.same("folder", len(r.folder.arrived), 1)
	r.same("waiting", len(r.publisher.Waiting()), 0)
	r.same("told", []Try{r.tried[0], r.tried[1], r.tried[len(r.tried)-1]}, []Try{
		{Plan: "weekly", Kind: "email", Reason: "unavailable"}, {Plan: "weekly", Kind: "dir"}, {Plan: "weekly", Kind: "email"},
	})
}

// TestRefused holds that what a destination never takes is given up at once, and only that.
func TestRefused(t *testing.T) {
	t.Parallel()
	r := due(t)
	r.mail.fail = failing(alerts.DeliveryRefused, 0)
	r.deliver()
	r.now = r.now.Add(time.Hour)
	r.deliver()
	r.same("states", r.states(1), map[string]string{"email": "dead 1 refused", "folder": "delivered 1 "})
	r.mail.fail = nil
	r.passAt(monday.Add(week))
	r.same("mail", r.mail.arrived, []string{"weekly 2026-W47.1 "})
}

// TestPauses holds how long a destination is left alone, by why it failed.
func TestPauses(t *testing.T) {
	for _, c := range []struct {
		reason   alerts.DeliveryReason
		after    time.Duration
		failures int
		random   float64
		want     time.Duration
	}{
		{alerts.DeliveryUnavailable, 0, 1, 0, 10 * time.Second},
		{alerts.DeliveryUnavailable, 0, 2, 0.5, 15 * time.Second},
		{alerts.DeliveryUnavailable, 0, 100, 0, time.Hour},
		{alerts.DeliveryAuth, 0, 1, 0, time.Minute},
		{alerts.DeliveryAuth, 0, 3, 0, 4 * time.Minute},
		{alerts.DeliveryQuota, 5 * time.Minute, 1, 0, 5 * time.Minute},
		{alerts.DeliveryQuota, 24 * time.Hour, 1, 0, time.Hour},
	} {
		if got := pause(c.failures, &alerts.DeliveryError{Reason: c.reason, RetryAfter: c.after}, c.random); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestRest holds that of many reports for a destination that is down one is tried, and all go once it works.
func TestRest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 20 {
		r.plan.Owners = append(r.plan.Owners, fmt.Sprint("owner", i))
	}
	r.restart()
	r.pass()
	r.mail.fail = failing(alerts.DeliveryUnavailable, 0)
	r.passAt(monday)
	r.same("tries", []int{r.mail.tries, len(r.folder.arrived)}, []int{1, 21})
	r.now = r.now.Add(10 * time.Second)
	r.deliver()
	r.same("after the pause", r.mail.tries, 2)
	// Whoever changes the configuration may have mended it.
	r.mail.fail = nil
	r.publisher.Apply([]Plan{r.plan})
	r.deliver()
	r.same("mail", len(r.mail.arrived), 21)
}

// TestGivenUp holds that a delivery ends when its destination is gone, or after a week.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	r := due(t)
	r.mail.fail = failing(alerts.DeliveryAuth, 0)
	r.deliver()
	r.now = monday.Add(giveUpAfter + time.Second)
	r.deliver()
	k, _, err := NewArchive(r.ledger).Open(t.Context(), 1)
	r.must(err)
	if d := k.Deliveries[0]; d.State != "dead" || d.Error != "given up after a week; the last error was: it failed" || d.SettledAt.IsZero() {
		t.Errorf("after a week: %+v", d)
	}
	r = due(t)
	r.plan.Destinations = r.plan.Destinations[1:]
	r.restart()
	r.deliver()
	r.same("states", r.states(1), map[string]string{"email": "dead 0 ", "folder": "delivered 1 "})
	r = due(t)
	r.publisher.Apply(nil)
	r.deliver()
	r.same("without a plan", r.states(1), map[string]string{"email": "dead 0 ", "folder": "dead 0 "})
}

// TestPanic holds that a report of which a destination panics is given up, and ends nothing.
func TestPanic(t *testing.T) {
	t.Parallel()
	r := due(t)
	r.mail.fail = func() error { panic("no such chart") }
	r.deliver()
	r.same("states", r.states(1), map[string]string{"email": "dead 1 refused", "folder": "delivered 1 "})
}

// TestStopped holds that a delivery which a stop cut short is neither done nor failed.
func TestStopped(t *testing.T) {
	t.Parallel()
	r := due(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.mail.fail = func() error { cancel(); return ctx.Err() }
	if err := r.publisher.DeliverDue(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	r.same("states", r.states(1), map[string]string{"email": "waiting 0 ", "folder": "waiting 0 "})
	r.mail.fail = nil
	r.restart()
	r.deliver()
	r.same("states", r.states(1), map[string]string{"email": "delivered 1 ", "folder": "delivered 1 "})
}

// TestUnsettled holds that a delivery is not repeated because the ledger could not take note of it, and that nothing is
// delivered until it can.
func TestUnsettled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	broken := false
	r.between = func(l Ledger) Ledger { return unwritable{l, &broken} }
	r.restart()
	r.pass()
	r.now = monday
	r.must(r.publisher.MakeDue(t.Context()))
	broken = true
	for range 3 {
		if err := r.publisher.DeliverDue(t.Context()); !errors.Is(err, ledger.ErrCannotCommit) {
			t.Fatalf("%v", err)
		}
	}
	r.same("tries", []int{r.mail.tries, r.folder.tries}, []int{1, 0})
	broken = false
	r.deliver()
	r.same("tries in the end", []int{r.mail.tries, r.folder.tries}, []int{1, 1})
	r.same("states", r.states(1), map[string]string{"email": "delivered 1 ", "folder": "delivered 1 "})
}

// unwritable is a ledger that now and then cannot commit.
type unwritable struct {
	Ledger
	broken *bool
}

// SettleReport implements ledger.ReportWriter.
func (u unwritable) SettleReport(ctx context.Context, number int64, destination string, d ledger.Delivery) error {
	if *u.broken {
		return ledger.ErrCannotCommit
	}
	return u.Ledger.SettleReport(ctx, number, destination, d)
}
