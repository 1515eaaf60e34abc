package view

import (
	"cmp"
	"slices"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// ReasonQuery selects reasons by the mail that they were given for. Empty fields select all; a campaign needs its tenant.
type ReasonQuery struct {
	Window                     signal.Window
	Tenant, Campaign, Provider string
}

// Reasons lists why mail of a rolling window was refused or put off, the most frequent first, without samples.
func (v *View) Reasons(q ReasonQuery) []Reason {
	v.mu.RLock()
	defer v.mu.RUnlock()
	over, counted := spanOf(q.Window), reasonCounts{}
	if q.Campaign != "" {
		if c := v.sums.campaigns[name{q.Tenant, q.Campaign}]; c != nil {
			v.countReasons(counted, c, over, q.Provider)
		}
		return v.reasons(counted)
	}
	for _, c := range v.sums.campaigns {
		if q.Tenant == "" || q.Tenant == c.name.tenant {
			v.countReasons(counted, c, over, q.Provider)
		}
	}
	return v.reasons(counted)
}

// reasonCounts is how often reasons were given.
type reasonCounts map[reasonKey]int64

type reasonKey struct {
	provider, reason uint16
	outcome          observation.Outcome
}

// countReasons adds those of a campaign, at one provider if it is named. Called with mu held.
func (v *View) countReasons(counted reasonCounts, c *campaignSums, over span, provider string) {
	for _, cell := range c.cells {
		key := reasonKey{cell.key.provider(), cell.key.reason(), cell.key.outcome()}
		if cell.n[over] != 0 && key.outcome != possible && v.sums.reasons.names[key.reason] != "" &&
			(provider == "" || provider == v.sums.providers.names[key.provider]) {
			counted[key] += cell.n[over]
		}
	}
}

// reasons lists what was counted, most frequent first. Called with mu held.
func (v *View) reasons(counted reasonCounts) []Reason {
	reasons := make([]Reason, 0, len(counted))
	for key, n := range counted {
		reason := v.sums.reasons.names[key.reason]
		reasons = append(reasons, Reason{
			Provider: v.sums.providers.names[key.provider], Outcome: key.outcome.String(), Reason: reason, Group: v.group(reason), N: n,
		})
	}
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Outcome, b.Outcome),
			cmp.Compare(a.Reason, b.Reason))
	})
	return reasons
}
