package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

// AlarmRule is the name of the rule by which the Alarm goes. Its key is the same for ever, and no other rule may have it.
const AlarmRule = "LedgerCannotCommit"

// alarmSource is what the alarm's alert is about.
const alarmSource = "ledger"

// AlarmOptions are what an Alarm is made of.
type AlarmOptions struct {
	// Trouble says why the ledger cannot commit, nil when it can. It must not wait for the ledger.
	Trouble func() error
	// Store keeps what notifiers were told, as far as it can be kept, so that a process that starts anew ends what the one
	// before it began.
	Store  alerts.Store
	Now    func() time.Time
	Random func() float64
	Log    *slog.Logger
	// Timeout bounds one try, 20 seconds by default.
	Timeout time.Duration
}

// Alarm tells of the one trouble that cannot be stored: that the ledger cannot commit. It is critical, goes where the routes
// send it, past the outbox, and resolves with the first commit.
type Alarm struct {
	o     AlarmOptions
	rules *alerts.Rules

	checks sync.Mutex // held over a check; protects all following fields
	// begun says that what an earlier process left has been taken over; known that stored is what the store has.
	begun, known bool

	state  *alerts.State
	groups *alerts.Groups
	// stored are the versions of groups in the store, behind how the groups have changed since.
	stored map[string]int64
	behind map[string]alerts.GroupChange
	posts  map[string]*post

	mu sync.Mutex // protects all following fields
	// router and notifiers are those of the next check.
	router    *alerts.Router
	notifiers map[string]alerts.Notifier
	firing    *alerts.Alert
}

// post is what one notifier is to be told, or has been.
type post struct {
	// last is what it is to know, and next when it is told, or told again.
	last *alerts.Notification
	next time.Time
	// heard says that it may know of a firing and has not heard of its end.
	heard    bool
	failures int
}

// NewAlarm returns an alarm that goes by a router to notifiers.
func NewAlarm(o AlarmOptions, router *alerts.Router, notifiers map[string]alerts.Notifier) (*Alarm, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	rules, err := alerts.Compile([]alerts.Rule{alarmRule()})
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", AlarmRule, err)
	}
	a := &Alarm{
		o: o, rules: rules, state: &alerts.State{}, groups: &alerts.Groups{}, stored: make(map[string]int64),
		behind: make(map[string]alerts.GroupChange), posts: make(map[string]*post),
	}
	a.Apply(router, notifiers)
	return a, nil
}

// alarmRule fires after a ledger has been unable to commit for half a minute, because one that is busy recovers sooner.
func alarmRule() alerts.Rule {
	none, atOnce := 0.0, time.Duration(0)
	return alerts.Rule{
		Name: AlarmRule, Signal: alerts.ReceivingStopped, By: alerts.BySource,
		Critical: &alerts.Line{Above: &none}, For: 30 * time.Second, KeepFiringFor: &atOnce,
		Summary: "The ledger {{if .Resolved}}could not commit{{else}}cannot commit: nothing is received, and no other alert can be stored{{end}}",
		Description: "Events wait in their queues, up to as long as those keep them; nothing is lost before. Look at the disk and at " +
			"the mailvane log.",
	}
}

// Apply has the next check go by another router to other notifiers.
func (a *Alarm) Apply(router *alerts.Router, notifiers map[string]alerts.Notifier) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.router, a.notifiers = router, maps.Clone(notifiers)
}

// Firing is the alarm's alert while it fires, else nil. It must not be changed.
func (a *Alarm) Firing() *alerts.Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.firing
}

// Rules hold the one rule of the alarm.
func (a *Alarm) Rules() *alerts.Rules { return a.rules }

// Check looks once whether the ledger commits, and tells notifiers what they do not know yet, side by side. It takes as long
// as the slowest of them, at most the timeout. It is to be called every few seconds; the error joins those of the notifiers.
func (a *Alarm) Check(ctx context.Context) error {
	a.checks.Lock()
	defer a.checks.Unlock()
	a.mu.Lock()
	router, notifiers := a.router, a.notifiers
	a.mu.Unlock()
	now := a.o.Now()
	a.begin(ctx)
	a.evaluate(router, a.o.Trouble(), now)
	err := a.deliver(ctx, notifiers, now)
	a.keep(ctx)
	return err
}

// begin takes over what an earlier process told and did not end.
func (a *Alarm) begin(ctx context.Context) {
	if a.known {
		return
	}
	stored, err := a.o.Store.Load(ctx)
	if err != nil {
		return // the next check tries again
	}
	own, _ := splitGroups(stored.Groups)
	clear(a.stored)
	for i := range own {
		a.stored[own[i].Notifier] = own[i].Version
	}
	if !a.begun && len(a.groups.All()) == 0 {
		a.groups = alerts.NewGroups(own)
	}
	a.begun, a.known = true, true
}

