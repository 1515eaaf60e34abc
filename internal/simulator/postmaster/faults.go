package postmaster

import (
	"net/http"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/fault"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// FaultKind is what an injected fault does to a request.
type FaultKind = fault.Kind

// The kinds of faults.
const (
	// FaultDelay only delays.
	FaultDelay = fault.Delay
	// FaultError answers the error named by Fault.Error.
	FaultError = fault.Error
	// FaultStatus answers Fault.Status without a body that the API would send, as load balancers do.
	FaultStatus = fault.Status
	// FaultHang never answers.
	FaultHang = fault.Hang
	// FaultReset resets the connection.
	FaultReset = fault.Reset
	// FaultTruncate promises the whole answer and closes the connection after half of it.
	FaultTruncate = fault.Truncate
)

// The kinds of faults that only this service has.
const (
	// FaultExpire lets every access token expire before the request is looked at.
	FaultExpire = fault.Own + iota
	// FaultRevoke revokes the user's consent before the request is looked at: neither access nor refresh tokens are good
	// any more.
	FaultRevoke
)

// Fault is something that goes wrong with requests while it is injected.
type Fault struct {
	Kind FaultKind
	// Op selects requests by the Op constants, Domain by domain; empty selects all. A FaultError with a Domain fails the
	// items of a batch that ask for it, not the batch.
	Op, Domain string
	// Skip is how many selected requests it spares at first, Share the share of the others that it strikes, 0 meaning all;
	// Times is how many it strikes at most, 0 meaning any number.
	Skip  int
	Share float64
	Times int
	// Delay passes before anything else.
	Delay time.Duration
	// Error is a reason of google.rpc.ErrorInfo (RATE_LIMIT_EXCEEDED, SERVICE_DISABLED, ACCESS_TOKEN_SCOPE_INSUFFICIENT,
	// ACCESS_TOKEN_EXPIRED) or a name of google.rpc.Code (PERMISSION_DENIED, NOT_FOUND, INVALID_ARGUMENT, UNAVAILABLE);
	// INTERNAL when empty. At the token endpoint it is an error of RFC 6749, such as invalid_grant.
	Error string
	// Status is the HTTP status of FaultStatus.
	Status int
	// RetryAfter is the header of FaultError and FaultStatus, rounded up to seconds; none when 0.
	RetryAfter time.Duration
}

// Inject adds a fault until remove is called.
func (s *Server) Inject(f Fault) (remove func()) {
	return s.faults.Inject(f, fault.When{Skip: f.Skip, Share: f.Share, Times: f.Times})
}

// pick returns the first fault that strikes a request, or, when item is set, an item of a batch.
func (s *Server) pick(op, domain string, item bool) *Fault {
	return s.faults.First(func(f *Fault) bool {
		forItem := op == OpBatchQuery && f.Kind == FaultError && f.Domain != ""
		return (f.Op == "" || f.Op == op) && (f.Domain == "" || f.Domain == domain) && item == forItem
	})
}

// before does what a fault does before the request is looked at; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, op string, f *Fault) bool {
	if f == nil {
		return true
	}
	effect := fault.Effect{Kind: f.Kind, Delay: f.Delay, Status: f.Status, RetryAfter: f.RetryAfter}
	if !effect.Do(w, r, s.closing) {
		return false
	}
	switch f.Kind {
	case FaultError:
		wire.RetryAfter(w, f.RetryAfter)
		if op == OpToken {
			s.refuse(w, &tokenError{http.StatusBadRequest, f.Error, "An injected error."})
		} else {
			s.fail(w, newError(f.Error))
		}
		return false
	case FaultExpire:
		s.ExpireTokens()
	case FaultRevoke:
		s.Revoke()
	}
	return true
}
