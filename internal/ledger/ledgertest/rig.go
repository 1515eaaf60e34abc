package ledgertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "time/tzdata" // Days are cut in named zones, also on machines without a zone database.

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/internal/ledger"
)

const day = 24 * time.Hour

// start is a whole hour on a plain Monday, far from any change of daylight saving.
var start = time.Date(2026, 2, 2, 10, 0, 0, 0, time.UTC)

// clock is the time that a ledger under test believes in.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

// rig is one place with a ledger in it, a clock, and short ways to use and check them. The ledger is opened at its first use,
// so a rule may change the settings and the clock before. Every method fails the test on an error that it does not return.
type rig struct {
	*testing.T
	place    Place
	clock    *clock
	settings Settings
	opened   ledger.Ledger
}

func newRig(t *testing.T, place Place) *rig {
	c := &clock{now: start}
	r := &rig{T: t, place: place, clock: c, settings: Settings{
		Now: c.Now, Zone: time.UTC, RoutineIDs: 100_000, ExceptionalIDs: 100_000, QuarantineBytes: 1 << 20,
	}}
	t.Cleanup(func() {
		if r.opened != nil {
			r.close()
		}
	})
	return r
}

func (r *rig) ledger() ledger.Ledger {
	r.Helper()
	if r.opened == nil {
		l, err := r.place.Open(r.settings)
		r.must("open", err)
		r.opened = l
	}
	return r.opened
}

func (r *rig) close() {
	r.Helper()
	l := r.ledger()
	r.opened = nil
	r.must("close", l.Close())
}

func (r *rig) reopen() {
	r.Helper()
	r.close()
	r.ledger()
}

// crash kills the ledger and opens what it left behind.
func (r *rig) crash() {
	r.Helper()
	r.place.Crash(r.ledger())
	r.opened = nil
	r.ledger()
}

func (r *rig) must(what string, err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("%s: %v", what, err)
	}
}

func (r *rig) now() time.Time { return r.clock.Now() }

func (r *rig) advance(d time.Duration) { r.clock.set(r.now().Add(d)) }

func (r *rig) commit(p ledger.Put) ledger.Result {
	r.Helper()
	result, err := r.ledger().Commit(r.Context(), p)
	r.must("commit", err)
	if len(result.Fates) != len(p.Entries) {
		r.Fatalf("%d fates for %d entries", len(result.Fates), len(p.Entries))
	}
	return result
}

// expect commits p and checks the fates of its entries.
func (r *rig) expect(p ledger.Put, want ...ledger.Fate) {
	r.Helper()
	r.same("fates", r.commit(p).Fates, want)
}

// count commits entries that must all be new.
func (r *rig) count(entries ...ledger.Entry) {
	r.Helper()
	r.all(ledger.Put{Source: queue, Entries: entries}, ledger.Counted)
}

// all commits p and checks that all its entries have one fate.
func (r *rig) all(p ledger.Put, fate ledger.Fate) {
	r.Helper()
	for i, got := range r.commit(p).Fates {
		if got != fate {
			r.Fatalf("entry %d of %d: fate %d, want %d", i, len(p.Entries), got, fate)
		}
	}
}

func (r *rig) fold() {
	r.Helper()
	r.must("fold", r.ledger().Fold(r.Context()))
}

func (r *rig) release() []ledger.Entry {
	r.Helper()
	entries, err := r.ledger().Release(r.Context())
	r.must("release", err)
	return entries
}

// settle folds and maintains until the ledger has nothing more to do.
func (r *rig) settle() {
	r.Helper()
	r.fold()
	for range 100_000 {
		more, err := r.ledger().Maintain(r.Context())
		r.must("maintain", err)
		if !more {
			r.fold()
			return
		}
	}
	r.Fatal("maintain finds no end")
}

// status is the ledger's own account, folded.
func (r *rig) status() ledger.Status {
	r.Helper()
	r.fold()
	s, err := r.ledger().Status(r.Context())
	r.must("status", err)
	return s
}

// maxDiff bounds the lines of a difference that are shown.
const maxDiff = 60

// same compares; order counts, empty and nil are equal.
func (r *rig) same(what string, got, want any) {
	r.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		if lines := strings.SplitAfterN(diff, "\n", maxDiff+1); len(lines) > maxDiff {
			diff = strings.Join(lines[:maxDiff], "") + "and so on"
		}
		r.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// together calls f n times at once and waits for all; f must not end the test.
func (r *rig) together(n int, f func(i int) error) {
	r.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	r.must("together", errors.Join(errs...))
}

// read gives what a reader's method answers.
func read[T any](r *rig, what string, f func(context.Context) (T, error)) T {
	r.Helper()
	answer, err := f(r.Context())
	r.must(what, err)
	return answer
}

// sorted gives a copy of rows in an order of their own.
func sorted[T any](rows []T, compare func(a, b T) int) []T {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compare)
	return rows
}
