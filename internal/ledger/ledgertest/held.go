package ledgertest

import (
	"cmp"
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func heldEntries() []rule {
	return []rule{
		{name: "a held entry is not counted before its time", check: notBeforeItsTime},
		{name: "a held entry is counted once after its time and returned whole", check: releasedOnce},
		{name: "a replayed held entry is counted after its time and not returned", check: replayedReleased},
		{name: "a tagged copy takes the place of a held one", check: taggedReplaces},
		{name: "a tagged copy and a held one count alike in both orders", check: bothOrders},
		{name: "a tagged copy and a held one in one Put count once", check: twinsInOnePut},
		{name: "two held copies count once", check: twoHeldCopies},
		{name: "a tagged copy after the release is a duplicate", check: taggedAfterRelease},
		{name: "held entries survive restarts and crashes, folded or not", check: heldSurvives},
		{name: "a released entry stays released over a crash", check: releasedSurvives},
		{name: "a held id is known however many ids come after it", check: heldNotForgotten},
	}
}

// held is a complaint that waits a quarter of an hour, in the name of the fall-back rules.
func (r *rig) held(id uint64) ledger.Entry {
	return r.entry(id, observation.Complained, campaign("fallback"), possible(5), holdUntil(r.now().Add(15*time.Minute)),
		sentAt(r.now().Add(-26*time.Hour)), ownTime(r.now().Add(-time.Minute)), sample("abuse", messageID(int(id))))
}

// tagged is the copy of held that has tags.
func (r *rig) tagged(id uint64) ledger.Entry {
	e := r.held(id)
	e.Hold = time.Time{}
	e.Cell.Campaign.Name = "tagged"
	return e
}

func (r *rig) wantComplaints(fallback, tagged, held int64) {
	r.Helper()
	r.wantTotal("fallback", observation.Complained, fallback)
	r.wantTotal("tagged", observation.Complained, tagged)
	r.same("held", r.status().Held, held)
}

func notBeforeItsTime(r *rig) {
	r.expect(put(r.held(1)), ledger.Held)
	r.advance(15*time.Minute - time.Second)
	r.same("released", r.release(), []ledger.Entry(nil))
	r.wantComplaints(0, 0, 1)
}

func replayedReleased(r *rig) {
	saved := put(r.held(1))
	saved.Replay = true
	r.expect(saved, ledger.Held)
	r.expect(put(r.held(2)), ledger.Held)
	r.advance(16 * time.Minute)
	released := r.release()
	if len(released) != 1 || released[0].ID != 2 {
		r.Fatalf("released %+v, want the one that came live", released)
	}
	r.wantComplaints(2, 0, 0)
}

func releasedOnce(r *rig) {
	first, second := r.held(1), r.held(2)
	second.Hold = second.Hold.Add(time.Hour)
	r.expect(put(first, second), ledger.Held, ledger.Held)
	r.advance(16 * time.Minute)
	released := r.release()
	if len(released) != 1 {
		r.Fatalf("released %d entries, want 1", len(released))
	}
	released[0].Hold = first.Hold
	r.same("released entry", released[0], first)
	r.same("released again", r.release(), []ledger.Entry(nil))
	r.wantComplaints(1, 0, 1)
	r.same("totals", r.totals(), map[ledger.Cell]tally{first.Cell: {N: 1, Possible: 5}})
	own := read(r, "own time", func(ctx context.Context) ([]ledger.OwnTimeRow, error) {
		return r.ledger().OwnTime(ctx, hourOf(first.At), hourOf(first.At).Add(time.Hour))
	})
	if len(own) != 1 || own[0].N != 1 {
		r.Fatalf("own time: %+v", own)
	}
	examples := read(r, "samples", func(ctx context.Context) ([]ledger.SampleRow, error) {
		return r.ledger().Samples(ctx, ledger.SampleQuery{})
	})
	if len(examples) != 1 || examples[0].Text != "abuse" {
		r.Fatalf("samples: %+v", examples)
	}
}

func taggedReplaces(r *rig) {
	r.expect(put(r.held(1)), ledger.Held)
	r.fold()
	r.expect(put(r.tagged(1)), ledger.Counted)
	r.wantComplaints(0, 1, 0)
	r.advance(time.Hour)
	r.same("released", r.release(), []ledger.Entry(nil))
	r.expect(put(r.tagged(1), r.held(1)), ledger.Duplicate, ledger.Duplicate)
	r.wantComplaints(0, 1, 0)
}

func bothOrders(r *rig) {
	r.expect(put(r.held(1)), ledger.Held)
	r.expect(put(r.tagged(1)), ledger.Counted)
	r.expect(put(r.tagged(2)), ledger.Counted)
	r.expect(put(r.held(2)), ledger.Duplicate)
	r.wantComplaints(0, 2, 0)
	r.same("totals", r.totals(), map[ledger.Cell]tally{r.tagged(1).Cell: {N: 2, Possible: 10}})
}

func twinsInOnePut(r *rig) {
	r.expect(put(r.held(1), r.tagged(1), r.tagged(2), r.held(2)), ledger.Held, ledger.Counted, ledger.Counted, ledger.Duplicate)
	r.wantComplaints(0, 2, 0)
	r.advance(time.Hour)
	r.same("released", r.release(), []ledger.Entry(nil))
}

func twoHeldCopies(r *rig) {
	r.expect(put(r.held(1), r.held(1)), ledger.Held, ledger.Duplicate)
	r.expect(put(r.held(1)), ledger.Duplicate)
	r.crash()
	r.expect(put(r.held(1)), ledger.Duplicate)
	r.wantComplaints(0, 0, 1)
	r.advance(16 * time.Minute)
	if n := len(r.release()); n != 1 {
		r.Fatalf("released %d, want 1", n)
	}
	r.expect(put(r.held(1)), ledger.Duplicate)
	r.wantComplaints(1, 0, 0)
}

func taggedAfterRelease(r *rig) {
	r.expect(put(r.held(1), r.held(2)), ledger.Held, ledger.Held)
	r.advance(16 * time.Minute)
	r.release()
	r.expect(put(r.tagged(1)), ledger.Duplicate)
	r.crash()
	r.expect(put(r.tagged(2)), ledger.Duplicate)
	r.wantComplaints(2, 0, 0)
}

func heldSurvives(r *rig) {
	r.expect(put(r.held(1), r.held(2)), ledger.Held, ledger.Held)
	r.fold()
	r.expect(put(r.held(3), r.held(4)), ledger.Held, ledger.Held)
	r.crash()
	r.expect(put(r.tagged(1), r.tagged(3)), ledger.Counted, ledger.Counted)
	r.crash()
	want := []ledger.Entry{r.held(2), r.held(4)}
	r.wantComplaints(0, 2, 2)
	r.reopen()
	r.advance(16 * time.Minute)
	released := sorted(r.release(), func(a, b ledger.Entry) int { return cmp.Compare(a.ID, b.ID) })
	for i := range released {
		if i < len(want) {
			released[i].Hold = want[i].Hold
		}
		released[i].SentAt, released[i].At = released[i].SentAt.UTC(), released[i].At.UTC()
	}
	r.same("released", released, want)
	r.wantComplaints(2, 2, 0)
}

func releasedSurvives(r *rig) {
	r.expect(put(r.held(1)), ledger.Held)
	r.advance(16 * time.Minute)
	if n := len(r.release()); n != 1 {
		r.Fatalf("released %d, want 1", n)
	}
	r.crash()
	r.same("released again", r.release(), []ledger.Entry(nil))
	r.wantComplaints(1, 0, 0)
}

func heldNotForgotten(r *rig) {
	r.settings.ExceptionalIDs = smallBudget
	r.expect(put(r.held(1)), ledger.Held)
	r.push(observation.HardBounced, 1000, 4*smallBudget)
	r.expect(put(r.held(1)), ledger.Duplicate)
	r.expect(put(r.tagged(1)), ledger.Counted)
	r.wantComplaints(0, 1, 0)
}
