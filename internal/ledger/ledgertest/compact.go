package ledgertest

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func compaction() []rule {
	var rules []rule
	for _, zone := range []string{"Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "America/Havana"} {
		rules = append(rules, rule{
			name: "compaction is the sum of its parts in " + zone, check: func(r *rig) { sumOfParts(r, zone) },
		})
	}
	return append(rules, []rule{
		{name: "5 minutes become hours after 48 hours and no earlier", check: hoursAfter48},
		{name: "hours become days of the zone after 100 days and no earlier", check: daysAfter100},
		{name: "days have 23 and 25 hours at daylight saving", check: daylightSaving},
		{name: "mail that comes late falls into the compacted bucket", check: lateIntoCompacted},
		{name: "each step of compaction leaves the sums as they are, also of reasons", check: sumsAtEachStep},
		{name: "compaction survives restarts and crashes between its steps", check: compactionOverCrash},
		{name: "Maintain finds an end, and has nothing to do when called again", check: maintainEnds},
	}...)
}

func (r *rig) widths(from, to time.Time) map[time.Duration]int64 {
	r.Helper()
	widths := map[time.Duration]int64{}
	for _, row := range r.cohorts(ledger.CohortQuery{From: from, To: to}) {
		widths[row.Width] += row.N
	}
	return widths
}

func hoursAfter48(r *rig) {
	first := r.now()
	for i := range uint64(24) {
		r.count(r.sent(i, sentAt(first.Add(time.Duration(i)*5*time.Minute))))
	}
	r.advance(48 * time.Hour)
	r.settle()
	r.same("at 48 hours", r.widths(first, r.now()), map[time.Duration]int64{5 * time.Minute: 24})
	r.advance(4 * time.Hour)
	r.settle()
	r.same("at 52 hours", r.widths(first, r.now()), map[time.Duration]int64{time.Hour: 24})
	r.same("hours", sum(r.cohorts(anytime()), hourOf), map[slot]tally{
		{first, cellOf("spring", observation.Sent)}:                {N: 12},
		{first.Add(time.Hour), cellOf("spring", observation.Sent)}: {N: 12},
	})
}

func daysAfter100(r *rig) {
	r.settings.Zone = r.zone("America/New_York")
	midnight, _ := r.dayOf(r.now())
	for i := range uint64(48) {
		r.count(r.sent(i, sentAt(midnight.Add(time.Duration(i)*time.Hour))))
	}
	r.clock.set(midnight.Add(100 * day))
	r.settle()
	r.same("at 100 days", r.widths(midnight, r.now()), map[time.Duration]int64{time.Hour: 48})
	r.advance(3 * day)
	r.settle()
	rows := sorted(r.cohorts(anytime()), byStart)
	if len(rows) != 2 || rows[0].N != 24 || rows[1].N != 24 || !rows[0].Start.Equal(midnight) || rows[0].Width != day {
		r.Fatalf("days: %+v", rows)
	}
}

func daylightSaving(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	for _, changing := range []struct {
		month time.Month
		day   int
		hours int64
	}{{time.March, 29, 23}, {time.October, 25, 25}} {
		midnight := time.Date(2026, changing.month, changing.day, 0, 0, 0, 0, r.settings.Zone)
		r.clock.set(midnight.Add(2 * day))
		id := uint64(changing.month) * 1000
		for at := midnight.Add(-day); at.Before(midnight.Add(2 * day)); at = at.Add(30 * time.Minute) {
			id++
			r.count(r.sent(id, sentAt(at)))
		}
		r.advance(104 * day)
		r.settle()
		rows := r.cohorts(ledger.CohortQuery{From: midnight, To: midnight.Add(time.Hour)})
		hours := time.Duration(changing.hours) * time.Hour
		if len(rows) != 1 || rows[0].Width != hours || rows[0].N != 2*changing.hours || !rows[0].Start.Equal(midnight) {
			r.Fatalf("day of %d hours: %+v", changing.hours, rows)
		}
	}
}

func lateIntoCompacted(r *rig) {
	hourly, daily := r.now(), r.now().Add(-110*day)
	r.count(r.sent(1, sentAt(hourly)), r.sent(2, sentAt(hourly.Add(50*time.Minute))), r.sent(3, sentAt(daily)))
	r.advance(4 * day)
	r.settle()
	r.count(r.sent(4, sentAt(hourly.Add(20*time.Minute))), r.sent(5, sentAt(daily.Add(3*time.Hour))))
	r.settle()
	rows := sorted(r.cohorts(anytime()), byStart)
	if len(rows) != 2 || rows[0].N != 2 || rows[1].N != 3 || rows[1].Width != time.Hour {
		r.Fatalf("rows: %+v", rows)
	}
	if start, width := r.dayOf(daily); !rows[0].Start.Equal(start) || rows[0].Width != width {
		r.Fatalf("not a day: %+v", rows[0])
	}
}

