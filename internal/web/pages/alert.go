package pages

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// alertPage is the page of one alert.
type alertPage struct {
	frame
	Alert         web.StandingAlert
	Level         level
	Quiet         string
	Figures       []fact
	Explain       []explained
	Subject       []fact
	Leads         []link
	Notifications *table
	History       *table
	Form          *silenceForm
}

func (s *Site) alert(w http.ResponseWriter, r *http.Request) {
	d, err := s.Alerts.Detail(r.Context(), r.PathValue("id"), 0, eventsShown)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	a := d.Alert
	p := alertPage{frame: s.frame("Alerts", a.Rule), Alert: a, Level: severityLevel(a.Severity), Quiet: whyQuiet(&a)}
	p.AsOf = d.AsOf
	p.Figures, p.Subject, p.Leads = figureFacts(a.Figure, a.Unit), subjectFields(a.Subject), leads(&a)
	p.Explain = explain(d.Explain)
	p.History, p.Notifications = s.eventTable(r, d.Events), notificationTable(r, d.Notifications)
	p.History.Caption, p.History.CSV, p.History.JSON = "Its history", with(r.URL, "format", "csv", "table", "history"), "/api/v1"+alertURL(a.ID)
	p.Notifications.JSON = p.History.JSON
	if s.csv(w, r, queryOf(r), p.History, p.Notifications) {
		return
	}
	if !s.ReadOnly && a.Rule != watch.AlarmRule {
		matchers := []string{"rule=" + a.Rule}
		for _, f := range p.Subject {
			if f.Name != "detail" {
				matchers = append(matchers, f.Name+"="+f.Value.Text)
			}
		}
		p.Form = newSilenceForm(matchers...)
	}
	s.render(w, http.StatusOK, "alert", p)
}

// explained is how the figure stands against one line of the rule.
type explained struct {
	Line, Says string
	Level      level
	Firing     bool
}

func explain(x *web.AlertExplanation) (lines []explained) {
	if x == nil {
		return nil
	}
	for i := range x.Lines {
		l := &x.Lines[i]
		line, says, _ := strings.Cut(strings.ReplaceAll(l.Words, " %", "\u00a0%"), ": ")
		lines = append(lines, explained{Line: upper(line), Says: upper(says) + ".", Level: severityLevel(l.Severity), Firing: l.Firing})
	}
	return lines
}

// upper begins a sentence.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// figureFacts takes a figure apart for people.
func figureFacts(f *web.AlertFigure, unit string) (facts []fact) {
	if f == nil {
		return nil
	}
	if unit == condition {
		return append(facts, fact{"Judged", at(&f.JudgedAt, "not yet")})
	}
	facts = append(facts, fact{"Figure", alertFigure(f, unit)})
	line := inUnit(f.Line, unit)
	if unit == "ratio" {
		line = linePercent(f.Line)
	}
	facts = append(facts, fact{"Line", cell{Text: f.Direction + " " + line}})
	if f.Numerator != nil && f.Denominator != nil {
		facts = append(facts, fact{"Of", cell{Text: count(*f.Numerator) + " of " + count(*f.Denominator)}})
	}
	if f.Low != nil && f.High != nil {
		facts = append(facts, fact{"Surely between", cell{Text: percent(*f.Low) + " – " + percent(*f.High), Tip: "Each end is " + linePercent(f.Confidence) + " sure."}})
	}
	if f.Day != "" {
		facts = append(facts, fact{"Gmail's day", cell{Text: f.Day, Notes: []string{"beyond on " + f.Days + " days"}}})
	}
	if w, ok := signal.ParseWindow(f.Window); ok {
		facts = append(facts, fact{"Over", cell{Text: windowWords[w]}})
	}
	if !f.JudgedAt.IsZero() {
		facts = append(facts, fact{"Judged", cell{Time: &f.JudgedAt}})
	}
	return facts
}

// leads are the pages that say more about an alert's subject.
func leads(a *web.StandingAlert) (links []link) {
	x := a.Subject
	names := a.Labels["campaign"]
	if x.Campaign != "" {
		names = []string{x.Campaign}
	}
	for _, name := range names[:min(len(names), 5)] {
		if !strings.ContainsAny(name, "*?") {
			links = append(links, link{Text: "Campaign " + name, Href: campaignURL(x.Tenant, name, signal.Week)})
		}
	}
	switch {
	case x.Identifier != "" || x.Domain != "":
		links = append(links, link{Text: "Gmail: " + x.Domain, Href: "/gmail?domain=" + url.QueryEscape(x.Domain)})
	case x.ReceiptRule != "":
		links = append(links, link{Text: "Inbound mail", Href: "/inbound"})
	case x.Provider != "" && x.Campaign == "":
		links = append(links, link{Text: "Campaigns there", Href: "/?provider=" + url.QueryEscape(x.Provider) + "#campaigns"})
	case x.Account != "" || x.Source != "":
		links = append(links, link{Text: "Sources", Href: "/sources"})
	}
	return links
}

func notificationTable(r *http.Request, all []web.Notification) *table {
	t := &table{ID: "notifications", Caption: "Who was told", CSV: with(r.URL, "format", "csv", "table", "notifications"), Empty: "Nobody was told of it."}
	t.Columns = []column{{Title: "When", fields: []string{"at"}}, {Title: "Notifier", fields: []string{"notifier"}},
		{Title: "What", fields: []string{"change", "summary"}}, {Title: "State", fields: []string{"state", "error"}}}
	for i := range all {
		n := &all[i]
		state := cell{Text: string(n.State), values: []any{string(n.State), n.LastError}}
		if n.LastError != "" {
			state.Notes = append(state.Notes, n.LastError)
		}
		if n.State == alerts.EntryDead {
			state.Level = warning
		}
		name := n.Notifier
		if name == "" {
			name = "no route takes it"
		}
		t.Rows = append(t.Rows, row{Cells: []cell{at(&n.At, ""), {Text: name, values: []any{n.Notifier}},
			{Text: string(n.Change), Notes: []string{n.Summary}, values: []any{string(n.Change), n.Summary}}, state}})
	}
	return t
}
