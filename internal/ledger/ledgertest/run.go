package ledgertest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// SeedVariable names the environment variable that, when it holds a number, is the only seed of the random walks.
const SeedVariable = "LEDGERTEST_SEED"

// Run checks every rule of a ledger against the engine behind f. Each rule gets a place of its own, and rules run in parallel.
func Run(t *testing.T, f Factory) {
	for _, g := range []struct {
		name  string
		rules []rule
	}{
		{"atomicity", atomicity()},
		{"once only", onceOnly()},
		{"durability", durability()},
		{"held entries", heldEntries()},
		{"budgets of ids", budgets()},
		{"unconfirmed", unconfirmed()},
		{"cohorts", cohorts()},
		{"compaction", compaction()},
		{"changes", changes()},
		{"learned from events", learned()},
		{"samples", samples()},
		{"replay", replay()},
		{"retention", retention()},
		{"quarantine", quarantine()},
		{"kept values", keptValues()},
		{"readings", readings()},
		{"alerts", keptAlerts()},
		{"outbox", outbox()},
		{"reports", keptReports()},
		{"faults", faults()},
		{"random walks", walks(seeds(t, 3))},
	} {
		t.Run(g.name, func(t *testing.T) {
			for _, rule := range g.rules {
				t.Run(rule.name, func(t *testing.T) {
					t.Parallel()
					place := f(t)
					if rule.needs != nil && !rule.needs(place) {
						t.Logf("left out: the engine cannot cause this fault")
						return
					}
					rule.check(newRig(t, place))
				})
			}
		})
	}
}

// rule is one thing that every ledger does.
type rule struct {
	name  string
	check func(r *rig)
	// needs, when not nil, says whether a place offers the fault that the rule is about.
	needs func(Place) bool
}

// seeds are those of a random walk: n fixed ones, or the one of the environment.
func seeds(t *testing.T, n int) []uint64 {
	t.Helper()
	if v := os.Getenv(SeedVariable); v != "" {
		seed, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", SeedVariable, err)
		}
		return []uint64{seed}
	}
	fixed := make([]uint64, n)
	for i := range fixed {
		fixed[i] = uint64(i + 1)
	}
	return fixed
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
