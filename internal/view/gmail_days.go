package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// lateAfter is how long after its end a day may come without being late. Gmail needs one to three days.
const lateAfter = 4 * 24 * time.Hour

// GmailSeries is a figure that Gmail gives of every day, about a domain or an identifier.
type GmailSeries struct {
	// Source is the API that tells of the domain: where two do, the one of which something came lately, the newer one before
	// the other. Their figures are never mixed.
	Domain, Source string
	// Detail tells apart several figures of one metric. Identifier is that of an identifier's rate.
	Detail, Identifier string
	// Own is the campaign that alone used the identifier for the newest day that is joined to its mail; nil when several did,
	// and for figures of a domain.
	Own *campaign.Name
	// State is that of the domain as a source: ok; error when it cannot be read; stale when it was not asked lately, or tells
	// nothing new although there was mail; idle when there was none of which it could tell; no_data when it never told
	// anything.
	State signal.State
	// Days are those that have arrived, the newest first. A day of which the deliveries are not known yet is left out: it
	// comes when they are.
	Days []GmailDay
}

// GmailDay is what Gmail says of one day.
type GmailDay struct {
	Day campaign.Day
	// Value is nil when the day arrived without the figure, and when that speaks of the mail of earlier days.
	Value *float64
	// Deliveries are those to personal Gmail addresses on the day, of an identifier those with it. They are 0 where no
	// events of deliveries ever came.
	Deliveries int64
	// Late says that the figure was first seen more than four days after the day's end.
	Late bool
}

// WalkGmailDays calls see with all that Gmail gives day by day under the collector's name of it, such as
// observation.PostmasterSpamRate, until see returns false; with observation.PostmasterFeedbackLoopSpamRate, with every
// identifier that campaigns used. It must not be changed.
func (v *View) WalkGmailDays(metric string, see func(*GmailSeries) bool) {
	g := v.gmail.Load()
	if g == nil {
		return
	}
	all := g.days()[metric]
	for i := range all {
		if !see(&all[i]) {
			return
		}
	}
}

// GmailZone is where Gmail's days begin; nil before the first RefreshGmail.
func (v *View) GmailZone() *time.Location {
	if g := v.gmail.Load(); g != nil {
		return g.zone
	}
	return nil
}

// seenLoop is a reading about an identifier and when it was first seen.
type seenLoop struct {
	campaign.Reading
	firstSeen time.Time
}

type dailyKey struct{ metric, detail string }

// dailyValue is a value of a day, nil when the day came without.
type dailyValue struct {
	day       campaign.Day
	value     *float64
	firstSeen time.Time
}

type arrivedDay struct {
	day       campaign.Day
	firstSeen time.Time
}

// dailyMetrics are those of which every day is kept, beside the rates of identifiers.
func dailyMetrics() []string {
	return []string{
		observation.PostmasterSpamRate, observation.PostmasterAuthRate, observation.PostmasterTLSRate,
		observation.PostmasterErrorRate,
	}
}

// takeDaily keeps a reading that is judged day by day.
func (d *gmailDomain) takeDaily(k observation.ReadingKey, day campaign.Day, row *ledger.ReadingRow) {
	switch {
	case k.Metric == observation.PostmasterArrived:
		d.arrived = append(d.arrived, arrivedDay{day, row.FirstSeen})
	case slices.Contains(dailyMetrics(), k.Metric):
		key := dailyKey{k.Metric, k.Detail}
		d.daily[key] = append(d.daily[key], dailyValue{day, row.Value, row.FirstSeen})
	}
}

func (d *gmailDomain) orderDaily() {
	slices.SortFunc(d.arrived, func(a, b arrivedDay) int { return cmp.Compare(b.day, a.day) })
	for _, values := range d.daily {
		slices.SortFunc(values, func(a, b dailyValue) int { return cmp.Compare(b.day, a.day) })
	}
}

// dayByDay prepares what WalkGmailDays and Places show, as of a join.
func (v *View) dayByDay(g *gmail, covered campaign.Day, counts bool) {
	b := &dayBook{
		gmail: g, loopsSeen: v.joiner.readings.loopsSeen, covered: covered, counts: counts,
		countedTo: g.asOf.Add(-max(v.lag(), 0)),
	}
	if failing := v.failingSince(); !failing.IsZero() && failing.Before(b.countedTo) {
		b.countedTo = failing
	}
	for _, day := range v.joiner.uses {
		b.uses = append(b.uses, day.rows)
	}
	g.days, g.arrived, g.places = sync.OnceValue(b.series), sync.OnceValue(b.arrivedDays), sync.OnceValue(b.places)
}

