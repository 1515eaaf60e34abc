package watch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
)

// siren is an alarm over a rig's ledger.
type siren struct {
	*rig
	alarm   *Alarm
	trouble error
	pager   *phone
	// err is what the last check returned.
	err error
}

func newSiren(t *testing.T) *siren {
	t.Helper()
	s := &siren{rig: newRig(t), pager: newPhone(nil)}
	s.start()
	return s
}

func (s *siren) start() {
	s.Helper()
	a, err := NewAlarm(AlarmOptions{
		Trouble: func() error { return s.trouble }, Store: s.store, Now: s.now, Random: func() float64 { return 0 }, Log: quiet(),
	}, routeTo(s, "pager"), map[string]alerts.Notifier{"pager": s.pager})
	if err != nil {
		s.Fatal(err)
	}
	s.alarm = a
}

// checks makes checks, every five seconds, for that long.
func (s *siren) checks(lasts time.Duration) {
	s.Helper()
	for range lasts / (5 * time.Second) {
		s.advance(5 * time.Second)
		s.err = s.alarm.Check(s.Context())
	}
}

// cannotCommit makes the ledger refuse what has nothing to do with alerts, and, unless that can still be stored, alerts too.
func (s *siren) cannotCommit(alertsToo bool) {
	s.trouble = fmt.Errorf("%w: no space left on the device", ledger.ErrCannotCommit)
	if alertsToo {
		s.flaky.fail(ledger.ErrCannotCommit, ledger.ErrCannotCommit)
	}
}

func (s *siren) commitsAgain() {
	s.trouble = nil
	s.flaky.fail(nil, nil)
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	s.checks(time.Minute)
	s.cannotCommit(true)
	s.checks(25 * time.Second)
	same(t, "heard within half a minute", s.pager.changes(t), []alerts.Change(nil))
	if s.alarm.Firing() != nil {
		t.Error("it fires too soon")
	}
	s.checks(10 * time.Minute)
	same(t, "heard", s.pager.changes(t), []alerts.Change{alerts.Opened})
	if a := s.alarm.Firing(); a == nil || a.Severity != alerts.Critical || a.Rule != AlarmRule {
		t.Errorf("firing: %+v", a)
	}
	s.commitsAgain()
	s.checks(time.Minute)
	same(t, "heard in the end", s.pager.changes(t), []alerts.Change{alerts.Opened, alerts.Closed})
	if s.alarm.Firing() != nil {
		t.Error("it fires for ever")
	}
	s.cannotCommit(true)
	s.checks(time.Minute)
	same(t, "heard the next time", s.pager.changes(t)[2:], []alerts.Change{alerts.Opened})
	calls := s.pager.heard(t)
	same(t, "the key of all", []string{calls[1].key, calls[2].key}, []string{calls[0].key, calls[0].key})
}

// TestAlarmThatPasses says nothing of what lasts a moment.
func TestAlarmThatPasses(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	for range 10 {
		s.cannotCommit(true)
		s.checks(25 * time.Second)
		s.commitsAgain()
		s.checks(10 * time.Second)
	}
	same(t, "heard", s.pager.changes(t), []alerts.Change(nil))
}

// TestAlarmOutlivesTheProcess has the process die while the alarm fires. If that could be stored the next one ends it; it does
// so only when the ledger commits again.
func TestAlarmOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	s.cannotCommit(false)
	s.checks(time.Minute)
	s.kill()
	s.start()
	s.checks(20 * time.Second)
	same(t, "heard while it lasts", s.pager.changes(t), []alerts.Change{alerts.Opened})
	s.commitsAgain()
	s.checks(time.Minute)
	same(t, "heard in the end", s.pager.changes(t), []alerts.Change{alerts.Opened, alerts.Closed})
	s.kill()
	s.start()
	s.checks(time.Minute)
	same(t, "heard after that", s.pager.changes(t), []alerts.Change{alerts.Opened, alerts.Closed})
	// The rounds leave what the alarm keeps alone.
	s.round(s.watcher("pager"))
	same(t, "outbox", s.outbox(), []string(nil))
}

// TestAlarmAndItsNotifier fails to deliver for a while: the latest is told, and no end of what nobody heard of.
func TestAlarmAndItsNotifier(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	s.pager.will(always(refusal(alerts.DeliveryUnavailable, 0)))
	s.cannotCommit(true)
	s.checks(35 * time.Second)
	if s.err == nil {
		t.Error("no error although the notifier failed")
	}
	s.checks(58 * time.Second)
	if n := len(s.pager.heard(t)); n < 4 || n > 8 {
		t.Errorf("tried %d times in a minute", n)
	}
	s.pager.will(nil)
	s.commitsAgain()
	s.checks(10 * time.Minute)
	heard := s.pager.changes(t)
	same(t, "heard in the end", heard[len(heard)-2:], []alerts.Change{alerts.Opened, alerts.Closed})
	same(t, "the openings", heard[0], alerts.Opened)
}

// TestAlarmReminds tells a receiver that forgets again.
func TestAlarmReminds(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	s.alarm.Apply(routeTo(t, "pager"), map[string]alerts.Notifier{"pager": forgetful{s.pager}})
	s.cannotCommit(true)
	s.checks(3*time.Minute + 15*time.Second)
	same(t, "heard", s.pager.changes(t), []alerts.Change{alerts.Opened, alerts.Opened, alerts.Opened})
	s.commitsAgain()
	s.checks(5 * time.Minute)
	same(t, "heard in the end", s.pager.changes(t)[3:], []alerts.Change{alerts.Closed})
}

// TestAlarmWithoutANotifier does not fall over what nobody takes.
func TestAlarmWithoutANotifier(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	router, err := alerts.NewRouter(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.alarm.Apply(router, nil)
	s.cannotCommit(true)
	s.checks(time.Minute)
	if s.err != nil {
		t.Error(s.err)
	}
	if s.alarm.Firing() == nil {
		t.Error("it does not fire")
	}
}

// TestAlarmSideBySide holds that one that hangs does not keep others from being told, and that a check ends with its time.
func TestAlarmSideBySide(t *testing.T) {
	t.Parallel()
	s := newSiren(t)
	s.alarm.o.Timeout = 50 * time.Millisecond
	hangs := newPhone(func(ctx context.Context, _ int, _ *alerts.Notification) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	s.alarm.Apply(routeTo(t, "hangs", "pager"), map[string]alerts.Notifier{"hangs": hangs, "pager": s.pager})
	s.cannotCommit(true)
	s.checks(35 * time.Second)
	if e, ok := errors.AsType[*alerts.DeliveryError](s.err); !ok || e.Notifier != "hangs" {
		t.Errorf("error %v", s.err)
	}
	same(t, "heard", s.pager.changes(t), []alerts.Change{alerts.Opened})
}
