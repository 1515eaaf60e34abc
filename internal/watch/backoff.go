package watch

import (
	"errors"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

const (
	// firstPause follows the first failure; each further one doubles it. Where a person must act it begins at authPause.
	firstPause   = time.Second
	authPause    = 30 * time.Second
	longestPause = 5 * time.Minute
	// longestRetryAfter bounds what a receiver may ask for, so that a mistaken answer cannot silence it for days.
	longestRetryAfter = 15 * time.Minute
)

// pause is how long to leave a receiver alone after its failures-th failure in a row, 1 being the first. random is in [0, 1):
// up to half of the pause is left off, so that what failed together does not come back together; a pause that the receiver
// asked for is only ever lengthened.
func pause(failures int, err *alerts.DeliveryError, random float64) time.Duration {
	d := firstPause
	if err.Reason == alerts.DeliveryAuth {
		d = authPause
	}
	for i := 1; i < failures && d < longestPause; i++ {
		d *= 2
	}
	d = min(d, longestPause)
	d -= time.Duration(random * float64(d) / 2)
	if err.RetryAfter > 0 {
		asked := min(err.RetryAfter, longestRetryAfter)
		d = max(d, asked+time.Duration(random*float64(asked)/10))
	}
	return d
}

// deliveryError takes an error of a notifier for what it is; any that is no DeliveryError is one that may pass.
func deliveryError(notifier string, err error) *alerts.DeliveryError {
	if e, ok := errors.AsType[*alerts.DeliveryError](err); ok {
		return e
	}
	return &alerts.DeliveryError{Notifier: notifier, Reason: alerts.DeliveryUnavailable, Err: err}
}
