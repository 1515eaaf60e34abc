package schedule

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
)

// bubble runs f in a synctest bubble with a Runner that is stopped at its end, so that a leaked pass fails the test.
func bubble(t *testing.T, o Options, f func(t *testing.T, r *Runner)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Random == nil {
			o.Random = func() float64 { return 0 }
		}
		r := New(o)
		f(t, r)
		if err := r.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

func add(t *testing.T, r *Runner, j Job) {
	t.Helper()
	if j.Name == "" {
		j.Name = "job"
	}
	j.MaxConcurrent = max(j.MaxConcurrent, 1)
	if err := r.Add(j); err != nil {
		t.Fatal(err)
	}
}

func stateOf(t *testing.T, r *Runner) State {
	t.Helper()
	synctest.Wait()
	states := r.States()
	if len(states) != 1 {
		t.Fatalf("%d states, want 1", len(states))
	}
	return states[0]
}

// starts records when passes start, since it was made.
type starts struct {
	mu    sync.Mutex
	began time.Time
	at    []time.Duration
}

func newStarts() *starts { return &starts{began: time.Now()} }

func (s *starts) note() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = append(s.at, time.Since(s.began))
	return len(s.at)
}

func (s *starts) want(t *testing.T, want ...time.Duration) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := cmp.Diff(want, s.at); d != "" {
		t.Errorf("starts of passes (-want +got):\n%s", d)
	}
}

func TestCadence(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: time.Minute, Run: func(context.Context) (bool, error) {
			switch s.note() {
			case 2:
				time.Sleep(90 * time.Second) // outlasts the third start
			case 4:
				return true, nil // there is more: the next follows at once
			}
			return false, nil
		}})
		time.Sleep(5 * time.Minute)
		s.want(t, 0, time.Minute, 150*time.Second, 210*time.Second, 210*time.Second, 270*time.Second)
	})
}

func TestTrigger(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: time.Minute, Run: func(context.Context) (bool, error) {
			switch s.note() {
			case 3:
				time.Sleep(10 * time.Second)
			case 5:
				return false, &collectors.Error{Reason: collectors.ReasonAuth}
			}
			return false, nil
		}})
		at := func(after time.Duration) {
			time.Sleep(time.Until(s.began.Add(after)))
			r.Trigger("another")
			r.Trigger("job")
		}
		at(20 * time.Second)
		at(82 * time.Second) // while the third pass runs, since 80 s
		at(84 * time.Second)
		at(100 * time.Second) // this one fails
		at(105 * time.Second)
		time.Sleep(time.Until(s.began.Add(3 * time.Minute)))
		s.want(t, 0, 20*time.Second, 80*time.Second, 90*time.Second, 100*time.Second, 160*time.Second)
	})
}

// TestPace: another cadence holds at once, cuts no pass short, and hurries no source that fails.
func TestPace(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: time.Hour, Run: func(ctx context.Context) (bool, error) {
			switch s.note() {
			case 3:
				time.Sleep(30 * time.Second)
				return false, ctx.Err()
			case 5:
				return false, &collectors.Error{Reason: collectors.ReasonAuth}
			}
			return false, nil
		}})
		pace := func(after, every time.Duration) {
			t.Helper()
			time.Sleep(time.Until(s.began.Add(after)))
			if err := r.Pace("job", every); err != nil {
				t.Error(err)
			}
		}
		pace(10*time.Second, time.Minute)
		pace(135*time.Second, 10*time.Second) // while the third pass runs, since 130 s; the next starts as it ends
		pace(165*time.Second, 5*time.Second)
		pace(171*time.Second, time.Second) // the fifth, at 170 s, failed
		time.Sleep(time.Until(s.began.Add(231500 * time.Millisecond)))
		s.want(t, 0, 70*time.Second, 130*time.Second, 160*time.Second, 170*time.Second, 230*time.Second, 231*time.Second)
		if states := r.States(); states[0].Every != time.Second || states[0].Succeeded != 6 {
			t.Errorf("%+v", states[0])
		}
		for name, every := range map[string]time.Duration{"job": 0, "another": time.Second} {
			if err := r.Pace(name, every); err == nil {
				t.Errorf("job %q runs every %s", name, every)
			}
		}
	})
}

func TestJitterPutsStartsOff(t *testing.T) {
	bubble(t, Options{Random: func() float64 { return 0.5 }}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: time.Minute, Jitter: 10 * time.Second, Run: func(context.Context) (bool, error) {
			s.note()
			return false, nil
		}})
		time.Sleep(3 * time.Minute)
		s.want(t, 5*time.Second, 70*time.Second, 135*time.Second)
	})
}

