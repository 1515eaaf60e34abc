package traffic

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Metric names a series of CloudWatch's namespace AWS/SES. Its dimensions are sorted by name; those that it does not have
// are empty.
type Metric struct {
	Name       string
	Dimensions [2]Dimension
}

// Dimension is one dimension of a Metric.
type Dimension struct{ Name, Value string }

// AccountMetric is a series of an account in a region, SetMetric one of a configuration set, TenantMetric one of a tenant,
// ReceiptMetric one of a receipt rule.
func AccountMetric(name string) Metric { return Metric{Name: name} }

// SetMetric is described with AccountMetric.
func SetMetric(name, set string) Metric {
	return Metric{name, [2]Dimension{{"ses:configuration-set", set}}}
}

// TenantMetric is described with AccountMetric.
func TenantMetric(name, account, region, tenant string) Metric {
	return Metric{name, [2]Dimension{{"TenantId", TenantID(account, region, tenant)}, {"TenantName", tenant}}}
}

// ReceiptMetric is described with AccountMetric.
func ReceiptMetric(name, ruleSet, rule string) Metric {
	return Metric{name, [2]Dimension{{"RuleName", rule}, {"RuleSetName", ruleSet}}}
}

// Datum is what CloudWatch knows of a minute.
type Datum struct {
	// At is its start.
	At            time.Time
	Samples       int64
	Sum, Min, Max float64
}

// Spelling chooses among names that SES's documents give to one metric.
type Spelling uint8

const (
	// Plural is Opens, Clicks and "Rendering Failures", as Grafana knows them.
	Plural Spelling = iota
	// Singular is Open, Click and RenderingFailure, as the CDK knows them.
	Singular
)

// ConfigurationSet says what a set does besides publishing the events of its campaigns.
type ConfigurationSet struct {
	Name string
	// Counted says that it has an event destination CloudWatch with the dimension ses:configuration-set, Reputation that it
	// keeps reputation metrics of its own.
	Counted, Reputation bool
}

// Metrics is what SES tells CloudWatch about a model's mail, whether or not its events are published anywhere: by account and
// region, by configuration set, by tenant, and by receipt rule. What happens to a mail with several recipients counts for
// each of them, except that a complaint is one; suppressed recipients are bounces; opens and clicks of machines count. It is
// safe for concurrent use. It derives the time that it is asked for once, and keeps its counts.
type Metrics struct {
	model  *Model
	series map[seriesKey]*series
	// owners has those that a campaign's mail is counted for, rules the owner of each receipt rule that may have traffic.
	owners map[*Campaign][]*owner
	rules  []receiver

	mu sync.Mutex
	// low and high bound the slots that were derived.
	low, high time.Time
}

type seriesKey struct {
	account, region string
	metric          Metric
}

// series is one metric of an owner.
type series struct {
	of *owner
	// what is counted; with per it is a rate of the two.
	what, per measure
}

// owner is somebody whose mail is counted.
type owner struct {
	account, region string
	dimensions      [2]Dimension
	// counts has the minutes of an hour by the hour since 1970.
	counts [measures]map[int64]*[60]uint32
}

// receiver is a receipt rule with its counts.
type receiver struct {
	*owner
	rule *ReceiptRule
	key  uint64
}

// Metrics returns the model's mail as CloudWatch counts it.
func (m *Model) Metrics(spelling Spelling) *Metrics {
	s := &Metrics{model: m, series: map[seriesKey]*series{}, owners: map[*Campaign][]*owner{}}
	known := map[seriesKey]*owner{}
	for i := range m.story.Campaigns {
		c := &m.story.Campaigns[i]
		s.owners[c] = s.ownersOf(c, known, spelling)
	}
	for i := range m.story.RuleSets {
		set := &m.story.RuleSets[i]
		for j := range set.Rules {
			r := &set.Rules[j]
			o := &owner{account: set.Account, region: set.Region,
				dimensions: ReceiptMetric("", set.Name, r.Name).Dimensions}
			s.add(o, receiptNames())
			if set.Active {
				s.rules = append(s.rules, receiver{o, r, mix(m.options.Seed ^ receiptSalt + uint64(i)<<16 + uint64(j))})
			}
		}
	}
	return s
}

// ownersOf finds or makes those that a campaign's mail is counted for.
func (s *Metrics) ownersOf(c *Campaign, known map[seriesKey]*owner, spelling Spelling) (all []*owner) {
	take := func(dimensions [2]Dimension, names ...metricNames) {
		key := seriesKey{c.Account, c.Region, Metric{Dimensions: dimensions}}
		if known[key] == nil {
			known[key] = &owner{account: c.Account, region: c.Region, dimensions: dimensions}
			for _, n := range names {
				s.add(known[key], n)
			}
		}
		all = append(all, known[key])
	}
	take([2]Dimension{}, sendingNames(spelling), rateNames())
	for _, set := range s.model.story.Sets {
		if set.Name != c.ConfigurationSet {
			continue
		}
		var names []metricNames
		if set.Counted {
			names = append(names, sendingNames(spelling))
		}
		if set.Reputation {
			names = append(names, rateNames())
		}
		take(SetMetric("", set.Name).Dimensions, names...)
	}
	if c.Tenant != "" {
		take(TenantMetric("", c.Account, c.Region, c.Tenant).Dimensions, tenantNames())
	}
	return all
}

