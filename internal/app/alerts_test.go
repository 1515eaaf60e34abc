package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/simulator/pager"
	"github.com/mailvane/mailvane/internal/watch"
)

// quickAlerts are rules of which one fires on the demo's bought list, as soon as it has been counted.
const quickAlerts = `
alerts:
  every: 1s
  defaults: false
  rules:
    - {name: Bounces, signal: hard_bounce_rate, window: 7d, warning: {above: 5%%}, labels: {team: lists}}
  catch_all: oncall
  notifiers: {oncall: {pagerduty: {routing_key_file: pagerduty.key, url: %q}}}
`

// startTold starts a daemon that has counted the demo's last days, with the section alerts made from text and the address of
// the one who is told.
func startTold(t *testing.T, text string) *run {
	t.Helper()
	o := quietDemo(morning, "winter-clearance")
	o.Story.Campaigns[0].Sends[0].Mails = 1500
	r := startWith(t, o, func(whole string) string {
		return without(whole, "  postmaster:", "") // what follows, alerts too
	})
	good := r.text(t)
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.AddDate(0, 0, -2), morning)); err != nil {
		t.Fatal(err)
	}
	r.write(t, good+fmt.Sprintf(text, r.sim.URL()))
	r.reload(t)
	return r
}

func (r *run) reload(t *testing.T) {
	t.Helper()
	if err := r.daemon.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.daemon.alerts.jobs.Trigger(roundsJob)
}

// rounds waits until all rules have been evaluated once more, from the first to the last, and nothing is left to be told.
func (r *run) rounds(t *testing.T) {
	t.Helper()
	made := func() int64 {
		for _, s := range r.daemon.alerts.jobs.States() {
			if s.Name == roundsJob {
				return s.Succeeded
			}
		}
		return 0
	}
	enough := made() + 2 // one may be under way
	r.until(t, "evaluated again", func() bool {
		r.daemon.alerts.jobs.Trigger(roundsJob)
		return made() >= enough
	})
	r.until(t, "told", func() bool {
		counts, err := r.daemon.alerts.records.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(counts, func(c watch.Count) bool { return c.State == alerts.EntryWaiting || c.State == alerts.EntrySending })
	})
}

// told waits until PagerDuty's alerts, by the name of their rule, have these states.
func (r *run) told(t *testing.T, want map[string]string) {
	t.Helper()
	var diff string
	defer func() {
		if t.Failed() {
			t.Log(diff)
		}
	}()
	r.until(t, fmt.Sprintf("told %v", want), func() bool {
		got := make(map[string]string)
		for _, a := range r.sim.Pager().Alerts() {
			got[strings.Split(a.DedupKey, "/")[1]] = a.Status
		}
		diff = cmp.Diff(want, got)
		return diff == ""
	})
}

