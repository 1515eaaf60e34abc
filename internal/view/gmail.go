package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// usedDays is how many days of mail are joined, today included: a week, and what its first readings speak of.
	usedDays = 10
	// reportedDays is how many days of readings are looked at, so that a domain that fell silent is still known.
	reportedDays = 15
	// liveDays is how many days of mail are read every time; the others, which seldom change, when they do, and every hour.
	liveDays   = 2
	usesEvery  = time.Hour
	usesAtOnce = 6 * time.Hour
	// readingsEvery is how often all readings are read when no day arrived or changed its rate.
	readingsEvery = 10 * time.Minute
	// maxDayUses bounds the mail of a day that is told apart. What has the least mail to Gmail goes to (other): Gmail
	// reports what has hundreds of recipients a day.
	maxDayUses = 10_000
)

// gmail is what is known of Gmail at one time. It does not change.
type gmail struct {
	zone  *time.Location
	asOf  time.Time
	today campaign.Day
	join  *campaign.Join
	// domains are in the order of their names. In worst, those of which something came lately come first, and of them those
	// with the highest of the newest rates.
	domains, worst []*gmailDomain
	// What answers list is made once. Identifiers come in the order of their rates, the highest first.
	identifiers []DomainIdentifier
	unreported  []campaign.Unreported
	advice      []campaign.Advice
	// subjects are what WalkGmail shows, days what WalkGmailDays does, places where campaigns were sent from; all are made when
	// they are first asked for.
	subjects func() []GmailSubject
	days     func() map[string][]GmailSeries
	places   func() map[campaign.Name]Places
	// folded is how many rows of use were too many to be told apart.
	folded int
}

// joiner keeps what was read for a gmail, so that most of it need not be read for the next.
type joiner struct {
	zone *time.Location
	uses map[campaign.Day]dayUses

	readings       *readings
	readingsAt     time.Time
	newestArrivals arrivals
}

type dayUses struct {
	rows   []campaign.Use
	folded int
	at     time.Time
}

// arrivals tells whether days arrived or changed between two looks.
type arrivals struct {
	n    int
	last time.Time
}

// RefreshGmail joins what Gmail reports to what was sent, as of the last Refresh. It is called by one loop, about once a
// minute; after an error the view keeps what it knew. It reads the last two days of use each time, and older ones, and
// all readings, when they change and now and then.
func (v *View) RefreshGmail(ctx context.Context) error {
	v.joining.Lock()
	defer v.joining.Unlock()
	v.mu.Lock()
	asOf, zone, covered := v.asOf, v.settings.zone(), v.sums.eras.first()
	late, all := v.late, v.allLate
	v.late, v.allLate = map[int64]bool{}, false
	v.mu.Unlock()
	if asOf.IsZero() {
		return nil
	}
	j := &v.joiner
	if j.zone == nil || j.zone.String() != zone.String() {
		*j = joiner{zone: zone, uses: map[campaign.Day]dayUses{}}
	}
	j.forget(late, all)
	g := &gmail{zone: zone, asOf: asOf, today: campaign.DayOf(asOf, zone)}
	if err := v.readReadings(ctx, g); err != nil {
		return fmt.Errorf("read Gmail's readings: %w", err)
	}
	p := campaign.Postmaster{
		Readings: j.readings.loops, Arrivals: j.readings.arrivals, Today: g.today, Covered: g.today - usedDays + 1,
	}
	if covered == forever {
		p.Covered = g.today + 1
	} else {
		p.Covered = max(p.Covered, campaign.DayOf(time.Unix(covered, 0), zone)+1)
	}
	for d := range j.uses {
		if d <= g.today-usedDays || d > g.today {
			delete(j.uses, d)
		}
	}
	for d := g.today - usedDays + 1; d <= g.today; d++ {
		if err := v.readUses(ctx, g, d); err != nil {
			return fmt.Errorf("read the use of identifiers on %s: %w", d, err)
		}
		p.Uses = append(p.Uses, j.uses[d].rows...)
		g.folded += j.uses[d].folded
	}
	g.join = campaign.NewJoin(p)
	g.identifiers, g.unreported, g.advice = g.identifiersOf(), g.join.Unreported(), g.join.Advice()
	g.show(j.readings.domains)
	g.subjects = sync.OnceValue(g.walkable)
	v.dayByDay(g, p.Covered, covered != forever)
	v.gmail.Store(g)
	return nil
}

