package backtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
	// fine is the step where the ledger has mail by 5 minutes, which it does for fineBack.
	fine     = 5 * time.Minute
	fineBack = 48 * hour
	// hoursBack is for how long the ledger has mail by the hour, less the longest window, which looks back from the start.
	hoursBack = 93 * day
	// between is how far apart rounds are within a step of an hour, so that the clocks of alerts run.
	between = alerts.LongestRound
	// followed is how far a view may follow a ledger at once: as long as its shortest window, it would read all afresh.
	followed = hour / 2
	// readEvery is how often readings are looked at: sources tell hours and days, receipt rules aside.
	readEvery = hour
	// fresh is how old a sampler takes a view to be before it calls it stale.
	fresh = 10 * time.Minute
)

// ErrRange says that there is no history between the two ends; the message says what there is.
var ErrRange = errors.New("there is no history to go through")

// Options say what is to be gone through.
type Options struct {
	// Reader is the ledger's, Settings and Group are as a daemon's view has them.
	Reader   view.Reader
	Settings view.Settings
	Group    func(reason string) string
	// Rules are those to try. Their routes lead to Notifiers; without any, all notifications are counted as one's.
	Rules     []alerts.Rule
	Routes    []alerts.Route
	CatchAll  []string
	Notifiers []string
	// From and To are the ends; a zero To is the ledger's last fold, a zero From seven days before To. They are moved to
	// where the ledger has mail.
	From, To time.Time
	// Progress, when not nil, is told how far it is, and the end.
	Progress func(at, end time.Time)
}

// anybody takes the notifications where no notifiers are configured.
const anybody = "anybody"

// backtest is one on its way.
type backtest struct {
	o       Options
	past    *past
	view    *view.View
	sampler *sampler.Sampler
	rules   *alerts.Rules
	router  *alerts.Router
	// fineFrom is when steps become short; readAt is when readings were looked at last.
	fineFrom, readAt time.Time
	// reads bring the view's parts up to date that the rules need.
	reads []func(context.Context) error

	state  *alerts.State
	groups *alerts.Groups
	book   *book
	// err is why the samples of a round could not be told.
	err error
}

// Run goes through history.
func Run(ctx context.Context, o Options) (*Result, error) {
	b, err := newBacktest(ctx, o)
	if err != nil {
		return nil, err
	}
	for at := b.past.at; ; {
		if err := b.step(ctx, at); err != nil {
			return nil, fmt.Errorf("backtest at %s: %w", at.Format(time.RFC3339), err)
		}
		if b.o.Progress != nil {
			b.o.Progress(at, b.o.To)
		}
		next := b.next(at)
		if next.After(b.o.To) {
			break
		}
		at = next
	}
	return b.result(), nil
}

func newBacktest(ctx context.Context, o Options) (*backtest, error) {
	status, err := o.Reader.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.AsOf.IsZero() {
		return nil, fmt.Errorf("%w: nothing has been counted yet", ErrRange)
	}
	b := &backtest{o: o, state: &alerts.State{}, groups: &alerts.Groups{}}
	if err := b.bound(status.AsOf.UTC()); err != nil {
		return nil, err
	}
	var tested []alerts.Rule
	b.book = newBook()
	b.book.result.AsOf = status.AsOf.UTC()
	for _, r := range o.Rules {
		if sampler.OfLedger(r.Signal) {
			tested = append(tested, r)
			b.book.rule(&r)
			continue
		}
		b.book.result.NotTested = append(b.book.result.NotTested, NotTested{r.Name, r.Signal, "Mailvane tells it of itself, and it is not stored"})
	}
	if b.rules, err = alerts.Compile(tested); err != nil {
		return nil, err
	}
	if len(o.Notifiers) == 0 {
		o.Routes, o.CatchAll, o.Notifiers = nil, []string{anybody}, []string{anybody}
	}
	if b.router, err = alerts.NewRouter(o.Routes, o.CatchAll, o.Notifiers); err != nil {
		return nil, err
	}
	b.past = newPast(o.Reader, b.o.From)
	b.view = view.New(b.past, view.Options{Group: o.Group, Settings: o.Settings})
	b.sampler = sampler.New(sampler.Options{View: b.view, Now: b.now})
	b.reads = b.needed(tested)
	// Whether sources worked at the time is not known, so they are taken to have done so.
	b.sampler.Observe(sampler.Daemon{})
	return b, nil
}

// bound moves the ends to where the ledger has mail, and to whole steps.
func (b *backtest) bound(asOf time.Time) error {
	o := &b.o
	if o.To.IsZero() || o.To.After(asOf) {
		o.To = asOf
	}
	if o.From.IsZero() {
		o.From = o.To.Add(-7 * day)
	}
	b.fineFrom = asOf.Add(-fineBack).Truncate(hour).Add(hour)
	if earliest := asOf.Add(-hoursBack); o.From.Before(earliest) {
		o.From = earliest
	}
	o.From, o.To = o.From.UTC(), o.To.UTC()
	if o.From.After(o.To) {
		return fmt.Errorf("%w: it is known from %s to %s", ErrRange, asOf.Add(-hoursBack).Format(time.RFC3339), asOf.Format(time.RFC3339))
	}
	if o.From.Before(b.fineFrom) {
		o.From = o.From.Truncate(hour)
	} else {
		o.From = o.From.Truncate(fine)
	}
	return nil
}

