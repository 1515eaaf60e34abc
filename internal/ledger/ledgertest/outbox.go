package ledgertest

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

func outbox() []rule {
	return []rule{
		{name: "of each notifier and key the first that is not settled is due, in its time", check: dueInOrder},
		{name: "a clock that was wrong keeps nothing from being due", check: dueAfterWrongClock},
		{name: "the limit of what is due is for each notifier", check: dueLimited},
		{name: "what is under way is due whatever its time, and holds up its key", check: underWayIsDue},
		{name: "a later notification overtakes those of its key that wait", check: laterOvertakes},
		{name: "one that is under way is overtaken only when it waits again", check: underWayOvertaken},
		{name: "an opening that was tried and its closing both go, in order", check: openingAndClosing},
		{name: "an opening that was not tried is overtaken by its closing", check: openingNotTried},
		{name: "what comes after a closing overtakes it and the opening before", check: reopened},
		{name: "what is settled stays settled", check: staysSettled},
		{name: "a dead letter is settled from the start and overtakes nothing", check: deadLetter},
		{name: "the last delivered notification of each open group stands", check: standing},
		{name: "notifications are listed newest first, by notifier, key and state", check: notificationsListed},
		{name: "notifications are counted by notifier and state", check: notificationsCounted},
		{name: "settled notifications go after 90 days and no earlier; live ones stay", check: settledRetained},
		{name: "the last delivered notification of a remembered group stays", check: standingRetained},
	}
}

func (r *rig) post(notifications ...ledger.Notification) {
	r.Helper()
	for _, n := range notifications {
		r.step(ledger.AlertStep{Notifications: []ledger.Notification{n}})
	}
}

func opening(n ledger.Notification) ledger.Notification { n.Opens = true; return n }

func closing(n ledger.Notification) ledger.Notification { n.Closes = true; return n }

// delivery changes how a notification stands. A tried one is due again at once.
func (r *rig) delivery(id string, state ledger.NotificationState) {
	r.Helper()
	d := ledger.Delivery{State: state, Attempts: 1, NextAt: r.now()}
	r.must("settle", r.ledger().SettleNotification(r.Context(), id, d))
}

func ids(notifications []ledger.Notification) []string {
	var all []string
	for _, n := range notifications {
		all = append(all, n.ID)
	}
	return all
}

func (r *rig) due(limit int) []string {
	r.Helper()
	return ids(read(r, "due", func(ctx context.Context) ([]ledger.Notification, error) {
		return r.ledger().DueNotifications(ctx, r.now(), limit)
	}))
}

func (r *rig) wantDue(want ...string) {
	r.Helper()
	for _, restart := range []func(){func() {}, r.crash} {
		restart()
		r.same("due", r.due(100), want)
	}
}

func (r *rig) notifications(q ledger.NotificationQuery) []ledger.Notification {
	r.Helper()
	return read(r, "notifications", func(ctx context.Context) ([]ledger.Notification, error) {
		return r.ledger().Notifications(ctx, q)
	})
}

// states are those of the notifications of a key, the newest first.
func (r *rig) states(key string) []ledger.NotificationState {
	r.Helper()
	var all []ledger.NotificationState
	for _, n := range r.notifications(ledger.NotificationQuery{Key: key}) {
		if n.State.Settled() == n.SettledAt.IsZero() {
			r.Fatalf("%s is %s and was settled at %s", n.ID, n.State, n.SettledAt)
		}
		all = append(all, n.State)
	}
	return all
}

const (
	waiting   = ledger.NotificationWaiting
	sending   = ledger.NotificationSending
	delivered = ledger.NotificationDelivered
	overtaken = ledger.NotificationOvertaken
	dead      = ledger.NotificationDead
)

