package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

// Sampler tells the figures that rules watch.
type Sampler interface {
	// Samples tells the figures of a series, at most one of each subject. They are used until the next call, which may
	// write over them. An error means that nothing is known of the series now: its alerts stand as they are.
	Samples(ctx context.Context, series alerts.Series) ([]alerts.Sample, error)
	// Absent says what it means that a series has no sample of a subject: signal.Idle when its source is well, signal.Stale
	// or signal.Error otherwise.
	Absent(series alerts.Series) signal.State
}

// SilenceLister lists the silences that have not ended.
type SilenceLister interface {
	List(ctx context.Context) ([]alerts.Silence, error)
}

// WatcherOptions are what a Watcher is made of. Describer, Forgets, Observe and Committed may be nil.
type WatcherOptions struct {
	Store     alerts.Store
	Sampler   Sampler
	Silences  SilenceLister
	Describer alerts.Describer
	Now       func() time.Time
	Log       *slog.Logger
	// Forgets says of a notifier that its receiver ends what it is not told of again; nil stands for never.
	Forgets func(notifier string) bool
	// Observe is told of each round.
	Observe func(Round)
	// Committed is called when notifications went to the outbox.
	Committed func()
}

// Round is what became of one round.
type Round struct {
	At   time.Time
	Took time.Duration
	// Transitions and Notifications count what was committed. Dropped counts crossings that were not remembered, because
	// their rule has too many alerts.
	Transitions, Notifications, Dropped int
	// Err is why the round failed, or why it could not see everything; nil when all went well.
	Err error
}

// Standing is how alerts stood after a round. It must not be changed.
type Standing struct {
	At     time.Time
	Alerts []*alerts.Alert
	Groups []*alerts.Group
	// Muted and Silenced say of firing alerts, by their ids, which alert mutes them and which silence covers them.
	Muted, Silenced map[string]string
}

// Watcher makes rounds.
type Watcher struct {
	o WatcherOptions
	// policy is what the next round goes by.
	policy   atomic.Pointer[policy]
	standing atomic.Pointer[Standing]
	// worked is when a round that saw everything ended.
	worked atomic.Pointer[time.Time]

	rounds sync.Mutex // held over a round; protects all following fields
	// held is what was stored last, nil when it must be loaded.
	held     *held
	silences *alerts.Silences
}

// policy is what people configure.
type policy struct {
	rules  *alerts.Rules
	router *alerts.Router
}

// held is what one round hands on to the next.
type held struct {
	state  *alerts.State
	groups *alerts.Groups
}

// NewWatcher returns a watcher that goes by rules and a router.
func NewWatcher(o WatcherOptions, rules *alerts.Rules, router *alerts.Router) *Watcher {
	w := &Watcher{o: o}
	w.Apply(rules, router)
	return w
}

// Apply has the next round go by other rules and another router. Alerts whose rule is gone end with it.
func (w *Watcher) Apply(rules *alerts.Rules, router *alerts.Router) {
	w.policy.Store(&policy{rules, router})
}

// Standing is how alerts stood after the last committed round, nil before the first.
func (w *Watcher) Standing() *Standing { return w.standing.Load() }

// Rules are those that the next round goes by.
func (w *Watcher) Rules() *alerts.Rules { return w.policy.Load().rules }

// Working says why rounds do not work: none has ended for that long that saw everything and was stored. Nil means they do.
func (w *Watcher) Working(within time.Duration) error {
	at := w.worked.Load()
	if at == nil {
		return errors.New("no evaluation of the rules has succeeded yet")
	}
	if age := w.o.Now().Sub(*at); age > within {
		return fmt.Errorf("no evaluation of the rules has succeeded for %s", age.Round(time.Second))
	}
	return nil
}

// maxConflicts is how often a round is made anew because somebody else has written meanwhile.
const maxConflicts = 3

// Round makes one round. Its error says that nothing was stored; the next one repeats it. A series that cannot be read is no
// error of the round: it is logged, and Observe is told.
func (w *Watcher) Round(ctx context.Context) error {
	w.rounds.Lock()
	defer w.rounds.Unlock()
	began := w.o.Now()
	report, err := w.round(ctx)
	for range maxConflicts {
		if !errors.Is(err, alerts.ErrConflict) {
			break
		}
		w.held = nil
		report, err = w.round(ctx)
	}
	report.Err = errors.Join(report.Err, err)
	ended := w.o.Now()
	report.At, report.Took = began, ended.Sub(began)
	if report.Err == nil {
		w.worked.Store(&ended)
	}
	if w.o.Observe != nil {
		w.o.Observe(report)
	}
	if err != nil {
		return fmt.Errorf("evaluate the rules: %w", err)
	}
	return nil
}

