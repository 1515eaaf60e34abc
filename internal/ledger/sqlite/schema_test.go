package sqlite

import (
	"strings"
	"testing"
	"time"
)

// TestEarlierVersions opens a ledger as an earlier version left it: it is brought up to date and goes on.
func TestEarlierVersions(t *testing.T) {
	t.Parallel()
	path := madeAndClosed(t)
	execRaw(t, path, "DROP INDEX reading_short")
	for _, table := range []string{"alert", "alert_group", "alert_history", "outbox", "silence"} {
		execRaw(t, path, "DROP TABLE "+table)
	}
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
	if err := l.w.get([]any{&indexes}, "SELECT count(*) FROM sqlite_schema WHERE name = 'reading_short'"); err != nil || indexes != 1 {
		t.Errorf("%d indexes; %v", indexes, err)
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
		plan := ""
		err := l.w.each(func(scan func(...any) error) error {
			var id, parent, unused int
			var detail string
			err := scan(&id, &parent, &unused, &detail)
			plan += detail + "\n"
			return err
		}, "EXPLAIN QUERY PLAN SELECT 1 FROM "+r.table+" WHERE "+r.column+" < 0 LIMIT 1")
		if want := "INDEX reading_"; err != nil || !strings.Contains(plan, "SEARCH") || !strings.Contains(plan, want) {
			t.Errorf("%s: plan %q, %v", r.column, plan, err)
		}
		if strings.Contains(r.column, "end_ms") && !strings.Contains(plan, "reading_short") {
			t.Errorf("%s: plan %q", r.column, plan)
		}
	}
}
