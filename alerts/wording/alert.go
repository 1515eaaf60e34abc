package wording

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/signal"
)

// newAlert puts one alert into words.
func newAlert(n *alerts.Notification, m *alerts.Member) Alert {
	a := Alert{Standing: Standing(m.Severity, n.Resolved), Headline: brief(m)}
	add := func(name, text string) {
		if text != "" {
			a.Facts = append(a.Facts, Fact{name, text})
		}
	}
	e, d := &m.Evidence, n.Signal.Definition()
	add("Value", value(m, &d))
	if !e.At.IsZero() && d.Unit != alerts.Condition {
		add("Line", beyond(e.Below)+" "+d.Unit.Format(e.Line))
	}
	add("Over", over(e, &d))
	switch {
	case n.Resolved:
		add("Lasted", lasted(m.StartedAt, n.At))
	case !m.StartedAt.IsZero():
		add("Since", since(m.StartedAt, n.At))
	}
	add("Data", age(n, e))
	if e.MeasuredShare > 0 {
		add("Speaks of", alerts.Ratio.Format(e.MeasuredShare)+" of deliveries: other providers report no complaints")
	}
	if m.Detail != nil {
		a.Facts = append(a.Facts, behind(m.Detail, d.Unit)...)
		for i := range m.Detail.Reasons {
			a.Reasons = append(a.Reasons, newReason(&m.Detail.Reasons[i]))
		}
	}
	return a
}

func beyond(below bool) string {
	if below {
		return "below"
	}
	return "above"
}

// value tells the figure and how sure it is. A condition is told by the headline; its number means nothing to people.
func value(m *alerts.Member, d *alerts.Definition) string {
	e := &m.Evidence
	if !e.Known || d.Unit == alerts.Condition {
		return ""
	}
	text := d.Unit.Format(e.Value)
	if m.UpperBound {
		text = "at most " + text
	}
	switch {
	case e.Interval:
		text += fmt.Sprintf(": %s of %s; between %s and %s, each end sure to %s", Count(e.Numerator), Count(e.Denominator),
			d.Unit.Format(e.Low), d.Unit.Format(e.High), alerts.Ratio.Format(e.Confidence))
	case d.Kind == alerts.Daily && e.Denominator > 0:
		text += fmt.Sprintf(", with %s delivered to Gmail on that day", Count(e.Denominator))
	}
	return text
}

// over tells of which mail or time the figure speaks.
func over(e *alerts.Evidence, d *alerts.Definition) string {
	switch {
	case e.Day != 0 && e.Days != "":
		return fmt.Sprintf("%s, beyond the line on %s reported days", e.Day, delivery.Line(e.Days))
	case e.Day != 0:
		return e.Day.String()
	case e.Window == "":
		return ""
	case e.Window == signal.Life.String():
		return "all mail of the send"
	case d.Kind == alerts.Rate:
		return "the mail sent in the last " + delivery.Line(e.Window)
	default:
		return "the last " + delivery.Line(e.Window)
	}
}

// age tells how old the figure was when it was told of.
func age(n *alerts.Notification, e *alerts.Evidence) string {
	if e.AsOf.IsZero() {
		return ""
	}
	text := fmt.Sprintf("as of %s, %s old", Time(e.AsOf), span(n.At.Sub(e.AsOf)))
	if e.State != "" && e.State != "ok" {
		text += ", " + strings.ReplaceAll(delivery.Line(e.State), "_", " ")
	}
	return text
}

// behind are the facts that stand behind a figure.
func behind(d *alerts.Detail, unit alerts.Unit) (facts []Fact) {
	for _, note := range d.Notes {
		facts = append(facts, Fact{"Note", delivery.Line(note)})
	}
	if d.SentLately != nil {
		text := "nothing in the last 15 minutes"
		if *d.SentLately > 0 {
			text = "to " + Count(*d.SentLately) + " recipients in the last 15 minutes"
		}
		facts = append(facts, Fact{"Sent lately", text})
	}
	if p := d.Previous; p != nil {
		facts = append(facts, before(p, unit))
	}
	add := func(name string, texts []string) {
		if len(texts) > 0 {
			facts = append(facts, Fact{name, strings.Join(texts, "; ")})
		}
	}
	var providers, campaigns, identifiers, sets []string
	for _, p := range d.Providers {
		providers = append(providers, share(p.Provider, p.Numerator, p.Denominator))
	}
	for _, c := range d.Campaigns {
		campaigns = append(campaigns, share(campaign(c.Tenant, c.Campaign), c.Numerator, c.Denominator))
	}
	for i := range d.Identifiers {
		identifiers = append(identifiers, identifier(&d.Identifiers[i]))
	}
	for _, o := range d.ConfigurationSets {
		sets = append(sets, fmt.Sprintf("%s (%s, account %s)", delivery.Line(o.ConfigurationSet), delivery.Line(o.Region), delivery.Line(o.Account)))
	}
	add("By provider", providers)
	add("By campaign", campaigns)
	add("By identifier", identifiers)
	add("Sent with", sets)
	return facts
}

// before tells the figure of the send before, or of a stream's earlier weeks.
func before(p *alerts.PreviousSend, unit alerts.Unit) Fact {
	f := Fact{"Send before", fmt.Sprintf("%s: %s of %s", unit.Format(p.Value), Count(p.Numerator), Count(p.Denominator))}
	switch {
	case p.Weeks > 0:
		f.Name = "Weeks before"
		f.Text += fmt.Sprintf(", in the same hours of %d of the last 4 weeks", p.Weeks)
	case p.Send != "":
		f.Text += " (" + delivery.Line(p.Send) + ")"
	case !p.StartedAt.IsZero():
		f.Text += ", sent from " + Time(p.StartedAt) + " on"
	}
	return f
}

// share is what a part of the mail adds to a figure.
func share(name string, numerator, denominator int64) string {
	text := fmt.Sprintf("%s %s of %s", delivery.Line(name), Count(numerator), Count(denominator))
	if denominator > 0 {
		text += " (" + alerts.Ratio.Format(float64(numerator)/float64(denominator)) + ")"
	}
	return text
}

// campaign names a campaign within its tenant.
func campaign(tenant, name string) string {
	if tenant != "" {
		return name + " of " + tenant
	}
	return name
}

// identifier is what Gmail says of one.
func identifier(i *alerts.IdentifierShare) string {
	text := fmt.Sprintf("%s at most %s on %s", delivery.Line(i.Identifier), alerts.Ratio.Format(i.SpamRate), i.Day)
	switch {
	case i.Campaign != "":
		text += " (campaign " + delivery.Line(campaign(i.Tenant, i.Campaign)) + " alone)"
	case i.SharedBy > 1:
		text += fmt.Sprintf(" (shared by %d campaigns)", i.SharedBy)
	}
	return text
}

func newReason(r *alerts.ReasonShare) Reason {
	w := Reason{Text: strings.ReplaceAll(delivery.Line(r.Reason), "_", " "), Reply: delivery.Line(r.Reply)}
	if r.Provider != "" {
		w.Text += " at " + delivery.Line(r.Provider)
	}
	w.Text += ", " + times(r.N)
	for _, id := range r.MessageIDs {
		w.MessageIDs = append(w.MessageIDs, delivery.Line(id))
	}
	return w
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return Count(n) + " times"
}
