package sqlite

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// The widths of buckets, in seconds, as the tables have them. dayWidth stands for a day of the ledger's zone.
const (
	fineWidth = 300
	hourWidth = 3600
	dayWidth  = 86400
)

// cutter cuts send times into buckets, as wide as their age says. Hours are cut in the ledger's zone too, so that days are
// made of whole hours in zones that are half an hour off.
type cutter struct {
	zone *time.Location
	// fineFrom and hourFrom are the first send times of 5-minute and of hourly buckets, on the edges of an hour and a day.
	fineFrom, hourFrom int64
	// hour, from and to remember the last answer of hourStart: send times come in runs.
	hour, from, to int64
}

func newCutter(zone *time.Location, now time.Time) *cutter {
	c := &cutter{zone: zone}
	c.fineFrom = c.hourStart(now.Add(-fineAge).Unix())
	c.hourFrom = c.dayStart(now.Add(-hourAge).Unix())
	return c
}

// bucket returns the bucket of a send time. Opens and clicks are hourly at the finest.
func (c *cutter) bucket(at int64, o observation.Outcome) (start, width int64) {
	switch {
	case at < c.hourFrom:
		return c.dayStart(at), dayWidth
	case at < c.fineFrom, o == observation.Opened, o == observation.Clicked,
		o == observation.OpenedByBot, o == observation.ClickedByBot:
		return c.hourStart(at), hourWidth
	}
	return fineWidth * floorDiv(at, fineWidth), fineWidth
}

func (c *cutter) hourStart(at int64) int64 {
	if at >= c.from && at < c.to {
		return c.hour
	}
	_, offset := time.Unix(at, 0).In(c.zone).Zone()
	c.hour = 3600*floorDiv(at+int64(offset), 3600) - int64(offset)
	// Offsets change on a quarter of an hour, so the answer holds within one.
	c.from = 900 * floorDiv(at, 900)
	c.to = c.from + 900
	return c.hour
}

func (c *cutter) dayStart(at int64) int64 {
	return dayStart(time.Unix(at, 0).In(c.zone)).Unix()
}

// dayStart returns the first moment of t's day in t's zone. Some zones change their clocks at midnight, which then is
// missing or comes twice.
func dayStart(t time.Time) time.Time {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	from, to := midnight.ZoneBounds()
	switch {
	case midnight.Day() != t.Day():
		return to // there is no midnight: the day begins with the change
	case midnight.Hour() != 0 || midnight.Minute() != 0:
		return from
	case !from.IsZero() && sameDay(from.Add(-time.Second), t):
		last := from.Add(-time.Second) // the last second before the clocks went back over midnight
		return last.Add(-clock(last))
	}
	return midnight
}

// dayEnd returns the first moment of the day after t's.
func dayEnd(t time.Time) time.Time {
	return dayStart(time.Date(t.Year(), t.Month(), t.Day()+1, 12, 0, 0, 0, t.Location()))
}

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// clock is what a clock on the wall says, as time since 0:00.
func clock(t time.Time) time.Duration {
	h, m, s := t.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
}

// bucketKey is a cell of a bucket.
type bucketKey struct {
	start, width int64
	cell         cellKey
}

// cohortKey is the key of a row of cohort.
type cohortKey struct {
	width, start               int64
	campaign, provider, origin uint32
}

// cohortRow is a row of cohort: one count for each outcome.
type cohortRow struct {
	key      cohortKey
	n        [observation.OutcomeCount]int64
	possible int64
}

// reasonKey is the key of a row of cohort_reason.
type reasonKey struct {
	cohort  cohortKey
	outcome uint8
	reason  uint32
}

type reasonCount struct{ n, possible int64 }

// cohortDeltas gathers what is to be added to the tables cohort and cohort_reason.
type cohortDeltas struct {
	rows    []cohortRow
	index   map[cohortKey]int
	reasons map[reasonKey]reasonCount
}

func newCohortDeltas() *cohortDeltas {
	return &cohortDeltas{index: map[cohortKey]int{}, reasons: map[reasonKey]reasonCount{}}
}

func (d *cohortDeltas) reset() {
	d.rows = d.rows[:0]
	clear(d.index)
	clear(d.reasons)
}

// add adds to a cell. A count with a reason is also part of its outcome's total.
func (d *cohortDeltas) add(k bucketKey, n, possible int64) {
	row := d.row(cohortKey{k.width, k.start, k.cell.Campaign, k.cell.Provider, k.cell.Origin})
	row.n[k.cell.Outcome] += n
	row.possible += possible
	if k.cell.Reason != 0 {
		d.addReason(reasonKey{row.key, k.cell.Outcome, k.cell.Reason}, n, possible)
	}
}

