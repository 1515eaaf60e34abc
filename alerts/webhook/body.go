package webhook

import (
	"encoding/json"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

// version is that of the form. It grows when a receiver that reads the present one would misunderstand; new fields may come
// without that.
const version = 1

// The body has types of its own, so that what receivers rely on does not change with what the ledger keeps. docs/webhook.md
// tells what each field says.
type body struct {
	Version     int               `json:"version"`
	ID          string            `json:"id"`
	Key         string            `json:"key"`
	Sequence    int64             `json:"sequence"`
	Change      alerts.Change     `json:"change"`
	Status      string            `json:"status"`
	Reason      alerts.Reason     `json:"reason,omitempty"`
	Severity    alerts.Severity   `json:"severity"`
	Rule        string            `json:"rule"`
	Signal      alerts.Signal     `json:"signal"`
	Unit        string            `json:"unit"`
	By          alerts.By         `json:"by"`
	Cause       alerts.Cause      `json:"cause"`
	Owner       string            `json:"owner,omitempty"`
	Group       map[string]string `json:"group,omitempty"`
	StartedAt   time.Time         `json:"started_at"`
	At          time.Time         `json:"at"`
	Summary     string            `json:"summary"`
	Description string            `json:"description,omitempty"`
	Runbook     string            `json:"runbook,omitempty"`
	Document    string            `json:"document,omitempty"`
	Alerts      []alert           `json:"alerts"`
	MoreAlerts  int               `json:"more_alerts,omitempty"`
	Ended       []alert           `json:"ended,omitempty"`
	Muted       []alert           `json:"muted,omitempty"`
	MoreMuted   int               `json:"more_muted,omitempty"`
	Links       []alerts.Link     `json:"links,omitempty"`
	Commands    []alerts.Command  `json:"commands,omitempty"`
}

type alert struct {
	ID        string            `json:"id"`
	Subject   alerts.Subject    `json:"subject"`
	Severity  alerts.Severity   `json:"severity"`
	StartedAt time.Time         `json:"started_at"`
	Summary   string            `json:"summary,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Figure    *figure           `json:"figure,omitempty"`
	Detail    *detail           `json:"detail,omitempty"`
}

// figure is what an alert was judged by. Value is null when there is none, the fields of the interval are there together.
type figure struct {
	State         string    `json:"state"`
	Value         *float64  `json:"value"`
	UpperBound    bool      `json:"upper_bound,omitempty"`
	Line          float64   `json:"line"`
	Direction     string    `json:"direction"`
	Interval      *interval `json:"interval,omitempty"`
	MeasuredShare float64   `json:"measured_share,omitempty"`
	Window        string    `json:"window,omitempty"`
	Day           string    `json:"day,omitempty"`
	Days          string    `json:"days,omitempty"`
	Deliveries    int64     `json:"deliveries,omitempty"`
	AsOf          time.Time `json:"as_of,omitzero"`
}

type interval struct {
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	Confidence  float64 `json:"confidence"`
	Numerator   int64   `json:"numerator"`
	Denominator int64   `json:"denominator"`
}

type detail struct {
	Notes             []string                 `json:"notes,omitempty"`
	Providers         []alerts.ProviderShare   `json:"providers,omitempty"`
	Campaigns         []alerts.CampaignShare   `json:"campaigns,omitempty"`
	Identifiers       []alerts.IdentifierShare `json:"identifiers,omitempty"`
	Reasons           []alerts.ReasonShare     `json:"reasons,omitempty"`
	SentLately        *int64                   `json:"sent_last_15m,omitempty"`
	Previous          *alerts.PreviousSend     `json:"previous,omitempty"`
	ConfigurationSets []configurationSet       `json:"configuration_sets,omitempty"`
}

type configurationSet struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
}

func render(n *alerts.Notification) ([]byte, error) { return json.Marshal(newBody(n)) }

func newBody(n *alerts.Notification) *body {
	b := &body{
		Version: version, ID: n.ID, Key: n.Key, Sequence: n.Sequence, Change: n.Change, Status: "firing", Reason: n.Reason,
		Severity: n.Severity, Rule: n.Rule, Signal: n.Signal, Unit: unit(n.Signal.Definition().Unit), By: n.By, Cause: n.Cause,
		Owner: n.Owner, Group: fields(n.Group), StartedAt: n.StartedAt.UTC(), At: n.At.UTC(), Summary: n.Summary,
		Description: n.Description, Runbook: n.Runbook, Document: n.Document, Alerts: newAlerts(n.Members), MoreAlerts: n.More,
		Ended: newAlerts(n.Gone), Muted: newAlerts(n.Muted), MoreMuted: n.MoreMuted, Links: n.Links, Commands: n.Commands,
	}
	if n.Resolved {
		b.Status = "resolved"
	}
	return b
}

func unit(u alerts.Unit) string {
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

func newAlerts(members []alerts.Member) []alert {
	all := make([]alert, len(members))
	for i := range members {
		m := &members[i]
		all[i] = alert{
			ID: m.ID, Subject: m.Subject, Severity: m.Severity, StartedAt: m.StartedAt.UTC(), Summary: m.Summary, Labels: fields(m.Labels),
			Figure: newFigure(m), Detail: newDetail(m.Detail),
		}
	}
	return all
}

// newFigure is nil for an alert of which nothing is known any more.
func newFigure(m *alerts.Member) *figure {
	e := &m.Evidence
	if e.At.IsZero() && !e.Known {
		return nil
	}
	f := &figure{
		State: e.State, UpperBound: m.UpperBound, Line: e.Line, Direction: "above", MeasuredShare: e.MeasuredShare, Window: e.Window,
		Days: e.Days, AsOf: e.AsOf.UTC(),
	}
	if e.Known {
		f.Value = &e.Value
	}
	if e.Below {
		f.Direction = "below"
	}
	if e.Day != 0 {
		f.Day = e.Day.String()
	}
	if e.Interval {
		f.Interval = &interval{Low: e.Low, High: e.High, Confidence: e.Confidence, Numerator: e.Numerator, Denominator: e.Denominator}
	} else {
		f.Deliveries = e.Denominator
	}
	return f
}

func newDetail(from *alerts.Detail) *detail {
	if from == nil {
		return nil
	}
	d := &detail{
		Notes: from.Notes, Providers: from.Providers, Campaigns: from.Campaigns, Identifiers: from.Identifiers, Reasons: from.Reasons,
		SentLately: from.SentLately, Previous: from.Previous,
	}
	for _, o := range from.ConfigurationSets {
		d.ConfigurationSets = append(d.ConfigurationSets, configurationSet{o.Account, o.Region, o.ConfigurationSet})
	}
	return d
}

func fields(list []observation.Field) map[string]string {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]string, len(list))
	for _, f := range list {
		m[f.Name] = f.Value
	}
	return m
}
