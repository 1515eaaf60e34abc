package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// TestAlertBounds holds that what is over is bounded in number and size, the oldest going first, and that what is live or
// stands is not touched.
func TestAlertBounds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return now } })
	l.bounds = alertBounds{history: 10, settled: 20, settledSize: 1 << 40}
	var s ledger.AlertStep
	for i := range 30 {
		s.History = append(s.History, ledger.AlertEvent{At: now, Kind: fmt.Sprint(i)})
	}
	s.Groups = []ledger.GroupChange{{Swap: ledger.Swap{To: 1}, Group: ledger.Group{Notifier: "am", Key: "0"}}}
	commitStep(t, l, s)
	for i := range 30 {
		settleOne(t, l, i, 100)
		now = now.Add(time.Second)
	}
	commitStep(t, l, ledger.AlertStep{Notifications: []ledger.Notification{{ID: "live", Notifier: "am", Key: "live"}}})
	now = now.Add(time.Minute)
	maintainAll(t, l)
	history, err := l.AlertHistory(t.Context(), ledger.AlertQuery{})
	if err != nil || len(history) != 10 || history[9].Kind != "20" {
		t.Errorf("history: %d transitions, %v", len(history), err)
	}
	// One step drops up to a hundred, so all that is settled goes when there are too many; only the standing one stays.
	left, err := l.Notifications(t.Context(), ledger.NotificationQuery{})
	if err != nil || len(left) != 2 || left[0].ID != "live" || left[1].ID != "0" {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestSettledSizeIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return now } })
	l.bounds.settledSize = 150_000
	for i := range 400 {
		settleOne(t, l, i, 1000)
		now = now.Add(time.Millisecond)
	}
	now = now.Add(time.Minute)
	maintainAll(t, l)
	left, err := l.Notifications(t.Context(), ledger.NotificationQuery{Limit: 1000})
	if err != nil || len(left) != 100 || left[0].ID != "399" {
		t.Errorf("%d left, %v", len(left), err)
	}
}

func commitStep(t *testing.T, l *Ledger, s ledger.AlertStep) {
	t.Helper()
	if err := l.CommitAlerts(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// settleOne delivers a notification of a body of so many bytes.
func settleOne(t *testing.T, l *Ledger, i, size int) {
	t.Helper()
	id := fmt.Sprint(i)
	commitStep(t, l, ledger.AlertStep{Notifications: []ledger.Notification{{
		ID: id, Notifier: "am", Key: id, Body: strings.Repeat("x", size), Delivery: ledger.Delivery{State: ledger.NotificationWaiting},
	}}})
	if err := l.SettleNotification(t.Context(), id, ledger.Delivery{State: ledger.NotificationDelivered}); err != nil {
		t.Fatal(err)
	}
}

// TestAlertsDespiteLittleDisk holds that a disk on which receiving has stopped still takes alerts: that is when they matter.
func TestAlertsDespiteLittleDisk(t *testing.T) {
	t.Parallel()
	l := tempLedger(t, func(o *Options) { o.FreeDisk = func(string) (uint64, error) { return 100 << 20, nil } })
	if _, err := l.Commit(t.Context(), killPut(1)); err == nil {
		t.Fatal("a Put was committed")
	}
	settleOne(t, l, 1, 100)
	if commitErr(t, l) == nil {
		t.Error("status: no reason although the disk is nearly full")
	}
}

// TestAlertQueriesLookAtLittle holds that what runs every few seconds searches, and does not walk over what is over.
func TestAlertQueriesLookAtLittle(t *testing.T) {
	t.Parallel()
	l := tempLedger(t, nil)
	for name, q := range map[string]string{
		"overtake": `UPDATE outbox SET state = 'overtaken' WHERE notifier = 'a' AND key = 'b' AND state = 'waiting'`,
		"last":     `SELECT 1 FROM outbox AS last WHERE last.notifier = 'a' AND last.key = 'b' AND last.id > 7`,
		"due":      `SELECT min(id) FROM outbox WHERE settled_ms IS NULL GROUP BY notifier, key`,
		"standing": `SELECT max(o.id) FROM outbox AS o WHERE o.notifier = 'a' AND o.key = 'b' AND o.state = 'delivered'`,
		"settled":  `SELECT count(*), coalesce(sum(size), 0) FROM outbox WHERE settled_ms IS NOT NULL`,
		"history":  `SELECT body FROM alert_history WHERE rule = 'a' ORDER BY id DESC LIMIT 100`,
	} {
		plan := ""
		err := l.w.each(func(scan func(...any) error) error {
			var id, parent, unused int
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			plan += detail + "\n"
			return err
		}, "EXPLAIN QUERY PLAN "+q)
		if err != nil || !strings.Contains(plan, "INDEX") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s: plan %q, %v", name, plan, err)
		}
	}
}

// BenchmarkCommitAlerts stores an ordinary step, and one as large as a first round of daily readings makes.
func BenchmarkCommitAlerts(b *testing.B) {
	for _, n := range []int{1, 20_000} {
		b.Run(fmt.Sprint(n, " alerts"), func(b *testing.B) {
			l, err := Open(b.Context(), Options{Path: filepath.Join(b.TempDir(), "ledger.db"), FreeDisk: plenty})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			body := strings.Repeat("x", 1000)
			var version int64
			for b.Loop() {
				s := ledger.AlertStep{Notifications: []ledger.Notification{{ID: fmt.Sprint(version), Notifier: "am", Key: "k", Body: body}}}
				for i := range n {
					id := fmt.Sprintf("%032x", i)
					s.Alerts = append(s.Alerts, ledger.AlertChange{
						Swap: ledger.Swap{From: version, To: version + 1}, Alert: ledger.Alert{ID: id, Body: body},
					})
				}
				if err := l.CommitAlerts(b.Context(), s); err != nil {
					b.Fatal(err)
				}
				version++
			}
		})
	}
}
