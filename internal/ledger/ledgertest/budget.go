package ledgertest

import (
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// smallBudget is a budget of ids that rules can exceed quickly; batch is how many of them come in a Put.
const smallBudget, batch = 800, 100

// horizonLimit is the longest that an id is known: as long as SQS can hold a message.
const horizonLimit = 14 * day

func budgets() []rule {
	return []rule{
		{name: "within the budget nothing is forgotten and the horizon is 14 days", check: withinBudget},
		{name: "routine ids beyond the budget are forgotten oldest first", check: routineForgotten},
		{name: "the horizon is the age of the oldest id that is surely known", check: horizonShrinks},
		{name: "routine ids push out no exceptional ones", check: classesApart},
		{name: "exceptional ids have a budget of their own", check: exceptionalForgotten},
		{name: "an id is forgotten after 14 days and not before", check: limitOfAge},
		{name: "what was forgotten stays forgotten over a restart and the rest stays known", check: budgetOverRestart},
	}
}

// push commits n new entries in batches a minute apart, folding between, from the id first on.
func (r *rig) push(o observation.Outcome, first uint64, n int) {
	r.Helper()
	for done := 0; done < n; done += batch {
		r.advance(time.Minute)
		r.all(put(r.runOf(o, first+uint64(done), batch)...), ledger.Counted)
		r.fold()
	}
	r.settle()
}

func withinBudget(r *rig) {
	r.settings.RoutineIDs, r.settings.ExceptionalIDs = smallBudget, smallBudget
	r.push(observation.Sent, 0, smallBudget)
	r.push(observation.Delayed, 10_000, smallBudget)
	s := r.status()
	r.same("routine horizon", s.RoutineHorizon, horizonLimit)
	r.same("exceptional horizon", s.ExceptionalHorizon, horizonLimit)
	r.same("routine ids", s.RoutineIDs, int64(smallBudget))
	r.same("exceptional ids", s.ExceptionalIDs, int64(smallBudget))
	r.all(put(r.run(0, smallBudget)...), ledger.Duplicate)
	r.all(put(r.runOf(observation.Delayed, 10_000, smallBudget)...), ledger.Duplicate)
}

func routineForgotten(r *rig) {
	r.settings.RoutineIDs = smallBudget
	r.forgets(observation.Sent)
}

// forgets pushes four budgets of an outcome's class and checks that the newest ids are known and the oldest are not: an
// engine may forget in pieces, as long as it keeps more than half.
func (r *rig) forgets(o observation.Outcome) {
	r.Helper()
	r.push(o, 0, 4*smallBudget)
	r.all(put(r.runOf(o, 4*smallBudget-smallBudget/2, smallBudget/2)...), ledger.Duplicate)
	r.all(put(r.runOf(o, 0, batch)...), ledger.Counted)
}

func horizonShrinks(r *rig) {
	r.settings.RoutineIDs = smallBudget
	r.push(observation.Sent, 0, 4*smallBudget)
	s := r.status()
	if s.RoutineIDs < smallBudget/2 || s.RoutineIDs > smallBudget*5/4 {
		r.Fatalf("%d ids known, budget %d", s.RoutineIDs, smallBudget)
	}
	want := smallBudget / batch * time.Minute
	if s.RoutineHorizon < want/2 || s.RoutineHorizon > want*5/4 {
		r.Fatalf("horizon %s, want about %s", s.RoutineHorizon, want)
	}
	r.same("exceptional horizon", s.ExceptionalHorizon, horizonLimit)
	known := uint64(s.RoutineHorizon/time.Minute) * batch
	r.all(put(r.run(4*smallBudget-known, int(known))...), ledger.Duplicate)
}

func classesApart(r *rig) {
	r.settings.RoutineIDs, r.settings.ExceptionalIDs = smallBudget, smallBudget
	bounces := r.runOf(observation.HardBounced, 100_000, batch)
	r.count(bounces...)
	r.push(observation.Sent, 0, 4*smallBudget)
	r.all(put(bounces...), ledger.Duplicate)
	r.same("exceptional horizon", r.status().ExceptionalHorizon, horizonLimit)
}

func exceptionalForgotten(r *rig) {
	r.settings.ExceptionalIDs = smallBudget
	sends := r.run(100_000, batch)
	r.count(sends...)
	r.forgets(observation.SoftBounced)
	r.all(put(sends...), ledger.Duplicate)
}

func limitOfAge(r *rig) {
	r.count(r.sent(1), r.entry(2, observation.HardBounced))
	r.fold()
	r.advance(day)
	r.count(r.sent(3))
	r.advance(horizonLimit - day - time.Minute)
	r.settle()
	r.expect(put(r.sent(1), r.entry(2, observation.HardBounced)), ledger.Duplicate, ledger.Duplicate)
	r.advance(12 * time.Hour)
	r.settle()
	r.expect(put(r.sent(1), r.entry(2, observation.HardBounced)), ledger.Counted, ledger.Counted)
	r.expect(put(r.sent(3)), ledger.Duplicate)
	r.same("horizon", r.status().RoutineHorizon, horizonLimit)
}

func budgetOverRestart(r *rig) {
	r.settings.RoutineIDs = smallBudget
	r.push(observation.Sent, 0, 2*smallBudget)
	for _, restart := range []func(){r.reopen, r.crash} {
		before := r.status()
		restart()
		after := r.status()
		r.same("horizon", after.RoutineHorizon, before.RoutineHorizon)
		r.same("ids", after.RoutineIDs, before.RoutineIDs)
		r.all(put(r.run(2*smallBudget-smallBudget/2, smallBudget/2)...), ledger.Duplicate)
	}
	r.all(put(r.run(0, batch)...), ledger.Counted)
}
