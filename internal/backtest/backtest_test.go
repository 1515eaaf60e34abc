package backtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

func noGroup(string) string { return "" }

// live evaluates rules round by round while mail comes, as a daemon does: the figures of a whole hour, four times.
type live struct {
	*backtest
	rig *rig
}

func newLive(t *testing.T, r *rig, rules []alerts.Rule) *live {
	t.Helper()
	l := &live{rig: r, backtest: &backtest{state: &alerts.State{}, groups: &alerts.Groups{}, book: newBook()}}
	var err error
	l.rules, err = alerts.Compile(rules)
	check(t, err)
	for i := range rules {
		l.book.rule(&rules[i])
	}
	l.router, err = alerts.NewRouter(nil, []string{anybody}, []string{anybody})
	check(t, err)
	l.view = view.New(r.ledger, view.Options{Group: noGroup})
	l.sampler = sampler.New(sampler.Options{View: l.view, Now: l.view.AsOf})
	l.sampler.Observe(sampler.Daemon{})
	return l
}

func (l *live) hour(t *testing.T) {
	t.Helper()
	check(t, l.view.Refresh(t.Context()))
	check(t, l.view.RefreshGmail(t.Context()))
	for at := l.rig.now; at.Before(l.rig.now.Add(hour)); at = at.Add(between) {
		l.round(at, l.samples(t.Context(), l.rules.Series()))
		check(t, l.err)
	}
}

// TestAsLive holds that a backtest finds what a daemon found: the same episodes at the same times with the same figures, as
// long as all that became of the mail came at once.
func TestAsLive(t *testing.T) {
	r := newRig(t)
	rules := []alerts.Rule{
		hardBounces(alerts.ByCampaign, signal.Hour), hardBounces(alerts.ByProvider, signal.Day), hardBounces(alerts.ByCampaign, signal.Week),
		{
			Name: "Delivered", Signal: alerts.RateOf(signal.DeliveryRate), Warning: &alerts.Line{Below: new(0.97)}, For: 45 * time.Minute,
			KeepFiringFor: new(90 * time.Minute),
		},
	}
	l := newLive(t, r, rules)
	for h := range 60 {
		bounced := 1
		if h%20 > 10 && h%20 < 14 {
			bounced = 40
		}
		r.now = start.Add(time.Duration(h) * hour).Add(30 * time.Minute)
		r.sent("spring", "yahoo", r.now, 120, bounced)
		r.commit()
		check(t, l.view.Refresh(t.Context()))
		r.now = r.now.Add(30 * time.Minute)
		r.sent("steady", "gmail", r.now.Add(-time.Minute), 10, 0)
		r.commit()
		l.hour(t)
	}
	to := r.now
	r.now = r.now.Add(fineBack + hour)
	r.sent("later", "yahoo", r.now.Add(-time.Minute), 10, 10)
	r.commit()
	r.compact()
	want := l.backtest
	want.o = Options{From: start.Add(hour)}
	got, err := Run(t.Context(), Options{Reader: r.ledger, Group: noGroup, Rules: rules, From: start.Add(hour), To: to.Add(45 * time.Minute)})
	check(t, err)
	wanted := want.resultOf()
	if len(wanted.Episodes) < 6 || !slices.ContainsFunc(wanted.Episodes, func(e *Episode) bool { return !e.Until.IsZero() }) {
		t.Errorf("the story is too short: %d episodes", len(wanted.Episodes))
	}
	if diff := cmp.Diff(wanted, got, cmpopts.IgnoreFields(Result{}, "To", "AsOf", "Limits", "Rounds"), cmpopts.IgnoreUnexported(RuleResult{})); diff != "" {
		t.Errorf("(-live +backtest):\n%s", diff)
	}
}

// resultOf closes the book of a backtest that goes through no past.
func (b *backtest) resultOf() *Result {
	b.past = newPast(nil, b.o.From)
	return b.result()
}

// TestFineAndLate goes through the last hours by 5 minutes. Complaints that came hours later count from when their mail was
// sent: that is what the limits say.
func TestFineAndLate(t *testing.T) {
	r := newRig(t)
	reporting := []byte(`["yahoo"]`)
	check(t, r.ledger.AddVersion(t.Context(), "reporting_providers", versionOf(reporting)))
	r.now = start.Add(hour)
	r.sent("spring", "yahoo", start, 10, 0)
	r.commit()
	sent := start.Add(6*hour + 12*time.Minute)
	r.now = sent.Add(time.Minute)
	r.sent("spring", "yahoo", sent, 2000, 0)
	r.commit()
	r.now = sent.Add(6 * hour)
	r.mail("spring", "yahoo", sent, observation.Complained, observation.EventComplaint, 30)
	r.commit()
	rule := alerts.Rule{Name: "Complaints", Signal: alerts.RateOf(signal.ComplaintRate), Window: new(signal.Day), Critical: above(0.003)}
	other := alerts.Rule{Name: "Lag", Signal: alerts.QueueLag, Warning: above(900)}
	var told []time.Time
	got, err := Run(t.Context(), Options{
		Reader: r.ledger, Group: noGroup, Rules: []alerts.Rule{rule, other}, From: start.Add(hour),
		Progress: func(at, _ time.Time) { told = append(told, at) },
	})
	check(t, err)
	if len(got.Episodes) != 1 {
		t.Fatalf("episodes: %+v", got.Episodes)
	}
	e := got.Episodes[0]
	if want := start.Add(6*hour + 15*time.Minute); !e.From.Equal(want) || e.Severity != alerts.Critical || !e.Until.IsZero() ||
		e.Peak.Numerator != 30 || e.Peak.Denominator != 2000 || e.Muted || e.Before {
		t.Errorf("the episode is %+v, want one from %s on", e, want)
	}
	if len(got.NotTested) != 1 || got.NotTested[0].Rule != "Lag" || len(got.Rules) != 1 || got.Rules[0].Told != 1 ||
		!cmp.Equal(got.Notifiers, []NotifierResult{{anybody, 1, 0}}) {
		t.Errorf("not tested %+v, rules %+v, notifiers %+v", got.NotTested, got.Rules, got.Notifiers)
	}
	if all := strings.Join(got.Limits, "\n"); !strings.Contains(all, "a complaint that came days later counts at once") || strings.Contains(all, "Gmail") {
		t.Errorf("limits: %s", all)
	}
	if n := len(told); n < 100 || !told[n-1].Equal(got.To) || told[n-1].Sub(told[n-2]) != fine {
		t.Errorf("progress was told %d times", n)
	}
}

