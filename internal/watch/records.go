package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Records reads what a ledger keeps of alerts. It works in any process, also beside a daemon.
type Records struct {
	reader ledger.AlertReader
	now    func() time.Time
}

// NewRecords returns the records in a ledger.
func NewRecords(r ledger.AlertReader, now func() time.Time) *Records { return &Records{r, now} }

// Alerts lists the alerts that are pending or firing, in no order.
func (r *Records) Alerts(ctx context.Context) ([]alerts.Alert, error) {
	kept, err := r.reader.Alerts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	var out []alerts.Alert
	for i := range kept.Alerts {
		a, err := alerts.DecodeAlert([]byte(kept.Alerts[i].Body))
		if err != nil {
			return nil, fmt.Errorf("list alerts: %w", err)
		}
		if a.Phase() != "inactive" {
			out = append(out, a)
		}
	}
	return out, nil
}

// Page is where a listing goes on. The zero Page is the beginning.
type Page struct {
	// Before, when not 0, is the number of the last one of the page before.
	Before int64
	// Limit is how many, 0 means 100.
	Limit int
}

// HistoryQuery selects events; empty fields select all.
type HistoryQuery struct {
	// From and To bound the time, To excluded.
	From, To time.Time
	// Alert is an alert's id, Subject a subject in words, as Subject.String gives it.
	Alert, Rule, Subject string
	Page
}

// Event is something that happened to an alert.
type Event struct {
	// Number orders the history.
	Number int64
	Kind   alerts.TransitionKind
	At     time.Time
	// Was is the severity before, Reason why it ended.
	Was    alerts.Severity
	Reason alerts.Reason
	// Alert is the alert as it was afterwards.
	Alert alerts.Alert
}

// History lists what happened to alerts in the last 90 days, the newest first.
func (r *Records) History(ctx context.Context, q HistoryQuery) ([]Event, error) {
	kept, err := r.reader.AlertHistory(ctx, ledger.AlertQuery{
		From: q.From, To: q.To, Alert: q.Alert, Rule: q.Rule, Subject: q.Subject, Before: q.Before, Limit: q.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list the history of alerts: %w", err)
	}
	out := make([]Event, len(kept))
	for i := range kept {
		k := &kept[i]
		out[i] = Event{Number: k.Number, Kind: alerts.TransitionKind(k.Kind), At: k.At, Reason: alerts.Reason(k.Reason)}
		if out[i].Alert, err = alerts.DecodeAlert([]byte(k.Body)); err == nil {
			err = out[i].Was.UnmarshalText([]byte(k.Was))
		}
		if err != nil {
			return nil, fmt.Errorf("list the history of alerts: %w", err)
		}
	}
	return out, nil
}

// Silences lists those that end after a time, in the order of their ends. Ended ones are kept for 90 days.
func (r *Records) Silences(ctx context.Context, after time.Time) ([]alerts.Silence, error) {
	kept, err := r.reader.Silences(ctx, after)
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	out := make([]alerts.Silence, len(kept))
	for i := range kept {
		if out[i], err = alerts.DecodeSilence([]byte(kept[i].Body)); err != nil {
			return nil, fmt.Errorf("list silences: %w", err)
		}
	}
	return out, nil
}

// MessageQuery selects messages; empty fields select all.
type MessageQuery struct {
	Notifier, Key string
	State         alerts.EntryState
	Page
}

// Message is a notification and what became of it.
type Message struct {
	// Number orders the messages.
	Number int64
	alerts.Entry
	// SettledAt is when it was delivered, overtaken or given up; zero until then.
	SettledAt time.Time
}

// Messages lists notifications of the last 90 days, the newest first.
func (r *Records) Messages(ctx context.Context, q MessageQuery) ([]Message, error) {
	kept, err := r.reader.Notifications(ctx, ledger.NotificationQuery{
		Notifier: q.Notifier, Key: q.Key, State: ledger.NotificationState(q.State), Before: q.Before, Limit: q.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	out := make([]Message, len(kept))
	for i := range kept {
		out[i].Number, out[i].SettledAt = kept[i].Number, kept[i].SettledAt
		if out[i].Entry, err = entryOf(&kept[i]); err != nil {
			return nil, fmt.Errorf("list notifications: %w", err)
		}
	}
	return out, nil
}

// Count is how many notifications of a notifier are in a state. Oldest is when the oldest of them was made.
type Count struct {
	// Notifier is empty for dead letters that no route takes.
	Notifier string
	State    alerts.EntryState
	N        int64
	Oldest   time.Time
}

// Counts counts the notifications of the last 90 days, in the order of notifiers and states.
func (r *Records) Counts(ctx context.Context) ([]Count, error) {
	kept, err := r.reader.NotificationCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count notifications: %w", err)
	}
	out := make([]Count, len(kept))
	for i, k := range kept {
		out[i] = Count{k.Notifier, alerts.EntryState(k.State), k.N, k.Oldest}
	}
	return out, nil
}
