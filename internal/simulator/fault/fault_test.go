package fault_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/fault"
)

type named struct{ name, op string }

// ask asks n times which fault strikes an operation, - for none.
func ask(s *fault.Set[named], op string, n int) (struck []string) {
	for range n {
		name := "-"
		if f := s.First(func(f *named) bool { return f.op == op }); f != nil {
			name = f.name
		}
		struck = append(struck, name)
	}
	return struck
}

func TestWhen(t *testing.T) {
	t.Parallel()
	s := fault.NewSet[named](1)
	check := func(op string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, ask(s, op, len(want))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	check("read", "-")
	s.Inject(named{"a", "read"}, fault.When{Skip: 1, Times: 2})
	remove := s.Inject(named{"b", "read"}, fault.When{})
	check("write", "-")
	check("read", "b", "a", "a", "b", "b")
	remove()
	remove()
	check("read", "-", "-")
}

func TestAll(t *testing.T) {
	t.Parallel()
	s := fault.NewSet[named](1)
	s.Inject(named{"a", "read"}, fault.When{Times: 1})
	s.Inject(named{"b", "write"}, fault.When{})
	s.Inject(named{"c", "read"}, fault.When{Skip: 1})
	s.Inject(named{"d", "read"}, fault.When{})
	for _, want := range [][]named{{{"a", "read"}, {"d", "read"}}, {{"c", "read"}, {"d", "read"}}} {
		got := s.All(func(f *named) bool { return f.op == "read" })
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(named{})); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestShares holds that shares are about kept, and the same for the same seed.
func TestShares(t *testing.T) {
	t.Parallel()
	const n = 2_000
	draw := func(seed uint64) (struck []string, drawn int) {
		s := fault.NewSet[named](seed)
		s.Inject(named{"a", "read"}, fault.When{Share: 0.25})
		struck = ask(s, "read", n)
		for range n {
			if !s.Draw(0) {
				t.Fatal("a share of 0 means all")
			}
			if s.Draw(0.75) {
				drawn++
			}
		}
		return struck, drawn
	}
	struck, drawn := draw(7)
	again, _ := draw(7)
	if diff := cmp.Diff(struck, again); diff != "" {
		t.Errorf("another outcome with the same seed\n%s", diff)
	}
	hits := 0
	for _, name := range struck {
		if name == "a" {
			hits++
		}
	}
	if hits < 400 || hits > 600 || drawn < 1_400 || drawn > 1_600 {
		t.Errorf("%d of %d were struck, %d drawn, want a quarter and three", hits, n, drawn)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s := fault.NewSet[named](1)
	s.Inject(named{"a", "read"}, fault.When{Times: 100})
	var mu sync.Mutex
	struck := 0
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				s.Inject(named{"b", "write"}, fault.When{})()
				if ask(s, "read", 1)[0] == "a" {
					mu.Lock()
					struck++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if struck != 100 {
		t.Errorf("it struck %d times, want 100", struck)
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	do := func(e fault.Effect, timeout time.Duration) (*http.Response, error) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if e.Do(w, r, nil) {
				_, _ = io.WriteString(w, "from the service")
			}
		}))
		t.Cleanup(s.Close)
		client := &http.Client{Timeout: timeout}
		return client.Get(s.URL)
	}
	for _, kind := range []fault.Kind{fault.Delay, fault.Error, fault.Truncate, fault.Own} {
		began := time.Now()
		r, err := do(fault.Effect{Kind: kind, Delay: 20 * time.Millisecond}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || string(body) != "from the service" || time.Since(began) < 20*time.Millisecond {
			t.Errorf("kind %d: %q, %v after %s", kind, body, err, time.Since(began))
		}
	}
	r, err := do(fault.Effect{Kind: fault.Status, Status: http.StatusBadGateway, RetryAfter: 1500 * time.Millisecond}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusBadGateway || r.Header.Get("Retry-After") != "2" {
		t.Errorf("status %d, retry after %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	if _, err := do(fault.Effect{Kind: fault.Reset}, time.Minute); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	for _, e := range []fault.Effect{{Kind: fault.Hang}, {Delay: 10 * time.Minute}} {
		if _, err := do(e, 300*time.Millisecond); err == nil || !err.(interface{ Timeout() bool }).Timeout() {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

// TestClosing holds that the end of a service is the end of hangs and delays.
func TestClosing(t *testing.T) {
	t.Parallel()
	closing := make(chan struct{})
	close(closing)
	for _, e := range []fault.Effect{{Kind: fault.Hang}, {Delay: time.Hour}} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Do(w, r, closing) }))
		r, err := http.Get(s.URL)
		if err == nil {
			_ = r.Body.Close()
		}
		if hung := e.Kind == fault.Hang; hung != (err != nil) {
			t.Errorf("%+v: %v", e, err)
		}
		s.Close()
	}
}
