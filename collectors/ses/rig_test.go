package ses

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

const (
	accessKey    = "AKIDEXAMPLE"
	secretKey    = "wJalrXUtnFEMI-secret-key"
	sessionToken = "FwoGZXIvYXdz-session-token"
)

// patience is how long things may take that take no time.
const patience = 5 * time.Minute

// rig is a collector on a queue of a simulated SQS, with a sink.
type rig struct {
	*Collector
	transport *sqsTransport
	sink      *sink
	server    *sqs.Server
	queue     *sqs.Queue
	url       string

	mu    sync.Mutex
	stats []Stats
}

// newRig starts a server with one queue. Unless o says otherwise messages stay invisible for longer than any test takes.
func newRig(t testing.TB, o sqs.QueueOptions) *rig {
	t.Helper()
	if o.VisibilityTimeout == 0 {
		o.VisibilityTimeout = time.Hour
	}
	server := sqs.New(sqs.Options{Account: "123456789012", Region: "us-east-1", Seed: 1})
	r := newRigOn(t, server, server.QueuePath("ses-events"))
	r.server, r.queue = server, server.CreateQueue("ses-events", o)
	t.Cleanup(server.Close) // runs before the HTTP server waits for its requests
	return r
}

// newRigOn makes a collector for a queue at that path of a server.
func newRigOn(t testing.TB, h http.Handler, path string) *rig {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	var keys atomic.Uint64
	r := &rig{sink: &sink{}, url: s.URL + path}
	c, err := New(Options{
		Name: "ses-events", QueueURL: r.url, Region: "us-east-1", Budget: NewBudget(64 << 20),
		AWS: aws.Config{
			Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, sessionToken),
			BaseEndpoint: &s.URL,
		},
		NextKey: func() uint64 { return keys.Add(1) },
		Observe: func(s Stats) { r.mu.Lock(); r.stats = append(r.stats, s); r.mu.Unlock() },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Collector, r.transport = c, c.transport.(*sqsTransport)
	r.transport.wait = time.Second
	// Tests that are about a bound set it; the others must not meet one on a busy machine.
	r.transport.receiveTimeout, r.transport.callTimeout, r.confirmTimeout = patience, patience, patience
	return r
}

// pass makes a pass that must succeed.
func (r *rig) pass(t testing.TB) (full bool) {
	t.Helper()
	full, err := r.Pass(t.Context(), r.sink)
	if err != nil {
		t.Fatalf("pass: %v", err)
	}
	return full
}

// failure makes a pass that must fail with an error of a source.
func (r *rig) failure(t testing.TB) *collectors.Error {
	t.Helper()
	_, err := r.Pass(t.Context(), r.sink)
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok {
		t.Fatalf("pass: got error %T %v, want a *collectors.Error", err, err)
	}
	checkNoSecret(t, err)
	return e
}

// lastStats is what was observed last.
func (r *rig) lastStats(t testing.TB) Stats {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.stats) == 0 {
		t.Fatal("nothing was observed")
	}
	return r.stats[len(r.stats)-1]
}

// send puts n bounces into the queue.
func (r *rig) send(t testing.TB, n int) {
	t.Helper()
	body := sample(t, "sqs_body_sns_raw_bounce.json")
	for range n {
		if err := r.queue.Send(body); err != nil {
			t.Fatal(err)
		}
	}
}

// wantQueue checks what the queue holds and has deleted.
func (r *rig) wantQueue(t testing.TB, visible, inFlight int, deleted int64) {
	t.Helper()
	s := r.queue.Stats()
	if s.Visible != visible || s.InFlight != inFlight || s.Deleted != deleted {
		t.Errorf("queue: %d visible, %d in flight, %d deleted; want %d, %d, %d",
			s.Visible, s.InFlight, s.Deleted, visible, inFlight, deleted)
	}
}

// wantBudgetFree checks that all memory was given back.
func (r *rig) wantBudgetFree(t testing.TB) {
	t.Helper()
	b := r.transport.budget
	if !b.free.TryAcquire(b.size) {
		t.Error("memory was not given back")
		return
	}
	b.free.Release(b.size)
}

// sink keeps what matters of the batches that it is given.
type sink struct {
	// do, when not nil, decides about each batch that is no confirmation; confirmErr about those that are.
	do         func(ctx context.Context, b collectors.Batch) error
	confirmErr func() error

	mu       sync.Mutex
	batches  []summary
	confirms []collectors.Confirm
	ids      map[string]int
}

// summary counts what a batch held.
type summary struct {
	Key                                    uint64
	Messages, Events, Statuses, Unreadable int
}

func (s *sink) Put(ctx context.Context, b collectors.Batch) error {
	if b.Source != "ses-events" {
		return fmt.Errorf("batch of source %q", b.Source)
	}
	if len(b.Confirms) > 0 {
		return s.putConfirms(b)
	}
	s.mu.Lock()
	s.batches = append(s.batches, summary{b.Key, len(b.Messages), len(b.Events), len(b.Statuses), len(b.Unreadable)})
	if s.ids == nil {
		s.ids = make(map[string]int)
	}
	for _, m := range b.Messages {
		s.ids[strings.Clone(m.ID)]++ // the memory of a message is used again after Put
	}
	s.mu.Unlock()
	if s.do != nil {
		return s.do(ctx, b)
	}
	return ctx.Err()
}

func (s *sink) putConfirms(b collectors.Batch) error {
	if s.confirmErr != nil {
		if err := s.confirmErr(); err != nil {
			return err
		}
	}
	if b.Key != 0 || len(b.Messages) != 0 {
		return fmt.Errorf("a confirmation with %d messages and key %d", len(b.Messages), b.Key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range b.Confirms {
		c.Kept = slices.Clone(c.Kept)
		s.confirms = append(s.confirms, c)
	}
	return nil
}

// taken returns what was put.
func (s *sink) taken() ([]summary, []collectors.Confirm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches, s.confirms
}

// sample reads a message body from the corpus.
func sample(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "testdata", "transport", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// nothing is a sink that takes everything.
type nothing struct{}

func (nothing) Put(context.Context, collectors.Batch) error { return nil }
