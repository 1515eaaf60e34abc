package ledgertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func atomicity() []rule {
	reader := func(p Place) bool { return p.OpenReader != nil }
	refuses := func(p Place) bool { return p.Refuse != nil }
	return []rule{
		{name: "all parts of a Put are seen after the fold and no tally before", check: allPartsTogether},
		{name: "a reader never sees half of a Put", check: neverHalf},
		{name: "a reader in another process sees the same folds", check: otherReader, needs: reader},
		{name: "a Put without entries stores what else it holds", check: withoutEntries},
		{name: "a Put that fails for good leaves the others of its group alone", check: badAmongGood, needs: refuses},
		{name: "a Put that fails leaves nothing behind", check: failsWhole, needs: refuses},
	}
}

// everything is a Put with one of each part.
func (r *rig) everything() ledger.Put {
	value := 0.5
	return ledger.Put{
		Source: queue,
		Entries: []ledger.Entry{
			r.sent(1),
			r.entry(2, observation.HardBounced, reason("no_such_user"), sample("550 no such user", messageID(1))),
			r.entry(3, observation.Complained, holdUntil(r.now().Add(15*time.Minute))),
		},
		Readings: []observation.Reading{{
			Key:   observation.ReadingKey{Source: "postmaster/v2", Subject: "example.com", Metric: "spam_rate"},
			Start: r.now().Add(-day), End: r.now(), Value: &value,
		}},
		Positions:  map[string]string{"example.com": "2026-02-01"},
		Statuses:   []observation.Status{r.accountStatus("status-1", r.now())},
		Quarantine: []ledger.Quarantined{{MessageID: "sqs-1", At: r.now(), Reason: "not_json", Body: "{", Size: 1}},
		Learned:    []ledger.LearnedDomain{{Domain: "example.org", Provider: "google_workspace", Since: r.now()}},
		Key:        77,
	}
}

// parts counts what a reader sees of everything.
type parts struct {
	Cohorts, OwnTimes, Uses, Published, Samples, Readings, Positions, Statuses, Quarantined, Learned int
	Held, Unconfirmed                                                                                int64
}

func (r *rig) partsSeen(l ledger.Reader) parts {
	r.Helper()
	from, to := anytime().From, anytime().To
	status := read(r, "status", l.Status)
	return parts{
		Cohorts: len(read(r, "cohorts", func(ctx context.Context) (ledger.Cohorts, error) {
			return l.Cohorts(ctx, anytime())
		}).Rows),
		OwnTimes: len(read(r, "own time", func(ctx context.Context) ([]ledger.OwnTimeRow, error) {
			return l.OwnTime(ctx, from, to)
		})),
		Uses: len(read(r, "uses", func(ctx context.Context) ([]ledger.UseRow, error) {
			return l.Uses(ctx, from, to)
		})),
		Published: len(read(r, "published", l.Published)),
		Samples: len(read(r, "samples", func(ctx context.Context) ([]ledger.SampleRow, error) {
			return l.Samples(ctx, ledger.SampleQuery{})
		})),
		Readings: len(read(r, "readings", func(ctx context.Context) ([]ledger.ReadingRow, error) {
			return l.Readings(ctx, ledger.ReadingQuery{From: from, To: to})
		})),
		Positions: len(read(r, "positions", func(ctx context.Context) (map[string]string, error) {
			return l.Positions(ctx, queue)
		})),
		Statuses: len(read(r, "statuses", func(ctx context.Context) ([]observation.Status, error) {
			return l.Statuses(ctx, from)
		})),
		Quarantined: len(read(r, "quarantined", func(ctx context.Context) ([]ledger.QuarantineRow, error) {
			return l.Quarantined(ctx, ledger.QuarantineQuery{})
		})),
		Learned: len(read(r, "learned domains", l.LearnedDomains)),
		Held:    status.Held, Unconfirmed: status.Unconfirmed[queue],
	}
}

// allParts is what is seen of everything once it is folded.
func allParts() parts {
	return parts{
		Cohorts: 2, OwnTimes: 2, Uses: 1, Published: 2, Samples: 1, Readings: 1, Positions: 1, Statuses: 1, Quarantined: 1,
		Learned: 1, Held: 1, Unconfirmed: 3,
	}
}

// allPartsElsewhere is what another process sees of it: what is unconfirmed is known to the one that commits.
func allPartsElsewhere() parts {
	all := allParts()
	all.Unconfirmed = 0
	return all
}

