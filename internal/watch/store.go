package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// Ledger is what a Store needs of a ledger.
type Ledger interface {
	ledger.AlertReader
	ledger.AlertWriter
}

// ErrSettled says that nothing is to be done about an entry any more: it was overtaken, or is not there.
var ErrSettled = errors.New("settled already")

// Store keeps alerts, groups and the outbox in a ledger.
type Store struct {
	*Records
	ledger Ledger
}

var (
	_ alerts.Store = (*Store)(nil)
	_ Outbox       = (*Store)(nil)
)

// NewStore returns a store over a ledger.
func NewStore(l Ledger, now func() time.Time) *Store { return &Store{NewRecords(l, now), l} }

// Load implements alerts.Store. Silences that have ended are left out.
func (s *Store) Load(ctx context.Context) (alerts.Stored, error) {
	kept, err := s.ledger.Alerts(ctx)
	if err != nil {
		return alerts.Stored{}, fmt.Errorf("load alerts: %w", err)
	}
	var out alerts.Stored
	for i := range kept.Alerts {
		a, err := alerts.DecodeAlert([]byte(kept.Alerts[i].Body))
		if err != nil {
			return alerts.Stored{}, fmt.Errorf("load alert %s: %w", kept.Alerts[i].ID, err)
		}
		out.Alerts = append(out.Alerts, a)
	}
	for i := range kept.Groups {
		g, err := alerts.DecodeGroup([]byte(kept.Groups[i].Body))
		if err != nil {
			return alerts.Stored{}, fmt.Errorf("load group %s: %w", kept.Groups[i].Key, err)
		}
		out.Groups = append(out.Groups, g)
	}
	out.Silences, err = s.Silences(ctx, s.now())
	return out, err
}

// Commit implements alerts.Store.
func (s *Store) Commit(ctx context.Context, step alerts.Step) error {
	var out ledger.AlertStep
	for i := range step.Transitions {
		if err := addTransition(&out, &step.Transitions[i]); err != nil {
			return fmt.Errorf("commit alerts: %w", err)
		}
	}
	for i := range step.Groups {
		if err := addGroup(&out, &step.Groups[i]); err != nil {
			return fmt.Errorf("commit alerts: %w", err)
		}
	}
	for i := range step.Entries {
		n, err := notificationOf(&step.Entries[i])
		if err != nil {
			return fmt.Errorf("commit alerts: %w", err)
		}
		out.Notifications = append(out.Notifications, n)
	}
	err := s.ledger.CommitAlerts(ctx, out)
	switch {
	case errors.Is(err, ledger.ErrConflict):
		return fmt.Errorf("commit alerts: %w: %w", alerts.ErrConflict, err)
	case err != nil:
		return fmt.Errorf("commit alerts: %w", err)
	}
	return nil
}

func addTransition(out *ledger.AlertStep, t *alerts.Transition) error {
	body, err := t.Alert.Encode()
	if err != nil {
		return err
	}
	kept := ledger.Alert{
		ID: t.Alert.ID(), Rule: t.Alert.Rule, Subject: t.Alert.Subject.String(), Severity: t.Alert.Severity.String(), Body: string(body),
	}
	swap := ledger.Swap{From: t.From, To: t.Alert.Version}
	if t.Alert.Gone() {
		swap.To = 0
	}
	out.Alerts = append(out.Alerts, ledger.AlertChange{Swap: swap, Alert: kept})
	if t.Kind == alerts.Noted {
		return nil // it says nothing to whoever reads a history, and there is one of each subject a day
	}
	out.History = append(out.History, ledger.AlertEvent{
		At: t.At, Kind: string(t.Kind), Alert: kept.ID, Rule: kept.Rule, Subject: kept.Subject, Severity: kept.Severity,
		Was: t.Was.String(), Reason: string(t.Reason), Body: kept.Body,
	})
	return nil
}

func addGroup(out *ledger.AlertStep, c *alerts.GroupChange) error {
	swap := ledger.Swap{From: c.From, To: c.Group.Version}
	kept := ledger.Group{Notifier: c.Group.Notifier, Key: c.Group.Key}
	if c.Forget {
		swap.To = 0
	} else {
		body, err := c.Group.Encode()
		if err != nil {
			return err
		}
		kept.Body = string(body)
	}
	out.Groups = append(out.Groups, ledger.GroupChange{Swap: swap, Group: kept})
	return nil
}

// Due implements alerts.Store; limit bounds the entries of each notifier. With an error come the entries that can be used
// nevertheless.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]alerts.Entry, error) {
	kept, err := s.ledger.DueNotifications(ctx, now, limit)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	var out []alerts.Entry
	var errs []error
	for i := range kept {
		e, err := entryOf(&kept[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("read the outbox: %w", err))
			continue
		}
		out = append(out, e)
	}
	return out, errors.Join(errs...)
}

// Settle implements alerts.Store. The error is ErrSettled when the entry is settled already.
func (s *Store) Settle(ctx context.Context, e alerts.Entry) error {
	err := s.ledger.SettleNotification(ctx, e.Notification.ID, deliveryOf(&e))
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrSettled, err)
	}
	return err
}

// Standing lists the last notification that a notifier took of each open group.
func (s *Store) Standing(ctx context.Context, notifier string) ([]alerts.Notification, error) {
	kept, err := s.ledger.StandingNotifications(ctx, notifier)
	if err != nil {
		return nil, fmt.Errorf("read the outbox of %s: %w", notifier, err)
	}
	out := make([]alerts.Notification, len(kept))
	for i := range kept {
		if out[i], err = alerts.DecodeNotification([]byte(kept[i].Body)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func deliveryOf(e *alerts.Entry) ledger.Delivery {
	return ledger.Delivery{
		State: ledger.NotificationState(e.State), Attempts: e.Attempts, NextAt: e.NextAt, Reason: string(e.LastReason), Error: e.LastError,
	}
}

func notificationOf(e *alerts.Entry) (ledger.Notification, error) {
	n := &e.Notification
	body, err := n.Encode()
	return ledger.Notification{
		ID: n.ID, Notifier: n.Notifier, Key: n.Key, Opens: n.Change == alerts.Opened, Closes: n.Change == alerts.Closed,
		MadeAt: n.At, Delivery: deliveryOf(e), Body: string(body),
	}, err
}

func entryOf(n *ledger.Notification) (alerts.Entry, error) {
	value, err := alerts.DecodeNotification([]byte(n.Body))
	return alerts.Entry{
		Notification: value, State: alerts.EntryState(n.State), Attempts: n.Attempts, NextAt: n.NextAt,
		LastReason: alerts.DeliveryReason(n.Reason), LastError: n.Error,
	}, err
}
