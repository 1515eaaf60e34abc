package fault

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// When says which of the requests that a fault selects it strikes.
type When struct {
	// Skip is how many selected requests it spares at first, Share the share of the others that it strikes, 0 meaning all;
	// Times is how many it strikes at most, 0 meaning any number.
	Skip  int
	Share float64
	Times int
}

// Set holds the injected faults of a service, which are of its type F.
type Set[F any] struct {
	mu     sync.Mutex // protects all following fields
	rand   *rand.Rand
	active []*injected[F]
}

type injected[F any] struct {
	fault F
	when  When
}

// NewSet makes a set. Seed makes the shares.
func NewSet[F any](seed uint64) *Set[F] { return &Set[F]{rand: rand.New(rand.NewPCG(seed, 1))} }

// Inject adds a fault until remove is called.
func (s *Set[F]) Inject(fault F, when When) (remove func()) {
	one := &injected[F]{fault, when}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = append(s.active, one)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drop(one)
	}
}

// First returns the first fault that strikes a request, nil when none does. Selects says whether a fault is for the request;
// the set is locked meanwhile.
func (s *Set[F]) First(selects func(*F) bool) *F {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.active {
		if selects(&one.fault) && s.strikes(one) {
			return new(one.fault)
		}
	}
	return nil
}

// All returns all faults that strike a request, in the order in which they were injected.
func (s *Set[F]) All(selects func(*F) bool) (struck []F) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range slices.Clone(s.active) {
		if selects(&one.fault) && s.strikes(one) {
			struck = append(struck, one.fault)
		}
	}
	return struck
}

// Draw says by chance, for that share of calls, that something is to happen; always when share is 0.
func (s *Set[F]) Draw(share float64) bool {
	if share == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.Float64() < share
}

// strikes counts a request that a fault selects.
func (s *Set[F]) strikes(one *injected[F]) bool {
	switch {
	case one.when.Skip > 0:
		one.when.Skip--
		return false
	case one.when.Share > 0 && s.rand.Float64() >= one.when.Share:
		return false
	}
	if one.when.Times > 0 {
		if one.when.Times--; one.when.Times == 0 {
			s.drop(one)
		}
	}
	return true
}

func (s *Set[F]) drop(one *injected[F]) {
	s.active = slices.DeleteFunc(s.active, func(other *injected[F]) bool { return other == one })
}
