package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/telemetry"
)

const (
	// passTimeout bounds a pass: the long poll, and as long as messages may be held on to.
	passTimeout = 11 * time.Minute
	// depthEvery is how often a queue is asked how full it is. Each question is one paid request.
	depthEvery = time.Minute
)

// queue is a queue that is read.
type queue struct {
	config    config.SES
	collector *ses.Collector
	// lag is in nanoseconds; depth is -1 while not known.
	lag, depth atomic.Int64
}

func jobOf(name string) string { return "ses/" + name }

func depthJobOf(name string) string { return "depth of " + name }

// setQueues makes the queues of the configuration those that are read: those that are gone or changed are let go first,
// the others go on untouched. d.reloading is held.
func (d *Daemon) setQueues(ctx context.Context, c *config.Config) error {
	wanted := make(map[string]config.SES)
	for _, q := range c.Collectors.SES {
		wanted[string(q.Name)] = q
	}
	for name, q := range d.queues {
		if wanted[name] == q.config {
			delete(wanted, name)
			continue
		}
		if err := d.dropQueue(ctx, name); err != nil {
			return err
		}
	}
	for _, q := range wanted {
		if err := d.addQueue(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// keepQueues starts what should be read and is not, because a reload could neither put a new configuration in force nor all
// of the old one back.
func (d *Daemon) keepQueues(ctx context.Context) (bool, error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	return false, d.setQueues(ctx, d.config)
}

// dropQueue lets a queue go. It counts as gone even when its passes have not ended in time, for they will.
func (d *Daemon) dropQueue(ctx context.Context, name string) error {
	d.mu.Lock()
	delete(d.queues, name)
	d.mu.Unlock()
	return d.endQueue(ctx, name)
}

// endQueue ends the jobs of a queue and waits for them.
func (d *Daemon) endQueue(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := d.passes.Remove(ctx, jobOf(name)); err != nil {
		return fmt.Errorf("stop reading queue %s: %w", name, err)
	}
	if err := d.chores.Remove(ctx, depthJobOf(name)); err != nil {
		return fmt.Errorf("stop measuring queue %s: %w", name, err)
	}
	return nil
}

func (d *Daemon) addQueue(ctx context.Context, c config.SES) error {
	q := &queue{config: c}
	q.depth.Store(-1)
	cfg, err := d.env.AWS(ctx, string(c.Region))
	if err != nil {
		return fmt.Errorf("queue %s: %w", c.Name, err)
	}
	q.collector, err = ses.New(ses.Options{
		Name:     string(c.Name),
		QueueURL: string(c.QueueURL),
		Region:   string(c.Region),
		RoleARN:  string(c.RoleARN),
		AWS:      cfg,
		Budget:   d.budget,
		NextKey:  d.nextKey,
		Observe:  func(s ses.Stats) { d.observeQueue(q, s) },
		Now:      d.env.Now,
	})
	if err != nil {
		return err
	}
	if err := d.endQueue(ctx, string(c.Name)); err != nil { // what an earlier drop did not wait for
		return err
	}
	err = d.passes.Add(schedule.Job{
		Name:          jobOf(string(c.Name)),
		Timeout:       passTimeout,
		MaxConcurrent: c.MaxPasses,
		Gate:          func() error { return d.gate(string(c.Name)) },
		Run:           func(ctx context.Context) (bool, error) { return q.collector.Pass(ctx, d.intake) },
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.queues[string(c.Name)] = q
	d.mu.Unlock()
	return d.chores.Add(schedule.Job{
		Name: depthJobOf(string(c.Name)), Every: depthEvery, Timeout: depthEvery, MaxConcurrent: 1,
		Run: func(ctx context.Context) (bool, error) {
			q.measure(ctx)
			return false, nil
		},
	})
}

// measure asks how full the queue is. A queue that cannot be asked is told of by its passes.
func (q *queue) measure(ctx context.Context) {
	visible, inFlight, err := q.collector.QueueDepth(ctx)
	if err != nil {
		q.depth.Store(-1)
		return
	}
	q.depth.Store(visible + inFlight)
}

// gate says why a queue must not be received from now.
func (d *Daemon) gate(name string) error {
	s := d.status.Load()
	if s.CommitErr != nil {
		return fmt.Errorf("receiving stands still: %w", s.CommitErr)
	}
	if n := s.Unconfirmed[name]; n >= maxUnconfirmed {
		return &collectors.Error{
			Source: name, Op: "receive from", Reason: collectors.ReasonConfig,
			Err:  fmt.Errorf("%d counted events may come back, because the queue does not confirm that their messages are deleted", n),
			Hint: "allow sqs:DeleteMessage on the queue; receiving goes on when deletions are confirmed or after 14 days",
		}
	}
	return nil
}

// observeQueue counts what a receive brought.
func (d *Daemon) observeQueue(q *queue, s ses.Stats) {
	for _, r := range []struct {
		result string
		n      int
	}{
		{"event", s.Events}, {"status", s.Statuses}, {"setup", s.Setups}, {"quarantined", s.Quarantined},
		{"kept", s.Kept}, {"undeleted", s.Undeleted}, {"redelivered", s.Redelivered},
	} {
		if r.n > 0 {
			d.tel.Add(telemetry.QueueMessages, int64(r.n), s.Source, r.result)
		}
	}
	q.lag.Store(int64(s.Lag))
}

// failing says since when every queue has been failing; the zero time when one is well.
func (d *Daemon) failingSince() time.Time {
	states := d.passes.States()
	if len(states) == 0 {
		return time.Time{}
	}
	newest := time.Unix(math.MinInt32, 0)
	for _, s := range states {
		if h := s.Health(); h == schedule.HealthOK || h == schedule.HealthStarting {
			return time.Time{}
		}
		since := s.LastSuccess
		if since.IsZero() {
			since = d.started
		}
		if since.After(newest) {
			newest = since
		}
	}
	return newest
}

var errNotRunning = errors.New("no daemon runs on this ledger")
