package awsfault

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Config returns the SDK's configuration as collectors call with it: two attempts at most, credentials marked by Credentials,
// and those of the role when roleARN is not empty. STS is asked for them through the client of cfg.
func Config(cfg aws.Config, roleARN string) aws.Config {
	cfg = cfg.Copy()
	// The scheduler owns back-off. One more attempt is for connections that the other side has closed.
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = 2
			r.MaxBackoff = 200 * time.Millisecond
		})
	}
	cfg.RetryMaxAttempts = 0 // the SDK's setting for all its clients would take precedence
	if roleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN, func(r *stscreds.AssumeRoleOptions) {
			r.RoleSessionName = "mailvane"
		})
		cfg.Credentials = aws.NewCredentialsCache(role)
	}
	cfg.Credentials = Credentials(cfg.Credentials)
	return cfg
}

// PlainBodies hides that a request's body can write itself (io.WriterTo). The SDK closes the body as soon as the answer's
// head has come; when net/http has not yet asked the body for its end by then, the closed body's WriteTo fails, and
// net/http takes that for a failed request and closes the connection under the answer.
func PlainBodies(client aws.HTTPClient) aws.HTTPClient { return plainBodies{client} }

type plainBodies struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (p plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.client.Do(r)
}
