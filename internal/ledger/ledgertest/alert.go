package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

func keptAlerts() []rule {
	return []rule{
		{name: "a step is stored whole and seen at once", check: stepStored},
		{name: "another process sees a step at once", check: stepElsewhere, needs: func(p Place) bool { return p.OpenReader != nil }},
		{name: "a change of another version than the stored one stores nothing of its step", check: stepConflicts},
		{name: "what was deleted begins anew", check: deletedBeginsAnew},
		{name: "of steps made of one version one is stored", check: oneOfMany},
		{name: "a body beyond the bound stores nothing of its step", check: bodiesBounded},
		{name: "history is listed newest first, by time, alert, rule and subject", check: historyListed},
		{name: "history is limited and continued", check: historyPaged},
		{name: "silences are listed by their end, and replaced by their id", check: silencesKept},
		{name: "history goes after 90 days and no earlier", check: historyRetained},
		{name: "silences go 90 days after their end and no earlier", check: silencesRetained},
		{name: "an unclear COMMIT of a step gives its caller the truth", check: unclearStep, needs: func(p Place) bool { return p.FailCommit != nil }},
		{name: "a crash at every point of steps stores each whole or not at all", check: dieInSteps, needs: func(p Place) bool { return p.DieAt != nil }},
	}
}

func alertChange(id string, from, to int64) ledger.AlertChange {
	return ledger.AlertChange{Swap: ledger.Swap{From: from, To: to}, Alert: ledger.Alert{
		ID: id, Rule: "Complaints", Subject: "campaign " + id, Severity: "warning", Body: fmt.Sprintf(`{"id":%q,"version":%d}`, id, to),
	}}
}

func groupChange(notifier, key string, from, to int64) ledger.GroupChange {
	return ledger.GroupChange{Swap: ledger.Swap{From: from, To: to}, Group: ledger.Group{
		Notifier: notifier, Key: key, Body: fmt.Sprintf(`{"key":%q,"version":%d}`, key, to),
	}}
}

func (r *rig) alertEvent(id, kind string) ledger.AlertEvent {
	return ledger.AlertEvent{
		At: r.now(), Kind: kind, Alert: id, Rule: "Complaints", Subject: "campaign " + id, Severity: "critical", Was: "warning",
		Reason: "cleared", Body: `{"kind":"` + kind + `"}`,
	}
}

// notification is one that waits; its id says which.
func (r *rig) notification(notifier, key string, n int) ledger.Notification {
	return ledger.Notification{
		ID: fmt.Sprintf("%s/%s/%d", notifier, key, n), Notifier: notifier, Key: key, MadeAt: r.now(),
		Delivery: ledger.Delivery{State: ledger.NotificationWaiting, NextAt: r.now()}, Body: fmt.Sprintf(`{"n":%d}`, n),
	}
}

// wholeStep has one of each part.
func (r *rig) wholeStep(from int64) ledger.AlertStep {
	n := r.notification("pager", "k", int(from))
	n.Opens = from == 0
	return ledger.AlertStep{
		Alerts: []ledger.AlertChange{alertChange("a", from, from+1)}, Groups: []ledger.GroupChange{groupChange("pager", "k", from, from+1)},
		History: []ledger.AlertEvent{r.alertEvent("a", fmt.Sprint("step ", from))}, Notifications: []ledger.Notification{n},
	}
}

func (r *rig) step(s ledger.AlertStep) {
	r.Helper()
	r.must("commit alerts", r.ledger().CommitAlerts(r.Context(), s))
}

func (r *rig) conflict(s ledger.AlertStep) {
	r.Helper()
	if err := r.ledger().CommitAlerts(r.Context(), s); !errors.Is(err, ledger.ErrConflict) {
		r.Fatalf("commit alerts: %v, want %v", err, ledger.ErrConflict)
	}
}

// told is all that a reader sees of alerts.
type told struct {
	Alerts        ledger.Alerts
	History       []ledger.AlertEvent
	Notifications []ledger.Notification
}

func (r *rig) toldBy(l ledger.Reader) told {
	r.Helper()
	return told{
		Alerts: read(r, "alerts", l.Alerts),
		History: read(r, "history", func(ctx context.Context) ([]ledger.AlertEvent, error) {
			return l.AlertHistory(ctx, ledger.AlertQuery{})
		}),
		Notifications: read(r, "notifications", func(ctx context.Context) ([]ledger.Notification, error) {
			return l.Notifications(ctx, ledger.NotificationQuery{})
		}),
	}
}

