package receiptrules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ses"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
)

const (
	// period is the length of a reading.
	period = 5 * time.Minute
	// trailing is how much is read again, for points that came late.
	trailing = 3 * time.Hour
	// stride is how much is read at once: 500 series are then 90,000 points at most, which fit one page.
	stride = 12 * time.Hour
	// backfill is how far back the first pass reads: as long as CloudWatch lists a series.
	backfill = 14 * 24 * time.Hour
	// oldest is how far back any pass reads: the ledger keeps readings this short for 35 days.
	oldest = 34 * 24 * time.Hour
	// maxRules bounds the rules of one account and region. SES allows 40 rule sets of 200.
	maxRules = 2000
)

// Options says whose receipt rules to read, and with what.
type Options struct {
	// Name is the source's name in batches, errors and positions.
	Name string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Region is the region, by default that of AWS. RoleARN, when not empty, is a role to assume first.
	Region, RoleARN string
	// Calls, when not nil, is told of every call to CloudWatch, which cost money. It must not block.
	Calls func(cloudwatch.Call)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Collector reads the receipt rules of one account and region. One pass may run at a time.
type Collector struct {
	name    string
	account *cloudwatch.Account
	ses     *ses.Client
	now     func() time.Time
}

var _ collectors.Collector = (*Collector)(nil)

// New returns the Collector of an account and region. It makes no call.
func New(o Options) (*Collector, error) {
	account, err := cloudwatch.Open(cloudwatch.Options{
		Source: o.Name, AWS: o.AWS, Region: o.Region, RoleARN: o.RoleARN, Observe: o.Calls, Now: o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("receipt rules: %w", err)
	}
	c := &Collector{name: o.Name, account: account, ses: ses.NewFromConfig(account.Config()), now: o.Now}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Collect makes one pass. What was read is put as it comes, and a rule's position moves with it. What went wrong with single
// rules, or with asking for the rule set, does not end the pass: it is returned when the others were read, as one
// *collectors.Error for each reason, joined.
func (c *Collector) Collect(ctx context.Context, from collectors.Positions, sink collectors.Sink) error {
	id, err := c.account.ID(ctx)
	if err != nil {
		return err
	}
	p := &pass{c: c, sink: sink, account: id, end: c.now().UTC().Truncate(period)}
	if err := p.run(ctx, from); err != nil {
		return errors.Join(append([]error{err}, p.faults...)...)
	}
	return errors.Join(p.faults...)
}
