package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

// Found is what a probe found out about an account in a region.
type Found struct {
	// Account is the account's number, empty when it could not be found out.
	Account string
	// Standing is what SES says about the account, nil when it said nothing.
	Standing *Standing
	// Series says what passes ask CloudWatch for, nil when CloudWatch did not list it.
	Series *Series
	// Rated says that CloudWatch told SES's rates. BounceRate and ComplaintRate are the newest of the last two weeks, between
	// 0 and 1, nil where there is none: they do not exist before the first bounce or complaint.
	Rated                     bool
	BounceRate, ComplaintRate *float64
	// Denied are the parts that may not be read, Unasked those that there was no time for.
	Denied, Unasked []observation.AccountPart
	// Faults are other reasons why something is not known. Each is a *collectors.Error.
	Faults []error
}

// Standing is how an account stands with SES.
type Standing struct {
	// Enforcement is HEALTHY, PROBATION or SHUTDOWN.
	Enforcement string
	// Sending says that mail may be sent, Production that it may be sent to addresses that are not verified, too.
	Sending, Production bool
	// Sent is to how many recipients was sent in the last 24 hours, Max how many may be, negative for no limit; PerSecond is
	// how many may be in a second.
	Sent, Max, PerSecond float64
}

// Series counts metrics: the account's own, those of Sets configuration sets and of Tenants tenants, and those beyond what
// is read.
type Series struct {
	Account                int
	Sets, SetMetrics       int
	Tenants, TenantMetrics int
	Folded                 int
}

// probed is how many parts a probe asks for.
const probed = 6

// Readable says whether anything may be read: a pass fails for want of permissions only where nothing may.
func (f *Found) Readable() bool { return len(f.Denied) < probed }

// Probe finds out what a pass would read, without a sink and by few calls: one to list the metrics, more only where there are
// over 500, one for two metrics, four to SES, which keep its pace, and one to STS where no role tells the account. An error
// is the end of ctx, or says that the credentials are no good; what was found out before it is returned with it.
func (c *Collector) Probe(ctx context.Context) (Found, error) {
	f := Found{Account: c.number}
	if f.Account == "" {
		id, err := c.account.ID(ctx)
		if err != nil {
			return f, err
		}
		f.Account = id
	}
	p := &pass{c: c, now: c.now().UTC(), subject: observation.AccountSubject(f.Account, c.Region())}
	// SES keeps its questions apart; CloudWatch is asked meanwhile.
	for _, q := range [probed]question{
		{observation.AccountPartSending, p.probeStanding},
		{observation.AccountPartSeries, p.probeSeries},
		{observation.AccountPartMetrics, p.probeRates},
		{observation.AccountPartTenants, p.probeTenants},
		{observation.AccountPartRecommendations, p.probeRecommendations},
		{observation.AccountPartEntities, p.probeEntities},
	} {
		if err := f.settle(ctx, p, q.part, q.ask(ctx, &f)); err != nil {
			return f, err
		}
	}
	return f, nil
}

// question asks for a part.
type question struct {
	part observation.AccountPart
	ask  func(context.Context, *Found) error
}

// errUnasked says that a question was not asked.
var errUnasked = errors.New("not asked")

// settle notes what became of a question, and returns the error of one that makes all others needless. A service that does
// not answer is asked no more.
func (f *Found) settle(ctx context.Context, p *pass, part observation.AccountPart, err error) error {
	reason := reasonOf(err)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return err
	case missing(err, part.Action()):
		f.Denied = append(f.Denied, part)
	case reason == "": // its turn would come too late
		f.Unasked = append(f.Unasked, part)
	case reason == collectors.ReasonAuth:
		return err
	default:
		f.Faults = append(f.Faults, err)
		if reason == collectors.ReasonUnavailable {
			p.sesOver = p.sesOver || part.Source() == observation.AccountSES
			p.cloudOver = p.cloudOver || part.Source() == observation.AccountCloudWatch
		}
	}
	return nil
}

