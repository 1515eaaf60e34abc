package view

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

// PeriodReader is what a period is read from.
type PeriodReader interface {
	Reader
	ledger.AlertReader
}

// PeriodQuery says which mail is looked at, and which before it that is compared with.
type PeriodQuery struct {
	// Edges are the starts of days that follow one another, and the end of the last. Those before the day First are what the
	// period is compared with: whole weeks.
	Edges []time.Time
	First int
	// Zone is where those days begin.
	Zone *time.Location
	// Match selects campaigns by their names; nil selects all.
	Match *campaign.Matcher
	// Progress is told how many of the days were read; it may be nil.
	Progress func(done, total int)
}

func (q *PeriodQuery) start() time.Time { return q.Edges[q.First] }
func (q *PeriodQuery) end() time.Time   { return q.Edges[len(q.Edges)-1] }

// days is how many days the period has.
func (q *PeriodQuery) days() int { return len(q.Edges) - 1 - q.First }

// compared says whether a stream's mail of the period is compared with that of an earlier day: one of the same weekday.
func (q *PeriodQuery) compared(day int) bool { return (7-(q.First-day)%7)%7 < q.days() }

// Period is what is known of the mail that was sent in some days, and of the time itself. It has the figures that a View has
// of its windows, by the same code: of an hour that has passed, both say the same. A Period does not change, and may be
// queried by one goroutine at a time.
type Period struct {
	query  PeriodQuery
	reader PeriodReader
	// now is a View whose running sums hold the mail of the period alone, in every window; before holds the mail before it,
	// beforeStreams of that what streams are compared with.
	now, before, beforeStreams *View
	// asOf is that of the ledger, and at most that at which the period's last readings are from.
	asOf time.Time
	// sums are all mail by days and weeks, owned that of each owner.
	sums  *spanSums
	owned map[string]*spanSums
	// counted is since when events are counted, zero when none ever were.
	counted time.Time
	rates   []AccountHistory
	spam    []DomainHistory
	gaps    []Gap
	eras    *eras
}

// spanSums sum up mail by days of the period, and by weeks, the earlier ones too.
type spanSums struct{ days, weeks []tally }

func (q *PeriodQuery) newSums() *spanSums {
	return &spanSums{make([]tally, q.days()), make([]tally, q.week(len(q.Edges)-2)+1)}
}

// ReadPeriod reads all that is known of a period. Each piece that it reads is short.
func ReadPeriod(ctx context.Context, r PeriodReader, o Options, q PeriodQuery) (*Period, error) {
	status, err := r.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read a period: %w", err)
	}
	p := &Period{query: q, reader: r, asOf: status.AsOf, sums: q.newSums(), owned: map[string]*spanSums{}}
	if p.eras, err = New(r, o).readEras(ctx); err != nil {
		return nil, fmt.Errorf("read a period: %w", err)
	}
	if first := p.eras.first(); first != forever {
		p.counted = time.Unix(first, 0).UTC()
	}
	bounded := until{r, p.lastMoment().Add(1)}
	for _, v := range []**View{&p.now, &p.before, &p.beforeStreams} {
		*v = New(bounded, o)
		(*v).sums = newSums(p.eras)
		(*v).asOf = p.lastMoment()
	}
	p.now.sums.starts[spanWeek] = q.start().Unix()
	for _, read := range []struct {
		what string
		read func(context.Context) error
	}{
		{"the cohorts", p.readCohorts}, {"what Gmail says", p.readGmail}, {"how the accounts stood", p.readAccounts},
		{"what receipt rules did", p.readInbound}, {"when events came", p.readGaps},
	} {
		if err := read.read(ctx); err != nil {
			return nil, fmt.Errorf("read %s of a period: %w", read.what, err)
		}
	}
	return p, nil
}

// lastMoment is the last moment of the period that can be known.
func (p *Period) lastMoment() time.Time {
	if end := p.query.end().Add(-1); end.Before(p.asOf) {
		return end
	}
	return p.asOf
}

// until reads a ledger as if it had no readings after a time.
type until struct {
	PeriodReader
	end time.Time
}

// Readings hides what is later.
func (u until) Readings(ctx context.Context, q ledger.ReadingQuery) ([]ledger.ReadingRow, error) {
	if q.To.After(u.end) {
		q.To = u.end
	}
	return u.PeriodReader.Readings(ctx, q)
}

// week is the week of a day. Weeks end where the period begins, and go on from there.
func (q *PeriodQuery) week(day int) int { return (day + (7-q.First%7)%7) / 7 }

