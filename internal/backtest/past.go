package backtest

import (
	"context"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/view"
)

// past shows a ledger as it was known at a time, which goes on. Each step of time is a fold of its own, which brings the
// mail that was sent meanwhile, so that a view follows it as it follows a daemon's ledger.
type past struct {
	view.Reader
	at, before time.Time
	fold       ledger.Fold
	readings   *shelf
	// firstSeen is, by source, the earliest time at which a reading was seen.
	firstSeen map[string]time.Time
}

func newPast(r view.Reader, at time.Time) *past {
	return &past{Reader: r, at: at, before: at, readings: newShelf(r), firstSeen: map[string]time.Time{}}
}

// goOn takes the next step.
func (p *past) goOn(to time.Time) { p.before, p.at, p.fold = p.at, to, p.fold+1 }

// Status implements view.Reader.
func (p *past) Status(context.Context) (ledger.Status, error) {
	return ledger.Status{AsOf: p.at, Through: p.fold}, nil
}

// over says whether a bucket had ended.
func (p *past) over(start time.Time, width time.Duration) bool { return !start.Add(width).After(p.at) }

// Cohorts implements view.Reader. Buckets that had not ended are left out as a whole.
func (p *past) Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error) {
	if q.To.After(p.at) {
		q.To = p.at
	}
	c, err := p.Reader.Cohorts(ctx, q)
	c.Rows = slices.DeleteFunc(c.Rows, func(r ledger.CohortRow) bool { return !p.over(r.Start, r.Width) })
	c.Through = p.fold
	return c, err
}

// Changes implements view.Reader: the buckets that ended during the last step.
func (p *past) Changes(ctx context.Context, after ledger.Fold) (ledger.Changes, error) {
	if after == p.fold {
		return ledger.Changes{Through: p.fold}, nil
	}
	if after != p.fold-1 {
		return ledger.Changes{Through: p.fold, Reset: true}, nil
	}
	c, err := p.Cohorts(ctx, ledger.CohortQuery{From: p.before.Add(-hour), To: p.at})
	c.Rows = slices.DeleteFunc(c.Rows, func(r ledger.CohortRow) bool { return !r.Start.Add(r.Width).After(p.before) })
	return ledger.Changes{Folds: []ledger.FoldChange{{Fold: p.fold, Rows: c.Rows}}, Through: p.fold}, err
}

// Published implements view.Reader. A type that is published was known once mail of it had been sent.
func (p *past) Published(ctx context.Context) ([]ledger.Published, error) {
	rows, err := p.Reader.Published(ctx)
	rows = slices.DeleteFunc(rows, func(r ledger.Published) bool { return r.First.After(p.at) })
	for i := range rows {
		if rows[i].Last.After(p.at) {
			rows[i].Last = p.at
		}
	}
	return rows, err
}

// Versions implements view.Reader.
func (p *past) Versions(ctx context.Context, kind string) ([]ledger.Version, error) {
	all, err := p.Reader.Versions(ctx, kind)
	// What was in force before the first version is not known, and view takes the first for it.
	if len(all) > 1 {
		all = append(all[:1], slices.DeleteFunc(all[1:], func(v ledger.Version) bool { return v.Since.After(p.at) })...)
	}
	return all, err
}

// OwnTime implements view.Reader.
func (p *past) OwnTime(ctx context.Context, from, to time.Time) ([]ledger.OwnTimeRow, error) {
	if to.After(p.at) {
		to = p.at
	}
	rows, err := p.Reader.OwnTime(ctx, from, to)
	return slices.DeleteFunc(rows, func(r ledger.OwnTimeRow) bool { return !p.over(r.Start, r.Width) }), err
}

// Uses implements view.Reader.
func (p *past) Uses(ctx context.Context, from, to time.Time) ([]ledger.UseRow, error) {
	if to.After(p.at) {
		to = p.at
	}
	if !from.Before(to) {
		return nil, nil
	}
	rows, err := p.Reader.Uses(ctx, from, to)
	return slices.DeleteFunc(rows, func(r ledger.UseRow) bool { return !p.over(r.Hour, hour) }), err
}

// Readings implements view.Reader: those that had been seen. Of one that was revised since, the value is that of today.
func (p *past) Readings(ctx context.Context, q ledger.ReadingQuery) ([]ledger.ReadingRow, error) {
	if q.To.After(p.at) {
		q.To = p.at
	}
	if !q.From.Before(q.To) {
		return nil, nil
	}
	rows, err := p.readings.read(ctx, q, p.at)
	for i := range rows {
		r := &rows[i]
		if r.LastChanged.After(p.at) {
			r.LastChanged = r.FirstSeen
		}
		if first, ok := p.firstSeen[r.Key.Source]; !ok || r.FirstSeen.Before(first) {
			p.firstSeen[r.Key.Source] = r.FirstSeen
		}
	}
	return rows, err
}
