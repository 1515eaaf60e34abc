package sqlite

import (
	"database/sql"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// words turns the ids of name tables back into names. Ids are never used again, so what was read once holds.
type words struct {
	origins   wordCache[observation.Origin]
	campaigns wordCache[observation.Campaign]
	stamps    wordCache[observation.Stamp]
	providers wordCache[string]
	reasons   wordCache[string]
}

// wordCache is one table of names, safe for concurrent use.
type wordCache[K any] struct {
	text string
	dest func(*K) []any

	mu   sync.Mutex
	byID map[uint32]K
}

func newWordCaches() *words {
	word := func(s *string) []any { return []any{s} }
	return &words{
		origins: wordCache[observation.Origin]{
			text: "SELECT account, region, configuration_set FROM origin WHERE id = ?",
			dest: func(o *observation.Origin) []any { return []any{&o.Account, &o.Region, &o.ConfigurationSet} },
		},
		campaigns: wordCache[observation.Campaign]{
			text: "SELECT tenant, name, send FROM campaign WHERE id = ?",
			dest: func(c *observation.Campaign) []any { return []any{&c.Tenant, &c.Name, &c.Send} },
		},
		stamps: wordCache[observation.Stamp]{
			text: "SELECT from_domain, a, b, c, feedback_from FROM stamp WHERE id = ?",
			dest: func(s *observation.Stamp) []any { return []any{&s.FromDomain, &s.A, &s.B, &s.C, &s.FeedbackFrom} },
		},
		providers: wordCache[string]{text: "SELECT name FROM provider WHERE id = ?", dest: word},
		reasons:   wordCache[string]{text: "SELECT name FROM reason WHERE id = ?", dest: word},
	}
}

// name returns the name of an id, the empty one for id 0. It reads in the caller's transaction, which has seen the id.
func (c *wordCache[K]) name(tx *sql.Tx, id uint32) (K, error) {
	if id == 0 {
		return *new(K), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if name, ok := c.byID[id]; ok {
		return name, nil
	}
	return c.read(tx, id)
}

// read reads a name that is not in the cache. It is apart because its name is on the heap.
func (c *wordCache[K]) read(tx *sql.Tx, id uint32) (name K, err error) {
	if err := tx.QueryRow(c.text, id).Scan(c.dest(&name)...); err != nil {
		return name, err
	}
	if c.byID == nil || len(c.byID) >= maxCached {
		c.byID = map[uint32]K{}
	}
	c.byID[id] = name
	return name, nil
}

// cell puts the names into a cell.
func (w *words) cell(tx *sql.Tx, k cellKey) (c ledger.Cell, err error) {
	c.Outcome = observation.Outcome(k.Outcome)
	if c.Origin, err = w.origins.name(tx, k.Origin); err != nil {
		return c, err
	}
	if c.Campaign, err = w.campaigns.name(tx, k.Campaign); err != nil {
		return c, err
	}
	if c.Provider, err = w.providers.name(tx, k.Provider); err != nil {
		return c, err
	}
	c.Reason, err = w.reasons.name(tx, k.Reason)
	return c, err
}

// cohortRow puts names and times into a row.
func (r *Reader) cohortRow(tx *sql.Tx, d *delta) (ledger.CohortRow, error) {
	cell, err := r.words.cell(tx, d.cell)
	start := time.Unix(d.start, 0).UTC()
	row := ledger.CohortRow{
		Start: start, Width: time.Duration(d.width) * time.Second, Cell: cell, N: d.n, Possible: d.possible,
	}
	if d.width == dayWidth {
		row.Width = dayEnd(start.In(r.zone)).Sub(start)
	}
	return row, err
}
