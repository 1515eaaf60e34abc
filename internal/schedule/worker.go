package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mailvane/mailvane/collectors"
)

var errRemoved = errors.New("the job was removed")

const (
	// gateCheck is how often a shut gate is asked again.
	gateCheck = time.Second
	// idlePause is the least time from start to start of passes of a job without end that found no more to do, so that a
	// queue that answers a long poll at once does not make a busy loop.
	idlePause = 50 * time.Millisecond
)

// worker runs one job. Its loop alone changes state; mu lets others read it.
type worker struct {
	job    Job
	runner *Runner
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
	ended  chan ending
	// triggers holds a value while a pass is wanted at once.
	triggers chan struct{}
	// paced holds a value while loop has not seen another cadence.
	paced chan struct{}
	// starts wakes the hands that rest; idle is how many do. Only loop sends and counts.
	starts chan time.Time
	idle   int

	mu    sync.Mutex // protects state
	state State
}

// ending is how a pass ended.
type ending struct {
	start time.Time
	took  time.Duration
	more  bool
	err   error
	// gone says that the hand ended with its pass.
	gone bool
}

func newWorker(job Job, r *Runner) *worker {
	ctx, cancel := context.WithCancelCause(context.Background())
	w := &worker{
		job: job, runner: r, ctx: ctx, cancel: cancel,
		done:     make(chan struct{}),
		ended:    make(chan ending),
		triggers: make(chan struct{}, 1),
		paced:    make(chan struct{}, 1),
		starts:   make(chan time.Time, job.MaxConcurrent),
	}
	w.state = State{
		Name: job.Name, Every: job.Every, Limit: 1, NextStart: time.Now().Add(w.jitter()),
		Failed: make(map[collectors.Reason]int64),
	}
	return w
}

func (w *worker) jitter() time.Duration {
	return time.Duration(w.runner.random() * float64(w.job.Jitter))
}

func (w *worker) snapshot() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.clone()
}

// loop starts passes and takes in their endings until the job ends and the last of them has ended.
func (w *worker) loop() {
	defer close(w.done)
	defer close(w.starts)
	defer w.runner.forget(w.job.Name)
	defer w.cancel(nil)

	timer := time.NewTimer(0)
	defer timer.Stop()
	for w.ctx.Err() == nil {
		w.start()
		timer.Reset(w.wait())
		select {
		case e := <-w.ended:
			w.settle(e)
		case <-w.triggers:
			w.hurry()
		case <-w.paced:
		case <-timer.C:
		case <-w.ctx.Done():
		}
	}
	for w.running() > 0 {
		w.settle(<-w.ended)
	}
}

// trigger asks for a pass at once. A pass that has been asked for already is not asked for twice.
func (w *worker) trigger() {
	select {
	case w.triggers <- struct{}{}:
	default:
	}
}

// pace gives the job another cadence. A pause after a failure stays as it is.
func (w *worker) pace(every time.Duration) {
	w.mu.Lock()
	if next := time.Now().Add(every); w.state.Failures == 0 && next.Before(w.state.NextStart) {
		w.state.NextStart = next
	}
	w.state.Every = every
	w.mu.Unlock()
	select {
	case w.paced <- struct{}{}:
	default:
	}
}

// hurry lets the next pass start at once, unless the job pauses after a failure: whatever a pass is wanted for, a source that
// fails is not to be asked more often.
func (w *worker) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.state.Failures == 0 && now.Before(w.state.NextStart) {
		w.state.NextStart = now
	}
}

// start starts the passes that may start now.
func (w *worker) start() {
	var shut error
	if w.job.Gate != nil {
		shut = w.job.Gate()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Gate = shut
	w.state.trouble(time.Now())
	if shut != nil {
		return
	}
	now := time.Now()
	for w.state.Running < w.state.Limit && !now.Before(w.state.NextStart) {
		w.state.Running++
		w.state.LastStart = now
		if w.state.Every > 0 {
			w.state.NextStart = now.Add(w.state.Every + w.jitter())
		}
		w.begin(now)
	}
}

// begin has a pass made by a hand that rests, or by a new one.
func (w *worker) begin(now time.Time) {
	if w.idle == 0 {
		go w.hand(now)
		return
	}
	w.idle--
	w.starts <- now
}

// hand makes one pass after the other. It is kept for the next because a stack as deep as an SDK's takes long to grow.
func (w *worker) hand(start time.Time) {
	for more := true; more && !start.IsZero(); start, more = <-w.starts {
		w.pass(start)
	}
}

// rest takes note that a hand has made its pass; those beyond what may run at once are let go.
func (w *worker) rest(e ending) {
	switch {
	case e.gone:
	case w.idle >= w.state.Limit:
		w.starts <- time.Time{}
	default:
		w.idle++
	}
}

// wait is how long until a pass may start without one having ended.
func (w *worker) wait() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.state.Gate != nil:
		return gateCheck
	case w.state.Running < w.state.Limit:
		return time.Until(w.state.NextStart)
	default:
		return time.Hour // only the ending of a pass changes anything
	}
}