// numbered takes out the numbers, which must fall.
func (r *rig) numbered(t told) told {
	r.Helper()
	for i := range t.History {
		if i > 0 && t.History[i].Number >= t.History[i-1].Number {
			r.Fatalf("history: number %d follows %d", t.History[i].Number, t.History[i-1].Number)
		}
		t.History[i].At = t.History[i].At.UTC()
	}
	for i := range t.History {
		t.History[i].Number = 0
	}
	for i := range t.Notifications {
		t.Notifications[i].Number = 0
	}
	return t
}

// afterStep is what is seen after the first whole step.
func (r *rig) afterStep() told {
	s := r.wholeStep(0)
	return told{
		Alerts:  ledger.Alerts{Alerts: []ledger.Alert{s.Alerts[0].Alert}, Groups: []ledger.Group{s.Groups[0].Group}},
		History: s.History, Notifications: s.Notifications,
	}
}

func stepStored(r *rig) {
	want := r.afterStep()
	r.step(r.wholeStep(0))
	for _, restart := range []func(){func() {}, r.fold, r.crash, r.reopen} {
		restart()
		r.same("alerts", r.numbered(r.toldBy(r.ledger())), want)
	}
	r.step(ledger.AlertStep{})
	r.step(ledger.AlertStep{Alerts: []ledger.AlertChange{alertChange("c", 0, 1), alertChange("b", 0, 1)}})
	var ids []string
	for _, a := range read(r, "alerts", r.ledger().Alerts).Alerts {
		ids = append(ids, a.ID)
	}
	r.same("in the order of ids", ids, []string{"a", "b", "c"})
}

func stepElsewhere(r *rig) {
	r.ledger()
	other, closeOther, err := r.place.OpenReader()
	r.must("open a reader", err)
	defer closeOther()
	r.step(r.wholeStep(0))
	r.same("alerts elsewhere", r.numbered(r.toldBy(other)), r.afterStep())
}

func stepConflicts(r *rig) {
	r.step(r.wholeStep(0))
	want := r.afterStep()
	for name, change := range map[string]func(s *ledger.AlertStep){
		"an alert that is there is made":         func(s *ledger.AlertStep) { s.Alerts[0] = alertChange("a", 0, 1) },
		"an alert that is not there is changed":  func(s *ledger.AlertStep) { s.Alerts[0] = alertChange("z", 1, 2) },
		"an alert of another version is changed": func(s *ledger.AlertStep) { s.Alerts[0] = alertChange("a", 2, 3) },
		"an alert of another version is deleted": func(s *ledger.AlertStep) { s.Alerts[0] = alertChange("a", 2, 0) },
		"a group that is there is made":          func(s *ledger.AlertStep) { s.Groups[0] = groupChange("pager", "k", 0, 1) },
		"a group that is not there is changed":   func(s *ledger.AlertStep) { s.Groups[0] = groupChange("chat", "k", 1, 2) },
		"a group of another version is changed":  func(s *ledger.AlertStep) { s.Groups[0] = groupChange("pager", "k", 2, 3) },
		"a group of another version is deleted":  func(s *ledger.AlertStep) { s.Groups[0] = groupChange("pager", "k", 2, 0) },
	} {
		s := r.wholeStep(1)
		s.Alerts = append([]ledger.AlertChange{s.Alerts[0]}, alertChange("fresh", 0, 1))
		change(&s)
		r.conflict(s)
		r.same("after "+name, r.numbered(r.toldBy(r.ledger())), want)
	}
	r.step(r.wholeStep(1))
}

func deletedBeginsAnew(r *rig) {
	gone := ledger.AlertStep{
		Alerts: []ledger.AlertChange{alertChange("a", 1, 0)}, Groups: []ledger.GroupChange{groupChange("pager", "k", 1, 0)},
	}
	whole := r.wholeStep(0)
	whole.Notifications = nil
	for range 2 {
		r.conflict(gone)
		r.step(whole)
		r.step(gone)
		r.same("after the end", read(r, "alerts", r.ledger().Alerts), ledger.Alerts{})
	}
}