func (p *pass) probeStanding(ctx context.Context, f *Found) error {
	out, err := ask(ctx, p, "read the standing of", observation.AccountPartSending,
		func(ctx context.Context) (*sesv2.GetAccountOutput, error) {
			return p.c.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
		})
	if err != nil {
		return err
	}
	if err := p.standing(out); err != nil {
		return err
	}
	q := out.SendQuota
	f.Standing = &Standing{
		Enforcement: collectors.OneLine(aws.ToString(out.EnforcementStatus)),
		Sending:     out.SendingEnabled, Production: out.ProductionAccessEnabled,
		Sent: q.SentLast24Hours, Max: q.Max24HourSend, PerSecond: q.MaxSendRate,
	}
	return nil
}

func (p *pass) probeSeries(ctx context.Context, f *Found) error {
	s, err := p.c.list(ctx)
	if err != nil {
		return err
	}
	f.Series = &Series{
		Account: len(s.account), Sets: owners(s.sets), SetMetrics: len(s.sets), Tenants: owners(s.tenants), TenantMetrics: len(s.tenants),
		Folded: s.folded,
	}
	return nil
}

// owners counts the configuration sets or tenants that counters, which are in order, belong to.
func owners(counters []counter) (n int) {
	for i := range counters {
		if i == 0 || counters[i-1].detail != counters[i].detail {
			n++
		}
	}
	return n
}

// probeRates reads SES's two rates.
func (p *pass) probeRates(ctx context.Context, f *Found) error {
	if p.cloudOver {
		return errUnasked
	}
	g := group{part: observation.AccountPartMetrics}
	for _, c := range blindCounters() {
		if c.query.Stat == cloudwatch.Average {
			g.counters = append(g.counters, c)
		}
	}
	queries := make([]cloudwatch.Query, len(g.counters))
	for i := range g.counters {
		queries[i] = g.counters[i].query
	}
	to := p.now.Truncate(time.Hour).Add(time.Hour)
	results, err := p.c.account.Read(ctx, queries, cloudwatch.Window{From: to.Add(-backfill), To: to, Period: time.Hour})
	if err != nil {
		return err
	}
	if err := p.whole(&g, results); err != nil {
		return err
	}
	f.Rated = true
	for i := range results {
		newest := newestRate(results[i].Points)
		if g.counters[i].metric == observation.AccountBounceRate {
			f.BounceRate = newest
		} else {
			f.ComplaintRate = newest
		}
	}
	return nil
}

// newestRate is the last point that can be a rate, nil when there is none.
func newestRate(points []cloudwatch.Point) *float64 {
	for _, point := range slices.Backward(points) {
		if measured(point.Value) && point.Value <= 1 {
			return &point.Value
		}
	}
	return nil
}

// The lists are asked for one entry: what matters is whether they may be read.

func (p *pass) probeTenants(ctx context.Context, _ *Found) error {
	return tryList(ctx, p, observation.AccountPartTenants, func(ctx context.Context) error {
		_, err := p.c.ses.ListTenants(ctx, &sesv2.ListTenantsInput{PageSize: aws.Int32(1)})
		return err
	})
}

func (p *pass) probeRecommendations(ctx context.Context, _ *Found) error {
	return tryList(ctx, p, observation.AccountPartRecommendations, func(ctx context.Context) error {
		_, err := p.c.ses.ListRecommendations(ctx, &sesv2.ListRecommendationsInput{PageSize: aws.Int32(1)})
		return err
	})
}

func (p *pass) probeEntities(ctx context.Context, _ *Found) error {
	return tryList(ctx, p, observation.AccountPartEntities, func(ctx context.Context) error {
		_, err := p.c.ses.ListReputationEntities(ctx, &sesv2.ListReputationEntitiesInput{PageSize: aws.Int32(1)})
		return err
	})
}

func tryList(ctx context.Context, p *pass, part observation.AccountPart, call func(context.Context) error) error {
	if p.sesOver {
		return errUnasked
	}
	_, err := ask(ctx, p, "list the "+string(part)+" of", part, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}
