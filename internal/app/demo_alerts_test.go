package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// shared is a buffer that is written while it is read.
type shared struct {
	mu   sync.Mutex // protects text
	text bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestDemoAlerts holds that the demo's alerts show a group and one that stands for another, and that what PagerDuty is told is
// printed.
func TestDemoAlerts(t *testing.T) {
	t.Parallel()
	o := simulator.Demo(morning, demoSeed, 1)
	// Of great sends nothing is told here.
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool { return c.Sends != nil })
	var whole string
	r := startWith(t, o, func(text string) string {
		whole = without(text, "  receipt_rules:", "alerts:")
		return without(text, "  postmaster:", "") // what Gmail says is judged by the mail that is known when it comes
	})
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.AddDate(0, 0, -4), morning)); err != nil {
		t.Fatal(err)
	}
	r.write(t, whole)
	r.reload(t)
	ctx, cancel := context.WithCancel(t.Context())
	var printed shared
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		printEvents(ctx, &printed, r.sim.Pager())
	}()
	defer cancel()
	told := func(what string) func() bool {
		form := regexp.MustCompile(what)
		return func() bool {
			events := r.sim.Pager().Events()
			for i := range events {
				if form.MatchString(events[i].String()) {
					return true
				}
			}
			return false
		}
	}
	r.until(t, "a group that is told", told("opened .*/GmailCompliance/.*: 3 times GmailCompliance"))
	r.until(t, "an alert that is muted", func() bool { return r.muted(t) > 0 })
	r.until(t, "printed", func() bool { return strings.Contains(printed.String(), "GmailCompliance") })
	cancel()
	<-ended
	var want strings.Builder
	events := r.sim.Pager().Events()
	for i := range events[:min(len(events), strings.Count(printed.String(), "\n"))] { // more may have come since
		fmt.Fprintf(&want, "PagerDuty %s\n", &events[i])
	}
	if diff := cmp.Diff(want.String(), printed.String()); diff != "" || !strings.Contains(want.String(), "GmailCompliance") {
		t.Errorf("it prints other events than PagerDuty was told (-told +printed):\n%s", diff)
	}
}

// TestDemoOutage holds that a source that fails for a while is told of as a warning, as critical, and as mended. The second line
// is put within reach when the first was told of, and the outage lasts until both were: a busy machine may judge late.
func TestDemoOutage(t *testing.T) {
	t.Parallel()
	o := quietDemo(time.Now())
	o.Now = time.Now // since when a source fails is told by the machine's clock
	r := startWith(t, o, func(text string) string {
		text = without(without(text, "  postmaster:", "  receipt_rules:"), "  account:", "alerts:")
		text = strings.ReplaceAll(text, "every: 15s", "every: 10s")
		text = strings.Replace(text, "keep_firing_for: 5s", "keep_firing_for: 1s", 1)
		return strings.Replace(text, "{above: 20s}, critical: {above: 50s}", "{above: 1s}, critical: {above: 1h}", 1)
	})
	r.untilRead(t, euRules)
	ctx, mend := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		demoOutage(ctx, r.sim, 0, time.Hour)
	}()
	defer func() {
		mend()
		<-over
	}()
	r.until(t, "failing", func() bool {
		r.daemon.passes.Trigger(euRules) // it would be read every ten seconds
		return r.sourceOf(t, euRules).State == sourceError
	})
	const about = "receipt_rules/receipt-rules-" + simulator.AccountEU + "-eu-west-1"
	toldOf := func(want ...string) func() bool {
		return func() bool {
			var told []string
			events := r.sim.Pager().Events()
			for i := range events {
				if strings.Contains(events[i].DedupKey, "/SourceFailing/") && strings.Contains(events[i].Summary, about) {
					told = append(told, events[i].Severity+" "+events[i].Effect)
				}
			}
			return slices.Equal(told, want)
		}
	}
	r.until(t, "a warning", toldOf("warning opened"))
	r.rewrite(t, "critical: {above: 1h}", "critical: {above: 2s}")
	r.reload(t)
	r.until(t, "critical", toldOf("warning opened", "critical updated"))
	mend()
	r.until(t, "resolved", toldOf("warning opened", "critical updated", "critical resolved"))
}

// muted counts the alerts for which another stands.
func (r *run) muted(t *testing.T) int {
	t.Helper()
	var answer struct{ Total int }
	if err := json.NewDecoder(r.get(t, "/api/v1/alerts?state=muted").Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Total
}