func oneOfMany(r *rig) {
	l := r.ledger()
	const callers = 16
	stored := make([]bool, callers)
	r.together(callers, func(i int) error {
		s := ledger.AlertStep{Alerts: []ledger.AlertChange{alertChange("a", 0, 1)}, History: []ledger.AlertEvent{r.alertEvent("a", fmt.Sprint(i))}}
		err := l.CommitAlerts(r.Context(), s)
		if stored[i] = err == nil; stored[i] || errors.Is(err, ledger.ErrConflict) {
			return nil
		}
		return err
	})
	history := r.toldBy(l).History
	n := 0
	for i := range stored {
		if stored[i] {
			n++
			if len(history) != 1 || history[0].Kind != fmt.Sprint(i) {
				r.Fatalf("%d was told that it is stored; history %+v", i, history)
			}
		}
	}
	r.same("stored", n, 1)
}

func bodiesBounded(r *rig) {
	large := strings.Repeat("x", ledger.MaxBody+1)
	for name, change := range map[string]func(s *ledger.AlertStep){
		"alert":        func(s *ledger.AlertStep) { s.Alerts[0].Alert.Body = large },
		"group":        func(s *ledger.AlertStep) { s.Groups[0].Group.Body = large },
		"transition":   func(s *ledger.AlertStep) { s.History[0].Body = large },
		"notification": func(s *ledger.AlertStep) { s.Notifications[0].Body = large },
	} {
		s := r.wholeStep(0)
		change(&s)
		if err := r.ledger().CommitAlerts(r.Context(), s); !errors.Is(err, ledger.ErrTooLarge) {
			r.Fatalf("%s: %v, want %v", name, err, ledger.ErrTooLarge)
		}
		r.same("after the "+name, r.toldBy(r.ledger()), told{})
	}
	if err := r.ledger().PutSilence(r.Context(), ledger.Silence{ID: "s", Body: large}); !errors.Is(err, ledger.ErrTooLarge) {
		r.Fatalf("silence: %v, want %v", err, ledger.ErrTooLarge)
	}
	s := r.wholeStep(0)
	s.Groups[0].Group.Body = large[1:]
	r.step(s)
	r.same("as large as can be", len(read(r, "alerts", r.ledger().Alerts).Groups[0].Body), ledger.MaxBody)
}

// kinds are those of the history that a query selects.
func (r *rig) kinds(q ledger.AlertQuery) []string {
	r.Helper()
	var kinds []string
	for _, e := range read(r, "history", func(ctx context.Context) ([]ledger.AlertEvent, error) { return r.ledger().AlertHistory(ctx, q) }) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func historyListed(r *rig) {
	first := r.now()
	for i, id := range []string{"a", "b", "a"} {
		e := r.alertEvent(id, fmt.Sprint(i+1))
		if i == 1 {
			e.Rule = "Bounces"
		}
		r.step(ledger.AlertStep{History: []ledger.AlertEvent{e}})
		r.advance(time.Minute)
	}
	for _, restart := range []func(){func() {}, r.crash, r.reopen} {
		restart()
		r.same("all", r.kinds(ledger.AlertQuery{}), []string{"3", "2", "1"})
		r.same("of an alert", r.kinds(ledger.AlertQuery{Alert: "a"}), []string{"3", "1"})
		r.same("of a rule", r.kinds(ledger.AlertQuery{Rule: "Bounces"}), []string{"2"})
		r.same("of a subject", r.kinds(ledger.AlertQuery{Subject: "campaign b"}), []string{"2"})
		r.same("of both", r.kinds(ledger.AlertQuery{Subject: "campaign b", Rule: "Complaints"}), []string(nil))
		r.same("from a time", r.kinds(ledger.AlertQuery{From: first.Add(time.Minute)}), []string{"3", "2"})
		r.same("up to a time", r.kinds(ledger.AlertQuery{To: first.Add(time.Minute)}), []string{"1"})
		r.same("between", r.kinds(ledger.AlertQuery{From: first.Add(time.Minute), To: first.Add(2 * time.Minute), Rule: "Bounces"}), []string{"2"})
	}
}

func historyPaged(r *rig) {
	var s ledger.AlertStep
	var want []string
	for i := range 130 {
		s.History = append(s.History, r.alertEvent("a", fmt.Sprint(i)))
		want = append(want, fmt.Sprint(129-i))
	}
	r.step(s)
	r.same("unless told", len(r.kinds(ledger.AlertQuery{})), 100)
	var kinds []string
	q := ledger.AlertQuery{Alert: "a", Limit: 40}
	for {
		page := read(r, "history", func(ctx context.Context) ([]ledger.AlertEvent, error) { return r.ledger().AlertHistory(ctx, q) })
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			kinds = append(kinds, e.Kind)
		}
		q.Before = page[len(page)-1].Number
	}
	r.same("pages", kinds, want)
}

