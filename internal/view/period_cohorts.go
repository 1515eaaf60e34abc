package view

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

const (
	// fewestHours and mostHours bound how much send time is read at once: as much as holds about someRows, for the sake of
	// memory.
	fewestHours, mostHours = 3, 24
	someRows               = 40_000
	// ahead is how many pieces of cohorts are read while one is summed up.
	ahead = 2
)

// piece is mail that is counted alike, of one day or less.
type piece struct {
	from int64
	rows []ledger.CohortRow
	err  error
}

// readCohorts reads and sums up the mail, piece by piece. What it reads ahead ends with it.
func (p *Period) readCohorts(ctx context.Context) error {
	q := &p.query
	cuts, hours := p.cuts(), int64(fewestHours)
	from, cut := cuts[0], 1
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	var queue []chan piece
	read := func() {
		if cut == len(cuts) {
			return
		}
		got, at, to := make(chan piece, 1), from, min(from+hours*step, cuts[cut])
		if from = to; to == cuts[cut] {
			cut++
		}
		queue = append(queue, got)
		reading.Go(func() {
			c, err := p.reader.Cohorts(ctx, ledger.CohortQuery{From: time.Unix(at, 0), To: time.Unix(to, 0), Sum: true})
			got <- piece{at, c.Rows, err}
		})
	}
	for range ahead {
		read()
	}
	for len(queue) > 0 {
		got := <-queue[0]
		if got.err != nil {
			return got.err
		}
		switch queue = queue[1:]; {
		case len(got.rows) < someRows/2:
			hours = min(2*hours, mostHours)
		case len(got.rows) > someRows:
			hours = max(hours/2, fewestHours)
		}
		read()
		day := q.dayOf(got.from)
		p.count(got.rows, day, got.from)
		if q.Progress != nil {
			q.Progress(day+1, len(q.Edges)-1)
		}
	}
	return nil
}

func (q *PeriodQuery) dayOf(at int64) int {
	next := slices.IndexFunc(q.Edges, func(t time.Time) bool { return t.Unix() > at })
	return next - 1
}

// cuts are the times between which all mail is counted alike, in order.
func (p *Period) cuts() []int64 {
	q := &p.query
	cuts := make([]int64, 0, len(q.Edges))
	for _, t := range q.Edges {
		cuts = append(cuts, t.Unix())
	}
	for _, since := range p.eras.origins {
		cuts = append(cuts, since[:]...)
	}
	for _, list := range p.eras.reporting {
		cuts = append(cuts, list.since)
	}
	for s := range spanWeek {
		cuts = append(cuts, s.start(p.asOf))
	}
	first, last := q.Edges[0].Unix(), q.end().Unix()
	cuts = slices.DeleteFunc(cuts, func(at int64) bool { return at < first || at > last })
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// count adds mail of one day that is counted alike.
func (p *Period) count(rows []ledger.CohortRow, day int, from int64) {
	q := &p.query
	into := p.before
	if day >= q.First {
		into = p.now
	}
	in := uint8(1 << spanWeek)
	for s := range spanWeek {
		if s.start(p.asOf) <= from {
			in |= 1 << s
		}
	}
	for i := range rows {
		row := &rows[i]
		if q.Match != nil && !q.Match.Match(row.Cell.Campaign.Name) {
			continue
		}
		row.Start = time.Unix(from, 0)
		c := into.sums.campaign(name{row.Cell.Campaign.Tenant, row.Cell.Campaign.Name}, &into.settings)
		if day >= q.First {
			into.sums.count(row, p.eras, in, 1, &into.settings)
		} else {
			p.countBefore(p.before, row, in)
			if c.stream && q.compared(day) {
				p.countBefore(p.beforeStreams, row, in)
			}
		}
		p.sum(p.sums, row, day, in)
		if c.owner != "" {
			if p.owned[c.owner] == nil {
				p.owned[c.owner] = q.newSums()
			}
			p.sum(p.owned[c.owner], row, day, in)
		}
	}
}

// countBefore adds earlier mail. Of that nobody asks for providers and reasons, so that it is told apart only as far as
// figures need.
func (p *Period) countBefore(into *View, row *ledger.CohortRow, in uint8) {
	s, cell, at := into.sums, &row.Cell, row.Start.Unix()
	provider, reason := "", ""
	if cell.Provider == signal.Simulator {
		provider = cell.Provider
	}
	if signal.Blocks(into.group(cell.Reason)) {
		reason = cell.Reason
	}
	key := newKey(s.providers.id(provider), s.reasons.id(reason), cell.Outcome, p.eras.coverage(cell.Origin, at),
		p.eras.reports(cell.Provider, at))
	c := s.campaign(name{cell.Campaign.Tenant, cell.Campaign.Name}, &into.settings)
	c.add(key, in, row.N)
	if row.Possible != 0 {
		c.add(newKey(key.provider(), key.reason(), possible, key.coverage(), key.reporting()), in, row.Possible)
	}
}

// sum adds a row to sums by days and weeks.
func (p *Period) sum(into *spanSums, row *ledger.CohortRow, day int, in uint8) {
	var n, listed [spanCount]int64
	for s := range n {
		if in&(1<<s) != 0 {
			n[s], listed[s] = row.N, row.Possible
		}
	}
	r := p.now.row(p.now.sums.key(row, p.eras))
	count := func(t *tally) {
		t.add(r, &n)
		if row.Possible != 0 {
			of := r
			of.Outcome = possible
			t.add(of, &listed)
		}
	}
	count(&into.weeks[p.query.week(day)])
	if day >= p.query.First {
		count(&into.days[day-p.query.First])
	}
}
