package app

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	usRules   = "receipt_rules/receipt-rules-us-east-1"
	euRules   = "receipt_rules/receipt-rules-" + simulator.AccountEU + "-eu-west-1"
	usAccount = "account/account-us-east-1"
	euAccount = "account/account-" + simulator.AccountEU + "-eu-west-1"
)

// quietDemo is the demo with these campaigns only, and little inbound mail.
func quietDemo(now time.Time, campaigns ...string) simulator.Options {
	o := simulator.Demo(now, 1, 1)
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool { return !slices.Contains(campaigns, c.Name) })
	littlePost(&o, now)
	return o
}

// untilRead waits until the sources have been read, and until that shows.
func (r *run) untilRead(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		r.soon(name)
		r.until(t, "reading "+name, func() bool { return r.succeeded(name) > 0 })
	}
	if err := r.daemon.view.RefreshInbound(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.daemon.view.RefreshAccounts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// soon starts the first pass over a source at once, which is put off for a while lest all sources be read at the same moment.
func (r *run) soon(name string) {
	for _, s := range r.daemon.passes.States() {
		if s.Name == name && s.LastStart.IsZero() {
			r.daemon.passes.Trigger(name)
		}
	}
}

// succeeded is how many passes over a source have succeeded; none while the newest has failed.
func (r *run) succeeded(name string) int64 {
	for _, s := range r.daemon.passes.States() {
		if s.Name == name && s.Failures == 0 {
			return s.Succeeded
		}
	}
	return 0
}

// TestAccountsAgreeWithTheSimulator compares how the demo's accounts stand, and how much of their mail's events came, with
// the truth.
func TestAccountsAgreeWithTheSimulator(t *testing.T) {
	o := quietDemo(morning, "welcome-series", "globex-updates", "survey-tool", "receipts", "password-reset")
	o.Now = standing(morning)
	r := startWith(t, o, func(text string) string { return without(text, "  postmaster:", "  account:") })
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.Add(-28*time.Hour), morning)); err != nil {
		t.Fatal(err)
	}
	r.untilRead(t, usAccount, euAccount)
	all := r.daemon.view.Accounts().Accounts
	if len(all) != 2 {
		t.Fatalf("%d accounts, want 2", len(all))
	}
	for i, place := range []sesapi.Place{{Account: simulator.Account, Region: "us-east-1"}, {Account: simulator.AccountEU, Region: simulator.RegionEU}} {
		r.checkStanding(t, &all[i], place)
		r.checkCoverage(t, &all[i], place)
	}
	us := &all[0]
	if i := slices.IndexFunc(us.Tenants, func(t view.TenantRates) bool { return t.Tenant == "globex" }); i != 0 || us.Tenants[i].BounceRate == nil || *us.Tenants[i].BounceRate < 0.03 {
		t.Errorf("the tenant near its line is number %d of %+v", i, us.Tenants)
	}
	if sets := us.Coverage.Sets; len(sets) == 0 || sets[0].ConfigurationSet != "survey-tool" || sets[0].Events.Finding != signal.Deaf {
		t.Errorf("the configuration set that publishes nothing is not told: %+v", sets)
	}
	if len(us.Recommendations.Items) != 1 || us.Recommendations.Items[0].Type != "BOUNCE" {
		t.Errorf("recommendations %+v", us.Recommendations)
	}
}

