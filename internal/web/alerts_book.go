package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
)

// AlertOptions are what an AlertBook is made of.
type AlertOptions struct {
	// Watcher says how alerts stand, Alarm whether the one about the ledger fires; both are nil where nobody evaluates rules.
	Watcher Watcher
	Alarm   Alarm
	// Records are what is kept. Silences changes it; it is nil where nothing can be changed.
	Records  *watch.Records
	Silences *watch.Silences
	// Explain says how a subject stands against a rule now, nil when that cannot be said; without it alerts are not explained.
	Explain func(ctx context.Context, rule string, s alerts.Subject) (*alerts.Explanation, error)
	Now     func() time.Time
}

// Watcher knows how alerts stand.
type Watcher interface {
	// Standing is how alerts stood after the last round, nil before the first. It does not change.
	Standing() *watch.Standing
	// Rules are those in force.
	Rules() *alerts.Rules
}

// Alarm knows of the one alert that needs no ledger.
type Alarm interface {
	// Firing is the alert while it fires, else nil. It does not change.
	Firing() *alerts.Alert
	Rules() *alerts.Rules
}

// AlertBook tells of alerts and silences, in the form in which the API and pages show them.
type AlertBook struct{ o AlertOptions }

// NewAlertBook returns a book. It keeps nothing between calls.
func NewAlertBook(o AlertOptions) *AlertBook { return &AlertBook{o} }

// ErrNoAlert says that there is no alert of that id and that none is remembered.
var ErrNoAlert = errors.New("there is no such alert, and there was none in the last 90 days")

// AlertFilter selects alerts; what is empty selects all.
type AlertFilter struct {
	Rule     string
	Severity alerts.Severity
	// Labels are values that labels of the alert must have, fields of the subject and the owner among them.
	Labels map[string]string
	// Since is when the alert began, or the event happened, at the earliest.
	Since time.Time
}

func (f *AlertFilter) fits(a *alerts.Alert) bool {
	if f.Rule != "" && a.Rule != f.Rule {
		return false
	}
	for label, value := range f.Labels {
		if !slices.Contains(a.Values(label), value) {
			return false
		}
	}
	return true
}

// AlertQuery selects of the alerts that stand.
type AlertQuery struct {
	AlertFilter
	State         watch.State
	Limit, Offset int
}

// stand is an alert with the state that it is in.
type stand struct {
	*alerts.Alert
	state watch.State
}

// List lists the alerts that are pending or fire: those first that people are told of, then the worst, then the newest.
func (b *AlertBook) List(ctx context.Context, q AlertQuery) (AlertList, error) {
	standing, all, err := b.standing(ctx)
	if err != nil {
		return AlertList{}, err
	}
	all = slices.DeleteFunc(all, func(a stand) bool {
		return q.State != "" && a.state != q.State || q.Severity != alerts.None && a.Worst() != q.Severity ||
			began(a.Alert).Before(q.Since) || !q.fits(a.Alert)
	})
	slices.SortFunc(all, byUrgency)
	out := AlertList{Total: len(all), Alerts: []StandingAlert{}}
	if standing != nil {
		out.AsOf = standing.At.UTC()
	}
	told := b.tellings(standing)
	for _, a := range all[min(q.Offset, len(all)):][:min(q.Limit, max(len(all)-q.Offset, 0))] {
		one := b.standingAlert(standing, a)
		if one.Notifications, err = told.last(ctx, one.ID); err != nil {
			return AlertList{}, err
		}
		out.Alerts = append(out.Alerts, one)
	}
	return out, nil
}

func byUrgency(a, b stand) int {
	rank := func(s watch.State) int {
		return slices.Index([]watch.State{watch.Firing, watch.Muted, watch.Silenced, watch.Pending}, s)
	}
	return cmp.Or(cmp.Compare(rank(a.state), rank(b.state)), cmp.Compare(b.Worst(), a.Worst()), began(b.Alert).Compare(began(a.Alert)),
		strings.Compare(a.Rule, b.Rule), strings.Compare(a.Subject.String(), b.Subject.String()))
}

// standing lists what stands. Before the first round that is what was stored, and the standing is nil.
func (b *AlertBook) standing(ctx context.Context) (s *watch.Standing, all []stand, err error) {
	if b.o.Watcher != nil {
		s = b.o.Watcher.Standing()
	}
	if s != nil {
		for _, a := range s.Alerts {
			all = append(all, stand{a, s.State(a)})
		}
	} else {
		stored, err := b.o.Records.Alerts(ctx)
		if err != nil {
			return nil, nil, err
		}
		for i := range stored {
			all = append(all, stand{&stored[i], s.State(&stored[i])})
		}
	}
	if b.o.Alarm != nil {
		if a := b.o.Alarm.Firing(); a != nil {
			all = append(all, stand{a, watch.Firing})
		}
	}
	return s, all, nil
}

