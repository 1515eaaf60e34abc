package sampler

import (
	"context"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// agedAfter is how old what a view knows may be. It is brought up to date every minute at least, so that something is wrong
// when it is older.
const agedAfter = 10 * time.Minute

// Options are what a Sampler is made of.
type Options struct {
	View *view.View
	Now  func() time.Time
}

// Sampler tells the figures that rules watch.
type Sampler struct {
	view *view.View
	now  func() time.Time
	// facts are shared by all forks.
	facts *facts

	// What follows is written over by the next Samples.
	samples []alerts.Sample
	figures []signal.Figure
	days    []alerts.Day
	// labels hold a function for each campaign, so that rounds need not make one for each sample; they are made anew now and
	// then, because campaigns go.
	labels   map[campaign.Name]labels
	labelsAt time.Time
}

type labels struct {
	owner  string
	fields func() []observation.Field
}

// facts are what a daemon told of itself.
type facts struct {
	mu sync.Mutex // protects all following fields
	// daemon is nil before the first Observe, and does not change once it is there.
	daemon *Daemon
	grown  growths
	// observedAt is when it was told last.
	observedAt time.Time
}

// New makes a Sampler.
func New(o Options) *Sampler {
	return &Sampler{view: o.View, now: o.Now, facts: &facts{grown: growths{}}}
}

// Fork is another Sampler of the same view and daemon, for another goroutine.
func (s *Sampler) Fork() *Sampler { return &Sampler{view: s.view, now: s.now, facts: s.facts} }

// Observe takes what a daemon tells of itself for the next round. It must not be changed afterwards. It is called once before
// each round; counts of a window are known as far back as it was.
func (s *Sampler) Observe(d Daemon) {
	s.facts.mu.Lock()
	defer s.facts.mu.Unlock()
	s.facts.daemon = &d
	now := s.now()
	s.facts.grown.note(&d, s.facts.observedAt, now)
	s.facts.observedAt = now
}

// daemon is what a daemon told last; nil before it did.
func (s *Sampler) daemon() *Daemon {
	s.facts.mu.Lock()
	defer s.facts.mu.Unlock()
	return s.facts.daemon
}

// Samples tells the figures of a series, one of each subject. They, and what they point to, are valid until the next call,
// which writes over them. It fails only with its context.
func (s *Sampler) Samples(ctx context.Context, series alerts.Series) ([]alerts.Sample, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s.samples, s.figures, s.days = s.samples[:0], s.figures[:0], s.days[:0]
	if rate, ok := series.Signal.Rate(); ok {
		s.rates(series, rate)
		return s.samples, nil
	}
	switch feedOf(series.Signal) {
	case feedGmail:
		s.gmail(series)
	case feedAccounts:
		s.accounts(series)
	case feedInbound:
		s.inbound(series)
	case feedDaemon:
		s.ofDaemon(series)
	}
	return s.samples, nil
}

// feed is where figures come from.
type feed uint8

const (
	feedMail feed = iota
	feedGmail
	feedAccounts
	feedInbound
	feedDaemon
)

// feedOf says where the figures of a signal come from.
func feedOf(s alerts.Signal) feed {
	switch {
	case s < alerts.GmailSpamRate:
		return feedMail
	case s <= alerts.GmailCompliance:
		return feedGmail
	case s <= alerts.TenantFindings:
		return feedAccounts
	case s <= alerts.ReceiptSilent:
		return feedInbound
	case s <= alerts.DeafLoop:
		return feedAccounts
	default:
		return feedDaemon
	}
}

// Absent says what it means that a series has no sample of a subject: idle when nothing of it is to be told because there is
// nothing any more, stale or error when it may merely not be known.
func (s *Sampler) Absent(series alerts.Series) signal.State {
	d := s.daemon()
	switch feedOf(series.Signal) {
	case feedMail:
		if s.view.AsOf().IsZero() || s.view.Stale() || s.aged(s.view.AsOf()) {
			return signal.Stale
		}
		return signal.Idle
	case feedGmail:
		if s.view.GmailZone() == nil {
			return signal.Stale
		}
		return d.stateOf(KindPostmaster)
	case feedAccounts:
		return worse(d.stateOf(KindAccount), s.accountsAbsent(series.Signal))
	case feedInbound:
		return worse(d.stateOf(KindReceiptRules), s.inboundAbsent())
	default:
		if d == nil {
			return signal.Stale
		}
		return signal.Idle
	}
}

// worse is the one of two answers of Absent that says less.
func worse(a, b signal.State) signal.State {
	switch {
	case a == signal.Error || b == signal.Error:
		return signal.Error
	case a == signal.Stale || b == signal.Stale:
		return signal.Stale
	default:
		return signal.Idle
	}
}

// aged says that what is as of a time should long have been renewed.
func (s *Sampler) aged(asOf time.Time) bool { return s.now().Sub(asOf) > agedAfter }

// agedState is the state of what should long have been renewed: what was wrong with it still is.
func agedState(state signal.State) signal.State {
	if state == signal.Error || state == signal.NoData {
		return state
	}
	return signal.Stale
}

// number is a value with how far it can be used.
type number struct {
	value float64
	// known says that there is a value, be it an old one.
	known bool
	state signal.State
	asOf  time.Time
}

// add makes a sample of a number.
func (s *Sampler) add(series alerts.Series, subject alerts.Subject, n number) *alerts.Sample {
	if !n.known && (n.state == signal.OK || n.state == signal.Immature || n.state == signal.Insufficient) {
		n.state = signal.NoData
	}
	s.samples = append(s.samples, alerts.Sample{Series: series, Subject: subject, AsOf: n.asOf, Value: n.value, State: n.state})
	return &s.samples[len(s.samples)-1]
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