// scatter counts n entries of random cells over the ages of all three grains, and returns the sums by cell and day.
func (r *rig) scatter(seed uint64, n int) map[slot]tally {
	rnd := newRand(seed)
	outcomes := observation.Outcomes()
	want := map[slot]tally{}
	var entries []ledger.Entry
	for i := range n {
		o := outcomes[rnd.IntN(len(outcomes))]
		age := time.Duration(rnd.Int64N(int64([]time.Duration{2 * time.Hour, 3 * day, 6 * day, 120 * day}[rnd.IntN(4)])))
		e := r.entry(seed<<32+uint64(i), o, campaign([]string{"a", "b", "c"}[rnd.IntN(3)]), sentAt(r.now().Add(-age)))
		if o == observation.Complained {
			e.Possible = 1 + rnd.IntN(4)
		}
		entries = append(entries, e)
		midnight, _ := r.dayOf(e.SentAt)
		add(want, slot{midnight.UTC(), e.Cell}, tally{1, int64(e.Possible)})
	}
	for chunk := range 10 {
		r.count(entries[chunk*n/10 : (chunk+1)*n/10]...)
		if chunk%3 == 0 {
			r.fold()
		}
	}
	return want
}

func (r *rig) byDay() map[slot]tally {
	r.Helper()
	return sum(r.cohorts(anytime()), func(t time.Time) time.Time { midnight, _ := r.dayOf(t); return midnight })
}

// sumOfParts runs in a zone whose clocks changed a day ago, or that is half an hour off, or whose midnight is left out.
func sumOfParts(r *rig, zone string) {
	r.settings.Zone = r.zone(zone)
	r.clock.set(time.Date(2026, 3, 30, 13, 17, 0, 0, time.UTC))
	want := r.scatter(1, 400)
	for _, wait := range []time.Duration{0, day, 3 * day, 120 * day} {
		r.advance(wait)
		r.same("days before maintenance", r.byDay(), want)
		r.settle()
		r.same("days after maintenance", r.byDay(), want)
	}
	for width := range r.widths(anytime().From, r.now().Add(-102*day)) {
		if width < 23*time.Hour {
			r.Fatalf("a bucket of %s after 102 days", width)
		}
	}
}

// sumsAtEachStep compacts more rows than fit in a step, each with a part that has a reason and one that has none, and looks
// at one campaign between the steps.
func sumsAtEachStep(r *rig) {
	const campaigns, buckets = 40, 60
	var entries []ledger.Entry
	for i := range campaigns * buckets {
		name, at := campaign(fmt.Sprint(i%campaigns)), sentAt(r.now().Add(time.Duration(i/campaigns)*5*time.Minute))
		entries = append(entries,
			r.entry(uint64(2*i), observation.Complained, name, at, possible(2)),
			r.entry(uint64(2*i+1), observation.Complained, name, at, possible(3), reason([]string{"abuse", "fraud"}[i/campaigns%2])))
	}
	r.count(entries...)
	one := anytime()
	one.Campaign = "7"
	cell := cellOf("7", observation.Complained)
	abuse, fraud := cell, cell
	abuse.Reason, fraud.Reason = "abuse", "fraud"
	want := map[slot]tally{
		{Cell: cell}:  {N: buckets, Possible: 2 * buckets},
		{Cell: abuse}: {N: buckets / 2, Possible: 3 * buckets / 2},
		{Cell: fraud}: {N: buckets / 2, Possible: 3 * buckets / 2},
	}
	for _, wait := range []time.Duration{3 * day, 101 * day} {
		r.advance(wait)
		for more := true; more; {
			var err error
			more, err = r.ledger().Maintain(r.Context())
			r.must("maintain", err)
			r.same("sums between steps", sum(r.cohorts(one), func(time.Time) time.Time { return time.Time{} }), want)
		}
	}
	r.same("widths", r.widths(anytime().From, anytime().To), map[time.Duration]int64{day: int64(len(entries))})
}

func compactionOverCrash(r *rig) {
	r.settings.Zone = r.zone("Europe/Berlin")
	want := r.scatter(1, 200)
	for i := range 12 {
		r.advance(12 * day)
		r.fold()
		_, err := r.ledger().Maintain(r.Context())
		r.must("maintain", err)
		if i%4 == 3 {
			r.reopen()
		} else {
			r.crash()
		}
		r.same("days after a crash", r.byDay(), want)
	}
	r.settle()
	r.same("days in the end", r.byDay(), want)
}

func maintainEnds(r *rig) {
	r.scatter(1, 200)
	r.settle()
	more, err := r.ledger().Maintain(r.Context())
	r.must("maintain", err)
	if more {
		r.Fatal("there is more to do after the end")
	}
}