func dueInOrder(r *rig) {
	later := r.notification("chat", "b", 1)
	later.Attempts, later.NextAt = 1, r.now().Add(time.Minute)
	tried := opening(r.notification("pager", "a", 1))
	tried.Attempts = 1
	r.post(tried, closing(r.notification("pager", "a", 2)), r.notification("pager", "b", 1), later, r.notification("chat", "a", 1))
	r.wantDue("chat/a/1", "pager/a/1", "pager/b/1")
	r.advance(time.Minute)
	r.wantDue("chat/a/1", "chat/b/1", "pager/a/1", "pager/b/1")
	r.must("put off", r.ledger().SettleNotification(r.Context(), "pager/a/1", ledger.Delivery{
		State: waiting, Attempts: 2, NextAt: r.now().Add(time.Hour), Reason: "unavailable", Error: "connection refused",
	}))
	r.wantDue("chat/a/1", "chat/b/1", "pager/b/1")
	got := r.notifications(ledger.NotificationQuery{Key: "a", Notifier: "pager"})[1]
	want := ledger.Delivery{State: waiting, Attempts: 2, NextAt: r.now().Add(time.Hour), Reason: "unavailable", Error: "connection refused"}
	got.NextAt = got.NextAt.UTC()
	r.same("delivery", got.Delivery, want)
	r.advance(time.Hour)
	r.delivery("pager/a/1", delivered)
	r.wantDue("chat/a/1", "chat/b/1", "pager/a/2", "pager/b/1")
}

func dueAfterWrongClock(r *rig) {
	r.post(r.notification("pager", "a", 1), r.notification("pager", "b", 1), r.notification("pager", "c", 1))
	for key, next := range map[string]time.Duration{"b": ledger.MaxPause, "c": ledger.MaxPause + time.Second} {
		r.must("put off", r.ledger().SettleNotification(r.Context(), "pager/"+key+"/1", ledger.Delivery{
			State: waiting, Attempts: 1, NextAt: r.now().Add(next),
		}))
	}
	r.wantDue("pager/a/1", "pager/c/1")
	r.clock.set(r.now().Add(-30 * day))
	r.wantDue("pager/a/1", "pager/b/1", "pager/c/1")
}

func dueLimited(r *rig) {
	for _, key := range []string{"a", "b", "c"} {
		r.post(r.notification("pager", key, 1))
		r.advance(time.Second)
	}
	r.post(r.notification("chat", "a", 1))
	r.must("put off", r.ledger().SettleNotification(r.Context(), "pager/a/1", ledger.Delivery{State: waiting, Attempts: 1, NextAt: r.now()}))
	r.same("due", r.due(2), []string{"chat/a/1", "pager/b/1", "pager/c/1"})
}

func underWayIsDue(r *rig) {
	r.post(r.notification("pager", "a", 1))
	r.must("start", r.ledger().SettleNotification(r.Context(), "pager/a/1", ledger.Delivery{State: sending, Attempts: 1, NextAt: r.now().Add(time.Hour)}))
	r.post(r.notification("pager", "a", 2))
	r.wantDue("pager/a/1")
	r.delivery("pager/a/1", delivered)
	r.wantDue("pager/a/2")
}

func laterOvertakes(r *rig) {
	r.post(r.notification("pager", "a", 1), r.notification("pager", "b", 1), r.notification("chat", "a", 1))
	r.delivery("pager/a/1", waiting)
	r.post(r.notification("pager", "a", 2), r.notification("pager", "a", 3))
	r.wantDue("chat/a/1", "pager/b/1", "pager/a/3")
	r.same("states", r.states("a"), []ledger.NotificationState{waiting, overtaken, waiting, overtaken})
}

func underWayOvertaken(r *rig) {
	r.post(opening(r.notification("pager", "a", 1)))
	r.delivery("pager/a/1", sending)
	r.post(r.notification("pager", "a", 2))
	r.same("states", r.states("a"), []ledger.NotificationState{waiting, sending})
	r.delivery("pager/a/1", waiting)
	r.same("states", r.states("a"), []ledger.NotificationState{waiting, overtaken})
	r.wantDue("pager/a/2")
}

