package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
)

// Alert is what is remembered of one rule and one subject, from the first crossing to the end.
type Alert struct {
	Rule    string  `json:"rule"`
	Signal  Signal  `json:"signal"`
	By      By      `json:"by"`
	Subject Subject `json:"subject"`
	// Version grows by one with each transition; the first is 1.
	Version int64 `json:"version"`
	// Severity is None while the alert does not fire.
	Severity Severity `json:"severity"`
	// Levels are those of the warning and the critical line.
	Levels [2]Level `json:"levels"`
	// Judged is the newest day that a daily reading was judged by, 0 for none.
	Judged Date `json:"judged,omitempty"`
	// Awaited are the days of the last few before Judged that had not arrived by then: bit n stands for n days before it.
	Awaited uint8 `json:"awaited,omitempty"`
	// StartedAt is when it began to fire; with ID it names an episode. Since is when its severity last changed.
	StartedAt time.Time `json:"started_at,omitzero"`
	Since     time.Time `json:"since,omitzero"`
	// Evidence is what was last known.
	Evidence Evidence `json:"evidence,omitzero"`
	// Owner and Labels are those of the subject and the rule, as of the last transition that raised the alert.
	Owner  string              `json:"owner,omitempty"`
	Labels []observation.Field `json:"labels,omitempty"`
}

// Level is what is remembered of one line of an alert. A zero time means not.
type Level struct {
	On bool `json:"on,omitempty"`
	// Pending is since when the line has been crossed without firing yet.
	Pending time.Time `json:"pending,omitzero"`
	// Clear, Quiet and Frozen are since when a level that is on has seen good figures, none or too weak ones, and nothing
	// that can be known. Only a figure beyond the line ends them.
	Clear  time.Time `json:"clear,omitzero"`
	Quiet  time.Time `json:"quiet,omitzero"`
	Frozen time.Time `json:"frozen,omitzero"`
}

// Evidence is the figure that an alert was judged by, with all that says how sure it is.
type Evidence struct {
	// AsOf is as of when the figure is true; At is when it was judged.
	At   time.Time `json:"at,omitzero"`
	AsOf time.Time `json:"as_of,omitzero"`
	// State is that of the figure.
	State string `json:"state,omitempty"`
	// Known says that there is a Value.
	Known bool    `json:"known,omitempty"`
	Value float64 `json:"value,omitempty"`
	// Interval says that the value is Numerator of Denominator, with Low and High as the ends of its interval, each a bound
	// at Confidence. For daily readings Denominator is the deliveries of the day.
	Interval    bool    `json:"interval,omitempty"`
	Low         float64 `json:"low,omitempty"`
	High        float64 `json:"high,omitempty"`
	Confidence  float64 `json:"confidence,omitempty"`
	Numerator   int64   `json:"numerator,omitempty"`
	Denominator int64   `json:"denominator,omitempty"`
	// MeasuredShare is the part of deliveries that a complaint rate speaks of, 0 for others.
	MeasuredShare float64 `json:"measured_share,omitempty"`
	// Line is the one that was last tested against and matters most: that of the severity, or of the next one.
	Line  float64 `json:"line"`
	Below bool    `json:"below,omitempty"`
	// Window is the span of send time; Day the day of a daily reading, and Days how many of the last ones crossed, such as
	// "2 of 3".
	Window string `json:"window,omitempty"`
	Day    Date   `json:"day,omitempty"`
	Days   string `json:"days,omitempty"`
}

// ID names the rule and the subject: 32 hexadecimal digits.
func (a *Alert) ID() string { return alertID(a.Rule, &a.Subject) }

func alertID(rule string, s *Subject) string {
	parts := make([]string, 1, 1+fieldEnd)
	parts[0] = rule
	for f := range fieldEnd {
		parts = append(parts, s.get(f))
	}
	return digest(parts...)
}

// Firing says whether the alert fires.
func (a *Alert) Firing() bool { return a.Severity != None }

// Phase says where the alert stands, as the API and people call it.
func (a *Alert) Phase() string {
	switch {
	case a.Firing():
		return "firing"
	case !a.Levels[0].Pending.IsZero() || !a.Levels[1].Pending.IsZero():
		return "pending"
	default:
		return "inactive"
	}
}

// Gone says that nothing needs to be remembered any more.
func (a *Alert) Gone() bool { return a.Phase() == "inactive" && a.Judged == 0 }

// values are those of a label of the alert that is no field of its subject.
func (a *Alert) values(label string) (values []string) {
	switch label {
	case "rule", "alertname":
		return []string{a.Rule}
	case "severity":
		return []string{a.Severity.String()}
	case "signal":
		return []string{a.Signal.String()}
	case "by":
		return []string{a.By.String()}
	case "cause":
		return []string{string(a.Signal.Definition().Cause)}
	case "owner":
		if a.Owner != "" {
			return []string{a.Owner}
		}
		return nil
	}
	for _, l := range a.Labels {
		if l.Name == label {
			values = append(values, l.Value)
		}
	}
	return values
}

// Reason says why an alert ended.
type Reason string

