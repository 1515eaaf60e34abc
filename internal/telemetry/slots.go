package telemetry

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// slotKeep is how long a name keeps its place among the exported after its last use.
const slotKeep = 24 * time.Hour

// name is a campaign, or a provider with an empty tenant.
type name struct{ tenant, name string }

var otherName = name{name: observation.Other}

// slots decides which names are exported as themselves; the rest is exported as (other). A place is kept for at least a day
// after its last use, so that an increment stays on the series that got it.
type slots struct {
	max int
	// other is the name of the rest.
	other name

	mu sync.RWMutex
	// used holds when each exported name was last used.
	used map[name]*slot
}

type slot struct {
	since, used time.Time
}

func newSlots(limit int, other name) *slots {
	return &slots{max: limit, other: other, used: make(map[name]*slot)}
}

// of returns the name under which n is exported: itself when it has a place or one is free, else the rest.
func (s *slots) of(n name, now time.Time) name {
	s.mu.RLock()
	place, ok := s.used[n]
	fresh := ok && now.Sub(place.used) < time.Minute
	s.mu.RUnlock()
	if fresh {
		return n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if place, ok = s.used[n]; ok {
		place.used = now
		return n
	}
	if n == s.other || len(s.used) >= s.max {
		return s.other
	}
	n = name{strings.Clone(n.tenant), strings.Clone(n.name)}
	s.used[n] = &slot{since: now, used: now}
	return n
}

// rebalance frees the places of names unused for a day, and then gives names of the ranking that have none the places of
// names that stand in no ranking and have had theirs for a day. It returns the names that lost their place. The ranking
// begins with the most important; what goes beyond the places is left out, and so is the rest, which needs none.
func (s *slots) rebalance(ranking []name, now time.Time) (lost []name) {
	ranking = slices.DeleteFunc(slices.Clone(ranking), func(n name) bool { return n == s.other })
	s.mu.Lock()
	defer s.mu.Unlock()
	ranked := make(map[name]bool, len(ranking))
	wanting := 0
	for _, n := range ranking[:min(len(ranking), s.max)] {
		ranked[n] = true
		if s.used[n] == nil {
			wanting++
		}
	}
	for n, place := range s.used {
		idle := now.Sub(place.used) >= slotKeep
		pushed := !ranked[n] && now.Sub(place.since) >= slotKeep && s.max-len(s.used) < wanting
		if idle && !ranked[n] || pushed {
			delete(s.used, n)
			lost = append(lost, n)
		}
	}
	for _, n := range ranking {
		if len(s.used) >= s.max {
			break
		}
		if s.used[n] == nil {
			s.used[n] = &slot{since: now, used: now}
		}
	}
	return lost
}
