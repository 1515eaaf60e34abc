package view

import (
	"math"
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
	// State is that of SpamRate, the newest rate of an identifier that is the campaign's own. It is left out when there is
	// none: rates of identifiers that are shared, or that speak of earlier mail, are nobody's. Day is that of the rate,
	// AgeDays how many days ago that is.
	State    campaign.ReportState `json:"state"`
	SpamRate *float64             `json:"spam_rate,omitempty"`
	Day      campaign.Day         `json:"day,omitzero"`
	AgeDays  *int                 `json:"age_days,omitempty"`
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
	Source string `json:"source"`
	// SharedBy is how many campaigns used it in the three days up to Day, Share this one's part of the mail.
	SharedBy int     `json:"shared_by"`
	Share    float64 `json:"share"`
	// SpamRate is left out when Gmail reported none. Day is that of the rate, else of the last mail.
	SpamRate *float64             `json:"spam_rate,omitempty"`
	Day      campaign.Day         `json:"day"`
	AgeDays  int                  `json:"age_days"`
	State    campaign.ReportState `json:"state"`
	// CarryOver says that nearly all of the mail was sent before Day.
	CarryOver bool `json:"carry_over,omitempty"`
}

// gmailWindow is the days that begin in a rolling window; none when last is before first.
func (g *gmail) gmailWindow(w signal.Window) (first, last campaign.Day) {
	if g.last != 0 {
		return g.first, g.last
	}
	return campaign.DayOf(g.asOf.Add(-w.Span()), g.zone) + 1, g.today
}

// shortly is short for a value that may not be known.
func shortly(v *float64) *float64 {
	if v == nil {
		return nil
	}
	return new(short(*v))
}

// age is how many days ago a day is.
func (g *gmail) age(day campaign.Day) int { return int(g.today - day) }

// ownRate is the newest rate that is a campaign's own; rate is nil, and the state says why, when there is none. Identifiers
// come in the order of the join, newest first.
func ownRate(identifiers []campaign.Identifier) (rate *campaign.Identifier, state campaign.ReportState) {
	state = campaign.ReportNoData
	for i := range identifiers {
		id := &identifiers[i]
		switch {
		case id.Rate != nil && id.Own() && !id.CarryOver:
			return id, id.State
		case id.State == campaign.ReportOK || id.State == campaign.ReportNotReported:
			state = campaign.ReportNotReported
		case id.State == campaign.ReportStale && state == campaign.ReportNoData:
			state = campaign.ReportStale
		}
	}
	return nil, state
}

// badness sorts campaigns by what Gmail users report: by the rates that are their own, then by those of shared identifiers,
// which blame none.
func (g *gmail) badness(n campaign.Name) float64 {
	if g == nil {
		return math.Inf(-1)
	}
	identifiers := g.join.Identifiers(n)
	if own, _ := ownRate(identifiers); own != nil {
		return *own.Rate
	}
	worst := math.Inf(-1)
	for _, id := range identifiers {
		if id.Rate != nil && !id.CarryOver {
			worst = max(worst, *id.Rate-2) // below any own rate, as rates are 0 to 1
		}
	}
	return worst
}

// campaign is what Gmail says about a campaign, nil when that is not known yet or the campaign has nothing to do with Gmail.
func (g *gmail) campaign(tenant, id string, delivered int64, w signal.Window) *Gmail {
	if g == nil {
		return nil
	}
	n := campaign.Name{Tenant: tenant, Campaign: id}
	identifiers := g.join.Identifiers(n)
	if delivered == 0 && len(identifiers) == 0 {
		return nil
	}
	first, last := g.gmailWindow(w)
	answer := &Gmail{Delivered: delivered, DaysInWindow: int(last - first + 1), Identifiers: []GmailIdentifier{}}
	own, state := ownRate(identifiers)
	answer.State = state
	if own != nil {
		answer.SpamRate, answer.Day, answer.AgeDays = shortly(own.Rate), own.Day, new(g.age(own.Day))
	}
	if bound := g.join.Bound(n, first, last); bound.Days > 0 {
		answer.ComplaintsUpperBound, answer.DaysReported = shortly(&bound.Complaints), bound.Days
	}
	for _, i := range identifiers[:min(len(identifiers), maxIdentifiers)] {
		answer.Identifiers = append(answer.Identifiers, GmailIdentifier{
			Value: i.Value, Field: i.Field, Domain: i.Domain, Source: i.Source, SharedBy: i.SharedBy, Share: short(i.Share),
			SpamRate: shortly(i.Rate), Day: i.Day, AgeDays: g.age(i.Day), State: i.State, CarryOver: i.CarryOver,
		})
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
