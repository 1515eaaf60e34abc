package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// CommitAlerts implements ledger.AlertWriter. It is a transaction of its own: it waits for those that are under way, never
// for others to share one with. It is not refused when the disk is nearly full, because that is when it is needed; steps are
// small.
func (l *Ledger) CommitAlerts(_ context.Context, s ledger.AlertStep) error {
	size, err := sizeOf(&s)
	if err != nil || s.Empty() {
		return err
	}
	return l.alertStep(size, func() error {
		for i := range s.Alerts {
			if err := l.w.swapAlert(&s.Alerts[i]); err != nil {
				return err
			}
		}
		for i := range s.Groups {
			if err := l.w.swapGroup(&s.Groups[i]); err != nil {
				return err
			}
		}
		for i := range s.History {
			if err := l.w.addHistory(&s.History[i]); err != nil {
				return err
			}
		}
		for i := range s.Notifications {
			if err := l.w.addNotification(&s.Notifications[i], l.o.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// sizeOf sums the bodies of a step, each of which is bounded.
func sizeOf(s *ledger.AlertStep) (total int, err error) {
	add := func(what, name, body string) {
		total += len(body)
		if len(body) > ledger.MaxBody && err == nil {
			err = fmt.Errorf("%s %s has %d bytes: %w", what, name, len(body), ledger.ErrTooLarge)
		}
	}
	for i := range s.Alerts {
		add("alert", s.Alerts[i].Alert.ID, s.Alerts[i].Alert.Body)
	}
	for i := range s.Groups {
		add("group", s.Groups[i].Group.Key, s.Groups[i].Group.Body)
	}
	for i := range s.History {
		add("transition of alert", s.History[i].Alert, s.History[i].Body)
	}
	for i := range s.Notifications {
		add("notification", s.Notifications[i].ID, s.Notifications[i].Body)
	}
	return total, err
}

// alertStep runs a transaction about alerts that writes about so many bytes. It does not queue up behind a disk that hangs:
// whoever waits there cannot tell anybody.
func (l *Ledger) alertStep(size int, fn func() error) error {
	if err := l.w.stalled(); err != nil {
		return err
	}
	return l.step(fn, func() { l.wal.wrote(size) })
}

func (w *writer) swapAlert(c *ledger.AlertChange) error {
	a := &c.Alert
	err := w.swap(c.Swap,
		func() (int64, error) {
			return w.execN("INSERT INTO alert (id, version, rule, subject, severity, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
				a.ID, c.To, a.Rule, a.Subject, a.Severity, a.Body)
		},
		func() (int64, error) {
			return w.execN("UPDATE alert SET version = ?, rule = ?, subject = ?, severity = ?, body = ? WHERE id = ? AND version = ?",
				c.To, a.Rule, a.Subject, a.Severity, a.Body, a.ID, c.From)
		},
		func() (int64, error) { return w.execN("DELETE FROM alert WHERE id = ? AND version = ?", a.ID, c.From) })
	if err != nil {
		return fmt.Errorf("alert %s of version %d: %w", a.ID, c.From, err)
	}
	return nil
}

func (w *writer) swapGroup(c *ledger.GroupChange) error {
	g := &c.Group
	err := w.swap(c.Swap,
		func() (int64, error) {
			return w.execN("INSERT INTO alert_group (notifier, key, version, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
				g.Notifier, g.Key, c.To, g.Body)
		},
		func() (int64, error) {
			return w.execN("UPDATE alert_group SET version = ?, body = ? WHERE notifier = ? AND key = ? AND version = ?",
				c.To, g.Body, g.Notifier, g.Key, c.From)
		},
		func() (int64, error) {
			return w.execN("DELETE FROM alert_group WHERE notifier = ? AND key = ? AND version = ?", g.Notifier, g.Key, c.From)
		})
	if err != nil {
		return fmt.Errorf("group %s of %s of version %d: %w", g.Key, g.Notifier, c.From, err)
	}
	return nil
}

// swap does what a change asks for; it is a conflict when no row was the one that the change was made of.
func (w *writer) swap(s ledger.Swap, insert, update, remove func() (int64, error)) error {
	do := update
	switch {
	case s.From == 0 && s.To == 0:
		return nil
	case s.From == 0:
		do = insert
	case s.To == 0:
		do = remove
	}
	n, err := do()
	if err == nil && n == 0 {
		err = ledger.ErrConflict
	}
	return err
}

func (w *writer) addHistory(e *ledger.AlertEvent) error {
	return w.exec(`INSERT INTO alert_history (at_ms, kind, alert_id, rule, subject, severity, was, reason, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.At.UnixMilli(), e.Kind, e.Alert, e.Rule, e.Subject, e.Severity, e.Was, e.Reason, e.Body)
}

// addNotification puts a notification into the outbox and settles those that it overtakes.
func (w *writer) addNotification(n *ledger.Notification, now time.Time) error {
	var settled any
	if n.State.Settled() {
		settled = now.UnixMilli()
	}
	_, err := w.execN(`INSERT INTO outbox (notification, notifier, key, opens, closes, made_ms,
			state, attempts, next_ms, reason, error, settled_ms, size, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, n.Notifier, n.Key, n.Opens, n.Closes, n.MadeAt.UnixMilli(),
		n.State, n.Attempts, n.NextAt.UnixMilli(), n.Reason, n.Error, settled, len(n.Body), n.Body)
	if err != nil || settled != nil {
		return err
	}
	return w.exec(`UPDATE outbox SET state = ?1, settled_ms = ?2
		WHERE notifier = ?3 AND key = ?4 AND state = ?5 AND notification <> ?6 AND NOT (?7 AND opens AND attempts > 0)`,
		ledger.NotificationOvertaken, now.UnixMilli(), n.Notifier, n.Key, ledger.NotificationWaiting, n.ID, n.Closes)
}

// SettleNotification implements ledger.AlertWriter.
func (l *Ledger) SettleNotification(_ context.Context, id string, d ledger.Delivery) error {
	err := l.alertStep(0, func() error { return l.w.settleNotification(id, d, l.o.Now()) })
	if err != nil {
		return fmt.Errorf("settle notification %s: %w", id, err)
	}
	return nil
}

func (w *writer) settleNotification(id string, d ledger.Delivery, now time.Time) error {
	if d.State == ledger.NotificationWaiting {
		overtaken, err := w.overtaken(id, d.Attempts > 0)
		if err != nil {
			return err
		}
		if overtaken {
			d.State = ledger.NotificationOvertaken
		}
	}
	var settled any
	if d.State.Settled() {
		settled = now.UnixMilli()
	}
	n, err := w.execN(`UPDATE outbox SET state = ?, attempts = ?, next_ms = ?, reason = ?, error = ?, settled_ms = ?
		WHERE notification = ? AND settled_ms IS NULL`,
		d.State, d.Attempts, d.NextAt.UnixMilli(), d.Reason, d.Error, settled, id)
	if err == nil && n == 0 {
		err = ledger.ErrNotFound
	}
	return err
}

// overtaken says whether the last notification of the same key overtakes this one, now that it waits.
func (w *writer) overtaken(id string, tried bool) (bool, error) {
	var opens, closes bool
	err := w.get([]any{&opens, &closes}, `SELECT this.opens, last.closes FROM outbox AS this JOIN outbox AS last
			ON last.notifier = this.notifier AND last.key = this.key AND last.id > this.id
		WHERE this.notification = ? ORDER BY last.id DESC LIMIT 1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return !(closes && opens && tried), err
}

// PutSilence implements ledger.AlertWriter.
func (l *Ledger) PutSilence(_ context.Context, s ledger.Silence) error {
	if len(s.Body) > ledger.MaxBody {
		return fmt.Errorf("silence %s has %d bytes: %w", s.ID, len(s.Body), ledger.ErrTooLarge)
	}
	err := l.alertStep(len(s.Body), func() error {
		return l.w.exec("INSERT OR REPLACE INTO silence (id, ends_ms, body) VALUES (?, ?, ?)", s.ID, s.EndsAt.UnixMilli(), s.Body)
	})
	if err != nil {
		return fmt.Errorf("store silence %s: %w", s.ID, err)
	}
	return nil
}

// boundHistory drops the oldest transitions beyond their bound. Numbers are given without gaps and the oldest go first, so
// they count the rows.
func (l *Ledger) boundHistory(time.Time) (more bool, err error) {
	var n int64
	err = l.stepLocked(func() (err error) {
		n, err = l.w.execN(`DELETE FROM alert_history WHERE id IN (SELECT id FROM alert_history
			WHERE id <= (SELECT max(id) FROM alert_history) - ? ORDER BY id LIMIT ?)`, l.bounds.history, expireSome)
		return err
	}, func() {})
	return n == expireSome, err
}

// alertBounds bound what is kept of alerts that are over.
type alertBounds struct{ history, settled, settledSize int64 }

// expireSettled drops settled notifications that are old or beyond their bounds, some at a time: bodies may be large. The last
// that a notifier took of a group that is remembered stays: it may have to be delivered again.
func (l *Ledger) expireSettled(now time.Time) (more bool, err error) {
	const some = 100
	var dropped int64
	err = l.stepLocked(func() error {
		var n, size int64
		err := l.w.get([]any{&n, &size}, "SELECT count(*), coalesce(sum(size), 0) FROM outbox WHERE settled_ms IS NOT NULL")
		if err != nil {
			return err
		}
		before := l.clock.aged(now).Add(-ledger.AlertKeep)
		if n > l.bounds.settled || size > l.bounds.settledSize {
			before = now
		}
		dropped, err = l.w.execN(`DELETE FROM outbox WHERE id IN (SELECT id FROM outbox AS o
			WHERE settled_ms < ? AND NOT (state = 'delivered'
				AND EXISTS (SELECT 1 FROM alert_group AS g WHERE g.notifier = o.notifier AND g.key = o.key)
				AND NOT EXISTS (SELECT 1 FROM outbox AS later
					WHERE later.notifier = o.notifier AND later.key = o.key AND later.state = 'delivered' AND later.id > o.id))
			ORDER BY settled_ms LIMIT ?)`, before.UnixMilli(), some)
		return err
	}, func() {})
	return dropped == some, err
}