// TestGmail holds that a day of Gmail's is judged when it was first seen, and that one that was back-filled raises nothing.
func TestGmail(t *testing.T) {
	r := newRig(t)
	for d := range 5 {
		r.now = start.AddDate(0, 0, d).Add(12 * hour)
		r.sent("spring", "gmail", r.now.Add(-time.Minute), 120, 0)
		r.commit()
	}
	r.now = start.AddDate(0, 0, 5).Add(10*hour + 20*time.Minute)
	r.gmail(start.AddDate(0, 0, 3), 0.002)
	r.commit()
	seen := r.now
	r.now = start.AddDate(0, 0, 9)
	r.gmail(start.AddDate(0, 0, 4), 0.002)
	r.commit()
	rule := alerts.Rule{
		Name: "Gmail", Signal: alerts.GmailSpamRate,
		Warning: &alerts.Line{Above: new(0.001), AtLeast: alerts.Floors{Denominator: new(int64(100))}},
	}
	run := func(from, to time.Time) *Result {
		t.Helper()
		got, err := Run(t.Context(), Options{Reader: r.ledger, Group: noGroup, Rules: []alerts.Rule{rule}, From: from, To: to})
		check(t, err)
		return got
	}
	got := run(seen.Add(-3*hour), seen.Add(3*hour))
	if want := seen.Truncate(hour).Add(hour); len(got.Episodes) != 1 || !got.Episodes[0].From.Equal(want) || got.Episodes[0].Peak.Value != 0.002 {
		t.Errorf("episodes are %+v, want one from %s on", got.Episodes, want)
	}
	if got := run(r.now.Add(-hour), r.now); len(got.Episodes) > 0 {
		t.Errorf("a day that came late raised %+v", got.Episodes[0])
	}
}

// TestMuted holds that an alert for which another stands is counted apart, and that nobody is told of it.
func TestMuted(t *testing.T) {
	b := newBook()
	rule := hardBounces(alerts.ByCampaign, signal.Day)
	b.rule(&rule)
	a := alerts.Alert{Rule: rule.Name, Subject: alerts.Subject{Campaign: "spring"}, Severity: alerts.Warning, Version: 1}
	state := alerts.NewState([]alerts.Alert{a})
	muted := &alerts.Plan{Muted: map[string]string{a.ID(): "other"}}
	b.note(start, alerts.Round{Transitions: []alerts.Transition{{Kind: alerts.Triggered, Alert: a, At: start}}}, state, muted)
	worse := a
	worse.Severity = alerts.Critical
	b.note(start.Add(hour), alerts.Round{Transitions: []alerts.Transition{{Kind: alerts.Escalated, Alert: worse}}}, state, muted)
	over := alerts.Transition{Kind: alerts.Resolved, Alert: a, At: start.Add(2 * hour), Reason: alerts.Cleared}
	b.note(start.Add(2*hour), alerts.Round{Transitions: []alerts.Transition{over}}, &alerts.State{}, &alerts.Plan{})
	if e := b.result.Episodes[0]; !e.Muted || e.Severity != alerts.Critical || e.Reason != alerts.Cleared || !e.Until.Equal(over.At) || !e.Before {
		t.Errorf("the episode is %+v", e)
	}
	if r := b.result.Rules[0]; r.Episodes != 1 || r.Critical != 1 || r.Muted != 1 || r.Firing != 3600 || r.Told != 0 {
		t.Errorf("the rule is %+v", r)
	}
}

// TestRange holds that ends where there is no history are refused, or moved to where there is.
func TestRange(t *testing.T) {
	r := newRig(t)
	run := func(from, to time.Time) (*Result, error) {
		return Run(t.Context(), Options{Reader: r.ledger, Group: noGroup, Rules: []alerts.Rule{hardBounces(alerts.ByCampaign, signal.Day)}, From: from, To: to})
	}
	r.now = start.Add(100 * day)
	r.sent("spring", "yahoo", r.now.Add(-time.Minute), 10, 0)
	r.commit()
	if _, err := run(r.now.Add(hour), time.Time{}); !errors.Is(err, ErrRange) {
		t.Errorf("from after the end: %v", err)
	}
	got, err := run(r.now.Add(-400*day), r.now.Add(-92*day-30*time.Minute))
	check(t, err)
	if want := r.now.Add(-93 * day); !got.From.Equal(want) || !got.To.Equal(want.Add(23*hour)) {
		t.Errorf("went from %s to %s", got.From, got.To)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := Run(ctx, Options{Reader: r.ledger, Group: noGroup, Rules: alerts.Defaults()}); err == nil {
		t.Error("a backtest that was stopped went on")
	}
}