// metrics is what is exported.
func (r *run) metrics(t *testing.T) string {
	t.Helper()
	text, err := io.ReadAll(r.get(t, "/metrics").Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lastEvent is what PagerDuty heard last.
func (r *run) lastEvent(t *testing.T) pager.Event {
	t.Helper()
	events := r.sim.Pager().Events()
	if len(events) == 0 {
		t.Fatal("PagerDuty heard nothing")
	}
	return events[len(events)-1]
}

// TestReloadOfAFiringRule changes a firing rule so that it does not fire, renames it, and deletes it.
func TestReloadOfAFiringRule(t *testing.T) {
	t.Parallel()
	r := startTold(t, quickAlerts)
	r.told(t, map[string]string{"Bounces": "triggered"})
	text := r.text(t)
	change := func(old, replaced string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("the configuration has no %s", old)
		}
		text = strings.Replace(text, old, replaced, 1)
		r.write(t, text)
		r.reload(t)
	}
	// The same under another label is the same alert.
	change("team: lists", "team: data")
	r.rounds(t)
	r.told(t, map[string]string{"Bounces": "triggered"})
	if n := len(r.sim.Pager().Events()); n > 2 {
		t.Errorf("a changed label made %d events", n)
	}
	// Another name is another alert: the old one ends, the new one begins.
	change("name: Bounces", "name: BoughtLists")
	r.told(t, map[string]string{"Bounces": "resolved", "BoughtLists": "triggered"})
	// A rule that is gone ends its alert, and says so.
	change("defaults: false\n  rules:\n    - ", "defaults: false\n  rules: []\n  # - ")
	r.told(t, map[string]string{"Bounces": "resolved", "BoughtLists": "resolved"})
	if e := r.lastEvent(t); !strings.Contains(e.Summary, "the rule is gone") {
		t.Errorf("the end was told as %q", e.Summary)
	}
	// Back under the first name it is a new episode of the old key.
	r.write(t, strings.Replace(strings.Replace(text, "rules: []\n  # - ", "rules:\n    - ", 1), "BoughtLists", "Bounces", 1))
	r.reload(t)
	r.told(t, map[string]string{"Bounces": "triggered", "BoughtLists": "resolved"})
}

// refusesBadAlerts holds that a section that cannot be used changes nothing.
func (r *run) refusesBadAlerts(t *testing.T) {
	good := r.text(t)
	defer r.write(t, good)
	r.write(t, strings.Replace(good, "above: 5%", "above: 500%", 1))
	if err := r.daemon.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "alerts.rules[0].warning.above") {
		t.Errorf("a line of 500 %% was taken: %v", err)
	}
	r.rounds(t)
	r.told(t, map[string]string{"Bounces": "triggered"})
}

// TestAlerts holds what a person learns of a rule that fires, and that it stays so whatever else changes.
func TestAlerts(t *testing.T) {
	t.Parallel()
	r := startTold(t, quickAlerts)
	r.told(t, map[string]string{"Bounces": "triggered"})
	t.Run("what is told", r.tells)
	t.Run("a section that cannot be used", r.refusesBadAlerts)
	t.Run("a heartbeat", r.beats)
	t.Run("a silence", r.silences)
}

// tells holds what a person gets who reads nothing but the page, and what the metrics say meanwhile.
func (r *run) tells(t *testing.T) {
	e := r.lastEvent(t)
	if !strings.Contains(e.Summary, "winter-clearance") || e.Severity != "warning" {
		t.Errorf("it was told as %+v", e)
	}
	details := string(e.Details)
	for _, part := range []string{"winter-clearance", "put-configuration-set-sending-options", "5.1.1"} {
		if !strings.Contains(details, part) {
			t.Errorf("the details have no %s: %s", part, details)
		}
	}
	var links []string
	for _, l := range e.Links {
		links = append(links, l.Href)
	}
	if !strings.Contains(strings.Join(links, " "), r.url+"/campaigns/winter-clearance") {
		t.Errorf("no link to the campaign's page: %v", links)
	}
	if address := regexp.MustCompile(`[\w.+-]+@[\w-]`).FindString(details); address != "" {
		t.Errorf("there is the address %s in %s", address, details)
	}
	r.until(t, "shown in the metrics", func() bool {
		r.daemon.alerts.jobs.Trigger("outbox") // it is counted every 15 seconds
		text := r.metrics(t)
		for _, line := range []string{
			`mailvane_alerts{rule="Bounces",severity="warning",state="firing"} 1`,
			`mailvane_alerts{rule="LedgerCannotCommit",severity="critical",state="firing"} 0`,
			`mailvane_notifications_total{notifier="oncall",result="success"} 1`,
			`mailvane_notifier_failing_duration_seconds{notifier="oncall"} 0`,
			`mailvane_notifications_open{notifier="oncall",state="waiting"} 0`,
			`mailvane_notifications_open{notifier="",state="dead"} 0`,
		} {
			if !strings.Contains(text, line+"\n") {
				return false
			}
		}
		return strings.Contains(text, `mailvane_alerts_evaluations_total{result="success"}`)
	})
}

