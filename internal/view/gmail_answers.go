package view

import (
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// maxIdentifiers bounds the identifiers that a campaign is shown with, maxListed those of a list.
const (
	maxIdentifiers = 20
	maxListed      = 1000
)

// Gmail is what Gmail says about a campaign's mail. SES gets no complaints from there.
type Gmail struct {
	// Delivered counts deliveries to personal Gmail addresses in the window.
	Delivered int64 `json:"delivered"`
	// ComplaintsUpperBound is how many complaints there can have been at most on the days that were reported. Gmail divides
	// by mail in inboxes, of which nobody else knows how much it is. Nil when no day was reported.
	ComplaintsUpperBound *float64 `json:"complaints_upper_bound,omitempty"`
	// DaysInWindow is how many of Gmail's days begin in the window.
	DaysReported int `json:"days_reported"`
	DaysInWindow int `json:"days_in_window"`
	// Identifiers are those of the last week's mail whatever the window is, because Gmail is days late.
	Identifiers []GmailIdentifier `json:"identifiers"`
}

// GmailIdentifier is what Gmail last said about an identifier of a campaign.
type GmailIdentifier struct {
	Value  string `json:"value"`
	Field  string `json:"field"`
	Domain string `json:"domain"`
	// SharedBy is how many campaigns used it in the three days up to Day, Share this one's part of the mail.
	SharedBy int     `json:"shared_by"`
	Share    float64 `json:"share"`
	// SpamRate is left out when Gmail reported none. Day is that of the rate, else of the last mail.
	SpamRate *float64             `json:"spam_rate,omitempty"`
	Day      campaign.Day         `json:"day"`
	State    campaign.ReportState `json:"state"`
	// CarryOver says that nearly all of the mail was sent before Day.
	CarryOver bool `json:"carry_over,omitempty"`
}

// gmailWindow is the days that begin in a rolling window; none when last is before first.
func (g *gmail) gmailWindow(w signal.Window) (first, last campaign.Day) {
	return campaign.DayOf(g.asOf.Add(-w.Span()), g.zone) + 1, g.today
}

// gmailOf is what Gmail says about a campaign, nil when that is not known yet or the campaign has nothing to do with
// Gmail.
func (v *View) gmailOf(tenant, id string, delivered int64, w signal.Window) *Gmail {
	g := v.gmail.Load()
	if g == nil {
		return nil
	}
	n := campaign.Name{Tenant: tenant, Campaign: id}
	first, last := g.gmailWindow(w)
	answer := &Gmail{Delivered: delivered, DaysInWindow: int(last - first + 1), Identifiers: []GmailIdentifier{}}
	if bound := g.join.Bound(n, first, last); bound.Days > 0 {
		answer.ComplaintsUpperBound, answer.DaysReported = &bound.Complaints, bound.Days
	}
	for _, i := range g.join.Identifiers(n) {
		if len(answer.Identifiers) == maxIdentifiers {
			break
		}
		answer.Identifiers = append(answer.Identifiers, GmailIdentifier{
			Value: i.Value, Field: i.Field, Domain: i.Domain, SharedBy: i.SharedBy, Share: i.Share, SpamRate: i.Rate, Day: i.Day,
			State: i.State, CarryOver: i.CarryOver,
		})
	}
	if delivered == 0 && len(answer.Identifiers) == 0 {
		return nil
	}
	return answer
}

// gmailDelivered counts a campaign's deliveries to personal Gmail addresses. Called with mu held.
func (v *View) gmailDelivered(c *campaignSums, over span) (n int64) {
	for i := range c.cells {
		key := c.cells[i].key
		if key.outcome() == observation.Delivered && v.sums.providers.names[key.provider()] == observation.Gmail {
			n += c.cells[i].n[over]
		}
	}
	return n
}

// GmailWindow says of which days an answer speaks: those that begin after Start, and End's.
type GmailWindow struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Basis is always "gmail_day": days as Gmail counts them.
	Basis string    `json:"basis"`
	AsOf  time.Time `json:"as_of"`
}

const basisGmailDay = "gmail_day"

func (g *gmail) window(w signal.Window) GmailWindow {
	return GmailWindow{Start: g.asOf.Add(-w.Span()).UTC(), End: g.asOf.UTC(), Basis: basisGmailDay, AsOf: g.asOf.UTC()}
}

// Measure is the newest value that Gmail gave of something, under the collector's name of it.
type Measure struct {
	Metric string       `json:"metric"`
	Detail string       `json:"detail,omitempty"`
	Value  *float64     `json:"value,omitempty"`
	Text   string       `json:"text,omitempty"`
	Day    campaign.Day `json:"day"`
}

// Domain is what Gmail says about a domain.
type Domain struct {
	Domain string `json:"domain"`
	// Source is the API and its version; a domain that two of them tell about is listed twice.
	Source string `json:"source"`
	// Access is why the domain cannot be read, left out when it can.
	Access string               `json:"access,omitempty"`
	State  campaign.ReportState `json:"state"`
	// Spam is the newest rate of spam reports, Highest the highest of the window's; either is left out when there is none.
	Spam    *SpamRate `json:"spam,omitempty"`
	Highest *SpamRate `json:"highest_spam,omitempty"`
	// DaysReported counts the window's days with a rate.
	DaysReported int                `json:"days_reported"`
	DaysInWindow int                `json:"days_in_window"`
	Identifiers  []DomainIdentifier `json:"identifiers"`
	Measures     []Measure          `json:"measures"`
}

