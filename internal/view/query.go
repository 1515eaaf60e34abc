package view

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Window says of which mail an answer speaks: that sent from Start to End, as known at AsOf.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Basis is always "sent": mail belongs to the window in which it was sent, whenever something became of it.
	Basis string    `json:"basis"`
	AsOf  time.Time `json:"as_of"`
}

const basisSent = "sent"

// Campaign is a campaign with its figures.
type Campaign struct {
	ID     string `json:"id"`
	Tenant string `json:"tenant"`
	Owner  string `json:"owner,omitempty"`
	Stream bool   `json:"stream,omitempty"`
	Figures
}

// Campaigns answers a Query. Total is how many campaigns there are with mail in the window that fit the query.
type Campaigns struct {
	Window    Window     `json:"window"`
	Total     int        `json:"total"`
	Campaigns []Campaign `json:"campaigns"`
}

// Query selects campaigns that have mail in a rolling window. Empty fields select all.
type Query struct {
	Window        signal.Window
	Tenant, Owner string
	// Match selects by the campaign's name.
	Match *campaign.Matcher
	// Provider restricts the figures to mail of one provider.
	Provider string
	Sort     Sort
	// Limit 0 means all; Offset leaves out the first ones.
	Limit, Offset int
}

// Sort is an order of campaigns: by mail, most first (the zero Sort), by name, or by a signal, worst first. What is surely
// bad goes before what may be bad: signals sort by the end of the interval that is nearer to good.
type Sort struct {
	key    sortKey
	signal signal.Signal
}

type sortKey uint8

const (
	byMail sortKey = iota
	byName
	bySignal
)

// ParseSort reads "sent", "name" or a signal's name.
func ParseSort(name string) (Sort, bool) {
	switch name {
	case "sent":
		return Sort{key: byMail}, true
	case "name":
		return Sort{key: byName}, true
	}
	s, ok := signal.Parse(name)
	return Sort{key: bySignal, signal: s}, ok
}

// badness is larger for what comes first.
func (s Sort) badness(f *Figures) float64 {
	figure := &f.Signals[s.signal]
	switch {
	case s.key == byName:
		return 0
	case s.key == byMail:
		return float64(max(f.Recipients[observation.Sent], f.Recipients[observation.Delivered]))
	case !figure.Known:
		return math.Inf(-1)
	case s.signal.Definition().HigherIsBetter:
		return -figure.High
	default:
		return figure.Low
	}
}

// Campaigns lists the campaigns that fit the query.
func (v *View) Campaigns(q Query) Campaigns {
	v.mu.RLock()
	answer := Campaigns{Window: v.window(q.Window), Campaigns: []Campaign{}}
	by, over := ByCampaign, spanOf(q.Window)
	if q.Provider != "" {
		by = ByCampaignProvider
	}
	v.walk(by, func(s *Subject) bool {
		if q.fits(s) && !s.tally.empty(over) {
			answer.Campaigns = append(answer.Campaigns, s.campaign(over))
		}
		return true
	})
	v.mu.RUnlock()
	answer.Total = len(answer.Campaigns)
	slices.SortFunc(answer.Campaigns, func(a, b Campaign) int {
		return cmp.Or(
			cmp.Compare(q.Sort.badness(&b.Figures), q.Sort.badness(&a.Figures)),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Tenant, b.Tenant))
	})
	from := min(max(q.Offset, 0), answer.Total)
	answer.Campaigns = answer.Campaigns[from:]
	if q.Limit > 0 {
		answer.Campaigns = answer.Campaigns[:min(q.Limit, len(answer.Campaigns))]
	}
	return answer
}

func (q *Query) fits(s *Subject) bool {
	return (q.Tenant == "" || q.Tenant == s.Tenant) && (q.Owner == "" || q.Owner == s.Owner) &&
		(q.Provider == "" || q.Provider == s.Provider) && (q.Match == nil || q.Match.Match(s.Campaign))
}

func (s *Subject) campaign(over span) Campaign {
	return Campaign{
		ID: s.Campaign, Tenant: s.Tenant, Owner: s.Owner, Stream: s.Stream, Figures: s.tally.figures(over, s.stale),
	}
}

// Provider is a mailbox provider with its figures and how many campaigns had mail for it.
type Provider struct {
	ID        string `json:"id"`
	Campaigns int    `json:"campaigns,omitempty"`
	Figures
}

// Providers lists all providers with mail in a window, those with most mail first.
type Providers struct {
	Window    Window     `json:"window"`
	Providers []Provider `json:"providers"`
}

// Providers lists the providers over a rolling window.
func (v *View) Providers(w signal.Window) Providers {
	v.mu.RLock()
	defer v.mu.RUnlock()
	answer := Providers{Window: v.window(w), Providers: []Provider{}}
	v.walk(ByProvider, func(s *Subject) bool {
		if !s.tally.empty(spanOf(w)) {
			answer.Providers = append(answer.Providers, Provider{s.Provider, s.Campaigns, s.Figures(w)})
		}
		return true
	})
	sortProviders(answer.Providers)
	return answer
}

func sortProviders(providers []Provider) {
	slices.SortFunc(providers, func(a, b Provider) int {
		return cmp.Or(
			cmp.Compare(Sort{}.badness(&b.Figures), Sort{}.badness(&a.Figures)), cmp.Compare(a.ID, b.ID))
	})
}

// Totals is all mail of a window.
type Totals struct {
	Window Window `json:"window"`
	// Campaigns is how many campaigns had mail in the last seven days, whatever the window.
	Campaigns int `json:"campaigns"`
	Figures
}

// Totals sums over all campaigns and providers.
func (v *View) Totals(w signal.Window) Totals {
	v.mu.RLock()
	defer v.mu.RUnlock()
	answer := Totals{Window: v.window(w)}
	v.walk(ByNothing, func(s *Subject) bool {
		answer.Campaigns, answer.Figures = s.Campaigns, s.Figures(w)
		return true
	})
	return answer
}

// AsOf is the time as of which the view's figures are, the zero time before the first Refresh.
func (v *View) AsOf() time.Time {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.asOf
}

// window is called with mu held.
func (v *View) window(w signal.Window) Window {
	start := time.Unix(v.sums.starts[spanOf(w)], 0).UTC()
	return Window{Start: start, End: v.asOf.UTC(), Basis: basisSent, AsOf: v.asOf.UTC()}
}
