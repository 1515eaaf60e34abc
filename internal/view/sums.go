package view

import (
	"slices"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// sums are the running sums of all campaigns over all spans. A row of the ledger is in the sum of a span when it starts
// at or after the span's start and before loaded, and it was stored by fold or an earlier one.
type sums struct {
	fold   ledger.Fold
	starts [spanCount]int64
	loaded int64

	// eras decide the cell of a row. While they change, next decides for rows that start before recounted.
	eras, next *eras
	recounted  int64
	// stranger says that a fold brought mail of an origin that the eras do not know.
	stranger bool

	campaigns          map[name]*campaignSums
	providers, reasons index
}

// name is a campaign's name within its tenant.
type name struct{ tenant, campaign string }

// campaignSums holds a campaign's cells, sorted by key, when its mail was sent, and what the settings say about it.
type campaignSums struct {
	name   name
	owner  string
	stream bool
	cells  []cell
	pace   pace
}

// cell counts recipients that are alike in everything that figures tell apart.
type cell struct {
	key cellKey
	n   [spanCount]int64
}

// cellKey packs, from the highest bits down, provider (16), outcome (8), reason (16), coverage (8) and reporting (1), so
// that sorted cells of one provider are neighbours.
type cellKey uint64

// possible stands in a key for the outcome of a count that is none: how many recipients complaints listed.
const possible = observation.Outcome(observation.OutcomeCount)

func newKey(provider, reason uint16, outcome observation.Outcome, coverage signal.Coverage, reporting bool) cellKey {
	key := cellKey(provider)<<33 | cellKey(outcome)<<25 | cellKey(reason)<<9 | cellKey(coverage)<<1
	if reporting {
		key |= 1
	}
	return key
}

func (k cellKey) provider() uint16             { return uint16(k >> 33) }
func (k cellKey) outcome() observation.Outcome { return observation.Outcome(k >> 25) }
func (k cellKey) reason() uint16               { return uint16(k >> 9) }
func (k cellKey) coverage() signal.Coverage    { return signal.Coverage(k >> 1) }
func (k cellKey) reporting() bool              { return k&1 == 1 }

func newSums(e *eras) *sums {
	return &sums{eras: e, campaigns: map[name]*campaignSums{}, providers: newIndex(), reasons: newIndex()}
}

// change adds rows of a fold.
func (s *sums) change(rows []ledger.CohortRow, settings *Settings) {
	for i := range rows {
		if start := rows[i].Start.Unix(); start < s.loaded {
			e := s.erasAt(start)
			if _, known := e.origins[rows[i].Cell.Origin]; !known {
				s.stranger = true
			}
			s.count(&rows[i], e, s.spansFrom(start), 1, settings)
		}
	}
}

// load adds rows that were read from the ledger.
func (s *sums) load(rows []ledger.CohortRow, settings *Settings) {
	for i := range rows {
		start := rows[i].Start.Unix()
		s.count(&rows[i], s.erasAt(start), s.spansFrom(start), 1, settings)
	}
}

// leave takes rows off one span.
func (s *sums) leave(rows []ledger.CohortRow, left span, settings *Settings) {
	for i := range rows {
		s.count(&rows[i], s.erasAt(rows[i].Start.Unix()), 1<<left, -1, settings)
	}
}

// recount moves rows from the cells of the old eras to those of the next, where they differ.
func (s *sums) recount(rows []ledger.CohortRow, settings *Settings) {
	for i := range rows {
		row := &rows[i]
		if s.key(row, s.eras) != s.key(row, s.next) {
			in := s.spansFrom(row.Start.Unix())
			s.count(row, s.eras, in, -1, settings)
			s.count(row, s.next, in, 1, settings)
		}
	}
}

func (s *sums) erasAt(start int64) *eras {
	if s.next != nil && start < s.recounted {
		return s.next
	}
	return s.eras
}

// spansFrom is the set of the spans, one bit each, that hold a bucket which starts then.
func (s *sums) spansFrom(start int64) (set uint8) {
	for i, from := range s.starts {
		if from <= start {
			set |= 1 << i
		}
	}
	return set
}

// count adds sign times a row to its cell in a set of spans.
func (s *sums) count(row *ledger.CohortRow, e *eras, in uint8, sign int64, settings *Settings) {
	if in == 0 {
		return
	}
	key := s.key(row, e)
	of := s.campaign(name{row.Cell.Campaign.Tenant, row.Cell.Campaign.Name}, settings)
	of.add(key, in, sign*row.N)
	if in&(1<<spanWeek) != 0 {
		of.pace.add(row, sign*row.N)
	}
	if row.Possible != 0 {
		of.add(newKey(key.provider(), key.reason(), possible, key.coverage(), key.reporting()), in, sign*row.Possible)
	}
}

func (s *sums) key(row *ledger.CohortRow, e *eras) cellKey {
	c, at := &row.Cell, row.Start.Unix()
	return newKey(s.providers.id(c.Provider), s.reasons.id(c.Reason), c.Outcome,
		e.coverage(c.Origin, at), e.reports(c.Provider, at))
}

func (s *sums) campaign(n name, settings *Settings) *campaignSums {
	c := s.campaigns[n]
	if c == nil {
		c = &campaignSums{name: n}
		c.describe(settings)
		s.campaigns[n] = c
	}
	return c
}

func (c *campaignSums) describe(settings *Settings) {
	c.owner, c.stream = settings.owner(c.name.campaign), settings.Streams.Match(c.name.campaign)
}

func (c *campaignSums) add(key cellKey, in uint8, n int64) {
	i, found := slices.BinarySearchFunc(c.cells, key, func(c cell, key cellKey) int {
		switch {
		case c.key < key:
			return -1
		case c.key > key:
			return 1
		default:
			return 0
		}
	})
	if !found {
		c.cells = slices.Insert(c.cells, i, cell{key: key})
	}
	for s := range c.cells[i].n {
		if in&(1<<s) != 0 {
			c.cells[i].n[s] += n
		}
	}
}

// drop forgets cells that count nothing any more, and campaigns without cells.
func (s *sums) drop() {
	for n, c := range s.campaigns {
		c.cells = slices.DeleteFunc(c.cells, func(c cell) bool { return c.n == [spanCount]int64{} })
		if len(c.cells) == 0 {
			delete(s.campaigns, n)
		}
	}
}

// index numbers the names of a closed list as they come up.
type index struct {
	ids   map[string]uint16
	names []string
}

func newIndex() index { return index{ids: map[string]uint16{}} }

// id returns the number of a name. Should there ever be more than fit, the rest share the last number.
func (x *index) id(name string) uint16 {
	id, ok := x.ids[name]
	if ok {
		return id
	}
	if len(x.names) > 0xffff {
		return 0xffff
	}
	id = uint16(len(x.names))
	x.ids[name] = id
	x.names = append(x.names, name)
	return id
}