// dayBook makes of a join what is told day by day. What it holds does not change.
type dayBook struct {
	*gmail
	loopsSeen []time.Time
	uses      [][]campaign.Use
	// covered is the first day of which all mail is known, countedTo up to when what became of it is; counts says that
	// deliveries were ever counted.
	covered   campaign.Day
	countedTo time.Time
	counts    bool
}

type domainDay struct {
	domain string
	day    campaign.Day
}

// series makes every series, by metric.
func (b *dayBook) series() map[string][]GmailSeries {
	chosen := b.chosen()
	delivered := b.delivered(chosen)
	all := map[string][]GmailSeries{}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		d := chosen[name]
		state := b.state(d, delivered)
		keys := slices.SortedFunc(maps.Keys(d.daily), func(a, b dailyKey) int {
			return cmp.Or(cmp.Compare(a.metric, b.metric), cmp.Compare(a.detail, b.detail))
		})
		for _, key := range keys {
			all[key.metric] = append(all[key.metric], GmailSeries{
				Domain: d.name, Source: d.source, Detail: key.detail, State: state,
				Days: b.days(d, d.daily[key], func(day campaign.Day) int64 { return delivered[domainDay{d.name, day}] }),
			})
		}
		if spam := (dailyKey{metric: observation.PostmasterSpamRate}); d.daily[spam] == nil {
			all[spam.metric] = append(all[spam.metric], GmailSeries{
				Domain: d.name, Source: d.source, State: state, Days: b.days(d, nil, nil),
			})
		}
	}
	all[observation.PostmasterFeedbackLoopSpamRate] = b.identifierSeries(chosen, delivered)
	return all
}

// chosen are the domains by their names, each as one source tells of it.
func (b *dayBook) chosen() map[string]*gmailDomain {
	all := map[string]*gmailDomain{}
	for _, d := range b.domains { // of one name the newer source comes first
		if before := all[d.name]; before == nil || before.shown.State != campaign.ReportOK && d.shown.State == campaign.ReportOK {
			all[d.name] = d
		}
	}
	return all
}

// delivered counts, of each domain and day, deliveries to Gmail of mail from the domain and its subdomains, as Gmail does.
func (b *dayBook) delivered(domains map[string]*gmailDomain) map[domainDay]int64 {
	all := map[domainDay]int64{}
	for _, rows := range b.uses {
		for i := range rows {
			for domain := range above(rows[i].Stamp.FromDomain) {
				if domains[domain] != nil {
					all[domainDay{domain, rows[i].Day}] += rows[i].GmailDelivered
				}
			}
		}
	}
	return all
}

// above yields a domain and all those that it is in.
func above(domain string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for rest, more := domain, domain != ""; more; {
			if !yield(rest) {
				return
			}
			_, rest, more = strings.Cut(rest, ".")
		}
	}
}

// known says whether all deliveries of a day are counted, as far as can be told.
func (b *dayBook) known(day campaign.Day) bool {
	return day >= b.covered && !(day + 1).Start(b.zone).After(b.countedTo)
}

// days are a domain's arrived days with the values of one figure, both the newest first.
func (b *dayBook) days(d *gmailDomain, values []dailyValue, delivered func(campaign.Day) int64) []GmailDay {
	days := make([]GmailDay, 0, len(d.arrived))
	for _, a := range d.arrived {
		if b.counts && !b.known(a.day) {
			continue
		}
		for len(values) > 0 && values[0].day > a.day {
			values = values[1:]
		}
		day, seen := GmailDay{Day: a.day}, a.firstSeen
		if len(values) > 0 && values[0].day == a.day && values[0].value != nil {
			day.Value, day.Deliveries, seen = values[0].value, delivered(a.day), values[0].firstSeen
		}
		day.Late = seen.After((a.day + 1).Start(b.zone).Add(lateAfter))
		days = append(days, day)
	}
	return days
}

// state is that of a domain as a source of daily figures.
func (b *dayBook) state(d *gmailDomain, delivered map[domainDay]int64) signal.State {
	switch {
	case d.access != "":
		return signal.Error
	case d.shown.State == campaign.ReportOK:
		return signal.OK
	case d.asked < b.today-1:
		return signal.Stale
	case b.quiet(d, delivered):
		return signal.Idle
	case d.newest == 0:
		return signal.NoData
	default:
		return signal.Stale
	}
}

