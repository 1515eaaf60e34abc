package gate

import (
	"cmp"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

// FaultKind is what an injected fault does to a request.
type FaultKind = fault.Kind

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay = fault.Delay
	// FaultError answers the error named by Fault.Error.
	FaultError = fault.Error
	// FaultStatus answers Fault.Status without a body that the service would send, as load balancers do.
	FaultStatus = fault.Status
	// FaultHang never answers.
	FaultHang = fault.Hang
	// FaultReset resets the connection.
	FaultReset = fault.Reset
	// FaultTruncate promises the whole answer and closes the connection after half of it.
	FaultTruncate = fault.Truncate
)

// Fault is something that goes wrong with requests while it is injected.
type Fault struct {
	Kind FaultKind
	// Op selects requests by the name of their operation, such as GetMetricData, Account and Region by whom and what they
	// are for; empty selects all.
	Op, Account, Region string
	// Skip is how many selected requests it spares at first; Times is how many it strikes at most, 0 meaning any number.
	Skip, Times int
	// Share is the share of selected requests that it strikes, 0 meaning all.
	Share float64
	// Delay passes before anything else.
	Delay time.Duration
	// Error is a code such as Throttling, ServiceUnavailable, ExpiredToken or AccessDenied, whose text names the caller and the
	// action; InternalFailure when empty.
	Error string
	// Status is the HTTP status of FaultStatus.
	Status int
	// RetryAfter is the header of FaultError and FaultStatus, rounded up to seconds; none when 0.
	RetryAfter time.Duration
}

// Gate counts requests and does injected faults.
type Gate struct {
	account string
	now     func() time.Time
	faults  *fault.Set[Fault]
	closing chan struct{}
	close   sync.Once

	mu       sync.Mutex // protects requests
	requests map[string]int
}

// New makes the gate of a service. Credentials belong to account unless they are of a Session.
func New(account string, seed uint64, now func() time.Time) *Gate {
	return &Gate{account: account, now: now, faults: fault.NewSet[Fault](seed), closing: make(chan struct{}),
		requests: map[string]int{}}
}

// Close ends injected hangs. Requests are still answered.
func (g *Gate) Close() { g.close.Do(func() { close(g.closing) }) }

// Requests is how many requests of each operation there were, those that failed included.
func (g *Gate) Requests() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.requests)
}

// Inject adds a fault until remove is called.
func (g *Gate) Inject(f Fault) (remove func()) {
	return g.faults.Inject(f, fault.When{Skip: f.Skip, Share: f.Share, Times: f.Times})
}

// pick counts a request and returns the first fault that strikes it.
func (g *Gate) pick(op string, c Caller) *Fault {
	g.mu.Lock()
	g.requests[op]++
	g.mu.Unlock()
	return g.faults.First(func(f *Fault) bool {
		return (f.Op == "" || f.Op == op) && (f.Account == "" || f.Account == c.Account) && (f.Region == "" || f.Region == c.Region)
	})
}

// Admit counts a request for an operation and does what an injected fault does to it. Done says that the request has been
// dealt with, or, with an error, that this is the answer; cut says that half of the answer is to be sent (wire.Truncate).
// Action is the operation's name in policies, such as cloudwatch:ListMetrics.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request, op, action string, c Caller) (done, cut bool, e *Error) {
	f := g.pick(op, c)
	if f == nil {
		return false, false, nil
	}
	effect := fault.Effect{Kind: f.Kind, Delay: f.Delay, Status: f.Status, RetryAfter: f.RetryAfter}
	if !effect.Do(w, r, g.closing) {
		return true, false, nil
	}
	if f.Kind != FaultError {
		return false, f.Kind == FaultTruncate, nil
	}
	e = NewError(cmp.Or(f.Error, "InternalFailure"))
	if e.Status == http.StatusForbidden && (e.Code == "AccessDenied" || e.Code == "AccessDeniedException") {
		e.Message = "User: " + c.ARN + " is not authorized to perform: " + action +
			" because no identity-based policy allows the " + action + " action"
	}
	e.RetryAfter = f.RetryAfter
	return true, false, e
}
