package sqs

import (
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
	// FaultError answers the error named by Fault.Error and executes nothing.
	FaultError
	// FaultStatus answers Fault.Status without a body that SQS would send, as load balancers do, and executes nothing.
	FaultStatus
	// FaultHang never answers; nothing is executed.
	FaultHang
	// FaultReset resets the connection; nothing is executed.
	FaultReset
	// FaultTruncate executes, promises the whole answer and closes the connection after half of it.
	FaultTruncate
	// FaultLostAnswer executes and then answers an internal failure.
	FaultLostAnswer
	// FaultEntries fails entries of a batch, each with probability EntryShare, by the error named by Fault.Error.
	FaultEntries
	// FaultWrongMD5 answers a receive with MD5 sums that do not fit.
	FaultWrongMD5
)

// Fault is something that goes wrong with requests while it is injected.
type Fault struct {
	Kind FaultKind
	// Op and Queue select requests, for example "DeleteMessageBatch"; empty selects all.
	Op, Queue string
	// Share is the share of selected requests that it strikes, 0 meaning all; Times is how many it strikes at most, 0
	// meaning any number.
	Share float64
	Times int
	// Delay passes before anything else.
	Delay time.Duration
	// Error is the name of an SQS error shape (RequestThrottled, KmsDisabled, …) or of AccessDenied, ExpiredToken,
	// InternalFailure, ServiceUnavailable; InternalFailure for entries when empty.
	Error string
	// Status is the HTTP status of FaultStatus, RetryAfter its header, rounded up to seconds.
	Status     int
	RetryAfter time.Duration
	// EntryShare is the share of failing entries, 0 meaning all.
	EntryShare float64
}

// faults are the injected ones.
type faults struct {
	mu     sync.Mutex
	rand   *rand.Rand
	active []*Fault
}

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	injected := &f
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = append(s.faults.active, injected)
	return func() {
		s.faults.mu.Lock()
		defer s.faults.mu.Unlock()
		s.faults.active = slices.DeleteFunc(s.faults.active, func(other *Fault) bool { return other == injected })
	}
}

// pick returns what strikes this request: the delays of all that fit, and the first that does more than delay.
func (f *faults) pick(op string, q *Queue) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var struck *Fault
	for _, candidate := range f.active {
		switch {
		case candidate.Op != "" && candidate.Op != op,
			candidate.Queue != "" && (q == nil || q.name != candidate.Queue),
			candidate.Times < 0,
			struck != nil && struck.Kind != FaultDelay && candidate.Kind != FaultDelay,
			candidate.Share > 0 && f.rand.Float64() >= candidate.Share:
			continue
		}
		if candidate.Times > 0 {
			if candidate.Times--; candidate.Times == 0 {
				candidate.Times = -1
			}
		}
		this := *candidate
		if struck != nil {
			this.Delay += struck.Delay
			if this.Kind == FaultDelay {
				this.Kind, this.Error, this.EntryShare = struck.Kind, struck.Error, struck.EntryShare
				this.Status, this.RetryAfter = struck.Status, struck.RetryAfter
			}
		}
		struck = &this
	}
	return struck
}

// strikes draws whether an entry fails.
func (f *faults) strikes(fault *Fault) bool {
	if fault.EntryShare == 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.Float64() < fault.EntryShare
}

// before does what a fault does before the request is executed; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, fault *Fault) bool {
	if fault == nil {
		return true
	}
	if !wire.Wait(r, fault.Delay, s.closing) {
		return false
	}
	switch fault.Kind {
	case FaultError:
		s.fail(w, newError(fault.Error))
	case FaultStatus:
		wire.RetryAfter(w, fault.RetryAfter)
		http.Error(w, http.StatusText(fault.Status), fault.Status)
	case FaultHang:
		wire.Hang(w, r, s.closing)
	case FaultReset:
		wire.Reset(w)
	default:
		return true
	}
	return false
}