// noteLate notes of which hours older mail was counted, for what was read of their use does not hold any more: a queue that was
// not read for days, or saved events. It is called with mu held.
func (v *View) noteLate(rows []ledger.CohortRow) {
	before := v.asOf.Add(-24 * time.Hour)
	for i := range rows {
		r := &rows[i]
		if o := r.Cell.Outcome; r.Start.Before(before) && (o == observation.Sent || o == observation.Delivered) {
			v.late[hourOf(r.Start.Unix())] = true
		}
	}
}

// forget drops the days of some hours, so that their use is read again.
func (j *joiner) forget(hours map[int64]bool, all bool) {
	if all {
		clear(j.uses)
	}
	for hour := range hours {
		// Hours of use begin where those of the ledger's zone do, which may be in the hour before.
		for _, start := range []int64{hour, hour - step} {
			delete(j.uses, campaign.DayOf(time.Unix(start, 0), j.zone))
		}
	}
}

// first is the earliest send time at which an origin published Send or Delivery events, forever when none does.
func (e *eras) first() int64 {
	first := int64(forever)
	for _, since := range e.origins {
		first = min(first, since[0], since[1])
	}
	return first
}

// readUses brings the use of a day up to date.
func (v *View) readUses(ctx context.Context, g *gmail, d campaign.Day) error {
	j := &v.joiner
	if day, ok := j.uses[d]; ok && d <= g.today-liveDays && g.asOf.Sub(day.at) < usesEvery {
		return nil
	}
	sums := map[campaign.Use]*[2]int64{}
	// An hour belongs to the day in which it begins: zones that are off by half an hour part hours.
	for from, end := d.Start(g.zone), (d + 1).Start(g.zone); from.Before(end); from = from.Add(usesAtOnce) {
		to := from.Add(usesAtOnce)
		if to.After(end) {
			to = end
		}
		rows, err := v.reader.Uses(ctx, from, to)
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			key := campaign.Use{
				Day: d, Account: r.Account, Region: r.Region, Stamp: r.Stamp,
				Campaign: campaign.Name{Tenant: r.Campaign.Tenant, Campaign: r.Campaign.Name},
			}
			if sums[key] == nil {
				sums[key] = new([2]int64)
			}
			sums[key][0] += r.Sent
			sums[key][1] += r.GmailDelivered
		}
	}
	day := dayUses{rows: make([]campaign.Use, 0, len(sums)), at: g.asOf}
	for u, n := range sums {
		u.Sent, u.GmailDelivered = n[0], n[1]
		day.rows = append(day.rows, u)
	}
	day.fold(maxDayUses)
	j.uses[d] = day
	return nil
}

// fold keeps the rows with most mail to Gmail and sums the others by From domain, without their names.
func (d *dayUses) fold(limit int) {
	if len(d.rows) <= limit {
		return
	}
	slices.SortFunc(d.rows, func(a, b campaign.Use) int {
		return cmp.Or(cmp.Compare(b.GmailDelivered, a.GmailDelivered), cmp.Compare(b.Sent, a.Sent))
	})
	rest := map[campaign.Use]*[2]int64{}
	for _, u := range d.rows[limit:] {
		key := campaign.Use{Day: u.Day, Account: u.Account, Region: u.Region, Campaign: campaign.Name{Campaign: observation.Other}}
		key.Stamp = observation.Stamp{FromDomain: u.Stamp.FromDomain, A: folded(u.Stamp.A), B: folded(u.Stamp.B)}
		if rest[key] == nil {
			rest[key] = new([2]int64)
		}
		rest[key][0] += u.Sent
		rest[key][1] += u.GmailDelivered
		d.folded++
	}
	d.rows = slices.Clone(d.rows[:limit])
	for u, n := range rest {
		u.Sent, u.GmailDelivered = n[0], n[1]
		d.rows = append(d.rows, u)
	}
}

func folded(value string) string {
	if value == "" {
		return ""
	}
	return observation.Other
}

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
	d.measures = slices.DeleteFunc(d.measures, func(m Measure) bool {
		if m.Metric != observation.PostmasterAccess {
			return false
		}
		if d.asked = m.Day; m.Text != accessOK {
			d.access = m.Text
		}
		return true
	})
}

// accessOK is the access of a domain that can be read.
const accessOK = "ok"
