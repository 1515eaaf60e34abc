package ruletest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

// suite is a suite of one rule and one test: a campaign whose complaints rise after 20 minutes, and the checks.
func suite(t *testing.T, checks ...AlertCheck) *Suite {
	t.Helper()
	rules, err := alerts.Compile([]alerts.Rule{{
		Name: "CampaignComplaintRate", Signal: complaints, Window: new(signal.Week), Summary: "{{.Campaign}}: {{.Value}} complain",
		Warning: &alerts.Line{Above: new(0.001)}, Critical: &alerts.Line{Above: new(0.003)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	router, err := alerts.NewRouter(nil, []string{"oncall"}, []string{"oncall"})
	if err != nil {
		t.Fatal(err)
	}
	values, err := ParseValues("10/100000x1 200/100000x1 _", complaints)
	if err != nil {
		t.Fatal(err)
	}
	return &Suite{
		Rules: rules, Router: router, Start: time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC), Every: time.Minute,
		Tests: []Test{{
			Name: "a rise", Place: "test.yaml:1", Interval: 10 * time.Minute, Alerts: checks,
			Series: []Series{{
				Series:  alerts.Series{Signal: complaints, By: alerts.ByCampaign, Window: signal.Week},
				Subject: alerts.Subject{Campaign: "spring-sale"}, Values: values,
			}},
		}},
	}
}

func check(at time.Duration, want ...WantAlert) AlertCheck {
	return AlertCheck{At: at, Rule: "CampaignComplaintRate", Want: want, Place: "test.yaml:2"}
}

var warning = WantAlert{Severity: alerts.Warning, Subject: alerts.Subject{Campaign: "spring-sale"}}

// TestRun holds that an alert is there from the round of its value on, in any order of the checks, and that one whose time lies
// between two rounds sees the earlier.
func TestRun(t *testing.T) {
	s := suite(t, check(30*time.Minute, warning), check(20*time.Minute, warning), check(20*time.Minute-time.Second), check(0), check(time.Hour, warning))
	if got := s.Run(); len(got) > 0 {
		t.Errorf("failures: %+v", got)
	}
}

// TestRunTells holds that a check that does not hold says what there was instead, and why.
func TestRunTells(t *testing.T) {
	critical, other := warning, warning
	critical.Severity = alerts.Critical
	other.Summary = "something else"
	got := suite(t, check(10*time.Minute, warning), check(20*time.Minute), check(25*time.Minute, critical), check(30*time.Minute, other)).Run()
	if len(got) != 4 {
		t.Fatalf("%d failures, want 4: %+v", len(got), got)
	}
	const summary = "warning   campaign spring-sale: spring-sale: 0.2 % complain"
	want := []Failure{
		{Test: "a rise", Place: "test.yaml:2", About: "CampaignComplaintRate at 10m", Want: []string{"warning   campaign spring-sale"}},
		{Test: "a rise", Place: "test.yaml:2", About: "CampaignComplaintRate at 20m", Got: []string{summary}},
		{Test: "a rise", Place: "test.yaml:2", About: "CampaignComplaintRate at 25m", Want: []string{"critical  campaign spring-sale"}, Got: []string{summary}},
		{
			Test: "a rise", Place: "test.yaml:2", About: "CampaignComplaintRate at 30m",
			Want: []string{"warning   campaign spring-sale: something else"}, Got: []string{summary},
		},
	}
	for i := range got {
		if explained := len(got[i].Why) == 1; explained != (len(want[i].Want) > 0) {
			t.Errorf("%s: %d explanations", got[i].About, len(got[i].Why))
		}
		got[i].Why = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRunNotifications holds that each check sees what was told since the one before.
func TestRunNotifications(t *testing.T) {
	opened := WantNotification{To: "oncall", Change: alerts.Opened, Rule: "CampaignComplaintRate", Severity: alerts.Warning}
	closed := opened
	closed.To, closed.Change = "", alerts.Closed
	s := suite(t)
	s.Tests[0].Notifications = []NotificationCheck{
		{At: 8 * 24 * time.Hour, Want: []WantNotification{closed}}, {At: 10 * time.Minute}, {At: time.Hour, Want: []WantNotification{opened}},
	}
	if got := s.Run(); len(got) > 0 {
		t.Errorf("failures: %+v", got)
	}
	s.Tests[0].Notifications[1].Want = []WantNotification{opened}
	s.Tests[0].Notifications[2].Want = nil
	got := s.Run()
	if len(got) != 2 || got[0].Got != nil || len(got[1].Got) != 1 ||
		!strings.HasPrefix(got[1].Got[0], "opened  warning   CampaignComplaintRate to oncall: spring-sale") {
		t.Errorf("failures: %+v", got)
	}
}

// TestRunDoesNotChange holds that a suite gives the same when it is run again.
func TestRunDoesNotChange(t *testing.T) {
	s := suite(t, check(10*time.Minute, warning))
	first := s.Run()
	if diff := cmp.Diff(first, s.Run()); diff != "" || len(first) != 1 {
		t.Errorf("%d failures, the second time (-first +second):\n%s", len(first), diff)
	}
}