// The reasons.
const (
	// Cleared: the figure went back over its line and stayed there.
	Cleared Reason = "cleared"
	// Expired: no mail any more, or nobody reports it.
	Expired Reason = "expired"
	// Insufficient: too little mail to be sure, for as long as the window.
	Insufficient Reason = "insufficient"
	// WentStale, WentWrong and WentDark: nothing could be known for 72 hours, because the source failed, contradicted itself,
	// or published too little.
	WentStale Reason = "stale"
	WentWrong Reason = "error"
	WentDark  Reason = "no_data"
	// RuleChanged: the rule watches something else now, or no longer selects the subject, such as an identifier that a second
	// campaign uses. RuleDeleted: it is gone, or has another name.
	RuleChanged Reason = "rule_changed"
	RuleDeleted Reason = "rule_deleted"
	// RouteChanged: the alert fires on, but no route leads to this notifier any more. It is a notification's reason only.
	RouteChanged Reason = "route_changed"
)

// Words say it for people.
func (r Reason) Words() string {
	switch r {
	case Cleared:
		return "back to normal"
	case Expired:
		return "no mail or no report any more"
	case Insufficient:
		return "too little mail to be sure"
	case WentStale:
		return "nothing known for too long, the source fails"
	case WentWrong:
		return "nothing known for too long, the figures contradict each other"
	case WentDark:
		return "nothing known for too long, too little is published"
	case RuleChanged:
		return "the rule does not apply to it any more"
	case RuleDeleted:
		return "the rule is gone"
	case RouteChanged:
		return "not as severe any more, or routed elsewhere"
	default:
		return ""
	}
}

// TransitionKind says what happened to an alert.
type TransitionKind string

// The kinds. Only Triggered, Escalated, Deescalated and Resolved may lead to notifications; Noted changes what is remembered
// without changing phase or severity.
const (
	Pended      TransitionKind = "pending"
	Cancelled   TransitionKind = "cancelled"
	Triggered   TransitionKind = "triggered"
	Escalated   TransitionKind = "escalated"
	Deescalated TransitionKind = "deescalated"
	Resolved    TransitionKind = "resolved"
	Noted       TransitionKind = "noted"
)

// Transition is a change of an alert that must be stored.
type Transition struct {
	Kind TransitionKind
	At   time.Time
	// From is the version that the change was made of, 0 when nothing was remembered; a store that holds another version
	// must refuse the change. Alert.Version is one more.
	From int64
	// Alert is what is to be remembered from now on, or, when it is Gone, forgotten.
	Alert Alert
	// Reason is set for Resolved. Was is the severity before.
	Reason Reason
	Was    Severity
}

// format is the version of the form in which alerts, groups, notifications and silences are stored.
const format = 1

// ErrNewer says that what was stored was written by a newer version of this program.
var ErrNewer = errors.New("written by a newer version")

// stored is a value with the version of its form.
type stored[T any] struct {
	Format int `json:"format"`
	Value  *T  `json:"value"`
}

func encode[T any](v *T) ([]byte, error) { return json.Marshal(stored[T]{format, v}) }

func decode[T any](data []byte, what string) (v T, err error) {
	var form struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return v, fmt.Errorf("read a stored %s: %w", what, err)
	}
	if form.Format > format {
		return v, fmt.Errorf("read a stored %s of format %d: %w", what, form.Format, ErrNewer)
	}
	s := stored[T]{Value: &v}
	if err := json.Unmarshal(data, &s); err != nil {
		return v, fmt.Errorf("read a stored %s: %w", what, err)
	}
	if form.Format < 1 || s.Value == nil {
		return v, fmt.Errorf("read a stored %s: it has no format or no value", what)
	}
	return v, nil
}

// Encode writes an alert as ledgers keep it.
func (a *Alert) Encode() ([]byte, error) { return encode(a) }

// DecodeAlert reads what Encode wrote. The error is ErrNewer for what a newer version wrote.
func DecodeAlert(data []byte) (Alert, error) {
	a, err := decode[Alert](data, "alert")
	if err != nil {
		return Alert{}, err
	}
	if a.Rule == "" || a.Version < 1 {
		return Alert{}, errors.New("read a stored alert: it has no rule or no version")
	}
	return a, nil
}

// Date is a day of a reading, as it is stored: 2006-01-02.
type Date campaign.Day

// String writes the day as 2006-01-02.
func (d Date) String() string { return campaign.Day(d).String() }

// MarshalText writes the day as 2006-01-02.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads it.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a day", text)
	}
	*d = Date(campaign.DayOf(t, time.UTC))
	return nil
}

// MarshalText gives the signal's name.
func (s Signal) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the signal's name.
func (s *Signal) UnmarshalText(text []byte) (err error) {
	var ok bool
	if *s, ok = ParseSignal(string(text)); !ok {
		err = fmt.Errorf("%q is not a signal", text)
	}
	return err
}

// MarshalText gives the name.
func (b By) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the name.
func (b *By) UnmarshalText(text []byte) (err error) {
	var ok bool
	if *b, ok = ParseBy(string(text)); !ok {
		err = fmt.Errorf("%q is not what alerts are told apart by", text)
	}
	return err
}
