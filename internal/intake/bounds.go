package intake

import (
	"cmp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Bounds caps how many different names a day may bring; the names beyond are folded into (other).
type Bounds struct {
	// Campaigns counts campaigns of all tenants, each unrenamed name for itself.
	Campaigns int
	// Tenants, FromDomains and Identifiers count what their names say; Identifiers are the values of Feedback-ID fields.
	Tenants, FromDomains, Identifiers int
	// ConfigurationSets counts sets of all accounts and regions; SES allows 10,000 in each.
	ConfigurationSets int
}

// DefaultBounds are the caps of a daemon whose configuration says nothing.
func DefaultBounds() Bounds {
	return Bounds{Campaigns: 20_000, Tenants: 10_000, FromDomains: 5_000, Identifiers: 50_000, ConfigurationSets: 20_000}
}

func (b Bounds) orDefault() Bounds {
	d := DefaultBounds()
	return Bounds{
		Campaigns:   cmp.Or(b.Campaigns, d.Campaigns),
		Tenants:     cmp.Or(b.Tenants, d.Tenants),
		FromDomains: cmp.Or(b.FromDomains, d.FromDomains),
		Identifiers: cmp.Or(b.Identifiers, d.Identifiers),

		ConfigurationSets: cmp.Or(b.ConfigurationSets, d.ConfigurationSets),
	}
}

// names admits names of one dimension. A name that was admitted stays admitted as long as it is remembered, so that a late
// event joins its cohort; only names never seen before compete for the day's places.
type names[K comparable] struct {
	// clone copies a name out of the memory that it shares with an event.
	clone func(K) K
	limit int

	mu sync.RWMutex
	// day is the day being counted, today how many of its names were used for the first time that day.
	day   int64
	today int
	// used holds the last day on which each name was used.
	used map[K]int64

	folded atomic.Int64
}

const (
	day = 24 * time.Hour
	// rememberDays is how long an unused name keeps its place: as long as an event of its mail may come.
	rememberDays = int64(maxAge / day)
)

func newNames[K comparable](limit int, clone func(K) K) *names[K] {
	return &names[K]{limit: limit, clone: clone, used: make(map[K]int64)}
}

func dayOf(t time.Time) int64 { return t.Unix() / int64(day/time.Second) }

// admit says whether the name has a place, or gets one. When it says no the name is counted as folded.
func (n *names[K]) admit(name K, now time.Time) bool {
	today := dayOf(now)
	n.mu.RLock()
	last, known := n.used[name]
	n.mu.RUnlock()
	if known && last >= today {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if today > n.day {
		n.turn(today)
	}
	last, known = n.used[name]
	if !known && n.today >= n.limit {
		n.folded.Add(1)
		return false
	}
	if !known || last < n.day {
		n.today++
		n.used[n.clone(name)] = n.day
	}
	return true
}

// remember gives places to names that were used on an earlier day, as at start.
func (n *names[K]) remember(name K, lastUsed time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.used[name] = max(n.used[name], dayOf(lastUsed))
}

// turn begins a day: names unused for too long lose their places, and when a flood has left too many of them, so do those
// not used on the day before.
func (n *names[K]) turn(today int64) {
	oldest := today - rememberDays
	if len(n.used) > 4*n.limit {
		oldest = today - 1
	}
	for name, last := range n.used {
		if last < oldest {
			delete(n.used, name)
		}
	}
	n.day, n.today = today, 0
	for _, last := range n.used {
		if last >= today {
			n.today++
		}
	}
}

// tracked is how many names have a place.
func (n *names[K]) tracked() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.used)
}

// bounded holds the names of every dimension that mail itself can grow.
type bounded struct {
	campaigns                         *names[observation.Campaign]
	tenants, fromDomains, identifiers *names[string]
	configurationSets                 *names[string]
}

func newBounded(b Bounds) *bounded {
	return &bounded{
		campaigns:   newNames(b.Campaigns, cloneCampaign),
		tenants:     newNames(b.Tenants, strings.Clone),
		fromDomains: newNames(b.FromDomains, strings.Clone),
		identifiers: newNames(b.Identifiers, strings.Clone),

		configurationSets: newNames(b.ConfigurationSets, strings.Clone),
	}
}

func cloneCampaign(c observation.Campaign) observation.Campaign {
	return observation.Campaign{
		Tenant: strings.Clone(c.Tenant), Name: strings.Clone(c.Name), Send: strings.Clone(c.Send),
	}
}

// campaign folds a campaign's tenant and name; ok is false when the name has no place.
func (b *bounded) campaign(c observation.Campaign, now time.Time) (kept observation.Campaign, ok bool) {
	c.Tenant = fold(b.tenants, c.Tenant, now)
	if b.campaigns.admit(c, now) {
		return c, true
	}
	return observation.Campaign{Tenant: c.Tenant, Name: observation.Other}, false
}

// maxSet is the longest name of a configuration set that SES allows
// (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html).
const maxSet = 64

// configurationSet folds a set's name.
func (b *bounded) configurationSet(name string, now time.Time) string {
	if len(name) > maxSet {
		b.configurationSets.folded.Add(1)
		return observation.Other
	}
	return fold(b.configurationSets, name, now)
}

// stamp folds a stamp's values.
func (b *bounded) stamp(s observation.Stamp, now time.Time) observation.Stamp {
	s.FromDomain = fold(b.fromDomains, s.FromDomain, now)
	s.A = fold(b.identifiers, s.A, now)
	s.B = fold(b.identifiers, s.B, now)
	s.C = fold(b.identifiers, s.C, now)
	s.FeedbackFrom = fold(b.identifiers, s.FeedbackFrom, now)
	return s
}

// fold returns the name, or (other) when it has no place. The empty name is "none", which needs no place.
func fold(n *names[string], name string, now time.Time) string {
	if name == "" || n.admit(name, now) {
		return name
	}
	return observation.Other
}
