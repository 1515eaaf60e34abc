package postmaster

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
	// FaultError answers the error named by Fault.Error.
	FaultError
	// FaultStatus answers Fault.Status without a body that the API would send, as load balancers do.
	FaultStatus
	// FaultHang never answers.
	FaultHang
	// FaultReset resets the connection.
	FaultReset
	// FaultTruncate promises the whole answer and closes the connection after half of it.
	FaultTruncate
	// FaultExpire lets every access token expire before the request is looked at.
	FaultExpire
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

// pick returns the first fault that strikes a request, or, when item is set, an item of a batch.
func (f *faults) pick(op, domain string, item bool) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, candidate := range f.active {
		forItem := op == OpBatchQuery && candidate.Kind == FaultError && candidate.Domain != ""
		switch {
		case candidate.Op != "" && candidate.Op != op, candidate.Domain != "" && candidate.Domain != domain, item != forItem:
			continue
		case candidate.Skip > 0:
			candidate.Skip--
			continue
		case candidate.Share > 0 && f.rand.Float64() >= candidate.Share:
			continue
		}
		if candidate.Times > 0 {
			if candidate.Times--; candidate.Times == 0 {
				f.active = slices.Delete(slices.Clone(f.active), i, i+1)
			}
		}
		this := *candidate
		return &this
	}
	return nil
}

// before does what a fault does before the request is looked at; it returns false when that was all.
func (s *Server) before(w http.ResponseWriter, r *http.Request, op string, fault *Fault) bool {
	if fault == nil {
		return true
	}
	if !wire.Wait(r, fault.Delay, s.closing) {
		return false
	}
	switch fault.Kind {
	case FaultError:
		wire.RetryAfter(w, fault.RetryAfter)
		if op == OpToken {
			s.refuse(w, &tokenError{http.StatusBadRequest, fault.Error, "An injected error."})
		} else {
			s.fail(w, newError(fault.Error))
		}
	case FaultStatus:
		wire.RetryAfter(w, fault.RetryAfter)
		http.Error(w, http.StatusText(fault.Status), fault.Status)
	case FaultHang:
		wire.Hang(w, r, s.closing)
	case FaultReset:
		wire.Reset(w)
	case FaultExpire:
		s.ExpireTokens()
		return true
	case FaultRevoke:
		s.Revoke()
		return true
	default:
		return true
	}
	return false
}
