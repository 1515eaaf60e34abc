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
	// refreshEvery is for what is worked out when there is news, and now and then.
	refreshEvery = time.Minute
)

// addChores starts what the daemon does for itself.
func (d *Daemon) addChores() error {
	for _, job := range []schedule.Job{
		{Name: "status", Every: statusEvery, Run: func(ctx context.Context) (bool, error) { return false, d.readStatus(ctx) }},
		{Name: "fold", Every: foldEvery, Run: d.fold},
		{Name: "release", Every: releaseEvery, Run: d.release},
		{Name: "maintain", Every: maintainEvery, Run: d.ledger.Maintain},
		{Name: "rebalance", Every: rebalanceEvery, Run: d.rebalance},
		{Name: "join", Run: d.joinable.passes(d.view.RefreshGmail)},
		{Name: "inbound", Run: d.inbound.passes(d.refreshInbound)},
		{Name: "accounts", Run: d.accounts.passes(d.view.RefreshAccounts)},
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
		d.inbound.soon()
		d.accounts.soon()
	}
	return false, nil
}

// news holds a value while there is something new from which figures are to be worked out.
type news chan struct{}

// soon has them worked out at once.
func (n news) soon() {
	select {
	case n <- struct{}{}:
	default:
	}
}

// passes works them out when there is news, and now and then, because time and mail go on.
func (n news) passes(refresh func(context.Context) error) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		timer := time.NewTimer(refreshEvery)
		defer timer.Stop()
		select {
		case <-n:
		case <-timer.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		return false, refresh(ctx)
	}
}

// joinSoon has what Gmail reports and what was sent brought together at once.
func (d *Daemon) joinSoon() { d.joinable.soon() }

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

// rebalance gives the exported places to the campaigns that sent most this week, and to the providers that were sent most.
func (d *Daemon) rebalance(context.Context) (bool, error) {
	largest := d.view.Campaigns(view.Query{Window: signal.Week, Limit: d.maxExported()})
	names := make([]observation.Campaign, len(largest.Campaigns))
	for i, c := range largest.Campaigns {
		names[i] = observation.Campaign{Tenant: c.Tenant, Name: c.ID}
	}
	d.tel.Rebalance(names, d.largestProviders())
	return false, nil
}

func (d *Daemon) maxExported() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config.Campaigns.MaxExported
}