func openingAndClosing(r *rig) {
	for key, between := range map[string]func(key string){
		"tried before": func(key string) { r.delivery("pager/"+key+"/1", waiting) },
		"under way":    func(key string) { r.delivery("pager/"+key+"/1", sending) },
		"with one between": func(key string) {
			r.delivery("pager/"+key+"/1", sending)
			r.post(r.notification("pager", key, 2))
		},
	} {
		r.post(opening(r.notification("pager", key, 1)))
		between(key)
		r.post(closing(r.notification("pager", key, 3)))
		r.delivery("pager/"+key+"/1", waiting)
		r.same("due", r.due(100), []string{"pager/" + key + "/1"})
		r.delivery("pager/"+key+"/1", delivered)
		r.wantDue("pager/" + key + "/3")
		r.delivery("pager/"+key+"/3", delivered)
	}
}

func openingNotTried(r *rig) {
	r.post(opening(r.notification("pager", "a", 1)), closing(r.notification("pager", "a", 2)))
	r.same("states", r.states("a"), []ledger.NotificationState{waiting, overtaken})
}

func reopened(r *rig) {
	r.post(opening(r.notification("pager", "a", 1)))
	r.delivery("pager/a/1", waiting)
	r.post(closing(r.notification("pager", "a", 2)), opening(r.notification("pager", "a", 3)))
	r.same("states", r.states("a"), []ledger.NotificationState{waiting, overtaken, overtaken})
}

func staysSettled(r *rig) {
	for _, state := range []ledger.NotificationState{delivered, overtaken, dead} {
		n := r.notification("pager", string(state), 1)
		r.post(n)
		r.delivery(n.ID, state)
		for _, next := range []ledger.NotificationState{waiting, sending, delivered} {
			err := r.ledger().SettleNotification(r.Context(), n.ID, ledger.Delivery{State: next})
			if !errors.Is(err, ledger.ErrNotFound) {
				r.Fatalf("%s after %s: %v, want %v", next, state, err, ledger.ErrNotFound)
			}
		}
		r.same("states", r.states(string(state)), []ledger.NotificationState{state})
	}
	if err := r.ledger().SettleNotification(r.Context(), "unknown", ledger.Delivery{State: delivered}); !errors.Is(err, ledger.ErrNotFound) {
		r.Fatalf("unknown: %v, want %v", err, ledger.ErrNotFound)
	}
	if err := r.ledger().CommitAlerts(r.Context(), ledger.AlertStep{Notifications: []ledger.Notification{r.notification("pager", "dead", 1)}}); err == nil {
		r.Fatal("an id was taken twice")
	}
}

func deadLetter(r *rig) {
	r.post(r.notification("", "a", 1))
	n := r.notification("", "a", 2)
	n.State = dead
	r.post(n)
	r.same("states", r.states("a"), []ledger.NotificationState{dead, waiting})
}

func (r *rig) standing() []string {
	r.Helper()
	r.crash()
	return ids(read(r, "standing", func(ctx context.Context) ([]ledger.Notification, error) {
		return r.ledger().StandingNotifications(ctx, "am")
	}))
}

func standing(r *rig) {
	for _, key := range []string{"b", "a", "forgotten"} {
		r.post(opening(r.notification("am", key, 1)))
		r.delivery("am/"+key+"/1", delivered)
	}
	r.post(r.notification("pager", "a", 1))
	r.delivery("pager/a/1", delivered)
	r.step(ledger.AlertStep{Groups: []ledger.GroupChange{
		groupChange("am", "a", 0, 1), groupChange("am", "b", 0, 1), groupChange("am", "new", 0, 1), groupChange("pager", "a", 0, 1),
	}})
	r.same("standing", r.standing(), []string{"am/b/1", "am/a/1"})
	r.post(r.notification("am", "b", 2))
	r.same("while a later one waits", r.standing(), []string{"am/a/1"})
	r.delivery("am/b/2", delivered)
	r.same("with a later one", r.standing(), []string{"am/a/1", "am/b/2"})
	r.post(r.notification("am", "b", 3))
	r.delivery("am/b/3", dead)
	r.same("when a later one was refused", r.standing(), []string{"am/a/1", "am/b/2"})
	r.post(closing(r.notification("am", "b", 4)))
	r.delivery("am/b/4", dead)
	r.same("when its closing was refused", r.standing(), []string{"am/a/1"})
	r.post(closing(r.notification("am", "a", 2)))
	r.delivery("am/a/2", delivered)
	r.same("when it was closed", r.standing(), []string(nil))
	r.post(opening(r.notification("am", "a", 3)))
	r.delivery("am/a/3", delivered)
	r.same("when it was opened again", r.standing(), []string{"am/a/3"})
}

