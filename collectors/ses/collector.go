package ses

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mailvane/mailvane/collectors"
)

const (
	// defaultVisibility is SQS's own; shortestVisibility is asked for where a queue is set to less, because a message
	// that is visible again before it can be stored would never be got rid of.
	defaultVisibility  = 30 * time.Second
	shortestVisibility = 2 * time.Second
	// visibilityMaxAge is how long the queue's visibility timeout is taken for known.
	visibilityMaxAge = 10 * time.Minute
)

// Options says which queue to read, and with what.
type Options struct {
	// Name is the source's name in batches, errors and statistics.
	Name string
	// QueueURL is the queue's URL. Region is its region, by default that of the URL, else that of AWS.
	QueueURL, Region string
	// RoleARN, when not empty, is a role to assume first.
	RoleARN string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Budget bounds the memory of messages; all queues share one.
	Budget *Budget
	// NextKey makes the keys of batches, unique in the process; it may be called from several goroutines.
	NextKey func() uint64
	// Observe, when not nil, is told of every pass that received, from several goroutines. It must not block.
	Observe func(Stats)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Stats is what became of the messages of one receive. Each message is counted in exactly one of Events, Statuses, Setups,
// Quarantined and Kept.
type Stats struct {
	Source string
	// Events, Statuses, Setups and Quarantined count messages that were committed, by what they were.
	Events, Statuses, Setups, Quarantined int
	// Kept counts messages that could not be committed and stay in the queue.
	Kept int
	// Undeleted counts messages that were committed but may come back, Redelivered those that were not received for the
	// first time.
	Undeleted, Redelivered int
	// Lag is the age of the oldest message, 0 when there was none.
	Lag time.Duration
	// Full says that the receive brought as many messages as it could.
	Full bool
}

// Collector reads one queue. It is safe for concurrent use.
type Collector struct {
	name      string
	region    string
	transport Transport
	control   control
	nextKey   func() uint64
	observe   func(Stats)
	now       func() time.Time
	desks     sync.Pool
	// letGo, grace and confirmTimeout are as the constants in pass.go.
	letGo, grace, confirmTimeout time.Duration

	visibilityMu sync.Mutex // protects visibility and visibilityAt; held while the queue is asked
	visibility   time.Duration
	visibilityAt time.Time

	unsaidMu sync.Mutex // protects unsaid
	// unsaid are confirmations that could not be put.
	unsaid []collectors.Confirm
}

var _ collectors.Collector = (*Collector)(nil)

// New returns the Collector of a queue. It makes no call.
func New(o Options) (*Collector, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("queue %s: %w", o.Name, err)
	}
	if o.Observe == nil {
		o.Observe = func(Stats) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := newTransport(&o)
	c := &Collector{
		name: o.Name, region: regionFor(&o), transport: t, control: t,
		nextKey: o.NextKey, observe: o.Observe, now: o.Now,
		letGo: letGo, grace: grace, confirmTimeout: confirmTimeout,
	}
	c.desks.New = func() any { return newDesk(c.region) }
	return c, nil
}

// Collect makes one pass; a queue has no positions.
func (c *Collector) Collect(ctx context.Context, _ collectors.Positions, sink collectors.Sink) error {
	_, err := c.Pass(ctx, sink)
	return err
}

// QueueDepth asks how many messages wait in the queue and how many are received and not yet deleted, about.
func (c *Collector) QueueDepth(ctx context.Context) (visible, inFlight int64, err error) {
	a, err := c.control.attributes(ctx)
	if err != nil {
		return 0, 0, c.fault(ctx, "read the attributes of", err)
	}
	return a.visible, a.inFlight, nil
}

// visibilityTimeout is for how long received messages are made invisible: the queue's own setting, asked for now and then.
func (c *Collector) visibilityTimeout(ctx context.Context) (time.Duration, error) {
	c.visibilityMu.Lock()
	defer c.visibilityMu.Unlock()
	now := c.now()
	if c.visibility != 0 && now.Sub(c.visibilityAt) < visibilityMaxAge {
		return c.visibility, nil
	}
	a, err := c.control.attributes(ctx)
	switch {
	case err == nil:
		c.visibility = max(a.visibility, shortestVisibility)
	case c.visibility == 0:
		return 0, c.fault(ctx, "read the attributes of", err)
	}
	c.visibilityAt = now
	return c.visibility, nil
}
