package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	defaultAlerts = 200
	maxAlerts     = 2000
	defaultEvents = 100
	maxEvents     = 1000
	// maxID is how long what names an alert or a silence may be.
	maxID = 64
)

func (s *server) alerts(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	if choice(&p, "history", "true", "false") == "true" {
		s.alertHistory(w, r, &p)
		return
	}
	q := AlertQuery{
		AlertFilter: p.alertFilter(),
		State:       choice(&p, "state", watch.States()...),
		Limit:       p.number("limit", defaultAlerts, 1, maxAlerts),
		Offset:      p.number("offset", 0, 0, 1<<30),
	}
	p.goWith("history=true", "kind", "until", "before")
	if !p.done(w) {
		return
	}
	list, err := s.Alerts.List(r.Context(), q)
	if err != nil {
		s.fault(w, err)
		return
	}
	s.json(w, list)
}

func (s *server) alertHistory(w http.ResponseWriter, r *http.Request, p *params) {
	q := HistoryQuery{
		AlertFilter: p.alertFilter(),
		Until:       p.time("until"),
		Before:      int64(p.number("before", 0, 1, 1<<62)),
		Limit:       p.number("limit", defaultEvents, 1, maxEvents),
	}
	if kind := choice(p, "kind", eventKinds()...); kind != "" {
		q.Kinds = []alerts.TransitionKind{kind}
	}
	p.goWith("history=false", "state", "offset")
	if !p.done(w) {
		return
	}
	history, err := s.Alerts.History(r.Context(), q)
	if err != nil {
		s.fault(w, err)
		return
	}
	s.json(w, history)
}

func (s *server) alert(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	before, limit := int64(p.number("before", 0, 1, 1<<62)), p.number("limit", defaultEvents, 1, maxEvents)
	if !p.done(w) {
		return
	}
	id := r.PathValue("id")
	if len(id) > maxID {
		problem(w, http.StatusNotFound, ErrNoAlert.Error())
		return
	}
	detail, err := s.Alerts.Detail(r.Context(), id, before, limit)
	switch {
	case errors.Is(err, ErrNoAlert):
		problem(w, http.StatusNotFound, err.Error())
	case err != nil:
		s.fault(w, err)
	default:
		s.json(w, detail)
	}
}

// eventKinds are those that the history holds.
func eventKinds() []alerts.TransitionKind {
	return []alerts.TransitionKind{
		alerts.Pended, alerts.Cancelled, alerts.Triggered, alerts.Escalated, alerts.Deescalated, alerts.Resolved,
	}
}

func (p *params) alertFilter() AlertFilter {
	f := AlertFilter{Rule: p.text("rule"), Labels: make(map[string]string), Since: p.time("since")}
	switch choice(p, "severity", alerts.Warning.String(), alerts.Critical.String()) {
	case alerts.Warning.String():
		f.Severity = alerts.Warning
	case alerts.Critical.String():
		f.Severity = alerts.Critical
	}
	for _, label := range alerts.SubjectLabels() {
		if value := p.text(label); value != "" {
			f.Labels[label] = value
		}
	}
	return f
}

func (p *params) time(name string) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.faults = append(p.faults, name+" must be a time such as 2026-11-20T08:00:00Z")
	}
	return t
}

// goWith refuses parameters that mean something in another listing only.
func (p *params) goWith(other string, names ...string) {
	for _, name := range names {
		if p.text(name) != "" {
			p.faults = append(p.faults, name+" goes with "+other)
		}
	}
}
