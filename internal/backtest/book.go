package backtest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

// maxEpisodes bounds the episodes that are listed; all are counted.
const maxEpisodes = 10_000

// Result is what the rules would have done.
type Result struct {
	// From and To are the ends that were gone through, AsOf what the ledger knew when it was; Rounds how often rules were
	// evaluated.
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	AsOf   time.Time `json:"as_of"`
	Rounds int       `json:"rounds"`
	// Rules are all that were tried, in their order.
	Rules []RuleResult `json:"rules"`
	// Notifiers are those that would have been told anything.
	Notifiers []NotifierResult `json:"notifiers"`
	// Episodes are in the order in which they began; MoreEpisodes is how many are not listed.
	Episodes     []*Episode `json:"episodes"`
	MoreEpisodes int        `json:"more_episodes,omitempty"`
	// NotTested are rules whose figures the ledger does not hold. Limits say what else the result cannot know.
	NotTested []NotTested `json:"not_tested"`
	Limits    []string    `json:"limits"`
}

// RuleResult is what one rule would have done.
type RuleResult struct {
	Rule   string        `json:"rule"`
	Signal alerts.Signal `json:"signal"`
	By     alerts.By     `json:"by"`
	// Episodes counts firings, Critical those that were critical at some time, Muted those that another alert stood for all
	// the time.
	Episodes int `json:"episodes"`
	Critical int `json:"critical"`
	Muted    int `json:"muted"`
	// Firing is for how long at least one alert fired, in seconds.
	Firing float64 `json:"firing_seconds"`
	// Told counts how often notifiers would have been told that there is something new: openings of groups, and of open
	// groups that they became worse.
	Told int `json:"told"`
	// firedAt is the last round in which it fired.
	firedAt time.Time
}

// NotifierResult is how often a notifier would have been told.
type NotifierResult struct {
	Notifier string `json:"notifier"`
	Opened   int    `json:"opened"`
	Worsened int    `json:"worsened"`
}

// Episode is one firing of an alert.
type Episode struct {
	Rule    string         `json:"rule"`
	Subject alerts.Subject `json:"subject"`
	// Severity is the worst.
	Severity alerts.Severity `json:"severity"`
	From     time.Time       `json:"from"`
	// Until is zero for one that still fires at the end.
	Until time.Time `json:"until,omitzero"`
	// Before says that it fires from the first round on, so it may have begun earlier.
	Before bool          `json:"before,omitempty"`
	Reason alerts.Reason `json:"reason,omitempty"`
	// Muted says that another alert stood for it all the time.
	Muted bool `json:"muted,omitempty"`
	// Peak is the worst figure that it had, PeakAt when that was.
	Peak   alerts.Evidence `json:"peak"`
	PeakAt time.Time       `json:"peak_at"`
	Owner  string          `json:"owner,omitempty"`
	// Labels are those of the rule and the subject.
	Labels []observation.Field `json:"labels,omitempty"`
}

// NotTested is a rule that could not be tried, and why.
type NotTested struct {
	Rule   string        `json:"rule"`
	Signal alerts.Signal `json:"signal"`
	Why    string        `json:"why"`
}

// book notes what rounds found.
type book struct {
	result    Result
	rules     map[string]int
	notifiers map[string]*NotifierResult
	// open are the episodes under way, by the ids of their alerts.
	open map[string]*Episode
	last time.Time
}

func newBook() *book {
	return &book{
		result: Result{Episodes: []*Episode{}, NotTested: []NotTested{}, Limits: []string{}, Notifiers: []NotifierResult{}},
		rules:  map[string]int{}, notifiers: map[string]*NotifierResult{}, open: map[string]*Episode{},
	}
}

// rule makes room for what a rule does.
func (b *book) rule(r *alerts.Rule) {
	by := r.By
	if by == 0 {
		by = r.Signal.Definition().By[0]
	}
	b.rules[r.Name] = len(b.result.Rules)
	b.result.Rules = append(b.result.Rules, RuleResult{Rule: r.Name, Signal: r.Signal, By: by})
}

