package app

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	sesaccount "github.com/mailvane/mailvane/collectors/account"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// cloudWatchTimeout bounds a pass over CloudWatch or SES. The first one reads two weeks; what it did not come to is left
	// to the next.
	cloudWatchTimeout = 10 * time.Minute
	// cloudWatchJitter bounds by how much such passes are put off, the first one too.
	cloudWatchJitter = 5 * time.Second
	// statusesEvery is how often is looked for status events that call for a pass.
	statusesEvery = 5 * time.Second
	// statusesBack is how far back is looked for them. What SES lists is read every hour in any case, so that an event that
	// comes later than this changes nothing that is not known.
	statusesBack = 2 * time.Hour
)

// newReceiptRules makes the receipt rules of an account and region ready to be read.
func (d *Daemon) newReceiptRules(ctx context.Context, c config.ReceiptRules) (*source, error) {
	cfg, err := d.env.AWS(ctx, string(c.Region))
	if err != nil {
		return nil, fmt.Errorf("receipt rules %s: %w", c.Name, err)
	}
	collector, err := receiptrules.New(receiptrules.Options{
		Name: string(c.Name), AWS: cfg, Region: string(c.Region), RoleARN: string(c.RoleARN),
		Calls: d.calls.of(string(c.Name)), Now: d.env.Now,
	})
	if err != nil {
		return nil, err
	}
	return &source{config: c, passes: d.cloudWatchPasses(kindReceiptRules, c.Name, c.Every, func(ctx context.Context) error {
		defer d.inbound.soon() // a pass that failed may have stored a part
		return d.collect(ctx, string(c.Name), collector)
	})}, nil
}

// newSESAccount makes an SES account ready to be read.
func (d *Daemon) newSESAccount(ctx context.Context, c config.Account) (*source, error) {
	cfg, err := d.env.AWS(ctx, string(c.Region))
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", c.Name, err)
	}
	collector, err := sesaccount.New(sesaccount.Options{
		Name: string(c.Name), AWS: cfg, Region: string(c.Region), RoleARN: string(c.RoleARN),
		RequestsPerSecond: c.RequestsPerSecond, Calls: d.calls.of(string(c.Name)), Now: d.env.Now,
	})
	if err != nil {
		return nil, err
	}
	s := &source{config: c, passes: d.cloudWatchPasses(kindAccount, c.Name, c.Every, func(ctx context.Context) error {
		defer d.accounts.soon()
		return d.collect(ctx, string(c.Name), collector)
	})}
	told := statusFollower{concerns: collector.Concerns}
	s.chores = []schedule.Job{{
		Name: "status events of " + s.passes.Name, Every: statusesEvery, MaxConcurrent: 1,
		Run: func(ctx context.Context) (bool, error) {
			events, err := d.ledger.Statuses(ctx, d.env.Now().Add(-statusesBack))
			if err != nil {
				return false, fmt.Errorf("read status events: %w", err)
			}
			if told.news(events) {
				collector.Reread()
				d.passes.Trigger(s.passes.Name)
			}
			return false, nil
		},
	}}
	return s, nil
}

// cloudWatchPasses are the passes over a source of an account and region.
func (d *Daemon) cloudWatchPasses(kind string, name config.Name, every config.Duration, run func(context.Context) error) schedule.Job {
	return schedule.Job{
		Name:          jobOf(kind, name),
		Every:         time.Duration(every),
		Jitter:        min(time.Duration(every)/10, cloudWatchJitter),
		Timeout:       cloudWatchTimeout,
		MaxConcurrent: 1,
		Gate:          func() error { return d.gate(string(name)) },
		Run:           func(ctx context.Context) (bool, error) { return false, run(ctx) },
	}
}

// statusFollower tells which status events are new.
type statusFollower struct {
	concerns func(*observation.Status) bool
	// seen are the events of the last look.
	seen map[statusKey]bool
}

type statusKey struct {
	id, detailType, resource string
	at                       int64
}

// news says whether one of the events is new and of concern. At first all of them are new: the process that counted them may
// have ended before it looked.
func (f *statusFollower) news(events []observation.Status) (found bool) {
	seen := make(map[statusKey]bool, len(events))
	for i := range events {
		e := &events[i]
		key := statusKey{e.ID, e.DetailType, e.Resource, e.At.UnixNano()}
		seen[key] = true
		found = found || !f.seen[key] && f.concerns(e)
	}
	f.seen = seen
	return found
}

// cloudWatchCalls counts calls to CloudWatch, which cost money, since the process began.
type cloudWatchCalls struct {
	mu sync.Mutex // protects all following fields
	n  map[cloudWatchOperation]cloudWatchCount
}

// cloudWatchOperation is an operation, such as GetMetricData, that a source uses.
type cloudWatchOperation struct{ source, operation string }

// cloudWatchCount is how often an operation was called, and how many metrics were asked for: GetMetricData is priced by them.
type cloudWatchCount struct{ calls, metrics int64 }

// of returns what is to be told of the calls for a source.
func (c *cloudWatchCalls) of(source string) func(cloudwatch.Call) {
	return func(call cloudwatch.Call) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.n == nil {
			c.n = make(map[cloudWatchOperation]cloudWatchCount)
		}
		key := cloudWatchOperation{source, call.Operation}
		n := c.n[key]
		c.n[key] = cloudWatchCount{n.calls + 1, n.metrics + int64(call.Metrics)}
	}
}

// each calls do with what was counted of each operation of each source.
func (c *cloudWatchCalls) each(do func(cloudWatchOperation, cloudWatchCount)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, n := range c.n {
		do(key, n)
	}
}

// receiptPurposes says what the receipt rules of the configuration are for. Entries that name their account come first: one
// that does not holds for whatever account the credentials are of.
func receiptPurposes(c *config.Config) ([]view.ReceiptPurposes, error) {
	var all []view.ReceiptPurposes
	for i, entry := range c.Collectors.ReceiptRules {
		p := view.ReceiptPurposes{Account: entry.RoleARN.Account(), Region: string(entry.Region)}
		for j, r := range entry.Rules {
			match, err := regexp.Compile(string(r.Match))
			if err != nil {
				return nil, fmt.Errorf("collectors.receipt_rules[%d].rules[%d].match: %w", i, j, err)
			}
			names := texts(r.Campaigns)
			campaigns, err := campaign.NewMatcher(names)
			if err != nil {
				return nil, fmt.Errorf("collectors.receipt_rules[%d].rules[%d].campaigns: %w", i, j, err)
			}
			p.Rules = append(p.Rules, view.ReceiptPurpose{
				Match: match, Purpose: view.Purpose(r.Purpose), Campaigns: campaigns, CampaignNames: names,
			})
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b view.ReceiptPurposes) int { return strings.Compare(b.Account, a.Account) })
	return all, nil
}
