package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// AddReport implements ledger.ReportWriter. It is a transaction of its own, and refused like a commit when the disk is nearly
// full: reports are large, and can be made later.
func (l *Ledger) AddReport(_ context.Context, r ledger.Report) (ledger.Report, error) {
	r.Size = len(r.Body)
	if r.Size > ledger.MaxReport {
		return r, fmt.Errorf("report %s of %s has %d bytes: %w", r.Name, r.Period, r.Size, ledger.ErrTooLarge)
	}
	if err := l.space(); err != nil {
		return r, err
	}
	err := l.step(func() error { return l.w.addReport(&r) }, func() { l.wal.wrote(r.Size) })
	if err != nil {
		return r, fmt.Errorf("store report %s of %s: %w", r.Name, r.Period, err)
	}
	return r, nil
}

func (w *writer) addReport(r *ledger.Report) error {
	err := w.get([]any{&r.Edition}, "SELECT coalesce(max(edition), 0) + 1 FROM report WHERE name = ? AND owner = ? AND period = ?",
		r.Name, r.Owner, r.Period)
	if err != nil {
		return err
	}
	err = w.get([]any{&r.Number}, `INSERT INTO report (name, owner, due_ms, made_ms, start_ms, end_ms, period, edition, size, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
		r.Name, r.Owner, r.Due.UnixMilli(), r.MadeAt.UnixMilli(), r.Start.UnixMilli(), r.End.UnixMilli(), r.Period, r.Edition,
		r.Size, append([]byte{}, r.Body...))
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.ErrConflict
	}
	if err != nil {
		return err
	}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		err := w.exec(`INSERT INTO report_delivery (report_id, destination, kind, state, attempts, next_ms, reason, error, settled_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Number, d.Destination, d.Kind, d.State, d.Attempts, d.NextAt.UnixMilli(), d.Reason, d.Error, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// SettleReport implements ledger.ReportWriter.
func (l *Ledger) SettleReport(_ context.Context, number int64, destination string, d ledger.Delivery) error {
	var settled any
	if d.State.Settled() {
		settled = l.o.Now().UnixMilli()
	}
	err := l.step(func() error {
		n, err := l.w.execN(`UPDATE report_delivery SET state = ?, attempts = ?, next_ms = ?, reason = ?, error = ?, settled_ms = ?
			WHERE report_id = ? AND destination = ? AND settled_ms IS NULL`,
			d.State, d.Attempts, d.NextAt.UnixMilli(), d.Reason, d.Error, settled, number, destination)
		if err == nil && n == 0 {
			err = ledger.ErrNotFound
		}
		return err
	}, func() {})
	if err != nil {
		return fmt.Errorf("settle report %d for %s: %w", number, destination, err)
	}
	return nil
}

// PutReportSchedule implements ledger.ReportWriter.
func (l *Ledger) PutReportSchedule(_ context.Context, s ledger.ReportSchedule) error {
	err := l.step(func() error {
		return l.w.exec("INSERT OR REPLACE INTO report_schedule (name, schedule, through_ms) VALUES (?, ?, ?)",
			s.Name, s.Schedule, s.Through.UnixMilli())
	}, func() {})
	if err != nil {
		return fmt.Errorf("store schedule of report %s: %w", s.Name, err)
	}
	return nil
}

// reportBounds bound what is kept of reports.
type reportBounds struct{ reports, size int64 }

// expireReports drops reports that are old or beyond their bounds, and their deliveries, some at a time: bodies may be large.
func (l *Ledger) expireReports(now time.Time) (more bool, err error) {
	const some = 5
	var dropped int64
	err = l.stepLocked(func() error {
		var n, size int64
		if err := l.w.get([]any{&n, &size}, "SELECT count(*), coalesce(sum(size), 0) FROM report"); err != nil {
			return err
		}
		before := l.clock.aged(now).AddDate(0, -ledger.ReportMonths, 0).UnixMilli()
		condition, args := "made_ms < ?", []any{before, some}
		if n > l.reportBounds.reports || size > l.reportBounds.size {
			condition, args = "?", []any{true, 1} // one, and then look again
		}
		which := "(SELECT id FROM report WHERE " + condition + " ORDER BY made_ms, id LIMIT ?)"
		if err := l.w.exec("DELETE FROM report_delivery WHERE report_id IN "+which, args...); err != nil {
			return err
		}
		dropped, err = l.w.execN("DELETE FROM report WHERE id IN "+which, args...)
		return err
	}, func() {})
	return dropped > 0, err
}
