package schedule

import (
	"errors"
	"maps"
	"time"

	"github.com/mailvane/mailvane/collectors"
)

// Health is how a job is: a bounded set that metrics and the API may carry.
type Health string

// The healths of a job.
const (
	// HealthStarting: no pass has ended yet.
	HealthStarting Health = "starting"
	// HealthOK: the newest pass succeeded.
	HealthOK Health = "ok"
	// HealthFailing: the newest pass failed.
	HealthFailing Health = "failing"
	// HealthGated: the job's gate is shut, so no pass starts.
	HealthGated Health = "gated"
)

// State is how a job is and how it has fared since it was added.
type State struct {
	Name string
	// Every is the job's cadence, 0 for a job without end.
	Every time.Duration
	// Running is how many passes run now, Limit how many may at present.
	Running, Limit int
	// Gate is why the gate is shut, nil while it is open.
	Gate error
	// LastStart, LastSuccess and LastFailure are when a pass last began, succeeded and failed; zero when never.
	LastStart, LastSuccess, LastFailure time.Time
	// FailingSince is since when no pass succeeds that should: when the first of those began that failed in a row, or the gate
	// was shut, whichever was earlier; zero while neither is so. How long ago a pass succeeded says less: a job without
	// trouble rests between its passes.
	FailingSince time.Time
	// LastError is what the newest failed pass said and Reason its reason. They stay after a success; Failures says
	// whether they still hold.
	LastError error
	Reason    collectors.Reason
	// Failures is how often passes have failed since one succeeded; passes that ran at once count as one.
	Failures int
	// NextStart is the time before which no pass starts; it may have gone by.
	NextStart time.Time
	// Succeeded counts passes that succeeded, Failed those that failed by reason. Passes that were cut short because the
	// job ended are in neither.
	Succeeded int64
	Failed    map[collectors.Reason]int64
}

// Health sums the state up in one word.
func (s *State) Health() Health {
	switch {
	case s.Gate != nil:
		return HealthGated
	case s.Failures > 0:
		return HealthFailing
	case s.LastSuccess.IsZero():
		return HealthStarting
	default:
		return HealthOK
	}
}

// trouble keeps since when the job is in trouble, which began at that time if it has begun.
func (s *State) trouble(at time.Time) {
	switch h := s.Health(); {
	case h != HealthFailing && h != HealthGated:
		s.FailingSince = time.Time{}
	case s.FailingSince.IsZero():
		s.FailingSince = at
	}
}

// clone copies the state so that the job's goroutine may go on changing its own.
func (s *State) clone() State {
	c := *s
	c.Failed = maps.Clone(s.Failed)
	return c
}

// Pass is one pass that ended.
type Pass struct {
	Job      string
	Duration time.Duration
	// Err is nil when the pass succeeded, and Reason then empty.
	Err    error
	Reason collectors.Reason
}

// ReasonOf is the reason that an error carries. A pass that ran out of time has a source that hangs; what carries no
// reason is a fault of this program.
func ReasonOf(err error) collectors.Reason {
	if e, ok := errors.AsType[*collectors.Error](err); ok && e.Reason != "" {
		return e.Reason
	}
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && t.Timeout() {
		return collectors.ReasonUnavailable
	}
	return collectors.ReasonInternal
}
