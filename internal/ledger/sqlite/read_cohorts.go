package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// Cohorts implements ledger.Reader.
func (r *Reader) Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error) {
	var out ledger.Cohorts
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRow("SELECT value FROM meta WHERE key = 'fold'").Scan(&out.Through); err != nil {
			return err
		}
		sums := newCohortDeltas()
		for _, width := range []int64{fineWidth, hourWidth, dayWidth} {
			if err := readCohorts(ctx, tx, sums, width, q); err != nil {
				return err
			}
		}
		parts := sums.split()
		out.Rows = make([]ledger.CohortRow, len(parts))
		for i := range parts {
			row, err := r.cohortRow(tx, &parts[i])
			if err != nil {
				return err
			}
			if q.Sum {
				row.Start, row.Width = q.From.UTC(), q.To.Sub(q.From)
			}
			out.Rows[i] = row
		}
		return nil
	})
	return out, err
}

// readCohorts adds the rows of one width that a query selects.
func readCohorts(ctx context.Context, tx *sql.Tx, into *cohortDeltas, width int64, q ledger.CohortQuery) error {
	where := " WHERE width = ? AND start >= ? AND start < ?"
	args := []any{width, ceilSeconds(q.From), ceilSeconds(q.To)}
	ofCampaign, ofReasons := "", ""
	if q.Campaign != "" {
		// Without being told, SQLite would go through the mail of all campaigns.
		ofCampaign, ofReasons = " INDEXED BY cohort_campaign", " INDEXED BY cohort_reason_campaign"
		where += " AND campaign_id IN (SELECT id FROM campaign WHERE tenant = ? AND name = ?)"
		args = append(args, q.Tenant, q.Campaign)
	}
	place := func(k *cohortKey) {
		if q.Sum {
			k.start, k.width = 0, hourWidth
		}
	}
	var p packedRow
	var r cohortRow
	dest := p.dest()
	err := inTx(ctx, tx, func(scan func(...any) error) error {
		err := scan(dest...)
		p.unpack(&r, width)
		place(&r.key)
		into.addRow(&r)
		return err
	}, selectPacked()+ofCampaign+where, args...)
	if err != nil {
		return err
	}
	return inTx(ctx, tx, func(scan func(...any) error) error {
		k, c, err := scanReason(scan)
		place(&k.cohort)
		into.addReason(k, c.n, c.possible)
		return err
	}, selectReasons()+ofReasons+where, args...)
}

// packedRow is a row of cohort in few columns, for most of what reading one costs is by the column: the ids of campaign and
// provider, and the counts by pairs, are halves of a number. No count of a bucket comes near 2^31.
type packedRow struct {
	start, names, origin int64
	pairs                [(observation.OutcomeCount + 1) / 2]int64
}

func selectPacked() string {
	var b strings.Builder
	b.WriteString("SELECT start, campaign_id << 32 | provider_id, origin_id")
	columns := outcomeColumns()
	for i := 0; i < len(columns); i += 2 {
		b.WriteString(", " + columns[i] + " << 32")
		if i+1 < len(columns) {
			b.WriteString(" | " + columns[i+1])
		}
	}
	return b.String() + " FROM cohort"
}

func (p *packedRow) dest() []any {
	dest := []any{&p.start, &p.names, &p.origin}
	for i := range p.pairs {
		dest = append(dest, &p.pairs[i])
	}
	return dest
}

// unpack makes the row of it.
func (p *packedRow) unpack(r *cohortRow, width int64) {
	r.key = cohortKey{
		width: width, start: p.start, campaign: uint32(p.names >> 32), provider: uint32(p.names), origin: uint32(p.origin),
	}
	for i := range len(p.pairs) * 2 {
		n := p.pairs[i/2] >> (32 * (1 - i%2)) & 0xffffffff
		if o := i + int(observation.Sent); o < len(r.n) {
			r.n[o] = n
		} else if o == len(r.n) {
			r.possible = n
		}
	}
}

// ceilSeconds rounds up, so that a bucket starts at or after t exactly when its start is at or after the result.
func ceilSeconds(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

func selectCohorts() string {
	return "SELECT " + cohortKeys + ", " + strings.Join(outcomeColumns(), ", ") + " FROM cohort"
}

func selectReasons() string {
	return "SELECT " + cohortKeys + ", outcome, reason_id, n, possible FROM cohort_reason"
}

// outcomeColumns are cohort's columns of counts, in the order of the outcomes; the last is possible.
func outcomeColumns() []string {
	var names []string
	for _, o := range observation.Outcomes() {
		names = append(names, o.String())
	}
	return append(names, "possible")
}

func (k *cohortKey) dest() []any {
	return []any{&k.width, &k.start, &k.campaign, &k.provider, &k.origin}
}

// scan reads a row of selectCohorts.
func (r *cohortRow) scan(scan func(...any) error) error {
	dest := r.key.dest()
	for o := range r.n[observation.Sent:] {
		dest = append(dest, &r.n[int(observation.Sent)+o])
	}
	return scan(append(dest, &r.possible)...)
}

// scanReason reads a row of selectReasons.
func scanReason(scan func(...any) error) (k reasonKey, c reasonCount, err error) {
	err = scan(append(k.cohort.dest(), &k.outcome, &k.reason, &c.n, &c.possible)...)
	return k, c, err
}

// addRow adds a row's counts to the row of its key.
func (d *cohortDeltas) addRow(r *cohortRow) {
	into := d.row(r.key)
	for o, n := range r.n {
		into.n[o] += n
	}
	into.possible += r.possible
}

// split gives each count once: with its reason, and what has none.
func (d *cohortDeltas) split() []delta {
	size := len(d.reasons)
	for i := range d.rows {
		for _, n := range d.rows[i].n {
			if n != 0 {
				size++
			}
		}
	}
	out := make([]delta, 0, size)
	withReason := map[reasonKey]reasonCount{}
	for k, c := range d.reasons {
		out = append(out, newDelta(k.cohort, k.outcome, k.reason, c))
		k.reason = 0
		had := withReason[k]
		withReason[k] = reasonCount{had.n + c.n, had.possible + c.possible}
	}
	for i := range d.rows {
		r := &d.rows[i]
		for o, n := range r.n {
			if n == 0 {
				continue
			}
			c := reasonCount{n: n}
			if observation.Outcome(o) == observation.Complained {
				c.possible = r.possible
			}
			part := withReason[reasonKey{r.key, uint8(o), 0}]
			c.n -= part.n
			c.possible -= part.possible
			if c.n > 0 {
				out = append(out, newDelta(r.key, uint8(o), 0, c))
			}
		}
	}
	return out
}

func newDelta(k cohortKey, outcome uint8, reason uint32, c reasonCount) delta {
	return delta{
		start: k.start, width: int32(k.width), n: c.n, possible: c.possible,
		cell: cellKey{Campaign: k.campaign, Provider: k.provider, Origin: k.origin, Reason: reason, Outcome: outcome},
	}
}