// SpamRate is a rate of spam reports on a day, when it came, and when it was last revised.
type SpamRate struct {
	Rate        float64      `json:"rate"`
	Day         campaign.Day `json:"day"`
	FirstSeen   time.Time    `json:"first_seen"`
	LastChanged time.Time    `json:"last_changed"`
}

// DomainIdentifier is the newest reading of an identifier.
type DomainIdentifier struct {
	Value       string               `json:"value"`
	Domain      string               `json:"domain"`
	Source      string               `json:"source"`
	Aggregation string               `json:"aggregation"`
	SpamRate    *float64             `json:"spam_rate,omitempty"`
	Day         campaign.Day         `json:"day"`
	State       campaign.ReportState `json:"state"`
	Match       campaign.Match       `json:"match"`
	CarryOver   bool                 `json:"carry_over,omitempty"`
	// Region and Account are those of an account's identifier.
	Region  string `json:"region,omitempty"`
	Account string `json:"account,omitempty"`
	// Delivered counts deliveries to Gmail with the identifier on the day, DeliveredThreeDays in the three days up to it.
	// Both are left out where the reading is joined to no mail.
	Delivered          *int64         `json:"delivered,omitempty"`
	DeliveredThreeDays *int64         `json:"delivered_three_days,omitempty"`
	SharedBy           int            `json:"shared_by,omitempty"`
	Campaigns          []IdentifiedBy `json:"campaigns,omitempty"`
}

// IdentifiedBy is a campaign that used an identifier, in a field, with its share of the mail.
type IdentifiedBy struct {
	ID     string  `json:"id"`
	Tenant string  `json:"tenant"`
	Field  string  `json:"field"`
	Share  float64 `json:"share"`
}

// Domains answers with all domains that Gmail tells about.
type Domains struct {
	Window  GmailWindow `json:"window"`
	Domains []Domain    `json:"domains"`
}

// Domains lists the domains in the order of their names.
func (v *View) Domains(w signal.Window) Domains {
	g := v.gmail.Load()
	if g == nil {
		return Domains{Domains: []Domain{}, Window: (&gmail{asOf: v.AsOf()}).window(w)}
	}
	answer := Domains{Window: g.window(w), Domains: make([]Domain, 0, len(g.domains))}
	type source struct{ name, source string }
	identifiers := map[source][]DomainIdentifier{}
	for _, i := range g.identifiers {
		at := source{i.Domain, i.Source}
		identifiers[at] = append(identifiers[at], i)
	}
	first, last := g.gmailWindow(w)
	for _, d := range g.domains {
		domain := d.answer(g, first, last)
		domain.Identifiers = append(domain.Identifiers, identifiers[source{d.name, d.source}]...)
		answer.Domains = append(answer.Domains, domain)
	}
	return answer
}

func (d *gmailDomain) answer(g *gmail, first, last campaign.Day) Domain {
	a := Domain{
		Domain: d.name, Source: d.source, Access: d.access, State: g.join.State(d.source, d.name), DaysInWindow: int(last - first + 1),
		Identifiers: []DomainIdentifier{}, Measures: append([]Measure{}, d.measures...),
	}
	for _, m := range d.spam {
		s := &SpamRate{m.value, m.day, m.firstSeen.UTC(), m.lastChanged.UTC()}
		a.Spam = s
		if m.day < first || m.day > last {
			continue
		}
		a.DaysReported++
		if a.Highest == nil || s.Rate >= a.Highest.Rate {
			a.Highest = s
		}
	}
	return a
}

// identifiersOf are the newest readings of all identifiers. Those of one identifier are neighbours, newest first.
func identifiersOf(j *campaign.Join) []DomainIdentifier {
	var all []DomainIdentifier
	for _, r := range j.Readings() {
		n := len(all) - 1
		if n >= 0 && all[n].Value == r.Identifier && all[n].Domain == r.Domain && all[n].Source == r.Source &&
			all[n].Aggregation == r.Aggregation {
			continue
		}
		i := DomainIdentifier{
			Value: r.Identifier, Domain: r.Domain, Source: r.Source, Aggregation: r.Aggregation, SpamRate: r.Rate, Day: r.Day,
			State: j.StateOf(&r), Match: r.Match, CarryOver: r.CarryOver, Region: r.Region, Account: r.Account,
			SharedBy: r.SharedBy,
		}
		if r.SharedBy > 0 {
			i.Delivered, i.DeliveredThreeDays = &r.OfDay, &r.OfThreeDays
		}
		for _, u := range r.Users {
			i.Campaigns = append(i.Campaigns, IdentifiedBy{u.Campaign, u.Tenant, u.Field, u.Share})
		}
		all = append(all, i)
	}
	return all
}