func (d *cohortDeltas) row(key cohortKey) *cohortRow {
	i, ok := d.index[key]
	if !ok {
		i = len(d.rows)
		d.index[key] = i
		d.rows = append(d.rows, cohortRow{key: key})
	}
	return &d.rows[i]
}

func (d *cohortDeltas) addReason(key reasonKey, n, possible int64) {
	had := d.reasons[key]
	d.reasons[key] = reasonCount{had.n + n, had.possible + possible}
}

const (
	// upsertRows is how many rows one statement takes: the statement's own cost is as high as that of some rows.
	upsertRows     = 16
	cohortKeys     = "width, start, campaign_id, provider_id, origin_id"
	cohortKeyCount = 5
	// manyOutcomes stands for the rows that have several outcomes, or complaints with what they list.
	manyOutcomes observation.Outcome = 0
)

// upsertCohorts makes the statement that adds n rows to cohort. OR FAIL spares SQLite a journal for undoing half of the
// statement, which nobody needs: an error undoes the transaction.
func upsertCohorts(n int, columns []string) string {
	var sums []string
	for _, c := range columns {
		sums = append(sums, c+" = "+c+" + excluded."+c)
	}
	one := "(?" + strings.Repeat(", ?", cohortKeyCount+len(columns)-1) + ")"
	return "INSERT OR FAIL INTO cohort (" + cohortKeys + ", " + strings.Join(columns, ", ") + ") VALUES " + one +
		strings.Repeat(", "+one, n-1) + " ON CONFLICT DO UPDATE SET " + strings.Join(sums, ", ")
}

// upsert adds rows that have the same outcome, or manyOutcomes.
func upsert(w *writer, rows []*cohortRow, outcome observation.Outcome) error {
	columns := outcomeColumns()
	if outcome != manyOutcomes {
		columns = []string{outcome.String()}
	}
	many, single := upsertCohorts(upsertRows, columns), upsertCohorts(1, columns)
	args := make([]any, 0, upsertRows*(cohortKeyCount+observation.OutcomeCount))
	for len(rows) > 0 {
		n, statement := 1, single
		if len(rows) >= upsertRows {
			n, statement = upsertRows, many
		}
		args = args[:0]
		for _, r := range rows[:n] {
			args = r.appendArgs(args, outcome)
		}
		if err := w.exec(statement, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// appendArgs appends a row's arguments for upsert.
func (r *cohortRow) appendArgs(args []any, outcome observation.Outcome) []any {
	args = append(args, r.key.width, r.key.start, int64(r.key.campaign), int64(r.key.provider), int64(r.key.origin))
	if outcome != manyOutcomes {
		return append(args, r.n[outcome])
	}
	for _, n := range r.n[observation.Sent:] {
		args = append(args, n)
	}
	return append(args, r.possible)
}

// outcome returns the only outcome that the row counts, or manyOutcomes.
func (r *cohortRow) outcome() observation.Outcome {
	only := manyOutcomes
	for o, n := range r.n {
		switch {
		case n == 0:
		case only != manyOutcomes || r.possible != 0:
			return manyOutcomes
		default:
			only = observation.Outcome(o)
		}
	}
	return only
}

func (k *cohortKey) compare(l *cohortKey) int {
	return cmp.Or(cmp.Compare(k.width, l.width), cmp.Compare(k.start, l.start), cmp.Compare(k.campaign, l.campaign),
		cmp.Compare(k.provider, l.provider), cmp.Compare(k.origin, l.origin))
}

// store adds everything to the tables. In a busy second most rows have one outcome, and writing that alone is much cheaper;
// so is writing in the order of the table.
func (d *cohortDeltas) store(w *writer) error {
	var byOutcome [observation.OutcomeCount][]*cohortRow
	for i := range d.rows {
		o := d.rows[i].outcome()
		byOutcome[o] = append(byOutcome[o], &d.rows[i])
	}
	for o, rows := range byOutcome {
		slices.SortFunc(rows, func(a, b *cohortRow) int { return a.key.compare(&b.key) })
		if err := upsert(w, rows, observation.Outcome(o)); err != nil {
			return err
		}
	}
	return d.storeReasons(w)
}

func (d *cohortDeltas) storeReasons(w *writer) error {
	for k, c := range d.reasons {
		err := w.exec(`INSERT OR FAIL INTO cohort_reason (`+cohortKeys+`, outcome, reason_id, n, possible)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n, possible = possible + excluded.possible`,
			k.cohort.width, k.cohort.start, k.cohort.campaign, k.cohort.provider, k.cohort.origin,
			k.outcome, k.reason, c.n, c.possible)
		if err != nil {
			return err
		}
	}
	return nil
}