func (r *rig) silence(id string, ends time.Duration) ledger.Silence {
	r.Helper()
	s := ledger.Silence{ID: id, EndsAt: r.now().Add(ends), Body: `{"comment":"` + id + `"}`}
	r.must("put silence", r.ledger().PutSilence(r.Context(), s))
	return s
}

func (r *rig) silences(after time.Time) []ledger.Silence {
	r.Helper()
	all := read(r, "silences", func(ctx context.Context) ([]ledger.Silence, error) { return r.ledger().Silences(ctx, after) })
	for i := range all {
		all[i].EndsAt = all[i].EndsAt.UTC()
	}
	return all
}

func silencesKept(r *rig) {
	late, early := r.silence("late", 2*time.Hour), r.silence("early", time.Hour)
	r.silence("cut", 3*time.Hour)
	cut := r.silence("cut", time.Minute)
	for _, restart := range []func(){func() {}, r.crash, r.reopen} {
		restart()
		r.same("all", r.silences(time.Time{}), []ledger.Silence{cut, early, late})
		r.same("after a minute", r.silences(r.now().Add(time.Minute)), []ledger.Silence{early, late})
		r.same("after the last", r.silences(late.EndsAt), []ledger.Silence(nil))
	}
}

func historyRetained(r *rig) {
	r.step(ledger.AlertStep{History: []ledger.AlertEvent{r.alertEvent("a", "triggered")}, Alerts: []ledger.AlertChange{alertChange("a", 0, 1)}})
	r.keeps(after(ledger.AlertKeep), day, func() int { return len(r.kinds(ledger.AlertQuery{})) })
	r.same("the alert itself", len(read(r, "alerts", r.ledger().Alerts).Alerts), 1)
}

func silencesRetained(r *rig) {
	r.silence("s", 3*day)
	r.keeps(after(ledger.AlertKeep+3*day), day, func() int { return len(r.silences(time.Time{})) })
}

func unclearStep(r *rig) {
	for i, applied := range []bool{true, false} {
		from := int64(i)
		r.place.FailCommit(r.ledger(), applied)
		if err := r.ledger().CommitAlerts(r.Context(), r.wholeStep(from)); err == nil {
			r.conflict(r.wholeStep(from))
		} else {
			r.Logf("the caller was told: %v", err)
			r.step(r.wholeStep(from))
		}
		r.crash()
		r.same("transitions", len(r.toldBy(r.ledger()).History), i+1)
	}
}

// dieInSteps dies at each point of a step and a settlement, and repeats both as a daemon does that starts again.
func dieInSteps(r *rig) {
	r.step(r.wholeStep(0))
	for point := 1; ; point++ {
		from := int64(point)
		id := fmt.Sprintf("pager/k/%d", point)
		sending := ledger.Delivery{State: ledger.NotificationSending, Attempts: 1, NextAt: r.now()}
		reached := r.place.DieAt(r.ledger(), point)
		// A dying ledger may answer anything.
		_ = r.ledger().CommitAlerts(r.Context(), r.wholeStep(from))
		_ = r.ledger().SettleNotification(r.Context(), id, sending)
		r.crash()
		seen := r.toldBy(r.ledger())
		stored := len(seen.History) == point+1
		if !stored {
			r.same("transitions", len(seen.History), point)
		}
		r.same("notifications", len(seen.Notifications), len(seen.History))
		r.same("group", seen.Alerts.Groups[0], groupChange("pager", "k", 0, int64(len(seen.History))).Group)
		r.same("alert", seen.Alerts.Alerts[0], alertChange("a", 0, int64(len(seen.History))).Alert)
		if !stored {
			r.step(r.wholeStep(from))
		}
		r.must("settle", r.ledger().SettleNotification(r.Context(), id, ledger.Delivery{State: ledger.NotificationDelivered, Attempts: 2}))
		if !reached() {
			r.wantPoints(point, 4)
			return
		}
	}
}