func (w *Watcher) round(ctx context.Context) (report Round, err error) {
	if err := w.load(ctx); err != nil {
		return report, err
	}
	silenceErr := w.readSilences(ctx)
	p := w.policy.Load()
	series := samples{sampler: w.o.Sampler}
	found := p.rules.Evaluate(w.held.state, alerts.Input{
		Now: w.o.Now(), Samples: series.all(ctx, p.rules.Series()), Absent: series.absent,
	})
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	report.Err = errors.Join(series.err(), silenceErr)
	if report.Err != nil {
		w.o.Log.Warn("alerts are judged without all that they need", "err", report.Err)
	}
	next := held{state: w.held.state.With(found)}
	planner := alerts.Planner{Rules: p.rules, Router: p.router, Silences: w.silences, Forgets: w.o.Forgets}
	plan := planner.Plan(next.state, w.held.groups, found)
	next.groups = w.held.groups.With(plan.Changes)
	step := alerts.Step{Transitions: found.Transitions, Groups: plan.Changes, Entries: w.entries(ctx, plan.Changes)}
	if len(step.Transitions)+len(step.Groups) > 0 {
		if err := w.o.Store.Commit(ctx, step); err != nil {
			return report, err
		}
	}
	w.noteForgotten(plan.Changes)
	w.held = &next
	w.standing.Store(&Standing{
		At: found.At, Alerts: next.state.Alerts(), Groups: next.groups.All(), Muted: plan.Muted, Silenced: plan.Silenced,
	})
	report.Transitions, report.Notifications, report.Dropped = len(step.Transitions), len(step.Entries), found.Dropped
	if len(step.Entries) > 0 && w.o.Committed != nil {
		w.o.Committed()
	}
	return report, nil
}

// noteForgotten logs what a notifier knows as open that is not there any more to be told of the end.
func (w *Watcher) noteForgotten(changes []alerts.GroupChange) {
	for i := range changes {
		if g := &changes[i].Group; changes[i].Forget && len(g.Members) > 0 {
			w.o.Log.Warn("a notifier that is gone does not hear of the end of its alerts; end them there by hand",
				"notifier", g.Notifier, "rule", g.Rule, "alerts", len(g.Members), "key", g.Key)
		}
	}
}

// load reads what is stored, unless it is known. What an Alarm keeps is its own.
func (w *Watcher) load(ctx context.Context) error {
	if w.held != nil {
		return nil
	}
	stored, err := w.o.Store.Load(ctx)
	if err != nil {
		return err
	}
	_, groups := splitGroups(stored.Groups)
	w.held = &held{alerts.NewState(stored.Alerts), alerts.NewGroups(groups)}
	return nil
}

// readSilences brings the silences up to date. When that fails those of the last round last on, because somebody relies on
// them.
func (w *Watcher) readSilences(ctx context.Context) error {
	list, err := w.o.Silences.List(ctx)
	if err != nil {
		return err
	}
	ready, err := alerts.NewSilences(list)
	if err != nil {
		return err
	}
	w.silences = ready
	return nil
}

// describeFor bounds how long the details of a round's notifications may take.
const describeFor = 10 * time.Second

// entries makes entries of the outbox of the changes that are to be told, each with what stands behind it. Once the time is over
// a Describer adds what it need not look up.
func (w *Watcher) entries(ctx context.Context, changes []alerts.GroupChange) []alerts.Entry {
	ctx, cancel := context.WithTimeout(ctx, describeFor)
	defer cancel()
	var all []alerts.Entry
	for i := range changes {
		n := changes[i].Notification
		if n == nil {
			continue
		}
		if w.o.Describer != nil {
			w.o.Describer.Describe(ctx, n)
		}
		all = append(all, alerts.NewEntry(*n))
	}
	return all
}

// samples reads one series after the other, so that only one lies in memory.
type samples struct {
	sampler Sampler
	failed  map[alerts.Series]error
}

// all yields the figures of all series. One that cannot be read has none.
func (s *samples) all(ctx context.Context, series []alerts.Series) func(yield func(*alerts.Sample) bool) {
	return func(yield func(*alerts.Sample) bool) {
		for _, one := range series {
			figures, err := s.sampler.Samples(ctx, one)
			if err != nil {
				s.fail(one, err)
				continue
			}
			for i := range figures {
				if !yield(&figures[i]) {
					return
				}
			}
		}
	}
}

func (s *samples) fail(series alerts.Series, err error) {
	if s.failed == nil {
		s.failed = make(map[alerts.Series]error)
	}
	s.failed[series] = err
}

// absent says what it means that a series has no sample of a subject.
func (s *samples) absent(series alerts.Series) signal.State {
	if s.failed[series] != nil {
		return signal.Stale
	}
	return s.sampler.Absent(series)
}

func (s *samples) err() error {
	var errs []error
	for series, err := range s.failed {
		errs = append(errs, fmt.Errorf("read %s by %s: %w", series.Signal, series.By, err))
	}
	return errors.Join(errs...)
}
