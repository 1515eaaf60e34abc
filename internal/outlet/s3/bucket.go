package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

const (
	// timeout bounds the putting of a file, the assuming of a role included.
	timeout = time.Minute
	// MaxSize bounds a file, in bytes.
	MaxSize = 64 << 20
)

// Options says which bucket.
type Options struct {
	// Notifier is the name that errors carry.
	Notifier string
	// AWS is the SDK's configuration: credentials, endpoints, HTTP client.
	AWS aws.Config
	// Region is the bucket's, by default that of AWS. RoleARN, when not empty, is a role to assume first.
	Region, RoleARN string
	Bucket          string
	// Timeout bounds the putting of one file, one minute when 0.
	Timeout time.Duration
	// Now is the clock for Retry-After, time.Now when nil.
	Now func() time.Time
}

// Bucket is a bucket to put files into.
type Bucket struct {
	o      Options
	client *s3.Client
}

// New makes a Bucket. It makes no call.
func New(o Options) (*Bucket, error) {
	cfg := o.AWS.Copy()
	if o.Region != "" {
		cfg.Region = o.Region
	}
	switch {
	case cfg.Region == "":
		return nil, errors.New("a region must be given")
	case o.Bucket == "":
		return nil, errors.New("a bucket must be given")
	}
	if o.Timeout == 0 {
		o.Timeout = timeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	client := s3.NewFromConfig(awsfault.Config(cfg, o.RoleARN), func(s *s3.Options) {
		// Stores with an endpoint of their own seldom have a name for each bucket, or know the newer checksums.
		if s.BaseEndpoint != nil {
			s.UsePathStyle = true
			s.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}
	})
	return &Bucket{o: o, client: client}, nil
}

// Put puts a file under a key, in place of what is there. The error is an *alerts.DeliveryError.
func (b *Bucket) Put(ctx context.Context, key, contentType string, data []byte) error {
	if len(data) > MaxSize {
		return b.fail(alerts.DeliveryRefused, fmt.Errorf("the file has %d bytes, and at most %d are put", len(data), MaxSize), 0)
	}
	call, cancel := awsfault.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	_, err := b.client.PutObject(call, &s3.PutObjectInput{
		Bucket: &b.o.Bucket, Key: &key, ContentType: &contentType, Body: bytes.NewReader(data),
	})
	if err == nil {
		return nil
	}
	err = service().Fault(ctx, b.o.Bucket, "put a file into", awsfault.Cause(call, err), b.o.Now())
	fault, ok := errors.AsType[*collectors.Error](err)
	if !ok { // the caller gave up
		return b.fail(alerts.DeliveryUnavailable, err, 0)
	}
	return b.fail(reasonOf(fault.Reason), fault, fault.RetryAfter)
}

func (b *Bucket) fail(reason alerts.DeliveryReason, err error, after time.Duration) error {
	return &alerts.DeliveryError{Notifier: b.o.Notifier, Reason: reason, RetryAfter: after, Err: err}
}

// reasonOf says a reason in the words of deliveries. No file is refused for what is in it, so all are tried on.
func reasonOf(reason collectors.Reason) alerts.DeliveryReason {
	switch {
	case reason.Permanent():
		return alerts.DeliveryAuth
	case reason == collectors.ReasonQuota:
		return alerts.DeliveryQuota
	default:
		return alerts.DeliveryUnavailable
	}
}

// service is what is known of S3's errors (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
func service() awsfault.Service {
	return awsfault.Service{
		Name:       "S3",
		Access:     "the policy of the role or user, and the bucket's, must allow s3:PutObject",
		Signature:  "check the secret key, the clock of this machine and the region of the bucket",
		Endpoint:   "check the region of the bucket, and AWS_ENDPOINT_URL_S3 if it is set",
		Permission: "s3:PutObject",
		Own:        func(error) (awsfault.Finding, bool) { return awsfault.Finding{}, false },
		Known: func(code string) (f awsfault.Finding, quote, ok bool) {
			switch code {
			case "NoSuchBucket":
				return awsfault.Finding{Reason: collectors.ReasonNotFound, Hint: "check the name of the bucket"}, false, true
			case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
				return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: "the bucket is in another region"}, false, true
			case "AllAccessDisabled", "AccountProblem", "InvalidObjectState", "KMS.DisabledException", "KMS.NotFoundException":
				return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: "look at the bucket in the console"}, false, true
			}
			return awsfault.Finding{}, false, false
		},
	}
}
