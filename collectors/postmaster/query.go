package postmaster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"net/http"
	"slices"
	"strconv"
	"strings"

	postmaster "google.golang.org/api/gmailpostmastertools/v2"

	"github.com/mailvane/mailvane/collectors"
)

const (
	// maxBatch is the most queries that a batch takes, maxPage the most rows of a page (API description, revision
	// 20260623).
	maxBatch = 100
	maxPage  = 200
	// maxQuestions bounds the metrics of one query.
	maxQuestions = 100
	// maxHalvings and maxSplits bound what a pass spends on finding the query of a batch, or the metric of a query,
	// that makes a call fail.
	maxHalvings = 100
	maxSplits   = 10_000
	// maxPerDomain bounds the identifiers of a domain and aggregation that are held, maxHeld those of a wave.
	maxPerDomain = 10_000
	maxHeld      = 100_000
)

// ask is one query of a batch: some questions about a domain's days.
type ask struct {
	s         *subject
	from, to  day
	questions []question
	token     string
	// pages counts the pages that came; retried says that it was made again after a failure.
	pages   int
	retried bool
}

// waveV2 reads the next days of domains: first what can be asked of every domain, then the rates of the identifiers that
// were listed.
func (p *pass) waveV2(ctx context.Context, subjects []*subject) *failure {
	for _, s := range subjects {
		s.start(p.last, aggregations())
	}
	if f := p.round(ctx, p.firstRound(subjects)); f != nil {
		return f
	}
	return p.round(ctx, p.secondRound(subjects))
}

func (p *pass) firstRound(subjects []*subject) iter.Seq[*ask] {
	base := baseQuestions()
	return func(yield func(*ask) bool) {
		for _, s := range subjects {
			questions := base
			if len(s.refused) > 0 {
				questions = slices.DeleteFunc(slices.Clone(base), func(q question) bool { return slices.Contains(s.refused, q) })
			}
			for questions := range slices.Chunk(questions, piece(len(questions), int(s.to-s.from+1), len(subjects))) {
				s.open++
				if !yield(&ask{s: s, from: s.from, to: s.to, questions: questions}) {
					return
				}
			}
		}
	}
}

// piece is how many questions to put into one query. Pages of one query come one after another, while those of several come
// in one batch; so where the domains leave room in the batch, a query holds no more than fits a page.
func piece(questions, days, domains int) int {
	pages := (questions*days + maxPage - 1) / maxPage
	pieces := max(min(pages, maxBatch/domains), 1)
	return (questions + pieces - 1) / pieces
}

// secondRound makes the queries only when they are wanted, so that those of a whole wave are never held at once.
func (p *pass) secondRound(subjects []*subject) iter.Seq[*ask] {
	return func(yield func(*ask) bool) {
		for _, s := range subjects {
			for all := s.loopQuestions(); len(all) > 0 && !s.stopped(); {
				n := s.fit(all)
				questions := all[:n]
				all = all[n:]
				s.open++
				from, to := s.listedDays(questions)
				if !yield(&ask{s: s, from: from, to: to, questions: questions}) {
					return
				}
			}
			p.release(s)
		}
	}
}

// loopQuestions ask for the rates of all identifiers that the domain listed.
func (s *subject) loopQuestions() (q []question) {
	for i := range s.loops {
		first := len(q)
		for id := range s.loops[i].ids {
			q = append(q, loopQuestion(i, id))
		}
		slices.SortFunc(q[first:], func(a, b question) int { return strings.Compare(a.identifier, b.identifier) })
	}
	return q
}

// fit is how many of the questions about identifiers one query takes, so that the answers fit a page: a row comes for each
// day on which an identifier was listed.
func (s *subject) fit(questions []question) int {
	rows := 0
	for n, q := range questions {
		rows += bits.OnesCount64(s.loops[q.loops-1].ids[q.identifier].listed)
		if n == maxQuestions || n > 0 && rows > maxPage {
			return n
		}
	}
	return len(questions)
}

// listedDays are the first and the last day on which any of the identifiers was listed.
func (s *subject) listedDays(questions []question) (from, to day) {
	var days uint64
	for _, q := range questions {
		days |= s.loops[q.loops-1].ids[q.identifier].listed
	}
	from, to = s.to, s.from
	for n := range int(s.to - s.from + 1) {
		if days>>n&1 == 1 {
			from, to = min(from, s.from+day(n)), s.from+day(n)
		}
	}
	return from, to
}

