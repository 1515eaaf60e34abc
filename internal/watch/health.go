package watch

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// NotifierState is how a notifier does.
type NotifierState struct {
	Notifier string
	// FailingSince is when the failures began that no success has followed; zero while it works.
	FailingSince time.Time
	// LastSuccess and LastFailure are zero when there was none since the start.
	LastSuccess, LastFailure time.Time
	// Reason and Error are those of the last failure, while it fails.
	Reason alerts.DeliveryReason
	Error  string
}

// FailingFor is for how long the notifier has taken no notification, 0 while it works.
func (s *NotifierState) FailingFor(now time.Time) time.Duration {
	if s.FailingSince.IsZero() {
		return 0
	}
	return max(now.Sub(s.FailingSince), 0)
}

// forgiven is how long after its last failure a notifier that was not asked again counts as one that works. What may pass
// is tried again much sooner, so this is about notifications that were refused for good.
const forgiven = time.Hour

// health remembers how the notifiers do.
type health struct {
	now func() time.Time

	mu     sync.Mutex // protects all following fields
	byName map[string]*NotifierState
}

func newHealth(now func() time.Time) *health {
	return &health{now: now, byName: make(map[string]*NotifierState)}
}

// keep forgets notifiers that are gone and takes up those that are new.
func (h *health) keep(notifiers map[string]alerts.Notifier) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.byName, func(name string, _ *NotifierState) bool { return notifiers[name] == nil })
	for name := range notifiers {
		if h.byName[name] == nil {
			h.byName[name] = &NotifierState{Notifier: name}
		}
	}
}

// note takes note of what a notifier said, nil for a success, and says whether it has begun to fail.
func (h *health) note(name string, err *alerts.DeliveryError, at time.Time) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.byName[name]
	if s == nil {
		return false
	}
	h.forgive(s, at)
	if err == nil {
		s.FailingSince, s.Reason, s.Error, s.LastSuccess = time.Time{}, "", "", at
		return false
	}
	first = s.FailingSince.IsZero()
	if first {
		s.FailingSince = at
	}
	s.LastFailure, s.Reason, s.Error = at, err.Reason, inShort(err.Err)
	return first
}

func (h *health) forgive(s *NotifierState, now time.Time) {
	if !s.FailingSince.IsZero() && now.Sub(s.LastFailure) > forgiven {
		s.FailingSince, s.Reason, s.Error = time.Time{}, "", ""
	}
}

func (h *health) states() []NotifierState {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]NotifierState, 0, len(h.byName))
	for _, s := range h.byName {
		h.forgive(s, now)
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b NotifierState) int { return strings.Compare(a.Notifier, b.Notifier) })
	return all
}