func TestConcurrencyGrowsWithWorkAndShrinksWithout(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		var mu sync.Mutex
		work, running, most := 500, 0, 0
		add(t, r, Job{MaxConcurrent: 16, Run: func(ctx context.Context) (bool, error) {
			mu.Lock()
			running++
			most = max(most, running)
			full := work > 0
			if full {
				work--
			}
			mu.Unlock()
			if full {
				time.Sleep(10 * time.Millisecond)
			} else {
				sleep(ctx, 20*time.Second) // a long poll of an empty queue
			}
			mu.Lock()
			running--
			mu.Unlock()
			return full, ctx.Err()
		}})
		if got := stateOf(t, r); got.Running != 1 {
			t.Errorf("%d passes at first, want 1", got.Running)
		}
		time.Sleep(15 * time.Millisecond)
		if got := stateOf(t, r); got.Running != 2 {
			t.Errorf("%d passes after one full receive, want 2", got.Running)
		}
		time.Sleep(time.Second)
		mu.Lock()
		if most != 16 || work != 0 {
			t.Errorf("at most %d passes, %d work left; want 16 and none", most, work)
		}
		mu.Unlock()
		time.Sleep(time.Minute)
		if got := stateOf(t, r); got.Running != 1 || got.Limit != 1 {
			t.Errorf("an idle job runs %d of %d passes, want one", got.Running, got.Limit)
		}
	})
}

func TestIdleJobWithoutEndIsNoBusyLoop(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Run: func(context.Context) (bool, error) { s.note(); return false, nil }})
		time.Sleep(120 * time.Millisecond)
		s.want(t, 0, idlePause, 2*idlePause)
	})
}

func TestBackOff(t *testing.T) {
	unavailable := &collectors.Error{Reason: collectors.ReasonUnavailable, Err: errors.New("down")}
	asked := &collectors.Error{Reason: collectors.ReasonQuota, RetryAfter: 90 * time.Second, Err: errors.New("slow down")}
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Run: func(context.Context) (bool, error) {
			switch n := s.note(); n {
			case 1, 2, 3:
				return false, unavailable
			case 5:
				return false, asked
			default:
				return false, nil
			}
		}})
		time.Sleep(97120 * time.Millisecond)
		s.want(t, 0, time.Second, 3*time.Second, 7*time.Second, 7050*time.Millisecond, 97050*time.Millisecond, 97100*time.Millisecond)
		got := stateOf(t, r)
		if got.Health() != HealthOK || got.Failures != 0 || got.Reason != collectors.ReasonQuota {
			t.Errorf("health %s, %d failures, reason %s", got.Health(), got.Failures, got.Reason)
		}
		want := map[collectors.Reason]int64{collectors.ReasonUnavailable: 3, collectors.ReasonQuota: 1}
		if d := cmp.Diff(want, got.Failed); d != "" || got.Succeeded != 3 {
			t.Errorf("%d succeeded, failed (-want +got):\n%s", got.Succeeded, d)
		}
	})
}

// A steady job that fails keeps its cadence, once the pause would be longer.
func TestSteady(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: 5 * time.Second, Steady: true, Run: func(context.Context) (bool, error) {
			s.note()
			return false, &collectors.Error{Reason: collectors.ReasonUnavailable, RetryAfter: time.Minute, Err: errors.New("down")}
		}})
		time.Sleep(19 * time.Second)
		s.want(t, 0, 5*time.Second, 10*time.Second, 15*time.Second)
	})
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		s := newStarts()
		add(t, r, Job{Every: 5 * time.Second, Steady: true, Run: func(context.Context) (bool, error) {
			s.note()
			return false, &collectors.Error{Reason: collectors.ReasonUnavailable, Err: errors.New("down")}
		}})
		time.Sleep(19 * time.Second)
		s.want(t, 0, time.Second, 3*time.Second, 7*time.Second, 12*time.Second, 17*time.Second)
	})
}

// Trouble begins with the first pass that fails, however long ago the one before it was.
func TestFailingSince(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		began := time.Now()
		s := newStarts()
		var shut atomic.Bool
		add(t, r, Job{
			Every: time.Hour,
			Gate: func() error {
				if shut.Load() {
					return errors.New("the ledger cannot commit")
				}
				return nil
			},
			Run: func(context.Context) (bool, error) {
				if n := s.note(); n == 2 || n == 3 || n == 4 {
					time.Sleep(2 * time.Second)
					return false, &collectors.Error{Reason: collectors.ReasonUnavailable, Err: errors.New("down")}
				}
				return false, nil
			},
		})
		want := func(after time.Duration) {
			t.Helper()
			var at time.Time
			if after > 0 {
				at = began.Add(after)
			}
			if got := stateOf(t, r); !got.FailingSince.Equal(at) {
				t.Errorf("failing since %s after the start, want %s", got.FailingSince.Sub(began), after)
			}
		}
		time.Sleep(time.Hour - time.Second)
		want(0)
		time.Sleep(4 * time.Second) // one has failed
		want(time.Hour)
		time.Sleep(6 * time.Second) // two have
		want(time.Hour)
		time.Sleep(time.Minute)
		want(0)
		shut.Store(true)
		time.Sleep(time.Hour)
		if got := stateOf(t, r); got.FailingSince.IsZero() || got.FailingSince.Before(got.LastSuccess) {
			t.Errorf("failing since %s, success at %s", got.FailingSince.Sub(began), got.LastSuccess.Sub(began))
		}
		shut.Store(false)
		time.Sleep(time.Hour)
		want(0)
	})
}

