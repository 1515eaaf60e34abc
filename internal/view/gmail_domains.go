package view

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// maxOfDomain bounds the identifiers that a domain is listed with; the list of identifiers has all of them.
const maxOfDomain = 50

// Measure is the newest value that Gmail gave of something, under the collector's name of it.
type Measure struct {
	Metric  string               `json:"metric"`
	Detail  string               `json:"detail,omitempty"`
	Value   *float64             `json:"value,omitempty"`
	Text    string               `json:"text,omitempty"`
	Day     campaign.Day         `json:"day"`
	AgeDays int                  `json:"age_days"`
	State   campaign.ReportState `json:"state"`
}

// Domain is what Gmail says about a domain.
type Domain struct {
	Domain string `json:"domain"`
	// Source is the API and its version; a domain that two of them tell about is listed twice.
	Source string `json:"source"`
	// Access is why the domain cannot be read, left out when it can.
	Access string `json:"access,omitempty"`
	// State is that of the domain as a whole. Newest is the last day of which anything came, AgeDays how many days ago that
	// is; both are left out when nothing ever came.
	State   campaign.ReportState `json:"state"`
	Newest  campaign.Day         `json:"newest_day,omitzero"`
	AgeDays *int                 `json:"age_days,omitempty"`
	// NewestEnd is when that day ended.
	NewestEnd time.Time `json:"-"`
	// Spam is the newest rate of spam reports, Highest the highest of the window's; either is left out when there is none.
	Spam    *SpamRate `json:"spam,omitempty"`
	Highest *SpamRate `json:"highest_spam,omitempty"`
	// DaysReported counts the window's days with a rate.
	DaysReported int `json:"days_reported"`
	DaysInWindow int `json:"days_in_window"`
	// Identifiers are those with the highest rates, IdentifiersTotal is how many there are.
	IdentifiersTotal int                `json:"identifiers_total"`
	Identifiers      []DomainIdentifier `json:"identifiers"`
	Measures         []Measure          `json:"measures"`
}

// SpamRate is a rate of spam reports on a day, when it came, and when it was last revised.
type SpamRate struct {
	Rate        float64              `json:"rate"`
	Day         campaign.Day         `json:"day"`
	AgeDays     int                  `json:"age_days"`
	State       campaign.ReportState `json:"state"`
	FirstSeen   time.Time            `json:"first_seen"`
	LastChanged time.Time            `json:"last_changed"`
}

// rate is 0 or more for a rate, less for none.
func (s *SpamRate) rate() float64 {
	if s == nil {
		return math.Inf(-1)
	}
	return s.Rate
}

// Domains answers a DomainQuery. Total is how many domains fit it.
type Domains struct {
	Window  GmailWindow `json:"window"`
	Total   int         `json:"total"`
	Domains []Domain    `json:"domains"`
}

// DomainQuery selects domains. Empty fields select all.
type DomainQuery struct {
	Window signal.Window
	Domain string
	State  campaign.ReportState
	// BySpamRate puts the highest of the newest rates first; otherwise domains come in the order of their names.
	BySpamRate bool
	// Limit 0 means all; Offset leaves out the first ones.
	Limit, Offset int
}

// Domains lists the domains that fit the query.
func (v *View) Domains(q DomainQuery) Domains {
	g := v.gmail.Load()
	if g == nil {
		return Domains{Domains: []Domain{}, Window: (&gmail{asOf: v.AsOf()}).window(q.Window)}
	}
	var fit []*gmailDomain
	for _, d := range g.domains {
		if (q.Domain == "" || q.Domain == d.name) && (q.State == "" || q.State == d.shown.State) {
			fit = append(fit, d)
		}
	}
	if q.BySpamRate {
		slices.SortStableFunc(fit, byNewestRate)
	}
	answer := Domains{Window: g.window(q.Window), Total: len(fit), Domains: []Domain{}}
	first, last := g.gmailWindow(q.Window)
	for _, d := range page(fit, q.Limit, q.Offset) {
		answer.Domains = append(answer.Domains, d.over(g, first, last))
	}
	return answer
}

// page is a part of a list.
func page[T any](list []T, limit, offset int) []T {
	list = list[min(max(offset, 0), len(list)):]
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	return list
}

// show makes what is shown of the domains whatever the window is.
func (g *gmail) show(domains []*gmailDomain) {
	type source struct{ name, source string }
	identifiers := map[source][]DomainIdentifier{}
	for _, i := range g.identifiers { // the highest rates first
		at := source{i.Domain, i.Source}
		identifiers[at] = append(identifiers[at], i)
	}
	for _, known := range domains {
		d := *known // what was read may be shown again on another day
		d.shown = Domain{
			Domain: d.name, Source: d.source, Access: d.access, State: g.join.State(d.source, d.name), Newest: d.newest,
			Identifiers: append([]DomainIdentifier{}, identifiers[source{d.name, d.source}]...),
			Measures:    append([]Measure{}, d.measures...),
		}
		if d.newest != 0 {
			d.shown.AgeDays, d.shown.NewestEnd = new(g.age(d.newest)), (d.newest + 1).Start(g.zone)
		}
		if n := len(d.spam); n > 0 {
			d.shown.Spam = g.spam(&d.spam[n-1])
		}
		for i := range d.shown.Measures {
			m := &d.shown.Measures[i]
			m.AgeDays, m.State = g.age(m.Day), g.stateOn(m.Day)
			if m.Value != nil && *m.Value < 1 { // counts are exact
				m.Value = shortly(m.Value)
			}
		}
		d.shown.IdentifiersTotal = len(d.shown.Identifiers)
		g.domains = append(g.domains, &d)
	}
	g.worst = slices.Clone(g.domains)
	slices.SortStableFunc(g.worst, func(a, b *gmailDomain) int {
		late := func(d *gmailDomain) int {
			if d.shown.State == campaign.ReportOK {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(late(a), late(b)), byNewestRate(a, b))
	})
}

// byNewestRate puts domains with the highest of the newest rates first.
func byNewestRate(a, b *gmailDomain) int {
	return cmp.Compare(b.shown.Spam.rate(), a.shown.Spam.rate())
}

func (g *gmail) spam(m *measured) *SpamRate {
	return &SpamRate{short(m.value), m.day, g.age(m.day), g.stateOn(m.day), m.firstSeen.UTC(), m.lastChanged.UTC()}
}

func (g *gmail) stateOn(day campaign.Day) campaign.ReportState {
	if campaign.Fresh(day, g.today) {
		return campaign.ReportOK
	}
	return campaign.ReportStale
}

// over is what is shown of the domain over some days.
func (d *gmailDomain) over(g *gmail, first, last campaign.Day) Domain {
	a := d.shown
	a.DaysInWindow = int(last - first + 1)
	a.Identifiers = a.Identifiers[:min(len(a.Identifiers), maxOfDomain)]
	for i := range d.spam {
		m := &d.spam[i]
		if m.day < first || m.day > last {
			continue
		}
		a.DaysReported++
		if a.Highest == nil || short(m.value) >= a.Highest.Rate {
			a.Highest = g.spam(m)
		}
	}
	return a
}
