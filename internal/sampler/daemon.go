package sampler

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// Daemon is what a daemon tells of itself for one round.
type Daemon struct {
	// Started is when what is counted since the start began.
	Started time.Time
	Sources []Source
	// Horizons say, by class of ids, how far back a repeated event is recognised.
	Horizons []Horizon
	// QuarantineBytes is how much lies in quarantine, QuarantineLimit how much may; 0 means not known.
	QuarantineBytes, QuarantineLimit int64
	Floods                           []Flood
	Notifiers                        []Notifier
}

// Kind is a kind of source.
type Kind string

// The kinds, as the configuration spells them.
const (
	KindSES          Kind = "ses"
	KindPostmaster   Kind = "postmaster"
	KindReceiptRules Kind = "receipt_rules"
	KindAccount      Kind = "account"
)

// Source is something that is read.
type Source struct {
	Name string
	Kind Kind
	// State is ok; no_data before the first pass has ended; stale when none succeeded for long; error when they fail, or
	// cannot be made.
	State signal.State
	// FailingSince is since when every pass has failed, zero when the last one did not.
	FailingSince time.Time
	// Unproven says that no pass has succeeded since the start, so that it may have failed before, too.
	Unproven bool
	// StaleSince is since when what the source says has been older than it should be, zero when it is not. Of a Google account
	// the view knows it by the days of its domains.
	StaleSince time.Time
	// API is the name of a Google account's source in readings; Domains are the domains that it reads, none for all.
	API     string
	Domains []string
	// Queue is nil for what is no queue.
	Queue *Queue
	// Quarantined is how many messages were put into quarantine since the start.
	Quarantined int64
}

// Queue is what is known of a queue.
type Queue struct {
	// Lag is the age of the oldest message that was received last.
	Lag time.Duration
	// Stopped says that the queue is not read any more, because too many of its messages may come back.
	Stopped bool
}

// Horizon is how far back repeated events of a class are recognised.
type Horizon struct {
	Class string
	Back  time.Duration
}

// Flood is how many names of campaigns were counted together since the start, because the bound was reached, by the tag or
// whatever else they came from.
type Flood struct {
	Tag   string
	Names int64
}

// Notifier is how a notifier does.
type Notifier struct {
	Name string
	// FailingSince is since when it has taken no notification, zero while it works. Unproven says that it has taken none since
	// the start, so that it may have failed before, too.
	FailingSince time.Time
	Unproven     bool
}

// stateOf says how the sources of a kind are, as Absent does: idle when all are well. Where there are none any more, nobody
// watches what they told of.
func (d *Daemon) stateOf(kind Kind) signal.State {
	if d == nil {
		return signal.Stale
	}
	state := signal.Idle
	for i := range d.Sources {
		if s := &d.Sources[i]; s.Kind == kind && s.State != signal.OK {
			state = worse(state, signal.Stale)
		}
	}
	return state
}

// ofDaemon is what a daemon tells of itself.
func (s *Sampler) ofDaemon(series alerts.Series) {
	d, now := s.daemon(), s.now().UTC()
	if d == nil {
		return
	}
	add := func(subject alerts.Subject, value float64) {
		s.add(series, subject, number{value, true, signal.OK, now})
	}
	switch series.Signal {
	case alerts.DedupeHorizon:
		for _, h := range d.Horizons {
			add(alerts.Subject{Detail: h.Class}, h.Back.Seconds())
		}
	case alerts.QuarantineUsed:
		n := number{state: signal.NoData, asOf: now}
		if d.QuarantineLimit > 0 {
			n = number{float64(d.QuarantineBytes) / float64(d.QuarantineLimit), true, signal.OK, now}
		}
		s.add(series, alerts.Subject{}, n)
	case alerts.CampaignFlood:
		for _, f := range d.Floods {
			s.add(series, alerts.Subject{Detail: f.Tag}, s.grown(growthKey{true, f.Tag}, series.Window))
		}
	case alerts.NotifierFailing:
		for _, n := range d.Notifiers {
			s.add(series, alerts.Subject{Notifier: n.Name}, failing(n.FailingSince, n.Unproven, now))
		}
	default:
		for i := range d.Sources {
			if n, ok := s.ofSource(series, &d.Sources[i], now); ok {
				s.add(series, alerts.Subject{Source: d.Sources[i].Name}, n)
			}
		}
	}
}

