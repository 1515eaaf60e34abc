package pager

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

// The paths of a Server. A webhook's address may go on after WebhookPath.
const (
	EventsPath  = "/v2/enqueue"
	WebhookPath = "/webhook/"
)

const (
	// perMinute is how many calls a routing key may make in a minute
	// (https://developer.pagerduty.com/docs/events-api-rate-limits).
	perMinute = 120
	// maxKept bounds the lists.
	maxKept = 10_000
	// maxEvent is the limit of an event, maxHook that of a delivery.
	maxEvent = 512 << 10
	maxHook  = 1 << 20
)

// Options says how a Server is.
type Options struct {
	// RoutingKeys are those of integrations that exist, any of the right form when empty.
	RoutingKeys []string
	// WebhookKeys verify webhooks, one of them is enough; without any all are refused.
	WebhookKeys [][]byte
	// SlackHooks are the paths of Slack's webhooks that exist, any below SlackPath when empty.
	SlackHooks []string
	// PerMinute is how many calls a routing key may make in a minute; 120 when 0.
	PerMinute int
	// Seed makes the shares of faults.
	Seed uint64
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Server answers as PagerDuty does on EventsPath, as a receiver of webhooks below WebhookPath, and as Slack below SlackPath. It
// is an http.Handler.
type Server struct {
	options Options
	now     func() time.Time
	faults  *fault.Set[Fault]
	closing chan struct{}
	close   sync.Once

	mu       sync.Mutex // protects all following fields
	requests int
	calls    map[string][]time.Time
	events   []Event
	alerts   []*Alert
	hooks    []Delivery
	posts    []Post
}

// New makes a server.
func New(o Options) *Server {
	if o.PerMinute == 0 {
		o.PerMinute = perMinute
	}
	s := &Server{options: o, now: o.Now, faults: fault.NewSet[Fault](o.Seed), closing: make(chan struct{}),
		calls: make(map[string][]time.Time)}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Close ends injected hangs. Requests are still answered.
func (s *Server) Close() { s.close.Do(func() { close(s.closing) }) }

// Requests is how many there were, those that failed included.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	limit, take := maxEvent, s.takeEvent
	switch {
	case r.URL.Path == EventsPath:
	case strings.HasPrefix(r.URL.Path, WebhookPath):
		limit, take = maxHook, s.takeHook
	case strings.HasPrefix(r.URL.Path, SlackPath):
		limit, take = maxHook, s.takeSlack
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	struck := s.pick(r.URL.Path)
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return
	}
	if !s.before(w, r, body, struck) {
		return
	}
	status, answer := http.StatusRequestEntityTooLarge, []byte(`{"status":"invalid event","message":"Payload too large"}`)
	if len(body) <= limit {
		status, answer = take(r, body)
	}
	if struck != nil && struck.Kind == FaultTruncate {
		truncate(w, status, answer)
	}
	write(w, status, answer)
}

func write(w http.ResponseWriter, status int, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// encode never fails: what is answered is made of plain values.
func encode(answer any) []byte {
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return body
}

// keep appends, and forgets the oldest of too many.
func keep[T any](list []T, one T) []T {
	if len(list) >= maxKept {
		list = slices.Delete(list, 0, len(list)-maxKept+1)
	}
	return append(list, one)
}
