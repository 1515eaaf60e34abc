package app

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/schedule"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

const account = "postmaster/postmaster"

// sourceOf is what the API says of a source.
func (r *run) sourceOf(t *testing.T, name string) web.Source {
	t.Helper()
	var all web.Sources
	if err := json.NewDecoder(r.get(t, "/api/v1/sources").Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all.Sources {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no source %s", name)
	return web.Source{}
}

// gmailOf is what is known of Gmail about a campaign without a tenant.
func (r *run) gmailOf(name string) view.Gmail {
	for _, c := range r.daemon.view.Campaigns(view.Query{Window: signal.Week}).Campaigns {
		if c.ID == name && c.Tenant == "" && c.Gmail != nil {
			return *c.Gmail
		}
	}
	return view.Gmail{}
}

// TestGmailIsJoinedToCampaigns reads the demo's Google account while history is being counted, which is joined afterwards.
func TestGmailIsJoinedToCampaigns(t *testing.T) {
	o := simulator.Demo(morning, 1, 1)
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool { return c.Group != "transactional" })
	r := start(t, o)
	r.soon(account)
	r.until(t, "read", func() bool { return r.sourceOf(t, account).State == sourceOK })
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.Add(-3*24*time.Hour), morning)); err != nil {
		t.Fatal(err)
	}
	r.daemon.joinSoon()
	var got view.Gmail
	r.until(t, "joined", func() bool {
		got = r.gmailOf("otp-login")
		return got.ComplaintsUpperBound != nil && len(got.Identifiers) > 0 && got.Identifiers[0].SpamRate != nil
	})
	id := got.Identifiers[0]
	if id.Value != "otp-login" || id.Field != "a" || id.SharedBy != 1 || id.State != campaign.ReportOK || got.DaysReported == 0 {
		t.Errorf("got %+v", got)
	}
	truth := r.sim.Postmaster().Truth(id.Domain, id.Day.Start(time.UTC), id.Value)
	if !truth.Reported || math.Abs(truth.Rate-*id.SpamRate) > 1e-6 { // the API's rates are of single precision
		t.Errorf("%v of %s on %s, the truth is %+v", *id.SpamRate, id.Value, id.Day, truth)
	}
	if s := r.sourceOf(t, account); s.Kind != "postmaster" || s.LastSuccess == nil || s.NextPass == nil || s.Queue != nil || s.Passes.Failed != 0 {
		t.Errorf("the source is %+v", s)
	}
	refused := []web.UnreadableDomain{{Domain: "globex.example.org", Access: "unverified"}, {Domain: "initech.example.org", Access: "no_access"}}
	if diff := cmp.Diff(refused, r.sourceOf(t, account).Unreadable); diff != "" {
		t.Errorf("unreadable domains (-want +got):\n%s", diff)
	}
	positions, err := r.daemon.ledger.Positions(t.Context(), "postmaster")
	if want := "v2/" + morning.AddDate(0, 0, -1).Format(time.DateOnly); err != nil || len(positions) != 4 || positions["news.example.com"] != want {
		t.Errorf("positions %v, %v; want those of four domains up to %s", positions, err, want)
	}
}

