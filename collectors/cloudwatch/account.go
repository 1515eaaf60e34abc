package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/collectors/awsfault"
)

// callTimeout bounds one call, its answer and the SDK's second attempt included.
const callTimeout = 30 * time.Second

// Options says which account and region to read.
type Options struct {
	// Source is the source's name in errors.
	Source string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Region is the region, by default that of AWS. RoleARN, when not empty, is a role to assume first.
	Region, RoleARN string
	// Observe, when not nil, is told of every call to CloudWatch before it is made. It must not block.
	Observe func(Call)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// Call is one call to CloudWatch.
type Call struct {
	// Operation is GetMetricData or ListMetrics.
	Operation string
	// Metrics is how many metrics are asked for, by which GetMetricData is priced; 0 for ListMetrics.
	Metrics int
}

// Account is an AWS account in one region.
type Account struct {
	source  string
	config  aws.Config
	client  *cloudwatch.Client
	sts     *sts.Client
	observe func(Call)
	now     func() time.Time

	mu sync.Mutex // protects id; held while the account is asked for
	id string
}

var (
	roleForm    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/`)
	accountForm = regexp.MustCompile(`^\d{12}$`)
)

// Open returns the Account that the options name. It makes no call.
func Open(o Options) (*Account, error) {
	cfg := o.AWS.Copy()
	if o.Region != "" {
		cfg.Region = o.Region
	}
	role := roleForm.FindStringSubmatch(o.RoleARN)
	switch {
	case o.Source == "":
		return nil, errors.New("a source needs a name")
	case cfg.Region == "":
		return nil, fmt.Errorf("%s: a region must be given", o.Source)
	case o.RoleARN != "" && role == nil:
		return nil, fmt.Errorf("%s: %q is not the ARN of a role", o.Source, o.RoleARN)
	}
	cfg.HTTPClient = bounded{awsfault.PlainBodies(httpClient(cfg))}
	cfg = awsfault.Config(cfg, o.RoleARN)
	a := &Account{
		source: o.Source, config: cfg, client: cloudwatch.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg),
		observe: o.Observe, now: o.Now,
	}
	if role != nil {
		a.id = role[1]
	}
	if a.observe == nil {
		a.observe = func(Call) {}
	}
	if a.now == nil {
		a.now = time.Now
	}
	return a, nil
}

// httpClient is the configured client. One that is not the SDK's own is left alone.
func httpClient(cfg aws.Config) aws.HTTPClient {
	if cfg.HTTPClient == nil {
		return awshttp.NewBuildableClient()
	}
	return cfg.HTTPClient
}

// Region is the account's region.
func (a *Account) Region() string { return a.config.Region }

// Config is the SDK's configuration for other clients of the account: its region, the role assumed, answers bounded.
func (a *Account) Config() aws.Config { return a.config.Copy() }

// ID is the account's number, 12 digits: that of the role, else STS is asked, once.
func (a *Account) ID(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.id != "" {
		return a.id, nil
	}
	const op = "ask STS for the account of"
	out, err := Within(ctx, func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
		return a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	if err != nil {
		return "", a.Fault(ctx, op, "sts:GetCallerIdentity", err)
	}
	if id := aws.ToString(out.Account); accountForm.MatchString(id) {
		a.id = id
		return id, nil
	}
	return "", a.Fault(ctx, op, "", &oddError{"the answer names no account"})
}

// Within makes a call that ends after 30 seconds if it has no whole answer by then.
func Within[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := awsfault.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := call(ctx)
	if err != nil {
		err = awsfault.Cause(ctx, err)
	}
	return out, err
}

// bounded is an HTTP client whose answers have an end.
type bounded struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (b bounded) Do(r *http.Request) (*http.Response, error) {
	response, err := b.client.Do(r)
	if err == nil {
		response.Body = &boundedBody{body: response.Body, left: maxAnswer}
	}
	return response, err
}
