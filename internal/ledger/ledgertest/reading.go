package ledgertest

import (
	"cmp"
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func readings() []rule {
	return []rule{
		{name: "a later reading of the same key and period replaces", check: readingReplaced},
		{name: "an unchanged value does not move LastChanged", check: unchangedValue},
		{name: "no value, zero and a text differ", check: nilAndZero},
		{name: "what changed is told with what it was, once", check: changesTold},
		{name: "what shrank and grows again is told with the highest that it was", check: highestTold},
		{name: "keys and periods are apart", check: readingsApart},
		{name: "readings are selected by key and by the start of their period", check: readingsSelected},
	}
}

// reading is of the day before now.
func (r *rig) reading(metric string, value *float64) observation.Reading {
	return observation.Reading{
		Key:   observation.ReadingKey{Source: "postmaster/v2", Subject: "news.example.com", Metric: metric},
		Start: r.now().Add(-day), End: r.now(), Value: value,
	}
}

func (r *rig) readings(q ledger.ReadingQuery) []ledger.ReadingRow {
	r.Helper()
	r.fold()
	rows := read(r, "readings", func(ctx context.Context) ([]ledger.ReadingRow, error) { return r.ledger().Readings(ctx, q) })
	for i := range rows {
		for _, t := range []*time.Time{&rows[i].Start, &rows[i].End, &rows[i].FirstSeen, &rows[i].LastChanged} {
			*t = t.UTC()
		}
	}
	return sorted(rows, func(a, b ledger.ReadingRow) int {
		return cmp.Or(cmp.Compare(a.Key.Source, b.Key.Source), cmp.Compare(a.Key.Subject, b.Key.Subject),
			cmp.Compare(a.Key.Metric, b.Key.Metric), cmp.Compare(a.Key.Detail, b.Key.Detail), a.Start.Compare(b.Start))
	})
}

func (r *rig) store(readings ...observation.Reading) {
	r.Helper()
	r.commit(ledger.Put{Source: "postmaster", Readings: readings})
}

// wantReading checks the only reading there is.
func (r *rig) wantReading(want ledger.ReadingRow) {
	r.Helper()
	r.same("readings", r.readings(ledger.ReadingQuery{From: anytime().From, To: anytime().To}), []ledger.ReadingRow{want})
}

func readingReplaced(r *rig) {
	first := r.now()
	reading := r.reading("spam_rate", new(0.001))
	r.store(reading)
	r.wantReading(ledger.ReadingRow{Reading: reading, FirstSeen: first, LastChanged: first})
	r.advance(time.Hour)
	reading.Value = new(0.002)
	r.store(reading)
	want := ledger.ReadingRow{Reading: reading, FirstSeen: first, LastChanged: r.now()}
	r.wantReading(want)
	r.crash()
	r.wantReading(want)
	r.advance(time.Hour)
	reading.Value = new(0.003)
	again := reading
	again.Value = new(0.004)
	r.store(reading, again)
	r.wantReading(ledger.ReadingRow{Reading: again, FirstSeen: first, LastChanged: r.now()})
}

func unchangedValue(r *rig) {
	first := r.now()
	reading := r.reading("spam_rate", new(0.001))
	r.store(reading)
	for range 3 {
		r.advance(time.Hour)
		r.store(reading)
		r.wantReading(ledger.ReadingRow{Reading: reading, FirstSeen: first, LastChanged: first})
	}
	r.crash()
	r.advance(time.Hour)
	r.store(reading)
	r.wantReading(ledger.ReadingRow{Reading: reading, FirstSeen: first, LastChanged: first})
}

func nilAndZero(r *rig) {
	first := r.now()
	reading := r.reading("spam_rate", nil)
	for _, change := range []func(){
		func() {},
		func() { reading.Value = new(0.0) },
		func() { reading.Value = nil },
		func() { reading.Text = "NEEDS_WORK" },
		func() { reading.Value = new(0.0) },
		func() { reading.Text = "" },
	} {
		change()
		r.store(reading)
		r.wantReading(ledger.ReadingRow{Reading: reading, FirstSeen: first, LastChanged: r.now()})
		r.advance(time.Hour)
		r.store(reading)
	}
}

// changesTold holds what counters grow by: each reading that is new or different, with the value before, also where a Put says
// a thing twice, and nothing when the same is put again.
func changesTold(r *rig) {
	a, b, c := r.reading("a", new(3.0)), r.reading("b", nil), r.reading("c", new(0.0))
	put := ledger.Put{Source: "receipt_rules", Readings: []observation.Reading{a, b, c}}
	told := func(what string, want ...ledger.ReadingChange) {
		r.Helper()
		r.same(what, r.commit(put).Readings, want)
	}
	told("new ones", ledger.ReadingChange{Index: 0, New: true}, ledger.ReadingChange{Index: 1, New: true},
		ledger.ReadingChange{Index: 2, New: true})
	told("the same again")
	r.crash()
	told("the same after a crash")

	put.Readings[0].Value, put.Readings[1].Value = new(5.0), new(1.0)
	told("other values", ledger.ReadingChange{Index: 0, Previous: new(3.0), Highest: new(3.0)}, ledger.ReadingChange{Index: 1})
	put.Readings[2].Value = nil
	told("a value gone", ledger.ReadingChange{Index: 2, Previous: new(0.0), Highest: new(0.0)})
	put.Readings[0].Text = "revised"
	told("another text", ledger.ReadingChange{Index: 0, Previous: new(5.0), Highest: new(5.0)})

	twice := put.Readings[0]
	twice.Value = new(9.0)
	put.Readings = append(put.Readings[:1], twice)
	put.Readings[0].Value = new(7.0)
	told("twice in a Put", ledger.ReadingChange{Index: 0, Previous: new(5.0), Highest: new(5.0)},
		ledger.ReadingChange{Index: 1, Previous: new(7.0), Highest: new(7.0)})
}

// highestTold holds what keeps counters from growing twice by what a source takes back for a while.
func highestTold(r *rig) {
	reading := r.reading("a", new(5.0))
	r.store(reading)
	for _, c := range []struct{ value, previous, highest *float64 }{
		{new(3.0), new(5.0), new(5.0)},
		{new(4.0), new(3.0), new(5.0)},
		{nil, new(4.0), new(5.0)},
		{new(5.0), nil, new(5.0)},
		{new(2.0), new(5.0), new(5.0)},
		{new(7.0), new(2.0), new(5.0)},
		{new(6.0), new(7.0), new(7.0)},
	} {
		r.crash()
		reading.Value = c.value
		told := r.commit(ledger.Put{Source: "receipt_rules", Readings: []observation.Reading{reading}}).Readings
		r.same("change", told, []ledger.ReadingChange{{Previous: c.previous, Highest: c.highest}})
	}
	r.wantReading(ledger.ReadingRow{Reading: reading, FirstSeen: r.now(), LastChanged: r.now()})
}

func readingsApart(r *rig) {
	base := r.reading("spam_rate", new(1.0))
	vary := []func(*observation.Reading){
		func(*observation.Reading) {},
		func(v *observation.Reading) { v.Key.Source = "postmaster/v1" },
		func(v *observation.Reading) { v.Key.Subject = "z.example.com" },
		func(v *observation.Reading) { v.Key.Metric = "z" },
		func(v *observation.Reading) { v.Key.Detail = "z" },
		func(v *observation.Reading) { v.Start, v.End = v.Start.Add(-day), v.End.Add(-day) },
	}
	for i, f := range vary {
		reading := base
		reading.Value = new(float64(i))
		f(&reading)
		r.store(reading)
	}
	seen := map[float64]bool{}
	for _, row := range r.readings(ledger.ReadingQuery{From: anytime().From, To: anytime().To}) {
		seen[*row.Value] = true
	}
	r.same("readings", len(seen), len(vary))
}

func readingsSelected(r *rig) {
	reading := func(source, subject, metric string, ago time.Duration) observation.Reading {
		return observation.Reading{
			Key:   observation.ReadingKey{Source: source, Subject: subject, Metric: metric},
			Start: start.Add(-ago), End: start.Add(-ago + day), Value: new(1.0),
		}
	}
	r.store(
		reading("s1", "a", "m1", day), reading("s1", "a", "m2", day), reading("s1", "b", "m1", day),
		reading("s2", "a", "m1", day), reading("s1", "a", "m1", 2*day),
	)
	count := func(q ledger.ReadingQuery) int {
		if q.To.IsZero() {
			q.From, q.To = anytime().From, anytime().To
		}
		return len(r.readings(q))
	}
	r.same("all", count(ledger.ReadingQuery{}), 5)
	r.same("of a source", count(ledger.ReadingQuery{Source: "s1"}), 4)
	r.same("of a subject", count(ledger.ReadingQuery{Subject: "a"}), 4)
	r.same("of a metric", count(ledger.ReadingQuery{Metric: "m1"}), 4)
	r.same("of all three", count(ledger.ReadingQuery{Source: "s1", Subject: "a", Metric: "m1"}), 2)
	r.same("from its start", count(ledger.ReadingQuery{From: start.Add(-2 * day), To: start.Add(-day)}), 1)
	r.same("after its start", count(ledger.ReadingQuery{From: start.Add(-2*day + time.Millisecond), To: start}), 4)
}
