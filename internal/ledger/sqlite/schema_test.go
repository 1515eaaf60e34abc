package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// TestEarlierVersions opens a ledger as an earlier version left it: it is brought up to date and goes on.
func TestEarlierVersions(t *testing.T) {
	t.Parallel()
	path := madeAndClosed(t)
	execRaw(t, path, "DROP INDEX reading_short")
	execRaw(t, path, "DROP INDEX reading_source")
	for _, table := range []string{"alert", "alert_group", "alert_history", "outbox", "silence", "report", "report_delivery", "report_schedule"} {
		execRaw(t, path, "DROP TABLE "+table)
	}
	execRaw(t, path, "ALTER TABLE reading DROP COLUMN peak")
	execRaw(t, path, "PRAGMA user_version = 1")
	l := openAt(t, path, nil)
	if _, err := l.Commit(t.Context(), killPut(1)); err != nil {
		t.Fatal(err)
	}
	var version, indexes int
	if err := l.w.get([]any{&version}, "PRAGMA user_version"); err != nil || version != len(migrations()) {
		t.Errorf("version %d, want %d; %v", version, len(migrations()), err)
	}
	if got, err := l.Silences(t.Context(), time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("silences %v, %v", got, err)
	}
	if err := l.w.get([]any{&indexes}, "SELECT count(*) FROM sqlite_schema WHERE name IN ('reading_short', 'reading_source')"); err != nil || indexes != 2 {
		t.Errorf("%d indexes; %v", indexes, err)
	}
}

// TestReadingsOfEarlierVersions holds that a reading that was stored before its highest value was kept counts from what it is.
func TestReadingsOfEarlierVersions(t *testing.T) {
	t.Parallel()
	path := madeAndClosed(t)
	start := time.Now().UTC().Truncate(time.Hour)
	commit := func(value float64) ledger.ReadingChange {
		t.Helper()
		l := openAt(t, path, nil)
		result, err := l.Commit(t.Context(), ledger.Put{Source: "queue", Readings: []observation.Reading{{
			Key: observation.ReadingKey{Source: "source", Metric: "metric"}, Start: start, End: start.Add(time.Hour), Value: &value,
		}}})
		if err != nil || len(result.Readings) != 1 {
			t.Fatalf("%d changes, %v", len(result.Readings), err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return result.Readings[0]
	}
	commit(5)
	execRaw(t, path, "ALTER TABLE reading DROP COLUMN peak")
	execRaw(t, path, "PRAGMA user_version = 5")
	for _, c := range []struct{ value, highest float64 }{{3, 5}, {4, 5}, {7, 5}, {6, 7}} {
		if diff := cmp.Diff(&c.highest, commit(c.value).Highest); diff != "" {
			t.Errorf("the highest before %v (-want +got):\n%s", c.value, diff)
		}
	}
}

// TestRetentionLooksAtLittle holds that looking for old rows is a search, not a walk over the table: it runs every minute
// while commits wait.
func TestRetentionLooksAtLittle(t *testing.T) {
	t.Parallel()
	l := tempLedger(t, nil)
	for _, r := range retentions() {
		if !strings.HasPrefix(r.table, "reading") {
			continue
		}
		plan := planOf(t, l, "SELECT 1 FROM "+r.table+" WHERE "+r.column+" < 0 LIMIT 1")
		if !strings.Contains(plan, "SEARCH") || !strings.Contains(plan, "INDEX reading_") {
			t.Errorf("%s: plan %q", r.column, plan)
		}
		if strings.Contains(r.column, "end_ms") && !strings.Contains(plan, "reading_short") {
			t.Errorf("%s: plan %q", r.column, plan)
		}
	}
}

// TestReadingsOfASource holds that readings of one source are found without a walk over those of the others: receipt rules have
// thousands a day, and what is asked for every minute is about others.
func TestReadingsOfASource(t *testing.T) {
	t.Parallel()
	l := tempLedger(t, nil)
	if plan := planOf(t, l, readingsQuery(true), "a", "", "", 0, 1); !strings.Contains(plan, "INDEX reading_source (source=? AND start_ms>? AND start_ms<?)") {
		t.Errorf("plan %q", plan)
	}
}

// planOf is how SQLite would find what a query asks for.
func planOf(t *testing.T, l *Ledger, query string, args ...any) (plan string) {
	t.Helper()
	err := l.w.each(func(scan func(...any) error) error {
		var id, parent, unused int
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		plan += detail + "\n"
		return err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
