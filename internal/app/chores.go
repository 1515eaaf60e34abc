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
	statusEvery    = time.Second
	releaseEvery   = 15 * time.Second
	maintainEvery  = time.Second
	rebalanceEvery = time.Hour
	sourcesEvery   = time.Minute
	joinEvery      = time.Minute
)

// addChores starts what the daemon does for itself.
func (d *Daemon) addChores() error {
	for _, job := range []schedule.Job{
		{Name: "status", Every: statusEvery, Run: func(ctx context.Context) (bool, error) { return false, d.readStatus(ctx) }},
		{Name: "fold", Every: foldEvery, Run: d.fold},
		{Name: "release", Every: releaseEvery, Run: d.release},
		{Name: "maintain", Every: maintainEvery, Run: d.ledger.Maintain},
		{Name: "rebalance", Every: rebalanceEvery, Run: d.rebalance},
		{Name: "join", Run: d.join},
	} {
		job.MaxConcurrent = 1
		if err := d.chores.Add(job); err != nil {
			return err
		}
	}
	return nil
}

// fold makes what was committed visible.
func (d *Daemon) fold(ctx context.Context) (bool, error) {
	if err := d.ledger.Fold(ctx); err != nil {
		return false, err
	}
	if err := d.view.Refresh(ctx); err != nil {
		return false, err
	}
	if d.caughtUp.CompareAndSwap(false, true) {
		d.joinSoon()
	}
	return false, nil
}

// join brings together what Gmail reports and what was sent: when there is something new of the first, and now and then,
// because mail goes on being sent.
func (d *Daemon) join(ctx context.Context) (bool, error) {
	timer := time.NewTimer(joinEvery)
	defer timer.Stop()
	select {
	case <-d.joinable:
	case <-timer.C:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return false, d.view.RefreshGmail(ctx)
}

// joinSoon has the join made at once.
func (d *Daemon) joinSoon() {
	select {
	case d.joinable <- struct{}{}:
	default:
	}
}

// readStatus is a chore of its own because a fold may have to wait for the disk, and why is what the status says.
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