// accounts lists the accounts that are read, by their names.
func (r *run) accounts() (names []string) {
	for _, s := range r.daemon.passes.States() {
		if name, ok := strings.CutPrefix(s.Name, kindPostmaster+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

// TestAFailingAccount reads two accounts of which one has no credentials. When they are there, a reload takes it up at once,
// although its next pass would be an hour away.
func TestAFailingAccount(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Demo(morning, 1, 1))
	r.soon(account)
	r.until(t, "reading the good account", func() bool { return r.sourceOf(t, account).State == sourceOK })
	good := r.text(t)
	r.write(t, good+`    - {name: second, credentials_file: second.json, endpoint: "`+r.sim.URL()+`", requests_per_second: 100, domains: [example.com]}`+"\n")
	if err := r.daemon.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	const second = "postmaster/second"
	r.soon(second)
	r.until(t, "failing", func() bool { return r.sourceOf(t, second).State == sourceError })
	s := r.sourceOf(t, second)
	if s.Reason != "auth" || !strings.Contains(s.Error, "second.json") || s.NextPass.Sub(*s.LastFailure) < time.Hour-time.Second {
		t.Errorf("the account without credentials is %+v", s)
	}
	succeeded := r.sourceOf(t, account).Passes.Succeeded
	if err := r.daemon.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.soon(second)
	r.until(t, "tried again", func() bool { return r.sourceOf(t, second).State == sourceError })
	if s := r.sourceOf(t, account); s.State != sourceOK || s.Passes.Succeeded < succeeded {
		t.Errorf("the good account is %+v, after %d passes before", s, succeeded)
	}
	if err := r.sim.SQS().Queue(simulator.EventsQueue).Send("{}"); err != nil { // else the pass waits for one
		t.Fatal(err)
	}
	r.until(t, "reading its queues", func() bool { return r.sourceOf(t, "ses/ses-events").State == sourceOK })
	if since := r.daemon.failingSince(); !since.IsZero() {
		t.Errorf("the queues fail since %v", since)
	}
	if err := r.sim.WriteAuthorizedUser(filepath.Join(filepath.Dir(r.file), "second.json")); err != nil {
		t.Fatal(err)
	}
	if err := r.daemon.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.soon(second)
	r.until(t, "read", func() bool { return r.sourceOf(t, second).State == sourceOK })
}

func TestReloadChangesAccounts(t *testing.T) {
	t.Parallel()
	r := start(t, simulator.Demo(morning, 1, 1))
	good := r.text(t)
	positions := func(source string) map[string]string {
		p, err := r.daemon.ledger.Positions(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	reload := func(text string, want ...string) {
		t.Helper()
		r.write(t, text)
		if err := r.daemon.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.accounts(); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("reads the accounts %v, want %v", got, want)
		}
	}
	queuesOnly, _, _ := strings.Cut(good, "  postmaster:")
	reload(queuesOnly)
	reload(good, "postmaster")
	r.until(t, "read", func() bool { return len(positions("postmaster")) == 4 })
	named := strings.Replace(good, "{credentials_file", "{name: gmail, domains: [example.com], day_zone: America/Los_Angeles, credentials_file", 1)
	reload(named, "gmail")
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	yesterday := "v2/" + morning.In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
	r.until(t, "read under its new name", func() bool { return positions("gmail")["example.com"] == yesterday })
	from := morning.In(zone).AddDate(0, 0, -8)
	rows, err := r.daemon.ledger.Readings(t.Context(), ledger.ReadingQuery{Metric: observation.PostmasterArrived, From: from, To: morning})
	if err != nil {
		t.Fatal(err)
	}
	there := 0
	for _, row := range rows {
		if row.Key.Subject == "example.com" && row.Start.In(zone).Hour() == 0 {
			there++
		}
	}
	if there < 3 {
		t.Errorf("%d days of %d begin in Los Angeles", there, len(rows))
	}
}

// TestOnlyAnAccount runs without any queue.
func TestOnlyAnAccount(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	head, sources, _ := strings.Cut(r.text(t), "  ses:")
	_, accounts, _ := strings.Cut(sources, "  postmaster:")
	r.write(t, head+"  postmaster:"+accounts)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(r.file), "ledger.db")); err != nil {
		t.Fatal(err)
	}
	r.restart(t)
	r.until(t, "told of its domains", func() bool {
		domains := r.daemon.view.Domains(view.DomainQuery{Window: signal.Week}).Domains
		return len(domains) == 6 && domains[1].Spam != nil
	})
	if since := r.daemon.failingSince(); !since.IsZero() {
		t.Errorf("queues that are not there fail since %v", since)
	}
}

// TestFailingSince asks what makes the figures of campaigns stale: queues that fail, all of them, and nothing else.
func TestFailingSince(t *testing.T) {
	f := func(want bool, failing ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			d := &Daemon{passes: schedule.New(schedule.Options{}), started: time.Now()}
			for _, name := range []string{"ses/a", "ses/b", "postmaster/c"} {
				err := d.passes.Add(schedule.Job{Name: name, Every: time.Hour, MaxConcurrent: 1, Run: func(context.Context) (bool, error) {
					if strings.Contains(strings.Join(failing, " "), name) {
						return false, errors.New("down")
					}
					return false, nil
				}})
				if err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if got := d.failingSince(); got.IsZero() == want || want && !got.Equal(d.started) {
				t.Errorf("with %v failing: since %v, started %v", failing, got, d.started)
			}
			if err := d.passes.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	f(false)
	f(false, "ses/a")
	f(false, "ses/a", "postmaster/c")
	f(false, "postmaster/c")
	f(true, "ses/a", "ses/b")
	f(true, "ses/a", "ses/b", "postmaster/c")
}

func TestSourceState(t *testing.T) {
	now := time.Now()
	d := &Daemon{env: Environment{Now: func() time.Time { return now }}}
	f := func(every, ago time.Duration, want string) {
		t.Helper()
		s := schedule.State{Every: every, LastSuccess: now.Add(-ago)}
		if got := d.sourceState(&s); got != want {
			t.Errorf("every %v, read %v ago: %s, want %s", every, ago, got, want)
		}
	}
	f(0, 10*time.Minute, sourceOK)
	f(0, 12*time.Minute, sourceStale)
	f(15*time.Second, 10*time.Minute, sourceOK)
	f(time.Hour, 3*time.Hour, sourceOK)
	f(time.Hour, 3*time.Hour+time.Minute, sourceStale)
	if got := d.sourceState(new(schedule.State)); got != sourceNoData {
		t.Errorf("before the first pass: %s", got)
	}
}
