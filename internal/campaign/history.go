package campaign

import (
	"slices"
	"time"
)

// Dated are rules and since when they are in force.
type Dated struct {
	Since time.Time
	Rules *Rules
}

// History holds all versions of the rules. It does not change.
type History struct{ versions []Dated }

// NewHistory makes a history of at least one version, given in any order. Of two versions with the same time the later
// one in the list wins.
func NewHistory(versions []Dated) *History {
	sorted := slices.Clone(versions)
	slices.SortStableFunc(sorted, func(a, b Dated) int { return a.Since.Compare(b.Since) })
	return &History{versions: sorted}
}

// At returns the rules for mail sent at that time: the newest version since then or earlier. Mail older than the first
// version falls under the first, because no better rules are known. It is nil when there is no version at all.
func (h *History) At(sentAt time.Time) *Rules {
	for _, v := range slices.Backward(h.versions) {
		if !v.Since.After(sentAt) {
			return v.Rules
		}
	}
	if len(h.versions) == 0 {
		return nil
	}
	return h.versions[0].Rules
}
