package app

import (
	"context"
	"time"
)

// demoReports is the demo's section reports.
const demoReports = `
reports:
  - {name: weekly, schedule: "Mon,Thu 08:00", to: [{dir: reports}]}
`

// demoReport makes the report of last week as soon as everything has been read, because nobody waits for Monday.
func (d *Daemon) demoReport(ctx context.Context) {
	for d.reportable() != nil {
		if !pass(ctx, time.Second) {
			return
		}
	}
	if err := d.reports.publisher.MakeNow(ctx, "weekly"); err != nil && ctx.Err() == nil {
		d.log.Error("report not made", "err", err)
	}
}
