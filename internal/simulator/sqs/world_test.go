package sqs_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

const account = "123456789012"

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a server on the wire with a real client.
type world struct {
	*testing.T
	server *sqs.Server
	http   *httptest.Server
	client *client.Client
	clock  *clock
	queue  *sqs.Queue
	url    string
	// begun and ended get the operation of each request when it reaches the server and when it has been dealt with.
	begun, ended chan string
}

// until waits for a request of that operation.
func (w *world) until(requests <-chan string, op string) {
	w.Helper()
	for {
		select {
		case got := <-requests:
			if got == op {
				return
			}
		case <-time.After(5 * time.Minute):
			w.Fatalf("there is no request %s", op)
		}
	}
}

// ServeHTTP passes a request on to the server.
func (w *world) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	op := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	w.begun <- op
	defer func() { w.ended <- op }()
	w.server.ServeHTTP(answer, r)
}

// start serves one queue named events.
func start(t *testing.T, o sqs.QueueOptions) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{at: time.Date(2026, time.November, 20, 10, 0, 0, 0, time.UTC)}}
	w.server = sqs.New(sqs.Options{Account: account, Region: "us-east-1", Seed: 1, Now: w.clock.now})
	w.begun, w.ended = make(chan string, 10_000), make(chan string, 10_000) // more than any test makes
	w.http = httptest.NewServer(w)
	t.Cleanup(func() {
		w.server.Close()
		w.http.Close()
	})
	w.client = w.clientFor("us-east-1", credentials.NewStaticCredentialsProvider("simulator", "simulator", ""))
	w.queue = w.server.CreateQueue("events", o)
	w.url = w.http.URL + w.server.QueuePath("events")
	return w
}

func (w *world) clientFor(region string, c aws.CredentialsProvider) *client.Client {
	return client.New(client.Options{Region: region, Credentials: c, BaseEndpoint: aws.String(w.http.URL),
		Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: plainBodies{w.http.Client().Transport}}})
}

// plainBodies hides the WriteTo of request bodies: the SDK closes them when the answer begins, and net/http may take that
// for a failed request when the server is as near as this one.
type plainBodies struct{ http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.RoundTripper.RoundTrip(r)
}

func (w *world) send(bodies ...string) {
	w.Helper()
	if err := w.queue.Send(bodies...); err != nil {
		w.Fatal(err)
	}
}

// receive asks for up to ten messages.
func (w *world) receive() []types.Message {
	w.Helper()
	out, err := w.client.ReceiveMessage(w.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url, MaxNumberOfMessages: 10})
	if err != nil {
		w.Fatal(err)
	}
	return out.Messages
}

func (w *world) receiveBodies() []string {
	w.Helper()
	var bodies []string
	for _, m := range w.receive() {
		bodies = append(bodies, *m.Body)
	}
	slices.Sort(bodies)
	return bodies
}

func (w *world) delete(handle *string) error {
	_, err := w.client.DeleteMessage(w.Context(), &client.DeleteMessageInput{QueueUrl: &w.url, ReceiptHandle: handle})
	return err
}

func (w *world) wantBodies(want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, w.receiveBodies()); diff != "" {
		w.Errorf("received (-want +got):\n%s", diff)
	}
}

func (w *world) wantStats(visible, inFlight int) {
	w.Helper()
	if s := w.queue.Stats(); s.Visible != visible || s.InFlight != inFlight {
		w.Errorf("%d visible and %d in flight, want %d and %d", s.Visible, s.InFlight, visible, inFlight)
	}
}

// code is the error code that the SDK reports.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}
