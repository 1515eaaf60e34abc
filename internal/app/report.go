package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/report"
)

// ReportOptions say which report is made.
type ReportOptions struct {
	CommandOptions
	// Week is a week such as 2026-W46. From and To are the first and the last day of another period. Without any of them it is
	// the last whole week.
	Week, From, To string
	// Zone is where days begin; empty stands for the zone of the first of the configured reports, else the ledger's.
	Zone string
	// Owner and Campaign select campaigns; Campaign may hold globs.
	Owner, Campaign string
	// Progress, when not nil, is told how many of so many days were read.
	Progress func(done, total int)
}

// maxOwners bounds how many owners an error names.
const maxOwners = 20

// ErrNoOwner says that a report was asked for of an owner whom the configuration does not name. Made all the same, it would say that
// nothing is wrong.
var ErrNoOwner = errors.New("no owner of campaigns")

// Report makes a report of the ledger, beside a running daemon or without one. An error of the period wraps report.ErrPeriod, one of
// the owner ErrNoOwner.
func Report(ctx context.Context, o ReportOptions) (*report.Report, error) {
	c, err := o.config()
	if err != nil {
		return nil, err
	}
	if owners := c.Owners(); o.Owner != "" && !slices.Contains(owners, o.Owner) {
		if len(owners) == 0 {
			return nil, fmt.Errorf("%w: campaigns.owners names nobody", ErrNoOwner)
		}
		return nil, fmt.Errorf("%w: %q is none of %s", ErrNoOwner, o.Owner, strings.Join(owners[:min(len(owners), maxOwners)], ", "))
	}
	period, err := o.period(c)
	if err != nil {
		return nil, err
	}
	set, err := settingsOf(c)
	if err != nil {
		return nil, err
	}
	reader, err := openLedger(ctx, c)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return report.Build(ctx, reader, report.Options{
		Period: period, Owner: o.Owner, Campaign: o.Campaign, Now: o.Now(), Settings: set.view, Group: mailbox.Group,
		Link: string(c.HTTP.ExternalURL), Progress: o.Progress,
	})
}

func (o *ReportOptions) period(c *config.Config) (report.Period, error) {
	name := o.Zone
	if name == "" {
		name = string(c.Ledger.Zone)
		if len(c.Reports) > 0 && c.Reports[0].Zone != "" {
			name = string(c.Reports[0].Zone)
		}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return report.Period{}, fmt.Errorf("%w: there is no time zone %q", report.ErrPeriod, name)
	}
	switch {
	case o.Week != "":
		return report.ParseWeek(o.Week, zone)
	case o.From != "" || o.To != "":
		return report.Days(o.From, o.To, zone)
	default:
		return report.Week(o.Now(), zone).Previous(), nil
	}
}