// round makes queries, as many at once as a batch takes, until none is left.
func (p *pass) round(ctx context.Context, queries iter.Seq[*ask]) *failure {
	next, stop := iter.Pull(queries)
	defer stop()
	for {
		batch := p.fill(next)
		var f *failure
		if len(batch) > 0 {
			f = p.send(ctx, batch)
			p.over = f != nil
		}
		if settle := p.settle(ctx); f == nil {
			f = settle
		}
		if p.over = f != nil; f != nil || len(batch) == 0 {
			return f
		}
	}
}

// fill takes the queries of the next batch. Further pages come first, so that domains are finished one after another.
func (p *pass) fill(next func() (*ask, bool)) (batch []*ask) {
	for len(batch) < maxBatch {
		var a *ask
		if len(p.again) > 0 {
			a, p.again = p.again[0], p.again[1:]
		} else if fresh, ok := next(); ok {
			a = fresh
		} else {
			return batch
		}
		batch = append(batch, p.open([]*ask{a})...)
	}
	return batch
}

// open leaves out queries about domains of which nothing more is to be asked.
func (p *pass) open(queries []*ask) (open []*ask) {
	for _, a := range queries {
		if a.s.stopped() {
			p.release(a.s)
		} else {
			open = append(open, a)
		}
	}
	return open
}

// send asks a batch and takes in the answers. When the batch as a whole fails, one query may be to blame: it is halved until
// the rest has its answers.
func (p *pass) send(ctx context.Context, batch []*ask) *failure {
	requests := make([]*postmaster.QueryDomainStatsRequest, len(batch))
	for i, a := range batch {
		requests[i] = a.request()
	}
	var got answers
	f := p.cl.call(ctx, http.MethodPost, "v2/domainStats:batchQuery", nil, &postmaster.BatchQueryDomainStatsRequest{Requests: requests}, &got)
	if f == nil && len(got.Results) != len(batch) {
		f = &failure{reason: collectors.ReasonMalformed, err: fmt.Errorf("%d answers to %d queries", len(got.Results), len(batch))}
	}
	switch {
	case f == nil:
		return p.take(ctx, batch, &got)
	case f.whole:
		return f
	case len(batch) > 1 && p.halvings < maxHalvings:
		p.halvings++
		half := len(batch) / 2
		if f := p.send(ctx, batch[:half]); f != nil {
			return f
		}
		if rest := p.open(batch[half:]); len(rest) > 0 {
			return p.send(ctx, rest)
		}
		return nil
	}
	for _, a := range batch {
		p.blame(a, f)
	}
	return nil
}

// request is the query as the API has it.
func (a *ask) request() *postmaster.QueryDomainStatsRequest {
	r := &postmaster.QueryDomainStatsRequest{
		Parent:                 "domains/" + a.s.name,
		AggregationGranularity: "DAILY",
		PageSize:               maxPage,
		PageToken:              a.token,
		TimeQuery: &postmaster.TimeQuery{DateRanges: &postmaster.DateRanges{
			DateRanges: []*postmaster.DateRange{{Start: a.from.api(), End: a.to.api()}},
		}},
	}
	for i, q := range a.questions {
		r.MetricDefinitions = append(r.MetricDefinitions, &postmaster.MetricDefinition{
			Name: "m" + strconv.Itoa(i), BaseMetric: &postmaster.BaseMetric{StandardMetric: q.standard}, Filter: q.filter,
		})
	}
	return r
}

// take takes in the answers to a batch and stores what they hold. An answer that says that no call will do any good ends the
// pass after the others were taken in.
func (p *pass) take(ctx context.Context, batch []*ask, got *answers) (whole *failure) {
	for i, a := range batch {
		r := &got.Results[i]
		if r.Error == nil {
			if r.Response == nil {
				r.Response = &page{}
			}
			p.takePage(a, r.Response)
			continue
		}
		f := p.c.itemFailure(r.Error)
		switch {
		case f.whole:
			whole = f
		case f.again && !a.retried:
			a.retried = true
			p.again = append(p.again, a)
		default:
			p.blame(a, f)
		}
	}
	if f := p.put(ctx, nil); f != nil {
		return f
	}
	return whole
}

