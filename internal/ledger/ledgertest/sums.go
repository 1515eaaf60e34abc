package ledgertest

import (
	"cmp"
	"context"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// tally is what a cohort row counts.
type tally struct{ N, Possible int64 }

// slot is a cell at a time, in UTC.
type slot struct {
	Start time.Time
	Cell  ledger.Cell
}

// anytime is a range that holds every time of every rule.
func anytime() ledger.CohortQuery {
	return ledger.CohortQuery{From: start.AddDate(-10, 0, 0), To: start.AddDate(10, 0, 0)}
}

// cohorts folds and gives the rows that q selects, after checking what holds for all rows: each count is in one row, and its
// bucket is of a width that the grain knows and starts where such a bucket may.
func (r *rig) cohorts(q ledger.CohortQuery) []ledger.CohortRow {
	r.Helper()
	r.fold()
	answer := read(r, "cohorts", func(ctx context.Context) (ledger.Cohorts, error) { return r.ledger().Cohorts(ctx, q) })
	r.checkRows(answer.Rows)
	return answer.Rows
}

func (r *rig) checkRows(rows []ledger.CohortRow) {
	r.Helper()
	type key struct {
		slot
		width time.Duration
	}
	seen := map[key]bool{}
	for _, row := range rows {
		k := key{slot{row.Start.UTC(), row.Cell}, row.Width}
		if seen[k] {
			r.Fatalf("two rows of one bucket: %+v", row)
		}
		seen[k] = true
		if row.N == 0 && row.Possible == 0 {
			r.Fatalf("a row without a count: %+v", row)
		}
		if row.Width == time.Hour || row.Width == 5*time.Minute {
			if local := row.Start.In(r.settings.Zone); local.Minute()%int(row.Width.Minutes()) != 0 || local.Second() != 0 {
				r.Fatalf("not a bucket of 5 minutes or an hour of %s: %+v", r.settings.Zone, row)
			}
			continue
		}
		if s, w := r.dayOf(row.Start); !row.Start.Equal(s) || row.Width != w {
			r.Fatalf("not a day of %s: %+v, want %s for %s", r.settings.Zone, row, s, w)
		}
	}
}

// dayOf gives the start and the length of the day of t in the ledger's zone.
func (r *rig) dayOf(t time.Time) (time.Time, time.Duration) {
	y, m, d := t.In(r.settings.Zone).Date()
	s := r.firstOf(y, m, d)
	return s, r.firstOf(y, m, d+1).Sub(s)
}

// firstOf gives the first instant of a day, also where clocks are put forward at midnight.
func (r *rig) firstOf(y int, m time.Month, d int) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, r.settings.Zone)
	if t.Hour() == 23 {
		_, t = t.ZoneBounds()
	}
	return t
}

// totals sums everything that was ever counted, by cell.
func (r *rig) totals() map[ledger.Cell]tally {
	r.Helper()
	sums := map[ledger.Cell]tally{}
	for s, t := range sum(r.cohorts(anytime()), func(time.Time) time.Time { return time.Time{} }) {
		sums[s.Cell] = t
	}
	return sums
}

// wantTotal checks how much was counted of a campaign's outcome, over all times, providers and reasons.
func (r *rig) wantTotal(name string, o observation.Outcome, want int64) {
	r.Helper()
	var n int64
	for cell, t := range r.totals() {
		if cell.Campaign.Name == name && cell.Outcome == o {
			n += t.N
		}
	}
	if n != want {
		r.Fatalf("%s %s: counted %d, want %d", name, o, n, want)
	}
}

// sum adds rows up by cell and by what bucket says of their start.
func sum(rows []ledger.CohortRow, bucket func(time.Time) time.Time) map[slot]tally {
	sums := map[slot]tally{}
	for _, row := range rows {
		add(sums, slot{bucket(row.Start).UTC(), row.Cell}, tally{row.N, row.Possible})
	}
	return sums
}

// add adds t, and leaves no zero behind.
func add(sums map[slot]tally, s slot, t tally) {
	have := sums[s]
	have.N += t.N
	have.Possible += t.Possible
	if have == (tally{}) {
		delete(sums, s)
		return
	}
	sums[s] = have
}

func hourOf(t time.Time) time.Time { return t.Truncate(time.Hour) }

func byStart(a, b ledger.CohortRow) int { return a.Start.Compare(b.Start) }

func byOutcome(a, b ledger.CohortRow) int { return cmp.Compare(a.Cell.Outcome, b.Cell.Outcome) }
