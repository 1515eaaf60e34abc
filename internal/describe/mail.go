package describe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	// lately is what counts as still going on; grain is how finely the ledger tells when mail was sent in the last two days.
	lately = 15 * time.Minute
	grain  = 5 * time.Minute
	// behind is how far back the sources may be for it to be known that nothing was sent.
	behind = 5 * time.Minute
)

// mail reads with what the suspect is sent, and how much of the mail was sent just now.
func (s *study) mail(ctx context.Context) error {
	asOf := s.o.View.AsOf()
	provider := s.m.Subject.Provider
	if asOf.IsZero() || s.suspect == nil && provider == "" {
		return nil
	}
	since := asOf.Truncate(grain).Add(-lately)
	if s.suspect != nil {
		q := ledger.CohortQuery{From: asOf.Add(-s.window.Span()), To: asOf.Add(time.Hour), Tenant: s.suspect.Tenant, Campaign: s.suspect.Campaign}
		q.From = earlier(q.From, since)
		found, err := s.o.Ledger.Cohorts(ctx, q)
		if err != nil {
			return fmt.Errorf("read what a campaign is sent with: %w", err)
		}
		s.suspect.sets = setsOf(found.Rows)
		if s.about() {
			s.detail.ConfigurationSets = s.suspect.sets
			s.detail.SentLately = s.sent(found.Rows, provider, since)
		}
	}
	if s.detail.SentLately != nil || provider == "" || s.m.Subject.Campaign != "" {
		return nil
	}
	found, err := s.o.Ledger.Cohorts(ctx, ledger.CohortQuery{From: since, To: asOf.Add(time.Hour)})
	if err != nil {
		return fmt.Errorf("read what was sent in the last %s: %w", lately, err)
	}
	s.detail.SentLately = s.sent(found.Rows, provider, since)
	return nil
}

// about says whether the alert is about the suspect, rather than about something that it is a part of.
func (s *study) about() bool {
	return s.n.By == alerts.ByCampaign || s.n.By == alerts.ByCampaignProvider || s.n.By == alerts.ByIdentifier
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sent counts recipients sent to since a time, at one provider if it is named. Nil means not known: no Send events are
// published, or those of the last minutes may not have come yet.
func (s *study) sent(rows []ledger.CohortRow, provider string, since time.Time) *int64 {
	var n int64
	told := false
	for i := range rows {
		row := &rows[i]
		if row.Cell.Outcome != observation.Sent || row.Cell.Provider == signal.Simulator {
			continue
		}
		told = true
		if !row.Start.Before(since) && (provider == "" || provider == row.Cell.Provider) {
			n += row.N
		}
	}
	if !told || n == 0 && (s.o.View.Stale() || s.o.View.Lag() > behind) {
		return nil
	}
	return &n
}

// setsOf are the configuration sets of some mail, those with most of it first.
func setsOf(rows []ledger.CohortRow) []observation.Origin {
	n := map[observation.Origin]int64{}
	for i := range rows {
		switch c := &rows[i].Cell; {
		case c.Origin.ConfigurationSet == "" || c.Origin.ConfigurationSet == observation.Other:
		case c.Outcome == observation.Sent || c.Outcome == observation.Delivered || c.Outcome.Bounced():
			n[c.Origin] += rows[i].N
		}
	}
	sets := slices.SortedFunc(maps.Keys(n), func(a, b observation.Origin) int {
		return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a.ConfigurationSet, b.ConfigurationSet), cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Account, b.Account))
	})
	return sets[:min(len(sets), maxShares)]
}

// reason is one with its group.
type reason struct {
	alerts.ReasonShare
	group string
}

// reasons are those for what the rate counts, the most frequent first.
func (s *study) reasons() []reason {
	subject := &s.m.Subject
	if !s.hasRate || subject.Account != "" {
		return nil
	}
	var all []reason
	for _, r := range s.o.View.Reasons(view.ReasonQuery{
		Window: s.window, Tenant: subject.Tenant, Campaign: subject.Campaign, Provider: subject.Provider,
	}) {
		if !explains(s.rate, &r) || r.Provider == signal.Simulator {
			continue
		}
		i := slices.IndexFunc(all, func(x reason) bool { return x.Provider == r.Provider && x.Reason == r.Reason })
		if i >= 0 { // of another outcome
			all[i].N += r.N
			continue
		}
		all = append(all, reason{alerts.ReasonShare{Reason: r.Reason, Provider: r.Provider, N: r.N}, r.Group})
	}
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Compare(b.N, a.N) })
	return all[:min(len(all), maxShares)]
}

// explains says whether a reason is one for what a rate counts.
func explains(rate signal.Signal, r *view.Reason) bool {
	outcome := outcomeNamed(r.Outcome)
	switch rate {
	case signal.DeliveryRate:
		return outcome.Bounced() || outcome == observation.Delayed
	case signal.HardBounceRate:
		return outcome == observation.HardBounced
	case signal.SoftBounceRate:
		return outcome == observation.SoftBounced
	case signal.BlockRate:
		return outcome.Bounced() && signal.Blocks(r.Group)
	case signal.DelayRate:
		return outcome == observation.Delayed
	case signal.SuppressedRate:
		return outcome == observation.Suppressed
	default:
		return false
	}
}

func outcomeNamed(name string) observation.Outcome {
	all := observation.Outcomes()
	return all[max(slices.IndexFunc(all, func(o observation.Outcome) bool { return o.String() == name }), 0)]
}

// maxSamples bounds the replies that are looked through for one reason.
const maxSamples = 10

// illustrate tells the reasons, each with a reply and the messages that got it.
func (s *study) illustrate(ctx context.Context, reasons []reason) error {
	var errs []error
	for i := range reasons {
		r := &reasons[i]
		samples, err := s.o.Ledger.Samples(ctx, ledger.SampleQuery{
			Tenant: s.m.Subject.Tenant, Campaign: s.m.Subject.Campaign, Provider: r.Provider, Reason: r.Reason, Limit: maxSamples,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("read replies: %w", err))
		}
		for k := range samples {
			if explains(s.rate, &view.Reason{Outcome: samples[k].Cell.Outcome.String(), Group: r.group}) {
				r.Reply, r.MessageIDs = samples[k].Text, samples[k].MessageIDs
				break
			}
		}
		s.detail.Reasons = append(s.detail.Reasons, r.ReasonShare)
	}
	return errors.Join(errs...)
}
