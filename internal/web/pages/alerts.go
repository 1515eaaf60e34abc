package pages

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// Alerts tells of alerts and silences, and changes silences.
type Alerts interface {
	List(ctx context.Context, q web.AlertQuery) (web.AlertList, error)
	Detail(ctx context.Context, id string, before int64, limit int) (web.AlertDetail, error)
	History(ctx context.Context, q web.HistoryQuery) (web.AlertHistory, error)
	Silences(ctx context.Context, ended bool, limit int) (web.SilenceList, error)
	AddSilence(ctx context.Context, s alerts.Silence) (web.Silence, error)
	EndSilence(ctx context.Context, id string) (web.Silence, error)
}

const (
	// alertsShown, eventsShown and silencesShown bound the lists.
	alertsShown   = 500
	eventsShown   = 50
	silencesShown = 100
)

// alertsPage is the page of alerts.
type alertsPage struct {
	frame
	// Judged says that the rules have been evaluated since the start.
	Judged   bool
	States   []link
	Alerts   *table
	Silences []silenceRow
	History  *table
	Form     *silenceForm
	ReadOnly bool
}

// silenceRow is a silence, and whether it can be ended here.
type silenceRow struct {
	web.Silence
	What string
	End  string
}

func (s *Site) alerts(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	state := q.choice("state", "", "pending", "firing", "muted", "silenced")
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	list, err := s.Alerts.List(r.Context(), web.AlertQuery{State: watch.State(state), Limit: alertsShown})
	if err != nil {
		s.fault(w, r, err)
		return
	}
	silences, err := s.Alerts.Silences(r.Context(), true, silencesShown)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	history, err := s.Alerts.History(r.Context(), web.HistoryQuery{Limit: eventsShown})
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p := alertsPage{frame: s.frame("Alerts", "Alerts"), Judged: !list.AsOf.IsZero(), ReadOnly: s.ReadOnly}
	p.AsOf = list.AsOf
	p.Alerts, p.History = s.alertTable(r, &list), s.eventTable(r, history.Events)
	for i := range silences.Silences {
		x := silenceRow{Silence: silences.Silences[i], What: matchersText(silences.Silences[i].Matchers)}
		if x.State != web.SilenceEnded && !s.ReadOnly {
			x.End = "/silences/" + url.PathEscape(x.ID) + "/end"
		}
		p.Silences = append(p.Silences, x)
	}
	if s.csv(w, r, q, p.Alerts, p.History) {
		return
	}
	for _, x := range []link{{Text: "All"}, {Text: "Firing"}, {Text: "Pending"}, {Text: "Muted"}, {Text: "Silenced"}} {
		name := strings.ToLower(x.Text)
		if name == "all" {
			name = ""
		}
		x.Href, x.Current = with(r.URL, "state", name), name == state
		p.States = append(p.States, x)
	}
	if !s.ReadOnly {
		p.Form = newSilenceForm()
	}
	s.render(w, http.StatusOK, "alerts", p)
}

func matchersText(all []alerts.Matcher) string {
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.String()
	}
	return strings.Join(texts, " and ")
}

func severityLevel(severity string) level {
	switch severity {
	case alerts.Critical.String():
		return critical
	case alerts.Warning.String():
		return warning
	default:
		return fine
	}
}

func alertURL(id string) string { return "/alerts/" + url.PathEscape(id) }

func (s *Site) alertTable(r *http.Request, list *web.AlertList) *table {
	t := &table{ID: "alerts", Caption: "Alerts", CSV: with(r.URL, "format", "csv"), JSON: address("/api/v1/alerts", only(r, "state")),
		Empty: "No alert fires or is about to."}
	t.Columns = []column{
		{Title: "What happens", fields: []string{"id", "summary"}}, {Title: "How bad", fields: []string{"severity", "state"}},
		{Title: "Figure", Numeric: true, fields: []string{"value", "line"}}, {Title: "Rule", fields: []string{"rule"}},
		{Title: "Since", fields: []string{"since"}}, {Title: "Told", fields: []string{"notifiers"}},
	}
	for i := range list.Alerts {
		a := &list.Alerts[i]
		l := severityLevel(a.Severity)
		bad := cell{values: []any{a.Severity, string(a.State)}}
		if a.Severity != "" {
			bad.Marks = append(bad.Marks, mark{Text: a.Severity, Level: l})
		}
		if a.State != watch.Firing {
			bad.Marks = append(bad.Marks, mark{Text: string(a.State), Tip: whyQuiet(a)})
			l = min(l, near)
		}
		var told []string
		for _, n := range a.Notifications {
			told = append(told, n.Notifier+": "+string(n.State))
		}
		toldCell := plain(strings.Join(told, ", "))
		if len(told) == 0 {
			toldCell = cell{Text: "nobody", Unknown: true, values: []any{nil}}
		}
		since := a.Since
		t.Rows = append(t.Rows, row{Level: l, Cells: []cell{
			{Text: a.Summary, Href: alertURL(a.ID), values: []any{a.ID, a.Summary}}, bad, alertFigure(a.Figure, a.Unit),
			{Text: a.Rule, values: []any{a.Rule}}, at(&since, "not known"), toldCell,
		}})
	}
	return t
}

func whyQuiet(a *web.StandingAlert) string {
	switch a.State {
	case watch.Muted:
		return "Another alert stands for it, so nobody is told of this one."
	case watch.Silenced:
		return "A silence covers it, so nobody is told."
	case watch.Pending:
		return "Its line is crossed, but not for long enough yet."
	default:
		return ""
	}
}

