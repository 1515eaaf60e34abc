package view

import (
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

// Identifiers answers how Feedback-IDs are used and what Gmail says about them. Each list holds 1000 at most; the totals
// say how many there are.
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
	Kind   campaign.AdviceKind `json:"kind"`
	Domain string              `json:"domain"`
	Field  string              `json:"field,omitempty"`
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
func (v *View) Identifiers(w signal.Window) Identifiers {
	g := v.gmail.Load()
	answer := Identifiers{
		Identifiers: []DomainIdentifier{}, Unknown: []DomainIdentifier{}, NeverReported: []NeverReported{}, Advice: []Advice{},
		Use: []FeedbackUse{},
	}
	if g == nil {
		answer.Window = (&gmail{asOf: v.AsOf()}).window(w)
		return answer
	}
	answer.Window, answer.Folded = g.window(w), g.folded
	first, last := g.gmailWindow(w)
	for _, i := range g.identifiers {
		if i.Day < first || i.Day > last {
			continue
		}
		answer.Total++
		answer.Identifiers = bounded(answer.Identifiers, i)
		if i.Match == campaign.MatchUnknown {
			answer.Unknown = bounded(answer.Unknown, i)
		}
	}
	for _, u := range g.unreported {
		answer.NeverReported = bounded(answer.NeverReported, NeverReported{u.Value, u.Field, u.Domain, u.Delivered, u.Day})
	}
	for _, a := range g.advice {
		answer.Advice = bounded(answer.Advice, Advice{a.Kind, a.Domain, a.Field, a.Values, a.Examples, a.Share})
	}
	for _, u := range g.join.FeedbackUse() {
		n := float64(max(u.Mail, 1))
		answer.Use = bounded(answer.Use, FeedbackUse{
			u.Domain, u.Mail, float64(u.WithoutA) / n, float64(u.WithoutB) / n, float64(u.WithoutAB) / n,
		})
	}
	return answer
}

func bounded[T any](list []T, next T) []T {
	if len(list) == maxListed {
		return list
	}
	return append(list, next)
}