// checkStanding compares the quota and the rates.
func (r *run) checkStanding(t *testing.T, a *view.Account, at sesapi.Place) {
	t.Helper()
	if a.Account != at.Account || a.Region != at.Region {
		t.Fatalf("the account is %s in %s, want %+v", a.Account, a.Region, at)
	}
	for _, p := range a.Parts {
		if p.State != signal.OK {
			t.Errorf("%s of %s is %s", p.Part, a.Account, p.State)
		}
	}
	truth, sent := r.sim.SESAPI().Standing(at.Account, at.Region)
	near := func(what string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 0.05*want {
			t.Errorf("%s of %s is %v, the truth is %v", what, a.Account, got, want)
		}
	}
	near("the quota", a.Quota.Max, truth.Max24Hour)
	near("what was sent", a.Quota.Sent, sent)
	near("the use of the quota", a.Quota.Used, sent/truth.Max24Hour)
	for name, rate := range map[string]*view.AccountRate{"Reputation.BounceRate": &a.BounceRate, "Reputation.ComplaintRate": &a.ComplaintRate} {
		if rate.Rate == nil {
			if n := r.sim.CloudWatch().Sum(at.Account, at.Region, traffic.AccountMetric("Complaint"), morning.AddDate(0, 0, -14), morning); n > 0 || name != "Reputation.ComplaintRate" {
				t.Errorf("%s of %s is %s", name, a.Account, rate.State)
			}
			continue
		}
		hour := rate.Rate.Hour
		want := r.sim.CloudWatch().Sum(at.Account, at.Region, traffic.AccountMetric(name), hour, hour.Add(15*time.Minute))
		near(name, &rate.Rate.Value, want)
		near("headroom to "+name, new(rate.Rate.Left+rate.Rate.Value), nextLine(rate.Rate, want))
	}
}

// nextLine is the line that a rate reaches next.
func nextLine(r *view.SESRate, rate float64) float64 {
	if rate < r.Review {
		return r.Review
	}
	return r.Pause
}

// checkCoverage compares what CloudWatch counted, and holds that only the events of the set that publishes none are missing.
func (r *run) checkCoverage(t *testing.T, a *view.Account, at sesapi.Place) {
	t.Helper()
	c := &a.Coverage
	if c.Hours != 24 {
		t.Errorf("%d hours of %s are compared", c.Hours, a.Account)
	}
	sum := func(m traffic.Metric) int64 {
		return int64(r.sim.CloudWatch().Sum(at.Account, at.Region, m, c.From, c.To))
	}
	names := map[string]string{"send": "Send", "delivery": "Delivery", "bounce": "Bounce", "complaint": "Complaint"}
	for _, of := range c.Of {
		theirs, unpublished := sum(traffic.AccountMetric(names[of.Of])), sum(traffic.SetMetric(names[of.Of], "survey-tool"))
		if of.CloudWatch != theirs {
			t.Errorf("CloudWatch's count of %s of %s is %d, the truth is %d", of.Of, a.Account, of.CloudWatch, theirs)
		}
		if came := theirs - unpublished; of.State != signal.NoData && (of.Ours > came || of.Ours+of.Maybe < came) {
			t.Errorf("%d of %s (and maybe %d) of %s came, the truth is %d", of.Ours, of.Of, of.Maybe, a.Account, came)
		}
	}
}

// TestAStatusEventReadsAgain reads an account every hour, and at once when SES tells that a tenant was paused.
func TestAStatusEventReadsAgain(t *testing.T) {
	t.Parallel()
	o := quietDemo(morning, "globex-updates")
	o.Now = standing(morning)
	r := startWith(t, o, func(text string) string {
		return strings.ReplaceAll(without(text, "  postmaster:", "  account:"), "every: 15s, requests", "every: 1h, requests")
	})
	// Not by untilRead, which may have a second pass made.
	r.until(t, "read", func() bool { return r.succeeded(usAccount) > 0 && r.succeeded(euAccount) > 0 })
	r.sim.SESAPI().Change(func(o *sesapi.Options) {
		at := sesapi.Place{Account: simulator.Account, Region: "us-east-1"}
		o.Tenants = append(o.Tenants, sesapi.Tenant{Place: at, Name: "globex", Status: "DISABLED"})
	})
	event, err := os.ReadFile(filepath.Join("..", "..", "testdata", "transport", "sqs_body_eventbridge_sending_disabled.json"))
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Replace(string(event), "2026-11-20T10:15:32Z", morning.Format(time.RFC3339), 1)
	if err := r.sim.SQS().Queue(simulator.EventsQueue).Send(body); err != nil {
		t.Fatal(err)
	}
	r.until(t, "known that the tenant is paused", func() bool {
		r.daemon.chores.Trigger("status events of " + usAccount) // they are looked for every five seconds
		all := r.daemon.view.Accounts().Accounts
		return len(all) == 2 && len(all[0].Tenants) > 0 && all[0].Tenants[0].Tenant == "globex" && all[0].Tenants[0].Status == "DISABLED"
	})
	r.until(t, "told as read", func() bool { return r.sourceOf(t, usAccount).Passes.Running == 0 })
	if n := r.sourceOf(t, usAccount).Passes.Succeeded; n != 2 {
		t.Errorf("%d passes over the account, want the first and one for the event", n)
	}
	if n := r.sourceOf(t, euAccount).Passes.Succeeded; n != 1 {
		t.Errorf("%d passes over another account, want the first", n)
	}
}

