package receiptrules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// maxBatch is how many readings are put at once, so that other commits never wait long.
	maxBatch = 5000
	day      = 24 * time.Hour
)

// pass is one pass.
type pass struct {
	c       *Collector
	sink    collectors.Sink
	account string
	// end is where the last full period ends; since is when the source was first read.
	end, since time.Time
	// readings were read and not yet put.
	readings []observation.Reading
	faults   []error
}

// series is a rule in a pass: next is from when on it is still to be read, through up to when it was.
type series struct {
	*rule
	next, through time.Time
}

func (p *pass) run(ctx context.Context, from collectors.Positions) error {
	rules, err := p.rules(ctx)
	if err != nil {
		return err
	}
	p.describe(ctx)
	all, positions := p.place(rules, from)
	if err := p.put(ctx, positions); err != nil {
		return err
	}
	if err := p.sweep(ctx, all); err != nil {
		return err
	}
	through := p.end
	for _, s := range all {
		if s.through.Before(through) {
			through = s.through
		}
	}
	p.today(p.id("", ""), observation.ReceiptThrough, new(float64(through.Unix())), "")
	return p.put(ctx, nil)
}

// place says where each rule is to be read on, and returns positions for those that have none yet.
func (p *pass) place(rules []*rule, from collectors.Positions) ([]*series, collectors.Positions) {
	positions := collectors.Positions{}
	region := observation.JoinReceiptRule(p.id("", ""))
	known := map[string]time.Time{}
	for subject, text := range from {
		id, ok := observation.CutReceiptRule(subject)
		at, err := time.Parse(time.RFC3339, text)
		if ok && err == nil && id.Account == p.account && id.Region == p.c.account.Region() {
			known[subject] = earlier(at.UTC().Truncate(period), p.end)
		}
	}
	since, ok := known[region]
	if !ok {
		since = p.end
		positions[region] = position(since)
	}
	delete(known, region)
	p.since = since
	head := since.Add(-backfill)
	for _, at := range known {
		head = later(head, at)
	}
	if len(known) > 0 && p.end.Sub(head) >= backfill {
		rules = p.recall(rules, known)
	}
	all := make([]*series, len(rules))
	for i, r := range rules {
		at, ok := known[r.subject]
		if !ok {
			at = head
			positions[r.subject] = position(at)
		}
		all[i] = &series{rule: r, next: later(at.Add(-trailing), p.end.Add(-oldest)), through: at}
	}
	return all, positions
}

// recall adds the rules that were known before an outage so long that CloudWatch may no longer list them.
func (p *pass) recall(rules []*rule, known map[string]time.Time) []*rule {
	listed := map[string]bool{}
	for _, r := range rules {
		listed[r.subject] = true
	}
	for _, subject := range slices.Sorted(maps.Keys(known)) {
		if listed[subject] {
			continue
		}
		id, _ := observation.CutReceiptRule(subject)
		r := &rule{subject: subject, id: id}
		if id.Rule != "" {
			r.dimensions = append(r.dimensions, cloudwatch.Dimension{Name: ruleName, Value: id.Rule})
		}
		if id.RuleSet != "" {
			r.dimensions = append(r.dimensions, cloudwatch.Dimension{Name: ruleSetName, Value: id.RuleSet})
		}
		rules = append(rules, r)
	}
	return rules[:min(len(rules), maxRules)]
}

// sweep brings all rules up to the end, in strides, those furthest behind first. Rules of which something is missing stay
// behind.
func (p *pass) sweep(ctx context.Context, all []*series) error {
	var missing []missed
	left := slices.Clone(all)
	for {
		left = slices.DeleteFunc(left, func(s *series) bool { return !s.through.Before(p.end) })
		if len(left) == 0 {
			break
		}
		first := slices.MinFunc(left, func(a, b *series) int { return a.next.Compare(b.next) })
		w := cloudwatch.Window{From: first.next, To: earlier(first.next.Add(stride), p.end), Period: period}
		var now, rest []*series
		for _, s := range left {
			if s.next.Before(w.To) {
				now = append(now, s)
			} else {
				rest = append(rest, s)
			}
		}
		for some := range slices.Chunk(now, cloudwatch.MaxQueries/len(metrics())) {
			lost, err := p.read(ctx, some, w)
			if err != nil {
				return err
			}
			missing = append(missing, lost...)
		}
		left = rest
		for _, s := range now {
			if s.next.Equal(w.To) {
				left = append(left, s)
			}
		}
	}
	p.tellMissed(missing)
	return nil
}