func TestPause(t *testing.T) {
	every := time.Duration(0)
	f := func(failures int, err *collectors.Error, random float64, want time.Duration) {
		t.Helper()
		if got := pause(failures, err, every, random); got != want {
			t.Errorf("pause after %d failures, every %s, reason %s, retry after %s: %s, want %s",
				failures, every, err.Reason, err.RetryAfter, got, want)
		}
	}
	down := &collectors.Error{Reason: collectors.ReasonUnavailable}
	f(1, down, 0, time.Second)
	f(1, down, 0.5, 750*time.Millisecond)
	f(8, down, 0, 128*time.Second)
	f(9, down, 0, 256*time.Second)
	f(10, down, 0, 5*time.Minute)
	f(1<<30, down, 0, 5*time.Minute)

	denied := &collectors.Error{Reason: collectors.ReasonAuth}
	f(1, denied, 0, time.Minute)
	f(3, denied, 0, 4*time.Minute)
	f(4, denied, 0, 5*time.Minute)

	f(1, &collectors.Error{Reason: collectors.ReasonQuota, RetryAfter: time.Minute}, 0.5, 63*time.Second)
	f(10, &collectors.Error{Reason: collectors.ReasonQuota, RetryAfter: time.Minute}, 0, 5*time.Minute)
	f(1, &collectors.Error{Reason: collectors.ReasonQuota, RetryAfter: 1000 * time.Hour}, 0, 15*time.Minute)

	every = time.Hour
	f(1, denied, 0.5, time.Hour)
	f(9, denied, 0, time.Hour)
	f(1, down, 0, time.Second)
	f(1, &collectors.Error{Reason: collectors.ReasonAuth, RetryAfter: time.Minute}, 0, time.Hour)
	every = 2 * time.Minute
	f(1, denied, 0, 2*time.Minute)
	f(3, denied, 0, 4*time.Minute)
}

func TestPassesThatFailTogetherCountOnce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		var mu sync.Mutex
		began := time.Now()
		s := newStarts()
		add(t, r, Job{MaxConcurrent: 8, Run: func(context.Context) (bool, error) {
			mu.Lock()
			down := time.Since(began) > 100*time.Millisecond
			mu.Unlock()
			if time.Since(began) > 120*time.Millisecond {
				s.note()
			}
			time.Sleep(10 * time.Millisecond)
			if down {
				return false, errors.New("down")
			}
			return true, nil
		}})
		time.Sleep(500 * time.Millisecond)
		got := stateOf(t, r)
		if got.Failures != 1 || got.Limit != 1 || got.Running != 0 || got.Failed[collectors.ReasonInternal] != 8 {
			t.Errorf("%d failures, limit %d, %d running, %v; want 1, 1, 0 and 8 internal", got.Failures, got.Limit, got.Running, got.Failed)
		}
		time.Sleep(3 * time.Second)
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.at) != 2 {
			t.Errorf("passes during the back-off at %v, want two", s.at)
		}
	})
}

