package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/watch"
)

const (
	// weeksBefore is how many weeks a period of a week or less is compared with. Longer ones are compared with the time before
	// that is as long, in whole weeks.
	weeksBefore = 4
	// maxReasons bounds the reasons and identifiers of a campaign, maxSends the campaigns that are told with their sends.
	maxReasons = 5
	maxSends   = 30
	// longest is the longest maturity of a signal.
	longest = 72 * time.Hour
)

// Build makes a report. The error wraps ErrPeriod when there is nothing to report of the period.
func Build(ctx context.Context, source Source, o Options) (*Report, error) {
	f, err := Read(ctx, source, o)
	if err != nil {
		return nil, err
	}
	return f.Report(ctx, o.Owner, o.Previous)
}

// Facts are what the reports about a period are made of.
type Facts struct {
	options Options
	read    *view.Period
	events  []watch.Event
}

// Read reads what the reports of all owners are made of, once for all of them; the options' Owner and Previous have no part
// in it. It reads in short pieces, so that no writer of the ledger waits for it. The error wraps ErrPeriod when there is
// nothing to report of the period.
func Read(ctx context.Context, source Source, o Options) (*Facts, error) {
	if !o.Period.Start.Before(o.Now) {
		return nil, fmt.Errorf("%w: %s has not begun", ErrPeriod, o.Period.String())
	}
	q, err := o.query()
	if err != nil {
		return nil, err
	}
	status, err := source.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the report of %s: %w", o.Period.ID(), err)
	}
	if !o.Period.Start.Before(status.AsOf) {
		return nil, fmt.Errorf("%w: the ledger knows nothing of %s; it was last written to at %s", ErrPeriod, o.Period.String(),
			status.AsOf.In(o.Period.Location()).Format(time.DateTime))
	}
	f := &Facts{options: o}
	if f.read, err = view.ReadPeriod(ctx, source, view.Options{Settings: o.Settings, Group: o.Group}, q); err != nil {
		return nil, fmt.Errorf("make the report of %s: %w", o.Period.ID(), err)
	}
	if f.events, err = readAlerts(ctx, source, &o); err != nil {
		return nil, fmt.Errorf("make the report of %s: %w", o.Period.ID(), err)
	}
	return f, nil
}

// Report makes the report of an owner, of all campaigns when it is empty. Previous is an earlier edition of the same report,
// or nil. The source that the facts were read from must still be open.
func (f *Facts) Report(ctx context.Context, owner string, previous *Report) (*Report, error) {
	o := f.options
	o.Owner, o.Previous = owner, previous
	p := f.read.Of(owner)
	b := &builder{Options: &o, read: p, events: f.events, report: &Report{
		Format: format, Period: o.Period, Owner: o.Owner, Campaign: o.Campaign, MadeAt: o.Now.UTC().Truncate(time.Second),
		AsOf: p.AsOf().Truncate(time.Second), Link: o.Link,
	}}
	if err := b.build(ctx); err != nil {
		return nil, fmt.Errorf("make the report of %s: %w", o.Period.ID(), err)
	}
	return b.report, nil
}

// query says what is read for the report.
func (o *Options) query() (view.PeriodQuery, error) {
	q := view.PeriodQuery{Zone: o.Period.Location(), Progress: o.Progress}
	if o.Campaign != "" {
		match, err := campaign.NewMatcher([]string{o.Campaign})
		if err != nil {
			return q, fmt.Errorf("the campaigns of the report: %w", err)
		}
		q.Match = match
	}
	q.First = 7 * weeksBefore
	if days := o.Period.Len(); days > 7 {
		q.First = (days + 6) / 7 * 7
	}
	first := o.Period.date().AddDate(0, 0, -q.First)
	for day := range q.First + o.Period.Len() + 1 {
		q.Edges = append(q.Edges, startOf(first.AddDate(0, 0, day), q.Zone))
	}
	return q, nil
}

