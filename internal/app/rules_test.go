package app

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/web"
)

// explainedAlerts is quickAlerts with a rule about the daemon itself, and one that watches providers.
const explainedAlerts = `
alerts:
  every: 1s
  defaults: false
  rules:
    - {name: Bounces, signal: hard_bounce_rate, window: 7d, warning: {above: 5%%}, labels: {team: lists}}
    - {name: Refusals, signal: block_rate, by: campaign+provider, window: 7d, warning: {above: 99%%}}
    - {name: Lag, signal: queue_lag, warning: {above: 1h}}
  catch_all: oncall
  notifiers: {oncall: {pagerduty: {routing_key_file: pagerduty.key, url: %q}}}
`

// TestRulesExplain asks a daemon why a rule is in its state, then the ledger that it left behind, which knows the same figures,
// and what the rules would have done.
func TestRulesExplain(t *testing.T) {
	r := startTold(t, explainedAlerts)
	r.told(t, map[string]string{"Bounces": "triggered"})
	o := r.command()
	explain := func(rule, subject string) RuleAnswer {
		t.Helper()
		a, err := RulesExplain(t.Context(), o, RuleQuestion{Rule: rule, Subject: subject, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	live := explain("Bounces", "")
	worst := live.Subjects[0]
	if !live.Daemon || live.Window != "7d" || live.Total == 0 || len(live.Subjects) != min(3, live.Total) || worst.Subject.Campaign != "winter-clearance" ||
		worst.Severity != alerts.Warning || worst.Lines[0].Verdict != "crossed" || worst.Silence != "" {
		t.Errorf("the daemon answers %+v", live)
	}
	r.explainsAlerts(t, worst.Subject)
	if a := explain("Lag", "ses/*"); !a.Daemon || a.Total == 0 || a.Subjects[0].Lines[0].Evidence.Value > 3600 {
		t.Errorf("the daemon says of queues %+v", a)
	}
	silence, err := SilenceAdd(t.Context(), o, alerts.Silence{
		Matchers: []alerts.Matcher{{Name: "team", Globs: []string{"lists"}}}, StartsAt: r.now(), EndsAt: r.now().Add(time.Hour),
		CreatedBy: "ann", Comment: "they know",
	})
	if err != nil {
		t.Fatal(err)
	}
	r.until(t, "the silence is told", func() bool { return explain("Bounces", "winter-clearance").Subjects[0].Silence == silence.ID })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	still := explain("Bounces", "campaign=winter-*").Subjects
	if len(still) != 1 || still[0].Severity != alerts.Warning || still[0].Lines[0].Evidence.Denominator < worst.Lines[0].Evidence.Denominator {
		t.Errorf("the ledger answers %+v, the daemon did %+v", still, worst)
	}
	if _, err := RulesExplain(t.Context(), o, RuleQuestion{Rule: "Lag"}); err == nil || !strings.Contains(err.Error(), "a daemon tells of itself") {
		t.Errorf("without a daemon a queue's lag is %v", err)
	}
	r.backtest(t, o)
}

// explainsAlerts holds the API's and the page's explanation of an alert against what the rule is.
func (r *run) explainsAlerts(t *testing.T, subject alerts.Subject) {
	t.Helper()
	path := "/alerts/" + (&alerts.Alert{Rule: "Bounces", Subject: subject}).ID()
	r.keepsContract(t, "/api/v1"+path)
	var detail web.AlertDetail
	if err := json.NewDecoder(r.get(t, "/api/v1"+path).Body).Decode(&detail); err != nil {
		t.Fatal(err)
	}
	if x := detail.Explain; x == nil || !x.Selected || len(x.Lines) != 1 || x.Lines[0].Verdict != "crossed" || !x.Lines[0].Firing ||
		*x.Lines[0].Figure.Value < 0.05 || !strings.HasPrefix(x.Lines[0].Words, "warning above 5 %: ") {
		t.Errorf("the API explains the alert by %+v", x)
	}
	if body := r.body(t, path); !strings.Contains(body, "Warning above 5\u00a0%") && !strings.Contains(body, "Warning above 5 %") {
		t.Errorf("the page of the alert does not explain it:\n%s", body)
	}
}

func (r *run) backtest(t *testing.T, o CommandOptions) {
	t.Helper()
	all, err := RulesBacktest(t.Context(), RulesBacktestOptions{CommandOptions: o, From: morning.AddDate(0, 0, -1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Episodes) != 1 || all.Episodes[0].Rule != "Bounces" || all.Episodes[0].Subject.Campaign != "winter-clearance" ||
		len(all.Notifiers) != 1 || all.Notifiers[0].Notifier != "oncall" || all.Notifiers[0].Opened != 1 || len(all.NotTested) != 1 {
		t.Errorf("the backtest found %+v, episodes %+v", all, all.Episodes)
	}
	one, err := RulesBacktest(t.Context(), RulesBacktestOptions{CommandOptions: o, From: morning.Add(-time.Hour), Rule: "Refusals"})
	if err != nil || len(one.Rules) != 1 || len(one.Episodes) != 0 {
		t.Errorf("of one rule it found %+v, %v", one, err)
	}
	var usage *UsageError
	if _, err := RulesBacktest(t.Context(), RulesBacktestOptions{CommandOptions: o, Rule: "refusals"}); !errors.As(err, &usage) ||
		!strings.Contains(err.Error(), "did you mean Refusals?") {
		t.Errorf("a name in other letters: %v", err)
	}
	if _, err := RulesExplain(t.Context(), o, RuleQuestion{Rule: "Bounce"}); !errors.As(err, &usage) ||
		!strings.HasSuffix(err.Error(), `there is no rule "Bounce"; there are Bounces, Lag, Refusals`) {
		t.Errorf("a name with a typing error: %v", err)
	}
	if _, err := RulesExplain(t.Context(), o, RuleQuestion{Rule: "Bounces", Subject: "colour=red"}); !errors.As(err, &usage) {
		t.Errorf("a label that no subject has: %v", err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(o.ConfigFile), "ledger.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := RulesExplain(t.Context(), o, RuleQuestion{Rule: "Bounces"}); err == nil || !strings.Contains(err.Error(), "there is no ledger") {
		t.Errorf("without a ledger: %v", err)
	}
}

func TestSubjectMatcher(t *testing.T) {
	subjects := []alerts.Subject{
		{Campaign: "spring-sale", Provider: "yahoo"}, {Campaign: "spring-sale", Provider: "gmail"}, {Campaign: "receipts", Tenant: "acme", Provider: "gmail"},
		{Detail: "routine"},
	}
	for text, want := range map[string][]int{
		"":                                     {0, 1, 2, 3},
		"spring-*":                             {0, 1},
		"gmail":                                {1, 2},
		"routine":                              {3},
		"campaign spring-sale, provider yahoo": {0},
		"provider=gmail,campaign=spring-*":     {1},
		"provider!=gmail":                      {0, 3},
		"tenant=*":                             {2},
		"nothing":                              nil,
	} {
		fits, err := subjectMatcher(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []int
		for i := range subjects {
			if fits(&subjects[i]) {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q fits %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"owner=growth", "=x", "campaign=", strings.Repeat("*", 3000)} {
		if _, err := subjectMatcher(text); err == nil {
			t.Errorf("%.20q is taken", text)
		}
	}
}

// TestNearness holds the order in which subjects are listed.
func TestNearness(t *testing.T) {
	line := func(e alerts.Evidence) *alerts.Explanation {
		e.Known = true
		return &alerts.Explanation{Lines: []alerts.LineState{{Evidence: e}}}
	}
	for i, c := range []struct {
		x    *alerts.Explanation
		want float64
	}{
		{&alerts.Explanation{Lines: []alerts.LineState{{}}}, -1},
		{line(alerts.Evidence{Value: 5, Line: 10}), 0.5},
		{line(alerts.Evidence{Value: 0, Line: 0}), 0},
		{line(alerts.Evidence{Value: 0.9, Line: 0.9, Below: true}), 1},
		{line(alerts.Evidence{Interval: true, Value: 0.2, Low: 0.05, Line: 0.1}), 0.5},
		{line(alerts.Evidence{Interval: true, Value: 0.5, High: 0.8, Line: 0.4, Below: true}), 0.5},
	} {
		if diff := cmp.Diff(c.want, nearness(c.x)); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
	}
}
