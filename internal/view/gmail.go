package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	// first and last are the days of a period that is over; 0 where windows end today.
	first, last campaign.Day
	join        *campaign.Join
	// domains are in the order of their names. In worst, those of which something came lately come first, and of them those
	// with the highest of the newest rates.
	domains, worst []*gmailDomain
	// What answers list is made once. Identifiers come in the order of their rates, the highest first.
	identifiers []DomainIdentifier
	unreported  []campaign.Unreported
	advice      []campaign.Advice
	// subjects are what WalkGmail shows, days what WalkGmailDays does, arrived what DomainDays tells, places where campaigns
	// were sent from; all are made when they are first asked for.
	subjects func() []GmailSubject
	days     func() map[string][]GmailSeries
	arrived  func() map[string][]ShownDay
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
