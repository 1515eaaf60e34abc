package app

import (
	"context"
	"log/slog"
	"maps"
	"math"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	sesaccount "github.com/mailvane/mailvane/collectors/account"
	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
)

// watched is the demo's account in us-east-1, whose receipt rules and standing are read and exported at times that the test
// sets.
type watched struct {
	now        time.Time
	sim        *simulator.Simulator
	story      traffic.Story
	ledger     *sqlite.Ledger
	intake     *intake.Intake
	daemon     *Daemon
	collectors map[string]collectors.Collector
}

// failing is the demo's receipt rule that loses mail.
const failing = "unsub-flash-friday"

// paused is a tenant that SES does not let send, with a finding of high impact.
const paused = "globex"

// littlePost has few mails come in, so that a test is quick; enough of them to know a rule's habit.
func littlePost(o *simulator.Options, now time.Time) {
	for i := range o.Story.RuleSets {
		for j := range o.Story.RuleSets[i].Rules {
			r := &o.Story.RuleSets[i].Rules[j]
			r.PerDay, r.From = min(r.PerDay, 20), now.AddDate(0, 0, -11)
			if r.Name == failing {
				r.PerDay, r.From = 480, now.Add(-8*time.Hour)
			}
		}
	}
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{now: time.Date(2026, 11, 20, 12, 7, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	o := simulator.Demo(w.now, 1, 1)
	o.Now = clock
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool {
		return c.Name != "receipts" && c.Name != "globex-updates"
	})
	littlePost(&o, w.now)
	o.SES.Tenants = []sesapi.Tenant{{Place: sesapi.Place{Account: simulator.Account, Region: "us-east-1"}, Name: paused, Status: "DISABLED"}}
	o.SES.Recommendations[0].Impact = "HIGH"
	w.story = o.Story
	var err error
	if w.sim, err = simulator.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sim.Close() })
	w.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: clock, RoutineIDs: 1 << 16, ExceptionalIDs: 1 << 12,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	w.export(t)
	cfg, err := simulatorAWS(w.sim.URL())(t.Context(), "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := receiptrules.New(receiptrules.Options{Name: "rules", AWS: cfg, Region: "us-east-1", Calls: w.daemon.calls.of("rules"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	account, err := sesaccount.New(sesaccount.Options{Name: "account", AWS: cfg, Region: "us-east-1", RequestsPerSecond: 1000, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	w.collectors = map[string]collectors.Collector{"rules": rules, "account": account}
	return w
}

