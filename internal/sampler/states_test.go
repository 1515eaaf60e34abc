package sampler

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// text is a number as tests write it: its state, and its value when there is one.
func text(n number) string {
	if !n.known {
		return n.state.String()
	}
	return fmt.Sprintf("%v %s", n.value, n.state)
}

// told are the samples of accounts as tests write them, by tenant or detail.
func told(all []detailed) map[string]string {
	m := map[string]string{}
	for _, d := range all {
		m[d.tenant+d.detail] = text(d.number)
	}
	return m
}

func parts(state signal.State) (all []view.AccountPart) {
	for _, p := range observation.AccountParts() {
		all = append(all, view.AccountPart{Part: p, State: state})
	}
	return all
}

func TestStatesOfAccounts(t *testing.T) {
	f := func(s alerts.Signal, want string, a view.Account) {
		t.Helper()
		if a.Parts == nil {
			a.Parts = parts(signal.OK)
		}
		if got := fmt.Sprint(told(figuresOf(s, &a, anchor))); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	rate := func(state signal.State, r *view.SESRate) view.Account {
		return view.Account{BounceRate: view.AccountRate{State: state, Rate: r}}
	}
	f(alerts.AccountBounceRate, "map[:0.06 ok]", rate(signal.OK, &view.SESRate{Value: 0.06}))
	f(alerts.AccountBounceRate, "map[:0 ok]", rate(signal.OK, &view.SESRate{}))
	f(alerts.AccountBounceRate, "map[:0.06 stale]", rate(signal.Stale, &view.SESRate{Value: 0.06}))
	f(alerts.AccountBounceRate, "map[:0.06 idle]", rate(signal.Idle, &view.SESRate{Value: 0.06}))
	f(alerts.AccountBounceRate, "map[:not_reported]", rate(signal.NotReported, nil))
	f(alerts.AccountBounceRate, "map[:error]", rate(signal.Error, nil))

	standing := func(state signal.State, verdict string, enabled *bool) view.Account {
		return view.Account{Standing: view.Standing{State: state, Verdict: verdict, SendingEnabled: enabled}}
	}
	f(alerts.AccountEnforcement, "map[:0 ok]", standing(signal.OK, "HEALTHY", nil))
	f(alerts.AccountEnforcement, "map[:1 ok]", standing(signal.OK, "PROBATION", nil))
	f(alerts.AccountEnforcement, "map[:2 stale]", standing(signal.Stale, "SHUTDOWN", nil))
	f(alerts.AccountEnforcement, "map[:ok]", standing(signal.OK, "SOMETHING_NEW", nil))
	f(alerts.AccountSendingPaused, "map[:1 ok]", standing(signal.OK, "", new(false)))
	f(alerts.AccountSendingPaused, "map[:0 ok]", standing(signal.OK, "", new(true)))
	f(alerts.AccountSendingPaused, "map[:error]", standing(signal.Error, "", nil))

	f(alerts.AccountQuotaUsed, "map[:0.5 ok]", view.Account{Quota: view.Quota{Used: new(0.5)}})
	f(alerts.AccountQuotaUsed, "map[:idle]", view.Account{Quota: view.Quota{Unlimited: true}})
	f(alerts.AccountQuotaUsed, "map[:stale]", view.Account{Quota: view.Quota{State: signal.Stale, Unlimited: true}})
}

func TestStatesOfTenants(t *testing.T) {
	a := view.Account{Tenants: []view.TenantRates{
		{Tenant: "a", Status: "DISABLED"}, {Tenant: "b", Status: "ENABLED"}, {Tenant: "c", Status: "REINSTATED"}, {Tenant: "d"},
	}}
	f := func(s alerts.Signal, want string) {
		t.Helper()
		if got := fmt.Sprint(told(figuresOf(s, &a, anchor))); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	a.Parts = parts(signal.OK)
	f(alerts.TenantPaused, "map[a:1 ok b:0 ok c:0 ok d:ok]")
	a.Parts = parts(signal.Error)
	f(alerts.TenantPaused, "map[a:1 error b:0 error c:0 error d:error]")

	about := func(tenant, impact string) observation.AccountItem {
		return observation.AccountItem{Resource: "arn:aws:ses:eu-west-1:111122223333:tenant/" + tenant + "/tn-1", Impact: impact}
	}
	a.Recommendations = view.AccountFinding{Total: 4, Items: []observation.AccountItem{
		about("a", "HIGH"), about("a", "HIGH"), about("b", "LOW"), {Resource: "arn:aws:ses:eu-west-1:111122223333:identity/x.example", Impact: "HIGH"},
	}}
	f(alerts.TenantFindings, "map[a:2 ok b:0 ok c:0 ok d:0 ok]")
	a.Recommendations.Total = 150 // what was left out may be about any
	f(alerts.TenantFindings, "map[a:2 ok b:ok c:ok d:ok]")
	a.Recommendations = view.AccountFinding{State: signal.Error}
	a.Entities = view.AccountFinding{Total: 1, Items: []observation.AccountItem{about("e", "HIGH")}}
	f(alerts.TenantFindings, "map[a:0 ok b:0 ok c:0 ok d:0 ok e:1 ok]")
	a.Entities.State = signal.Error
	f(alerts.TenantFindings, "map[a:error b:error c:error d:error]")
}

func TestStatesOfCoverage(t *testing.T) {
	f := func(want string, c view.Coverage) {
		t.Helper()
		if got := text(eventCoverage(&view.EventCoverage{Events: c}, anchor)); got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
	f("0.8 ok", view.Coverage{Share: new(0.8), Denominator: 1000, Finding: signal.Short})
	f("0.99 ok", view.Coverage{Share: new(0.99), Denominator: 1000, State: signal.Error, Finding: signal.Deaf})
	f("0 insufficient", view.Coverage{Share: new(0.0), Denominator: 10, State: signal.Error, Finding: signal.Deaf})
	f("error", view.Coverage{Denominator: 1000, State: signal.Error, Finding: signal.Excess})
	f("idle", view.Coverage{State: signal.Idle})
	f("no_data", view.Coverage{State: signal.NoData})

	loop := func(want string, c view.CoverageOf) {
		t.Helper()
		if got := text(deaf(&c, anchor)); got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
	loop("1 ok", view.CoverageOf{CloudWatch: 5, State: signal.Error, Finding: signal.Deaf})
	loop("0 ok", view.CoverageOf{CloudWatch: 5, Ours: 900, State: signal.Error, Finding: signal.Excess})
	loop("0 ok", view.CoverageOf{CloudWatch: 50, Ours: 1, State: signal.Insufficient})
	loop("0 ok", view.CoverageOf{CloudWatch: 50, Maybe: 1, State: signal.Insufficient})
	loop("idle", view.CoverageOf{CloudWatch: 2, State: signal.Insufficient})
	loop("idle", view.CoverageOf{State: signal.Idle})
	loop("no_data", view.CoverageOf{State: signal.NoData})
}

// An account does not look well because its worst region cannot be read.
func TestWorstOf(t *testing.T) {
	at := func(value float64, state signal.State) number { return number{value: value, known: true, state: state} }
	f := func(want string, a, b number, low bool) {
		t.Helper()
		for _, got := range []number{worstOf(a, b, low), worstOf(b, a, low)} {
			if text(got) != want {
				t.Errorf("worst of %s and %s: %s, want %s", text(a), text(b), text(got), want)
			}
		}
	}
	f("2 ok", at(1, signal.OK), at(2, signal.OK), false)
	f("1 ok", at(1, signal.OK), at(2, signal.OK), true)
	f("2 stale", at(1, signal.OK), at(2, signal.Stale), false)
	f("1 ok", at(1, signal.OK), at(1, signal.Stale), false)
	f("1 ok", at(1, signal.OK), number{state: signal.Error}, false)
	f("error", number{state: signal.Idle}, number{state: signal.Error}, false)
	f("stale", number{state: signal.NotReported}, number{state: signal.Stale}, false)
}

func TestStatesOfReceiptRules(t *testing.T) {
	f := func(want string, state signal.State, value *float64, lasting time.Duration) {
		t.Helper()
		if got := text(failures(&view.ReceiptFigure{State: state, Value: value, Lasting: lasting.Seconds()})); got != want {
			t.Errorf("%s for %s: %s, want %s", state, lasting, got, want)
		}
	}
	f("12 ok", signal.OK, new(12.0), time.Hour)
	f("12 ok", signal.OK, new(12.0), 2*signal.ReceiptPeriod)
	f("0 ok", signal.OK, new(12.0), signal.ReceiptPeriod) // one burst
	f("0 ok", signal.OK, new(12.0), 0)                    // it is over
	f("0 idle", signal.Idle, new(0.0), 0)
	f("12 stale", signal.Stale, new(12.0), time.Hour)
	f("no_data", signal.NoData, nil, 0)
}

func TestGrowth(t *testing.T) {
	g := &growth{since: anchor}
	f := func(after time.Duration, n int64, hour, day string) {
		t.Helper()
		g.note(n, anchor.Add(after))
		if got := text(g.over(signal.Hour)); got != hour {
			t.Errorf("after %s, the hour: %s, want %s", after, got, hour)
		}
		if got := text(g.over(signal.Day)); got != day {
			t.Errorf("after %s, the day: %s, want %s", after, got, day)
		}
	}
	f(0, 0, "0 insufficient", "0 insufficient")
	f(time.Minute, 3, "3 immature", "3 immature")
	f(time.Hour, 5, "5 ok", "5 immature")
	f(2*time.Hour, 5, "0 ok", "5 immature")
	f(25*time.Hour, 7, "2 ok", "2 ok")
	f(25*time.Hour+time.Minute, 1, "1 immature", "1 immature") // a new count
	g = &growth{since: anchor.Add(-time.Hour)}                 // nobody looked at first
	f(0, 9, "0 insufficient", "9 immature")
	for at := time.Duration(0); at < 30*24*time.Hour; at += time.Minute {
		g.note(10, anchor.Add(at))
	}
	if limit := int(signal.Week.Span()/growthGrain) + 2; len(g.points) > limit {
		t.Errorf("%d points are kept, want %d at most", len(g.points), limit)
	}
}

// A flood that is over before it is told of again is one, too: tenants are told of from their first name on.
func TestFirstFlood(t *testing.T) {
	all := growths{}
	d := &Daemon{Started: anchor.Add(-48 * time.Hour), Floods: []Flood{{Tag: "tag campaign", Names: 40}}}
	all.note(d, time.Time{}, anchor) // by now nobody knows when they came
	d.Floods = append(d.Floods, Flood{Tag: "tenants", Names: 300})
	all.note(d, anchor, anchor.Add(30*time.Second))
	for tag, want := range map[string]string{"tag campaign": "0 insufficient", "tenants": "300 immature"} {
		if got := text(all[growthKey{true, tag}].over(signal.Day)); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
}

// empty is a sampler of a view that knows nothing but the time.
func empty(t *testing.T, now *time.Time) (*Sampler, func()) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return *now },
	})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	v := view.New(store, view.Options{Group: func(string) string { return "" }})
	return New(Options{View: v, Now: func() time.Time { return *now }}), func() {
		check(t, store.Fold(t.Context()))
		for _, refresh := range []func(context.Context) error{v.Refresh, v.RefreshGmail, v.RefreshAccounts, v.RefreshInbound} {
			check(t, refresh(t.Context()))
		}
	}
}

func TestStatesOfSources(t *testing.T) {
	now := anchor
	s, refresh := empty(t, &now)
	f := func(of alerts.Signal, want string, source Source) {
		t.Helper()
		source.Name = "source"
		s.Observe(Daemon{Started: anchor, Sources: []Source{source}})
		samples, err := s.Samples(t.Context(), alerts.Series{Signal: of, By: alerts.BySource})
		check(t, err)
		got := ""
		for _, x := range samples {
			got += fmt.Sprintf("%s %v %s", x.Subject.Source, x.Value, x.State)
		}
		if got != want {
			t.Errorf("%s of %+v: %q, want %q", of, source, got, want)
		}
	}
	ago := anchor.Add(-time.Minute)
	f(alerts.SourceFailing, "source 0 ok", Source{State: signal.OK})
	f(alerts.SourceFailing, "source 60 ok", Source{State: signal.Error, FailingSince: ago})
	f(alerts.SourceFailing, "source 60 immature", Source{State: signal.Error, FailingSince: ago, Unproven: true})
	f(alerts.SourceFailing, "source 0 ok", Source{State: signal.OK, Unproven: true})
	f(alerts.SourceFailing, "source 60 ok", Source{State: signal.NoData, FailingSince: ago})
	f(alerts.SourceFailing, "source 0 no_data", Source{State: signal.NoData})
	f(alerts.SourceFailing, "source 0 ok", Source{State: signal.Stale})
	f(alerts.SourceStale, "source 0 ok", Source{State: signal.OK})
	f(alerts.SourceStale, "source 60 ok", Source{State: signal.Error, StaleSince: ago})
	f(alerts.SourceStale, "source 0 stale", Source{State: signal.Error})
	f(alerts.SourceStale, "source 0 no_data", Source{State: signal.NoData})
	f(alerts.SourceStale, "source 0 no_data", Source{State: signal.OK, Kind: KindPostmaster, API: observation.PostmasterV2})
	f(alerts.QueueLag, "", Source{State: signal.OK})
	f(alerts.QueueLag, "source 60 ok", Source{State: signal.OK, Queue: &Queue{Lag: time.Minute}})
	f(alerts.QueueLag, "source 60 stale", Source{State: signal.Error, Queue: &Queue{Lag: time.Minute}})
	f(alerts.ReceivingStopped, "source 1 ok", Source{State: signal.Error, Queue: &Queue{Stopped: true}})
	f(alerts.ReceivingStopped, "source 0 ok", Source{State: signal.OK, Queue: &Queue{}})

	s.Observe(Daemon{})
	samples, err := s.Samples(t.Context(), alerts.Series{Signal: alerts.QuarantineUsed, By: alerts.ByDaemon})
	if err != nil || len(samples) != 1 || samples[0].State != signal.NoData {
		t.Errorf("a quarantine without a bound: %+v, %v", samples, err)
	}
	refresh()
}

// TestAbsent asks what a missing subject means: that it is gone where what tells of it is well, or where nobody watches it any
// more; else that it is not known.
func TestAbsent(t *testing.T) {
	now := anchor
	s, refresh := empty(t, &now)
	f := func(when string, mail, gmail, accounts, inbound, daemon signal.State) {
		t.Helper()
		for of, want := range map[alerts.Signal]signal.State{
			alerts.RateOf(signal.BlockRate): mail, alerts.GmailSpamRate: gmail, alerts.AccountEnforcement: accounts,
			alerts.EventCoverage: accounts, alerts.ReceiptExpired: inbound, alerts.QueueLag: daemon,
		} {
			if got := s.Absent(alerts.Series{Signal: of}); got != want {
				t.Errorf("%s: %s is %s, want %s", when, of, got, want)
			}
		}
	}
	sources := func(state signal.State) Daemon {
		return Daemon{Sources: []Source{{Kind: KindSES, State: state}, {Kind: KindPostmaster, State: state},
			{Kind: KindAccount, State: state}, {Kind: KindReceiptRules, State: state}}}
	}
	const idle, stale = signal.Idle, signal.Stale
	f("at first", stale, stale, stale, stale, stale)
	refresh()
	f("before a daemon told of itself", idle, stale, stale, stale, stale)
	s.Observe(Daemon{})
	f("without sources", idle, idle, idle, idle, idle)
	for _, state := range []signal.State{signal.Error, signal.Stale, signal.NoData} {
		s.Observe(sources(state))
		f("sources "+state.String(), idle, stale, stale, stale, idle)
	}
	s.Observe(sources(signal.OK))
	f("all well", idle, idle, idle, idle, idle)
	now = now.Add(agedAfter + time.Second)
	f("nothing brought up to date", stale, idle, stale, stale, idle)
}

// A fork tells the same and writes over nothing of the one that it was made of.
func TestFork(t *testing.T) {
	now := anchor
	s, _ := empty(t, &now)
	s.Observe(Daemon{Notifiers: []Notifier{{Name: "oncall", FailingSince: anchor.Add(-time.Minute)}}, Horizons: []Horizon{{"routine", time.Hour}}})
	series := alerts.Series{Signal: alerts.NotifierFailing, By: alerts.ByNotifier}
	samples, err := s.Samples(t.Context(), series)
	check(t, err)
	other := s.Fork()
	_, err = other.Samples(t.Context(), alerts.Series{Signal: alerts.DedupeHorizon, By: alerts.ByDaemon})
	check(t, err)
	again, err := other.Samples(t.Context(), series)
	check(t, err)
	if len(samples) != 1 || len(again) != 1 || samples[0].Subject.Notifier != "oncall" || again[0].Value != samples[0].Value {
		t.Errorf("got %+v, and of the fork %+v", samples, again)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Samples(ctx, series); err == nil {
		t.Error("a round that was given up goes on")
	}
}

// A state that promises a value is not kept without one.
func TestNoValueIsNoZero(t *testing.T) {
	for state, want := range map[signal.State]signal.State{
		signal.OK: signal.NoData, signal.Immature: signal.NoData, signal.Insufficient: signal.NoData,
		signal.Stale: signal.Stale, signal.NotReported: signal.NotReported,
	} {
		if got := new(Sampler).add(alerts.Series{}, alerts.Subject{}, number{state: state}).State; got != want {
			t.Errorf("%s without a value is %s, want %s", state, got, want)
		}
	}
}
