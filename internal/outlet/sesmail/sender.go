package sesmail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/internal/outlet/mail"
)

const (
	// timeout bounds the sending of a mail, the assuming of a role included.
	timeout = 30 * time.Second
	// maxAnswer bounds an answer. SES answers with an id or an error of a few lines.
	maxAnswer = 1 << 20
)

// Options says through which account to send.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Region is the region, by default that of AWS. RoleARN, when not empty, is a role to assume first.
	Region, RoleARN string
	// ConfigurationSet, when not empty, is the one to send with. It should be one whose events Mailvane does not read, or
	// alerts would count among the mail that they are about.
	ConfigurationSet string
	// Timeout bounds the sending of one mail, 30 s when 0.
	Timeout time.Duration
	// Now is the clock for Retry-After, time.Now when nil.
	Now func() time.Time
}

// Sender sends through one account and region.
type Sender struct {
	notifier string
	client   *sesv2.Client
	set      *string
	timeout  time.Duration
	now      func() time.Time
}

var roleForm = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/`)

// New makes a Sender. It makes no call.
func New(o Options) (*Sender, error) {
	cfg := o.AWS.Copy()
	if o.Region != "" {
		cfg.Region = o.Region
	}
	switch {
	case cfg.Region == "":
		return nil, errors.New("a region must be given")
	case o.RoleARN != "" && !roleForm.MatchString(o.RoleARN):
		return nil, fmt.Errorf("%q is not the ARN of a role", o.RoleARN)
	}
	// Whoever calls Send repeats it, at a pace of their own.
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.RetryMaxAttempts = 0
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	cfg.HTTPClient = bounded{cfg.HTTPClient}
	if o.RoleARN != "" {
		p := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), o.RoleARN, func(r *stscreds.AssumeRoleOptions) {
			r.RoleSessionName = "mailvane"
		})
		cfg.Credentials = aws.NewCredentialsCache(p)
	}
	if cfg.Credentials != nil {
		cfg.Credentials = marked{cfg.Credentials}
	}
	s := &Sender{notifier: o.Notifier, client: sesv2.NewFromConfig(cfg), timeout: o.Timeout, now: o.Now}
	if o.ConfigurationSet != "" {
		s.set = &o.ConfigurationSet
	}
	if s.timeout == 0 {
		s.timeout = timeout
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Send hands a mail to SES, which answers for all its recipients together; what becomes of it at each of them is told by
// events alone. The error is an *alerts.DeliveryError.
func (s *Sender) Send(ctx context.Context, m *mail.Message) error {
	raw, err := m.Compose()
	if err != nil {
		return s.fail(finding{reason: refused, text: err.Error()})
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, &silenceError{s.timeout})
	defer cancel()
	_, err = s.client.SendEmail(ctx, &sesv2.SendEmailInput{
		Content:              &types.EmailContent{Raw: &types.RawMessage{Data: raw}},
		Destination:          &types.Destination{ToAddresses: m.Addresses()},
		ConfigurationSetName: s.set,
	})
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return s.fail(finding{reason: unavailable, text: cause.Error()})
	}
	return s.fail(s.classify(err))
}

// bounded is an HTTP client whose answers have an end.
type bounded struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (b bounded) Do(r *http.Request) (*http.Response, error) {
	answer, err := b.client.Do(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// marked marks what goes wrong with credentials, because the SDK does not tell it from other errors.
type marked struct{ provider aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := m.provider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}