// export starts to count and to show, as a daemon does.
func (w *watched) export(t *testing.T) {
	t.Helper()
	clock := func() time.Time { return w.now }
	tel, err := telemetry.New(t.Context(), telemetry.Options{
		Prometheus: true, Env: func(string) string { return "" }, Now: clock, MaxCampaigns: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	classifier, err := mailbox.New()
	if err != nil {
		t.Fatal(err)
	}
	w.intake, err = intake.New(t.Context(), intake.Options{
		Ledger: w.ledger, Now: clock, Readings: tel.Counts(), Settings: intake.Settings{Classifier: classifier},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.daemon = &Daemon{
		ledger: w.ledger, intake: w.intake, view: view.New(w.ledger, view.Options{Group: mailbox.Group}), tel: tel,
	}
	(&awsGauges{w.daemon.view, tel, clock}).bind()
}

// pass reads sources, and works out what they say.
func (w *watched) pass(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		from, err := w.ledger.Positions(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.collectors[name].Collect(t.Context(), from, w.intake); err != nil {
			t.Fatal(err)
		}
	}
	w.refresh(t)
}

func (w *watched) refresh(t *testing.T) {
	t.Helper()
	for _, do := range []func(context.Context) error{
		w.ledger.Fold, w.daemon.view.Refresh, w.daemon.refreshInbound, w.daemon.view.RefreshAccounts,
	} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// scrape returns the values of what Prometheus reads of accounts and receipt rules, by series.
func (w *watched) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	return awsSeries(t, func() string {
		answer := httptest.NewRecorder()
		w.daemon.tel.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		return answer.Body.String()
	}())
}

func awsSeries(t *testing.T, body string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(body) {
		for _, of := range []string{"account", "tenant", "coverage", "receipt", "cloudwatch"} {
			if strings.HasPrefix(line, "mailvane_"+of+"_") {
				end := strings.LastIndexByte(line, ' ')
				value, err := strconv.ParseFloat(strings.TrimSpace(line[end:]), 64)
				if err != nil {
					t.Fatal(err)
				}
				all[strings.TrimPrefix(line[:end], "mailvane_")] = value
			}
		}
	}
	return all
}

// ruleSeries is the series of a receipt rule's counter.
func ruleSeries(set *traffic.RuleSet, rule, result string) string {
	return `receipt_events_total{account="` + set.Account + `",receipt_rule="` + rule + `",region="` + set.Region + `",result="` + result +
		`",rule_set="` + set.Name + `"}`
}

// events are the counters of the rules that ever did or may do something, as they must be after what happened from a time up to
// another.
func (w *watched) events(from, to time.Time) map[string]float64 {
	all := map[string]float64{}
	for i := range w.story.RuleSets {
		set := &w.story.RuleSets[i]
		if set.Region != "us-east-1" || !set.Active {
			continue
		}
		for _, rule := range set.Rules {
			for name, result := range map[string]string{
				"Received": observation.ReceiptReceived, "PublishSuccess": observation.ReceiptPublishSuccess,
				"PublishFailure": observation.ReceiptPublishFailure, "PublishExpired": observation.ReceiptPublishExpired,
			} {
				metric := traffic.ReceiptMetric(name, set.Name, rule.Name)
				all[ruleSeries(set, rule.Name, result)] = w.sim.CloudWatch().Sum(set.Account, set.Region, metric, from, to)
			}
		}
	}
	return all
}

func counters(all map[string]float64) map[string]float64 {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(name string, _ float64) bool { return !strings.HasPrefix(name, "receipt_events_total") })
	return all
}

// What receipt rules do is counted once, from the first pass on, however often it is read again and however late it comes;
// a restart begins at 0.
func TestReceiptEventsAreCountedOnce(t *testing.T) {
	w := newWatched(t)
	w.pass(t, "rules")
	began := w.now.Truncate(5 * time.Minute) // the period that has begun is the first that counts
	want := w.events(began, began)
	if diff := cmp.Diff(want, counters(w.scrape(t))); diff != "" || len(want) != 24 {
		t.Errorf("what was before counts (-want +got):\n%s", diff)
	}
	for range 5 { // points come in parts, late by minutes
		w.now = w.now.Add(13 * time.Minute)
		w.pass(t, "rules")
		w.pass(t, "rules")
	}
	// Nothing more happens in what was counted when the last points of it are whole.
	end := w.now.Add(-10 * time.Minute).Truncate(5 * time.Minute)
	least, most := w.events(began, end), w.events(began, w.now)
	got := counters(w.scrape(t))
	for name, n := range got {
		if n < least[name] || n > most[name] {
			t.Errorf("%s is %v, the truth is from %v to %v", name, n, least[name], most[name])
		}
	}
	failed := ruleSeries(&w.story.RuleSets[0], failing, observation.ReceiptPublishFailure)
	if len(got) != len(want) || got[failed] == 0 {
		t.Errorf("%d counters, %v failures", len(got), got[failed])
	}
	w.export(t)
	w.refresh(t)
	w.pass(t, "rules")
	for name, n := range counters(w.scrape(t)) {
		if n != 0 {
			t.Errorf("after a restart %s is %v", name, n)
		}
	}
}

// gaugesOf counts the series of each gauge of the account in us-east-1.
func gaugesOf(all map[string]float64) map[string]int {
	n := map[string]int{}
	for series := range all {
		name, _, _ := strings.Cut(series, "{")
		if name != "receipt_events_total" {
			n[name]++
		}
	}
	return n
}

// Figures are exported while they are read, and go when they are not, whether the ledger still moves or not.
func TestAWSGaugesComeAndGo(t *testing.T) {
	w := newWatched(t)
	if diff := cmp.Diff(map[string]int{"receipt_unexported": 1}, gaugesOf(w.scrape(t))); diff != "" {
		t.Errorf("before the first pass (-want +got):\n%s", diff)
	}
	if _, err := w.daemon.readHistory(t.Context(), w.sim.History(w.now.Add(-8*time.Hour), w.now)); err != nil {
		t.Fatal(err)
	}
	w.pass(t, "rules", "account")
	w.checkGauges(t, w.scrape(t))
	rules := map[string]int{
		"receipt_failing_duration_seconds": 6, "receipt_expired": 6, "receipt_silent": 4, "receipt_rule_info": 6,
		"receipt_rules_used_ratio": 1, "receipt_recipients_used_ratio": 6,
	}
	accounts := map[string]int{
		"account_rate_ratio": 2, "account_rate_headroom_ratio": 2, "account_quota_used_ratio": 1, "account_status": 4,
		"account_sending_enabled": 1, "account_findings": 2, "coverage_finding": 15, "tenant_sending_enabled": 1, "tenant_findings": 1,
	}
	ours := map[string]int{"account_own_rate_ratio": 2, "coverage_ratio": 3}
	always := map[string]int{"receipt_data_timestamp_seconds": 1, "receipt_unexported": 1}
	read := w.now
	f := func(moves bool, after time.Duration, want ...map[string]int) {
		t.Helper()
		w.now = read.Add(after)
		if moves {
			w.refresh(t)
		}
		sum := maps.Clone(always)
		for _, part := range want {
			maps.Copy(sum, part)
		}
		if diff := cmp.Diff(sum, gaugesOf(w.scrape(t))); diff != "" {
			t.Errorf("after %v, the ledger moves: %v (-want +got):\n%s", after, moves, diff)
		}
	}
	f(false, 0, rules, accounts, ours)
	f(false, 20*time.Minute, rules, accounts, ours)
	f(false, 40*time.Minute)
	f(true, 20*time.Minute, rules, accounts, ours)
	f(true, 40*time.Minute, accounts, ours)
	f(true, 5*time.Hour, map[string]int{"account_own_rate_ratio": 2, "coverage_ratio": 1}) // how many have a Feedback-ID
}

// checkGauges holds values against the simulator's truth.
func (w *watched) checkGauges(t *testing.T, got map[string]float64) {
	t.Helper()
	const place = `account="` + simulator.Account + `"`
	const region = `region="us-east-1"`
	value := func(want float64, series string) {
		t.Helper()
		if n, ok := got[series]; !ok || math.Abs(n-want) > 1e-6+0.01*math.Abs(want) {
			t.Errorf("%s is %v (there: %v), want %v", series, n, ok, want)
		}
	}
	standing, sent := w.sim.SESAPI().Standing(simulator.Account, "us-east-1")
	value(sent/standing.Max24Hour, `account_quota_used_ratio{`+place+`,`+region+`}`)
	value(1, `account_status{`+place+`,`+region+`,status="healthy"}`)
	value(0, `account_status{`+place+`,`+region+`,status="shutdown"}`)
	value(1, `account_sending_enabled{`+place+`,`+region+`}`)
	value(1, `account_findings{`+place+`,kind="recommendation",`+region+`}`)
	value(0, `tenant_sending_enabled{`+place+`,`+region+`,tenant="`+paused+`"}`)
	value(1, `tenant_findings{`+place+`,`+region+`,tenant="`+paused+`"}`)
	bounces := got[`account_rate_ratio{`+place+`,`+region+`,signal="bounce_rate"}`]
	value(0.05-bounces, `account_rate_headroom_ratio{`+place+`,`+region+`,signal="bounce_rate"}`)
	rule := func(name string) string {
		return place + `,receipt_rule="` + name + `",` + region + `,rule_set="inbound"}`
	}
	value(0, `receipt_failing_duration_seconds{`+rule("replies"))
	value(1, `receipt_silent{`+rule("replies-acme"))
	value(0.02, `receipt_recipients_used_ratio{`+rule("abuse"))
	value(6.0/200, `receipt_rules_used_ratio{`+place+`,`+region+`,rule_set="inbound"}`)
	lost := w.sim.CloudWatch().Sum(simulator.Account, "us-east-1", traffic.ReceiptMetric("PublishExpired", "inbound", failing), w.now.Add(-24*time.Hour), w.now.Add(-5*time.Minute))
	value(lost, `receipt_expired{`+rule(failing))
	if n := got[`receipt_failing_duration_seconds{`+rule(failing)]; n < 5.5*3600 || n > 6.5*3600 {
		t.Errorf("unsubscribes have been failing for %v s, want six hours", n)
	}
}
