package ledgertest

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func cohorts() []rule {
	return []rule{
		{name: "mail falls into the 5 minutes of its send time, edges to the later bucket", check: edgesOfBuckets},
		{name: "opens and clicks are hourly at the finest", check: hourlyOpens},
		{name: "the cohort is by send time, not by the event's own", check: bySendTime},
		{name: "a query takes the buckets that start in its range", check: rangeOfQuery},
		{name: "a query by campaign is the whole filtered", check: byCampaign},
		{name: "a sum is that of its buckets", check: sumOfBuckets},
		{name: "each count is in one row, and no part of its cell is lost", check: wholeCells},
		{name: "complaints sum how many were listed", check: sumsPossible},
		{name: "a sparse range and an empty ledger give no rows", check: noRows},
	}
}

func edgesOfBuckets(r *rig) {
	edge := r.now().Add(-time.Hour)
	r.count(
		r.sent(1, sentAt(edge.Add(-1))), r.sent(2, sentAt(edge)), r.sent(3, sentAt(edge.Add(5*time.Minute-1))),
		r.sent(4, sentAt(edge.Add(5*time.Minute))), r.sent(5, sentAt(edge.Add(5*time.Minute+1))),
	)
	var got []ledger.CohortRow
	for _, row := range sorted(r.cohorts(anytime()), byStart) {
		row.Start, row.Cell = row.Start.UTC(), ledger.Cell{}
		got = append(got, row)
	}
	const width = 5 * time.Minute
	r.same("buckets", got, []ledger.CohortRow{
		{Start: edge.Add(-width), Width: width, N: 1},
		{Start: edge, Width: width, N: 2},
		{Start: edge.Add(width), Width: width, N: 2},
	})
}

func hourlyOpens(r *rig) {
	sent := r.now().Add(7 * time.Minute)
	for i, o := range []observation.Outcome{
		observation.Opened, observation.Clicked, observation.OpenedByBot, observation.ClickedByBot,
	} {
		r.count(r.entry(uint64(2*i), o, sentAt(sent)), r.entry(uint64(2*i+1), o, sentAt(sent.Add(30*time.Minute))))
	}
	rows := sorted(r.cohorts(anytime()), byOutcome)
	if len(rows) != 4 {
		r.Fatalf("%d rows, want 4", len(rows))
	}
	for _, row := range rows {
		if row.N != 2 || row.Width != time.Hour || !row.Start.Equal(hourOf(sent)) {
			r.Fatalf("not an hour of two: %+v", row)
		}
	}
}

func bySendTime(r *rig) {
	sent := r.now().Add(-30 * time.Hour)
	r.count(r.entry(1, observation.Complained, sentAt(sent), ownTime(r.now())))
	rows := r.cohorts(ledger.CohortQuery{From: sent, To: sent.Add(time.Hour)})
	if len(rows) != 1 || !rows[0].Start.Equal(sent) {
		r.Fatalf("cohorts: %+v", rows)
	}
	if rows = r.cohorts(ledger.CohortQuery{From: sent.Add(time.Hour), To: r.now().Add(time.Hour)}); len(rows) != 0 {
		r.Fatalf("cohorts at the event's own time: %+v", rows)
	}
}

func rangeOfQuery(r *rig) {
	from := r.now().Add(-2 * time.Hour)
	for i := range uint64(24) {
		r.count(r.sent(i, sentAt(from.Add(time.Duration(i)*5*time.Minute))))
	}
	old := from.Add(-5 * day)
	r.count(r.sent(100, sentAt(old.Add(10*time.Minute))))
	count := func(from, to time.Time) (n int64) {
		for _, row := range r.cohorts(ledger.CohortQuery{From: from, To: to}) {
			n += row.N
		}
		return n
	}
	r.same("whole range", count(from, from.Add(2*time.Hour)), int64(24))
	r.same("one bucket", count(from.Add(5*time.Minute), from.Add(10*time.Minute)), int64(1))
	r.same("from the middle of a bucket", count(from.Add(time.Minute), from.Add(10*time.Minute)), int64(1))
	r.same("to the middle of a bucket", count(from, from.Add(6*time.Minute)), int64(2))
	r.same("a wide bucket from its start", count(old, old.Add(5*time.Minute)), int64(1))
	r.same("a wide bucket from its middle", count(old.Add(5*time.Minute), old.Add(time.Hour)), int64(0))
	r.same("an empty range", count(from, from), int64(0))
}

