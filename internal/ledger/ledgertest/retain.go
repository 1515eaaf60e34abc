package ledgertest

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func retention() []rule {
	return []rule{
		{name: "cohorts go after 25 months and no earlier", check: cohortsRetained},
		{name: "tallies by own time stay 100 days at least", check: ownTimeRetained},
		{name: "identifier use goes after 130 days and no earlier", check: usesRetained},
		{name: "readings go after 25 months and no earlier", check: readingsRetained},
		{name: "readings of periods under an hour go after 35 days and no earlier", check: shortReadingsRetained},
		{name: "samples go 14 days after they were last seen and no earlier", check: samplesRetained},
		{name: "quarantine goes after 30 days and no earlier, and leaves room", check: quarantineRetained},
		{name: "versions and positions stay", check: settingsRetained},
	}
}

// keeps checks that count sees 1 until age has passed since the call, and 0 soon after.
func (r *rig) keeps(until func(time.Time) time.Time, slack time.Duration, count func() int) {
	r.Helper()
	end := until(r.now())
	r.same("at first", count(), 1)
	r.clock.set(end.Add(-slack))
	r.settle()
	r.same("shortly before its end", count(), 1)
	r.clock.set(end.Add(slack))
	r.settle()
	r.same("shortly after its end", count(), 0)
	r.reopen()
	r.same("after a restart", count(), 0)
}

func after(age time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(age) }
}

func months(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.AddDate(0, n, 0) }
}

func cohortsRetained(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	r.count(r.sent(1), r.entry(2, observation.Opened, campaign("young"), sentAt(r.now().AddDate(0, 3, 0))))
	r.keeps(months(25), 3*day, func() int {
		return len(r.cohorts(ledger.CohortQuery{From: anytime().From, To: start.AddDate(0, 1, 0)}))
	})
	r.wantTotal("young", observation.Opened, 1)
}

func ownTimeRetained(r *rig) {
	r.count(r.sent(1))
	r.advance(99 * day)
	r.settle()
	r.same("rows", len(r.ownTimes(anytime().From, anytime().To)), 1)
}

func usesRetained(r *rig) {
	r.count(r.sent(1), r.sent(2, sentAt(r.now().Add(5*day))))
	r.keeps(after(130*day), 2*day, func() int { return len(r.uses(anytime().From, start.Add(day))) })
	r.same("younger ones", len(r.uses(start.Add(day), anytime().To)), 1)
}

func readingsRetained(r *rig) {
	old, young := r.reading("spam_rate", new(0.25)), r.reading("spam_rate", new(0.5))
	young.Start, young.End = r.now().AddDate(0, 3, 0), r.now().AddDate(0, 3, 1)
	r.commit(ledger.Put{Source: "postmaster", Readings: []observation.Reading{old, young}})
	count := func(from, to time.Time) int {
		return len(r.readings(ledger.ReadingQuery{From: from, To: to}))
	}
	r.keeps(months(25), 4*day, func() int { return count(anytime().From, start.AddDate(0, 1, 0)) })
	r.same("younger ones", count(start, anytime().To), 1)
}

func shortReadingsRetained(r *rig) {
	reading := func(metric string, length time.Duration) observation.Reading {
		v := r.reading(metric, new(1.0))
		v.Start, v.End = start, start.Add(length)
		return v
	}
	r.store(reading("short", 5*time.Minute), reading("hour", time.Hour))
	count := func(metric string) int {
		return len(r.readings(ledger.ReadingQuery{Metric: metric, From: anytime().From, To: anytime().To}))
	}
	r.keeps(after(35*day), day, func() int { return count("short") })
	r.same("those of an hour", count("hour"), 1)
}

func samplesRetained(r *rig) {
	r.count(r.bounce(1, "old"), r.bounce(2, "young"))
	r.advance(3 * day)
	r.count(r.bounce(3, "young"))
	count := func(text string) (n int) {
		for _, row := range r.samples(ledger.SampleQuery{}) {
			if row.Text == text {
				n++
			}
		}
		return n
	}
	r.keeps(after(11*day), 26*time.Hour, func() int { return count("old") })
	r.same("younger ones", count("young"), 1)
}

func quarantineRetained(r *rig) {
	r.settings.QuarantineBytes = 1000
	r.quarantine(r.poison(1, 900))
	r.keeps(after(30*day), 2*day, func() int { return len(r.quarantined(ledger.QuarantineQuery{})) })
	r.same("size", r.status().QuarantineBytes, int64(0))
	r.same("full", r.quarantine(r.poison(2, 900)), []int(nil))
}

func settingsRetained(r *rig) {
	version := ledger.Version{Since: r.now(), Body: []byte("{}")}
	r.must("add version", r.ledger().AddVersion(r.Context(), ledger.VersionIdentity, version))
	r.commit(ledger.Put{Source: "postmaster", Positions: map[string]string{"example.com": "1"}})
	r.settle()
	r.clock.set(r.now().AddDate(3, 0, 0))
	r.settle()
	r.same("versions", len(r.versions(ledger.VersionIdentity)), 1)
	r.same("positions", read(r, "positions", func(ctx context.Context) (map[string]string, error) {
		return r.ledger().Positions(ctx, "postmaster")
	}), map[string]string{"example.com": "1"})
}