// TestCloudWatchThatIsNotAllowed holds that a missing permission is named, and stops nothing else.
func TestCloudWatchThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	r := startWith(t, quietDemo(morning), func(text string) string {
		return without(without(text, "  postmaster:", "  receipt_rules:"), "    - {region: eu-west-1, role_arn", "  account:")
	})
	remove := r.sim.CloudWatch().Inject(gate.Fault{Kind: gate.FaultError, Op: "GetMetricData", Error: "AccessDenied"})
	r.write(t, strings.Replace(r.text(t), "    - region: us-east-1", "    - name: again\n      region: us-east-1", 1))
	if err := r.daemon.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.soon("receipt_rules/again")
	r.until(t, "refused", func() bool { return r.sourceOf(t, "receipt_rules/again").State == sourceError })
	if s := r.sourceOf(t, "receipt_rules/again"); s.Kind != "receipt_rules" || s.Reason != "auth" || !strings.Contains(s.Error, "cloudwatch:GetMetricData") {
		t.Errorf("the source that may not read is %+v", s)
	}
	r.untilRead(t, usAccount)
	remove()
	if err := r.daemon.Reload(t.Context()); err != nil { // whoever allowed it reloads
		t.Fatal(err)
	}
	r.soon("receipt_rules/again")
	r.until(t, "read", func() bool { return r.sourceOf(t, "receipt_rules/again").State == sourceOK })
}

func TestStatusFollower(t *testing.T) {
	f := statusFollower{concerns: func(s *observation.Status) bool { return s.Region == "here" }}
	at := time.Now()
	here, there := observation.Status{ID: "1", Region: "here", At: at}, observation.Status{ID: "2", Region: "there", At: at}
	nameless, later := observation.Status{Region: "here", At: at}, observation.Status{Region: "here", At: at.Add(time.Second)}
	for i, c := range []struct {
		events []observation.Status
		want   bool
	}{
		{nil, false},
		{[]observation.Status{there}, false},
		{[]observation.Status{here, there}, true},
		{[]observation.Status{here, there}, false},
		{[]observation.Status{here, there, nameless}, true},
		{[]observation.Status{there, nameless}, false},
		{[]observation.Status{nameless, later}, true},
	} {
		if got := f.news(c.events); got != c.want {
			t.Errorf("look %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestCloudWatchCalls(t *testing.T) {
	var c cloudWatchCalls
	a, b := c.of("a"), c.of("b")
	a(cloudwatch.Call{Operation: "GetMetricData", Metrics: 20})
	a(cloudwatch.Call{Operation: "ListMetrics"})
	b(cloudwatch.Call{Operation: "GetMetricData", Metrics: 1})
	c.of("a")(cloudwatch.Call{Operation: "GetMetricData", Metrics: 3})
	got := make(map[cloudWatchOperation]cloudWatchCount)
	c.each(func(op cloudWatchOperation, n cloudWatchCount) { got[op] = n })
	want := map[cloudWatchOperation]cloudWatchCount{
		{"a", "GetMetricData"}: {2, 23}, {"a", "ListMetrics"}: {1, 0}, {"b", "GetMetricData"}: {1, 1},
	}
	if !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
