package schedule

import (
	"context"
	"errors"
	"time"
)

// Job is work that is done in passes.
type Job struct {
	// Name tells the job apart from the Runner's others.
	Name string
	// Every is the time from the start of one pass to the start of the next; a start that the pass before it outlasted
	// happens as soon as that pass ends. 0 means without end: the pass itself waits for work, as a long poll does.
	Every time.Duration
	// Jitter is the most by which each start is put off, at random, so that jobs of one cadence spread. 0 is none.
	Jitter time.Duration
	// Timeout bounds one pass: its context ends then, with a TimeoutError as cause. 0 is no bound.
	Timeout time.Duration
	// MaxConcurrent is how many passes may run at once, at least 1. A job that keeps positions must leave it at 1.
	MaxConcurrent int
	// Steady says that failures put no pass off for longer than Every. It is for work that spares nobody by being late, such as
	// looking whether something is in trouble.
	Steady bool
	// Gate, when not nil, is asked before each pass; while it returns an error no pass starts, and the job's state shows
	// it. It must be quick, and is called from the job's own goroutine.
	Gate func() error
	// Run makes one pass. more says that the source held more than the pass took, so that the next should follow at once.
	// It must return soon after ctx has ended; it must not leave a goroutine behind. A panic in it is a failed pass.
	Run func(ctx context.Context) (more bool, err error)
}

// check says what is wrong with the job.
func (j *Job) check() error {
	switch {
	case j.Name == "":
		return errors.New("a job needs a name")
	case j.Run == nil:
		return errors.New("a job needs something to run")
	case j.Every < 0 || j.Jitter < 0 || j.Timeout < 0:
		return errors.New("a job's times are not negative")
	case j.MaxConcurrent < 1:
		return errors.New("a job runs at least one pass at once")
	case j.Steady && j.Every == 0:
		return errors.New("a steady job needs a cadence")
	}
	return nil
}

// TimeoutError is the cause of the end of a pass's context when the pass took too long.
type TimeoutError struct{ After time.Duration }

// Error says how long the pass had.
func (e *TimeoutError) Error() string { return "the pass took longer than " + e.After.String() }

// Timeout reports true, as errors of package net do.
func (e *TimeoutError) Timeout() bool { return true }
