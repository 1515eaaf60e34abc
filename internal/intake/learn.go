package intake

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

const (
	// learnedLimit bounds the domains whose platform is learned; the domains beyond stay "other".
	learnedLimit = 200_000
	// learnDelay is how far ahead of its commit a learned domain takes effect, so that no mail sent at that instant is
	// classified in two ways by passes that run side by side.
	learnDelay = 10 * time.Minute
	// relearnAfter is how long a learned platform is kept before another may take its place: domains move seldom, and
	// replies that contradict each other must not make a domain flicker.
	relearnAfter = 24 * time.Hour
)

// learned is the dated map from recipient domains to providers that SMTP replies gave away.
type learned struct {
	mu sync.RWMutex
	// domains holds, per domain, what was learned, oldest first.
	domains map[string][]learnedSince
}

type learnedSince struct {
	provider string
	since    time.Time
}

func newLearned(known []ledger.LearnedDomain) *learned {
	l := &learned{domains: make(map[string][]learnedSince, len(known))}
	for _, d := range known {
		l.domains[d.Domain] = append(l.domains[d.Domain], learnedSince{d.Provider, d.Since})
	}
	return l
}

// provider returns the platform of a domain as it was known for mail sent then.
func (l *learned) provider(domain string, sentAt time.Time) (string, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	steps := l.domains[domain]
	for _, step := range slices.Backward(steps) {
		if !sentAt.Before(step.since) {
			return step.provider, true
		}
	}
	return "", false
}

// wants says whether a reply that names the provider would teach something new.
func (l *learned) wants(domain, provider string, now time.Time) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	steps := l.domains[domain]
	if len(steps) == 0 {
		return len(l.domains) < learnedLimit
	}
	last := steps[len(steps)-1]
	return last.provider != provider && now.Sub(last.since) > relearnAfter
}

// learn adds what has been committed. What is already known is left alone.
func (l *learned) learn(news []ledger.LearnedDomain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range news {
		steps := l.domains[d.Domain]
		if n := len(steps); n > 0 && (steps[n-1].provider == d.Provider || !d.Since.After(steps[n-1].since)) {
			continue
		}
		l.domains[strings.Clone(d.Domain)] = append(steps, learnedSince{d.Provider, d.Since})
	}
}
