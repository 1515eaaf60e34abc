package sqlite

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

func addReport(t *testing.T, l *Ledger, n, size int) {
	t.Helper()
	due := time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC).AddDate(0, 0, 7*n)
	_, err := l.AddReport(t.Context(), ledger.Report{
		Name: "weekly", Due: due, MadeAt: due, Body: make([]byte, size),
		Deliveries: []ledger.ReportDelivery{{Destination: "folder", Delivery: ledger.Delivery{State: ledger.NotificationWaiting}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReportBounds holds that reports are bounded in number and size, the oldest going first, with their deliveries.
func TestReportBounds(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string]reportBounds{
		"number": {reports: 10, size: 1 << 40},
		"size":   {reports: 1000, size: 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
			l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return now } })
			l.reportBounds = bounds
			for i := range 30 {
				addReport(t, l, i, 1000)
			}
			now = now.Add(time.Minute)
			maintainAll(t, l)
			left, err := l.Reports(t.Context(), ledger.ReportQuery{})
			if err != nil || len(left) != 10 || left[9].Number != 21 {
				t.Errorf("%d reports left, %v", len(left), err)
			}
			var deliveries int
			if err := l.w.get([]any{&deliveries}, "SELECT count(*) FROM report_delivery"); err != nil || deliveries != 10 {
				t.Errorf("%d deliveries left, %v", deliveries, err)
			}
		})
	}
}

// TestReportNeedsDisk holds that a disk on which receiving has stopped takes no report, which can be made later.
func TestReportNeedsDisk(t *testing.T) {
	t.Parallel()
	l := tempLedger(t, func(o *Options) { o.FreeDisk = func(string) (uint64, error) { return 100 << 20, nil } })
	if _, err := l.AddReport(t.Context(), ledger.Report{Name: "weekly"}); err == nil {
		t.Error("a report was stored")
	}
}