// missed is a rule of which CloudWatch did not give everything.
type missed struct {
	*series
	status cloudwatch.Status
}

// read reads some rules in one call and puts what came. It returns the rules of which something is missing.
func (p *pass) read(ctx context.Context, some []*series, w cloudwatch.Window) ([]missed, error) {
	names, results := metrics(), observation.ReceiptResults()
	queries := make([]cloudwatch.Query, 0, len(some)*len(names))
	for _, s := range some {
		for _, name := range names {
			series := cloudwatch.Series{Namespace: namespace, Metric: name, Dimensions: s.dimensions}
			queries = append(queries, cloudwatch.Query{Series: series, Stat: cloudwatch.Sum})
		}
	}
	answers, err := p.c.account.Read(ctx, queries, w)
	if err != nil {
		return nil, err
	}
	var missing []missed
	positions := collectors.Positions{}
	for i, s := range some {
		status := cloudwatch.StatusComplete
		for j, result := range results {
			a := &answers[i*len(results)+j]
			if a.Status != cloudwatch.StatusComplete {
				status = a.Status
			}
			for _, point := range a.Points {
				p.count(s, result, point)
			}
		}
		if status != cloudwatch.StatusComplete {
			missing = append(missing, missed{s, status})
			continue
		}
		s.next = w.To
		if w.To.After(s.through) {
			s.through = w.To
			positions[s.subject] = position(s.through)
		}
	}
	return missing, p.put(ctx, positions)
}

// count takes a point. CloudWatch's sums of counts are whole and not negative.
func (p *pass) count(s *series, metric string, point cloudwatch.Point) {
	if point.Value < 0 {
		return
	}
	start := point.At.Truncate(period)
	p.readings = append(p.readings, observation.Reading{
		Key:   observation.ReadingKey{Source: observation.ReceiptRules, Subject: s.subject, Metric: metric},
		Start: start, End: start.Add(period), Value: &point.Value,
	})
}

// today takes a reading about the day of asking.
func (p *pass) today(id observation.ReceiptRule, metric string, value *float64, text string) {
	start := p.end.Truncate(day)
	p.readings = append(p.readings, observation.Reading{
		Key: observation.ReadingKey{
			Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: metric,
		},
		Start: start, End: start.Add(day), Value: value, Text: text,
	})
}

// put stores what was read, and last the positions that speak of all of it.
func (p *pass) put(ctx context.Context, positions collectors.Positions) error {
	for {
		n := min(len(p.readings), maxBatch)
		b := collectors.Batch{Source: p.c.name, Readings: p.readings[:n], Since: p.since}
		if n == len(p.readings) {
			b.Positions = positions
		}
		if len(b.Readings)+len(b.Positions) > 0 {
			if err := p.sink.Put(ctx, b); err != nil {
				return err
			}
		}
		if p.readings = p.readings[n:]; len(p.readings) == 0 {
			p.readings = nil
			return nil
		}
	}
}

// fault notes what went wrong without ending the pass.
func (p *pass) fault(reason collectors.Reason, hint string, err error) {
	p.faults = append(p.faults, &collectors.Error{Source: p.c.name, Op: "read the metrics of", Reason: reason, Hint: hint, Err: err})
}

// forbidden is the error of figures that may not be read. CloudWatch says so of single metrics in an answer that is no error.
func (p *pass) forbidden(err error) error {
	return &collectors.Error{
		Source: p.c.name, Op: "read the metrics of", Reason: collectors.ReasonAuth,
		Hint: awsfault.HintPermission(ActionRead), Permission: ActionRead, Err: err,
	}
}

// tellMissed notes which rules are behind. They are read again by the next pass.
func (p *pass) tellMissed(all []missed) {
	if len(all) == 0 {
		return
	}
	err := fmt.Errorf("CloudWatch did not give all figures of %d receipt rules; the first is %s of the rule set %s (%s)",
		len(all), all[0].id.Rule, all[0].id.RuleSet, all[0].status)
	if slices.ContainsFunc(all, func(m missed) bool { return m.status == cloudwatch.StatusForbidden }) {
		p.faults = append(p.faults, p.forbidden(err))
		return
	}
	p.fault(collectors.ReasonUnavailable, "", err)
}

func position(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
