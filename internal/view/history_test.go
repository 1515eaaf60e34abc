package view

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/signal"
)

// Whatever is committed, at whatever point between two readings, a history that is kept says what one read afresh does.
func TestHistoriesAreTheCohorts(t *testing.T) {
	kept := 0
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 3))
		w := &world{random: random, ledger: &memory{asOf: noon.Add(30 * time.Minute)}}
		v := New(w.ledger, Options{Group: group, Settings: settings(t)})
		for step := range 30 {
			w.happen()
			w.ledger.asOf = w.ledger.asOf.Add(time.Duration(random.IntN(90)) * time.Second)
			check(t, v.Refresh(t.Context()))
			w.ledger.between = func() {
				if random.IntN(20) == 0 {
					w.happen()
				}
			}
			if random.IntN(2) == 0 {
				v.histories.kept = nil
			}
			reads := w.ledger.reads
			if _, err := v.Campaign(t.Context(), "1", "2", signal.Week); err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			w.ledger.between = nil
			if w.ledger.reads == reads {
				kept++
			}
			check(t, v.Refresh(t.Context()))
			got, want := v.Story("1", "2", signal.Week), v.Story("1", "2", signal.Week)
			err := got.Read(t.Context())
			v.histories.kept = nil
			wantErr := want.Read(t.Context())
			if !errors.Is(err, wantErr) {
				t.Fatalf("seed %d, step %d: %v, want %v", seed, step, err, wantErr)
			}
			if diff := cmp.Diff(want.Detail, got.Detail); diff != "" {
				t.Fatalf("seed %d, step %d (-want +got):\n%s", seed, step, diff)
			}
			if diff := cmp.Diff(want.Timeline(35*24*time.Hour), got.Timeline(35*24*time.Hour)); diff != "" {
				t.Fatalf("seed %d, step %d (-want +got):\n%s", seed, step, diff)
			}
		}
	}
	if kept < 30 {
		t.Errorf("the ledger's cohorts were read all but %d times of 120", kept)
	}
}

// TestHistoriesAreLetGo: what nobody asks for is forgotten, and what many ask for is bounded.
func TestHistoriesAreLetGo(t *testing.T) {
	m := season()
	v := refreshed(t, m, settings(t))
	for range maxHistories + 3 {
		if _, err := v.Campaign(t.Context(), "", "spring", signal.Week); err != nil {
			t.Fatal(err)
		}
	}
	if len(v.histories.kept) != 1 || len(v.histories.kept[0].rows) == 0 {
		t.Errorf("one campaign is kept as %v", v.histories.kept)
	}
	for i := range maxHistories + 3 {
		v.histories.of(name{"", string(rune('a' + i))}, noon)
	}
	if len(v.histories.kept) != maxHistories {
		t.Errorf("%d campaigns are kept", len(v.histories.kept))
	}
	m.asOf = m.asOf.Add(historyKept + time.Second)
	check(t, v.Refresh(t.Context()))
	if len(v.histories.kept) != 0 {
		t.Errorf("%d campaigns are kept that nobody asks for", len(v.histories.kept))
	}
}
