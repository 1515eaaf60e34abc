package pagerduty

import (
	"bytes"
	"encoding/json"
	"net/url"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
)

// The limits of an event (https://developer.pagerduty.com/docs/events-api-v2-overview#size-limits and
// https://developer.pagerduty.com/docs/send-alert-event).
const (
	maxEvent   = 512_000 // they say 512 KB; the smaller meaning of it is safe
	maxSummary = 1024
)

// maxField bounds a field that PagerDuty's lists show.
const maxField = 255

type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Client     string  `json:"client"`
	ClientURL  string  `json:"client_url,omitempty"`
	Payload    payload `json:"payload"`
	Links      []link  `json:"links,omitempty"`
}

// payload is in PagerDuty's common event format.
type payload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp"`
	Component string  `json:"component,omitempty"`
	Group     string  `json:"group,omitempty"`
	Class     string  `json:"class"`
	Details   details `json:"custom_details"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// details are in the order in which a person who was woken up reads.
type details struct {
	Description string        `json:"description,omitempty"`
	Change      alerts.Change `json:"change"`
	Reason      string        `json:"reason,omitempty"`
	Alerts      []object      `json:"alerts,omitempty"`
	More        int           `json:"more_alerts,omitempty"`
	Commands    object        `json:"commands,omitempty"`
	Runbook     string        `json:"runbook,omitempty"`
	Document    string        `json:"threshold_from,omitempty"`
	Ended       []string      `json:"ended,omitempty"`
	Muted       []string      `json:"muted,omitempty"`
	MoreMuted   int           `json:"more_muted,omitempty"`
	Rule        string        `json:"rule"`
	Cause       alerts.Cause  `json:"cause"`
	Owner       string        `json:"owner,omitempty"`
	Since       string        `json:"since"`
	ID          string        `json:"notification_id"`
}

// newEvent writes a notification as an event.
func newEvent(n *alerts.Notification, key string) *event {
	e := &event{
		RoutingKey: key, Action: "trigger", DedupKey: n.Key, Client: "Mailvane",
		Payload: payload{
			Summary: delivery.Shorten(n.Summary, maxSummary), Source: source(n), Severity: severity(n.Severity),
			Timestamp: delivery.Time(n.At), Component: n.By.String(), Group: group(n), Class: n.Signal.String(), Details: newDetails(n),
		},
	}
	if n.Resolved {
		e.Action = "resolve"
	}
	if n.Summary == "" {
		e.Payload.Summary = n.Rule
	}
	for _, l := range n.Links {
		if u, err := url.Parse(l.URL); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			e.Links = append(e.Links, link{Href: l.URL, Text: delivery.Line(l.Text)})
		}
	}
	if len(e.Links) > 0 {
		e.ClientURL = e.Links[0].Href
	}
	return e
}

// severity is one of PagerDuty's, which are critical, error, warning and info.
func severity(s alerts.Severity) string {
	switch s {
	case alerts.Critical:
		return "critical"
	case alerts.Warning:
		return "warning"
	default:
		return "info"
	}
}

// source names what is affected: the worst of the alerts.
func source(n *alerts.Notification) string {
	if n.By == alerts.ByDaemon { // whose subject is empty, or a detail that says nothing by itself
		return "mailvane"
	}
	for _, members := range [][]alerts.Member{n.Members, n.Gone} {
		if len(members) > 0 {
			return delivery.Shorten(members[0].Subject.String(), maxField)
		}
	}
	return n.Rule
}

// group names what the alerts have in common.
func group(n *alerts.Notification) (text string) {
	for i, l := range n.Group {
		if i > 0 {
			text += ", "
		}
		text += l.Name + " " + delivery.Line(l.Value)
	}
	return delivery.Shorten(text, maxField)
}

func newDetails(n *alerts.Notification) details {
	d := details{
		Description: n.Description, Change: n.Change, Reason: n.Reason.Words(), More: n.More, Runbook: n.Runbook, Document: n.Document,
		MoreMuted: n.MoreMuted, Rule: n.Rule, Cause: n.Cause, Owner: delivery.Line(n.Owner), Since: delivery.Time(n.StartedAt), ID: n.ID,
	}
	for i := range n.Members {
		d.Alerts = append(d.Alerts, newObject(n, &n.Members[i]))
	}
	for i := range n.Gone {
		d.Ended = append(d.Ended, n.Gone[i].Subject.String())
	}
	for i := range n.Muted {
		d.Muted = append(d.Muted, n.Muted[i].Subject.String())
	}
	for _, c := range n.Commands {
		d.Commands = append(d.Commands, delivery.Word{Name: delivery.Line(c.Text), Text: delivery.Line(c.Line)})
	}
	return d
}

// object is a JSON object with its fields in order.
type object []delivery.Word

func newObject(n *alerts.Notification, m *alerts.Member) object {
	o := object{{Name: "subject", Text: m.Subject.String()}, {Name: "severity", Text: m.Severity.String()}}
	if m.Summary != "" && len(n.Members) > 1 {
		o = append(o, delivery.Word{Name: "summary", Text: m.Summary})
	}
	return append(o, delivery.Words(n, m)...)
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, w := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(w.Name)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(w.Text)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
