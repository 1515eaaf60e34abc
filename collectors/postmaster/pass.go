package postmaster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// waveSize is how many domains are read side by side: as many as a batch takes.
	waveSize = maxBatch
	// stride is the most days of a domain that are read at once, so that a first pass neither holds four months in memory
	// nor loses them when it is cut short.
	stride = 30
)

// pass is one pass.
type pass struct {
	c     *Collector
	cl    *client
	sink  collectors.Sink
	today day
	// last is the last day that is asked for: yesterday, because Gmail publishes whole days.
	last day
	// readings were read and not yet put.
	readings []observation.Reading
	// again are questions that go into the next batch before others; settled are domains of which all was asked.
	again   []*ask
	settled []*subject
	// identifiers counts those held for the domains of one wave; halvings and splits are as their bounds.
	identifiers, halvings, splits int
	faults                        []fault
	progress                      Progress
	// over says that no more calls are to be made; lost says that readings could not be stored, so that no domain of the
	// wave may be taken for read.
	over, lost bool
}

// fault is what went wrong with one domain.
type fault struct {
	domain string
	*failure
}

// subject is a domain in a pass, and what is known of the days that are read just now.
type subject struct {
	name string
	// read is up to where it was read before the pass, if known.
	read  day
	known bool
	// next is the day to go on with; from and to are the days that are read now.
	next, from, to day
	// access is empty while figures can be had, else why they cannot; fault is why they could not this time.
	access string
	fault  *failure
	// open counts what is still asked about the domain.
	open int
	// arrived are the days, from 0 for from, of which anything came.
	arrived uint64
	loops   []loopList
	// refused are questions that Google does not answer for the domain.
	refused []question
}

// loopList is what came about the feedback loops of one aggregation.
type loopList struct {
	name string
	// refused says that the list could not be asked for.
	refused bool
	// listed counts the identifiers of each day, from 0 for from.
	listed []int
	ids    map[string]*listing
}

// listing are the days on which an identifier was listed, and those for which a rate came.
type listing struct{ listed, rated uint64 }

// stopped says that nothing more is to be asked about the domain.
func (s *subject) stopped() bool { return s.access != "" || s.fault != nil }

// start makes a domain ready for its next days.
func (s *subject) start(last day, loops []string) {
	s.from, s.to = s.next, min(s.next+stride-1, last)
	s.open, s.arrived = 1, 0
	s.loops = s.loops[:0]
	for _, name := range loops {
		s.loops = append(s.loops, loopList{
			name: name, listed: make([]int, s.to-s.from+1), ids: make(map[string]*listing),
			refused: slices.ContainsFunc(s.refused, func(q question) bool { return q.metric == MetricFeedbackLoopIDs && q.detail == name }),
		})
	}
}

// begin starts a pass.
func (c *Collector) begin(ctx context.Context, sink collectors.Sink) (*pass, error) {
	cl, err := c.newClient(ctx)
	if err != nil {
		return nil, c.fail(ctx, asFailure(err))
	}
	today := dayOf(c.now(), c.zone)
	return &pass{c: c, cl: cl, sink: sink, today: today, last: today - 1, progress: Progress{Source: c.name}}, nil
}

// run makes the pass: the domains that were read longest ago come first, so that a pass that is cut short time and again
// still comes to all of them.
func (p *pass) run(ctx context.Context, from collectors.Positions) error {
	subjects, f := p.subjects(ctx, from)
	if f != nil {
		return p.c.fail(ctx, f)
	}
	p.progress.Domains = len(subjects)
	for _, s := range subjects {
		p.progress.Total += int(p.last - s.next + 1)
	}
	left := slices.Clone(subjects)
	for len(left) > 0 {
		slices.SortStableFunc(left, func(a, b *subject) int { return cmp.Or(cmp.Compare(a.next, b.next), strings.Compare(a.name, b.name)) })
		if f := p.wave(ctx, left[:min(waveSize, len(left))]); f != nil {
			return errors.Join(p.c.fail(ctx, f), p.c.failDomains(p.faults))
		}
		left = slices.DeleteFunc(left, func(s *subject) bool { return s.stopped() || s.next > p.last })
	}
	if len(subjects) > 0 && !slices.ContainsFunc(subjects, func(s *subject) bool { return s.access == "" }) {
		err := fmt.Errorf("the account can read none of %d domains", len(subjects))
		f := &failure{reason: collectors.ReasonAuth, hint: hintNoAccess, err: err}
		if p.c.api == V1 {
			f.hint = hintNoAccess + "; " + hintV1
		}
		p.faults = append(p.faults, fault{failure: f})
	}
	return p.c.failDomains(p.faults)
}

// wave reads the next days of some domains.
func (p *pass) wave(ctx context.Context, subjects []*subject) *failure {
	p.again, p.settled, p.identifiers = nil, nil, 0
	if p.c.api == V1 {
		return p.waveV1(ctx, subjects)
	}
	return p.waveV2(ctx, subjects)
}