// beats holds that an address is called while rules are evaluated, that it is not told in the log, and that a reload
// ends the calls.
func (r *run) beats(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ping/secret" {
			calls.Add(1)
		}
	}))
	defer server.Close()
	if err := os.WriteFile(filepath.Join(filepath.Dir(r.file), "heartbeat.url"), []byte(server.URL+"/ping/secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := r.text(t)
	r.write(t, good+"  heartbeat: {url_file: heartbeat.url, every: 10s}\n")
	r.reload(t)
	r.until(t, "called", func() bool { return calls.Load() > 0 })
	r.write(t, good)
	r.reload(t)
	for _, s := range r.daemon.alerts.jobs.States() {
		if s.Name == heartbeatJob {
			t.Error("the heartbeat goes on after its section is gone")
		}
	}
}

// TestAFailingNotifierIsToldElsewhere has PagerDuty fail, to which alone everything is routed. What it was to be told stays in
// the outbox, and that it fails goes out by another way.
func TestAFailingNotifierIsToldElsewhere(t *testing.T) {
	t.Parallel()
	r := startTold(t, quickAlerts)
	r.told(t, map[string]string{"Bounces": "triggered"})
	remove := r.sim.Pager().Inject(pager.Fault{Kind: pager.FaultStatus, Path: pager.EventsPath, Status: 503})
	defer remove()
	dir := filepath.Dir(r.file)
	if err := os.WriteFile(filepath.Join(dir, "slack.url"), []byte(r.sim.URL()+pager.SlackPath+"T0/B0/x"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(r.text(t), "  rules:\n", "  rules:\n    - {name: NotifierFailing, warning: {above: 1s}}\n", 1)
	text = strings.Replace(text, "notifiers: {", "notifiers: {channel: {slack: {url_file: slack.url}}, ", 1)
	text = strings.Replace(text, "name: Bounces", "name: Bounces2", 1) // so that there is news
	r.write(t, text)
	r.reload(t)
	r.until(t, "told elsewhere", func() bool {
		for _, p := range r.sim.Pager().Posts() {
			if strings.Contains(p.Text, "oncall has taken no notification") || strings.Contains(strings.Join(p.Texts, "\n"), "oncall has taken no notification") {
				return true
			}
		}
		return false
	})
	remove()
	r.told(t, map[string]string{"Bounces": "resolved", "Bounces2": "triggered"})
}

// TestReportsWaitForSources holds that none is made before any source is read, however soon the ledger was.
func TestReportsWaitForSources(t *testing.T) {
	g := newGauged(t, 1)
	g.refresh(t)
	d := &Daemon{
		view: g.view, env: Environment{Now: func() time.Time { return g.now }}, started: g.now,
		passes: schedule.New(schedule.Options{Log: slog.New(slog.DiscardHandler)}),
	}
	d.caughtUp.Store(true)
	if err := d.reportable(); err == nil || !strings.Contains(err.Error(), "no source has been read yet") {
		t.Errorf("before any source is read: %v", err)
	}
	g.now = g.now.Add(catchUpWithin + time.Second)
	if err := d.reportable(); err != nil {
		t.Errorf("reports wait for ever: %v", err)
	}
}

// TestRulesWaitForPlaces holds that no rule is evaluated before it is known where mail was sent from, unless that takes too long.
func TestRulesWaitForPlaces(t *testing.T) {
	g := newGauged(t, 1)
	d := &Daemon{view: g.view, env: Environment{Now: func() time.Time { return g.now }}, started: g.now}
	d.caughtUp.Store(true)
	if d.watchable() == nil {
		t.Error("rules are evaluated before places are known")
	}
	g.now = g.now.Add(placesWithin)
	if err := d.watchable(); err != nil {
		t.Errorf("rules wait for ever: %v", err)
	}
	g.now = d.started
	g.refresh(t)
	if err := d.watchable(); err != nil {
		t.Errorf("once places are known: %v", err)
	}
}
