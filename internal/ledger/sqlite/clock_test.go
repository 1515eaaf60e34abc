package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// TestAClockThatIsYearsAheadForgetsNothing starts a ledger on a machine whose date is wrong and is then set right.
func TestAClockThatIsYearsAheadForgetsNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "ledger.db")
	open := func() *Ledger {
		return openAt(t, path, func(o *Options) { o.Now = func() time.Time { return now } })
	}
	put := killPut(0)
	for i := range put.Entries {
		put.Entries[i].SentAt, put.Entries[i].At = now, now
	}
	l := open()
	if _, err := l.Commit(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	maintainAll(t, l)
	width := widest(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	right := now
	now = right.AddDate(5, 0, 0)
	l = open()
	maintainAll(t, l)
	now = right.Add(time.Minute)
	maintainAll(t, l)
	result, err := l.Commit(t.Context(), put)
	if err != nil {
		t.Fatal(err)
	}
	for i, fate := range result.Fates {
		if fate != ledger.Duplicate {
			t.Errorf("entry %d was forgotten: %v", i, fate)
		}
	}
	if got := counted(t, l); got != int64(len(put.Entries)) {
		t.Errorf("%d of %d are left", got, len(put.Entries))
	}
	if got := widest(t, l); got != width {
		t.Errorf("buckets of %s were made of such of %s", got, width)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	// Whoever comes back to a ledger after years is believed, an hour later.
	now = right.AddDate(5, 0, 0)
	l = open()
	maintainAll(t, l)
	if got := counted(t, l); got == 0 {
		t.Error("all is forgotten at once")
	}
	now = now.Add(doubtFor)
	maintainAll(t, l)
	if got := counted(t, l); got != 0 {
		t.Errorf("an hour later %d are left", got)
	}
}

func TestClockWatch(t *testing.T) {
	t.Parallel()
	began := time.Now()
	var c clockWatch
	first, second := c.look(began), c.look(began.Add(90*day)) // a machine that was busy with something else for long: its clock ran all the time
	if first || second || !c.doubted.IsZero() {
		t.Error("a clock that ran is doubted")
	}
	now := began.Add(90*day + time.Second)
	c.last = c.last.Round(0).Add(-31 * day) // as if the calendar had leapt a month since
	c.running = false
	if !c.look(now) || c.aged(now).Equal(now) || !c.aged(now.Add(doubtFor)).Equal(now.Add(doubtFor)) {
		t.Errorf("doubted until %v", c.doubted)
	}
}

func counted(t *testing.T, l *Ledger) (n int64) {
	t.Helper()
	for _, r := range allCohorts(t, l) {
		n += r.N
	}
	return n
}

func widest(t *testing.T, l *Ledger) (width time.Duration) {
	t.Helper()
	for _, r := range allCohorts(t, l) {
		width = max(width, r.Width)
	}
	return width
}

func allCohorts(t *testing.T, l *Ledger) []ledger.CohortRow {
	t.Helper()
	cohorts, err := l.Cohorts(t.Context(), ledger.CohortQuery{From: time.Unix(0, 0), To: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return cohorts.Rows
}