const (
	// fewestHours and mostHours bound how much send time is read at once: as much as holds about someRows, for the sake of
	// memory.
	fewestHours, mostHours = 3, 24
	someRows               = 40_000
	// ahead is how many pieces of cohorts are read while one is summed up.
	ahead = 2
)

// piece is mail that is counted alike, of one day or less.
type piece struct {
	from int64
	rows []ledger.CohortRow
	err  error
}

// readCohorts reads and sums up the mail, piece by piece. What it reads ahead ends with it.
func (p *Period) readCohorts(ctx context.Context) error {
	q := &p.query
	cuts, hours := p.cuts(), int64(fewestHours)
	from, cut := cuts[0], 1
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	var queue []chan piece
	read := func() {
		if cut == len(cuts) {
			return
		}
		got, at, to := make(chan piece, 1), from, min(from+hours*step, cuts[cut])
		if from = to; to == cuts[cut] {
			cut++
		}
		queue = append(queue, got)
		reading.Go(func() {
			c, err := p.reader.Cohorts(ctx, ledger.CohortQuery{From: time.Unix(at, 0), To: time.Unix(to, 0), Sum: true})
			got <- piece{at, c.Rows, err}
		})
	}
	for range ahead {
		read()
	}
	for len(queue) > 0 {
		got := <-queue[0]
		if got.err != nil {
			return got.err
		}
		switch queue = queue[1:]; {
		case len(got.rows) < someRows/2:
			hours = min(2*hours, mostHours)
		case len(got.rows) > someRows:
			hours = max(hours/2, fewestHours)
		}
		read()
		day := q.dayOf(got.from)
		p.count(got.rows, day, got.from)
		if q.Progress != nil {
			q.Progress(day+1, len(q.Edges)-1)
		}
	}
	return nil
}

func (q *PeriodQuery) dayOf(at int64) int {
	next := slices.IndexFunc(q.Edges, func(t time.Time) bool { return t.Unix() > at })
	return next - 1
}

