package ses

import (
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	simulator "github.com/mailvane/mailvane/internal/simulator/sqs"
)

func TestRegionOf(t *testing.T) {
	t.Parallel()
	f := func(url, want string) {
		t.Helper()
		got, ok := RegionOf(url)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("region of %s is %q, want %q", url, got, want)
		}
	}
	f("https://sqs.us-east-1.amazonaws.com/123456789012/q", "us-east-1")
	f("https://SQS.eu-central-1.amazonaws.com/123456789012/q", "eu-central-1")
	f("https://sqs.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1")
	f("https://sqs-fips.us-west-2.amazonaws.com/123456789012/q", "us-west-2")
	f("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1")
	f("https://sqs.us-west-2.api.aws/123456789012/q", "us-west-2")
	f("https://us-east-2.queue.amazonaws.com/123456789012/q", "us-east-2")
	f("https://vpce-0a1b-c2.sqs.us-east-1.vpce.amazonaws.com/123456789012/q", "us-east-1")
	f("https://queue.amazonaws.com/123456789012/q", "")
	f("https://sqs.amazonaws.com/123456789012/q", "")
	f("http://localhost:9324/000000000000/q", "")
	f("https://sqs.us-east-1.example.com/1/q", "")
	f("https://notamazonaws.com/1/q", "")
	f("://", "")
}

func TestNewRefusesUnsoundOptions(t *testing.T) {
	t.Parallel()
	good := func() Options {
		return Options{
			Name: "q", QueueURL: "https://sqs.us-east-1.amazonaws.com/123456789012/q",
			Budget: NewBudget(0), NextKey: func() uint64 { return 1 },
		}
	}
	if c, err := New(good()); err != nil || c.region != "us-east-1" {
		t.Errorf("region %v, error %v", c, err)
	}
	f := func(spoil func(*Options)) {
		t.Helper()
		o := good()
		spoil(&o)
		if _, err := New(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	f(func(o *Options) { o.Name = "" })
	f(func(o *Options) { o.QueueURL = "" })
	f(func(o *Options) { o.QueueURL = "sqs.us-east-1.amazonaws.com/1/q" })
	f(func(o *Options) { o.QueueURL = "https://sqs.us-east-1.amazonaws.com/" })
	f(func(o *Options) { o.QueueURL = "ftp://sqs.us-east-1.amazonaws.com/1/q" })
	f(func(o *Options) { o.QueueURL = "http://localhost:9324/1/q" }) // no region
	f(func(o *Options) { o.Budget = nil })
	f(func(o *Options) { o.NextKey = nil })

	o := good()
	o.Region, o.AWS = "eu-west-1", aws.Config{Region: "ap-south-1"}
	if c, err := New(o); err != nil || c.region != "eu-west-1" {
		t.Errorf("the configured region is not the first choice: %v, %v", c, err)
	}
}

// unwritable is an HTTP client that fails the test when a request's body can write itself, for the reason that plainBodies
// gives.
type unwritable struct {
	t    *testing.T
	next sqs.HTTPClient
}

func (u unwritable) Do(r *http.Request) (*http.Response, error) {
	if _, ok := r.Body.(io.WriterTo); ok {
		u.t.Errorf("%s: the body can write itself", r.Header.Get("X-Amz-Target"))
	}
	return u.next.Do(r)
}

func TestBodiesOfRequestsArePlain(t *testing.T) {
	t.Parallel()
	r := newRig(t, simulator.QueueOptions{})
	r.send(t, 1)
	o := Options{
		Name: "ses-events", QueueURL: r.url, Region: "us-east-1", Budget: r.transport.budget, NextKey: r.nextKey,
		AWS: aws.Config{
			BaseEndpoint: r.transport.client.Options().BaseEndpoint,
			Credentials:  r.transport.client.Options().Credentials,
			HTTPClient:   unwritable{t, http.DefaultClient},
		},
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pass(t.Context(), r.sink); err != nil {
		t.Error(err)
	}
	r.wantQueue(t, 0, 0, 1)
}