// mixed is entries over several campaigns, tenants, sends, origins, providers, outcomes and reasons.
func (r *rig) mixed() []ledger.Entry {
	var entries []ledger.Entry
	id := uint64(0)
	for _, c := range []observation.Campaign{
		{Name: "spring"}, {Name: "spring", Send: "spring-20260201"}, {Name: "spring", Send: "spring-20260202"},
		{Tenant: "acme", Name: "spring"}, {Tenant: "acme", Name: "spring-"}, {Name: "otp's \"é\" %_"},
	} {
		for _, o := range []observation.Origin{origin, {Account: origin.Account, Region: origin.Region}, {}} {
			for _, p := range []string{observation.Gmail, "yahoo", observation.OtherProvider} {
				for _, why := range []string{"mailbox_full", "", "policy"} {
					outcome := observation.SoftBounced
					if why == "" {
						outcome = observation.Delivered
					}
					for range 1 + id%3 {
						id++
						entries = append(entries, r.entry(id, outcome, from(o), provider(p), reason(why),
							sentAt(r.now().Add(-time.Duration(id)*time.Minute)),
							func(e *ledger.Entry) { e.Cell.Campaign = c }))
					}
				}
			}
		}
	}
	return entries
}

func byCampaign(r *rig) {
	r.count(r.mixed()...)
	for _, settle := range []func(){r.fold, func() { r.advance(3 * day); r.settle() }} {
		settle()
		whole := r.cohorts(anytime())
		for _, c := range []observation.Campaign{
			{Name: "spring"}, {Tenant: "acme", Name: "spring"}, {Name: "otp's \"é\" %_"},
			{Name: "sprin"}, {Tenant: "acm", Name: "spring"},
		} {
			var want []ledger.CohortRow
			for _, row := range whole {
				if row.Cell.Campaign.Tenant == c.Tenant && row.Cell.Campaign.Name == c.Name {
					want = append(want, row)
				}
			}
			q := anytime()
			q.Tenant, q.Campaign = c.Tenant, c.Name
			utc := func(t time.Time) time.Time { return t }
			r.same("cohorts of "+c.Tenant+"/"+c.Name, sum(r.cohorts(q), utc), sum(want, utc))
		}
	}
}

func sumOfBuckets(r *rig) {
	r.count(r.mixed()...)
	for _, settle := range []func(){r.fold, func() { r.advance(3 * day); r.settle() }} {
		settle()
		all := anytime()
		for _, q := range []ledger.CohortQuery{
			all, {From: r.now().Add(-3 * time.Hour), To: r.now()}, {From: all.From, To: all.To, Tenant: "acme", Campaign: "spring"},
		} {
			want := map[ledger.Cell]tally{}
			for _, row := range r.cohorts(q) {
				t := want[row.Cell]
				want[row.Cell] = tally{t.N + row.N, t.Possible + row.Possible}
			}
			q.Sum = true
			got := map[ledger.Cell]tally{}
			answer := read(r, "sums", func(ctx context.Context) (ledger.Cohorts, error) { return r.ledger().Cohorts(ctx, q) })
			for _, row := range answer.Rows {
				if _, twice := got[row.Cell]; twice || !row.Start.Equal(q.From) || row.Width != q.To.Sub(q.From) {
					r.Fatalf("not a sum from %v to %v: %+v", q.From, q.To, row)
				}
				got[row.Cell] = tally{row.N, row.Possible}
			}
			r.same("sums", got, want)
		}
	}
}

func wholeCells(r *rig) {
	entries := r.mixed()
	want := map[ledger.Cell]tally{}
	for _, e := range entries {
		t := want[e.Cell]
		t.N++
		want[e.Cell] = t
	}
	for i := 0; i < len(entries); i += 10 {
		r.count(entries[i:min(i+10, len(entries))]...)
		if i%30 == 0 {
			r.fold()
		}
	}
	r.same("totals", r.totals(), want)
	r.crash()
	r.same("totals after a crash", r.totals(), want)
}

func sumsPossible(r *rig) {
	r.count(r.entry(1, observation.Complained, possible(1)), r.entry(2, observation.Complained, possible(7)))
	r.fold()
	r.count(r.entry(3, observation.Complained, possible(4)), r.sent(4))
	r.same("totals", r.totals(), map[ledger.Cell]tally{
		cellOf("spring", observation.Complained): {N: 3, Possible: 12},
		cellOf("spring", observation.Sent):       {N: 1},
	})
}

func noRows(r *rig) {
	r.same("cohorts of nothing", r.cohorts(anytime()), []ledger.CohortRow(nil))
	r.count(r.sent(1))
	another := ledger.CohortQuery{From: r.now().Add(day), To: r.now().Add(2 * day)}
	r.same("cohorts of another day", r.cohorts(another), []ledger.CohortRow(nil))
	own := read(r, "own time", func(ctx context.Context) ([]ledger.OwnTimeRow, error) {
		return r.ledger().OwnTime(ctx, r.now().Add(day), r.now().Add(2*day))
	})
	r.same("own time of another day", own, []ledger.OwnTimeRow(nil))
}