// quiet says that nothing was delivered to Gmail on those days since the last one that came of which one should have come by
// now.
func (b *dayBook) quiet(d *gmailDomain, delivered map[domainDay]int64) bool {
	first, last := max(d.newest+1, b.today-usedDays+1), b.today
	for campaign.Fresh(last-1, b.today) {
		last--
	}
	for day := first; day <= last; day++ {
		if !b.known(day) || delivered[domainDay{d.name, day}] > 0 {
			return false
		}
	}
	return b.counts
}

// identifierSeries are the rates of the identifiers that campaigns used.
func (b *dayBook) identifierSeries(domains map[string]*gmailDomain, delivered map[domainDay]int64) (all []GmailSeries) {
	readings := b.join.Readings() // those of one identifier are neighbours, the newest first
	for len(readings) > 0 {
		first, n := &readings[0], 1
		for n < len(readings) && readings[n].Identifier == first.Identifier && readings[n].Domain == first.Domain &&
			readings[n].Source == first.Source && readings[n].Aggregation == first.Aggregation {
			n++
		}
		of := readings[:n]
		readings = readings[n:]
		d := domains[first.Domain]
		i := slices.IndexFunc(of, func(r campaign.Joined) bool {
			return r.Match == campaign.MatchOwn || r.Match == campaign.MatchShared
		})
		if i < 0 || d == nil || d.source != first.Source {
			continue
		}
		s := GmailSeries{Domain: d.name, Source: d.source, Identifier: first.Identifier, State: b.state(d, delivered)}
		if of[i].Match == campaign.MatchOwn {
			s.Own = &of[i].Users[0].Name
		}
		seen := b.loopsSeen[len(b.loopsSeen)-len(readings)-n:]
		s.Days = b.identifierDays(d, of, seen)
		all = append(all, s)
	}
	return mostSpecific(all)
}

// mostSpecific leaves out what a domain says of an identifier of which one of its subdomains tells as well: that is about the
// same mail, as long as the subdomain can be read.
func mostSpecific(all []GmailSeries) []GmailSeries {
	domains := map[string][]string{}
	for i := range all {
		if all[i].State == signal.OK {
			domains[all[i].Identifier] = append(domains[all[i].Identifier], all[i].Domain)
		}
	}
	return slices.DeleteFunc(all, func(s GmailSeries) bool {
		return slices.ContainsFunc(domains[s.Identifier], func(d string) bool { return strings.HasSuffix(d, "."+s.Domain) })
	})
}

// identifierDays are the days of one identifier. A rate that speaks of the mail of earlier days is none of its own day.
func (b *dayBook) identifierDays(d *gmailDomain, of []campaign.Joined, seen []time.Time) []GmailDay {
	values, deliveries := make([]dailyValue, len(of)), make(map[campaign.Day]int64, len(of))
	for i := range of {
		values[i] = dailyValue{of[i].Day, of[i].Rate, seen[i]}
		if of[i].CarryOver {
			values[i].value = nil
		}
		deliveries[of[i].Day] = of[i].OfDay
	}
	return b.days(d, values, func(day campaign.Day) int64 { return deliveries[day] })
}

// Places are where the mail of a campaign was sent from in the last ten days.
type Places struct {
	// Domains are those of the header From, and those above them of which Gmail tells.
	Domains, Accounts, Regions []string
}

// maxPlaces bounds each list of a campaign's places.
const maxPlaces = 15

// Places says of all campaigns where their mail was sent from, as of the last RefreshGmail. It must not be changed.
func (v *View) Places() map[campaign.Name]Places {
	if g := v.gmail.Load(); g != nil {
		return g.places()
	}
	return nil
}

func (b *dayBook) places() map[campaign.Name]Places {
	told := map[string]bool{}
	for _, d := range b.domains {
		told[d.name] = true
	}
	all := map[campaign.Name]Places{}
	for _, rows := range b.uses {
		for i := range rows {
			u := &rows[i]
			p := all[u.Campaign]
			p.Accounts, p.Regions = withPlace(p.Accounts, u.Account), withPlace(p.Regions, u.Region)
			for domain := range above(u.Stamp.FromDomain) {
				if domain == u.Stamp.FromDomain || told[domain] {
					p.Domains = withPlace(p.Domains, domain)
				}
			}
			all[u.Campaign] = p
		}
	}
	return all
}

func withPlace(list []string, name string) []string {
	if name == "" || name == observation.Other || len(list) == maxPlaces || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}