// condition is the unit of what holds or does not: its number means nothing to people.
const condition = "condition"

// inUnit writes a figure of an alert.
func inUnit(v float64, unit string) string {
	switch unit {
	case "ratio":
		return percent(v)
	case "seconds":
		return duration(time.Duration(v * float64(time.Second)))
	default:
		if v == float64(int64(v)) {
			return count(int64(v))
		}
		return fmt.Sprintf("%.2f", v)
	}
}

func alertFigure(f *web.AlertFigure, unit string) cell {
	if f == nil {
		return cell{Text: "no data", Unknown: true, values: []any{nil, nil}}
	}
	if f.Value == nil {
		return cell{Text: stateWord(f.State), Unknown: true, values: []any{nil, f.Line}}
	}
	if unit == condition {
		return cell{Text: "–", Unknown: true, Tip: "It holds, or it does not: there is no figure.", values: []any{*f.Value, f.Line}}
	}
	text := inUnit(*f.Value, unit)
	if f.UpperBound {
		text = "≤\u00a0" + text
	}
	return cell{Text: text, Tip: alertTip(f, unit), values: []any{*f.Value, f.Line}}
}

// alertTip says how sure the figure of an alert is, and against which line it was held.
func alertTip(f *web.AlertFigure, unit string) string {
	var say []string
	if f.Numerator != nil && f.Denominator != nil {
		say = append(say, fmt.Sprintf("%s of %s.", count(*f.Numerator), count(*f.Denominator)))
	}
	if f.Low != nil && f.High != nil {
		say = append(say, fmt.Sprintf("Between %s and %s; each end is %s sure.", percent(*f.Low), percent(*f.High), linePercent(f.Confidence)))
	}
	if f.Day != "" {
		day := "Gmail's day " + f.Day
		if f.Deliveries != nil {
			day += ", with " + plural(*f.Deliveries, "delivery", "deliveries")
		}
		say = append(say, day+"; beyond the line on "+f.Days+" reported days.")
	}
	if f.UpperBound {
		say = append(say, "The truth is at most this.")
	}
	line := inUnit(f.Line, unit)
	if unit == "ratio" {
		line = linePercent(f.Line)
	}
	say = append(say, fmt.Sprintf("Line: %s %s.", f.Direction, line))
	if w, ok := signal.ParseWindow(f.Window); ok {
		say = append(say, "Over "+windowWords[w]+".")
	}
	if f.MeasuredShare != nil {
		say = append(say, "It speaks of "+percent(*f.MeasuredShare)+" of deliveries.")
	}
	if f.State != "ok" {
		say = append(say, "State: "+stateWord(f.State)+".")
	}
	if !f.AsOf.IsZero() {
		say = append(say, "As of "+utc(f.AsOf)+".")
	}
	return strings.Join(say, " ")
}

var kindWords = map[alerts.TransitionKind]string{
	alerts.Pended: "line crossed, waiting", alerts.Cancelled: "back before it fired", alerts.Triggered: "began to fire",
	alerts.Escalated: "became critical", alerts.Deescalated: "became a warning", alerts.Resolved: "ended",
}

func (s *Site) eventTable(r *http.Request, events []web.AlertEvent) *table {
	t := &table{ID: "history", Caption: "What happened lately", CSV: with(r.URL, "format", "csv", "table", "history"),
		JSON: "/api/v1/alerts?history=true", Empty: "Nothing in the last 90 days."}
	t.Columns = []column{
		{Title: "When", fields: []string{"at"}}, {Title: "What", fields: []string{"kind", "severity"}},
		{Title: "Rule", fields: []string{"alert", "rule"}}, {Title: "About", fields: []string{"subject"}}, {Title: "Figure", Numeric: true, fields: []string{"value", "line"}},
	}
	for i := range events {
		e := &events[i]
		what := cell{Text: kindWords[e.Kind], values: []any{string(e.Kind), e.Alert.Severity}}
		if what.Text == "" {
			what.Text = string(e.Kind)
		}
		if e.Alert.Severity != "" {
			what.Marks = []mark{{Text: e.Alert.Severity, Level: severityLevel(e.Alert.Severity)}}
		}
		if e.Reason != "" {
			what.Notes = []string{stateWord(string(e.Reason))}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			at(&e.At, "not known"), what, {Text: e.Alert.Rule, Href: alertURL(e.Alert.ID), values: []any{e.Alert.ID, e.Alert.Rule}},
			plain(subjectText(e.Alert.Subject)), alertFigure(e.Alert.Figure, e.Alert.Unit),
		}})
	}
	return t
}

// subjectFields are the fields of a subject that are set, by their labels.
func subjectFields(a alerts.Subject) (fields []fact) {
	for _, f := range []struct{ name, value string }{
		{"campaign", a.Campaign}, {"tenant", a.Tenant}, {"provider", a.Provider}, {"domain", a.Domain}, {"identifier", a.Identifier},
		{"receipt_rule", a.ReceiptRule}, {"rule_set", a.RuleSet}, {"account", a.Account}, {"region", a.Region}, {"source", a.Source},
		{"notifier", a.Notifier}, {"detail", a.Detail},
	} {
		if f.value != "" {
			fields = append(fields, fact{f.name, plain(f.value)})
		}
	}
	return fields
}

func subjectText(a alerts.Subject) string {
	var texts []string
	for _, f := range subjectFields(a) {
		texts = append(texts, f.Value.Text)
	}
	if len(texts) == 0 {
		return "the daemon"
	}
	return strings.Join(texts, " · ")
}
