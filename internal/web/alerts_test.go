package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
)

func day(n int64) campaign.Day { return campaign.Day(n) }

func TestAlertAnswers(t *testing.T) {
	o := newOffice(t)
	o.trouble()
	list := decode[AlertList](o, o.ask(200, "/api/v1/alerts?campaign=spring-sale"))
	for file, target := range map[string]string{
		"alerts.json":         "/api/v1/alerts",
		"alerts_history.json": "/api/v1/alerts?history=true&owner=shop&kind=resolved",
		"alert.json":          "/api/v1/alerts/" + list.Alerts[0].ID,
	} {
		got := o.ask(200, target)
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

// names lists the alerts of an answer by rule and subject.
func names(list AlertList) (all []string) {
	for i := range list.Alerts {
		a := &list.Alerts[i]
		all = append(all, strings.TrimSpace(a.Subject.Campaign+a.Subject.Source+a.Subject.Domain+a.Subject.Region)+" "+string(a.State))
	}
	return all
}

func TestAlertsAreFiltered(t *testing.T) {
	o := newOffice(t)
	o.trouble()
	all := []string{
		"eu-west-1 firing", "spring-sale firing", "news.example.com firing", "receipts muted", "promo-1 silenced", "ses/events pending",
	}
	f := func(query string, want ...string) {
		t.Helper()
		list := decode[AlertList](o, o.ask(200, "/api/v1/alerts?"+query))
		got := names(list)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	f("", all...)
	f("state=firing", all[0], all[1], all[2])
	f("state=muted", all[3])
	f("state=silenced", all[4])
	f("state=pending", all[5])
	f("severity=warning", all[2], all[5])
	f("rule=CampaignBounces&severity=critical", all[1], all[3], all[4])
	f("owner=growth", all[1], all[4])
	f("campaign=spring-sale&tenant=acme", all[1])
	f("campaign=spring-sale&tenant=other")
	f("domain=shop.example.com", all[1], all[3], all[4])
	f("domain=news.example.com&rule=GmailSpam", all[2])
	f("account="+awsAccount+"&region="+awsRegion, all[0], all[3])
	f("source=ses%2Fevents", all[5])
	f("since="+noon.Format(time.RFC3339), all...)
	f("since=" + url.QueryEscape(noon.Add(time.Minute).Format(time.RFC3339)))
	f("limit=1&offset=3", all[3])
	f("offset=100")
	if list := decode[AlertList](o, o.ask(200, "/api/v1/alerts?limit=2&offset=5")); list.Total != 6 || len(list.Alerts) != 1 {
		t.Errorf("the last page has %d of %d", len(list.Alerts), list.Total)
	}
}

func TestAlertQueriesThatAreWrong(t *testing.T) {
	o := newOffice(t)
	for query, want := range map[string]string{
		"state=loud":                   "state must be pending, firing, muted or silenced",
		"severity=none":                "severity must be warning or critical",
		"since=yesterday":              "since must be a time such as 2026-11-20T08:00:00Z",
		"limit=0":                      "limit must be a whole number from 1 to 2000",
		"history=true&limit=1001":      "limit must be a whole number from 1 to 1000",
		"history=true&state=firing":    "state goes with history=false",
		"history=maybe":                "history must be true or false",
		"before=7":                     "before goes with history=true",
		"history=true&before=-1":       "before must be a whole number from 1 to",
		"history=true&kind=noted":      "kind must be pending, cancelled, triggered, escalated, deescalated or resolved",
		"campain=spring-sale":          `there is no parameter "campain" here`,
		"history=true&until=%00%F0%9F": "until must be a time",
	} {
		if got := o.refused(o.ask(400, "/api/v1/alerts?"+query)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", query, got)
		}
	}
	for _, id := range []string{"0", strings.Repeat("f", 32), "%27%20OR%201=1", strings.Repeat("f", 5000)} {
		o.ask(404, "/api/v1/alerts/"+id)
	}
	o.ask(400, "/api/v1/alerts/0?limit=many")
}

// TestAlertsBeforeTheFirstRound holds that a daemon that has just started tells what was stored.
func TestAlertsBeforeTheFirstRound(t *testing.T) {
	o := newOffice(t)
	if list := decode[AlertList](o, o.ask(200, "/api/v1/alerts")); !list.AsOf.IsZero() || len(list.Alerts) != 0 {
		t.Errorf("of an empty ledger: %+v", list)
	}
	o.trouble()
	before := decode[AlertList](o, o.ask(200, "/api/v1/alerts"))
	rules, router := policyOfTests(t)
	o.options.Alerts = NewAlertBook(AlertOptions{
		Watcher: watch.NewWatcher(watch.WatcherOptions{}, rules, router), Records: o.store.Records, Silences: o.silences, Now: o.clock,
	})
	o.serve()
	after := decode[AlertList](o, o.ask(200, "/api/v1/alerts"))
	if !after.AsOf.IsZero() || after.Total != before.Total {
		t.Errorf("after a start: %d alerts as of %s, want %d", after.Total, after.AsOf, before.Total)
	}
	for i := range after.Alerts {
		a := &after.Alerts[i]
		if a.MutedBy != "" || a.SilencedBy != "" || a.State != watch.State(a.Phase) {
			t.Errorf("told what is not known: %+v", a)
		}
		o.ask(200, "/api/v1/alerts/"+a.ID)
	}
}

// TestAlertThatIsOver holds that its story stays, with everything that was told of it.
func TestAlertThatIsOver(t *testing.T) {
	o := newOffice(t)
	o.trouble()
	history := decode[AlertHistory](o, o.ask(200, "/api/v1/alerts?history=true&campaign=over"))
	kinds := func(events []AlertEvent) (all []string) {
		for i := range events {
			all = append(all, string(events[i].Kind)+" "+events[i].Alert.Severity)
		}
		return all
	}
	want := []string{"resolved ", "triggered warning"}
	if diff := cmp.Diff(want, kinds(history.Events)); diff != "" {
		t.Fatal(diff)
	}
	detail := decode[AlertDetail](o, o.ask(200, "/api/v1/alerts/"+history.Events[0].Alert.ID))
	if diff := cmp.Diff(want, kinds(detail.Events)); diff != "" {
		t.Error(diff)
	}
	if detail.Alert.State != "" || detail.Alert.Phase != "inactive" || !strings.HasPrefix(detail.Alert.Summary, "Resolved") {
		t.Errorf("told as %+v", detail.Alert)
	}
	var told []string
	for _, n := range detail.Notifications {
		told = append(told, fmt.Sprint(n.Notifier, " ", n.Change, " ", n.State, " ", n.Attempts, " ", n.LastReason))
	}
	if diff := cmp.Diff([]string{"oncall closed delivered 1 ", "chat closed waiting 0 ", "oncall opened delivered 1 ", "chat opened waiting 1 unavailable"}, told); diff != "" {
		t.Error(diff)
	}
	if oldest := decode[AlertDetail](o, o.ask(200, fmt.Sprintf("/api/v1/alerts/%s?limit=1", detail.Alert.ID))); len(oldest.Events) != 1 || oldest.Next != detail.Events[0].Number {
		t.Errorf("a page of one: %d events, next %d", len(oldest.Events), oldest.Next)
	}
}

// TestDeadLettersAreTold holds that an alert whose notification no route takes says so.
func TestDeadLettersAreTold(t *testing.T) {
	o := newOffice(t)
	o.trouble()
	list := decode[AlertList](o, o.ask(200, "/api/v1/alerts?rule=GmailSpam"))
	if len(list.Alerts) != 1 || len(list.Alerts[0].Notifications) != 1 {
		t.Fatalf("listed: %+v", list)
	}
	if n := list.Alerts[0].Notifications[0]; n.Notifier != "" || n.State != alerts.EntryDead {
		t.Errorf("told: %+v", n)
	}
	if f := list.Alerts[0].Figure; f.Day != "2026-11-19" || *f.Deliveries != 42_000 || !f.UpperBound || f.Low != nil || f.Denominator != nil {
		t.Errorf("figure: %+v", f)
	}
}

// TestTheAlarmIsListed holds that the one alert that no ledger keeps is told all the same.
func TestTheAlarmIsListed(t *testing.T) {
	o := newOffice(t)
	o.round(time.Second)
	o.alarm.trouble = errDisk
	for range 3 {
		o.mu.Lock()
		o.now = o.now.Add(20 * time.Second)
		o.mu.Unlock()
		if err := o.alarm.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	list := decode[AlertList](o, o.ask(200, "/api/v1/alerts?state=firing&severity=critical"))
	if len(list.Alerts) != 1 || list.Alerts[0].Rule != watch.AlarmRule || !strings.Contains(list.Alerts[0].Summary, "cannot commit") {
		t.Fatalf("listed: %+v", list)
	}
	if detail := decode[AlertDetail](o, o.ask(200, "/api/v1/alerts/"+list.Alerts[0].ID)); len(detail.Events) != 0 || detail.Alert.Description == "" {
		t.Errorf("told: %+v", detail)
	}
}

// TestHistoryIsPaged walks through a long history, with a filter that few events fit, and finds each event once.
func TestHistoryIsPaged(t *testing.T) {
	o := newOffice(t)
	var step alerts.Step
	const n = 700
	for i := range n {
		a := alerts.Alert{
			Rule: "CampaignBounces", Signal: alerts.RateOf(signal.HardBounceRate), By: alerts.ByCampaign,
			Subject: alerts.Subject{Campaign: fmt.Sprintf("c%d", i)}, Version: 1, Severity: alerts.Warning, StartedAt: noon, Since: noon,
		}
		if i%50 == 0 {
			a.Owner = "rare"
		}
		step.Transitions = append(step.Transitions, alerts.Transition{Kind: alerts.Triggered, At: noon.Add(time.Duration(i) * time.Second), Alert: a})
	}
	if err := o.store.Commit(t.Context(), step); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"limit=300": n, "owner=rare&limit=4": n / 50, "owner=nobody": 0, "severity=critical": 0} {
		seen, before := 0, int64(0)
		last := int64(1 << 40)
		for pages := 0; ; pages++ {
			target := "/api/v1/alerts?history=true&" + query
			if before != 0 {
				target += fmt.Sprintf("&before=%d", before)
			}
			page := decode[AlertHistory](o, o.ask(200, target))
			for i := range page.Events {
				if page.Events[i].Number >= last {
					t.Fatalf("%s: event %d after %d", query, page.Events[i].Number, last)
				}
				last = page.Events[i].Number
			}
			seen += len(page.Events)
			if before = page.Next; before == 0 {
				break
			}
			if pages > 20 {
				t.Fatalf("%s: no end", query)
			}
		}
		if seen != want {
			t.Errorf("%s: %d events, want %d", query, seen, want)
		}
	}
	since, until := noon.Add(10*time.Second).Format(time.RFC3339), noon.Add(20*time.Second).Format(time.RFC3339)
	if page := decode[AlertHistory](o, o.ask(200, "/api/v1/alerts?history=true&since="+since+"&until="+until)); len(page.Events) != 10 {
		t.Errorf("%d events in ten seconds", len(page.Events))
	}
}

// Without alerts there are no such answers.
func TestNoAlerts(t *testing.T) {
	s := newSite()
	for _, target := range []string{"/api/v1/alerts", "/api/v1/alerts/x", "/api/v1/silences"} {
		if w := s.do(http.MethodGet, target); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}
