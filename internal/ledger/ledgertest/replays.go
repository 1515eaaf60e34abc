package ledgertest

import (
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func replay() []rule {
	return []rule{
		{name: "replayed events of hours that were covered live are refused", check: refusedWhereLive},
		{name: "an hour is covered by the events' own time", check: coveredByOwnTime},
		{name: "an hour is covered for the same mail in the other format", check: coveredInTheOtherFormat},
		{name: "a known id is a duplicate before it is refused", check: duplicateBeforeRefused},
		{name: "refused entries count nothing and stay unknown", check: refusedCountNothing},
		{name: "AssumeNew counts them", check: assumeNew},
		{name: "replay covers no hours", check: replayCoversNothing},
		{name: "covered hours stay covered over restarts and crashes", check: coveredOverCrash},
	}
}

func replayed(entries ...ledger.Entry) ledger.Put {
	return ledger.Put{Source: "replay", Replay: true, Entries: entries}
}

func refusedWhereLive(r *rig) {
	r.count(r.sent(1))
	r.expect(replayed(r.sent(2), r.sent(3, sentAt(r.now().Add(-3*time.Hour)))), ledger.Refused, ledger.Counted)
	r.fold()
	r.expect(replayed(r.sent(4), r.sent(5, sentAt(r.now().Add(-3*time.Hour)))), ledger.Refused, ledger.Counted)
	r.wantTotal("spring", observation.Sent, 3)
}

func coveredByOwnTime(r *rig) {
	sent := r.now().Add(-20 * time.Hour)
	r.count(r.entry(1, observation.HardBounced, sentAt(sent), ownTime(r.now())))
	r.expect(replayed(
		r.entry(2, observation.HardBounced, sentAt(sent), ownTime(sent)),
		r.entry(3, observation.HardBounced, sentAt(sent), ownTime(r.now().Add(59*time.Minute))),
		r.entry(4, observation.HardBounced, sentAt(sent), ownTime(r.now().Add(-time.Nanosecond))),
	), ledger.Counted, ledger.Refused, ledger.Counted)
}

func coveredInTheOtherFormat(r *rig) {
	plain := observation.Origin{Account: "1", Region: "r"}
	set, other, elsewhere := plain, plain, plain
	set.ConfigurationSet, other.ConfigurationSet, elsewhere.Region = "set", "other", "s"
	bounce := func(id uint64, o observation.Origin, at time.Time) ledger.Entry {
		return r.entry(id, observation.HardBounced, from(o), sentAt(at), ownTime(at))
	}
	first, second := r.now(), r.now().Add(-2*time.Hour)
	r.count(bounce(1, set, first))
	r.count(bounce(2, plain, second))
	r.expect(replayed(bounce(3, plain, first), bounce(4, other, first), bounce(5, elsewhere, first)),
		ledger.Refused, ledger.Counted, ledger.Counted)
	r.expect(replayed(bounce(6, set, second), bounce(7, other, second), bounce(8, elsewhere, second)),
		ledger.Refused, ledger.Refused, ledger.Counted)
}

func duplicateBeforeRefused(r *rig) {
	r.count(r.sent(1))
	r.expect(replayed(r.sent(1), r.sent(2), r.sent(2)), ledger.Duplicate, ledger.Refused, ledger.Refused)
}

func refusedCountNothing(r *rig) {
	r.count(r.sent(1))
	r.expect(replayed(r.sent(2)), ledger.Refused)
	r.wantTotal("spring", observation.Sent, 1)
	r.expect(put(r.sent(2)), ledger.Counted)
	r.wantTotal("spring", observation.Sent, 2)
}

func assumeNew(r *rig) {
	r.count(r.sent(1))
	p := replayed(r.sent(1), r.sent(2), r.sent(2))
	p.AssumeNew = true
	r.expect(p, ledger.Duplicate, ledger.Counted, ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 2)
}

func replayCoversNothing(r *rig) {
	for i := range uint64(3) {
		r.expect(replayed(r.sent(i)), ledger.Counted)
		r.fold()
	}
	r.count(r.sent(10))
	r.expect(replayed(r.sent(11)), ledger.Refused)
}

func coveredOverCrash(r *rig) {
	r.count(r.sent(1))
	r.crash()
	r.expect(replayed(r.sent(2)), ledger.Refused)
	r.settle()
	r.reopen()
	r.expect(replayed(r.sent(3)), ledger.Refused)
	first := r.now()
	r.advance(10 * day)
	r.settle()
	r.expect(replayed(r.sent(4, sentAt(first)), r.sent(5)), ledger.Refused, ledger.Counted)
}
