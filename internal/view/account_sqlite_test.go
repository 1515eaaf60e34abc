package view

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// openLedger opens a ledger whose days begin half an hour off the hours of UTC.
func openLedger(t testing.TB) *sqlite.Ledger {
	t.Helper()
	in, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return noon }, Zone: in,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// The hours of the real engine's own time are those of CloudWatch, whatever its zone; an event that comes twice is counted
// once; and a delivery counts in the hour in which it happened, not in that of its mail.
func TestCoverageOfSQLite(t *testing.T) {
	store := openLedger(t)
	ctx := t.Context()
	b := audit()
	b.access(0)
	b.closed(20)
	var entries []ledger.Entry
	id := uint64(0)
	entry := func(hours int, lag time.Duration, o observation.Outcome, typ observation.EventType) {
		id++
		sent := noon.Add(-time.Duration(hours)*time.Hour + 20*time.Minute)
		entries = append(entries, ledger.Entry{
			ID: id, Type: typ, SentAt: sent, At: sent.Add(lag),
			Cell:  ledger.Cell{Origin: home, Campaign: observation.Campaign{Name: "spring"}, Provider: "gmail", Outcome: o},
			Stamp: observation.Stamp{A: "spring"},
		})
	}
	for h := 2; h <= 12; h++ {
		for range 20 {
			entry(h, 0, observation.Sent, observation.EventSend)
			entry(h, 50*time.Minute, observation.Delivered, observation.EventDelivery)
		}
		if h < 12 {
			b.counted(h, observation.AccountSend, "", 20)
		}
		if h > 2 {
			b.counted(h-1, observation.AccountDelivery, "", 20)
		}
	}
	for range 2 {
		_, err := store.Commit(ctx, ledger.Put{Source: "queue", Entries: entries})
		check(t, err)
	}
	readings := make([]observation.Reading, len(b.readings))
	for i := range b.readings {
		readings[i] = b.readings[i].Reading
	}
	_, err := store.Commit(ctx, ledger.Put{Source: "account", Readings: readings})
	check(t, err)
	check(t, store.Fold(ctx))

	v := New(store, Options{Group: group})
	check(t, v.Refresh(ctx))
	check(t, v.RefreshAccounts(ctx))
	all := v.Accounts()
	if len(all.Accounts) != 1 {
		t.Fatalf("%d accounts, want 1", len(all.Accounts))
	}
	e := all.Accounts[0].Coverage
	if e.Hours != 10 {
		t.Errorf("%d hours, want the 10 after the first Send's", e.Hours)
	}
	checkCoverage(t, e.Events, signal.OK, "", 1)
	if s, d := e.of(observation.AccountSend), e.of(observation.AccountDelivery); s.Ours != 200 || d.Ours != 200 || d.ExcessHours+d.ShortHours > 0 {
		t.Errorf("sends %+v, deliveries %+v; want 200 of each", s, d)
	}
	checkCoverage(t, e.FeedbackID, signal.OK, "", 1)
}

// An account of 200 configuration sets and 500 tenants, read for a week.
func BenchmarkRefreshAccounts(b *testing.B) {
	store := openLedger(b)
	ctx := b.Context()
	keep := audit()
	for h := range 7 * 24 {
		keep.access(h)
		for set := range 200 {
			name := fmt.Sprint("set-", set)
			for _, m := range coverageMetrics() {
				keep.counted(h, m.metric, name, 100)
			}
			keep.counted(h, observation.AccountBounceRate, name, 0.01)
		}
	}
	for tenant := range 500 {
		keep.note(1, observation.AccountCloudWatch, observation.AccountTenantSend, observation.TenantDetail(fmt.Sprint("t", tenant), "tn"), new(5.0), "")
	}
	keep.closed(7 * 24)
	readings := make([]observation.Reading, len(keep.readings))
	for i := range keep.readings {
		readings[i] = keep.readings[i].Reading
	}
	for len(readings) > 0 {
		n := min(len(readings), 10_000)
		if _, err := store.Commit(ctx, ledger.Put{Source: "account", Readings: readings[:n]}); err != nil {
			b.Fatal(err)
		}
		readings = readings[n:]
	}
	if err := store.Fold(ctx); err != nil {
		b.Fatal(err)
	}
	v := New(store, Options{Group: group})
	if err := v.Refresh(ctx); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := v.RefreshAccounts(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