// builder makes a report of what was read.
type builder struct {
	*Options
	read   *view.Period
	events []watch.Event
	report *Report
	// findings are those of the campaigns, in their order.
	findings [][]finding
}

func (b *builder) build(ctx context.Context) error {
	r := b.report
	b.campaigns()
	r.Totals.Figures = b.read.Totals()
	for i := range r.Campaigns {
		if r.Campaigns[i].Recipients != (view.Recipients{}) { // else all of its mail went to the mailbox simulator
			r.Totals.Campaigns++
		}
	}
	settle(&r.Totals.Figures)
	b.spans()
	r.Uncounted = b.read.Counted().IsZero() || !b.read.Counted().Before(r.Period.End)
	r.Before = b.before()
	r.Providers = b.read.Providers()
	for i := range r.Providers {
		settle(&r.Providers[i].Figures)
	}
	b.standing()
	r.Inbound = b.read.Inbound()
	b.actions()
	if err := b.sends(ctx); err != nil {
		return err
	}
	r.Alerts = b.firing()
	b.unknown()
	b.sentences()
	if b.Previous != nil {
		r.Changes = changesSince(b.Previous, r)
	}
	return nil
}

// campaigns lists the campaigns and judges them; those with something to do come first.
func (b *builder) campaigns() {
	type judged struct {
		Campaign
		findings []finding
		rank     int
		weight   float64
	}
	var all []*judged
	for c := range b.read.Campaigns(func(s signal.Signal) float64 { return linesOf(s).act }) {
		j := &judged{Campaign: newCampaign(c)}
		if j.findings = judge(&j.Campaign); len(j.findings) > 0 {
			j.Level, j.weight = j.findings[0].level, j.findings[0].weight
		}
		j.rank = 2*j.Level.rank() + first(j.Level == LevelUrgent && !j.Stream)
		j.Reasons = slices.Clone(j.Reasons[:min(len(j.Reasons), maxReasons)])
		all = append(all, j)
	}
	slices.SortStableFunc(all, func(a, b *judged) int { // of the rest those with most mail come first already
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.weight, a.weight))
	})
	b.report.Campaigns = make([]Campaign, 0, len(all))
	for i, j := range all {
		b.report.Campaigns, b.findings = append(b.report.Campaigns, j.Campaign), append(b.findings, j.findings)
		all[i] = nil // of many campaigns, this is much
	}
}