// cuts are the times between which all mail is counted alike, in order.
func (p *Period) cuts() []int64 {
	q := &p.query
	cuts := make([]int64, 0, len(q.Edges))
	for _, t := range q.Edges {
		cuts = append(cuts, t.Unix())
	}
	for _, since := range p.eras.origins {
		cuts = append(cuts, since[:]...)
	}
	for _, list := range p.eras.reporting {
		cuts = append(cuts, list.since)
	}
	for s := range spanWeek {
		cuts = append(cuts, s.start(p.asOf))
	}
	first, last := q.Edges[0].Unix(), q.end().Unix()
	cuts = slices.DeleteFunc(cuts, func(at int64) bool { return at < first || at > last })
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// count adds mail of one day that is counted alike.
func (p *Period) count(rows []ledger.CohortRow, day int, from int64) {
	q := &p.query
	into := p.before
	if day >= q.First {
		into = p.now
	}
	in := uint8(1 << spanWeek)
	for s := range spanWeek {
		if s.start(p.asOf) <= from {
			in |= 1 << s
		}
	}
	for i := range rows {
		row := &rows[i]
		if q.Match != nil && !q.Match.Match(row.Cell.Campaign.Name) {
			continue
		}
		row.Start = time.Unix(from, 0)
		c := into.sums.campaign(name{row.Cell.Campaign.Tenant, row.Cell.Campaign.Name}, &into.settings)
		if day >= q.First {
			into.sums.count(row, p.eras, in, 1, &into.settings)
		} else {
			p.countBefore(p.before, row, in)
			if c.stream && q.compared(day) {
				p.countBefore(p.beforeStreams, row, in)
			}
		}
		p.sum(p.sums, row, day, in)
		if c.owner != "" {
			if p.owned[c.owner] == nil {
				p.owned[c.owner] = q.newSums()
			}
			p.sum(p.owned[c.owner], row, day, in)
		}
	}
}

// countBefore adds earlier mail. Of that nobody asks for providers and reasons, so that it is told apart only as far as
// figures need.
func (p *Period) countBefore(into *View, row *ledger.CohortRow, in uint8) {
	s, cell, at := into.sums, &row.Cell, row.Start.Unix()
	provider, reason := "", ""
	if cell.Provider == signal.Simulator {
		provider = cell.Provider
	}
	if signal.Blocks(into.group(cell.Reason)) {
		reason = cell.Reason
	}
	key := newKey(s.providers.id(provider), s.reasons.id(reason), cell.Outcome, p.eras.coverage(cell.Origin, at),
		p.eras.reports(cell.Provider, at))
	c := s.campaign(name{cell.Campaign.Tenant, cell.Campaign.Name}, &into.settings)
	c.add(key, in, row.N)
	if row.Possible != 0 {
		c.add(newKey(key.provider(), key.reason(), possible, key.coverage(), key.reporting()), in, row.Possible)
	}
}

// sum adds a row to sums by days and weeks.
func (p *Period) sum(into *spanSums, row *ledger.CohortRow, day int, in uint8) {
	var n, listed [spanCount]int64
	for s := range n {
		if in&(1<<s) != 0 {
			n[s], listed[s] = row.N, row.Possible
		}
	}
	r := p.now.row(p.now.sums.key(row, p.eras))
	count := func(t *tally) {
		t.add(r, &n)
		if row.Possible != 0 {
			of := r
			of.Outcome = possible
			t.add(of, &listed)
		}
	}
	count(&into.weeks[p.query.week(day)])
	if day >= p.query.First {
		count(&into.days[day-p.query.First])
	}
}

// Of is the part of the period that is about the campaigns of one owner; of all when it is empty.
func (p *Period) Of(owner string) *Period {
	if owner == "" {
		return p
	}
	of := *p
	if of.sums = p.owned[owner]; of.sums == nil {
		of.sums = p.query.newSums()
	}
	of.now, of.before, of.beforeStreams = p.now.of(owner), p.before.of(owner), p.beforeStreams.of(owner)
	return &of
}

// of is a view of the campaigns of one owner. It shares all else, and is not refreshed.
func (v *View) of(owner string) *View {
	part := &View{reader: v.reader, group: v.group, failingSince: v.failingSince, lag: v.lag, settings: v.settings, asOf: v.asOf}
	sums := *v.sums
	sums.campaigns = map[name]*campaignSums{}
	for n, c := range v.sums.campaigns {
		if c.owner == owner {
			sums.campaigns[n] = c
		}
	}
	part.sums = &sums
	part.gmail.Store(v.gmail.Load())
	part.accounts.Store(v.accounts.Load())
	part.inbound.Store(v.inbound.Load())
	return part
}

// AsOf is up to when the ledger knows what became of the mail.
func (p *Period) AsOf() time.Time { return p.asOf.UTC() }

// Counted is since when mail is covered by events, zero when none ever was.
func (p *Period) Counted() time.Time { return p.counted }

// Totals sums over all campaigns.
func (p *Period) Totals() Figures { return p.now.Totals(signal.Week).Figures }

// Days sums up each day.
func (p *Period) Days() []Figures { return figuresOf(p.sums.days) }

// Weeks sums up each week, the earlier ones first. The first and the last may be parts of weeks.
func (p *Period) Weeks() []Figures { return figuresOf(p.sums.weeks) }

func figuresOf(tallies []tally) []Figures {
	all := make([]Figures, len(tallies))
	for i := range tallies {
		all[i] = tallies[i].figures(spanWeek, false)
	}
	return all
}

// Providers lists the providers, most mail first.
func (p *Period) Providers() []Provider { return p.now.Providers(signal.Week, Sort{}).Providers }

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

// Gap is a stretch without a single event.
type Gap struct{ From, To time.Time }

// gapHours is the length from which on hours without an event are looked at.
const gapHours = 3

// Gaps are stretches of the period in which nothing at all was counted, for longer than ever in the weeks before.
func (p *Period) Gaps() []Gap { return p.gaps }

// readGaps finds them by the events' own time.
func (p *Period) readGaps(ctx context.Context) error {
	first, end := p.query.Edges[0], p.lastMoment()
	if first.Before(p.counted) {
		first = p.counted
	}
	busy := map[int64]bool{}
	for from := first; from.Before(end); from = from.AddDate(0, 0, 7) {
		rows, err := p.reader.OwnTime(ctx, from, from.AddDate(0, 0, 7))
		if err != nil {
			return err
		}
		for i := range rows {
			busy[hourOf(rows[i].Start.Unix())] = true
		}
	}
	if p.counted.IsZero() || p.counted.After(p.query.start().AddDate(0, 0, -7)) {
		return nil // there is no habit yet
	}
	habit := int64(gapHours)
	start := hourOf(p.query.start().Unix())
	for at := hourOf(first.Unix()) + step; at < end.Unix(); at += step {
		to := at
		for to < hourOf(end.Unix()) && !busy[to] {
			to += step
		}
		hours := (to - at) / step
		switch {
		case hours < gapHours:
		case at < start && to <= start:
			habit = max(habit, 2*hours)
		case hours > habit:
			p.gaps = append(p.gaps, Gap{time.Unix(max(at, start), 0).UTC(), time.Unix(to, 0).UTC()})
		}
		at = max(at, to)
	}
	return nil
}

// Before sums up the weeks before the period.
func (p *Period) Before() Figures { return p.before.Totals(signal.Week).Figures }