// note takes a round down.
func (b *book) note(at time.Time, round alerts.Round, state *alerts.State, plan *alerts.Plan) {
	for i := range round.Transitions {
		b.transition(&round.Transitions[i])
	}
	fires := map[string]bool{}
	for _, a := range state.Alerts() {
		if !a.Firing() {
			continue
		}
		id := a.ID()
		b.peak(id, a, at)
		if _, muted := plan.Muted[id]; !muted && b.open[id] != nil {
			b.open[id].Muted = false
		}
		fires[a.Rule] = true
	}
	for rule := range fires {
		if r := &b.result.Rules[b.rules[rule]]; r.firedAt.Equal(b.last) && b.result.Rounds > 0 {
			r.Firing += at.Sub(b.last).Seconds()
		}
		b.result.Rules[b.rules[rule]].firedAt = at
	}
	for _, c := range plan.Changes {
		b.told(c.Notification)
	}
	b.result.Rounds++
	b.last = at
}

func (b *book) transition(t *alerts.Transition) {
	id := t.Alert.ID()
	switch t.Kind {
	case alerts.Triggered:
		b.begin(id, t)
	case alerts.Escalated:
		if e := b.open[id]; e != nil {
			b.worse(e, t.Alert.Severity)
		}
	case alerts.Resolved:
		if e := b.open[id]; e != nil {
			e.Until, e.Reason = t.At, t.Reason
			b.end(e)
			delete(b.open, id)
		}
	}
}

func (b *book) begin(id string, t *alerts.Transition) {
	a := &t.Alert
	e := &Episode{
		Rule: a.Rule, Subject: a.Subject, From: t.At, Before: b.result.Rounds == 0, Muted: true, Owner: a.Owner, Labels: a.Labels,
	}
	b.open[id] = e
	b.result.Rules[b.rules[a.Rule]].Episodes++
	b.worse(e, a.Severity)
	if len(b.result.Episodes) == maxEpisodes {
		b.result.MoreEpisodes++
		return
	}
	b.result.Episodes = append(b.result.Episodes, e)
}

func (b *book) worse(e *Episode, s alerts.Severity) {
	if s == alerts.Critical && e.Severity != alerts.Critical {
		b.result.Rules[b.rules[e.Rule]].Critical++
	}
	e.Severity = max(e.Severity, s)
}

func (b *book) end(e *Episode) {
	if e.Muted {
		b.result.Rules[b.rules[e.Rule]].Muted++
	}
}

// peak keeps the worst figure of an episode.
func (b *book) peak(id string, a *alerts.Alert, at time.Time) {
	e := b.open[id]
	if e == nil || !a.Evidence.Known {
		return
	}
	worse := a.Evidence.Value > e.Peak.Value
	if a.Evidence.Below {
		worse = a.Evidence.Value < e.Peak.Value
	}
	if !e.Peak.Known || worse {
		e.Peak, e.PeakAt = a.Evidence, at
	}
}

// told counts a notification that says something new.
func (b *book) told(n *alerts.Notification) {
	if n == nil || n.Change != alerts.Opened && n.Change != alerts.Worsened {
		return
	}
	b.result.Rules[b.rules[n.Rule]].Told++
	to := cmp.Or(n.Notifier, "(nobody)")
	if b.notifiers[to] == nil {
		b.notifiers[to] = &NotifierResult{Notifier: to}
	}
	if n.Change == alerts.Opened {
		b.notifiers[to].Opened++
	} else {
		b.notifiers[to].Worsened++
	}
}

// result closes the book.
func (b *backtest) result() *Result {
	r := &b.book.result
	r.From, r.To = b.o.From, b.book.last
	for _, e := range b.book.open {
		b.book.end(e)
	}
	for _, name := range slices.Sorted(maps.Keys(b.book.notifiers)) {
		r.Notifiers = append(r.Notifiers, *b.book.notifiers[name])
	}
	r.Limits = b.limits()
	return r
}