// rules are those that an alert goes by.
func (b *AlertBook) rules(a *alerts.Alert) *alerts.Rules {
	switch {
	case b.o.Alarm != nil && a.Rule == watch.AlarmRule:
		return b.o.Alarm.Rules()
	case b.o.Watcher != nil:
		return b.o.Watcher.Rules()
	default:
		return &alerts.Rules{}
	}
}

func (b *AlertBook) standingAlert(s *watch.Standing, a stand) StandingAlert {
	out := b.describe(a.Alert, "")
	out.State = a.state
	if s != nil {
		out.MutedBy, out.SilencedBy = s.Muted[out.ID], s.Silenced[out.ID]
	}
	return out
}

// describe adds what the rule says of an alert; reason is why it ended.
func (b *AlertBook) describe(a *alerts.Alert, reason alerts.Reason) StandingAlert {
	rules, now := b.rules(a), b.o.Now()
	out := StandingAlert{
		Alert: newAlert(a), Summary: rules.Summary(a, reason, now), Description: rules.Description(a, reason, now),
	}
	if rule, ok := rules.Rule(a.Rule); ok {
		out.Runbook, out.Document = rule.Runbook, rule.Document
	}
	return out
}

// Detail tells everything about one alert, also one that is over; the history goes on before an event, when that is not 0. The
// error is ErrNoAlert when none is known.
func (b *AlertBook) Detail(ctx context.Context, id string, before int64, limit int) (AlertDetail, error) {
	standing, all, err := b.standing(ctx)
	if err != nil {
		return AlertDetail{}, err
	}
	out := AlertDetail{Notifications: []Notification{}}
	if standing != nil {
		out.AsOf = standing.At.UTC()
	}
	newest, err := b.o.Records.History(ctx, watch.HistoryQuery{Alert: id, Page: watch.Page{Limit: 1}})
	if err != nil {
		return AlertDetail{}, err
	}
	var keys []string
	switch i := slices.IndexFunc(all, func(a stand) bool { return a.ID() == id }); {
	case i >= 0:
		out.Alert = b.standingAlert(standing, all[i])
		keys = append(keys, all[i].GroupKey())
	case len(newest) > 0:
		out.Alert = b.describe(&newest[0].Alert, newest[0].Reason)
	default:
		return AlertDetail{}, ErrNoAlert
	}
	events, next, err := b.events(ctx, watch.HistoryQuery{Alert: id, Page: watch.Page{Before: before}}, limit, nil)
	if err != nil {
		return AlertDetail{}, err
	}
	out.AlertHistory = newAlertHistory(events, next)
	for i := range events {
		keys = append(keys, events[i].Alert.GroupKey()) // it changes with the owner
	}
	if out.Notifications, err = b.notifications(ctx, id, keys); err != nil || b.o.Explain == nil {
		return out, err
	}
	x, err := b.o.Explain(ctx, out.Alert.Rule, out.Alert.Subject)
	out.Explain = newAlertExplanation(x)
	return out, err
}

// HistoryQuery selects of what happened to alerts in the last 90 days.
type HistoryQuery struct {
	AlertFilter
	// Kinds, when there are any, are the events that are meant. Until is excluded.
	Kinds  []alerts.TransitionKind
	Until  time.Time
	Before int64
	Limit  int
}

// History lists what happened to alerts, the newest first.
func (b *AlertBook) History(ctx context.Context, q HistoryQuery) (AlertHistory, error) {
	events, next, err := b.events(ctx, watch.HistoryQuery{
		From: q.Since, To: q.Until, Rule: q.Rule, Page: watch.Page{Before: q.Before},
	}, q.Limit, func(e *watch.Event) bool {
		worst := max(e.Alert.Worst(), e.Was)
		return (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) && (q.Severity == alerts.None || worst == q.Severity) && q.fits(&e.Alert)
	})
	return newAlertHistory(events, next), err
}

func newAlertHistory(events []watch.Event, next int64) AlertHistory {
	out := AlertHistory{Events: make([]AlertEvent, len(events)), Next: next}
	for i := range events {
		out.Events[i] = newAlertEvent(&events[i])
	}
	return out
}

// maxScanned bounds how many events are looked at for one answer: the next one goes on from there.
const maxScanned = 20_000

// events reads up to limit events that fit, and where to go on, 0 at the end.
func (b *AlertBook) events(ctx context.Context, q watch.HistoryQuery, limit int, fits func(*watch.Event) bool) (out []watch.Event, next int64, err error) {
	for scanned := 0; ; {
		q.Limit = limit + 1
		if fits != nil {
			q.Limit = max(q.Limit, 500)
		}
		page, err := b.o.Records.History(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		for i := range page {
			if fits != nil && !fits(&page[i]) {
				continue
			}
			if len(out) == limit {
				return out, out[limit-1].Number, nil
			}
			out = append(out, page[i])
		}
		if len(page) < q.Limit {
			return out, 0, nil
		}
		q.Before = page[len(page)-1].Number
		if scanned += len(page); scanned >= maxScanned {
			return out, q.Before, nil
		}
	}
}
