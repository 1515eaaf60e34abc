package schedule

import (
	"errors"
	"time"

	"github.com/mailvane/mailvane/collectors"
)

const (
	// firstPause follows the first failure; each further one doubles it. Reasons that last until a person acts begin at
	// permanentPause instead.
	firstPause     = time.Second
	permanentPause = time.Minute
	longestPause   = 5 * time.Minute
	// longestRetryAfter bounds what a source may ask for, so that a mistaken answer cannot silence it for days.
	longestRetryAfter = 15 * time.Minute
)

// pause is how long to leave a source alone after its failures-th failure in a row, 1 being the first. random is in
// [0, 1): up to half of the pause is left off, so that jobs that failed together do not come back together; a pause that
// the source asked for is only ever lengthened. Where a person must act, a source is asked no more often than when it is
// well, which is every so often.
func pause(failures int, err error, every time.Duration, random float64) time.Duration {
	d, lasting := firstPause, ReasonOf(err).Permanent()
	if lasting {
		d = permanentPause
	}
	for i := 1; i < failures && d < longestPause; i++ {
		d *= 2
	}
	d = min(d, longestPause)
	d -= time.Duration(random * float64(d) / 2)
	if lasting {
		d = max(d, every)
	}
	if e, ok := errors.AsType[*collectors.Error](err); ok && e.RetryAfter > 0 {
		asked := min(e.RetryAfter, longestRetryAfter)
		d = max(d, asked+time.Duration(random*float64(asked)/10))
	}
	return d
}
