package sqs

import (
	"net/http"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

// FaultKind is what an injected fault does to a request.
type FaultKind = fault.Kind

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay = fault.Delay
	// FaultError answers the error named by Fault.Error and executes nothing.
	FaultError = fault.Error
	// FaultStatus answers Fault.Status without a body that SQS would send, as load balancers do, and executes nothing.
	FaultStatus = fault.Status
	// FaultHang never answers; nothing is executed.
	FaultHang = fault.Hang
	// FaultReset resets the connection; nothing is executed.
	FaultReset = fault.Reset
	// FaultTruncate executes, promises the whole answer and closes the connection after half of it.
	FaultTruncate = fault.Truncate
)

// The kinds of faults that only a queue has.
const (
	// FaultLostAnswer executes and then answers an internal failure.
	FaultLostAnswer = fault.Own + iota
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

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	return s.faults.Inject(f, fault.When{Share: f.Share, Times: f.Times})
}

// pick returns what strikes this request: the delays of all that fit, and the first that does more than delay.
func (s *Server) pick(op string, q *Queue) *Fault {
	selects := func(f *Fault) bool {
		return (f.Op == "" || f.Op == op) && (f.Queue == "" || q != nil && f.Queue == q.name)
	}
	delays := s.faults.All(func(f *Fault) bool { return f.Kind == FaultDelay && selects(f) })
	struck := s.faults.First(func(f *Fault) bool { return f.Kind != FaultDelay && selects(f) })
	if struck == nil && len(delays) > 0 {
		struck = &Fault{Kind: FaultDelay}
	}
	for i := range delays {
		struck.Delay += delays[i].Delay
	}
	return struck
}

// before does what a fault does before the request is executed; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, f *Fault) bool {
	if f == nil {
		return true
	}
	effect := fault.Effect{Kind: f.Kind, Delay: f.Delay, Status: f.Status, RetryAfter: f.RetryAfter}
	if !effect.Do(w, r, s.closing) {
		return false
	}
	if f.Kind == FaultError {
		s.fail(w, newError(f.Error))
		return false
	}
	return true
}