func (b *backtest) next(at time.Time) time.Time {
	if at.Before(b.fineFrom) {
		return at.Add(hour)
	}
	return at.Add(fine)
}

// step brings the view up to a time and makes the rounds of the step. Those after the first see the same figures: within an
// hour nothing is known, but the clocks of alerts go on.
func (b *backtest) step(ctx context.Context, at time.Time) error {
	if err := b.refresh(ctx, at); err != nil {
		return err
	}
	b.round(at, b.samples(ctx, b.rules.Series()))
	if b.err != nil {
		return b.err
	}
	kept := b.keep(ctx)
	if b.err != nil {
		return b.err
	}
	for again := at.Add(between); again.Before(b.next(at)) && !again.After(b.o.To) && len(b.state.Alerts()) > 0; again = again.Add(between) {
		b.round(again, slices.Values(kept))
	}
	return nil
}

// refresh brings the view up to a time.
func (b *backtest) refresh(ctx context.Context, at time.Time) error {
	for b.past.at.Before(at) {
		if next := b.past.at.Add(followed); next.Before(at) {
			b.past.goOn(next)
		} else {
			b.past.goOn(at)
		}
		if err := b.view.Refresh(ctx); err != nil {
			return err
		}
	}
	if b.view.AsOf().IsZero() { // the first step
		if err := b.view.Refresh(ctx); err != nil {
			return err
		}
	}
	if at.Sub(b.readAt) < readEvery && !b.next(at).After(b.o.To) { // and at the end
		return nil
	}
	b.readAt = at
	for _, read := range b.reads {
		if err := read(ctx); err != nil {
			return err
		}
	}
	return nil
}

// now is the time by which the sampler judges how old figures are: readings were looked at within the hour, as far as can be
// known.
func (b *backtest) now() time.Time {
	if at := b.readAt.Add(fresh); at.Before(b.past.at) {
		return at
	}
	return b.past.at
}

// needed are the parts of a view that rules need. What Gmail tells is joined for all, because it also tells where the mail of
// campaigns was sent from, by which alerts mute one another.
func (b *backtest) needed(rules []alerts.Rule) []func(context.Context) error {
	reads := []func(context.Context) error{b.view.RefreshGmail}
	accounts, inbound := false, false
	for i := range rules {
		switch s := rules[i].Signal; {
		case s >= alerts.ReceiptFailures && s <= alerts.ReceiptSilent:
			inbound = true
		case s >= alerts.AccountBounceRate:
			accounts = true
		}
	}
	if accounts {
		reads = append(reads, b.view.RefreshAccounts)
	}
	if inbound {
		reads = append(reads, b.view.RefreshInbound)
	}
	return reads
}

// samples tells the figures of some series.
func (b *backtest) samples(ctx context.Context, series []alerts.Series) iter.Seq[*alerts.Sample] {
	return func(yield func(*alerts.Sample) bool) {
		for _, one := range series {
			samples, err := b.sampler.Samples(ctx, one)
			if err != nil {
				b.err = err
				return
			}
			for i := range samples {
				if !yield(&samples[i]) {
					return
				}
			}
		}
	}
}

// keep copies what further rounds of a step need: the figures of subjects that have an alert, and all daily ones, whose judged
// days are remembered. There are none when no further round is to come.
func (b *backtest) keep(ctx context.Context) []*alerts.Sample {
	type about struct {
		series  alerts.Series
		subject alerts.Subject
	}
	live := map[about]bool{}
	series := map[alerts.Series]bool{}
	for _, a := range b.state.Alerts() {
		s, _ := b.rules.SeriesOf(a.Rule)
		live[about{s, a.Subject}], series[s] = true, true
	}
	if len(live) == 0 || b.next(b.past.at).Sub(b.past.at) <= between {
		return nil
	}
	var wanted []alerts.Series
	for _, s := range b.rules.Series() {
		if series[s] || s.Signal.Definition().Kind == alerts.Daily {
			wanted = append(wanted, s)
		}
	}
	var kept []*alerts.Sample
	for s := range b.samples(ctx, wanted) {
		if s.Series.Signal.Definition().Kind == alerts.Daily || live[about{s.Series, s.Subject}] {
			kept = append(kept, clone(s))
		}
	}
	return kept
}

// clone copies a sample and what it points to, for the sampler writes over both.
func clone(s *alerts.Sample) *alerts.Sample {
	c := *s
	c.Days = slices.Clone(s.Days)
	if s.Figure != nil {
		c.Figure = new(signal.Figure)
		*c.Figure = *s.Figure
	}
	return &c
}

// round evaluates the rules, plans the notifications and notes both.
func (b *backtest) round(at time.Time, samples iter.Seq[*alerts.Sample]) {
	found := b.rules.Evaluate(b.state, alerts.Input{Now: at, Samples: samples, Absent: b.sampler.Absent})
	if b.err != nil {
		return
	}
	b.state = b.state.With(found)
	planner := alerts.Planner{Rules: b.rules, Router: b.router}
	plan := planner.Plan(b.state, b.groups, found)
	b.groups = b.groups.With(plan.Changes)
	b.book.note(at, found, b.state, &plan)
}
