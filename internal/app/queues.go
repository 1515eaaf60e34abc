package app

import (
	"context"
	"fmt"
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
	// quarantined counts messages since the start.
	quarantined atomic.Int64
}

// newQueue makes a queue ready to be read.
func (d *Daemon) newQueue(ctx context.Context, c config.SES) (*source, error) {
	q := &queue{config: c}
	q.depth.Store(-1)
	cfg, err := d.env.AWS(ctx, string(c.Region))
	if err != nil {
		return nil, fmt.Errorf("queue %s: %w", c.Name, err)
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
		return nil, err
	}
	return &source{
		config: c,
		queue:  q,
		passes: schedule.Job{
			Name:          jobOf(kindSES, c.Name),
			Timeout:       passTimeout,
			MaxConcurrent: c.MaxPasses,
			Gate:          func() error { return d.gate(string(c.Name)) },
			Run:           func(ctx context.Context) (bool, error) { return q.collector.Pass(ctx, d.intake) },
		},
		chores: []schedule.Job{{
			Name: "depth of " + jobOf(kindSES, c.Name), Every: depthEvery, Timeout: depthEvery, MaxConcurrent: 1,
			Run: func(ctx context.Context) (bool, error) {
				q.measure(ctx)
				return false, nil
			},
		}},
	}, nil
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

// lag is how far behind the queue is that is furthest behind.
func (d *Daemon) lag() (most time.Duration) {
	d.eachQueue(func(_ string, q *queue) { most = max(most, time.Duration(q.lag.Load())) })
	return most
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
	q.quarantined.Add(int64(s.Quarantined))
}
