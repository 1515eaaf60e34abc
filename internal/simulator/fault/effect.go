package fault

import (
	"net/http"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/wire"
)

// Kind is what a fault does to a request. Kinds from Own on are each service's own.
type Kind uint8

// The kinds that services share.
const (
	// Delay only delays.
	Delay Kind = iota
	// Error answers an error of the service.
	Error
	// Status answers a status without a body that the service would send, as load balancers do.
	Status
	// Hang never answers.
	Hang
	// Reset resets the connection.
	Reset
	// Truncate promises the whole answer and closes the connection after half of it.
	Truncate
	// Own is the first kind that is a service's own.
	Own
)

// Effect is what a fault does to a request without the service.
type Effect struct {
	Kind Kind
	// Delay passes before anything else.
	Delay time.Duration
	// Status is the HTTP status of the kind Status, RetryAfter its header, rounded up to seconds; none when 0.
	Status     int
	RetryAfter time.Duration
}

// Do passes the delay and then hangs, resets, or answers a status. It returns false when that was all, or the client has
// given up; the other kinds are left to the service. Hangs and delays end when closing is closed.
func (e Effect) Do(w http.ResponseWriter, r *http.Request, closing <-chan struct{}) bool {
	if !wire.Wait(r, e.Delay, closing) {
		return false
	}
	switch e.Kind {
	case Status:
		wire.RetryAfter(w, e.RetryAfter)
		http.Error(w, http.StatusText(e.Status), e.Status)
	case Hang:
		wire.Hang(w, r, closing)
	case Reset:
		wire.Reset(w)
	default:
		return true
	}
	return false
}
