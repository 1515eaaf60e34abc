package view

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// memory is a ledger of folds that a test writes directly, so that it can place them between any two readings.
type memory struct {
	asOf      time.Time
	folds     []ledger.FoldChange
	forgotten ledger.Fold
	published []ledger.Published
	versions  []ledger.Version
	samples   []ledger.SampleRow
	uses      []ledger.UseRow
	readings  []ledger.ReadingRow
	ownTime   []ledger.OwnTimeRow
	// between is called after cohorts were read, and before changes are.
	between func()
	fail    error
	reads   int
}

var _ Reader = (*memory)(nil)

func (m *memory) fold(rows ...ledger.CohortRow) {
	m.folds = append(m.folds, ledger.FoldChange{Fold: m.through() + 1, Rows: rows})
}

func (m *memory) through() ledger.Fold { return ledger.Fold(len(m.folds)) }

func (m *memory) publish(origin observation.Origin, t observation.EventType, first time.Time) {
	for i, p := range m.published {
		if p.Origin == origin && p.Type == t {
			if first.Before(p.First) {
				m.published = slices.Clone(m.published)
				m.published[i].First = first
			}
			return
		}
	}
	m.published = append(m.published, ledger.Published{Origin: origin, Type: t, First: first})
}

func (m *memory) report(since time.Time, providers ...string) {
	body, err := json.Marshal(providers)
	if err != nil {
		panic(err)
	}
	m.versions = append(slices.Clone(m.versions), ledger.Version{Since: since, Body: body})
	slices.SortStableFunc(m.versions, func(a, b ledger.Version) int { return a.Since.Compare(b.Since) })
}

func (m *memory) Status(context.Context) (ledger.Status, error) {
	return ledger.Status{AsOf: m.asOf, Through: m.through()}, m.fail
}

func (m *memory) Zone() *time.Location { return time.UTC }

// Cohorts turns buckets that are older than 48 hours into hours, as ledgers do.
func (m *memory) Cohorts(_ context.Context, q ledger.CohortQuery) (ledger.Cohorts, error) {
	m.reads++
	type slot struct {
		start int64
		width time.Duration
		cell  ledger.Cell
	}
	sums := map[slot]*ledger.CohortRow{}
	for _, f := range m.folds {
		for i := range f.Rows {
			row := &f.Rows[i]
			start, width := row.Start, row.Width
			if start.Before(m.asOf.Add(-48 * time.Hour)) {
				start, width = start.Truncate(time.Hour), time.Hour
			}
			c := &row.Cell.Campaign
			if start.Before(q.From) || !start.Before(q.To) ||
				q.Campaign != "" && (q.Campaign != c.Name || q.Tenant != c.Tenant) {
				continue
			}
			if q.Sum {
				start, width = q.From, q.To.Sub(q.From)
			}
			s := slot{start.Unix(), width, row.Cell}
			if sums[s] == nil {
				sums[s] = &ledger.CohortRow{Start: start, Width: width, Cell: row.Cell}
			}
			sums[s].N += row.N
			sums[s].Possible += row.Possible
		}
	}
	answer := ledger.Cohorts{Through: m.through()}
	for _, row := range sums {
		answer.Rows = append(answer.Rows, *row)
	}
	if m.between != nil {
		m.between()
	}
	return answer, m.fail
}

func (m *memory) Changes(_ context.Context, after ledger.Fold) (ledger.Changes, error) {
	if m.between != nil {
		m.between()
	}
	if after < m.forgotten {
		return ledger.Changes{Reset: true, Through: m.through()}, m.fail
	}
	return ledger.Changes{Folds: m.folds[after:], Through: m.through()}, m.fail
}

func (m *memory) Published(context.Context) ([]ledger.Published, error) { return m.published, m.fail }

func (m *memory) Versions(_ context.Context, kind string) ([]ledger.Version, error) {
	if kind != ledger.VersionReporting {
		return nil, nil
	}
	return m.versions, m.fail
}

func (m *memory) Samples(context.Context, ledger.SampleQuery) ([]ledger.SampleRow, error) {
	return m.samples, m.fail
}

func (m *memory) Uses(_ context.Context, from, to time.Time) ([]ledger.UseRow, error) {
	m.reads++
	return slices.DeleteFunc(slices.Clone(m.uses), func(u ledger.UseRow) bool {
		return u.Hour.Before(from) || !u.Hour.Before(to)
	}), m.fail
}

func (m *memory) OwnTime(_ context.Context, from, to time.Time) ([]ledger.OwnTimeRow, error) {
	m.reads++
	return slices.DeleteFunc(slices.Clone(m.ownTime), func(o ledger.OwnTimeRow) bool {
		return o.Start.Before(from) || !o.Start.Before(to)
	}), m.fail
}

func (m *memory) Readings(_ context.Context, q ledger.ReadingQuery) ([]ledger.ReadingRow, error) {
	return slices.DeleteFunc(slices.Clone(m.readings), func(r ledger.ReadingRow) bool {
		return q.Source != "" && q.Source != r.Key.Source || q.Metric != "" && q.Metric != r.Key.Metric ||
			q.Subject != "" && q.Subject != r.Key.Subject || r.Start.Before(q.From) || !r.Start.Before(q.To)
	}), m.fail
}
