package ledgertest

import (
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func onceOnly() []rule {
	return []rule{
		{name: "an id counts once within a Put", check: onceWithinPut},
		{name: "an id counts once over two Puts, folded or not", check: onceOverPuts},
		{name: "an id counts once over concurrent Puts", check: onceConcurrently},
		{name: "an id counts once over a restart", check: onceOverRestart},
		{name: "an id counts once over a crash, folded or not", check: onceOverCrash},
		{name: "the first copy of an id wins, whatever the second says", check: firstWins},
		{name: "the two classes share one space of ids", check: oneSpace},
		{name: "an id that is all zeros or all ones is an id", check: extremeIDs},
		{name: "fates are in the order of the entries", check: fatesInOrder},
		{name: "a key of ids is made with the ledger and stays", check: keyStays},
	}
}

func onceWithinPut(r *rig) {
	r.expect(put(r.sent(1), r.sent(1), r.sent(2), r.sent(1)), ledger.Counted, ledger.Duplicate, ledger.Counted, ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 2)
}

func onceOverPuts(r *rig) {
	r.count(r.sent(1))
	r.expect(put(r.sent(1)), ledger.Duplicate)
	r.fold()
	r.expect(put(r.sent(1)), ledger.Duplicate)
	r.settle()
	r.expect(put(r.sent(1)), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 1)
}

// onceConcurrently lets every id be committed by four of the Puts that are under way at once.
func onceConcurrently(r *rig) {
	const puts, perPut, distinct = 32, 50, 400
	var counted, duplicate atomic.Int64
	l := r.ledger()
	r.together(puts, func(i int) error {
		p := put()
		for j := range perPut {
			p.Entries = append(p.Entries, r.sent(uint64((i*perPut+j)%distinct)))
		}
		result, err := l.Commit(r.Context(), p)
		for _, fate := range result.Fates {
			if fate == ledger.Counted {
				counted.Add(1)
			} else if fate == ledger.Duplicate {
				duplicate.Add(1)
			}
		}
		return err
	})
	r.same("counted", counted.Load(), int64(distinct))
	r.same("duplicates", duplicate.Load(), int64(puts*perPut-distinct))
	r.wantTotal("spring", observation.Sent, distinct)
}

func onceOverRestart(r *rig) {
	r.count(r.run(1, 100)...)
	r.count(r.runOf(observation.HardBounced, 1001, 10)...)
	r.reopen()
	r.all(put(r.run(1, 100)...), ledger.Duplicate)
	r.all(put(r.runOf(observation.HardBounced, 1001, 10)...), ledger.Duplicate)
	r.settle()
	r.reopen()
	r.all(put(r.run(1, 100)...), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 100)
	r.wantTotal("spring", observation.HardBounced, 10)
}

func onceOverCrash(r *rig) {
	r.count(r.run(1, 50)...)
	r.fold()
	r.count(r.run(51, 50)...)
	r.count(r.runOf(observation.Complained, 1001, 5)...)
	r.crash()
	r.all(put(r.run(1, 100)...), ledger.Duplicate)
	r.all(put(r.runOf(observation.Complained, 1001, 5)...), ledger.Duplicate)
	r.crash()
	r.all(put(r.run(1, 100)...), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 100)
	r.wantTotal("spring", observation.Complained, 5)
}

func firstWins(r *rig) {
	r.expect(
		put(r.sent(1, campaign("first")), r.sent(1, campaign("second"), sentAt(r.now().Add(-time.Hour)))),
		ledger.Counted, ledger.Duplicate)
	r.expect(put(r.sent(1, campaign("third"), provider("yahoo"))), ledger.Duplicate)
	r.same("totals", r.totals(), map[ledger.Cell]tally{cellOf("first", observation.Sent): {N: 1}})
}

func oneSpace(r *rig) {
	r.count(r.sent(1), r.entry(2, observation.HardBounced))
	r.expect(put(r.entry(1, observation.HardBounced), r.sent(2)), ledger.Duplicate, ledger.Duplicate)
}

func extremeIDs(r *rig) {
	r.count(r.sent(0), r.sent(^uint64(0)), r.sent(1<<63), r.sent(1<<63-1))
	r.crash()
	r.all(put(r.sent(0), r.sent(^uint64(0)), r.sent(1<<63), r.sent(1<<63-1)), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 4)
}

func fatesInOrder(r *rig) {
	r.count(r.sent(2), r.sent(4))
	r.expect(
		put(r.sent(1), r.sent(2), r.sent(3), r.sent(4), r.entry(5, observation.Complained, holdUntil(r.now().Add(time.Hour)))),
		ledger.Counted, ledger.Duplicate, ledger.Counted, ledger.Duplicate, ledger.Held)
}

func keyStays(r *rig) {
	key := r.ledger().HashKey()
	if key == [16]byte{} {
		r.Fatal("the key is all zeros")
	}
	r.reopen()
	r.same("key after a restart", r.ledger().HashKey(), key)
	r.crash()
	r.same("key after a crash", r.ledger().HashKey(), key)
}
