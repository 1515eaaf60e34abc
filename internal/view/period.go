package view

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/signal"
)

// PeriodReader is what a period is read from, by several goroutines.
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
