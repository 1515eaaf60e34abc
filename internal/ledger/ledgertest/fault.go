package ledgertest

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func faults() []rule {
	unclear := func(p Place) bool { return p.FailCommit != nil }
	dying := func(p Place) bool { return p.DieAt != nil }
	return []rule{
		{name: "a COMMIT that took place in spite of its error counts once", check: unclearApplied, needs: unclear},
		{name: "a COMMIT that did not take place counts once in the end", check: unclearLost, needs: unclear},
		{name: "an unclear COMMIT of a group gives each of its callers the truth", check: unclearGroup, needs: unclear},
		{name: "a release by an unclear COMMIT counts once", check: unclearRelease, needs: unclear},
		{name: "an unclear COMMIT of a held entry and its twin leaves no trace of them", check: unclearTwins, needs: unclear},
		{name: "a crash at every point of a fold, compaction and retention loses and repeats nothing", check: dieInWork, needs: dying},
		{name: "a crash at every point of commits and releases loses and repeats nothing", check: dieInCommits, needs: dying},
	}
}

// afterUnclear checks what must hold after an unclear COMMIT of a Put that counts ids 1 to 3: an acknowledged Put was counted,
// one that was not may be repeated, and the counts are exact also after a crash.
func (r *rig) afterUnclear(result ledger.Result, err error) {
	r.Helper()
	if err == nil {
		r.same("fates", result.Fates, []ledger.Fate{ledger.Counted, ledger.Counted, ledger.Counted})
	} else {
		r.Logf("the caller was told: %v", err)
		repeated, err := r.ledger().Commit(r.Context(), put(r.run(1, 3)...))
		r.must("repeat", err)
		again := repeated.Fates[0]
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
				_, err = l.Commit(r.Context(), p)
				return err
			}
			if result.Fates[0] != ledger.Counted {
				return fmt.Errorf("put %d: fate %d", i, result.Fates[0])
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

func unclearTwins(r *rig) {
	for i, applied := range []bool{true, false} {
		held, twins := uint64(10*i), uint64(10*i+1)
		r.expect(put(r.held(held)), ledger.Held)
		p := put(r.tagged(held), r.held(twins), r.tagged(twins))
		r.place.FailCommit(r.ledger(), applied)
		if result, err := r.ledger().Commit(r.Context(), p); err != nil {
			r.same("held", r.status().Held, int64(1))
			r.expect(p, ledger.Counted, ledger.Held, ledger.Counted)
		} else {
			r.same("fates", result.Fates, []ledger.Fate{ledger.Counted, ledger.Held, ledger.Counted})
		}
		r.wantComplaints(0, int64(2*i+2), 0)
	}
}

// dieInWork has work of every kind to do, dies at each of its points in turn, and checks what is seen.
func dieInWork(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	r.smallBudgets()
	want := r.scatter(1, 100)
	for point := 1; ; point++ {
		e := r.sent(1<<40+uint64(point), sentAt(r.now().Add(-time.Duration(point)*time.Hour)))
		midnight, _ := r.dayOf(e.SentAt)
		add(want, slot{midnight.UTC(), e.Cell}, tally{N: 1})
		r.count(e)
		reached := r.place.DieAt(r.ledger(), point)
		_ = r.work() // a dying ledger may answer anything
		r.crash()
		r.same(fmt.Sprintf("days after a crash at point %d", point), r.byDay(), want)
		r.expect(put(e), ledger.Duplicate)
		if !reached() {
			r.wantPoints(point, 4)
			break
		}
		r.advance(25 * time.Hour)
	}
	r.settle()
	r.same("days in the end", r.byDay(), want)
}

// wantPoints checks that a death was tried often enough to mean something.
func (r *rig) wantPoints(beyond, atLeast int) {
	r.Helper()
	if beyond <= atLeast {
		r.Fatalf("died at %d points only", beyond-1)
	}
}

// work folds and maintains until an error or the end.
func (r *rig) work() error {
	if err := r.ledger().Fold(r.Context()); err != nil {
		return err
	}
	for more := true; more; {
		var err error
		if more, err = r.ledger().Maintain(r.Context()); err != nil {
			return err
		}
	}
	return nil
}

// dieInCommits dies at each point of a commit, a release and a Put with a Confirm, and sends again what was not acknowledged,
// as a queue does.
func dieInCommits(r *rig) {
	var sent, tagged, fallback int64
	for point := 1; ; point++ {
		id := 100 * uint64(point)
		r.expect(put(r.held(id), r.held(id+1)), ledger.Held, ledger.Held)
		r.advance(16 * time.Minute)
		first, second := put(r.sent(id+2), r.tagged(id), r.held(id+3), r.tagged(id+3)), put(r.sent(id+4))
		first.Key = id
		second.Confirms = []ledger.Confirm{{Key: id}}
		calls := func() {
			// A dying ledger may answer anything.
			_, _ = r.ledger().Commit(r.Context(), first)
			_, _ = r.ledger().Release(r.Context())
			_, _ = r.ledger().Commit(r.Context(), second)
		}
		reached := r.place.DieAt(r.ledger(), point)
		calls()
		r.crash()
		calls()
		r.release()
		sent, tagged, fallback = sent+2, tagged+2, fallback+1
		r.wantTotal("spring", observation.Sent, sent)
		r.wantComplaints(fallback, tagged, 0)
		r.all(put(r.sent(id+2), r.tagged(id), r.tagged(id+1), r.tagged(id+3), r.sent(id+4)), ledger.Duplicate)
		if !reached() {
			r.wantPoints(point, 4)
			return
		}
	}
}
