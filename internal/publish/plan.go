package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/schedule/calendar"
)

// Plan is a report that is made again and again.
type Plan struct {
	// Name tells it from the others, in the ledger too.
	Name     string
	Schedule calendar.Schedule
	// Owners are those of whose campaigns a report is made each; an empty one stands for all campaigns.
	Owners []string
	// Campaign restricts them to campaigns whose name fits a glob, empty for all.
	Campaign     string
	Destinations []Destination
}

// Destination is where reports of a plan go.
type Destination struct {
	// Name tells it from the plan's others, in the ledger too; Kind is what metrics call it.
	Name, Kind string
	Outlet     Outlet
}

// Outlet takes reports to one place.
type Outlet interface {
	// Deliver delivers a report and returns nil once it has arrived. It is repeated until then, so the report may arrive more
	// than once. It must return soon after ctx has ended. An error is an *alerts.DeliveryError; any other counts as one that
	// may pass. Neither it nor what it wraps may hold a secret.
	Deliver(ctx context.Context, i *Issue) error
}

// Issue is a stored report on its way.
type Issue struct {
	// Number is the report's in the ledger, Plan the name of its plan.
	Number int64
	Plan   string
	Due    time.Time
	// Edition counts the reports of one plan, owner and period, from 1.
	Edition int
	Report  *report.Report
	// Link leads to the report for browsers.
	Link string
}

// Order says what reports are about: those of all owners.
type Order struct {
	Period report.Period
	// Campaign restricts them as a plan's does.
	Campaign string
}

// period is the last whole week before a time.
func (p *Plan) period(due time.Time) report.Period {
	return report.Week(due, p.Schedule.Zone()).Previous()
}

func (p *Plan) destination(name string) *Destination {
	for i := range p.Destinations {
		if p.Destinations[i].Name == name {
			return &p.Destinations[i]
		}
	}
	return nil
}

// reportPath is where the API has a report (docs/reports.md).
func reportPath(number int64) string { return fmt.Sprintf("/api/v1/reports/%d?format=html", number) }
