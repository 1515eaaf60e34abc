package publish

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

const (
	// timeout bounds one try. Ways out have bounds of their own, which are shorter.
	timeout = 2 * time.Minute
	// giveUpAfter is how long after a report was made its delivery is tried: by then the next one is due.
	giveUpAfter = 7 * 24 * time.Hour
)

// DeliverDue tries what is to be delivered now, the oldest report first. Destinations that fail are no error of the pass.
func (p *Publisher) DeliverDue(ctx context.Context) error {
	p.delivering.Lock()
	defer p.delivering.Unlock()
	if err := p.settleRest(ctx); err != nil {
		return err
	}
	reports, err := p.o.Ledger.UndeliveredReports(ctx)
	if err != nil {
		return fmt.Errorf("read undelivered reports: %w", err)
	}
	hurry := p.note(reports)
	for i := range reports {
		if err := p.deliverReport(ctx, &reports[i], hurry); err != nil {
			return err
		}
	}
	return nil
}

// note keeps since when reports wait, for the gauge, and says whether to try all of them now.
func (p *Publisher) note(reports []ledger.Report) (hurry bool) {
	oldest := make(map[string]time.Time)
	for i := range reports {
		for _, d := range reports[i].Deliveries {
			if at, ok := oldest[d.Kind]; !ok || reports[i].MadeAt.Before(at) {
				oldest[d.Kind] = reports[i].MadeAt
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	hurry, p.hurry, p.oldest = p.hurry, false, oldest
	return hurry
}

// deliverReport tries the deliveries of a report whose time has come. The error is that of the ledger.
func (p *Publisher) deliverReport(ctx context.Context, r *ledger.Report, hurry bool) error {
	read := sync.OnceValues(func() (*Issue, error) { return p.issue(ctx, r.Number) })
	for i := range r.Deliveries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := &r.Deliveries[i]
		to, why := p.destination(r, d)
		if why != "" {
			ended := d.Delivery
			ended.State, ended.Error = ledger.NotificationDead, why
			if err := p.settle(ctx, r.Number, d.Destination, ended); err != nil {
				return err
			}
			continue
		}
		at := lane{r.Name, d.Destination}
		if now := p.o.Now(); !hurry && !isDue(d, now) || now.Before(p.rest(at).until) {
			continue
		}
		issue, err := read()
		if err != nil {
			return err
		}
		ended, done := p.try(ctx, to, issue, d.Delivery, at)
		if !done {
			return ctx.Err()
		}
		if err := p.settle(ctx, r.Number, d.Destination, ended); err != nil {
			return err
		}
	}
	return nil
}

// destination is where a delivery goes, or why it is given up.
func (p *Publisher) destination(r *ledger.Report, d *ledger.ReportDelivery) (to *Destination, why string) {
	if p.o.Now().Sub(r.MadeAt) > giveUpAfter {
		return nil, inShort(errors.New("given up after a week; the last error was: " + d.Error))
	}
	if plan := p.plan(r.Name); plan != nil {
		to = plan.destination(d.Destination)
	}
	if to == nil {
		return nil, "there is no such destination any more"
	}
	return to, ""
}

// isDue says whether a delivery's time has come. A time too far away was written by a clock that was wrong.
func isDue(d *ledger.ReportDelivery, now time.Time) bool {
	wait := d.NextAt.Sub(now)
	return d.Attempts == 0 || wait <= 0 || wait > ledger.MaxPause
}

// issue reads a stored report. One that cannot be read has no Report, so that nobody waits for it for ever.
func (p *Publisher) issue(ctx context.Context, number int64) (*Issue, error) {
	stored, err := p.o.Ledger.Report(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("read a report: %w", err)
	}
	i := &Issue{Number: stored.Number, Plan: stored.Name, Due: stored.Due, Edition: stored.Edition, Link: p.o.Link() + reportPath(number)}
	if i.Report, err = decode(stored.Body); err != nil {
		p.o.Log.Error("a stored report cannot be read", "report", stored.Name, "number", number, "err", err)
	}
	return i, nil
}

var errUnreadable = errors.New("the stored report cannot be read")

// try delivers a report to a destination and says how it ended; done is false when the end of ctx cut it short, so that nobody
// knows whether it arrived.
func (p *Publisher) try(ctx context.Context, to *Destination, i *Issue, d ledger.Delivery, at lane) (ended ledger.Delivery, done bool) {
	err := p.call(ctx, to, i)
	if err != nil && ctx.Err() != nil {
		return d, false
	}
	now := p.o.Now()
	d.Attempts++
	d.State, d.NextAt, d.Reason, d.Error = ledger.NotificationDelivered, now, "", ""
	told := Try{Plan: at.plan, Kind: to.Kind}
	failures := 0
	if err != nil {
		failed := deliveryError(to.Name, err)
		told.Reason = failed.Reason
		failures = p.rest(at).failures + 1
		d.State, d.Reason, d.Error = ledger.NotificationWaiting, string(failed.Reason), inShort(failed.Err)
		d.NextAt = now.Add(pause(max(d.Attempts, failures), failed, p.o.Random()))
		if failed.Reason == alerts.DeliveryRefused {
			d.State, failures = ledger.NotificationDead, 0 // it answers
		}
		if d.Attempts == 1 || d.State == ledger.NotificationDead {
			p.o.Log.Warn("report not delivered", "report", at.plan, "number", i.Number, "destination", to.Name,
				"reason", d.Reason, "err", d.Error, "given_up", d.State == ledger.NotificationDead)
		}
	}
	p.mu.Lock()
	p.rests[at] = rest{failures, d.NextAt}
	if failures == 0 {
		delete(p.rests, at)
	}
	p.mu.Unlock()
	p.o.Tried(told)
	return d, true
}

// call has an outlet deliver, within its time. A panic is an answer like another, because a daemon that dies of a report dies of
// it again after each start.
func (p *Publisher) call(ctx context.Context, to *Destination, i *Issue) (err error) {
	if i.Report == nil {
		return &alerts.DeliveryError{Notifier: to.Name, Reason: alerts.DeliveryRefused, Err: errUnreadable}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it took longer than %s", timeout))
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			p.o.Log.Error("delivering a report panicked", "destination", to.Name, "stack", string(debug.Stack()))
			err = &alerts.DeliveryError{Notifier: to.Name, Reason: alerts.DeliveryRefused, Err: errors.New("the delivery panicked")}
		}
	}()
	return to.Outlet.Deliver(ctx, i)
}

func (p *Publisher) rest(l lane) rest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rests[l]
}
