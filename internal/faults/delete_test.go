package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

const deleteBatch = "DeleteMessageBatch"

// unconfirmed waits until the daemon says that so many ids stay known because their messages may come back.
func (d *daemon) unconfirmed(t *testing.T, what string, right func(n float64) bool) {
	t.Helper()
	eventually(t, "the ids that wait for the queue are "+what, func() string {
		if n := d.metric(t, "mailvane_queue_unconfirmed", "queue", events); !right(n) {
			return fmt.Sprint(n)
		}
		return ""
	})
}

func none(n float64) bool { return n == 0 }
func some(n float64) bool { return n > 0 }

// TestEntriesThatCannotBeDeleted lets half the entries of each delete fail: the messages come back, and count nothing.
func TestEntriesThatCannotBeDeleted(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	const n = 400
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: deleteBatch, EntryShare: 0.5})
	r.send(t, sentMails(t, "a", n)...)
	d := r.start(t)
	want := map[string]int64{"a/other/sent": n}
	d.unconfirmed(t, "some", some)
	eventually(t, "messages come back", func() string {
		if s := r.queue(events).Stats(); s.Received < n+n/10 {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	r.counts(t, want)
	if n := d.metric(t, "mailvane_queue_messages_total", "queue", events, "result", "undeleted"); n == 0 {
		t.Error("no message is told to be undeleted")
	}
	heal()
	r.drained(t, events)
	d.unconfirmed(t, "none", none)
	r.counts(t, want)
	d.stop(t)
}

// TestDeletesThatWorkedButDidNotSaySo executes deletes and answers them by an error. The messages are gone, but nobody can
// know, so their ids stay known, over a restart too. A copy of each, as SNS may send, counts nothing and settles it.
func TestDeletesThatWorkedButDidNotSaySo(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	const n = 30 // three receives: each failure lengthens the pause before the next
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultLostAnswer, Op: deleteBatch})
	bodies := sentMails(t, "a", n)
	r.send(t, bodies...)
	d := r.start(t)
	want := map[string]int64{"a/other/sent": n}
	// The error lasts until a receive finds the queue empty.
	eventually(t, "the queue is unavailable", func() string {
		if s := d.source(t, events); s.State != "error" || s.Reason != "unavailable" {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	r.counts(t, want)
	all := func(got float64) bool { return got == n }
	d.shows(t, n, "mailvane_queue_messages_total", "queue", events, "result", "undeleted") // the passes have given up
	d.unconfirmed(t, "all", all)
	r.drained(t, events)
	heal()
	d.stop(t)
	d = r.start(t)
	d.unconfirmed(t, "all after a restart", all)
	r.send(t, bodies...)
	r.drained(t, events)
	d.unconfirmed(t, "none", none)
	r.counts(t, want)
	d.stop(t)
}

// TestDeletesAreDenied forbids deletes for a while. What was received is counted once, the API says what to do, and when the
// queue allows deletes again everything is read.
func TestDeletesAreDenied(t *testing.T) {
	t.Parallel()
	r := oneQueue(t)
	const n = 50
	heal := r.sim.SQS().Inject(sqs.Fault{Kind: sqs.FaultError, Op: deleteBatch, Error: "AccessDenied"})
	r.send(t, sentMails(t, "a", n)...)
	d := r.start(t)
	eventually(t, "the source is in error", func() string {
		s := d.source(t, events)
		if s.State != "error" || s.Reason != "auth" || !strings.Contains(s.Error, "sqs:DeleteMessage") || !strings.Contains(s.Error, "delete from") {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	d.unconfirmed(t, "some", some)
	heal()
	r.drained(t, events)
	d.unconfirmed(t, "none", none)
	r.counts(t, map[string]int64{"a/other/sent": n})
	d.well(t, events)
	d.stop(t)
}
