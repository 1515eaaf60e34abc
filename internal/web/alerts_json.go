package web

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/watch"
)

// AlertList is how alerts stand.
type AlertList struct {
	// AsOf is when the rules were evaluated last. It is zero after a start until they are; what is listed then is what was
	// stored, of which is not known who was told, and what is muted or silenced.
	AsOf time.Time `json:"as_of,omitzero"`
	// Total is how many alerts fit, whatever limit and offset.
	Total  int             `json:"total"`
	Alerts []StandingAlert `json:"alerts"`
}

// AlertHistory is what happened to alerts, the newest first.
type AlertHistory struct {
	Events []AlertEvent `json:"events"`
	// Next continues the listing, as "before"; 0 when it is complete.
	Next int64 `json:"next,omitempty"`
}

// AlertDetail is everything about one alert.
type AlertDetail struct {
	AsOf  time.Time     `json:"as_of,omitzero"`
	Alert StandingAlert `json:"alert"`
	AlertHistory
	// Notifications are the newest that told of it.
	Notifications []Notification `json:"notifications"`
	// Explain is how its figure stands against its rule now, nil when that cannot be said.
	Explain *AlertExplanation `json:"explain,omitempty"`
}

// Alert is one rule and one subject, as they were at some time.
type Alert struct {
	ID      string         `json:"id"`
	Rule    string         `json:"rule"`
	Signal  alerts.Signal  `json:"signal"`
	Unit    string         `json:"unit"`
	By      alerts.By      `json:"by"`
	Cause   alerts.Cause   `json:"cause"`
	Subject alerts.Subject `json:"subject"`
	Owner   string         `json:"owner,omitempty"`
	// Labels are those of the rule and what else is known of the subject; a label may have several values.
	Labels map[string][]string `json:"labels,omitempty"`
	// Phase is inactive, pending or firing. Severity is the worst line that is crossed, empty when none is.
	Phase    string `json:"phase"`
	Severity string `json:"severity,omitempty"`
	// StartedAt is when it began to fire; with ID it names one firing. Since is when the severity last changed, of an alert
	// that is pending when its first line was crossed.
	StartedAt time.Time `json:"started_at,omitzero"`
	Since     time.Time `json:"since,omitzero"`
	// Pending says, by severity, since when a line has been crossed that has not made the alert fire yet.
	Pending map[string]time.Time `json:"pending,omitempty"`
	Figure  *AlertFigure         `json:"figure,omitempty"`
}

// StandingAlert is an alert that is pending or fires.
type StandingAlert struct {
	Alert
	// State is empty for an alert that is over.
	State watch.State `json:"state,omitempty"`
	// MutedBy is the alert that stands for this one, SilencedBy the silence that covers it.
	MutedBy     string `json:"muted_by,omitempty"`
	SilencedBy  string `json:"silenced_by,omitempty"`
	Summary     string `json:"summary"`
	Description string `json:"description,omitempty"`
	Runbook     string `json:"runbook,omitempty"`
	Document    string `json:"document,omitempty"`
	// Notifications are, of each notifier that knows of the alert, the last that was made.
	Notifications []Notification `json:"notifications,omitempty"`
}

// AlertFigure is what an alert was judged by: a figure as signals have it, and its line.
type AlertFigure struct {
	Value       *float64 `json:"value,omitempty"`
	Low         *float64 `json:"low,omitempty"`
	High        *float64 `json:"high,omitempty"`
	Numerator   *int64   `json:"numerator,omitempty"`
	Denominator *int64   `json:"denominator,omitempty"`
	// Confidence is that of each end of the interval.
	Confidence    float64  `json:"confidence,omitempty"`
	MeasuredShare *float64 `json:"measured_share,omitempty"`
	State         string   `json:"state"`
	// UpperBound says that the truth is at most the value.
	UpperBound bool    `json:"upper_bound,omitempty"`
	Line       float64 `json:"line"`
	Direction  string  `json:"direction"`
	Window     string  `json:"window,omitempty"`
	// Day is that of a daily reading, Days on how many of the last ones the line was crossed, Deliveries those of the day.
	Day        string    `json:"day,omitempty"`
	Days       string    `json:"days,omitempty"`
	Deliveries *int64    `json:"deliveries,omitempty"`
	AsOf       time.Time `json:"as_of,omitzero"`
	// JudgedAt is when it was held against the line.
	JudgedAt time.Time `json:"judged_at,omitzero"`
}

// AlertEvent is something that happened to an alert.
type AlertEvent struct {
	Number int64                 `json:"number"`
	Kind   alerts.TransitionKind `json:"kind"`
	At     time.Time             `json:"at"`
	// Was is the severity before, empty when it did not fire; Reason says why it ended.
	Was    string        `json:"was,omitempty"`
	Reason alerts.Reason `json:"reason,omitempty"`
	// Alert is the alert as it was afterwards.
	Alert Alert `json:"alert"`
}

