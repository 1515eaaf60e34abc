package view

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

// PeriodCampaign is a campaign with its figures of the period.
type PeriodCampaign struct {
	Campaign
	// Before is its earlier mail, nil when there was none: of a stream that of the same days of earlier weeks, else all of
	// the weeks before the period. Compared sets the period against it.
	Before   *Figures
	Compared Compared
	// Worst is where most goes wrong, nil when that is nowhere in particular.
	Worst *WorstProvider
	// Reasons are why mail was refused or put off, the most frequent first, over all providers.
	Reasons []Reason
	// GmailDays are the days on which Gmail told a rate that is the campaign's own, in order.
	GmailDays []GmailRate
}

// WorstProvider is a provider and the figure that is nearest to, or furthest beyond, its line.
type WorstProvider struct {
	Provider string
	Signal   signal.Signal
	Figure   signal.Figure
}

// GmailRate is the highest rate of a day that is a campaign's own.
type GmailRate struct {
	Day    campaign.Day
	Rate   float64
	Value  string
	Domain string
	// Delivered counts deliveries to Gmail on the day with that value.
	Delivered int64
}

// Campaigns yields the campaigns that had mail, most mail first. Lines says from where on a signal is bad, 0 where nobody can
// say.
func (p *Period) Campaigns(lines func(signal.Signal) float64) iter.Seq[*PeriodCampaign] {
	return func(yield func(*PeriodCampaign) bool) {
		rates := p.gmailRates()
		for _, c := range p.now.Campaigns(Query{Window: signal.Week}).Campaigns {
			sums := p.now.sums.campaigns[name{c.Tenant, c.ID}]
			counted := reasonCounts{}
			p.now.countReasons(counted, sums, spanWeek, "")
			told := &PeriodCampaign{
				Campaign: c, Worst: p.worst(sums, lines), Reasons: p.now.reasons(counted),
				GmailDays: rates[campaign.Name{Tenant: c.Tenant, Campaign: c.ID}],
			}
			if told.Before = p.beforeOf(&c); told.Before != nil {
				told.Compared = compare(&c.Signals, &told.Before.Signals)
			}
			if !yield(told) {
				return
			}
		}
	}
}

// beforeOf is the earlier mail of a campaign, nil when there was none.
func (p *Period) beforeOf(c *Campaign) *Figures {
	before := p.before
	if c.Stream {
		before = p.beforeStreams
	}
	sums := before.sums.campaigns[name{c.Tenant, c.ID}]
	if sums == nil {
		return nil
	}
	var subject Subject
	before.look(&subject, sums, "")
	if subject.tally.empty(spanWeek) {
		return nil
	}
	return new(subject.tally.figures(spanWeek, false))
}

// What is told of a provider: a figure of which half of the line is sure, and that rests on more than chance.
const (
	worstShare = 0.5
	worstLeast = 5
)

// worst finds the provider at which a figure's surely bad part is the largest share of its line.
func (p *Period) worst(c *campaignSums, lines func(signal.Signal) float64) *WorstProvider {
	var worst *WorstProvider
	most := worstShare
	p.now.walkCampaign(&Subject{}, c, ByCampaignProvider, func(s *Subject) bool {
		for _, sig := range signal.Signals() {
			line := lines(sig)
			if line == 0 {
				continue
			}
			if f := s.Figure(sig, signal.Week); f.Known && f.Numerator >= worstLeast && f.Low/line > most {
				most, worst = f.Low/line, &WorstProvider{s.Provider, sig, f}
			}
		}
		return true
	})
	return worst
}

// Sends lists the sends of a campaign that had mail in the period, newest first, as Detail has them: each with all of its mail
// of five weeks up to the period's end, and set against the one before it.
func (p *Period) Sends(ctx context.Context, tenant, id string) ([]Send, error) {
	m := &moment{asOf: p.asOf, eras: p.eras, group: p.now.group}
	var rows []ledger.CohortRow
	end := p.query.end()
	for from := end.AddDate(0, 0, -historyDays); from.Before(end); from = from.AddDate(0, 0, chunkDays) {
		piece, err := p.reader.Cohorts(ctx, ledger.CohortQuery{
			From: from, To: from.AddDate(0, 0, chunkDays), Tenant: tenant, Campaign: id,
		})
		if err != nil {
			return nil, fmt.Errorf("read the sends of campaign %q of tenant %q: %w", id, tenant, err)
		}
		rows = append(rows, piece.Rows...)
	}
	return slices.DeleteFunc(m.sends(rows), func(s Send) bool { return !s.End.After(p.query.start()) }), nil
}
