package view

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// IdentifierQuery selects identifiers. Empty fields select all.
type IdentifierQuery struct {
	Window signal.Window
	// Domain selects all that is told of a domain, State and Match what Gmail reported.
	Domain string
	State  campaign.ReportState
	Match  campaign.Match
	// ByName puts identifiers in the order of their names; otherwise those with the highest rates come first.
	ByName bool
	// Limit 0 means all; Offset leaves out the first ones. They cut what Gmail reported; the other lists hold 1000 at most.
	Limit, Offset int
}

func (q *IdentifierQuery) fits(i *DomainIdentifier, first, last campaign.Day) bool {
	return first <= i.Day && i.Day <= last && (q.Domain == "" || q.Domain == i.Domain) &&
		(q.State == "" || q.State == i.State) && (q.Match == "" || q.Match == i.Match)
}

// Identifiers answers how Feedback-IDs are used and what Gmail says about them. Total is how many identifiers fit the query.
type Identifiers struct {
	Window GmailWindow `json:"window"`
	Total  int         `json:"total"`
	// Identifiers are those that Gmail reported in the window's days.
	Identifiers []DomainIdentifier `json:"identifiers"`
	// Unknown are those among them that we did not send.
	Unknown []DomainIdentifier `json:"unknown"`
	// NeverReported are values with much mail to Gmail in the last days that Gmail never reports.
	NeverReported []NeverReported `json:"never_reported"`
	Advice        []Advice        `json:"advice"`
	Use           []FeedbackUse   `json:"use"`
	// Folded is how much use could not be told apart because there was too much of it, in rows of a day.
	Folded int `json:"folded"`
}

// NeverReported is a value of a Feedback-ID, with its deliveries to Gmail on its best day among those that arrived.
type NeverReported struct {
	Value     string       `json:"value"`
	Field     string       `json:"field"`
	Domain    string       `json:"domain"`
	Delivered int64        `json:"delivered"`
	Day       campaign.Day `json:"day"`
}

// Advice is something to do better about the Feedback-IDs of a domain's mail.
type Advice struct {
	Kind campaign.AdviceKind `json:"kind"`
	// Text says it to people.
	Text   string `json:"text"`
	Domain string `json:"domain"`
	Field  string `json:"field,omitempty"`
	// Values is how many values it is about, Examples some of them; Share is the part of the domain's mail.
	Values   int      `json:"values"`
	Examples []string `json:"examples,omitempty"`
	Share    float64  `json:"share"`
}

// FeedbackUse says which part of a domain's mail has no field a, no field b, or neither. Mail counts recipients.
type FeedbackUse struct {
	Domain    string  `json:"domain"`
	Mail      int64   `json:"mail"`
	WithoutA  float64 `json:"without_a"`
	WithoutB  float64 `json:"without_b"`
	WithoutAB float64 `json:"without_a_and_b"`
}

// Identifiers says it of the days that begin in a rolling window; advice and use are of the last ten days.
func (v *View) Identifiers(q IdentifierQuery) Identifiers {
	g := v.gmail.Load()
	answer := Identifiers{
		Identifiers: []DomainIdentifier{}, Unknown: []DomainIdentifier{}, NeverReported: []NeverReported{}, Advice: []Advice{},
		Use: []FeedbackUse{},
	}
	if g == nil {
		answer.Window = (&gmail{asOf: v.AsOf()}).window(q.Window)
		return answer
	}
	answer.Window, answer.Folded = g.window(q.Window), g.folded
	first, last := g.gmailWindow(q.Window)
	fit := []DomainIdentifier{}
	for i := range g.identifiers {
		if id := &g.identifiers[i]; q.fits(id, first, last) {
			fit = append(fit, *id)
			if id.Match == campaign.MatchUnknown {
				answer.Unknown = bounded(answer.Unknown, *id)
			}
		}
	}
	if q.ByName {
		slices.SortStableFunc(fit, func(a, b DomainIdentifier) int {
			return cmp.Or(strings.Compare(a.Value, b.Value), strings.Compare(a.Domain, b.Domain))
		})
	}
	answer.Total, answer.Identifiers = len(fit), page(fit, q.Limit, q.Offset)
	answer.advise(g, q.Domain)
	return answer
}

