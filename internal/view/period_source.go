package view

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Accounts says how the SES accounts stood at the end of the period, and how much of its mail is covered by events.
func (p *Period) Accounts() Accounts { return p.now.Accounts() }

// AccountHistory is how SES's rates of an account went: the last of each day, in order, those of the weeks before the period
// too.
type AccountHistory struct {
	Account, Region     string
	Bounces, Complaints []signal.Point
}

// AccountHistories says it of each account, in the order of Accounts.
func (p *Period) AccountHistories() []AccountHistory { return p.rates }

// readAccounts does what RefreshAccounts does, as of the end of the period and with coverage of all of it.
func (p *Period) readAccounts(ctx context.Context) error {
	v := p.now
	b := &books{asOf: p.lastMoment(), accountant: &accountant{}, accounts: map[string]*accountReadings{}}
	b.from, b.to = p.query.start().Truncate(time.Hour), p.query.end().Truncate(time.Hour)
	if settled := p.asOf.Add(-coverageSettles).Truncate(time.Hour); settled.Before(b.to) {
		b.to = settled
	}
	if err := v.readAccounts(ctx, b); err != nil {
		return err
	}
	if err := v.readTrends(ctx, b); err != nil {
		return err
	}
	if err := v.readCounts(ctx, b); err != nil {
		return err
	}
	v.accounts.Store(b.answer())
	return p.readRates(ctx, b)
}

// readRates reads SES's rates of all weeks.
func (p *Period) readRates(ctx context.Context, b *books) error {
	last := map[readingSeries]map[int]signal.Point{}
	edges := p.query.Edges
	for day := 0; day < len(edges)-1; day += 7 {
		for _, metric := range []string{observation.AccountBounceRate, observation.AccountComplaintRate} {
			rows, err := p.reader.Readings(ctx, ledger.ReadingQuery{
				Source: observation.AccountCloudWatch, Metric: metric, From: edges[day], To: edges[min(day+7, len(edges)-1)],
			})
			if err != nil {
				return err
			}
			for i := range rows {
				r := &rows[i]
				key, on := readingSeries{r.Key.Subject, r.Key.Metric, ""}, p.query.dayOf(r.Start.Unix())
				if r.Value == nil || r.Key.Detail != "" {
					continue
				}
				if last[key] == nil {
					last[key] = map[int]signal.Point{}
				}
				if before, ok := last[key][on]; !ok || r.Start.After(before.At) {
					last[key][on] = signal.Point{At: r.Start.UTC(), Value: short(*r.Value)}
				}
			}
		}
	}
	points := func(subject, metric string) []signal.Point {
		all := []signal.Point{}
		for _, point := range last[readingSeries{subject, metric, ""}] {
			all = append(all, point)
		}
		slices.SortFunc(all, func(a, b signal.Point) int { return a.At.Compare(b.At) })
		return all
	}
	for subject, a := range b.accounts {
		p.rates = append(p.rates, AccountHistory{
			Account: a.place.account, Region: a.place.region, Bounces: points(subject, observation.AccountBounceRate),
			Complaints: points(subject, observation.AccountComplaintRate),
		})
	}
	slices.SortFunc(p.rates, func(a, b AccountHistory) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return nil
}

// Inbound says what receipt rules did in the period, and what was wrong at its end. CloudWatch's counts are kept for 35 days.
func (p *Period) Inbound() Inbound {
	in := p.now.Inbound(signal.Week)
	in.Window.Start, in.Window.End = p.query.start().UTC(), p.query.end().UTC()
	return in
}

// readInbound does what RefreshInbound does, with sums over all of the period.
func (p *Period) readInbound(ctx context.Context) error {
	r := &p.now.inboundReader
	r.since = p.query.start()
	asOf := p.lastMoment()
	// How far was read, and what rules there are, is noted on the day of asking, which may be the next one.
	noted := p.query.end().Add(24 * time.Hour)
	if p.asOf.Before(noted) {
		noted = p.asOf
	}
	if err := r.readDays(ctx, p.reader, noted, true); err != nil {
		return err
	}
	if err := r.readCounts(ctx, p.now.reader, asOf, true); err != nil {
		return err
	}
	p.now.inbound.Store(r.figures(asOf))
	return nil
}
