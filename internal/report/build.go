package report

import (
	"context"
	"fmt"
)

// Build makes a report. It reads in short pieces, so that no writer of the ledger waits for it. The error wraps ErrPeriod
// when there is nothing to report of the period.
func Build(ctx context.Context, source Source, o Options) (*Report, error) {
	if !o.Period.Start.Before(o.Now) {
		return nil, fmt.Errorf("%w: %s has not begun", ErrPeriod, o.Period.String())
	}
	status, err := source.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", o.Period.ID(), err)
	}
	return &Report{Format: 1, Period: o.Period, MadeAt: o.Now.UTC(), AsOf: status.AsOf.UTC(), Owner: o.Owner, Campaign: o.Campaign, Link: o.Link}, nil
}
