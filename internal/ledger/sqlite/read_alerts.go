package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// Alerts implements ledger.AlertReader.
func (r *Reader) Alerts(ctx context.Context) (ledger.Alerts, error) {
	var out ledger.Alerts
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		err := inTx(ctx, tx, func(scan func(...any) error) error {
			var a ledger.Alert
			err := scan(&a.ID, &a.Rule, &a.Subject, &a.Severity, &a.Body)
			out.Alerts = append(out.Alerts, a)
			return err
		}, "SELECT id, rule, subject, severity, body FROM alert ORDER BY id")
		if err != nil {
			return err
		}
		return inTx(ctx, tx, func(scan func(...any) error) error {
			var g ledger.Group
			err := scan(&g.Notifier, &g.Key, &g.Body)
			out.Groups = append(out.Groups, g)
			return err
		}, "SELECT notifier, key, body FROM alert_group ORDER BY notifier, key")
	})
	return out, err
}

// AlertHistory implements ledger.AlertReader.
func (r *Reader) AlertHistory(ctx context.Context, q ledger.AlertQuery) ([]ledger.AlertEvent, error) {
	var where conditions
	where.add(q.Alert != "", "alert_id = ?", q.Alert)
	where.add(q.Rule != "", "rule = ?", q.Rule)
	where.add(q.Subject != "", "subject = ?", q.Subject)
	where.add(!q.From.IsZero(), "at_ms >= ?", q.From.UnixMilli())
	where.add(!q.To.IsZero(), "at_ms < ?", q.To.UnixMilli())
	where.add(q.Before != 0, "id < ?", q.Before)
	var out []ledger.AlertEvent
	err := r.query(ctx, func(scan func(...any) error) error {
		var e ledger.AlertEvent
		var at int64
		err := scan(&e.Number, &at, &e.Kind, &e.Alert, &e.Rule, &e.Subject, &e.Severity, &e.Was, &e.Reason, &e.Body)
		e.At = milli(at)
		out = append(out, e)
		return err
	}, "SELECT id, at_ms, kind, alert_id, rule, subject, severity, was, reason, body FROM alert_history"+
		where.String()+" ORDER BY id DESC LIMIT ?", append(where.args, limitOf(q.Limit))...)
	return out, err
}

// conditions are those of a WHERE. They are written out one by one, because SQLite uses no index for a column that is only
// perhaps compared.
type conditions struct {
	text string
	args []any
}

// add takes a condition up if it is asked for.
func (c *conditions) add(asked bool, condition string, arg any) {
	if !asked {
		return
	}
	if c.text != "" {
		c.text += " AND "
	}
	c.text += condition
	c.args = append(c.args, arg)
}

func (c *conditions) String() string {
	if c.text == "" {
		return ""
	}
	return " WHERE " + c.text
}

// Silences implements ledger.AlertReader.
func (r *Reader) Silences(ctx context.Context, after time.Time) ([]ledger.Silence, error) {
	var out []ledger.Silence
	err := r.query(ctx, func(scan func(...any) error) error {
		var s ledger.Silence
		var ends int64
		err := scan(&s.ID, &ends, &s.Body)
		s.EndsAt = milli(ends)
		out = append(out, s)
		return err
	}, "SELECT id, ends_ms, body FROM silence WHERE ends_ms > ? ORDER BY ends_ms, id", after.UnixMilli())
	return out, err
}

const notificationColumns = `outbox.id, notification, notifier, key, opens, closes, made_ms, state, attempts, next_ms, reason, error,
	coalesce(settled_ms, 0), body`

func (r *Reader) notifications(ctx context.Context, text string, args ...any) ([]ledger.Notification, error) {
	var out []ledger.Notification
	err := r.query(ctx, func(scan func(...any) error) error {
		var n ledger.Notification
		var made, next, settled int64
		err := scan(&n.Number, &n.ID, &n.Notifier, &n.Key, &n.Opens, &n.Closes, &made, &n.State, &n.Attempts, &next, &n.Reason,
			&n.Error, &settled, &n.Body)
		n.MadeAt, n.NextAt = milli(made), milli(next)
		if settled != 0 {
			n.SettledAt = milli(settled)
		}
		out = append(out, n)
		return err
	}, text, args...)
	return out, err
}

// DueNotifications implements ledger.AlertReader.
func (r *Reader) DueNotifications(ctx context.Context, now time.Time, limit int) ([]ledger.Notification, error) {
	return r.notifications(ctx, "SELECT "+notificationColumns+` FROM outbox JOIN (
			SELECT id, row_number() OVER (PARTITION BY notifier ORDER BY next_ms, id) AS place FROM outbox
			WHERE id IN (SELECT min(id) FROM outbox WHERE settled_ms IS NULL GROUP BY notifier, key)
				AND (state = 'sending' OR attempts = 0 OR next_ms NOT BETWEEN ?1 + 1 AND ?2)
		) AS due ON due.id = outbox.id WHERE place <= ?3 ORDER BY notifier, place`,
		now.UnixMilli(), now.Add(ledger.MaxPause).UnixMilli(), limit)
}

// StandingNotifications implements ledger.AlertReader.
func (r *Reader) StandingNotifications(ctx context.Context, notifier string) ([]ledger.Notification, error) {
	return r.notifications(ctx, "SELECT "+notificationColumns+` FROM outbox WHERE NOT closes AND id IN (
			SELECT (SELECT max(o.id) FROM outbox AS o WHERE o.notifier = g.notifier AND o.key = g.key AND o.state = 'delivered')
			FROM alert_group AS g WHERE g.notifier = ?
		) AND NOT EXISTS (SELECT 1 FROM outbox AS later WHERE later.notifier = outbox.notifier AND later.key = outbox.key
			AND later.id > outbox.id AND (later.settled_ms IS NULL OR later.closes))
		ORDER BY outbox.id`, notifier)
}

// Notifications implements ledger.AlertReader.
func (r *Reader) Notifications(ctx context.Context, q ledger.NotificationQuery) ([]ledger.Notification, error) {
	var where conditions
	where.add(q.Notifier != "", "notifier = ?", q.Notifier)
	// The index on keys begins with the notifier.
	where.add(q.Key != "" && q.Notifier == "", "notifier IN (SELECT DISTINCT notifier FROM outbox) AND key = ?", q.Key)
	where.add(q.Key != "" && q.Notifier != "", "key = ?", q.Key)
	where.add(q.State != "", "state = ?", q.State)
	where.add(q.Before != 0, "id < ?", q.Before)
	return r.notifications(ctx, "SELECT "+notificationColumns+" FROM outbox"+where.String()+" ORDER BY id DESC LIMIT ?",
		append(where.args, limitOf(q.Limit))...)
}

// NotificationCounts implements ledger.AlertReader.
func (r *Reader) NotificationCounts(ctx context.Context) ([]ledger.NotificationCount, error) {
	var out []ledger.NotificationCount
	err := r.query(ctx, func(scan func(...any) error) error {
		var c ledger.NotificationCount
		var oldest int64
		err := scan(&c.Notifier, &c.State, &c.N, &oldest)
		c.Oldest = milli(oldest)
		out = append(out, c)
		return err
	}, "SELECT notifier, state, count(*), min(made_ms) FROM outbox GROUP BY notifier, state ORDER BY notifier, state")
	return out, err
}