// refusals are the most frequent reasons for bounces.
func refusals(reasons []view.Reason) []Refusal {
	n := map[string]int64{}
	for _, r := range reasons {
		if strings.HasSuffix(r.Outcome, "_bounced") {
			n[r.Reason] += r.N
		}
	}
	all := make([]Refusal, 0, len(n))
	for reason, n := range n {
		all = append(all, Refusal{reason, n})
	}
	slices.SortFunc(all, func(a, b Refusal) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	return all[:min(len(all), maxReasons)]
}

func newCampaign(from *view.PeriodCampaign) Campaign {
	c := Campaign{Campaign: from.Campaign, Reasons: from.Reasons, Refusals: refusals(from.Reasons)}
	settle(&c.Figures)
	if c.Gmail != nil && len(c.Gmail.Identifiers) > maxReasons {
		c.Gmail.Identifiers = slices.Clone(c.Gmail.Identifiers[:maxReasons])
	}
	if from.Before != nil {
		c.Before = &Before{Figures: *from.Before, Compared: from.Compared}
		settle(&c.Before.Figures)
		for name, of := range c.Before.Compared {
			of.Value, of.Before = short(of.Value), short(of.Before)
			c.Before.Compared[name] = of
		}
		if len(c.Before.Compared) == 0 {
			c.Before.Compared = nil
		}
	}
	if w := from.Worst; w != nil {
		c.Worst = &Worst{
			Provider: w.Provider, Signal: w.Signal.String(), Value: short(w.Figure.Value), Low: short(w.Figure.Low),
			High: short(w.Figure.High), Count: w.Figure.Numerator, Of: w.Figure.Denominator,
		}
		if l := linesOf(w.Signal).act; l > 0 {
			c.Worst.Line = &l
		}
	}
	for _, d := range from.GmailDays {
		c.GmailDays = append(c.GmailDays, GmailDay{d.Day, d.Rate, d.Value, d.Domain, d.Delivered})
	}
	return c
}

// spans tells the days and the weeks.
func (b *builder) spans() {
	r := b.report
	first := r.Period.date()
	for i, f := range b.read.Days() {
		r.Days = append(r.Days, b.span(f, first.AddDate(0, 0, i), 1))
	}
	weeks := b.read.Weeks()
	all := weeksBefore
	if days := r.Period.Len(); days > 7 {
		all = (days + 6) / 7
	}
	for i, f := range weeks {
		from := first.AddDate(0, 0, 7*(i-all))
		days := 7
		if left := int(first.AddDate(0, 0, r.Period.Len()).Sub(from) / (24 * time.Hour)); left < days {
			days = left
		}
		r.Weeks = append(r.Weeks, b.span(f, from, days))
	}
}

func (b *builder) span(f view.Figures, first time.Time, days int) Span {
	p := newPeriod(first, first.AddDate(0, 0, days-1), b.Period.Location())
	s := Span{From: p.From, To: p.To, Figures: f}
	settle(&s.Figures)
	s.Immature = p.End.After(b.report.AsOf.Add(-longest))
	s.Partial = p.End.After(b.report.AsOf) || b.read.Counted().IsZero() || p.Start.Before(b.read.Counted())
	for _, gap := range b.read.Gaps() {
		s.Partial = s.Partial || gap.From.Before(p.End) && gap.To.After(p.Start)
	}
	return s
}

// before sums up the mail of the weeks before, nil when there was none.
func (b *builder) before() *view.Figures {
	f := b.read.Before()
	if f.Recipients == (view.Recipients{}) {
		return nil
	}
	settle(&f)
	return &f
}

// standing tells how SES and Gmail see all mail.
func (b *builder) standing() {
	r := b.report
	histories := b.read.AccountHistories()
	for i, a := range b.read.Accounts().Accounts {
		told := Account{Account: a}
		if i < len(histories) {
			told.Bounces, told.Complaints = pointsOf(histories[i].Bounces), pointsOf(histories[i].Complaints)
		}
		r.Accounts = append(r.Accounts, told)
	}
	for _, d := range b.read.Domains() {
		d.Identifiers = slices.Clone(d.Identifiers[:min(len(d.Identifiers), maxReasons)])
		told := Domain{Domain: d}
		for _, h := range b.read.DomainHistories() {
			if h.Domain == d.Domain && h.Source == d.Source {
				told.Days, told.Earlier = domainDays(h.Days), domainDays(h.Earlier)
			}
		}
		r.Domains = append(r.Domains, told)
	}
}

func domainDays(days []view.DomainDay) []DomainDay {
	all := make([]DomainDay, len(days))
	for i, d := range days {
		all[i] = DomainDay{d.Day, d.Rate, d.State, d.Delivered}
	}
	return all
}

// sends reads the sends of the campaigns with something to do, and of the others when there are few.
func (b *builder) sends(ctx context.Context) error {
	for i := range b.report.Campaigns[:min(len(b.report.Campaigns), maxSends)] {
		c := &b.report.Campaigns[i]
		if c.Stream {
			continue
		}
		sends, err := b.read.Sends(ctx, c.Tenant, c.ID)
		if err != nil {
			return err
		}
		for j := range sends {
			settle(&sends[j].Figures)
			for name, of := range sends[j].Compared {
				of.Value, of.Before = short(of.Value), short(of.Before)
				sends[j].Compared[name] = of
			}
			if len(sends[j].Compared) == 0 {
				sends[j].Compared = nil
			}
		}
		c.Sends = sends
	}
	return nil
}