func (s *Metrics) add(o *owner, names metricNames) {
	for name, m := range names {
		s.series[seriesKey{o.account, o.region, Metric{name, o.dimensions}}] = &series{o, m.what, m.per}
	}
}

// Metrics lists the series of an account and region that have data in [from, to), in order.
func (s *Metrics) Metrics(account, region string, from, to time.Time) []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.derive(from, to)
	var all []Metric
	for key, one := range s.series {
		if key.account == account && key.region == region && s.any(one, from, to) {
			all = append(all, key.metric)
		}
	}
	slices.SortFunc(all, compareMetrics)
	return all
}

// any says whether a series has data. A rate has where its numerator has or had.
func (s *Metrics) any(one *series, from, to time.Time) bool {
	if one.per != measureNone {
		return len(s.rates(one, from, to)) > 0
	}
	first, last := hourOf(from), hourOf(to.Add(-1))
	for h := range one.of.counts[one.what] {
		if h > first && h < last || (h == first || h == last) && len(one.minutes(h, h, from, to)) > 0 {
			return true
		}
	}
	return false
}

// Data returns the minutes in [from, to) of which a series has data, in order; none when there is no such series.
func (s *Metrics) Data(account, region string, m Metric, from, to time.Time) []Datum {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.series[seriesKey{account, region, m}]
	if one == nil || !from.Before(to) {
		return nil
	}
	if one.per != measureNone {
		return s.rates(one, from, to)
	}
	s.derive(from, to)
	return one.minutes(hourOf(from), hourOf(to.Add(-1)), from, to)
}

// Sum is the truth about a count in [from, to).
func (s *Metrics) Sum(account, region string, m Metric, from, to time.Time) (sum float64) {
	for _, d := range s.Data(account, region, m, from, to) {
		sum += d.Sum
	}
	return sum
}

// Judged is how many recipients were sent mail in [from, to), other than those of SES's mailbox simulator: what counts
// towards the quota.
func (s *Metrics) Judged(account, region string, from, to time.Time) (sum float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.series[seriesKey{account, region, Metric{Name: "Send"}}]
	if one == nil || !from.Before(to) {
		return 0
	}
	s.derive(from, to)
	for _, d := range (&series{of: one.of, what: measureJudged}).minutes(hourOf(from), hourOf(to.Add(-1)), from, to) {
		sum += d.Sum
	}
	return sum
}

// derive derives what happens in [from, to).
func (s *Metrics) derive(from, to time.Time) {
	reach := max(s.model.options.Lateness, receiptGivesUp) + slot
	low, high := from.Add(-reach).UTC().Truncate(slot), to.UTC().Add(slot-1).Truncate(slot)
	if since := s.model.options.Since; low.Before(since) {
		low = since.UTC().Truncate(slot)
	}
	if s.low.IsZero() {
		s.low, s.high = low, low
	}
	pcg := rand.NewPCG(0, 0)
	gen := generator{model: s.model, pcg: pcg, rand: rand.New(pcg), emit: func(Event) {}, witness: s.see}
	for at := low; at.Before(s.low); at = at.Add(slot) {
		s.slot(&gen, at)
	}
	for at := s.high; at.Before(high); at = at.Add(slot) {
		s.slot(&gen, at)
	}
	if low.Before(s.low) {
		s.low = low
	}
	if s.high.Before(high) {
		s.high = high
	}
}

// slot derives the mail of a slot, outbound and inbound.
func (s *Metrics) slot(gen *generator, start time.Time) {
	gen.slot(start)
	until := s.model.options.Until
	if start.Before(s.model.options.Since) || !until.IsZero() && !start.Before(until) {
		return
	}
	for i := range s.rules {
		r := &s.rules[i]
		gen.pcg.Seed(r.key, uint64(start.Unix()))
		r.rule.receive(gen.rand, start, func(what measure, at time.Time) { r.count(what, at, 1) })
	}
}

// see counts an event for everybody whose it is.
func (s *Metrics) see(e *Event) {
	for _, o := range s.owners[e.Mail.Send.Campaign] {
		for what, n := range measuresOf(e) {
			o.count(what, e.At, n)
		}
	}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// count adds to a minute.
func (o *owner) count(what measure, at time.Time, n int) {
	hour := hourOf(at)
	if o.counts[what] == nil {
		o.counts[what] = map[int64]*[60]uint32{}
	}
	minutes := o.counts[what][hour]
	if minutes == nil {
		minutes = new([60]uint32)
		o.counts[what][hour] = minutes
	}
	minutes[at.Unix()/60%60] += uint32(n)
}

// minutes returns the data of the hours first to last that are in [from, to). Each sample is one of what is counted.
func (s *series) minutes(first, last int64, from, to time.Time) (data []Datum) {
	counts := s.of.counts[s.what]
	for hour := first; hour <= last && counts != nil; hour++ {
		minutes := counts[hour]
		if minutes == nil {
			continue
		}
		for i, n := range minutes {
			at := time.Unix(hour*3600+int64(i)*60, 0).UTC()
			if n > 0 && !at.Before(from) && at.Before(to) {
				data = append(data, Datum{At: at, Samples: int64(n), Sum: float64(n), Min: 1, Max: 1})
			}
		}
	}
	return data
}
