package ledgertest

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func durability() []rule {
	return []rule{
		{name: "what Commit acknowledged survives a crash without a fold", check: acknowledgedSurvives},
		{name: "opening folds what was committed", check: openFolds},
		{name: "closing folds what was committed", check: closeFolds, needs: func(p Place) bool { return p.OpenReader != nil }},
		{name: "a Put that is repeated over a crash counts once", check: repeatedOverCrash},
		{name: "folds are numbered upwards over restarts and crashes", check: foldsAscend},
		{name: "a fold says as of when it is", check: asOf},
		{name: "a cancelled caller undoes nothing and may repeat", check: cancelledCaller},
		{name: "callers that give up while others commit leave exact counts", check: givingUp},
		{name: "a closed ledger commits nothing", check: closedCommits},
		{name: "the zone is fixed when the ledger is made", check: zoneFixed},
	}
}

func acknowledgedSurvives(r *rig) {
	r.commit(r.everything())
	r.crash()
	r.fold()
	r.same("seen after the crash", r.partsSeen(r.ledger()), allParts())
	r.crash()
	r.fold()
	r.same("seen after another crash", r.partsSeen(r.ledger()), allParts())
}

func openFolds(r *rig) {
	r.commit(r.everything())
	r.crash()
	r.same("seen at once", r.partsSeen(r.ledger()), allParts())
}

func closeFolds(r *rig) {
	r.commit(r.everything())
	r.close()
	reader, closeReader, err := r.place.OpenReader()
	r.must("open a reader", err)
	defer closeReader()
	r.same("seen without a daemon", r.partsSeen(reader), allPartsElsewhere())
}

func repeatedOverCrash(r *rig) {
	var all []ledger.Put
	for i := range uint64(10) {
		all = append(all, put(r.run(1+20*i, 20)...))
		r.all(all[i], ledger.Counted)
		if i%4 == 1 {
			r.fold()
		}
		r.crash()
		for _, p := range all {
			r.all(p, ledger.Duplicate)
		}
	}
	r.wantTotal("spring", observation.Sent, 200)
}

func foldsAscend(r *rig) {
	var last ledger.Fold
	for i, between := range []func(){r.fold, r.fold, r.reopen, r.fold, r.crash, r.settle, r.crash} {
		r.count(r.sent(uint64(i)))
		between()
		through := r.status().Through
		if through <= last {
			r.Fatalf("step %d: fold %d after fold %d", i, through, last)
		}
		answer := read(r, "cohorts", func(ctx context.Context) (ledger.Cohorts, error) {
			return r.ledger().Cohorts(ctx, anytime())
		})
		r.same("fold of the cohorts", answer.Through, through)
		last = through
	}
}

func asOf(r *rig) {
	for i := range uint64(3) {
		r.advance(time.Minute)
		r.count(r.sent(i))
		if got := r.status().AsOf; !got.Equal(r.now()) {
			r.Fatalf("as of %s, want %s", got, r.now())
		}
	}
	r.advance(time.Minute)
	if got := r.status().AsOf; !got.Equal(r.now()) {
		r.Fatalf("as of %s with nothing to fold, want %s", got, r.now())
	}
}

func cancelledCaller(r *rig) {
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	l := r.ledger()
	if _, err := l.Commit(ctx, put(r.sent(1))); err != nil && !errors.Is(err, context.Canceled) {
		r.Fatalf("cancelled: %v", err)
	}
	r.commit(put(r.sent(1)))
	r.expect(put(r.sent(1)), ledger.Duplicate)
	r.wantTotal("spring", observation.Sent, 1)
}

func givingUp(r *rig) {
	l := r.ledger()
	const puts = 32
	r.together(puts, func(i int) error {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(i%8)*100*time.Microsecond)
		defer cancel()
		if i%2 == 0 {
			ctx = r.Context()
		}
		_, err := l.Commit(ctx, put(r.sent(uint64(i)), r.sent(uint64(i+1))))
		if errors.Is(err, context.DeadlineExceeded) {
			_, err = l.Commit(r.Context(), put(r.sent(uint64(i)), r.sent(uint64(i+1))))
		}
		return err
	})
	r.wantTotal("spring", observation.Sent, puts+1)
}

func closedCommits(r *rig) {
	l := r.ledger()
	r.count(r.sent(1))
	r.close()
	if _, err := l.Commit(r.Context(), put(r.sent(2))); !errors.Is(err, ledger.ErrClosed) {
		r.Fatalf("commit after close: %v, want %v", err, ledger.ErrClosed)
	}
	r.wantTotal("spring", observation.Sent, 1)
}

func zoneFixed(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	r.ledger()
	r.close()
	r.settings.Zone = time.UTC
	l, err := r.place.Open(r.settings)
	if err == nil {
		r.same("zone", l.Zone().String(), "Europe/Berlin")
		r.must("close", l.Close())
	}
	r.settings.Zone = r.zone("Europe/Berlin")
	r.same("zone", r.ledger().Zone().String(), "Europe/Berlin")
}

func (r *rig) zone(name string) *time.Location {
	r.Helper()
	zone, err := time.LoadLocation(name)
	r.must("zone", err)
	return zone
}
