package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/internal/ledger"
)

// ReportSchedules implements ledger.ReportReader.
func (r *Reader) ReportSchedules(ctx context.Context) ([]ledger.ReportSchedule, error) {
	var out []ledger.ReportSchedule
	err := r.query(ctx, func(scan func(...any) error) error {
		var s ledger.ReportSchedule
		var through int64
		err := scan(&s.Name, &s.Schedule, &through)
		s.Through = milli(through)
		out = append(out, s)
		return err
	}, "SELECT name, schedule, through_ms FROM report_schedule ORDER BY name")
	return out, err
}

// Reports implements ledger.ReportReader.
func (r *Reader) Reports(ctx context.Context, q ledger.ReportQuery) ([]ledger.Report, error) {
	var where conditions
	where.add(q.Name != "", "name = ?", q.Name)
	if q.Owner != nil {
		where.add(true, "owner = ?", *q.Owner)
	}
	where.add(q.Period != "", "period = ?", q.Period)
	where.add(q.Before != 0, "id < ?", q.Before)
	var out []ledger.Report
	err := r.snapshot(ctx, func(tx *sql.Tx) (err error) {
		out, err = reports(ctx, tx, where.String()+" ORDER BY id DESC LIMIT ?", append(where.args, limitOf(q.Limit))...)
		return errors.Join(err, addDeliveries(ctx, tx, out, ""))
	})
	return out, err
}

// UndeliveredReports implements ledger.ReportReader.
func (r *Reader) UndeliveredReports(ctx context.Context) ([]ledger.Report, error) {
	var out []ledger.Report
	err := r.snapshot(ctx, func(tx *sql.Tx) (err error) {
		out, err = reports(ctx, tx, " WHERE id IN (SELECT report_id FROM report_delivery WHERE settled_ms IS NULL) ORDER BY id")
		return errors.Join(err, addDeliveries(ctx, tx, out, " AND settled_ms IS NULL"))
	})
	return out, err
}

// Report implements ledger.ReportReader.
func (r *Reader) Report(ctx context.Context, number int64) (ledger.Report, error) {
	var out ledger.Report
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		found, err := reports(ctx, tx, " WHERE id = ?", number)
		if err != nil || len(found) == 0 {
			return err
		}
		if err := addDeliveries(ctx, tx, found, ""); err != nil {
			return err
		}
		out = found[0]
		return tx.QueryRowContext(ctx, "SELECT body FROM report WHERE id = ?", number).Scan(&out.Body)
	})
	if err == nil && out.Number == 0 {
		err = fmt.Errorf("report %d: %w", number, ledger.ErrNotFound)
	}
	return out, err
}

// reports reads reports without bodies and deliveries.
func reports(ctx context.Context, tx *sql.Tx, rest string, args ...any) (out []ledger.Report, err error) {
	err = inTx(ctx, tx, func(scan func(...any) error) error {
		var r ledger.Report
		var due, made, start, end int64
		err := scan(&r.Number, &r.Name, &r.Owner, &due, &made, &start, &end, &r.Period, &r.Edition, &r.Size)
		r.Due, r.MadeAt, r.Start, r.End = milli(due), milli(made), milli(start), milli(end)
		out = append(out, r)
		return err
	}, "SELECT id, name, owner, due_ms, made_ms, start_ms, end_ms, period, edition, size FROM report"+rest, args...)
	return out, err
}

// addDeliveries adds to each report those of its deliveries that fit a further condition, in the order of their destinations.
func addDeliveries(ctx context.Context, tx *sql.Tx, all []ledger.Report, condition string) error {
	for i := range all {
		err := inTx(ctx, tx, func(scan func(...any) error) error {
			var d ledger.ReportDelivery
			var next, settled int64
			err := scan(&d.Destination, &d.Kind, &d.State, &d.Attempts, &next, &d.Reason, &d.Error, &settled)
			d.NextAt = milli(next)
			if settled != 0 {
				d.SettledAt = milli(settled)
			}
			all[i].Deliveries = append(all[i].Deliveries, d)
			return err
		}, `SELECT destination, kind, state, attempts, next_ms, reason, error, coalesce(settled_ms, 0) FROM report_delivery
			WHERE report_id = ?`+condition+" ORDER BY destination", all[i].Number)
		if err != nil {
			return err
		}
	}
	return nil
}
