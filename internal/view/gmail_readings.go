package view

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// readings is what the ledger has of Gmail's readings, in the form that is used. It does not change.
type readings struct {
	loops []campaign.Reading
	// loopsSeen is when each of the loops was first seen.
	loopsSeen []time.Time
	arrivals  []campaign.Arrival
	domains   []*gmailDomain
}

// gmailDomain is what Gmail says about a domain, by one version of the API.
type gmailDomain struct {
	name, source string
	// access is why the domain cannot be read, empty when it can.
	access string
	// asked is the last day on which the domain was asked for, newest the last day of which figures came; 0 when there is none.
	asked, newest campaign.Day
	// arrived are the days of which anything came, newest first.
	arrived []arrivedDay
	// spam are the days that have a rate, oldest first.
	spam []measured
	// daily are the values of each day, newest first, of what is judged day by day.
	daily map[dailyKey][]dailyValue
	// measures are the newest values of everything else.
	measures []Measure
	// shown is what is shown of it whatever the window is.
	shown Domain
}

// measured is a value of a day.
type measured struct {
	day                    campaign.Day
	value                  float64
	firstSeen, lastChanged time.Time
}

// readReadings reads the readings afresh when days arrived or changed, and every ten minutes for what changes without.
func (v *View) readReadings(ctx context.Context, g *gmail) error {
	j := &v.joiner
	sources := []string{observation.PostmasterV2, observation.PostmasterV1}
	var seen arrivals
	for _, source := range sources {
		if err := v.arrivedOf(ctx, g, source, &seen); err != nil {
			return err
		}
	}
	if j.readings != nil && seen == j.newestArrivals && g.asOf.Sub(j.readingsAt) < readingsEvery {
		return nil
	}
	r := newReadingSet(g.zone)
	for d := g.today - reportedDays + 1; d <= g.today; d++ {
		for _, source := range sources {
			q := ledger.ReadingQuery{Source: source, From: d.Start(g.zone), To: (d + 1).Start(g.zone)}
			rows, err := v.reader.Readings(ctx, q)
			if err != nil {
				return err
			}
			for i := range rows {
				r.add(&rows[i])
			}
		}
	}
	j.readings, j.readingsAt, j.newestArrivals = r.done(), g.asOf, seen
	return nil
}

// arrivedOf notes which days arrived, and when they last changed.
func (v *View) arrivedOf(ctx context.Context, g *gmail, source string, seen *arrivals) error {
	from, to := (g.today - reportedDays + 1).Start(g.zone), time.Unix(farAhead(g.asOf), 0)
	for _, metric := range []string{observation.PostmasterArrived, observation.PostmasterSpamRate} {
		rows, err := v.reader.Readings(ctx, ledger.ReadingQuery{Source: source, Metric: metric, From: from, To: to})
		if err != nil {
			return err
		}
		for i := range rows {
			seen.n++
			if rows[i].LastChanged.After(seen.last) {
				seen.last = rows[i].LastChanged
			}
		}
	}
	return nil
}

// readingSet gathers readings. A day that was stored under the bounds of another zone too is taken as it was stored last.
type readingSet struct {
	zone *time.Location
	rows map[readingOfDay]ledger.ReadingRow
}

type readingOfDay struct {
	key observation.ReadingKey
	day campaign.Day
}

func newReadingSet(zone *time.Location) *readingSet {
	return &readingSet{zone, map[readingOfDay]ledger.ReadingRow{}}
}

func (s *readingSet) add(row *ledger.ReadingRow) {
	// The middle is in the day wherever the day was cut.
	middle := row.Start.Add(row.End.Sub(row.Start) / 2)
	at := readingOfDay{row.Key, campaign.DayOf(middle, s.zone)}
	if before, ok := s.rows[at]; !ok || row.FirstSeen.After(before.FirstSeen) {
		s.rows[at] = *row
	}
}