// splitGroups parts the alarm's groups from those of the rules.
func splitGroups(groups []alerts.Group) (alarm, others []alerts.Group) {
	for _, g := range groups {
		if g.Rule == AlarmRule {
			alarm = append(alarm, g)
		} else {
			others = append(others, g)
		}
	}
	return alarm, others
}

// evaluate finds out what is to be told.
func (a *Alarm) evaluate(router *alerts.Router, trouble error, now time.Time) {
	series := a.rules.Series()[0]
	sample := alerts.Sample{Series: series, Subject: alerts.Subject{Source: alarmSource}, AsOf: now, State: signal.OK}
	if trouble != nil {
		sample.Value = 1
	}
	round := a.rules.Evaluate(a.state, alerts.Input{Now: now, Samples: func(yield func(*alerts.Sample) bool) { yield(&sample) }})
	a.state = a.state.With(round)
	firing := a.note()
	if trouble != nil && firing == nil {
		return // it may pass, and what an earlier process told may still be so
	}
	planner := alerts.Planner{Rules: a.rules, Router: router}
	plan := planner.Plan(a.state, a.groups, round)
	a.groups = a.groups.With(plan.Changes)
	for i := range plan.Changes {
		c := &plan.Changes[i]
		a.behind[c.Group.Notifier] = *c
		if c.Notification != nil {
			a.post(c.Notification, trouble, now)
		}
	}
}

// note tells everybody else whether the alarm fires.
func (a *Alarm) note() (firing *alerts.Alert) {
	for _, alert := range a.state.Alerts() {
		if alert.Firing() {
			firing = alert
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.firing = firing
	return firing
}

// post puts a notification in the place of what its notifier has not been told yet.
func (a *Alarm) post(n *alerts.Notification, trouble error, now time.Time) {
	a.o.Log.Warn("the alarm about the ledger changes", "notifier", n.Notifier, "change", n.Change, "err", trouble)
	if trouble != nil {
		n.Description += " The reason: " + inShort(trouble)
	}
	p := a.posts[n.Notifier]
	if p != nil && n.Resolved && !p.heard {
		delete(a.posts, n.Notifier) // nothing to end
		return
	}
	if p == nil {
		p = &post{}
		a.posts[n.Notifier] = p
	}
	p.last, p.failures, p.next = n, 0, now
}

// deliver tells the notifiers what they do not know, and reminds those that forget.
func (a *Alarm) deliver(ctx context.Context, notifiers map[string]alerts.Notifier, now time.Time) error {
	var tries sync.WaitGroup
	var errs []error
	failed := make(chan error, len(a.posts))
	for _, name := range slices.Sorted(maps.Keys(a.posts)) {
		p, notifier := a.posts[name], notifiers[name]
		if notifier == nil {
			delete(a.posts, name)
			continue
		}
		if now.Before(p.next) {
			continue
		}
		tries.Go(func() {
			if err := a.try(ctx, p, notifier); err != nil {
				failed <- err
			}
		})
	}
	tries.Wait()
	close(failed)
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// never is when nothing is to be told again.
const never = 100 * 365 * 24 * time.Hour

// try tells one notifier. Only the check that waits for it uses the post meanwhile.
func (a *Alarm) try(ctx context.Context, p *post, notifier alerts.Notifier) error {
	p.heard = p.heard || !p.last.Resolved
	err := notify(ctx, a.o.Log, a.o.Timeout, notifier, p.last)
	now := a.o.Now()
	if err != nil {
		e := deliveryError(p.last.Notifier, err)
		p.failures++
		p.next = now.Add(pause(p.failures, e, a.o.Random()))
		return e
	}
	p.failures, p.next, p.heard = 0, now.Add(never), !p.last.Resolved
	if r, ok := notifier.(alerts.Resender); ok && r.ResendEvery() > 0 && !p.last.Resolved {
		p.next = now.Add(r.ResendEvery())
	}
	return nil
}

// keep stores what the notifiers were told, if that can be done at all.
func (a *Alarm) keep(ctx context.Context) {
	var step alerts.Step
	for name, c := range a.behind {
		if c.From = a.stored[name]; c.From == 0 && c.Forget {
			continue
		}
		c.Notification = nil // it does not go through the outbox
		step.Groups = append(step.Groups, c)
	}
	if len(step.Groups) == 0 || !a.known {
		return
	}
	if err := a.o.Store.Commit(ctx, step); err != nil {
		a.known = !errors.Is(err, alerts.ErrConflict)
		return // the next check tries again
	}
	for _, c := range step.Groups {
		a.stored[c.Group.Notifier] = c.Group.Version
		if c.Forget {
			delete(a.stored, c.Group.Notifier)
		}
	}
	clear(a.behind)
}