func (w *worker) running() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Running
}

// pass makes one pass and tells the loop how it ended, whatever happens in it.
func (w *worker) pass(start time.Time) {
	e := ending{start: start, gone: true, err: w.fault(errors.New("the pass ended its goroutine"))}
	defer func() {
		if v := recover(); v != nil {
			e.gone = false
			e.err = w.fault(fmt.Errorf("panic: %v", v))
			w.runner.log.Error("pass panicked", "job", w.job.Name, "err", e.err, "stack", string(debug.Stack()))
		}
		e.took = time.Since(start)
		w.ended <- e
	}()
	ctx, cancel := w.ctx, func() {}
	if w.job.Timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(w.ctx, w.job.Timeout, &TimeoutError{After: w.job.Timeout})
	}
	defer cancel()
	e.more, e.err = w.job.Run(ctx)
	e.gone = false
	if errors.Is(e.err, context.DeadlineExceeded) && ctx.Err() != nil {
		e.err = fmt.Errorf("%w: %w", context.Cause(ctx), e.err)
	}
}

// fault is an error that is this program's own.
func (w *worker) fault(err error) error {
	return &collectors.Error{Source: w.job.Name, Op: "collect from", Reason: collectors.ReasonInternal, Err: err}
}

// settle takes in how a pass ended.
func (w *worker) settle(e ending) {
	// A pass that failed while its job ends was most likely cut short: neither a success nor a failure.
	cut := e.err != nil && w.ctx.Err() != nil
	w.mu.Lock()
	w.state.Running--
	switch {
	case cut:
	case e.err != nil:
		w.failed(e)
	default:
		w.succeeded(e)
	}
	w.state.trouble(e.start)
	w.rest(e)
	w.mu.Unlock()
	if cut {
		return
	}
	p := Pass{Job: w.job.Name, Duration: e.took, Err: e.err}
	if e.err != nil {
		p.Reason = ReasonOf(e.err)
	}
	w.runner.observe(p)
}

// succeeded takes in a pass without error. One that began before the latest failure says nothing about the source's
// present state, so it leaves the back-off alone.
func (w *worker) succeeded(e ending) {
	s := &w.state
	s.Succeeded++
	s.LastSuccess = e.start.Add(e.took)
	if s.Failures > 0 {
		if e.start.Before(s.LastFailure) {
			return
		}
		w.runner.log.Info("source answers again", "job", w.job.Name, "failures", s.Failures)
		s.Failures = 0
	}
	switch {
	case e.more:
		s.Limit = min(s.Limit+1, w.job.MaxConcurrent)
		s.NextStart = time.Now()
	case s.Every == 0:
		s.Limit = max(s.Limit-1, 1)
		s.NextStart = e.start.Add(idlePause)
	default:
		s.Limit = max(s.Limit-1, 1)
	}
}

// failed takes in a pass with an error: one pass at a time from now on, and a pause before it. Passes that ran beside the
// one that failed first fail for the same cause and do not lengthen the pause.
func (w *worker) failed(e ending) {
	s, reason := &w.state, ReasonOf(e.err)
	s.Failed[reason]++
	news := s.Failures == 0 || s.Reason != reason
	s.LastError, s.Reason = e.err, reason
	if news {
		w.runner.log.Warn("pass failed", "job", w.job.Name, "reason", string(reason), "err", e.err)
	}
	if s.Failures > 0 && e.start.Before(s.LastFailure) {
		return
	}
	s.Failures++
	s.Limit = 1
	s.LastFailure = time.Now()
	rest := pause(s.Failures, e.err, s.Every, w.runner.random())
	if w.job.Steady {
		rest = min(rest, s.Every)
	}
	s.NextStart = s.LastFailure.Add(rest)
}
