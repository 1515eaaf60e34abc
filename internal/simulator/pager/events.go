package pager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// Event is one that was taken.
type Event struct {
	At         time.Time
	RoutingKey string
	// Action is trigger, acknowledge or resolve.
	Action, DedupKey                string
	Summary, Source, Severity       string
	Component, Group, Class, Client string
	// Details are the custom details as they came.
	Details json.RawMessage
	Links   []Link
	// Effect says what became of it: opened, updated, acknowledged, resolved, or dropped for want of an open alert.
	Effect string
	// Size is that of the request's body.
	Size int
}

// Link is one of an event.
type Link struct{ Href, Text string }

// String is a line about the event for people, without its routing key.
func (e *Event) String() string {
	return fmt.Sprintf("%s %-7s %-8s %-12s %s: %s", e.At.UTC().Format("15:04:05"), e.Action, e.Severity, e.Effect, e.DedupKey, e.Summary)
}

// Alert is what PagerDuty makes of the events of one key, from the first trigger to the resolve.
type Alert struct {
	RoutingKey, DedupKey string
	// Status is triggered, acknowledged or resolved.
	Status string
	// Severity is that of the last trigger; Triggers counts them.
	Severity string
	Triggers int
}

// Events lists the events that were taken, the oldest first.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Alerts lists the alerts that they led to, the oldest first.
func (s *Server) Alerts() []Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Alert, len(s.alerts))
	for i, a := range s.alerts {
		all[i] = *a
	}
	return all
}

// request is an event as it comes.
type request struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Client     string `json:"client"`
	Payload    *struct {
		Summary, Source, Severity, Timestamp, Component, Group, Class string
		Details                                                       json.RawMessage `json:"custom_details"`
	} `json:"payload"`
	Links []Link `json:"links"`
}

// answer is what the API says.
type answer struct {
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	DedupKey string   `json:"dedup_key,omitempty"`
	Errors   []string `json:"errors,omitempty"`
}

var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// takeEvent answers an event.
func (s *Server) takeEvent(_ *http.Request, body []byte) (status int, text []byte) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return http.StatusBadRequest, encode(answer{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"Invalid JSON"}})
	}
	if errs := r.errors(); errs != nil {
		return http.StatusBadRequest, encode(answer{Status: "invalid event", Message: "Event object is invalid", Errors: errs})
	}
	if len(s.options.RoutingKeys) > 0 && !slices.Contains(s.options.RoutingKeys, r.RoutingKey) {
		return http.StatusBadRequest, encode(answer{Status: "invalid key", Message: "Invalid routing key"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !s.allow(r.RoutingKey, now) {
		return http.StatusTooManyRequests, encode(answer{Status: "throttle exceeded", Message: "Requests for this service are arriving too quickly. Please retry later."})
	}
	e := Event{
		At: now, RoutingKey: r.RoutingKey, Action: r.Action, DedupKey: r.DedupKey, Client: r.Client, Links: r.Links, Size: len(body),
	}
	if p := r.Payload; p != nil {
		e.Summary, e.Source, e.Severity = p.Summary, p.Source, p.Severity
		e.Component, e.Group, e.Class, e.Details = p.Component, p.Group, p.Class, p.Details
	}
	if e.DedupKey == "" {
		e.DedupKey = fmt.Sprintf("%032x", len(s.events)+1)
	}
	e.Effect = s.apply(&e)
	s.events = keep(s.events, e)
	return http.StatusAccepted, encode(answer{Status: "success", Message: "Event processed", DedupKey: e.DedupKey})
}

// errors are what PagerDuty would not take, in its words.
func (r *request) errors() (errs []string) {
	add := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, text)
		}
	}
	add(len(r.RoutingKey) != 32, "Length of 'routing_key' is incorrect (should be 32 characters)")
	add(!alphanumeric.MatchString(r.RoutingKey), "'routing_key' cannot contain non-alphanumeric characters.")
	add(!slices.Contains([]string{"trigger", "acknowledge", "resolve"}, r.Action), "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	add(utf8.RuneCountInString(r.DedupKey) > 255, "Length of 'dedup_key' is too long (max 255)")
	add(r.Action != "trigger" && r.DedupKey == "", "'dedup_key' is missing or blank")
	if r.Payload == nil {
		add(r.Action == "trigger", "'payload' is missing or blank")
		return errs
	}
	p := r.Payload
	add(p.Summary == "", "'payload.summary' is missing or blank")
	add(utf8.RuneCountInString(p.Summary) > 1024, "Length of 'payload.summary' is too long (max 1024)")
	add(p.Source == "", "'payload.source' is missing or blank")
	add(!slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity), "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
	if p.Timestamp != "" {
		_, err := time.Parse(time.RFC3339, p.Timestamp)
		_, basic := time.Parse("2006-01-02T15:04:05-0700", p.Timestamp) // as the documents write it
		add(err != nil && basic != nil, "'payload.timestamp' is invalid")
	}
	for _, l := range r.Links {
		add(l.Href == "", "'links.href' is missing or blank")
	}
	return errs
}

// allow counts a call of a key against its limit.
func (s *Server) allow(key string, now time.Time) bool {
	recent := slices.DeleteFunc(s.calls[key], func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	s.calls[key] = recent
	if len(recent) >= s.options.PerMinute {
		return false
	}
	s.calls[key] = append(recent, now)
	return true
}

// apply does to the alerts what an event asks for, and says what that was.
func (s *Server) apply(e *Event) (effect string) {
	i := slices.IndexFunc(s.alerts, func(a *Alert) bool {
		return a.RoutingKey == e.RoutingKey && a.DedupKey == e.DedupKey && a.Status != "resolved"
	})
	switch {
	case i < 0 && e.Action == "trigger":
		s.alerts = keep(s.alerts, &Alert{RoutingKey: e.RoutingKey, DedupKey: e.DedupKey, Status: "triggered", Severity: e.Severity, Triggers: 1})
		return "opened"
	case i < 0:
		return "dropped"
	case e.Action == "trigger":
		s.alerts[i].Severity = e.Severity
		s.alerts[i].Triggers++
		return "updated"
	default:
		s.alerts[i].Status = e.Action + "d"
		return e.Action + "d"
	}
}