// since is how many seconds ago a time was, 0 when it is zero.
func since(at, now time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(now.Sub(at).Seconds(), 0)
}

// failing is for how long something has failed. What has not worked since this process began may have failed for longer, so that
// a restart does not end what was told of it.
func failing(at time.Time, unproven bool, now time.Time) number {
	n := number{since(at, now), true, signal.OK, now}
	if unproven && !at.IsZero() {
		n.state = signal.Immature
	}
	return n
}

// grown is by how much something grew in a window.
func (s *Sampler) grown(key growthKey, w signal.Window) number {
	s.facts.mu.Lock()
	defer s.facts.mu.Unlock()
	g := s.facts.grown[key]
	if g == nil {
		return number{state: signal.NoData, asOf: s.now().UTC()}
	}
	return g.over(w)
}

// ofSource is what is told of a source; ok is false when it has no such figure.
func (s *Sampler) ofSource(series alerts.Series, of *Source, now time.Time) (n number, ok bool) {
	n = number{state: signal.OK, known: true, asOf: now}
	switch series.Signal {
	case alerts.SourceFailing:
		if n = failing(of.FailingSince, of.Unproven, now); of.FailingSince.IsZero() && of.State == signal.NoData {
			n = number{state: signal.NoData, asOf: now}
		}
	case alerts.SourceStale:
		return s.staleness(of, now), true
	case alerts.QueueLag:
		if of.Queue == nil {
			return n, false
		}
		if n.value = of.Queue.Lag.Seconds(); of.State != signal.OK {
			n.state = signal.Stale // nothing was received lately that could tell
		}
	case alerts.ReceivingStopped:
		if of.Queue == nil {
			return n, false
		}
		n.value = truth(of.Queue.Stopped)
	case alerts.QuarantineGrowth:
		n = s.grown(growthKey{name: of.Name}, series.Window)
	}
	return n, true
}

// staleness is for how long what a source says has been older than it should be.
func (s *Sampler) staleness(of *Source, now time.Time) number {
	n := number{known: true, state: signal.OK, asOf: now}
	if !of.StaleSince.IsZero() {
		n.value = since(of.StaleSince, now)
		return n
	}
	if of.Kind == KindPostmaster && of.API != "" {
		return s.gmailStaleness(of, now)
	}
	switch of.State {
	case signal.OK:
		return n
	case signal.NoData:
		return number{state: signal.NoData, asOf: now}
	default:
		return number{state: signal.Stale, asOf: now}
	}
}

// gmailStaleness goes by the domain of an account of which something came last. Days of domains without mail do not come, and
// are not missed.
func (s *Sampler) gmailStaleness(of *Source, now time.Time) number {
	ends := map[string]time.Time{}
	s.view.WalkDomains(func(d *view.Domain) bool {
		if d.Source == of.API && d.Access == "" && of.reads(d.Domain) {
			ends[d.Domain] = d.NewestEnd
		}
		return true
	})
	n := number{state: signal.NoData, asOf: now}
	var newest time.Time
	s.view.WalkGmailDays(observation.PostmasterSpamRate, func(g *view.GmailSeries) bool {
		end, ok := ends[g.Domain]
		switch {
		case !ok || g.Source != of.API:
		case g.State == signal.OK:
			n.known, n.state, n.value = true, signal.OK, 0
			return false
		case g.State == signal.Stale && end.After(newest):
			newest = end
			n.known, n.state, n.value = true, signal.OK, since(end.Add(gmailLateness), now)
		case g.State == signal.Idle && !n.known:
			n.state = signal.Idle
		}
		return true
	})
	return n
}

// gmailLateness is how long after its end a day of Gmail's is expected at the latest.
const gmailLateness = 4 * 24 * time.Hour

// reads says whether a Google account reads a domain.
func (s *Source) reads(domain string) bool {
	return len(s.Domains) == 0 || slices.Contains(s.Domains, domain)
}