func TestTimeout(t *testing.T) {
	var mu sync.Mutex
	var seen []Pass
	o := Options{Observe: func(p Pass) { mu.Lock(); seen = append(seen, p); mu.Unlock() }}
	bubble(t, o, func(t *testing.T, r *Runner) {
		add(t, r, Job{Every: time.Hour, Timeout: 5 * time.Second, Run: func(ctx context.Context) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		}})
		time.Sleep(5500 * time.Millisecond)
		got := stateOf(t, r)
		if _, ok := errors.AsType[*TimeoutError](got.LastError); !ok || got.Reason != collectors.ReasonUnavailable {
			t.Errorf("reason %s, error %v", got.Reason, got.LastError)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	// The pass that Stop cut short is not among them.
	if len(seen) != 1 || seen[0].Duration != 5*time.Second || seen[0].Reason != collectors.ReasonUnavailable || seen[0].Job != "job" {
		t.Errorf("observed %+v", seen)
	}
}

func TestPanicIsAFailedPass(t *testing.T) {
	var out bytes.Buffer
	bubble(t, Options{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(t *testing.T, r *Runner) {
		add(t, r, Job{Every: time.Hour, Run: func(context.Context) (bool, error) { panic("boom") }})
		got := stateOf(t, r)
		if got.Reason != collectors.ReasonInternal || !strings.Contains(got.LastError.Error(), "boom") || got.Health() != HealthFailing {
			t.Errorf("health %s, reason %s, error %v", got.Health(), got.Reason, got.LastError)
		}
	})
	if n := strings.Count(out.String(), "runner_test.go"); n != 1 {
		t.Errorf("the stack was logged %d times, want once:\n%s", n, &out)
	}
}

func TestGoexitIsAFailedPass(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		add(t, r, Job{Every: time.Hour, Run: func(context.Context) (bool, error) { runtime.Goexit(); return false, nil }})
		if got := stateOf(t, r); got.Reason != collectors.ReasonInternal || got.Running != 0 {
			t.Errorf("%d running, reason %s", got.Running, got.Reason)
		}
	})
}

func TestGateStopsPasses(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		var mu sync.Mutex
		shut := errors.New("the ledger cannot commit")
		s := newStarts()
		add(t, r, Job{
			Every: 10 * time.Second,
			Gate: func() error {
				mu.Lock()
				defer mu.Unlock()
				return shut
			},
			Run: func(context.Context) (bool, error) { s.note(); return false, nil },
		})
		time.Sleep(25500 * time.Millisecond)
		if got := stateOf(t, r); got.Health() != HealthGated || !errors.Is(got.Gate, shut) {
			t.Errorf("health %s, gate %v", got.Health(), got.Gate)
		}
		mu.Lock()
		shut = nil
		mu.Unlock()
		time.Sleep(2 * time.Second)
		s.want(t, 26*time.Second)
		if got := stateOf(t, r); got.Health() != HealthOK || got.Gate != nil {
			t.Errorf("health %s, gate %v", got.Health(), got.Gate)
		}
	})
}

func TestRemoveWaitsForPasses(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		var ended time.Time
		run := func(ctx context.Context) (bool, error) {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // finishes its batch
			ended = time.Now()
			return false, ctx.Err()
		}
		add(t, r, Job{Run: run})
		time.Sleep(time.Second)

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Remove(short, "job"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("remove with too little time: %v", err)
		}
		if err := r.Add(Job{Name: "job", MaxConcurrent: 1, Run: run}); err == nil {
			t.Error("a job could be added beside the passes of its predecessor")
		}
		if err := r.Remove(t.Context(), "job"); err != nil {
			t.Fatal(err)
		}
		if ended.IsZero() || time.Since(ended) != 0 {
			t.Errorf("remove came back at %s, the pass ended at %s", time.Now(), ended)
		}
		if err := r.Remove(t.Context(), "job"); err != nil {
			t.Errorf("remove of what is gone: %v", err)
		}
		if s := r.States(); len(s) != 0 {
			t.Errorf("states %v", s)
		}
	})
}

func TestStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Options{})
		add(t, r, Job{Name: "good", Run: func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }})
		add(t, r, Job{Name: "stuck", Run: func(context.Context) (bool, error) { time.Sleep(time.Minute); return false, nil }})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err := r.Stop(ctx)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("stop took %s", took)
		}
		if err == nil || !strings.Contains(err.Error(), "stuck") || strings.Contains(err.Error(), "good") {
			t.Errorf("stop: %v", err)
		}
		if err := r.Add(Job{Name: "late", MaxConcurrent: 1, Run: func(context.Context) (bool, error) { return false, nil }}); !errors.Is(err, ErrStopped) {
			t.Errorf("add after stop: %v", err)
		}
		if err := r.Stop(t.Context()); err != nil {
			t.Errorf("second stop: %v", err)
		}
	})
}

func TestAddRefusesUnsoundJobs(t *testing.T) {
	r := New(Options{})
	run := func(context.Context) (bool, error) { return false, nil }
	for _, j := range []Job{
		{MaxConcurrent: 1, Run: run},
		{Name: "j", MaxConcurrent: 1},
		{Name: "j", Run: run},
		{Name: "j", MaxConcurrent: 1, Run: run, Every: -1},
	} {
		if err := r.Add(j); err == nil {
			t.Errorf("accepted %+v", j)
		}
	}
}

func TestStatesAreSorted(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, r *Runner) {
		for _, name := range []string{"c", "a", "b"} {
			add(t, r, Job{Name: name, Every: time.Hour, Run: func(context.Context) (bool, error) { return false, nil }})
		}
		var names []string
		for _, s := range r.States() {
			names = append(names, s.Name)
		}
		if want := []string{"a", "b", "c"}; !slices.Equal(names, want) {
			t.Errorf("states %v, want %v", names, want)
		}
	})
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
