package gate

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// FaultKind is what an injected fault does to a request.
type FaultKind uint8

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay FaultKind = iota
	// FaultError answers the error named by Fault.Error.
	FaultError
	// FaultStatus answers Fault.Status without a body that the service would send, as load balancers do.
	FaultStatus
	// FaultHang never answers.
	FaultHang
	// FaultReset resets the connection.
	FaultReset
	// FaultTruncate promises the whole answer and closes the connection after half of it.
	FaultTruncate
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
	closing chan struct{}
	close   sync.Once

	mu       sync.Mutex // protects all following fields
	rand     *rand.Rand
	active   []*Fault
	requests map[string]int
}

// New makes the gate of a service. Credentials belong to account unless they are of a Session.
func New(account string, seed uint64, now func() time.Time) *Gate {
	return &Gate{account: account, now: now, closing: make(chan struct{}), rand: rand.New(rand.NewPCG(seed, 1)),
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
	injected := &f
	g.mu.Lock()
	defer g.mu.Unlock()
	g.active = append(g.active, injected)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.active = slices.DeleteFunc(g.active, func(other *Fault) bool { return other == injected })
	}
}

// pick counts a request and returns the first fault that strikes it.
func (g *Gate) pick(op string, c Caller) *Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests[op]++
	for i, candidate := range g.active {
		switch {
		case candidate.Op != "" && candidate.Op != op, candidate.Account != "" && candidate.Account != c.Account,
			candidate.Region != "" && candidate.Region != c.Region:
			continue
		case candidate.Skip > 0:
			candidate.Skip--
			continue
		case candidate.Share > 0 && g.rand.Float64() >= candidate.Share:
			continue
		}
		if candidate.Times > 0 {
			if candidate.Times--; candidate.Times == 0 {
				g.active = slices.Delete(slices.Clone(g.active), i, i+1)
			}
		}
		this := *candidate
		return &this
	}
	return nil
}

// Admit counts a request for an operation and does what an injected fault does to it. Done says that the request has been
// dealt with, or, with an error, that this is the answer; cut says that half of the answer is to be sent (wire.Truncate).
// Action is the operation's name in policies, such as cloudwatch:ListMetrics.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request, op, action string, c Caller) (done, cut bool, e *Error) {
	fault := g.pick(op, c)
	if fault == nil {
		return false, false, nil
	}
	if !wire.Wait(r, fault.Delay, g.closing) {
		return true, false, nil
	}
	switch fault.Kind {
	case FaultError:
		e = NewError(cmp.Or(fault.Error, "InternalFailure"))
		if e.Status == http.StatusForbidden && (e.Code == "AccessDenied" || e.Code == "AccessDeniedException") {
			e.Message = "User: " + c.ARN + " is not authorized to perform: " + action +
				" because no identity-based policy allows the " + action + " action"
		}
		e.RetryAfter = fault.RetryAfter
		return true, false, e
	case FaultStatus:
		wire.RetryAfter(w, fault.RetryAfter)
		http.Error(w, http.StatusText(fault.Status), fault.Status)
	case FaultHang:
		wire.Hang(w, r, g.closing)
	case FaultReset:
		wire.Reset(w)
	default:
		return false, fault.Kind == FaultTruncate, nil
	}
	return true, false, nil
}
