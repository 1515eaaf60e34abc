package view

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

// Story is what is told of one campaign over a rolling window. At first its Detail is what the running sums hold: all but
// sends, earlier weeks and samples, which Read adds.
type Story struct {
	Detail
	view *View
	name name
	now  moment
	// rows are the campaign's mail of five weeks, once they are read.
	rows []ledger.CohortRow
}

// Campaign says everything about one campaign over a rolling window. It reads five weeks of the campaign's cohorts.
func (v *View) Campaign(ctx context.Context, tenant, id string, w signal.Window) (Detail, error) {
	s := v.Story(tenant, id, w)
	if err := s.Read(ctx); err != nil {
		return Detail{}, err
	}
	return s.Detail, nil
}

// Brief is what the running sums say of a campaign. It reads no ledger.
func (v *View) Brief(tenant, id string, w signal.Window) Detail { return v.Story(tenant, id, w).Detail }

// Story begins with what the running sums say. It reads no ledger.
func (v *View) Story(tenant, id string, w signal.Window) *Story {
	problems := v.problems(w)
	s := &Story{view: v, name: name{tenant, id}}
	s.Detail, s.now = v.present(s.name, w)
	s.Inbound, s.Campaign.Inbound = problemsOf(problems, id), flagOf(problems, id)
	return s
}

// present is what the running sums say, but for inbound mail.
func (v *View) present(n name, w signal.Window) (Detail, moment) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	now := moment{asOf: v.asOf, eras: v.sums.eras, group: v.group, stale: v.stale}
	over := spanOf(w)
	d := Detail{Window: v.window(w), Providers: []Provider{}}
	c := v.sums.campaigns[n]
	if c == nil {
		c = &campaignSums{name: n}
		c.describe(&v.settings)
	}
	var subject Subject
	v.look(&subject, c, "")
	d.Campaign = v.campaign(&subject, c, v.gmail.Load(), w)
	v.walkCampaign(&subject, c, ByCampaignProvider, func(s *Subject) bool {
		if !s.tally.empty(over) {
			d.Providers = append(d.Providers, Provider{ID: s.Provider, Figures: s.Figures(w)})
		}
		return true
	})
	sortProviders(d.Providers)
	counted := reasonCounts{}
	v.countReasons(counted, c, over, "")
	d.Reasons = v.reasons(counted)
	return d, now
}

// Known says that there was mail of the campaign in the window. Of one without, only Read knows whether there is such a one.
func (s *Story) Known() bool {
	return s.Campaign.Recipients != (Recipients{}) || s.Campaign.Simulated != (Recipients{})
}

// Read adds sends, earlier weeks and samples, from five weeks of the campaign's cohorts. Its error is ErrNotFound where
// there was no mail in them.
func (s *Story) Read(ctx context.Context) error {
	tenant, id := s.name.tenant, s.name.campaign
	rows, err := s.view.history(ctx, tenant, id, &s.now)
	if err != nil {
		return fmt.Errorf("read campaign %q of tenant %q: %w", id, tenant, err)
	}
	if len(rows) == 0 && !s.Known() {
		return ErrNotFound
	}
	samples, err := s.view.reader.Samples(ctx, ledger.SampleQuery{Tenant: tenant, Campaign: id, Limit: maxSamples})
	if err != nil {
		return fmt.Errorf("read samples of campaign %q of tenant %q: %w", id, tenant, err)
	}
	illustrate(s.Reasons, samples)
	s.rows = rows
	if s.Campaign.Stream {
		s.EarlierWeeks = s.now.earlier(rows, s.Window, s.view.reader.Zone())
		s.EarlierWeeks.Compared = compare(&s.Campaign.Signals, &s.EarlierWeeks.Signals)
	} else {
		s.Sends = s.now.sends(rows)
	}
	return nil
}

// Timeline says of what was read what became of the mail of so long: five weeks at most, and over more than a week in days
// of UTC.
func (s *Story) Timeline(over time.Duration) Timeline {
	t := newTimeline(&s.now, over)
	t.add(s.rows, s.now.eras)
	return t
}

func illustrate(reasons []Reason, samples []ledger.SampleRow) {
	for _, s := range samples {
		for i := range reasons {
			r := &reasons[i]
			if r.Provider == s.Cell.Provider && r.Reason == s.Cell.Reason && r.Outcome == s.Cell.Outcome.String() {
				r.Samples = append(r.Samples, Sample{s.Text, s.N, s.First, s.Last, s.MessageIDs})
			}
		}
	}
}