// Notification is a message to one notifier and what became of it.
type Notification struct {
	ID string `json:"id"`
	// Notifier is empty for a dead letter, which no route takes.
	Notifier string            `json:"notifier"`
	Key      string            `json:"key"`
	Change   alerts.Change     `json:"change"`
	Severity string            `json:"severity"`
	Summary  string            `json:"summary"`
	At       time.Time         `json:"at"`
	State    alerts.EntryState `json:"state"`
	Attempts int               `json:"attempts"`
	// NextAt is when it is tried next, while it waits; SettledAt is when it was delivered, overtaken or given up.
	NextAt    time.Time `json:"next_at,omitzero"`
	SettledAt time.Time `json:"settled_at,omitzero"`
	// LastReason and LastError are those of the last try, if it failed.
	LastReason alerts.DeliveryReason `json:"last_reason,omitempty"`
	LastError  string                `json:"last_error,omitempty"`
}

func newAlert(a *alerts.Alert) Alert {
	d := a.Signal.Definition()
	out := Alert{
		ID: a.ID(), Rule: a.Rule, Signal: a.Signal, Unit: unitName(d.Unit), By: a.By, Cause: d.Cause, Subject: a.Subject, Owner: a.Owner,
		Labels: labelValues(a.Labels), Phase: a.Phase(), Severity: severityName(a.Worst()), StartedAt: a.StartedAt.UTC(),
		Since: a.Since.UTC(), Figure: newAlertFigure(&a.Evidence, &d),
	}
	for i, severity := range [...]alerts.Severity{alerts.Warning, alerts.Critical} {
		if at := a.Levels[i].Pending; !at.IsZero() {
			if out.Pending == nil {
				out.Pending = make(map[string]time.Time)
			}
			out.Pending[severity.String()] = at.UTC()
		}
	}
	if out.Phase == phasePending {
		out.Since = began(a).UTC()
	}
	return out
}

const phasePending = "pending"

// began is when an alert began to fire, or its first line was crossed.
func began(a *alerts.Alert) time.Time {
	if a.Firing() {
		return a.StartedAt
	}
	var first time.Time
	for i := range a.Levels {
		if at := a.Levels[i].Pending; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func severityName(s alerts.Severity) string {
	if s == alerts.None {
		return ""
	}
	return s.String()
}

func unitName(u alerts.Unit) string {
	switch u {
	case alerts.Ratio:
		return "ratio"
	case alerts.Seconds:
		return "seconds"
	case alerts.Condition:
		return "condition"
	default:
		return "count"
	}
}

func labelValues(list []observation.Field) map[string][]string {
	if len(list) == 0 {
		return nil
	}
	values := make(map[string][]string, len(list))
	for _, f := range list {
		if !slices.Contains(values[f.Name], f.Value) {
			values[f.Name] = append(values[f.Name], f.Value)
		}
	}
	return values
}

// newAlertFigure is nil when nothing is known. What is not known is left out, so that it never reads as 0.
func newAlertFigure(e *alerts.Evidence, d *alerts.Definition) *AlertFigure {
	if e.At.IsZero() && !e.Known {
		return nil
	}
	f := &AlertFigure{
		State: e.State, UpperBound: d.Bound, Line: e.Line, Direction: "above", Window: e.Window, Days: e.Days, AsOf: e.AsOf.UTC(),
		JudgedAt: e.At.UTC(),
	}
	if e.Below {
		f.Direction = "below"
	}
	if e.Day != 0 {
		f.Day = e.Day.String()
	}
	if e.Known {
		f.Value = new(inUnit(e.Value, d.Unit))
	}
	switch {
	case e.Interval:
		f.Low, f.High, f.Confidence = new(inUnit(e.Low, d.Unit)), new(inUnit(e.High, d.Unit)), e.Confidence
		f.Numerator, f.Denominator = new(e.Numerator), new(e.Denominator)
	case d.Kind == alerts.Daily && e.Known:
		f.Deliveries = new(e.Denominator)
	}
	if e.MeasuredShare > 0 {
		f.MeasuredShare = new(inUnit(e.MeasuredShare, alerts.Ratio))
	}
	return f
}

// inUnit gives ratios six digits that count, as all of the API does; what was counted stands beside them.
func inUnit(v float64, unit alerts.Unit) float64 {
	if unit != alerts.Ratio {
		return v
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil || math.IsNaN(v) {
		return 0
	}
	return short
}

func newAlertEvent(e *watch.Event) AlertEvent {
	return AlertEvent{
		Number: e.Number, Kind: e.Kind, At: e.At.UTC(), Was: severityName(e.Was), Reason: e.Reason, Alert: newAlert(&e.Alert),
	}
}

func newNotification(m *watch.Message) Notification {
	n := &m.Notification
	out := Notification{
		ID: n.ID, Notifier: n.Notifier, Key: n.Key, Change: n.Change, Severity: severityName(n.Severity), Summary: n.Summary,
		At: n.At.UTC(), State: m.State, Attempts: m.Attempts, LastReason: m.LastReason, LastError: m.LastError,
	}
	if m.State == alerts.EntryWaiting {
		out.NextAt = m.NextAt.UTC()
	}
	if !m.SettledAt.IsZero() {
		out.SettledAt = m.SettledAt.UTC()
	}
	return out
}
