package watch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// Outbox is where a Sender takes notifications from. Store is one.
type Outbox interface {
	// Due lists what is to be sent; limit bounds the entries of each notifier. With an error come those that can be used.
	Due(ctx context.Context, now time.Time, limit int) ([]alerts.Entry, error)
	// Settle stores what became of an entry. The error is ErrSettled when nothing is to be done about it any more.
	Settle(ctx context.Context, e alerts.Entry) error
	// Standing lists the last notification that a notifier took of each open group.
	Standing(ctx context.Context, notifier string) ([]alerts.Notification, error)
}

// SenderOptions are what a Sender is made of. Observe may be nil.
type SenderOptions struct {
	Outbox Outbox
	Now    func() time.Time
	// Random gives numbers in [0, 1) and may be called from several goroutines.
	Random func() float64
	Log    *slog.Logger
	// Timeout bounds one try, 20 seconds by default.
	Timeout time.Duration
	// Observe is told of each try that ended. It is called from several goroutines.
	Observe func(Try)
}

// Try is one try to deliver.
type Try struct {
	Notifier string
	Took     time.Duration
	// Again says that the notification had been delivered before, and the receiver is only reminded of it.
	Again bool
	// Reason is empty when it was delivered.
	Reason alerts.DeliveryReason
}

const (
	// pollEvery is how long the sender waits for something to happen before it looks into the outbox again.
	pollEvery = 2 * time.Second
	// sideBySide is how many notifications of different keys one notifier has at once. One that fails has one.
	sideBySide = 4
	// defaultTimeout bounds one try.
	defaultTimeout = 20 * time.Second
	// lastWords is how long tries go on once the sender is told to stop, so that a stop repeats nothing.
	lastWords = 3 * time.Second
	// orphanAge is how old a notification must be to be given up because there is no notifier of its name: a reload may
	// have made one that is about to be known here.
	orphanAge = time.Minute
)

// Sender delivers what is in the outbox.
type Sender struct {
	o      SenderOptions
	awake  chan struct{}
	ended  chan *try
	health *health

	mu sync.Mutex // protects all following fields
	// notifiers are by their names; whoever changes them makes a new map.
	notifiers map[string]alerts.Notifier
}

// NewSender returns a sender to the notifiers of those names.
func NewSender(o SenderOptions, notifiers map[string]alerts.Notifier) *Sender {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Observe == nil {
		o.Observe = func(Try) {}
	}
	s := &Sender{o: o, awake: make(chan struct{}, 1), ended: make(chan *try), health: newHealth(o.Now)}
	s.Apply(notifiers)
	return s
}

// Apply has what follows delivered by other notifiers. Notifications to one that is gone become dead letters.
func (s *Sender) Apply(notifiers map[string]alerts.Notifier) {
	s.mu.Lock()
	s.notifiers = maps.Clone(notifiers)
	s.mu.Unlock()
	s.health.keep(notifiers)
	s.Wake()
}

// Forgets says of a notifier that it is reminded of what stands, because its receiver ends what it is not told of again.
func (s *Sender) Forgets(notifier string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, forgets := s.notifiers[notifier].(alerts.Resender)
	return forgets
}

// Wake has the sender look into the outbox at once. It does not block.
func (s *Sender) Wake() {
	select {
	case s.awake <- struct{}{}:
	default:
	}
}

// States tells how the notifiers do, in the order of their names.
func (s *Sender) States() []NotifierState { return s.health.states() }

// lane is one notifier in a run.
type lane struct {
	// busy are the keys under way.
	busy map[string]bool
	// failures counts those in a row; rest is until when the notifier is left alone after the last.
	failures int
	rest     time.Time
	// remindAt is when what stands is due to be told again, reminders are those of it that have not been.
	remindAt  time.Time
	reminders []alerts.Notification
}

// room says how many more notifications may be under way at once.
func (l *lane) room() int {
	if l.failures > 0 {
		return 1 - len(l.busy)
	}
	return sideBySide - len(l.busy)
}

// run is a Run that is under way; all of it belongs to its goroutine.
type run struct {
	*Sender
	lanes map[string]*lane
	// under is how many tries are under way.
	under int
	// tries outlives the context of the run by lastWords.
	tries context.Context
	// rest is until when nothing is started, because the outbox could not be written.
	rest time.Time
	// unreadable and unwritable say that the outbox is, and that this has been logged.
	unreadable, unwritable bool
}

