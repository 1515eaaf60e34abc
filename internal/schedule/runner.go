package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrStopped is returned by Add once the Runner has been stopped.
var ErrStopped = errors.New("the scheduler has stopped")

// Options are what a Runner may be given; the zero value is usable.
type Options struct {
	// Log gets failures, recoveries and panics, never single passes; nil discards.
	Log *slog.Logger
	// Observe, when not nil, is told of each pass that ended, except those cut short because the job ended. It is called
	// from the jobs' goroutines and must not block.
	Observe func(Pass)
	// Random gives numbers in [0, 1) and may be called from several goroutines; nil uses math/rand/v2.
	Random func() float64
}

// Runner runs jobs until they are removed or it is stopped.
type Runner struct {
	log     *slog.Logger
	observe func(Pass)
	random  func() float64

	mu sync.Mutex // protects all following fields
	// jobs holds each job until its last pass has ended.
	jobs    map[string]*worker
	stopped bool
}

// New returns a Runner without jobs.
func New(o Options) *Runner {
	r := &Runner{log: o.Log, observe: o.Observe, random: o.Random, jobs: make(map[string]*worker)}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.observe == nil {
		r.observe = func(Pass) {}
	}
	if r.random == nil {
		r.random = rand.Float64
	}
	return r
}

// Add starts running a job. It fails when the job is not sound, when one of that name is there already, also one whose
// removal has not ended, and with ErrStopped.
func (r *Runner) Add(job Job) error {
	if err := job.check(); err != nil {
		return fmt.Errorf("add job %q: %w", job.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return fmt.Errorf("add job %q: %w", job.Name, ErrStopped)
	}
	if r.jobs[job.Name] != nil {
		return fmt.Errorf("add job %q: there is one of that name", job.Name)
	}
	w := newWorker(job, r)
	r.jobs[job.Name] = w
	go w.loop()
	return nil
}

// Remove ends a job: its passes are told to stop and waited for. When ctx ends first Remove returns with an error and the
// job goes once its passes have ended. A name that is not there is no error.
func (r *Runner) Remove(ctx context.Context, name string) error {
	r.mu.Lock()
	w := r.jobs[name]
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	w.cancel(errRemoved)
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("remove job %q: passes still run: %w", name, context.Cause(ctx))
	}
}

// Trigger makes a pass of a job with a cadence at once, or as soon as the one that runs has ended; the cadence goes on from
// there. While the job pauses after a failure, or its gate is shut, the pass waits for the end of that. A name that is not
// there is no error.
func (r *Runner) Trigger(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.jobs[name]; w != nil {
		w.trigger()
	}
}

// Pace gives a job that has a cadence another one, which counts from now where that is sooner. No pass is cut short. It fails
// when there is no such job, and for a cadence that is not positive.
func (r *Runner) Pace(name string, every time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.jobs[name]
	if w == nil || w.job.Every <= 0 || every <= 0 {
		return fmt.Errorf("run job %q every %s: there is no such job with a cadence, or that is none", name, every)
	}
	w.pace(every)
	return nil
}

// Cancel tells all jobs at once to end and waits for none. No job can be added afterwards.
func (r *Runner) Cancel() { r.cancel() }

func (r *Runner) cancel() (left []*worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, w := range r.jobs {
		w.cancel(ErrStopped)
		left = append(left, w)
	}
	return left
}

// Stop ends all jobs at once and waits for their passes until ctx ends; then it names the jobs whose passes still run.
// No job can be added afterwards.
func (r *Runner) Stop(ctx context.Context) error {
	for _, w := range r.cancel() {
		select {
		case <-w.done:
		case <-ctx.Done():
			return fmt.Errorf("stop jobs: passes of %s still run: %w", r.running(), context.Cause(ctx))
		}
	}
	return nil
}

// running names the jobs that have not ended.
func (r *Runner) running() string {
	var names []string
	for _, s := range r.States() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// States returns the state of every job, by name.
func (r *Runner) States() []State {
	r.mu.Lock()
	states := make([]State, 0, len(r.jobs))
	for _, w := range r.jobs {
		states = append(states, w.snapshot())
	}
	r.mu.Unlock()
	slices.SortFunc(states, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return states
}

// forget drops a job whose last pass has ended.
func (r *Runner) forget(name string) {
	r.mu.Lock()
	delete(r.jobs, name)
	r.mu.Unlock()
}