// blame takes in that a query failed alone.
func (p *pass) blame(a *ask, f *failure) {
	switch {
	case f.access != "":
		a.s.access = f.access
	case f.divisible && len(a.questions) > 1 && p.splits < maxSplits:
		p.splits++
		// Whether any question is answered, the first of all tells soonest.
		half := len(a.questions) / 2
		if a.questions[0].metric == MetricSpamRate {
			half = 1
		}
		for _, questions := range [][]question{a.questions[:half], a.questions[half:]} {
			a.s.open++
			p.again = append(p.again, &ask{s: a.s, from: a.from, to: a.to, questions: questions})
		}
	case f.divisible && len(a.questions) == 1 && f.reason == collectors.ReasonConfig:
		p.refused(a, f)
	default:
		a.s.fault = f
	}
	p.release(a.s)
}

// refused takes in that Google will not answer one question. An identifier with odd characters stays without a rate; a
// metric that is gone is a fault that hides no other, except the first, which every domain has.
func (p *pass) refused(a *ask, f *failure) {
	q := a.questions[0]
	switch {
	case q.identifier != "":
		return
	case q.metric == MetricSpamRate:
		a.s.fault = &failure{reason: f.reason, err: f.err}
		return
	case q.loops > 0:
		a.s.loops[q.loops-1].refused = true
	}
	a.s.refused = append(a.s.refused, q)
	alone := *f
	alone.err = fmt.Errorf("%s: %w", strings.TrimSpace(q.standard+" "+q.filter), f.err)
	p.faults = append(p.faults, fault{a.s.name, &alone})
}

// impossible is about values that were left out, because nothing can have measured them.
func impossible() *failure {
	return &failure{reason: collectors.ReasonMalformed, err: errors.New("values that cannot be, or of no day, were left out")}
}

// takePage takes in a page of rows.
func (p *pass) takePage(a *ask, got *page) {
	bad := 0
	for i := range got.DomainStats {
		if !p.takeRow(a, &got.DomainStats[i]) {
			bad++
		}
	}
	if bad > 0 {
		p.faults = append(p.faults, fault{a.s.name, impossible()})
	}
	a.pages++
	switch {
	case got.NextPageToken == "":
	case got.NextPageToken == a.token || a.pages > len(a.questions)*int(a.to-a.from+1):
		a.s.fault = &failure{reason: collectors.ReasonMalformed, err: errors.New("the pages do not end")}
	default:
		a.token, a.retried = got.NextPageToken, false
		p.again = append(p.again, a)
		return
	}
	p.release(a.s)
}

// takeRow takes in one row, false when it makes no sense. Rows of days and metrics that were not asked for are left out.
func (p *pass) takeRow(a *ask, row *stat) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(row.Metric, "m"))
	if err != nil || n < 0 || n >= len(a.questions) {
		return true
	}
	d, ok := row.Date.day()
	if !ok {
		return false
	}
	if d < a.from || d > a.to {
		return true
	}
	q, s := &a.questions[n], a.s
	bit := uint64(1) << (d - s.from)
	s.arrived |= bit
	if q.loops > 0 && q.identifier == "" {
		p.takeLoops(s, &s.loops[q.loops-1], d, row.Value.StringList)
		return true
	}
	v := row.Value.number()
	if v != nil && !q.accepts(*v) {
		return false
	}
	if q.identifier != "" {
		s.loops[q.loops-1].ids[q.identifier].rated |= bit
	}
	p.add(s, d, q.metric, q.detail, v, "")
	return true
}

// takeLoops takes in the identifiers of a day. All are counted; those beyond the bounds are not asked for.
func (p *pass) takeLoops(s *subject, l *loopList, d day, got *struct{ Values texts }) {
	if got == nil {
		return
	}
	n := d - s.from
	l.listed[n] = len(got.Values)
	for _, id := range got.Values {
		if !usable(id) {
			continue
		}
		known := l.ids[id]
		if known == nil {
			if len(l.ids) >= maxPerDomain || p.identifiers >= maxHeld {
				continue
			}
			p.identifiers++
			known = &listing{}
			l.ids[strings.Clone(id)] = known
		}
		known.listed |= 1 << n
	}
}
