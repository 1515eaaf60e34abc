package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

func TestRounds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager", "chat")
	if err := w.Working(time.Minute); err == nil {
		t.Error("it works before the first round")
	}
	if w.Standing() != nil {
		t.Error("alerts stand before the first round")
	}
	for _, step := range []struct {
		value float64
		kinds []string
	}{
		{50, nil},
		{150, []string{"triggered"}},
		{150, []string{"triggered"}},
		{250, []string{"triggered", "escalated"}},
		{50, []string{"triggered", "escalated", "resolved"}},
	} {
		r.set("events", step.value)
		r.round(w)
		same(t, fmt.Sprintf("history after %v", step.value), r.kinds(), step.kinds)
		same(t, "firing", len(w.Standing().Alerts) == 1, step.value > 100)
		same(t, "groups", len(w.Standing().Groups), 2*len(w.Standing().Alerts))
	}
	same(t, "outbox", r.outbox(), []string{
		"chat opened overtaken", "pager opened overtaken", "chat worsened overtaken", "pager worsened overtaken", "chat closed waiting",
		"pager closed waiting",
	})
	same(t, "wakings", r.woken, 3)
	same(t, "notifications of the rounds", []int{r.rounds[0].Notifications, r.rounds[1].Notifications, r.rounds[2].Notifications}, []int{0, 2, 0})
	messages, err := r.store.Messages(t.Context(), MessageQuery{Page: Page{Limit: 1}})
	if err != nil || len(messages) != 1 || len(messages[0].Notification.Links) != 1 {
		t.Errorf("messages %+v, %v: not described", messages, err)
	}
	if err := w.Working(time.Minute); err != nil {
		t.Error(err)
	}
	r.advance(2 * time.Minute)
	if err := w.Working(time.Minute); err == nil || !strings.Contains(err.Error(), "2m0s") {
		t.Errorf("two minutes after the last round: %v", err)
	}
}

// TestReceiversThatForget hands on more members where those that are left out would end.
func TestReceiversThatForget(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher()
	flood := alerts.Rule{Name: "Flood", Signal: alerts.CampaignFlood, Warning: &alerts.Line{Above: new(100.0)}} // all of it one group
	w.Apply(compile(t, flood), routeTo(t, "am", "pager"))
	w.o.Forgets = NewSender(SenderOptions{Now: r.now}, map[string]alerts.Notifier{"am": forgetful{newPhone(nil)}, "pager": newPhone(nil)}).Forgets
	for i := range 30 {
		r.set(fmt.Sprintf("tag%02d", i), 150)
	}
	r.round(w)
	messages, err := r.store.Messages(t.Context(), MessageQuery{Page: Page{Limit: 10}})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for i := range messages {
		listed[messages[i].Notification.Notifier] = max(listed[messages[i].Notification.Notifier], len(messages[i].Notification.Members))
	}
	same(t, "members listed", listed, map[string]int{"am": 30, "pager": 20})
}

// TestRoundsOverKills kills the process after each round: what follows is as if there had been one process.
func TestRoundsOverKills(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, value := range []float64{50, 150, 150, 250, 250, 50, 50, 150} {
		r.set("events", value)
		r.round(r.watcher("pager"))
		r.kill()
	}
	same(t, "history", r.kinds(), []string{"triggered", "escalated", "resolved", "triggered"})
	same(t, "outbox", r.outbox(), []string{"pager opened overtaken", "pager worsened overtaken", "pager closed overtaken", "pager opened waiting"})
}

// TestRoundThatCannotBeStored holds that a round goes on from what is stored only.
func TestRoundThatCannotBeStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	r.round(w)
	r.set("events", 150)
	r.flaky.fail(ledger.ErrCannotCommit, nil)
	for range 3 {
		r.advance(30 * time.Second)
		if err := w.Round(t.Context()); !errors.Is(err, ledger.ErrCannotCommit) {
			t.Fatalf("round: %v, want %v", err, ledger.ErrCannotCommit)
		}
	}
	same(t, "alerts that stand", len(w.Standing().Alerts), 0)
	if err := w.Working(time.Minute); err == nil {
		t.Error("it works although nothing can be stored")
	}
	if last := r.rounds[len(r.rounds)-1]; last.Err == nil || last.Transitions != 0 {
		t.Errorf("the last round: %+v", last)
	}
	r.flaky.fail(nil, nil)
	r.round(w)
	same(t, "history", r.kinds(), []string{"triggered"})
	same(t, "outbox", r.outbox(), []string{"pager opened waiting"})
	if err := w.Working(time.Minute); err != nil {
		t.Error(err)
	}
}

