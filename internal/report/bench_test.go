package report_test

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/report"
)

// BenchmarkReport makes the report of a week of 10,000 campaigns, from a ledger with five weeks of their mail: five million
// rows, one for each campaign, provider and hour with mail. It writes all formats.
func BenchmarkReport(b *testing.B) {
	const campaigns, rowsEach = 10_000, 500
	now := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	path := filepath.Join(b.TempDir(), "ledger.db")
	fill(b, path, now, campaigns, rowsEach)
	period, err := report.ParseWeek("2026-W46", time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // as the command does
	resetPeak(b)
	before := cpu(b)
	for b.Loop() {
		r, err := sqlite.OpenReader(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		made, err := report.Build(b.Context(), r, report.Options{Period: period, Now: now, Group: mailbox.Group})
		if err != nil {
			b.Fatal(err)
		}
		if len(made.Campaigns) != campaigns {
			b.Fatalf("%d campaigns", len(made.Campaigns))
		}
		for _, f := range report.Formats() {
			if err := report.Write(io.Discard, made, f); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "s-cpu/op")
	b.ReportMetric(peak(b), "MB-peak")
}

// cpu is what the process has used.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fill writes rows into the tables of a ledger, which is a hundred times as fast as counting events.
func fill(b *testing.B, path string, now time.Time, campaigns, rowsEach int) {
	l, err := sqlite.Open(b.Context(), sqlite.Options{Path: path, Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	const count = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)"
	start := now.AddDate(0, 0, -35).Truncate(24 * time.Hour).Unix()
	for _, step := range []struct {
		text string
		args []any
	}{
		{"PRAGMA synchronous = OFF", nil},
		{"DROP INDEX cohort_campaign", nil},
		{count + " INSERT INTO campaign (id, seen, tenant, name, send) SELECT i + 1, 20773, '', 'campaign-' || i, '' FROM n", []any{campaigns}},
		{"INSERT INTO provider (id, seen, name) VALUES (1, 20773, 'gmail'), (2, 20773, 'microsoft'), (3, 20773, 'yahoo'), (4, 20773, 'gmx'), (5, 20773, 'other')", nil},
		{"INSERT INTO origin (id, seen, account, region, configuration_set) VALUES (1, 20773, '123456789012', 'us-east-1', 'main')", nil},
		{"INSERT INTO stamp (id, seen, from_domain, a, b, c, feedback_from) SELECT id, 20773, 'example.com', name, '', '', '' FROM campaign", nil},
		{"INSERT INTO reason (id, seen, name) VALUES (1, 20773, 'bad_mailbox')", nil},
		{"INSERT INTO published SELECT 1, column1, 1700000000000, 1800000000000 FROM (VALUES ('Send'), ('Delivery'), ('Bounce'), ('Complaint'))", nil},
		{"INSERT INTO version (kind, since_ms, body) VALUES ('reporting_providers', 0, '[\"microsoft\", \"yahoo\"]')", nil},
		// Each campaign has mail at five providers in a fifth as many hours.
		{count + `, p(p) AS (SELECT 1 UNION ALL SELECT p + 1 FROM p WHERE p < 5)
			INSERT INTO cohort (width, start, campaign_id, provider_id, origin_id, sent, delivered, hard_bounced, complained, delayed, opened, clicked)
			SELECT 3600, ? + 3600 * i, c.id, p, 1, 100, 97, (c.id + i) % 3, c.id % 50 = 0 AND p = 3, (i + p) % 4 = 0, 30, 3
			FROM n CROSS JOIN campaign c CROSS JOIN p WHERE (c.id * 7 + i * 13) % 840 < ?`, []any{840, start, rowsEach / 5}},
		{`INSERT INTO cohort_reason SELECT width, start, campaign_id, provider_id, origin_id, 3, 1, hard_bounced, 0
			FROM cohort WHERE hard_bounced > 0 AND start % 7200 = 0`, nil},
		{`INSERT INTO use SELECT start, campaign_id, campaign_id, 1, 500, delivered FROM cohort
			WHERE provider_id = 1 AND start >= ?`, []any{now.AddDate(0, 0, -12).Unix()}},
		{"INSERT INTO own_time SELECT start, 1, 1, count(*) FROM cohort GROUP BY start", nil},
		{"CREATE INDEX cohort_campaign ON cohort (campaign_id, width, start)", nil},
		{"UPDATE meta SET value = ? WHERE key = 'as_of_ms'", []any{now.UnixMilli()}},
		{"PRAGMA wal_checkpoint(TRUNCATE)", nil},
	} {
		if _, err := db.ExecContext(b.Context(), step.text, step.args...); err != nil {
			b.Fatalf("%v in %s", err, step.text)
		}
	}
}

// resetPeak has the kernel forget the process's peak of memory; peak reads it, in MB.
func resetPeak(b *testing.B) {
	debug.FreeOSMemory() // what filling took is no part of it
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

func peak(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB / 1024
}
