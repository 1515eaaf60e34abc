package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/simulator"
)

// reading says that the daemon reads that many sources.
func (r *run) reading(n int) func() bool {
	return func() bool {
		states := r.daemon.passes.States()
		for i := range states {
			if states[i].LastStart.IsZero() {
				return false
			}
		}
		return len(states) == n
	}
}

func TestAReloadIsFinishedWhenItsCallerHasGone(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	r.until(t, "reading", r.reading(4))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.rewrite(t, "region: eu-west-1}", "region: eu-west-1, max_passes: 3}")
	if err := r.daemon.Reload(ctx); err != nil {
		t.Error(err)
	}
	r.until(t, "reading again", r.reading(4))
}

func TestAReloadThatWaitsForAPassHoldsUpNoScrape(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	r.until(t, "reading", r.reading(4))
	release, started := make(chan struct{}), make(chan struct{})
	err := r.daemon.passes.Add(schedule.Job{Name: jobOf(kindSES, "stuck"), MaxConcurrent: 1, Run: func(context.Context) (bool, error) {
		close(started)
		<-release
		return false, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	<-started
	r.daemon.reloading.Lock()
	r.daemon.mu.Lock()
	r.daemon.sources[jobOf(kindSES, "stuck")] = new(source)
	r.daemon.mu.Unlock()
	r.daemon.reloading.Unlock()

	began := time.Now()
	late := func() bool { return time.Since(began) > drainTimeout } // a reload does not wait for longer
	reloaded := make(chan error, 1)
	go func() { reloaded <- r.daemon.Reload(t.Context()) }()
	r.until(t, "reloading", func() bool {
		r.daemon.mu.Lock()
		defer r.daemon.mu.Unlock()
		return r.daemon.sources[jobOf(kindSES, "stuck")] == nil
	})
	for _, path := range []string{"/metrics", "/api/v1/sources"} {
		resp := r.get(t, path)
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, err)
		}
	}
	select {
	case err := <-reloaded:
		if !late() {
			t.Errorf("the reload did not wait: %v", err)
		}
		reloaded <- err
	default:
	}
	close(release)
	if err := <-reloaded; err != nil && !late() {
		t.Error(err)
	}
}

func TestAQueueThatShouldBeReadIsTakenUpAgain(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	r.until(t, "reading", r.reading(4))
	r.daemon.reloading.Lock()
	name := jobOf(kindSES, simulator.EventsQueue)
	err := r.daemon.dropSource(t.Context(), name, r.daemon.sources[name])
	r.daemon.reloading.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.daemon.keepSources(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.until(t, "reading again", r.reading(4))
}

func TestTheStateOfTheLedgerIsReadWithoutAFold(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	if err := r.daemon.chores.Remove(t.Context(), "fold"); err != nil {
		t.Fatal(err)
	}
	before := r.daemon.status.Load()
	r.until(t, "read again", func() bool { return r.daemon.status.Load() != before })
}

// TestAStopIsBounded stops a daemon whose disk hangs, so that nothing ends by itself.
func TestAStopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Daemon{log: slog.New(slog.DiscardHandler)}
		hung := make(chan struct{})
		defer close(hung)
		hang := func() error { <-hung; return nil }
		for _, what := range []string{"metrics", "ledger", "housekeeping", "passes over sources", "HTTP server"} {
			d.onStop(what, func(ctx context.Context) error { return within(ctx, hang) })
		}
		began := time.Now()
		err := d.stop()
		if took := time.Since(began); took >= 10*time.Second {
			t.Errorf("the stop took %v", took)
		}
		if err == nil || !strings.Contains(err.Error(), "stop ledger: it takes too long") {
			t.Errorf("got %v", err)
		}
	})
}

// rewrite replaces a part of the configuration file.
func (r *run) rewrite(t *testing.T, old, text string) {
	t.Helper()
	good := r.text(t)
	if !strings.Contains(good, old) {
		t.Fatalf("the configuration has no %q:\n%s", old, good)
	}
	r.write(t, strings.Replace(good, old, text, 1))
}

func (r *run) text(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
