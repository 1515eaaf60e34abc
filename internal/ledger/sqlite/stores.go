package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// addRows writes what a Put has besides entries, and tells in result what became of it.
func (g *group) addRows(p *ledger.Put, result *ledger.Result) error {
	for i := range p.Readings {
		change, changed, err := g.reading(&p.Readings[i])
		if err != nil {
			return err
		}
		if changed {
			change.Index = i
			result.Readings = append(result.Readings, change)
		}
	}
	for subject, position := range p.Positions {
		g.rows = true
		err := g.l.w.exec("INSERT OR REPLACE INTO position (source, subject, position) VALUES (?, ?, ?)",
			p.Source, subject, position)
		if err != nil {
			return err
		}
	}
	for i := range p.Statuses {
		if err := g.status(&p.Statuses[i]); err != nil {
			return err
		}
	}
	for i := range p.Learned {
		if err := g.learned(&p.Learned[i]); err != nil {
			return err
		}
	}
	for i := range p.Quarantine {
		isFull, err := g.quarantineOne(p.Source, &p.Quarantine[i])
		if err != nil {
			return err
		}
		if isFull {
			result.QuarantineFull = append(result.QuarantineFull, i)
		}
	}
	return nil
}

// reading stores a reading unless it is stored already, and says what it took the place of.
func (g *group) reading(r *observation.Reading) (change ledger.ReadingChange, changed bool, err error) {
	var text string
	err = g.l.w.get([]any{&change.Previous, &change.Highest, &text}, `SELECT value, coalesce(peak, value), text FROM reading
		WHERE source = ? AND subject = ? AND metric = ? AND detail = ? AND start_ms = ? AND end_ms = ?`,
		r.Key.Source, r.Key.Subject, r.Key.Metric, r.Key.Detail, r.Start.UnixMilli(), r.End.UnixMilli())
	change.New = errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !change.New:
		return change, false, err
	case err == nil && text == r.Text && sameValue(change.Previous, r.Value):
		return change, false, nil
	}
	g.rows = true
	now := g.now.UnixMilli()
	var peak *float64
	if change.Highest != nil && (r.Value == nil || *r.Value < *change.Highest) {
		peak = change.Highest
	}
	err = g.l.w.exec(`INSERT INTO reading
		(source, subject, metric, detail, start_ms, end_ms, value, peak, text, first_seen_ms, last_changed_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value, peak = excluded.peak, text = excluded.text,
			last_changed_ms = excluded.last_changed_ms`,
		r.Key.Source, r.Key.Subject, r.Key.Metric, r.Key.Detail, r.Start.UnixMilli(), r.End.UnixMilli(),
		r.Value, peak, r.Text, now, now)
	return change, true, err
}

func sameValue(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

func (g *group) status(s *observation.Status) error {
	g.rows = true
	return g.l.w.exec(`INSERT INTO status (event_id, at_ms, message, detail_type, account, region, resource, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		s.ID, s.At.UnixMilli(), s.Message, s.DetailType, s.Account, s.Region, s.Resource, append([]byte{}, s.Detail...))
}

// learned stores what is news about a domain: the same provider as before is none.
func (g *group) learned(d *ledger.LearnedDomain) error {
	n, err := g.l.w.execN(`INSERT INTO learned_domain (domain, since_ms, provider) SELECT ?1, ?2, ?3
		WHERE ?3 IS NOT (SELECT provider FROM learned_domain WHERE domain = ?1 AND since_ms <= ?2
			ORDER BY since_ms DESC LIMIT 1)
		ON CONFLICT DO UPDATE SET provider = excluded.provider`, d.Domain, d.Since.UnixMilli(), d.Provider)
	g.rows = g.rows || n > 0
	return err
}

// AddVersion implements ledger.Ledger. A version of the same moment is replaced.
func (l *Ledger) AddVersion(_ context.Context, kind string, v ledger.Version) error {
	err := l.step(func() error {
		return l.w.exec("INSERT OR REPLACE INTO version (kind, since_ms, body) VALUES (?, ?, ?)",
			kind, v.Since.UnixMilli(), append([]byte{}, v.Body...))
	}, func() {})
	if err != nil {
		return fmt.Errorf("store version of %s: %w", kind, err)
	}
	return nil
}
