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
	// Gmail is left out before the first RefreshGmail, for campaigns without mail to Gmail, and in answers about other
	// providers.
	Gmail *Gmail `json:"gmail,omitempty"`
	// Inbound is left out when mail for the campaign, such as unsubscribes, arrives as far as is known.
	Inbound *InboundFlag `json:"inbound,omitempty"`
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

// Sort is an order of campaigns or providers: by mail, most first (the zero Sort), by name, by a signal, or by Gmail's spam
// rate, worst first. What is surely bad goes before what may be bad: signals sort by the end of the interval that is nearer to
// good, and rates of an identifier that is the campaign's own go before those of shared ones, which blame none.
type Sort struct {
	key    sortKey
	signal signal.Signal
}

type sortKey uint8

const (
	byMail sortKey = iota
	byName
	bySignal
	byGmail
)

// sortGmail is the name of the order by Gmail's spam rate.
const sortGmail = "gmail_spam_rate"

// ParseSort reads "sent", "name", "gmail_spam_rate" or a signal's name.
func ParseSort(name string) (Sort, bool) {
	switch name {
	case "sent":
		return Sort{key: byMail}, true
	case "name":
		return Sort{key: byName}, true
	case sortGmail:
		return Sort{key: byGmail}, true
	}
	s, ok := signal.Parse(name)
	return Sort{key: bySignal, signal: s}, ok
}

// OfCampaigns says that the order is one of campaigns alone.
func (s Sort) OfCampaigns() bool { return s.key == byGmail }

// badness is larger for what comes first. Providers are in no order by what Gmail says of campaigns.
func (s Sort) badness(subject *Subject, over span, g *gmail) float64 {
	switch s.key {
	case byName:
		return 0
	case byMail:
		return float64(subject.tally.mail(over))
	case byGmail:
		return g.badness(campaign.Name{Tenant: subject.Tenant, Campaign: subject.Campaign})
	}
	figure := subject.tally.figure(s.signal, over, subject.stale)
	switch {
	case !figure.Known:
		return math.Inf(-1)
	case s.signal.Definition().HigherIsBetter:
		return -figure.High
	default:
		return figure.Low
	}
}

// mail is how much mail there is, as far as Send or Delivery events tell.
func (t *tally) mail(over span) int64 {
	return max(t.recipients[over][observation.Sent], t.recipients[over][observation.Delivered])
}

// Campaigns lists the campaigns that fit the query.
func (v *View) Campaigns(q Query) Campaigns {
	problems := v.problems(q.Window)
	v.mu.RLock()
	defer v.mu.RUnlock()
	type place struct {
		campaign *campaignSums
		badness  float64
	}
	var places []place
	var subject Subject
	over, g := spanOf(q.Window), v.gmail.Load()
	for _, c := range v.sums.campaigns {
		if q.fits(c) {
			v.look(&subject, c, q.Provider)
			if !subject.tally.empty(over) {
				places = append(places, place{c, q.Sort.badness(&subject, over, g)})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(
			cmp.Compare(b.badness, a.badness), cmp.Compare(a.campaign.name.campaign, b.campaign.name.campaign),
			cmp.Compare(a.campaign.name.tenant, b.campaign.name.tenant))
	})
	answer := Campaigns{Window: v.window(q.Window), Total: len(places)}
	places = page(places, q.Limit, q.Offset)
	answer.Campaigns = make([]Campaign, 0, len(places))
	for _, p := range places {
		v.look(&subject, p.campaign, q.Provider)
		answer.Campaigns = append(answer.Campaigns, v.campaign(&subject, p.campaign, g, q.Window))
		answer.Campaigns[len(answer.Campaigns)-1].Inbound = flagOf(problems, p.campaign.name.campaign)
	}
	return answer
}

// look makes the subject the campaign, restricted to one provider if there is one.
func (v *View) look(subject *Subject, c *campaignSums, provider string) {
	v.describe(subject, c)
	if provider == "" {
		v.tally(subject, c.cells)
		return
	}
	subject.Provider = provider
	for cells := range c.byProvider() {
		if v.sums.providers.names[cells[0].key.provider()] == provider {
			v.tally(subject, cells)
		}
	}
}

func (q *Query) fits(c *campaignSums) bool {
	return (q.Tenant == "" || q.Tenant == c.name.tenant) && (q.Owner == "" || q.Owner == c.owner) &&
		(q.Match == nil || q.Match.Match(c.name.campaign))
}

// campaign says what is known of a campaign that the subject is made. Called with mu held.
func (v *View) campaign(s *Subject, c *campaignSums, g *gmail, w signal.Window) Campaign {
	answer := Campaign{ID: s.Campaign, Tenant: s.Tenant, Owner: s.Owner, Stream: s.Stream, Figures: s.Figures(w)}
	if s.Provider == "" || s.Provider == observation.Gmail {
		answer.Gmail = g.campaign(s.Tenant, s.Campaign, v.gmailDelivered(c, spanOf(w)), w)
	}
	return answer
}

// Provider is a mailbox provider with its figures and how many campaigns had mail for it.
type Provider struct {
	ID        string `json:"id"`
	Campaigns int    `json:"campaigns,omitempty"`
	Figures
}

// Providers lists all providers with mail in a window.
type Providers struct {
	Window    Window     `json:"window"`
	Providers []Provider `json:"providers"`
}

// Providers lists the providers over a rolling window.
func (v *View) Providers(w signal.Window, sort Sort) Providers {
	v.mu.RLock()
	defer v.mu.RUnlock()
	type place struct {
		provider Provider
		badness  float64
	}
	var places []place
	v.walk(ByProvider, func(s *Subject) bool {
		if !s.tally.empty(spanOf(w)) {
			places = append(places, place{Provider{s.Provider, s.Campaigns, s.Figures(w)}, sort.badness(s, spanOf(w), nil)})
		}
		return true
	})
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(b.badness, a.badness), cmp.Compare(a.provider.ID, b.provider.ID))
	})
	answer := Providers{Window: v.window(w), Providers: make([]Provider, 0, len(places))}
	for i := range places {
		answer.Providers = append(answer.Providers, places[i].provider)
	}
	return answer
}

func (p *Provider) mail() int64 {
	return max(p.Recipients[observation.Sent], p.Recipients[observation.Delivered])
}

func sortProviders(providers []Provider) {
	slices.SortFunc(providers, func(a, b Provider) int {
		return cmp.Or(cmp.Compare(b.mail(), a.mail()), cmp.Compare(a.ID, b.ID))
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
