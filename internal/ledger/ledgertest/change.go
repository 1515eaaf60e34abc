package ledgertest

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func changes() []rule {
	return []rule{
		{name: "cohorts at a fold and what changed since are the cohorts now", check: changesSum},
		{name: "changes are told fold by fold, in buckets as wide as the cohorts'", check: changesByFold},
		{name: "a fold of nothing new changes nothing", check: changesOfNothing},
		{name: "maintenance is no change", check: changesNotByMaintenance},
		{name: "changes older than are known say Reset, and none are left out", check: changesTooOld},
	}
}

// follower keeps cohorts as a view does: read once, then fed by changes.
type follower struct {
	sums    map[slot]tally
	through ledger.Fold
	resets  int
}

// follow brings f up to the ledger's last fold and checks it against a fresh reading, hour by hour.
func (r *rig) follow(f *follower) {
	r.Helper()
	r.fold()
	if f.sums == nil {
		r.reread(f)
	}
	answer := r.changesAfter(f.through)
	if answer.Reset {
		f.resets++
		r.reread(f)
	} else {
		if answer.Through < f.through {
			r.Fatalf("changes through fold %d after fold %d", answer.Through, f.through)
		}
		for _, change := range answer.Folds {
			for s, t := range sum(change.Rows, hourOf) {
				add(f.sums, s, t)
			}
		}
		f.through = answer.Through
	}
	fresh := follower{}
	r.reread(&fresh)
	r.same("fold", f.through, fresh.through)
	r.same("cohorts by changes", f.sums, fresh.sums)
}

func (r *rig) reread(f *follower) {
	r.Helper()
	answer := read(r, "cohorts", func(ctx context.Context) (ledger.Cohorts, error) {
		return r.ledger().Cohorts(ctx, anytime())
	})
	f.sums, f.through = sum(answer.Rows, hourOf), answer.Through
}

// changesAfter reads changes and checks what holds for all of them.
func (r *rig) changesAfter(after ledger.Fold) ledger.Changes {
	r.Helper()
	answer := read(r, "changes", func(ctx context.Context) (ledger.Changes, error) {
		return r.ledger().Changes(ctx, after)
	})
	last := after
	for _, change := range answer.Folds {
		if change.Fold <= last || change.Fold > answer.Through {
			r.Fatalf("fold %d after fold %d, through %d", change.Fold, last, answer.Through)
		}
		last = change.Fold
		r.checkRows(change.Rows)
	}
	return answer
}

func changesSum(r *rig) {
	var f follower
	r.follow(&f)
	entries := r.mixed()
	for i := 0; i+20 <= len(entries); i += 20 {
		r.count(entries[i : i+10]...)
		r.fold()
		r.count(entries[i+10 : i+20]...)
		r.expect(put(entries[i]), ledger.Duplicate)
		r.follow(&f)
	}
	r.same("resets while nothing happened", f.resets, 0)
	r.expect(put(r.held(10_000), r.held(10_001)), ledger.Held, ledger.Held)
	r.follow(&f)
	r.expect(put(r.tagged(10_000)), ledger.Counted)
	r.advance(time.Hour)
	r.release()
	r.follow(&f)
	for i, restart := range []func(){r.crash, r.reopen, r.crash} {
		r.count(r.sent(20_000 + uint64(i)))
		restart()
		r.follow(&f)
		r.count(r.sent(30_000 + uint64(i)))
		r.follow(&f)
	}
}

func changesByFold(r *rig) {
	before := r.status().Through
	first, late := r.now().Add(-time.Hour), r.now().Add(-5*day)
	for i := range 4 {
		r.count(
			r.sent(uint64(i), sentAt(first.Add(time.Duration(i)*5*time.Minute))),
			r.entry(uint64(10+i), observation.Opened, sentAt(first.Add(7*time.Minute))),
			r.sent(uint64(20+i), sentAt(late.Add(7*time.Minute))),
		)
		r.fold()
	}
	answer := r.changesAfter(before)
	if answer.Reset || len(answer.Folds) != 4 {
		r.Fatalf("changes: %+v", answer)
	}
	for i, change := range answer.Folds {
		r.same("changes of a fold", sum(change.Rows, func(t time.Time) time.Time { return t }), map[slot]tally{
			{first.Add(time.Duration(i) * 5 * time.Minute), cellOf("spring", observation.Sent)}: {N: 1},
			{first, cellOf("spring", observation.Opened)}:                                       {N: 1},
			{late, cellOf("spring", observation.Sent)}:                                          {N: 1},
		})
	}
	if tail := r.changesAfter(answer.Folds[1].Fold); len(tail.Folds) != 2 {
		r.Fatalf("changes after the second of four: %+v", tail)
	}
}

func changesOfNothing(r *rig) {
	r.count(r.sent(1))
	through := r.status().Through
	r.expect(put(r.sent(1)), ledger.Duplicate)
	r.fold()
	r.fold()
	for _, change := range r.changesAfter(through).Folds {
		if len(change.Rows) != 0 {
			r.Fatalf("changes: %+v", change)
		}
	}
}

func changesNotByMaintenance(r *rig) {
	var f follower
	r.count(r.mixed()...)
	r.follow(&f)
	for range 3 {
		r.advance(3 * day)
		r.settle()
		r.follow(&f)
	}
}

func changesTooOld(r *rig) {
	var f follower
	r.count(r.sent(0))
	r.follow(&f)
	const folds = 150
	for i := range uint64(folds) {
		r.count(r.sent(1 + i))
		r.fold()
	}
	if answer := r.changesAfter(f.through); !answer.Reset && len(answer.Folds) != folds {
		r.Fatalf("%d folds of %d and no Reset", len(answer.Folds), folds)
	}
	r.follow(&f)
}
