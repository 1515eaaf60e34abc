package ledgertest

import (
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func unconfirmed() []rule {
	return []rule{
		{name: "an unconfirmed Put is not forgotten although the budget would", check: unconfirmedStays},
		{name: "duplicates of an unconfirmed Put are not forgotten either", check: unconfirmedDuplicates},
		{name: "a Confirm lets the ids be forgotten", check: confirmFrees},
		{name: "a message that the source kept is pinned for 14 days", check: keptPins},
		{name: "a later confirmed copy ends the pin of a kept message", check: laterCopyFrees},
		{name: "unconfirmed Puts stay pinned over crashes and restarts", check: pinnedOverCrash},
		{name: "kept messages stay pinned over a crash", check: keptOverCrash},
		{name: "a Confirm that was folded before a crash still frees after it", check: confirmedOverCrash},
		{name: "unconfirmed ids are told by source", check: bySource},
		{name: "a Put without a Key pins nothing", check: noKeyNoPin},
		{name: "a Confirm comes alone or with entries, and one of an unknown key is ignored", check: confirmForms},
	}
}

// pinned is a small Put that waits for its Confirm.
func (r *rig) pinned(key uint64, entries ...ledger.Entry) ledger.Put {
	p := put(entries...)
	p.Key = key
	return p
}

func (r *rig) confirm(key uint64, kept ...int) {
	r.Helper()
	r.commit(ledger.Put{Source: queue, Confirms: []ledger.Confirm{{Key: key, Kept: kept}}})
}

func (r *rig) wantUnconfirmed(source string, want int64) {
	r.Helper()
	if got := r.status().Unconfirmed[source]; got != want {
		r.Fatalf("%s: %d ids unconfirmed, want %d", source, got, want)
	}
}

// flood sends enough ids through both classes to forget all that may be forgotten; n parts one flood from the next.
func (r *rig) flood(n uint64) {
	r.Helper()
	r.push(observation.Sent, 1_000_000*n, 2*smallBudget)
	r.push(observation.Delayed, 1_000_000*n+500_000, 2*smallBudget)
}

// smallBudgets makes both classes forget soon.
func (r *rig) smallBudgets() {
	r.settings.RoutineIDs, r.settings.ExceptionalIDs = smallBudget, smallBudget
}

// some is 40 entries of both classes, in messages of their own.
func (r *rig) some() []ledger.Entry {
	entries := append(r.run(1, 20), r.runOf(observation.HardBounced, 101, 20)...)
	for i := range entries {
		entries[i].Message = i
	}
	return entries
}

func unconfirmedStays(r *rig) {
	r.smallBudgets()
	r.all(r.pinned(7, r.some()...), ledger.Counted)
	r.flood(1)
	r.wantUnconfirmed(queue, 40)
	r.all(put(r.some()...), ledger.Duplicate)
}

func unconfirmedDuplicates(r *rig) {
	r.smallBudgets()
	r.count(r.some()...)
	r.all(r.pinned(7, r.some()...), ledger.Duplicate)
	r.wantUnconfirmed(queue, 40)
	r.flood(1)
	r.all(put(r.some()...), ledger.Duplicate)
}

func confirmFrees(r *rig) {
	r.smallBudgets()
	r.all(r.pinned(7, r.some()...), ledger.Counted)
	r.confirm(7)
	r.wantUnconfirmed(queue, 0)
	r.all(put(r.some()...), ledger.Duplicate)
	r.flood(1)
	r.all(put(r.some()...), ledger.Counted)
}

func keptPins(r *rig) {
	r.smallBudgets()
	entries := r.some()
	r.all(r.pinned(7, entries...), ledger.Counted)
	r.confirm(7, 3, 25)
	r.wantUnconfirmed(queue, 2)
	r.flood(1)
	r.expect(put(entries[3], entries[25]), ledger.Duplicate, ledger.Duplicate)
	r.expect(put(entries[4], entries[24]), ledger.Counted, ledger.Counted)
	r.advance(horizonLimit + 12*time.Hour)
	r.settle()
	r.wantUnconfirmed(queue, 0)
	r.expect(put(entries[3], entries[25]), ledger.Counted, ledger.Counted)
}

func laterCopyFrees(r *rig) {
	r.smallBudgets()
	entries := r.some()
	r.all(r.pinned(7, entries...), ledger.Counted)
	r.confirm(7, 3, 25)
	again := []ledger.Entry{entries[3], entries[25]}
	r.all(r.pinned(8, again...), ledger.Duplicate)
	r.confirm(8)
	r.wantUnconfirmed(queue, 0)
	r.flood(1)
	r.all(put(again...), ledger.Counted)
}

func pinnedOverCrash(r *rig) {
	r.smallBudgets()
	entries := r.some()
	r.all(r.pinned(7, entries[:20]...), ledger.Counted)
	r.fold()
	r.all(r.pinned(8, entries[20:]...), ledger.Counted)
	r.crash()
	r.wantUnconfirmed(queue, 40)
	r.flood(1)
	r.reopen()
	r.flood(2)
	r.wantUnconfirmed(queue, 40)
	r.all(put(entries...), ledger.Duplicate)
	r.all(r.pinned(9, entries...), ledger.Duplicate)
	r.confirm(9)
	r.wantUnconfirmed(queue, 0)
	r.flood(3)
	r.all(put(entries...), ledger.Counted)
}

func keptOverCrash(r *rig) {
	r.smallBudgets()
	entries := r.some()
	r.all(r.pinned(7, entries...), ledger.Counted)
	r.confirm(7, 0, 39)
	r.fold()
	r.crash()
	r.wantUnconfirmed(queue, 2)
	r.flood(1)
	r.crash()
	r.expect(put(entries[0], entries[39]), ledger.Duplicate, ledger.Duplicate)
	r.expect(put(entries[1], entries[38]), ledger.Counted, ledger.Counted)
}

func confirmedOverCrash(r *rig) {
	r.smallBudgets()
	r.all(r.pinned(7, r.some()...), ledger.Counted)
	r.confirm(7)
	r.fold()
	r.crash()
	r.wantUnconfirmed(queue, 0)
	r.flood(1)
	r.all(put(r.some()...), ledger.Counted)
}

func bySource(r *rig) {
	one, two := r.pinned(7, r.run(1, 5)...), r.pinned(8, r.run(11, 3)...)
	two.Source = "queue-2"
	r.all(one, ledger.Counted)
	r.all(two, ledger.Counted)
	r.wantUnconfirmed(queue, 5)
	r.wantUnconfirmed("queue-2", 3)
	r.commit(ledger.Put{Source: "queue-2", Confirms: []ledger.Confirm{{Key: 8}}})
	r.wantUnconfirmed(queue, 5)
	r.wantUnconfirmed("queue-2", 0)
	r.crash()
	r.wantUnconfirmed(queue, 5)
}

func noKeyNoPin(r *rig) {
	r.count(r.some()...)
	r.wantUnconfirmed(queue, 0)
}

func confirmForms(r *rig) {
	r.confirm(12345)
	r.all(r.pinned(7, r.run(1, 5)...), ledger.Counted)
	p := r.pinned(8, r.run(11, 5)...)
	p.Confirms = []ledger.Confirm{{Key: 7, Kept: []int{4, 99}}, {Key: 12346}}
	r.all(p, ledger.Counted)
	r.wantUnconfirmed(queue, 6)
	r.confirm(7)
	r.confirm(8)
	r.wantUnconfirmed(queue, 1)
}
