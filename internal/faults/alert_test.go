package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/pager"
	"github.com/mailvane/mailvane/internal/watch"
)

// telling adds to the configuration of a rig that campaigns whose mail bounces are told of, a second after the fact.
func (r *rig) telling(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "pagerduty.key"), []byte(strings.Repeat("0", 32)), 0o644); err != nil {
		t.Fatal(err)
	}
	r.extra = fmt.Sprintf(`campaigns: {owners: [{match: "news-*", owner: growth}, {match: "*", owner: sales}]}
alerts:
  every: 1s
  defaults: false
  rules:
    - name: Bounces
      signal: hard_bounce_rate
      warning: {above: 10%%, at_least: {denominator: 20, numerator: 5}}
      keep_firing_for: 1s
  catch_all: oncall
  notifiers: {oncall: {pagerduty: {routing_key_file: pagerduty.key, url: %q}}}
`, r.sim.URL())
	r.configure(t)
}

// mailing is mail from..to of a campaign, every second of which bounced when it is bad.
func mailing(t *testing.T, campaign string, from, to int, bad bool) (bodies []string) {
	t.Helper()
	for i := from; i < to; i++ {
		m := newMail(campaign, i)
		bodies = append(bodies, m.sent(t))
		if bad && i%2 == 0 {
			bodies = append(bodies, m.bounced(t))
		} else {
			bodies = append(bodies, m.delivered(t))
		}
	}
	return bodies
}

// earlier is a mail that was sent long before the others, since rates begin with the first whole hour of Send events.
func earlier(t *testing.T) string {
	t.Helper()
	m := newMail("first", 0)
	m.sentAt = m.sentAt.Add(-2 * time.Hour)
	return m.sent(t)
}

// statuses are those of PagerDuty's alerts, by key.
func (r *rig) statuses() map[string]string {
	all := make(map[string]string)
	for _, a := range r.sim.Pager().Alerts() {
		all[a.DedupKey] = a.Status
	}
	return all
}

// TestKilledWhileAlertsAreTold kills the daemon again and again while campaigns go bad, and while they get well. In the end
// PagerDuty has opened one alert for each owner's campaigns, has resolved it once, and nothing beside.
func TestKilledWhileAlertsAreTold(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := oneQueue(t)
	r.telling(t)
	r.send(t, earlier(t))
	kills := 0
	killSoon := func() {
		d := r.start(t)
		// From before the first round to after what it led to was sent.
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second))))
		d.kill()
		kills++
	}
	campaigns := []string{"news-a", "news-b", "promo"}
	for _, name := range campaigns {
		r.send(t, mailing(t, name, 0, 60, true)...)
		killSoon()
		killSoon()
	}
	d := r.start(t)
	eventually(t, "PagerDuty has an open alert for each owner", func() string {
		if got := r.statuses(); len(got) != 2 || strings.Contains(fmt.Sprint(got), "resolved") {
			return fmt.Sprint(got)
		}
		return ""
	})
	// What a killed daemon had received comes back later, and must not turn up among the good mail.
	r.drained(t, events)
	d.kill()
	for _, name := range campaigns {
		r.send(t, mailing(t, name, 60, 700, false)...)
		killSoon()
		killSoon()
	}
	d = r.start(t)
	eventually(t, "PagerDuty has resolved them", func() string {
		if got := r.statuses(); len(got) != 2 || strings.Contains(fmt.Sprint(got), "triggered") {
			return fmt.Sprint(got)
		}
		return ""
	})
	d.stop(t)
	r.toldOnce(t, kills)
}

// toldOnce holds that each key was opened and resolved once, in this order, and that no more was repeated than a kill each.
func (r *rig) toldOnce(t *testing.T, kills int) {
	t.Helper()
	effects := make(map[string]string)
	updates := 0
	for _, e := range r.sim.Pager().Events() {
		switch e.Effect {
		case "opened", "resolved":
			effects[e.DedupKey] += e.Effect + " "
		default:
			updates++
		}
	}
	for key, got := range effects {
		if got != "opened resolved " {
			t.Errorf("%s was %s", key, got)
		}
	}
	// What is no repetition: a second campaign joins its group, and leaves it again.
	if most := kills + 2; updates > most {
		t.Errorf("%d further events after %d kills", updates, kills)
	}
}

// TestTheAlarmNeedsNoLedger takes the disk away. PagerDuty hears of it although nothing can be stored, and of the end.
func TestTheAlarmNeedsNoLedger(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := oneQueue(t)
	small := mount(t, 400*megabyte)
	r.ledger = filepath.Join(string(small), "ledger.db")
	r.telling(t)
	r.send(t, earlier(t))
	r.send(t, mailing(t, "promo", 0, 60, true)...)
	d := r.start(t)
	alert := func(rule string) (found pager.Alert) {
		for _, a := range r.sim.Pager().Alerts() {
			if strings.Contains(a.DedupKey, "/"+rule+"/") {
				found = a
			}
		}
		return found
	}
	awaits := func(rule, status string) {
		t.Helper()
		eventually(t, rule+" is "+status, func() string {
			if got := alert(rule); got.Status != status {
				return fmt.Sprintf("%+v", got)
			}
			return ""
		})
	}
	awaits("Bounces", "triggered")
	// The ledger knows too that it was told, else it would be told again.
	d.shows(t, 0, "mailvane_notifications_open")
	small.resize(t, 100*megabyte)
	awaits(watch.AlarmRule, "triggered")
	if got := alert(watch.AlarmRule); got.Severity != "critical" {
		t.Errorf("the alarm is %+v", got)
	}
	if got := alert("Bounces"); got.Status != "triggered" || got.Triggers != 1 {
		t.Errorf("while nothing can be stored the alert about bounces is %+v", got)
	}
	small.resize(t, 400*megabyte)
	awaits(watch.AlarmRule, "resolved")
	d.stop(t)
}
