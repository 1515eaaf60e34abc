package intake

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// maxSeen is how many names of a flood are told apart, at 8 bytes and what a map needs for each.
const maxSeen = 1 << 16

// maxSources bounds what names can come from; rules may change again and again.
const maxSources = 100

// Flood is how many names of campaigns were counted as (other) since the start, by what they came from: "tag campaign". A name
// counts once on each day, so that the number grows for as long as the flood lasts.
type Flood struct {
	From  string
	Names int64
}

// Floods lists what campaigns are named by, those without a flood too, in the order of the names.
func (in *Intake) Floods() []Flood {
	all := in.floods.list()
	for _, from := range in.settings.Load().history.At(in.now()).Sources() {
		if !slices.ContainsFunc(all, func(f Flood) bool { return f.From == from }) {
			all = append(all, Flood{From: from})
		}
	}
	slices.SortFunc(all, func(a, b Flood) int { return strings.Compare(a.From, b.From) })
	return all
}

// floods counts names that have no place.
type floods struct {
	seed maphash.Seed

	mu    sync.Mutex // protects all following fields
	day   int64
	seen  map[uint64]bool
	names map[string]int64
}

func newFloods() *floods {
	return &floods{seed: maphash.MakeSeed(), seen: make(map[uint64]bool), names: make(map[string]int64)}
}

// note counts a name, unless it was counted that day. When more come in a day than can be told apart, those that come again
// may be counted again: it is a flood either way.
func (f *floods) note(from string, c observation.Campaign, now time.Time) {
	hash := maphash.Comparable(f.seed, c)
	f.mu.Lock()
	defer f.mu.Unlock()
	if today := dayOf(now); today > f.day || len(f.seen) >= maxSeen {
		f.day = max(f.day, today)
		clear(f.seen)
	}
	if f.seen[hash] {
		return
	}
	f.seen[hash] = true
	from = cmp.Or(from, "tenants") // many of which have mail that no rule names
	if _, known := f.names[from]; !known && len(f.names) >= maxSources {
		from = observation.Other
	}
	f.names[from]++
}

func (f *floods) list() []Flood {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []Flood
	for from, n := range f.names {
		all = append(all, Flood{from, n})
	}
	return all
}
