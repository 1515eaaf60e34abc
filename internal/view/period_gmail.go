package view

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// joinedBefore is how many days before the period a reading may speak of mail of.
const joinedBefore = usedDays - 7

// readGmail joins what Gmail says about the period's days to their mail, as RefreshGmail does with the last days. Days that
// came late are there, as they came.
func (p *Period) readGmail(ctx context.Context) error {
	v := p.now
	zone := v.settings.zone()
	g := &gmail{zone: zone, asOf: p.lastMoment(), first: campaign.DayOf(p.query.start(), p.query.Zone)}
	g.last = g.first + campaign.Day(p.query.days()) - 1
	g.today = min(g.last, campaign.DayOf(p.asOf, zone))
	v.joiner = joiner{zone: zone, uses: map[campaign.Day]dayUses{}}
	set := newReadingSet(zone)
	for d := g.first - (reportedDays - 7); d <= g.today; d++ {
		if err := p.readGmailDays(ctx, set, d, d+1, zone, ""); err != nil {
			return err
		}
	}
	r := set.done()
	post := campaign.Postmaster{Readings: r.loops, Arrivals: r.arrivals, Today: g.today, Covered: g.today + 1}
	if covered := p.eras.first(); covered != forever {
		post.Covered = max(g.first-joinedBefore, campaign.DayOf(time.Unix(covered, 0), zone)+1)
	}
	for d := g.first - joinedBefore; d <= g.today; d++ {
		if err := v.readUses(ctx, g, d); err != nil {
			return err
		}
		post.Uses = append(post.Uses, v.joiner.uses[d].rows...)
		g.folded += v.joiner.uses[d].folded
	}
	g.join = campaign.NewJoin(post)
	g.identifiers = g.identifiersOf()
	g.show(r.domains)
	g.subjects = sync.OnceValue(g.walkable)
	v.gmail.Store(g)
	return p.readSpam(ctx, g)
}

// readGmailDays reads what is told of days, up to the day to, which is left out; of one metric, or of all when it is empty.
func (p *Period) readGmailDays(ctx context.Context, into *readingSet, d, to campaign.Day, zone *time.Location, metric string) error {
	for _, source := range []string{observation.PostmasterV2, observation.PostmasterV1} {
		rows, err := p.reader.Readings(ctx, ledger.ReadingQuery{
			Source: source, Metric: metric, From: d.Start(zone), To: to.Start(zone),
		})
		if err != nil {
			return err
		}
		for i := range rows {
			into.add(&rows[i])
		}
	}
	return nil
}

// Domains says what Gmail said about each domain, the highest rate of the period first.
func (p *Period) Domains() []Domain {
	g := p.now.gmail.Load()
	all := []Domain{}
	for _, d := range g.domains {
		all = append(all, d.over(g, g.first, g.last))
	}
	slices.SortStableFunc(all, func(a, b Domain) int { return cmp.Compare(b.Highest.rate(), a.Highest.rate()) })
	return all
}

// DomainHistory is what Gmail said about a domain day by day.
type DomainHistory struct {
	Domain, Source string
	// Days are those of the period in order, Earlier those of the weeks before it.
	Days, Earlier []DomainDay
}

// DomainDay is a day of a domain. Its state is ok with a rate, not_reported when the day came without one, and no_data when it
// did not come.
type DomainDay struct {
	Day   campaign.Day
	Rate  *float64
	State campaign.ReportState
	// Delivered counts deliveries to Gmail on the day of mail from the domain and its subdomains; it is not told of the days
	// before the period.
	Delivered int64
}

// DomainHistories says day by day what Gmail said of each domain, in the order of their names.
func (p *Period) DomainHistories() []DomainHistory { return p.spam }

// readSpam reads the rates of the domains, those of the weeks before the period, too.
func (p *Period) readSpam(ctx context.Context, g *gmail) error {
	set := newReadingSet(g.zone)
	earliest := g.first - campaign.Day(p.query.First)
	for _, metric := range []string{observation.PostmasterSpamRate, observation.PostmasterArrived} { // one of a domain and day
		if err := p.readGmailDays(ctx, set, earliest, g.today+1, g.zone, metric); err != nil {
			return err
		}
	}
	r := set.done()
	delivered := p.deliveredByDomain(r.domains)
	for _, d := range r.domains {
		h := DomainHistory{Domain: d.name, Source: d.source}
		for day := earliest; day <= g.last; day++ {
			told := d.on(day)
			if told.Delivered = delivered[domainDay{d.name, day}]; day < g.first {
				h.Earlier = append(h.Earlier, told)
			} else {
				h.Days = append(h.Days, told)
			}
		}
		p.spam = append(p.spam, h)
	}
	return nil
}

func (d *gmailDomain) on(day campaign.Day) DomainDay {
	told := DomainDay{Day: day, State: campaign.ReportNoData}
	if slices.ContainsFunc(d.arrived, func(a arrivedDay) bool { return a.day == day }) {
		told.State = campaign.ReportNotReported
	}
	for i := range d.spam {
		if d.spam[i].day == day {
			told.State, told.Rate = campaign.ReportOK, new(short(d.spam[i].value))
		}
	}
	return told
}

// deliveredByDomain counts deliveries to Gmail by domain and day.
func (p *Period) deliveredByDomain(domains []*gmailDomain) map[domainDay]int64 {
	known := map[string]*gmailDomain{}
	for _, d := range domains {
		known[d.name] = d
	}
	b := &dayBook{}
	for _, day := range slices.Sorted(maps.Keys(p.now.joiner.uses)) {
		b.uses = append(b.uses, p.now.joiner.uses[day].rows)
	}
	return b.delivered(known)
}

// gmailRates are the rates that are campaigns' own, by campaign, in the order of the days, the highest of each day.
func (p *Period) gmailRates() map[campaign.Name][]GmailRate {
	g := p.now.gmail.Load()
	all := map[campaign.Name][]GmailRate{}
	for i := range g.join.Readings() {
		r := &g.join.Readings()[i]
		if r.Match != campaign.MatchOwn || r.Rate == nil || r.CarryOver || r.Day < g.first || r.Day > g.last {
			continue
		}
		n := r.Users[0].Name
		rate := GmailRate{Day: r.Day, Rate: short(*r.Rate), Value: r.Identifier, Domain: r.Domain, Delivered: r.OfDay}
		at, found := slices.BinarySearchFunc(all[n], r.Day, func(a GmailRate, d campaign.Day) int { return cmp.Compare(a.Day, d) })
		switch {
		case !found:
			all[n] = slices.Insert(all[n], at, rate)
		case rate.Rate > all[n][at].Rate:
			all[n][at] = rate
		}
	}
	return all
}

// Identifiers are those that Gmail reported in the period, the highest rates first.
func (p *Period) Identifiers() Identifiers { return p.now.Identifiers(IdentifierQuery{}) }