func allPartsTogether(r *rig) {
	r.commit(r.everything())
	r.wantNoTallies(r.ledger())
	r.fold()
	r.same("seen after the fold", r.partsSeen(r.ledger()), allParts())
}

// wantNoTallies checks that nothing of everything was folded. What is not tallied may be seen sooner.
func (r *rig) wantNoTallies(l ledger.Reader) {
	r.Helper()
	seen := r.partsSeen(l)
	r.same("tallies before the fold", parts{
		Cohorts: seen.Cohorts, OwnTimes: seen.OwnTimes, Uses: seen.Uses, Published: seen.Published, Samples: seen.Samples,
	}, parts{})
}

// neverHalf commits Puts that each count two campaigns alike, while a reader looks for a difference.
func neverHalf(r *rig) {
	l := r.ledger()
	done := make(chan struct{})
	var reading sync.WaitGroup
	var seen error
	reading.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if seen = balanced(r.Context(), l); seen != nil {
				return
			}
		}
	})
	for i := range uint64(40) {
		r.count(r.sent(2*i+1, campaign("left")), r.sent(2*i+2, campaign("right")))
		if i%3 == 0 {
			r.fold()
		}
	}
	close(done)
	reading.Wait()
	r.must("read while committing", seen)
	r.wantTotal("left", observation.Sent, 40)
	r.wantTotal("right", observation.Sent, 40)
}

func balanced(ctx context.Context, l ledger.Reader) error {
	answer, err := l.Cohorts(ctx, anytime())
	if err != nil {
		return err
	}
	var left, right int64
	for _, row := range answer.Rows {
		if row.Cell.Campaign.Name == "left" {
			left += row.N
		} else {
			right += row.N
		}
	}
	if left != right {
		return fmt.Errorf("%d of one side and %d of the other", left, right)
	}
	return nil
}

func otherReader(r *rig) {
	r.ledger()
	other, closeOther, err := r.place.OpenReader()
	r.must("open a reader", err)
	defer closeOther()
	r.commit(r.everything())
	r.wantNoTallies(other)
	r.fold()
	r.same("seen elsewhere after the fold", r.partsSeen(other), allPartsElsewhere())
	r.same("key", other.HashKey(), r.ledger().HashKey())
	r.same("zone", other.Zone().String(), r.ledger().Zone().String())
	through := read(r, "status", r.ledger().Status).Through
	r.same("fold", read(r, "status elsewhere", other.Status).Through, through)
}

func withoutEntries(r *rig) {
	p := r.everything()
	p.Entries, p.Key = nil, 0
	r.commit(p)
	r.fold()
	r.same("seen", r.partsSeen(r.ledger()), parts{Readings: 1, Positions: 1, Statuses: 1, Quarantined: 1, Learned: 1})
}

func badAmongGood(r *rig) {
	l := r.ledger()
	r.place.Refuse(l, "bad")
	const puts = 24
	r.together(puts, func(i int) error {
		p := put(r.sent(uint64(2*i), campaign("good")), r.sent(uint64(2*i+1), campaign("good")))
		bad := i%8 == 3
		if bad {
			p.Entries[1].Cell.Campaign.Name = "bad"
		}
		result, err := l.Commit(r.Context(), p)
		switch {
		case bad && err == nil:
			return fmt.Errorf("the bad Put %d was committed", i)
		case !bad && err != nil:
			return fmt.Errorf("the good Put %d: %w", i, err)
		case err == nil && result.Fates[0] != ledger.Counted:
			return fmt.Errorf("the good Put %d: fate %d", i, result.Fates[0])
		}
		return nil
	})
	r.wantTotal("good", observation.Sent, 2*(puts-puts/8))
	r.wantTotal("bad", observation.Sent, 0)
}

func failsWhole(r *rig) {
	l := r.ledger()
	p := r.everything()
	p.Entries = append(p.Entries, r.tagged(3), r.held(4), r.sent(5, campaign("bad")))
	r.place.Refuse(l, "bad")
	for range 2 {
		if _, err := l.Commit(r.Context(), p); err == nil {
			r.Fatal("the refused Put was committed")
		}
	}
	r.fold()
	r.same("seen", r.partsSeen(l), parts{})
	p.Entries[len(p.Entries)-1].Cell.Campaign.Name = "good"
	r.expect(p, ledger.Counted, ledger.Counted, ledger.Held, ledger.Counted, ledger.Held, ledger.Counted)
	r.same("held", r.status().Held, int64(1))
	r.wantTotal("good", observation.Sent, 1)
}
