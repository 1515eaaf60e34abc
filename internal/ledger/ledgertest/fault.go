package ledgertest

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func faults() []rule {
	unclear := func(p Place) bool { return p.FailCommit != nil }
	steps := func(p Place) bool { return p.CrashAt != nil }
	return []rule{
		{name: "a COMMIT that took place in spite of its error counts once", check: unclearApplied, needs: unclear},
		{name: "a COMMIT that did not take place counts once in the end", check: unclearLost, needs: unclear},
		{name: "an unclear COMMIT of a group gives each of its callers the truth", check: unclearGroup, needs: unclear},
		{name: "a release by an unclear COMMIT counts once", check: unclearRelease, needs: unclear},
		{name: "a crash at every step of fold, compaction and retention loses and repeats nothing", check: crashAtSteps, needs: steps},
	}
}

// afterUnclear checks what must hold after an unclear COMMIT of a Put that counts ids 1 to 3: an acknowledged Put was counted,
// one that was not may be repeated, and the counts are exact also after a crash.
func (r *rig) afterUnclear(result ledger.Result, err error) {
	r.Helper()
	again := ledger.Duplicate
	if err == nil {
		r.same("fates", result.Fates, []ledger.Fate{ledger.Counted, ledger.Counted, ledger.Counted})
	} else {
		r.Logf("the caller was told: %v", err)
		repeated, err := r.ledger().Commit(r.Context(), put(r.run(1, 3)...))
		r.must("repeat", err)
		again = repeated.Fates[0]
		r.same("fates of the repetition", repeated.Fates, []ledger.Fate{again, again, again})
	}
	r.all(put(r.run(1, 3)...), ledger.Duplicate)
	r.count(r.sent(4))
	r.wantTotal("spring", observation.Sent, 4)
	r.crash()
	r.all(put(r.run(1, 4)...), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 4)
}

func unclearApplied(r *rig) {
	r.place.FailCommit(r.ledger(), true)
	result, err := r.ledger().Commit(r.Context(), put(r.run(1, 3)...))
	r.afterUnclear(result, err)
}

func unclearLost(r *rig) {
	r.place.FailCommit(r.ledger(), false)
	result, err := r.ledger().Commit(r.Context(), put(r.run(1, 3)...))
	r.afterUnclear(result, err)
}

func unclearGroup(r *rig) {
	l := r.ledger()
	const puts = 16
	for round, applied := range []bool{true, false} {
		r.place.FailCommit(l, applied)
		r.together(puts, func(i int) error {
			p := put(r.sent(uint64(100*round + i)))
			result, err := l.Commit(r.Context(), p)
			if err != nil {
				result, err = l.Commit(r.Context(), p)
				return err
			}
			if result.Fates[0] != ledger.Counted {
				return fmt.Errorf("Put %d: fate %d", i, result.Fates[0])
			}
			return nil
		})
		r.wantTotal("spring", observation.Sent, int64(puts*(round+1)))
	}
}

func unclearRelease(r *rig) {
	for i, applied := range []bool{true, false} {
		r.expect(put(r.held(uint64(i))), ledger.Held)
		r.advance(16 * time.Minute)
		r.place.FailCommit(r.ledger(), applied)
		released, err := r.ledger().Release(r.Context())
		if err != nil {
			r.release()
		} else if len(released) != 1 {
			r.Fatalf("released %d, want 1", len(released))
		}
		r.wantComplaints(int64(i+1), 0, 0)
	}
	r.crash()
	r.same("released again", r.release(), []ledger.Entry(nil))
	r.wantComplaints(2, 0, 0)
}

// crashAtSteps has work of every kind to do, dies at each step in turn, and checks that what is seen is what it was.
func crashAtSteps(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	want := r.scatter(1, 300)
	next := uint64(0)
	for _, step := range r.place.Steps {
		for range 2 {
			e := r.sent(1<<40+next, sentAt(r.now().Add(-time.Duration(next)*time.Hour)))
			midnight, _ := r.dayOf(e.SentAt)
			add(want, slot{midnight.UTC(), e.Cell}, tally{N: 1})
			next++
			r.count(e)
			r.place.CrashAt(r.ledger(), step)
			if err := r.work(); err == nil {
				r.Logf("step %q was not reached", step)
			}
			r.crash()
			r.same("days after a crash at "+step, r.byDay(), want)
			r.expect(put(e), ledger.Duplicate)
			r.advance(25 * time.Hour)
		}
	}
	r.settle()
	r.same("days in the end", r.byDay(), want)
}

// work folds and maintains until an error or the end.
func (r *rig) work() error {
	if err := r.ledger().Fold(r.Context()); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = r.ledger().Maintain(context.WithoutCancel(r.Context())); err != nil {
			return err
		}
	}
	return nil
}
