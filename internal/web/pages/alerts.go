package pages

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	// maxForm bounds what a form may send.
	maxForm = 32 << 10
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

// silenceForm asks for a silence.
type silenceForm struct {
	Matchers  string
	Durations []choice
}

func newSilenceForm(matchers ...string) *silenceForm {
	return &silenceForm{Matchers: strings.Join(matchers, "\n"), Durations: []choice{
		{"1h", "1 hour", false}, {"4h", "4 hours", true}, {"24h", "1 day", false}, {"72h", "3 days", false}, {"168h", "7 days", false},
	}}
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
	p := alertsPage{frame: s.frame(r, "Alerts", "Alerts"), Judged: !list.AsOf.IsZero(), ReadOnly: s.ReadOnly}
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

// alertPage is the page of one alert.
type alertPage struct {
	frame
	Alert         web.StandingAlert
	Level         level
	Quiet         string
	Figures       []fact
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
	p := alertPage{frame: s.frame(r, "Alerts", a.Rule), Alert: a, Level: severityLevel(a.Severity), Quiet: whyQuiet(&a)}
	p.AsOf = d.AsOf
	p.Figures, p.Subject, p.Leads = figureFacts(a.Figure, a.Unit), subjectFields(a.Subject), leads(&a)
	p.History, p.Notifications = s.eventTable(r, d.Events), notificationTable(d.Notifications)
	p.History.Caption, p.History.CSV, p.History.JSON = "Its history", with(r.URL, "format", "csv", "table", "history"), "/api/v1"+alertURL(a.ID)
	if s.csv(w, r, queryOf(r), p.History) {
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

// figureFacts takes a figure apart for people.
func figureFacts(f *web.AlertFigure, unit string) (facts []fact) {
	if f == nil {
		return nil
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

func notificationTable(all []web.Notification) *table {
	t := &table{ID: "notifications", Caption: "Who was told", Empty: "Nobody was told of it."}
	t.Columns = []column{{Title: "When"}, {Title: "Notifier"}, {Title: "What"}, {Title: "State"}}
	for i := range all {
		n := &all[i]
		state := cell{Text: string(n.State)}
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
		t.Rows = append(t.Rows, row{Cells: []cell{at(&n.At, ""), {Text: name}, {Text: string(n.Change), Notes: []string{n.Summary}}, state}})
	}
	return t
}

// addSilence takes the form for a silence.
func (s *Site) addSilence(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fault(w, r, &badQuery{[]string{"The form cannot be read"}})
		return
	}
	wanted, faults := silenceOf(r.PostForm, s.Now())
	if len(faults) > 0 {
		s.fault(w, r, &badQuery{faults})
		return
	}
	added, err := s.Alerts.AddSilence(r.Context(), wanted)
	switch {
	case errors.Is(err, watch.ErrSilence), errors.Is(err, watch.ErrSilences):
		s.fault(w, r, &badQuery{[]string{err.Error()}})
	case err != nil:
		s.fault(w, r, err)
	default:
		s.Log.Info("silence added", "silence", added.ID, "ends_at", added.EndsAt, "by", added.CreatedBy)
		http.Redirect(w, r, "/alerts#silences", http.StatusSeeOther)
	}
}

func silenceOf(form url.Values, now time.Time) (out alerts.Silence, faults []string) {
	out = alerts.Silence{StartsAt: now, CreatedBy: strings.TrimSpace(form.Get("created_by")), Comment: strings.TrimSpace(form.Get("comment"))}
	for text := range strings.Lines(form.Get("matchers")) {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		m, err := alerts.ParseMatcher(text)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%q: %v", text, err))
		}
		out.Matchers = append(out.Matchers, m)
	}
	span, err := watch.ParseSpan(form.Get("duration"))
	if err != nil {
		faults = append(faults, "The duration "+err.Error())
	}
	out.EndsAt = now.Add(span)
	for _, x := range []struct{ text, fault string }{
		{out.CreatedBy, "Say who wants it: nobody lifts a silence that nobody understands"}, {out.Comment, "Say why"},
	} {
		if x.text == "" {
			faults = append(faults, x.fault)
		}
	}
	if len(out.Matchers) == 0 {
		faults = append(faults, "Say which alerts, such as rule=CampaignBlockRate")
	}
	return out, faults
}

// endSilence takes the button that ends a silence.
func (s *Site) endSilence(w http.ResponseWriter, r *http.Request) {
	ended, err := s.Alerts.EndSilence(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, watch.ErrNoSilence), errors.Is(err, watch.ErrSilenceEnded):
		s.fault(w, r, &badQuery{[]string{err.Error()}})
	case err != nil:
		s.fault(w, r, err)
	default:
		s.Log.Info("silence ended", "silence", ended.ID)
		http.Redirect(w, r, "/alerts#silences", http.StatusSeeOther)
	}
}

// heed sets firing alerts beside the findings that they are about; those about anything else become findings.
func (s *Site) heed(ctx context.Context, findings []finding) ([]finding, error) {
	if s.Alerts == nil {
		return findings, nil
	}
	list, err := s.Alerts.List(ctx, web.AlertQuery{State: watch.Firing, Limit: alertsShown})
	if err != nil {
		return findings, err
	}
	for i := range list.Alerts {
		a := &list.Alerts[i]
		l := link{Text: a.Rule, Href: alertURL(a.ID)}
		at := slices.IndexFunc(findings, func(f finding) bool { return f.concerns(a) })
		if at >= 0 {
			if !slices.ContainsFunc(findings[at].Alerts, func(o link) bool { return o.Text == l.Text }) {
				findings[at].Alerts = append(findings[at].Alerts, l)
			}
			findings[at].Level = max(findings[at].Level, severityLevel(a.Severity))
			continue
		}
		f := finding{Kind: strings.ReplaceAll(a.By.String(), "_", " "), Name: subjectText(a.Subject), Href: alertURL(a.ID), Alerts: []link{l}}
		if a.By == alerts.ByProvider {
			f.Name = s.provider(a.Subject.Provider)
		}
		f.add(reason{Level: severityLevel(a.Severity), Short: a.Rule, Text: a.Summary + ".", Means: a.Description})
		findings = append(findings, f)
	}
	return findings, nil
}

// concerns says whether an alert is about what the finding is about.
func (f *finding) concerns(a *web.StandingAlert) bool {
	x := &a.Subject
	switch f.Kind {
	case kindCampaign:
		return x.Campaign == f.Name && x.Tenant == f.Tenant ||
			x.Campaign == "" && (x.Identifier != "" || x.ReceiptRule != "") && slices.Contains(a.Labels["campaign"], f.Name)
	case kindReceiptRule:
		return x.ReceiptRule == f.Name
	case kindDomain:
		return x.Identifier == "" && (x.Domain == f.Name || strings.HasSuffix(x.Domain, "."+f.Name))
	case kindAccount:
		return x.Account != "" && x.ReceiptRule == "" && f.Name == accountName(x.Account, x.Region)
	case kindSource:
		return x.Source == f.Name
	default:
		return false
	}
}
