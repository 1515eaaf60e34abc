package alertmanager

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

// alert is one as the API takes it, a postableAlert.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// newAlerts are the members of a notification that is sent at now, and the ends of those that are over, unless they have
// ended by themselves by now.
func newAlerts(n *alerts.Notification, now time.Time) []alert {
	all := make([]alert, 0, len(n.Members)+len(n.Gone))
	forgotten := now.Sub(n.At) >= lasts
	for i := range n.Members {
		m := &n.Members[i]
		a := newAlert(n, m, m.Severity, now.Add(lasts))
		a.annotate(n, m)
		all = append(all, a)
		if m.Was != alerts.None && m.Was != m.Severity && !forgotten {
			all = append(all, newAlert(n, m, m.Was, n.At))
		}
	}
	for i := range n.Gone {
		m := &n.Gone[i]
		if m.Severity != alerts.None && !forgotten {
			all = append(all, newAlert(n, m, m.Severity, n.At))
		}
	}
	return all
}

// newAlert has the labels by which an alert is known.
func newAlert(n *alerts.Notification, m *alerts.Member, severity alerts.Severity, end time.Time) alert {
	a := alert{Labels: make(map[string]string), StartsAt: delivery.Time(m.StartedAt), EndsAt: delivery.Time(end)}
	if end.Before(m.StartedAt) { // clocks have been set; it would be refused
		a.EndsAt = a.StartsAt
	}
	for _, l := range m.Labels {
		if labelName.MatchString(l.Name) {
			a.label(l.Name, l.Value)
		}
	}
	s := &m.Subject
	for _, l := range [...]struct{ name, value string }{
		{"tenant", s.Tenant}, {"campaign", s.Campaign}, {"provider", s.Provider}, {"domain", s.Domain}, {"identifier", s.Identifier},
		{"account", s.Account}, {"region", s.Region}, {"rule_set", s.RuleSet}, {"receipt_rule", s.ReceiptRule}, {"source", s.Source},
		{"notifier", s.Notifier}, {"detail", s.Detail},
		{"alertname", n.Rule}, {"severity", severity.String()}, {"signal", n.Signal.String()}, {"by", n.By.String()},
		{"cause", string(n.Cause)}, {"owner", n.Owner},
	} {
		a.label(l.name, l.value)
	}
	return a
}

// labelName is what Alertmanager takes, and does not keep for itself as it does names that begin with two underscores.
var labelName = regexp.MustCompile(`^(?:[a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$`)

func (a *alert) label(name, value string) {
	if value != "" {
		a.Labels[name] = delivery.Line(value)
	}
}

// annotate adds what people read.
func (a *alert) annotate(n *alerts.Notification, m *alerts.Member) {
	a.Annotations = make(map[string]string)
	add := func(name, text string) {
		if text != "" {
			a.Annotations[name] = text
		}
	}
	for _, w := range delivery.Words(n, m) {
		add(w.Name, w.Text)
	}
	summary := m.Summary
	if summary == "" {
		summary = n.Summary
	}
	add("summary", summary)
	if len(n.Members) == 1 { // it is about the worst of several
		add("description", n.Description)
	}
	add("runbook_url", n.Runbook)
	add("threshold_from", n.Document)
	if n.More > 0 {
		add("more", strconv.Itoa(n.More)+" more of this rule are not listed")
	}
	var muted []string
	for i := range n.Muted {
		muted = append(muted, n.Muted[i].Subject.String())
	}
	if n.MoreMuted > 0 {
		muted = append(muted, strconv.Itoa(n.MoreMuted)+" more")
	}
	add("mutes", strings.Join(muted, "; "))
	for i, l := range n.Links {
		if u, err := url.Parse(l.URL); err != nil || u.Host == "" {
			continue
		}
		if a.GeneratorURL == "" {
			a.GeneratorURL = l.URL
		}
		add("link_"+strconv.Itoa(i+1), delivery.Line(l.Text)+": "+l.URL)
	}
	for i, c := range n.Commands {
		add("command_"+strconv.Itoa(i+1), delivery.Line(c.Text)+": "+c.Line)
	}
}