func notificationsListed(r *rig) {
	r.post(r.notification("pager", "a", 1), r.notification("chat", "a", 1), r.notification("pager", "b", 1))
	r.delivery("pager/a/1", delivered)
	r.same("all", ids(r.notifications(ledger.NotificationQuery{})), []string{"pager/b/1", "chat/a/1", "pager/a/1"})
	r.same("of a notifier", ids(r.notifications(ledger.NotificationQuery{Notifier: "pager"})), []string{"pager/b/1", "pager/a/1"})
	r.same("of a key", ids(r.notifications(ledger.NotificationQuery{Key: "a"})), []string{"chat/a/1", "pager/a/1"})
	r.same("in a state", ids(r.notifications(ledger.NotificationQuery{State: delivered})), []string{"pager/a/1"})
	first := r.notifications(ledger.NotificationQuery{Limit: 2})
	r.same("a page", ids(first), []string{"pager/b/1", "chat/a/1"})
	r.same("the next page", ids(r.notifications(ledger.NotificationQuery{Limit: 2, Before: first[1].Number})), []string{"pager/a/1"})
}

func notificationsCounted(r *rig) {
	first := r.now()
	r.post(r.notification("pager", "a", 1), r.notification("chat", "a", 1))
	r.advance(time.Minute)
	r.post(r.notification("pager", "b", 1), r.notification("pager", "c", 1))
	r.delivery("pager/c/1", dead)
	got := read(r, "counts", r.ledger().NotificationCounts)
	for i := range got {
		got[i].Oldest = got[i].Oldest.UTC()
	}
	r.same("counts", got, []ledger.NotificationCount{
		{Notifier: "chat", State: waiting, N: 1, Oldest: first},
		{Notifier: "pager", State: dead, N: 1, Oldest: r.now()},
		{Notifier: "pager", State: waiting, N: 2, Oldest: first},
	})
}

func settledRetained(r *rig) {
	r.post(r.notification("pager", "a", 1), r.notification("pager", "b", 1), r.notification("pager", "c", 1), r.notification("pager", "d", 1))
	r.delivery("pager/d/1", sending)
	r.delivery("pager/a/1", delivered)
	count := func(key string) func() int {
		return func() int { return len(r.notifications(ledger.NotificationQuery{Key: key})) }
	}
	r.keeps(after(ledger.AlertKeep), day, count("a"))
	r.same("what waits", count("b")(), 1)
	r.same("what is under way", count("d")(), 1)
	r.delivery("pager/b/1", dead)
	r.post(r.notification("pager", "c", 2))
	r.same("overtaken", r.states("c"), []ledger.NotificationState{waiting, overtaken})
	r.clock.set(r.now().Add(ledger.AlertKeep + day))
	r.settle()
	r.same("what was dead", count("b")(), 0)
	r.same("what was overtaken", r.states("c"), []ledger.NotificationState{waiting})
}

func standingRetained(r *rig) {
	r.step(ledger.AlertStep{Groups: []ledger.GroupChange{groupChange("am", "a", 0, 1)}})
	r.post(opening(r.notification("am", "a", 1)))
	r.delivery("am/a/1", delivered)
	r.post(r.notification("am", "a", 2))
	r.delivery("am/a/2", delivered)
	r.post(r.notification("am", "a", 3))
	r.delivery("am/a/3", dead)
	r.clock.set(r.now().Add(2 * ledger.AlertKeep))
	r.settle()
	r.same("standing", r.standing(), []string{"am/a/2"})
	r.same("all that is left", r.states("a"), []ledger.NotificationState{delivered})
	r.step(ledger.AlertStep{Groups: []ledger.GroupChange{groupChange("am", "a", 1, 0)}})
	r.advance(time.Hour)
	r.settle()
	r.same("once the group is forgotten", r.states("a"), []ledger.NotificationState(nil))
}
