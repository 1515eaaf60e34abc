package faults

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// lively is a sender's last day in one region, told by one queue that repeats, mixes and soon returns its messages.
func lively(t *testing.T, now time.Time) (r *rig, lines iter.Seq[[]byte]) {
	t.Helper()
	const span = 30 * time.Hour // cohorts of the last two days are kept by five minutes, as the truth is
	story := traffic.Demo(now)
	story.Campaigns = slices.DeleteFunc(story.Campaigns, func(c traffic.Campaign) bool { return c.Region != region })
	o := simulator.Options{Story: story, Model: traffic.Options{Seed: uint64(now.Unix()), Since: now.Add(-span), Lateness: 12 * time.Hour}}
	r = newRig(t, o, sqs.QueueOptions{VisibilityTimeout: 2 * time.Second, Duplicates: 0.02, Shuffle: 200})
	return r, r.sim.History(now.Add(-span), now)
}

// goesOn waits until the first queue has handed out, or has deleted, so many messages more than before.
func (r *rig) goesOn(t *testing.T, what string, count func(sqs.Stats) int64, before sqs.Stats, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d more messages are %s", n, what), func() string {
		if now := r.queue(events).Stats(); count(now) < count(before)+int64(n) {
			return fmt.Sprintf("%+v", now)
		}
		return ""
	})
}

func received(s sqs.Stats) int64 { return s.Received }
func deleted(s sqs.Stats) int64  { return s.Deleted }

// TestKilledAtRandomInstants kills the daemon twenty times while it reads. Then it reads the rest, and every count of every
// send, provider and outcome is the truth.
func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	now := time.Now()
	seed := uint64(now.UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r, lines := lively(t, now)
	next, stop := iter.Pull(lines)
	defer stop()
	feed := func(n int) {
		for range n {
			line, ok := next()
			if !ok {
				t.Fatal("there are too few events for this test")
			}
			r.send(t, string(line))
		}
	}
	const kills, portion = 20, 500
	for i := range kills {
		feed(portion)
		before := r.queue(events).Stats()
		d := r.start(t)
		// From before the first receive to after the portion has been counted, however fast that goes.
		if n := random.IntN(portion + 1); i%2 == 0 {
			r.goesOn(t, "received", received, before, n)
		} else {
			r.goesOn(t, "deleted", deleted, before, n)
		}
		time.Sleep(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
		d.kill()
	}
	feed(portion)
	// What was received and not deleted comes back: a later delete takes a later receive.
	if s := r.queue(events).Stats(); s.Deleted == 0 || s.Received-s.Deleted < kills {
		t.Errorf("after the kills the queue held %+v: they came too early or too late to tell anything", s)
	}
	d := r.start(t)
	r.drained(t, events)
	r.countsTruth(t)
	r.showsTruth(t, d)
	d.stop(t)
	if diff := unlike(r.truth(), r.cells(t)); diff != "" {
		t.Errorf("after the stop (-truth +ledger):\n%s", diff)
	}
}
