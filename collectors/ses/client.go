package ses

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mailvane/mailvane/collectors/awsfault"
)

// RegionOf reads the AWS region out of a queue's URL; ok is false when the host is not one of AWS's that name a region.
// (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html)
func RegionOf(queueURL string) (region string, ok bool) {
	u, err := url.Parse(queueURL)
	if err != nil {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	if !strings.HasSuffix(host, ".amazonaws.com") && !strings.HasSuffix(host, ".amazonaws.com.cn") && !strings.HasSuffix(host, ".api.aws") {
		return "", false
	}
	labels := strings.Split(host, ".")
	for i := range len(labels) - 1 {
		switch {
		case labels[i] == "sqs", labels[i] == "sqs-fips":
			region = labels[i+1]
		case labels[i+1] == "queue": // the older form, us-east-2.queue.amazonaws.com
			region = labels[i]
		default:
			continue
		}
		return region, strings.Count(region, "-") >= 2
	}
	return "", false
}

// newTransport makes the transport of a queue from the SDK's configuration.
func newTransport(o *Options) *sqsTransport {
	cfg := o.AWS.Copy()
	cfg.Region = regionFor(o)
	cfg = awsfault.Config(cfg, o.RoleARN)
	// A connection that is closed under an answer leaves ten messages invisible for the whole visibility timeout.
	client := awsfault.PlainBodies(httpClient(cfg))
	return &sqsTransport{
		client: sqs.NewFromConfig(cfg, func(s *sqs.Options) {
			s.HTTPClient = limited{client}
			// The sums are MD5 over bodies that TLS already protects; checking them costs as much as everything else
			// that is done with a message.
			s.DisableMessageChecksumValidation = true
		}),
		http: client, queueURL: o.QueueURL, budget: o.Budget, now: o.Now,
		answers: sync.Pool{New: func() any { return new(answer) }},
		wait:    longPoll, receiveTimeout: longPoll + 20*time.Second, callTimeout: 5 * time.Second,
	}
}

// regionFor is the region that was configured for the queue, that of its URL, or the SDK's own.
func regionFor(o *Options) string {
	if o.Region != "" {
		return o.Region
	}
	if region, ok := RegionOf(o.QueueURL); ok {
		return region
	}
	return o.AWS.Region
}

// httpClient fits the configured client for many passes to one host. A client that is not the SDK's own is left alone.
func httpClient(cfg aws.Config) sqs.HTTPClient {
	var base *awshttp.BuildableClient
	switch c := cfg.HTTPClient.(type) {
	case nil:
		base = awshttp.NewBuildableClient()
	case *awshttp.BuildableClient:
		base = c
	default:
		return c
	}
	return base.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 512
		// A length that is told must be the length that is read.
		t.DisableCompression = true
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = 5 * time.Second })
}

// check says what is wrong with the options.
func (o *Options) check() error {
	u, err := url.Parse(o.QueueURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") == "":
		return errors.New("the queue URL must look like https://sqs.us-east-1.amazonaws.com/123456789012/name")
	case regionFor(o) == "":
		return errors.New("the queue's region must be given, its URL does not name it")
	case o.Name == "" || o.Budget == nil || o.NextKey == nil:
		return errors.New("a name, a budget and a source of keys must be given")
	}
	return nil
}