func (s *readingSet) done() *readings {
	r := &readings{}
	type source struct{ name, source string }
	domains := map[source]*gmailDomain{}
	loops := []seenLoop{}
	for at, row := range s.rows {
		k := at.key
		d := domains[source{k.Subject, k.Source}]
		if d == nil {
			d = &gmailDomain{name: k.Subject, source: k.Source, daily: map[dailyKey][]dailyValue{}}
			domains[source{k.Subject, k.Source}] = d
			r.domains = append(r.domains, d)
		}
		d.takeDaily(k, at.day, &row)
		switch {
		case k.Metric == observation.PostmasterArrived:
			r.arrivals = append(r.arrivals, campaign.Arrival{Source: k.Source, Domain: k.Subject, Day: at.day})
			d.newest = max(d.newest, at.day)
		case k.Metric == observation.PostmasterSpamRate && row.Value != nil:
			d.spam = append(d.spam, measured{at.day, *row.Value, row.FirstSeen, row.LastChanged})
		case k.Metric == observation.PostmasterFeedbackLoopSpamRate:
			if aggregation, identifier, ok := observation.CutFeedbackLoopDetail(k.Detail); ok {
				loops = append(loops, seenLoop{campaign.Reading{
					Source: k.Source, Domain: k.Subject, Aggregation: aggregation, Identifier: identifier, Day: at.day, Rate: row.Value,
				}, row.FirstSeen})
				d.newest = max(d.newest, at.day)
			}
		default:
			d.measures = append(d.measures, Measure{Metric: k.Metric, Detail: k.Detail, Value: row.Value, Text: row.Text, Day: at.day})
		}
	}
	for _, d := range r.domains {
		d.order()
	}
	slices.SortFunc(r.domains, func(a, b *gmailDomain) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(b.source, a.source))
	})
	slices.SortFunc(loops, func(a, b seenLoop) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Identifier, b.Identifier), cmp.Compare(b.Source, a.Source),
			cmp.Compare(b.Aggregation, a.Aggregation), cmp.Compare(b.Day, a.Day))
	})
	for _, l := range loops {
		r.loops, r.loopsSeen = append(r.loops, l.Reading), append(r.loopsSeen, l.firstSeen)
	}
	return r
}

// order keeps the newest of each measure, and takes the state of access out of them.
func (d *gmailDomain) order() {
	slices.SortFunc(d.spam, func(a, b measured) int { return cmp.Compare(a.day, b.day) })
	d.orderDaily()
	slices.SortFunc(d.measures, func(a, b Measure) int {
		return cmp.Or(strings.Compare(a.Metric, b.Metric), strings.Compare(a.Detail, b.Detail), cmp.Compare(b.Day, a.Day))
	})
	d.measures = slices.CompactFunc(d.measures, func(a, b Measure) bool { return a.Metric == b.Metric && a.Detail == b.Detail })
	isAccess := func(m Measure) bool { return m.Metric == observation.PostmasterAccess }
	if from := slices.IndexFunc(d.measures, isAccess); from >= 0 {
		access := slices.Clone(d.measures[from:])
		d.admit(slices.DeleteFunc(access, func(m Measure) bool { return !isAccess(m) }))
	}
	d.measures = slices.DeleteFunc(d.measures, isAccess)
}

// admit finds out whether the domain can be read. One Google account that may read it is enough; what was said before the day
// on which the domain was last asked for is over, but for the day before, because accounts are read one after the other.
func (d *gmailDomain) admit(access []Measure) {
	for i := range access {
		d.asked = max(d.asked, access[i].Day)
	}
	slices.SortFunc(access, func(a, b Measure) int { return cmp.Compare(b.Day, a.Day) })
	for i := range access {
		switch m := &access[i]; {
		case m.Day < d.asked-1:
			return
		case m.Text == accessOK:
			d.access = ""
			return
		case d.access == "":
			d.access = m.Text
		}
	}
}

// accessOK is the access of a domain that can be read.
const accessOK = "ok"
