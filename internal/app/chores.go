package app

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// The cadences of what the daemon does for itself.
const (
	foldEvery      = time.Second
	releaseEvery   = 15 * time.Second
	maintainEvery  = time.Second
	rebalanceEvery = time.Hour
)

// addChores starts what the daemon does for itself.
func (d *Daemon) addChores() error {
	for _, job := range []schedule.Job{
		{Name: "fold", Every: foldEvery, Run: d.fold},
		{Name: "release", Every: releaseEvery, Run: d.release},
		{Name: "maintain", Every: maintainEvery, Run: d.ledger.Maintain},
		{Name: "rebalance", Every: rebalanceEvery, Run: d.rebalance},
	} {
		job.MaxConcurrent = 1
		if err := d.chores.Add(job); err != nil {
			return err
		}
	}
	return nil
}

// fold makes what was committed visible. The state of the ledger is read even when it cannot fold, because it says why.
func (d *Daemon) fold(ctx context.Context) (bool, error) {
	foldErr := d.ledger.Fold(ctx)
	if err := d.readStatus(ctx); err != nil {
		return false, err
	}
	if foldErr != nil {
		return false, foldErr
	}
	if err := d.view.Refresh(ctx); err != nil {
		return false, fmt.Errorf("refresh the view: %w", err)
	}
	d.caughtUp.Store(true)
	return false, nil
}

func (d *Daemon) readStatus(ctx context.Context) error {
	s, err := d.ledger.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger's status: %w", err)
	}
	d.status.Store(&s)
	return nil
}

func (d *Daemon) release(ctx context.Context) (bool, error) {
	_, err := d.intake.Release(ctx)
	return false, err
}

// rebalance gives the exported places to the campaigns that sent most this week.
func (d *Daemon) rebalance(context.Context) (bool, error) {
	largest := d.view.Campaigns(view.Query{Window: signal.Week, Limit: d.maxExported()})
	names := make([]observation.Campaign, len(largest.Campaigns))
	for i, c := range largest.Campaigns {
		names[i] = observation.Campaign{Tenant: c.Tenant, Name: c.ID}
	}
	d.tel.Rebalance(names)
	return false, nil
}

func (d *Daemon) maxExported() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config.Campaigns.MaxExported
}