// Run delivers until ctx ends. It then waits for the tries that are under way, for 3 seconds and what notifiers take to notice
// that their time is over. One run at a time.
func (s *Sender) Run(ctx context.Context) error {
	tries, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r := &run{Sender: s, lanes: make(map[string]*lane), tries: tries}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			stop := time.AfterFunc(lastWords, cancel)
			defer stop.Stop()
			for r.under > 0 {
				r.end(<-s.ended)
			}
			return nil
		case t := <-s.ended:
			r.end(t)
		case <-s.awake:
		case <-timer.C:
		}
		r.turn(ctx)
		timer.Reset(pollEvery)
	}
}

// turn starts what can be started.
func (r *run) turn(ctx context.Context) {
	now := r.o.Now()
	if now.Before(r.rest) {
		return
	}
	r.mu.Lock()
	notifiers := r.notifiers
	r.mu.Unlock()
	due, err := r.o.Outbox.Due(ctx, now, 2*sideBySide)
	r.trouble(&r.unreadable, err)
	for i := range due {
		name := due[i].Notification.Notifier
		notifier := notifiers[name]
		if notifier == nil && now.Sub(due[i].Notification.At) < orphanAge {
			continue
		}
		r.start(&try{notifier: notifier, entry: due[i]}, now)
	}
	for _, name := range slices.Sorted(maps.Keys(notifiers)) {
		r.remind(ctx, name, notifiers[name], now)
	}
}

func (r *run) lane(notifier string) *lane {
	l := r.lanes[notifier]
	if l == nil {
		l = &lane{busy: make(map[string]bool)}
		r.lanes[notifier] = l
	}
	return l
}

// start has a try made, if it is the turn of its key and of its notifier.
func (r *run) start(t *try, now time.Time) (started bool) {
	n := &t.entry.Notification
	l := r.lane(n.Notifier)
	if l.busy[n.Key] || l.room() <= 0 || now.Before(l.rest) {
		return false
	}
	l.busy[n.Key] = true
	t.failures = l.failures
	r.under++
	go func() {
		r.make(r.tries, t)
		r.ended <- t
	}()
	return true
}

// remind tells a receiver that forgets what still stands.
func (r *run) remind(ctx context.Context, name string, notifier alerts.Notifier, now time.Time) {
	resender, ok := notifier.(alerts.Resender)
	if !ok {
		return
	}
	l := r.lane(name)
	if every := resender.ResendEvery(); every > 0 && !now.Before(l.remindAt) && !now.Before(l.rest) {
		standing, err := r.o.Outbox.Standing(ctx, name)
		if err != nil {
			r.trouble(&r.unreadable, err)
			return
		}
		l.reminders, l.remindAt = standing, now.Add(every)
	}
	l.reminders = slices.DeleteFunc(l.reminders, func(n alerts.Notification) bool {
		return r.start(&try{notifier: notifier, entry: alerts.Entry{Notification: n}, again: true}, now)
	})
}

// end takes note of a try that has ended.
func (r *run) end(t *try) {
	r.under--
	n := &t.entry.Notification
	l := r.lanes[n.Notifier]
	delete(l.busy, n.Key)
	// Whatever became of it, what the receiver knew of the key before is not to be told again.
	l.reminders = slices.DeleteFunc(l.reminders, func(old alerts.Notification) bool { return old.Key == n.Key })
	r.trouble(&r.unwritable, t.outboxErr)
	if t.outboxErr != nil {
		r.rest = r.o.Now().Add(settlePause)
	}
	switch {
	case !t.tried:
	case t.err == nil || t.err.Reason == alerts.DeliveryRefused:
		l.failures, l.rest = 0, time.Time{} // it answers
	default:
		l.failures = max(l.failures, t.failures+1) // those that fail side by side are one failure
		l.rest = t.endedAt.Add(t.pause)
	}
}

// trouble logs that the outbox cannot be used, once until it can.
func (r *run) trouble(known *bool, err error) {
	if err != nil && !*known && !errors.Is(err, context.Canceled) {
		r.o.Log.Error("notifications wait: the outbox cannot be used", "err", err)
	}
	*known = err != nil
}
