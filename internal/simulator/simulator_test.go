package simulator_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses/event"
	"github.com/mailvane/mailvane/internal/simulator"
)

var now = time.Date(2026, time.November, 22, 14, 0, 0, 0, time.UTC)

func start(t *testing.T, o simulator.Options) *simulator.Simulator {
	t.Helper()
	s, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// plainBodies hides the WriteTo of request bodies. The SDK closes a body as soon as the answer's headers are there, a
// closed body's WriteTo fails, and net/http, when it has not yet looked for the end of the body by then, takes that for a
// failed request and closes the connection under the answer. A server as near as this one provokes it.
type plainBodies struct{ http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.RoundTripper.RoundTrip(r)
}

// drain receives and deletes until a queue is empty, and hands every body to each.
func drain(t *testing.T, s *simulator.Simulator, queue, region string, each func(id, body string)) {
	t.Helper()
	client := sqs.New(sqs.Options{Region: region, BaseEndpoint: aws.String(s.URL()),
		Retryer:     aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: plainBodies{http.DefaultTransport}}})
	url := s.QueueURL(queue)
	for {
		got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return
		}
		in := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
		for i, m := range got.Messages {
			each(*m.MessageId, *m.Body)
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
		if _, err := client.DeleteMessageBatch(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
}

// inner returns the SES event of an SNS envelope, or the body.
func inner(t *testing.T, body string) string {
	t.Helper()
	var envelope struct {
		Message string
		Detail  json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatal(err)
	}
	return cmp.Or(envelope.Message, string(envelope.Detail), body)
}

func TestBenchQueueHoldsExactlyWhatItSays(t *testing.T) {
	const messages = 3000
	s := start(t, simulator.Bench(now, 1, messages, time.Hour))
	if visible := s.SQS().Queue(simulator.EventsQueue).Stats().Visible; visible != messages {
		t.Errorf("%d messages visible, want %d", visible, messages)
	}
	seen, total := map[string]int{}, 0
	drain(t, s, simulator.EventsQueue, "us-east-1", func(_, body string) {
		seen[inner(t, body)]++
		total++
	})
	totals := s.Truth().Totals()
	if total != messages || totals.Events != messages {
		t.Errorf("%d messages, %d events handed out; want %d", total, totals.Events, messages)
	}
	duplicates := int64(total - len(seen))
	if totals.Duplicates != duplicates || duplicates < 30 || duplicates > 90 {
		t.Errorf("%d duplicates, the truth says %d; want about 60", duplicates, totals.Duplicates)
	}
	if len(totals.Providers) < 30 || len(totals.Campaigns) < 200 {
		t.Errorf("%d providers, %d campaigns", len(totals.Providers), len(totals.Campaigns))
	}
	text, err := json.Marshal(totals)
	if err != nil || !strings.Contains(string(text), `"outcomes":{"clicked":`) {
		t.Errorf("totals in JSON: %v %.300s", err, text)
	}
}

// steps is a clock that tests move while others read it.
type steps struct {
	mu sync.Mutex
	at time.Time
}

func (c *steps) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func TestFeedPublishesWhatHasHappened(t *testing.T) {
	clock := &steps{at: now}
	o := simulator.Demo(now, 1, 1)
	o.Now = clock.now
	s := start(t, o)
	from := now.Add(-20 * time.Minute)
	// Everything up to now is due at once; the next event lies in the future.
	s.Feed(from)
	want := map[string]int{}
	other := start(t, o)
	for line := range other.History(from, now) {
		want[inner(t, string(line))]++
	}
	deadline := time.Now().Add(2 * time.Minute)
	for s.Truth().Totals().Events < int64(len(want)) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	got := map[string]int{}
	ids := map[string]bool{}
	queues := map[string]int{}
	for queue, region := range map[string]string{simulator.EventsQueue: "us-east-1", simulator.EventsQueueEU: "eu-west-1", simulator.IdentityQueue: "us-east-1"} {
		drain(t, s, queue, region, func(id, body string) {
			if ids[id] {
				return // the queue's own duplicate
			}
			ids[id] = true
			text := strings.TrimSuffix(inner(t, body), "\n")
			got[text]++
			queues[queue]++
			if identity := strings.HasPrefix(text, `{"notificationType"`); identity != (queue == simulator.IdentityQueue) {
				t.Errorf("in %s: %.80s", queue, text)
			}
			if eu := strings.Contains(text, `"sendingAccountId":"210987654321"`); queue != simulator.IdentityQueue && eu != (queue == simulator.EventsQueueEU) {
				t.Errorf("in %s: %.80s", queue, text)
			}
		})
	}
	if len(want) < 50 || len(got) != len(want) {
		t.Errorf("%d different events fed, history has %d", len(got), len(want))
	}
	for line := range want {
		if got[line] != 1 {
			t.Errorf("fed %d times: %.200s", got[line], line)
		}
	}
	if queues[simulator.EventsQueue] == 0 || queues[simulator.EventsQueueEU] == 0 {
		t.Errorf("events by queue: %v", queues)
	}
}

// TestHistorySaysItsRegion holds that every event of a history says where its mail was sent from: no queue does.
func TestHistorySaysItsRegion(t *testing.T) {
	s := start(t, simulator.Demo(now, 1, 1))
	regions := map[string]string{simulator.Account: "us-east-1", simulator.AccountEU: simulator.RegionEU}
	seen := map[string]int{}
	decoder := event.Decoder{Region: "nowhere-1"}
	for line := range s.History(now.Add(-6*time.Hour), now) {
		b := collectors.Batch{Messages: make([]collectors.Message, 1)}
		decoder.Decode(0, string(line), &b)
		for i := range b.Events {
			e := &b.Events[i]
			if seen[e.Account+" "+e.Type.String()]++; e.Region != regions[e.Account] {
				t.Fatalf("%s of account %s in %q: %.200s", e.Type, e.Account, e.Region, line)
			}
		}
	}
	if seen[simulator.AccountEU+" Open"] == 0 || seen[simulator.Account+" Open"] == 0 {
		t.Errorf("events by account and type: %v", seen)
	}
}

func TestHistoryAndTruthGoTogether(t *testing.T) {
	s := start(t, simulator.Demo(now, 1, 1))
	lines := int64(0)
	for line := range s.History(now.Add(-6*time.Hour), now) {
		if !json.Valid(line) || strings.ContainsRune(string(line), '\n') {
			t.Fatalf("not a line of JSON: %s", line)
		}
		lines++
	}
	if got := s.Truth().Totals().Events; got != lines || lines < 500 {
		t.Errorf("%d lines, the truth knows %d events", lines, got)
	}
}

func TestCloseEndsFeedAndPolls(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Demo(time.Now(), 1, 100))
	if err != nil {
		t.Fatal(err)
	}
	s.Feed(time.Now())
	polled := make(chan struct{})
	go func() {
		url := s.QueueURL(simulator.IdentityQueue)
		client := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.URL()), Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, "")})
		// The answer may be empty, or an error of the connection.
		_, _ = client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		close(polled)
	}()
	time.Sleep(50 * time.Millisecond)
	closed := make(chan error, 1)
	go func() { closed <- errors.Join(s.Close(), s.Close()) }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second): // a poll that nobody ends takes 20
		t.Fatal("Close does not end")
	}
	select {
	case <-polled:
	case <-time.After(15 * time.Second):
		t.Error("the poll outlives Close")
	}
}

func TestStartNamesABusyAddress(t *testing.T) {
	s := start(t, simulator.Options{})
	_, err := simulator.Start(t.Context(), simulator.Options{Listen: strings.TrimPrefix(s.URL(), "http://")})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("%v, want that the address is in use", err)
	}
}