// release takes back one of the things that are asked about a domain.
func (p *pass) release(s *subject) {
	if s.open--; s.open == 0 {
		p.settled = append(p.settled, s)
	}
}

// settle finishes the domains of which all was asked.
func (p *pass) settle(ctx context.Context) (first *failure) {
	settled := p.settled
	p.settled = nil
	for _, s := range settled {
		if p.lost {
			break
		}
		if f := p.finish(ctx, s); f != nil {
			p.over, first = true, cmp.Or(first, f)
		}
	}
	return first
}

// finish stores what can be said only now that all answers about a domain's days are there, and that they were read. Where
// compliance is still to be asked, the last day is left out of the position, so that the next pass asks.
func (p *pass) finish(ctx context.Context, s *subject) *failure {
	if s.fault != nil {
		p.faults = append(p.faults, fault{s.name, s.fault})
		return nil //nolint:nilerr // the fault is this domain's alone and is told at the end of the pass
	}
	p.add(s, p.today, MetricAccess, p.c.name, nil, cmp.Or(s.access, AccessOK))
	if s.access != "" {
		return p.put(ctx, nil)
	}
	p.markers(s)
	through, whole := s.to, (*failure)(nil)
	if p.c.api == V2 && s.to == p.last && (!s.known || s.read != p.last) {
		asked, f := p.compliance(ctx, s)
		if whole = f; !asked {
			through--
		}
	}
	p.progress.Days += int(s.to - s.from + 1)
	s.next = s.to + 1
	s.loops = nil
	if f := p.put(ctx, collectors.Positions{s.name: position(p.c.api, through)}); f != nil {
		return f
	}
	p.progress.Requests = p.cl.requests
	p.c.observe(p.progress)
	return whole
}

// markers tells which days arrived, how many identifiers each listed, and which of those came without a rate.
func (p *pass) markers(s *subject) {
	for n := range int(s.to - s.from + 1) {
		if s.arrived>>n&1 == 0 {
			continue
		}
		p.add(s, s.from+day(n), MetricArrived, "", new(1.0), "")
		for i := range s.loops {
			if l := &s.loops[i]; !l.refused {
				p.add(s, s.from+day(n), MetricFeedbackLoopIDs, l.name, new(float64(l.listed[n])), "")
			}
		}
	}
	for i := range s.loops {
		for id, days := range s.loops[i].ids {
			for n := range int(s.to - s.from + 1) {
				if (days.listed&^days.rated)>>n&1 == 1 {
					p.add(s, s.from+day(n), MetricFeedbackLoopSpamRate, s.loops[i].name+"/"+id, nil, "")
				}
			}
		}
	}
}

// add notes a reading of a domain's day.
func (p *pass) add(s *subject, d day, metric, detail string, value *float64, text string) {
	start, end := d.bounds(p.c.zone)
	p.readings = append(p.readings, observation.Reading{
		Key:   observation.ReadingKey{Source: p.c.api.Source(), Subject: s.name, Metric: metric, Detail: detail},
		Start: start, End: end, Value: value, Text: text,
	})
}

// maxPut bounds the readings of one batch: a sink holds a whole batch at once.
const maxPut = 10_000

// put stores the readings that were noted; the positions go with the last of them.
func (p *pass) put(ctx context.Context, positions collectors.Positions) *failure {
	all := p.readings
	p.readings = p.readings[:0]
	for len(all) > 0 || positions != nil {
		n := min(len(all), maxPut)
		b := collectors.Batch{Source: p.c.name, Readings: all[:n]}
		if all = all[n:]; len(all) == 0 {
			b.Positions, positions = positions, nil
		}
		if err := p.sink.Put(ctx, b); err != nil {
			p.lost = true
			return &failure{reason: collectors.ReasonLedger, whole: true, err: err}
		}
		p.progress.Readings += n
	}
	return nil
}

// fail makes the error of a pass that ended early. The end of ctx is no fault of the source.
func (c *Collector) fail(ctx context.Context, f *failure) error {
	op := "read"
	if f.reason == collectors.ReasonLedger {
		op = "store readings of"
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", op, c.name, context.Cause(ctx))
	}
	return &collectors.Error{Source: c.name, Op: op, Reason: f.reason, Hint: f.hint, RetryAfter: f.retryAfter, Err: f.err}
}

// failDomains makes the errors about single domains: one for all domains with the same fault.
func (c *Collector) failDomains(faults []fault) error {
	var errs []error
	for len(faults) > 0 {
		first := faults[0]
		e := &collectors.Error{Source: c.name, Op: "read", Reason: first.reason, Hint: first.hint}
		var domains []string
		faults = slices.DeleteFunc(faults, func(f fault) bool {
			same := f.reason == first.reason && f.hint == first.hint && f.Error() == first.Error()
			if same {
				e.RetryAfter = max(e.RetryAfter, f.retryAfter)
				if !slices.Contains(domains, f.domain) {
					domains = append(domains, f.domain)
				}
			}
			return same
		})
		e.Err = first.err
		if text := some(domains); text != "" {
			e.Err = fmt.Errorf("%s: %w", text, first.err)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// some names the first few of many names.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
