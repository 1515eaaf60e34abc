package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	defaultDetails = time.Hour
	defaultRate    = 1
	// defaultSets and defaultTenants bound what is paid for.
	defaultSets    = 200
	defaultTenants = 500
)

// Options says which account to read, and how.
type Options struct {
	// Name is the source's name in batches, errors and positions.
	Name string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Region is the region, by default that of AWS. RoleARN, when not empty, is a role to assume first, as a rule one of
	// another account.
	Region, RoleARN string
	// Account is the account's number, 12 digits. When empty it is that of the role, else STS is asked.
	Account string
	// DetailsEvery is how often lists, and the counts of configuration sets and tenants, are read, by default every hour.
	DetailsEvery time.Duration
	// MaxSets and MaxTenants bound how many are read, by default 200 and 500. Which ones is then decided by their names.
	MaxSets, MaxTenants int
	// RequestsPerSecond is the most calls to SES in a second, by default 1, which is SES's own limit.
	RequestsPerSecond float64
	// Calls, when not nil, is told of every call to CloudWatch before it is made: they cost money. It must not block.
	Calls func(cloudwatch.Call)
	// Observe, when not nil, is told how far a pass is, after each part of it that was stored. It must not block.
	Observe func(Progress)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Progress is how far a pass is.
type Progress struct {
	Source string
	// Calls are those made to SES so far, Readings those put.
	Calls, Readings int
	// Series are those of the account, of configuration sets and of tenants that are read; Ignored have dimensions that say
	// nothing here, Folded are beyond MaxSets and MaxTenants. All are 0 until the series were listed.
	Series, Ignored, Folded int
}

// Collector reads one account in one region. One pass may run at a time; Reread and Concerns may be called from any
// goroutine.
type Collector struct {
	name       string
	account    *cloudwatch.Account
	number     string
	ses        *sesv2.Client
	limiter    *rate.Limiter
	details    time.Duration
	maxSets    int
	maxTenants int
	observe    func(Progress)
	now        func() time.Time

	reread atomic.Bool
	// id is the account's number once it is known.
	id atomic.Pointer[string]
	// known are the series of the last listing, nil before the first.
	known *series
}

var _ collectors.Collector = (*Collector)(nil)

var accountForm = regexp.MustCompile(`^\d{12}$`)

// New returns the Collector of an account. It makes no call.
func New(o Options) (*Collector, error) {
	if o.Account != "" && !accountForm.MatchString(o.Account) {
		return nil, fmt.Errorf("account %s: %q is not the number of an account", o.Name, o.Account)
	}
	if o.DetailsEvery < 0 || o.MaxSets < 0 || o.MaxTenants < 0 || o.RequestsPerSecond < 0 {
		return nil, fmt.Errorf("account %s: limits must be positive", o.Name)
	}
	a, err := cloudwatch.Open(cloudwatch.Options{
		Source: o.Name, AWS: o.AWS, Region: o.Region, RoleARN: o.RoleARN, Observe: o.Calls, Now: o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	c := &Collector{
		name: o.Name, account: a, number: o.Account,
		ses: sesv2.NewFromConfig(a.Config(), func(s *sesv2.Options) {
			// Attempts of the SDK's own would not keep SES's pace.
			s.Retryer = aws.NopRetryer{}
		}),
		limiter: rate.NewLimiter(rate.Limit(cmp.Or(o.RequestsPerSecond, defaultRate)), 1),
		details: cmp.Or(o.DetailsEvery, defaultDetails),
		maxSets: cmp.Or(o.MaxSets, defaultSets), maxTenants: cmp.Or(o.MaxTenants, defaultTenants),
		observe: o.Observe, now: o.Now,
	}
	if c.observe == nil {
		c.observe = func(Progress) {}
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Region is the region that is read.
func (c *Collector) Region() string { return c.account.Region() }

// Reread makes the next pass ask for SES's lists, whenever they were last asked for. It is called when SES told of a change.
func (c *Collector) Reread() { c.reread.Store(true) }

// Concerns says whether a status event is about this account and region, so that a pass should follow at once. An event
// that names neither concerns everybody.
func (c *Collector) Concerns(s *observation.Status) bool {
	id := c.id.Load()
	return (s.Region == "" || s.Region == c.Region()) && (s.Account == "" || id == nil || s.Account == *id)
}

// Collect makes one pass. What was read is put part by part. A part that may not be read is noted as such and is no error;
// other failures of single parts are returned when the pass has gone through the others, joined.
func (c *Collector) Collect(ctx context.Context, from collectors.Positions, sink collectors.Sink) error {
	id := c.number
	if id == "" {
		var err error
		if id, err = c.account.ID(ctx); err != nil {
			return err
		}
	}
	c.id.Store(&id)
	p := &pass{
		c: c, sink: sink, from: from, now: c.now().UTC(), subject: observation.AccountSubject(id, c.Region()),
		progress: Progress{Source: c.name},
	}
	return p.run(ctx)
}

// fault makes the error of a part.
func (c *Collector) fault(op string, reason collectors.Reason, err error) error {
	return &collectors.Error{Source: c.name, Op: op, Reason: reason, Err: err}
}

// reasonOf is the reason of a part's error, empty when the pass was told to end.
func reasonOf(err error) collectors.Reason {
	if e, ok := errors.AsType[*collectors.Error](err); ok {
		return e.Reason
	}
	return ""
}