// TestTwoWatchers has two processes evaluate the same: each change is made once, whoever makes it.
func TestTwoWatchers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := []*Watcher{r.watcher("pager"), r.watcher("pager")}
	for i, value := range []float64{50, 150, 250, 250, 50, 150, 50} {
		r.set("events", value)
		r.round(w[i%2])
		r.round(w[(i+1)%2])
	}
	same(t, "history", r.kinds(), []string{"triggered", "escalated", "resolved", "triggered", "resolved"})
}

// TestConflictsThatDoNotEnd gives up a round in which somebody else is always faster.
func TestConflictsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	r.set("events", 150)
	r.flaky.fail(ledger.ErrConflict, nil)
	if err := w.Round(t.Context()); !errors.Is(err, alerts.ErrConflict) {
		t.Errorf("round: %v, want %v", err, alerts.ErrConflict)
	}
	r.flaky.fail(nil, nil)
	r.round(w)
	same(t, "history", r.kinds(), []string{"triggered"})
}

// TestSeriesThatCannotBeRead holds that alerts of a series of which nothing is known stand as they are, that other rules go on,
// and that the heartbeat stops.
func TestSeriesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	stale := lag()
	stale.Name, stale.Signal = "Stale", alerts.SourceStale
	w.Apply(compile(t, lag(), stale), routeTo(t, "pager"))
	r.set("events", 150)
	r.round(w)
	same(t, "history", r.kinds(), []string{"triggered", "triggered"})
	r.failing[alerts.QueueLag] = errors.New("the disk is slow")
	r.set("events", 50)
	r.round(w)
	same(t, "history", r.kinds(), []string{"triggered", "triggered", "resolved"})
	same(t, "still firing", w.Standing().Alerts[0].Rule, "Lag")
	if last := r.rounds[len(r.rounds)-1]; last.Err == nil || !strings.Contains(last.Err.Error(), "read queue_lag by source: the disk is slow") {
		t.Errorf("the round's error: %v", last.Err)
	}
	r.advance(2 * time.Minute)
	r.round(w)
	if err := w.Working(time.Minute); err == nil {
		t.Error("it works although a series cannot be read")
	}
}

func TestRoundThatIsCutShort(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	r.set("events", 150)
	ctx, cancel := context.WithCancelCause(t.Context())
	w.o.Sampler = cuttingSampler{r, cancel}
	if err := w.Round(ctx); !errors.Is(err, errCut) {
		t.Errorf("round: %v, want %v", err, errCut)
	}
	same(t, "history", r.kinds(), []string(nil))
}

var errCut = errors.New("cut short")

// cuttingSampler ends the round's context while it samples.
type cuttingSampler struct {
	*rig
	cancel context.CancelCauseFunc
}

func (s cuttingSampler) Samples(ctx context.Context, series alerts.Series) ([]alerts.Sample, error) {
	s.cancel(errCut)
	return s.rig.Samples(ctx, series)
}

// TestRulesThatChange deletes a firing rule and routes another elsewhere.
func TestRulesThatChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	r.set("events", 150)
	r.round(w)
	w.Apply(compile(t, lag()), routeTo(t, "pager", "chat"))
	r.round(w)
	same(t, "outbox", r.outbox(), []string{"pager opened waiting", "chat opened waiting"})
	other := lag()
	other.Name = "Other"
	other.Warning.Above = new(1000.0)
	other.Critical = nil
	w.Apply(compile(t, other), routeTo(t, "pager", "chat"))
	r.round(w)
	same(t, "history", r.kinds(), []string{"triggered", "resolved"})
	events, err := r.store.History(t.Context(), HistoryQuery{Page: Page{Limit: 1}})
	if err != nil || events[0].Reason != alerts.RuleDeleted || events[0].Was != alerts.Warning || events[0].Alert.Rule != "Lag" {
		t.Errorf("history %+v, %v", events, err)
	}
	same(t, "alerts that stand", len(w.Standing().Alerts), 0)
}

// TestRecords reads what rounds stored as another process does.
func TestRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.watcher("pager")
	r.set("events", 150)
	r.set("status", 150)
	r.round(w)
	all, err := r.store.Alerts(t.Context())
	if err != nil || len(all) != 2 || all[0].Severity != alerts.Warning || !all[0].StartedAt.Equal(r.now()) {
		t.Errorf("alerts %+v, %v", all, err)
	}
	events, err := r.store.History(t.Context(), HistoryQuery{Subject: "source events", Rule: "Lag", From: r.now(), To: r.now().Add(time.Second)})
	if err != nil || len(events) != 1 || events[0].Alert.Subject.Source != "events" {
		t.Errorf("history %+v, %v", events, err)
	}
	counts, err := r.store.Counts(t.Context())
	same(t, "counts", counts, []Count{{"pager", alerts.EntryWaiting, 2, r.now()}})
	if err != nil {
		t.Error(err)
	}
}