// advise adds what is known of a domain's Feedback-IDs whatever Gmail reports, of all domains when it is empty.
func (a *Identifiers) advise(g *gmail, domain string) {
	for _, u := range g.unreported {
		if domain == "" || domain == u.Domain {
			a.NeverReported = bounded(a.NeverReported, NeverReported{u.Value, u.Field, u.Domain, u.Delivered, u.Day})
		}
	}
	for _, d := range g.advice {
		if domain == "" || domain == d.Domain {
			a.Advice = bounded(a.Advice, Advice{d.Kind, adviceText(d.Kind), d.Domain, d.Field, d.Values, d.Examples, short(d.Share)})
		}
	}
	for _, u := range g.join.FeedbackUse() {
		if n := float64(max(u.Mail, 1)); domain == "" || domain == u.Domain {
			a.Use = bounded(a.Use, FeedbackUse{
				u.Domain, u.Mail, short(float64(u.WithoutA) / n), short(float64(u.WithoutB) / n), short(float64(u.WithoutAB) / n),
			})
		}
	}
}

func bounded[T any](list []T, next T) []T {
	if len(list) == maxListed {
		return list
	}
	return append(list, next)
}

// adviceText says what to do. What Gmail wants: https://support.google.com/mail/answer/6254652.
func adviceText(kind campaign.AdviceKind) string {
	switch kind {
	case campaign.AdviceTwoFields:
		return "The same value stands in two fields. Gmail counts by the value alone: use each value in one field only, for example " +
			"with a prefix that tells the field."
	case campaign.AdviceUnique:
		return "The values look unique per message or recipient. Gmail reports only values with hundreds of recipients a day: use " +
			"the campaign's name."
	case campaign.AdviceMissing:
		return "This mail has neither field a nor field b, so that Gmail has one figure for all of it. Set the message tags " +
			"ses:feedback-id-a and ses:feedback-id-b."
	case campaign.AdviceTooSmall:
		return "These values never have the few hundred recipients at Gmail on a day that a report needs. Give small campaigns a " +
			"value in common."
	case campaign.AdviceCharacters:
		return "SES takes letters, digits, _ and - in the tags that set the fields; these values have others."
	default:
		return ""
	}
}

// DomainIdentifier is the newest reading of an identifier.
type DomainIdentifier struct {
	Value       string `json:"value"`
	Domain      string `json:"domain"`
	Source      string `json:"source"`
	Aggregation string `json:"aggregation"`
	// Field is that in which the campaign with most of its mail used it, left out where that is not known.
	Field     string               `json:"field,omitempty"`
	SpamRate  *float64             `json:"spam_rate,omitempty"`
	Day       campaign.Day         `json:"day"`
	AgeDays   int                  `json:"age_days"`
	State     campaign.ReportState `json:"state"`
	Match     campaign.Match       `json:"match"`
	CarryOver bool                 `json:"carry_over,omitempty"`
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

// rate is 0 or more for a rate, less for none.
func (i *DomainIdentifier) rate() float64 {
	if i.SpamRate == nil {
		return math.Inf(-1)
	}
	return *i.SpamRate
}

// IdentifiedBy is a campaign that used an identifier, in a field, with its share of the mail.
type IdentifiedBy struct {
	ID     string  `json:"id"`
	Tenant string  `json:"tenant"`
	Field  string  `json:"field"`
	Share  float64 `json:"share"`
}

// identifiersOf are the newest readings of all identifiers, those with the highest rates first. The readings of one identifier are
// neighbours, newest first.
func (g *gmail) identifiersOf() []DomainIdentifier {
	var all []DomainIdentifier
	readings := g.join.Readings()
	for i := range readings {
		r, n := &readings[i], len(all)-1
		if n >= 0 && all[n].Value == r.Identifier && all[n].Domain == r.Domain && all[n].Source == r.Source &&
			all[n].Aggregation == r.Aggregation {
			continue
		}
		all = append(all, g.identifier(r))
	}
	slices.SortStableFunc(all, func(a, b DomainIdentifier) int { return cmp.Compare(b.rate(), a.rate()) })
	return all
}

func (g *gmail) identifier(r *campaign.Joined) DomainIdentifier {
	i := DomainIdentifier{
		Value: r.Identifier, Domain: r.Domain, Source: r.Source, Aggregation: r.Aggregation, SpamRate: shortly(r.Rate), Day: r.Day,
		AgeDays: g.age(r.Day), State: g.join.StateOf(r), Match: r.Match, CarryOver: r.CarryOver, Region: r.Region,
		Account: r.Account, SharedBy: r.SharedBy,
	}
	if r.SharedBy > 0 {
		i.Delivered, i.DeliveredThreeDays = &r.OfDay, &r.OfThreeDays
	}
	for _, u := range r.Users {
		i.Campaigns = append(i.Campaigns, IdentifiedBy{u.Campaign, u.Tenant, u.Field, short(u.Share)})
	}
	switch {
	case r.Match == campaign.MatchAccount:
		i.Field = "c"
	case r.Match == campaign.MatchSender:
		i.Field = "sender"
	case len(r.Users) > 0:
		i.Field = r.Users[0].Field
	}
	return i
}
