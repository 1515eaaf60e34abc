package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// hoursAgo is the start of an hour before the first time.
func hoursAgo(n int) time.Time { return start.Truncate(time.Hour).Add(-time.Duration(n) * time.Hour) }

const (
	promo  = "ses:configuration-set=promo"
	beta   = "TenantId=tn-2,TenantName=beta"
	others = "campaign=spring"
)

// busy is an account of which there is something to say about everything.
func busy(t *testing.T) *rig {
	r := newRig(t, nil)
	for h := range 5 {
		at := hoursAgo(h)
		r.add("Send", "", at, 1000+float64(h))
		r.add("Delivery", "", at, 950)
		r.add("Rendering Failures", "", at, 1)
		r.add("Opens", "", at, 300)
		r.add("Reputation.BounceRate", "", at, 0.0123)
		r.add("Send", promo, at, 600)
		r.add("Reputation.ComplaintRate", promo, at, 0.0004)
		r.add("Sends", beta, at, 100)
		r.add("Bounces", beta, at, 7)
		r.add("Send", others, at, 11)
		r.add("PublishFailure", "RuleName=dmarc-reports,RuleSetName=default-rule-set", at, 3)
	}
	r.answers["/v2/email/tenants/list"] = `{"Tenants": [{"TenantName": "gamma", "TenantId": "tn-3", "SendingStatus": "DISABLED"},
		{"TenantName": "fine", "SendingStatus": "ENABLED"}]}`
	r.answers["/v2/email/vdm/recommendations"] = `{"Recommendations": [{"ResourceArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
		"Type": "DKIM", "Impact": "LOW", "Status": "OPEN", "Description": "DKIM1 is missing.", "CreatedTimestamp": 1763000000}], "NextToken": "1"}
---
{"Recommendations": [{"ResourceArn": "arn:aws:ses:us-east-1:123456789012:tenant/beta/tn-2", "Type": "BOUNCE", "Impact": "HIGH", "Status": "OPEN"},
		{"ResourceArn": "arn:aws:ses:us-east-1:123456789012:tenant/acme/tn-1", "Type": "BOUNCE", "Impact": "HIGH", "Status": "FIXED"}]}`
	r.answers["/v2/email/reputation/entities"] = `{"ReputationEntities": [
		{"ReputationEntityReference": "arn:aws:ses:us-east-1:123456789012:tenant/beta/tn-2", "ReputationImpact": "HIGH",
		 "SendingStatusAggregate": "DISABLED", "CustomerManagedStatus": {"Status": "ENABLED"},
		 "AwsSesManagedStatus": {"Status": "DISABLED", "Cause": "Bounces", "LastUpdatedTimestamp": 1763000001}},
		{"ReputationEntityReference": "arn:aws:ses:us-east-1:123456789012:tenant/acme/tn-1", "SendingStatusAggregate": "ENABLED"}]}`
	return r
}

func TestFirstPass(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.passOK(t)
	var lines []string
	for _, line := range r.sink.lines() {
		if !strings.Contains(line, " read ") || strings.Contains(line, "T05 ") || strings.Contains(line, "11-19T00+") {
			lines = append(lines, line)
		}
	}
	golden(t, "first_pass.golden", strings.Join(lines, "\n")+"\n")
	want := collectors.Positions{
		"metrics": "2026-11-20T11:00:00Z", "configuration_sets": "2026-11-20T11:00:00Z", "tenant_metrics": "2026-11-21T00:00:00Z",
		"lists": "2026-11-20T10:20:00Z", "details": "2026-11-20T10:20:00Z",
	}
	if d := cmp.Diff(want, r.sink.positions); d != "" {
		t.Errorf("positions (-want +got):\n%s", d)
	}
	if r.progress.Series != 9 || r.progress.Ignored != 2 || r.progress.Folded != 0 || r.progress.Calls != 8 {
		t.Errorf("progress %+v, want 9 series, 2 ignored and 8 calls to SES", r.progress)
	}
	// The hour that is not over, and one that is hardly over, are not final.
	r.want(t, metric(0, observation.AccountRead, "metrics"), "absent")
	r.want(t, metric(1, observation.AccountRead, "metrics"), "1 bounce_rate delivery open rendering_failure send")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// The pass after the first asks for the account's own counts and standing only, and costs what the documents say.
func TestCostOfAPass(t *testing.T) {
	t.Parallel()
	r := busy(t)
	r.passOK(t)
	clear(r.requests)
	r.metrics = 0
	clear(r.calls)
	r.after(5 * time.Minute)
	r.passOK(t)
	if r.requests["GetMetricData"] != 1 || r.requests["ListMetrics"] != 0 || r.metrics != 5 {
		t.Errorf("requests %v for %d metrics, want one for 5", r.requests, r.metrics)
	}
	if len(r.calls) != 2 || r.calls["/v2/email/account"] != 1 {
		t.Errorf("calls %v, want GetAccount and GetMetricData", r.calls)
	}
	r.after(time.Hour)
	r.passOK(t)
	if r.requests["ListMetrics"] != 1 || r.calls["/v2/email/tenants/list"] != 2 || r.metrics != 5+9 {
		t.Errorf("after an hour: requests %v for %d metrics, calls %v", r.requests, r.metrics, r.calls)
	}
}

// SES spells its metrics in several ways, and may keep two spellings of one count.
func TestSpellings(t *testing.T) {
	t.Parallel()
	f := func(name, want string) {
		t.Helper()
		if got := metricOf(name); got != want {
			t.Errorf("metricOf(%q) = %q, want %q", name, got, want)
		}
	}
	f("Open", observation.AccountOpen)
	f("Opens", observation.AccountOpen)
	f("Click", observation.AccountClick)
	f("Clicks", observation.AccountClick)
	f("RenderingFailure", observation.AccountRenderingFailure)
	f("Rendering Failures", observation.AccountRenderingFailure)
	f("Sends", observation.AccountSend)
	f("Reputation.BounceRate", observation.AccountBounceRate)
	f("Received", "")
	f("send", "")
	for _, name := range accountNames() {
		if metricOf(name) == "" {
			t.Errorf("%q is asked for and is no reading", name)
		}
	}

	r := newRig(t, nil)
	r.add("Click", "", hoursAgo(2), 40)
	r.add("Clicks", "", hoursAgo(2), 41)
	r.add("Clicks", "", hoursAgo(3), 12)
	r.passOK(t)
	r.want(t, metric(2, observation.AccountClick, ""), "41")
	r.want(t, metric(3, observation.AccountClick, ""), "12")
}

// Points that come late replace what was read, and an outage leaves no gap.
func TestLatePointsAndOutage(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.add("Send", "", hoursAgo(1), 100)
	r.passOK(t)
	r.want(t, metric(1, observation.AccountSend, ""), "100")
	r.add("Send", "", hoursAgo(1), 140)
	for h := range 60 {
		r.add("Send", "", hoursAgo(-h), float64(h))
	}
	r.after(5 * time.Minute)
	r.passOK(t)
	r.want(t, metric(1, observation.AccountSend, ""), "140")
	r.after(59 * time.Hour)
	r.passOK(t)
	for h := range 59 {
		r.want(t, metric(-h, observation.AccountSend, ""), fmt.Sprint(h))
		r.want(t, metric(-h, observation.AccountRead, "metrics"), "1 send")
	}
	// Longer than anything that is caught up.
	r.after(200 * 24 * time.Hour)
	clear(r.requests)
	r.passOK(t)
	if n := r.requests["GetMetricData"]; n < 30 || n > 31 {
		t.Errorf("%d requests to catch up 60 days by two, want 30 or 31", n)
	}
}

// A catch-up that is cut short goes on where it ended.
func TestCatchUpInSteps(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.add("Send", "", hoursAgo(1), 100)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	r.before = func(operation string) {
		if operation == "GetMetricData" {
			if n++; n == 4 {
				cancel()
			}
		}
	}
	if err := r.Collect(ctx, nil, r.sink); !errors.Is(err, context.Canceled) {
		t.Errorf("pass: %v, want context canceled", err)
	}
	if got, want := r.sink.positions["metrics"], "2026-11-12T10:00:00Z"; got != want {
		t.Errorf("position %s, want %s: three steps of two days", got, want)
	}
	r.change(func() { r.before = nil })
	clear(r.requests)
	r.passOK(t)
	if got := r.sink.positions["metrics"]; got != "2026-11-20T11:00:00Z" || r.requests["GetMetricData"] > 6 {
		t.Errorf("position %s after %v", got, r.requests)
	}
}

// The shared sample answers one of four metrics: what came is kept, and nothing is final.
func TestPartialData(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile(filepath.Join("..", "..", "testdata", "cloudwatch", "getmetricdata_response.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, nil)
	for _, name := range []string{"Send", "Reputation.BounceRate", "Reputation.ComplaintRate", "Bounce"} {
		r.add(name, "", hoursAgo(1), 1)
	}
	r.passOK(t)
	position := r.sink.positions["metrics"]
	// The listing is in the order of names; put the sample's.
	known := r.known.account
	for i := range known {
		known[i] = newCounter(known[i].query.Series, []string{"send", "bounce_rate", "complaint_rate", "bounce"}[i], "")
	}
	r.change(func() { r.data = sample })
	clear(r.sink.readings)
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable {
		t.Errorf("failure %v, want unavailable", e)
	}
	if got := r.sink.positions["metrics"]; got != position {
		t.Errorf("position moved to %s", got)
	}
	golden(t, "sample.golden", strings.Join(r.sink.lines(), "\n")+"\n")
}

// What cannot be a count or a rate is left out.
func TestOddValues(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.add("Send", "", hoursAgo(1), -3)
	r.add("Reputation.BounceRate", "", hoursAgo(1), 1.5)
	r.add("Reputation.ComplaintRate", "", hoursAgo(1), 0)
	r.passOK(t)
	r.want(t, metric(1, observation.AccountSend, ""), "absent")
	r.want(t, metric(1, observation.AccountBounceRate, ""), "absent")
	r.want(t, metric(1, observation.AccountComplaintRate, ""), "0")
}

// An account of which CloudWatch knows nothing has no readings, which is not the same as zeros.
func TestNoData(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.passOK(t)
	r.want(t, metric(1, observation.AccountRead, "metrics"), "1")
	r.want(t, metric(1, observation.AccountSend, ""), "absent")
	if r.requests["GetMetricData"] != 0 {
		t.Errorf("requests %v, want none for metrics", r.requests)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.MaxSets, o.MaxTenants = 3, 2 })
	for i := range 5 {
		r.add("Send", fmt.Sprintf("ses:configuration-set=set-%d", i), hoursAgo(1), 1)
		r.add("Bounce", fmt.Sprintf("ses:configuration-set=set-%d", i), hoursAgo(1), 1)
		r.add("Sends", fmt.Sprintf("TenantId=tn-%d,TenantName=tenant-%d", i, i), hoursAgo(1), 1)
	}
	r.passOK(t)
	if r.progress.Series != 3*2+2 || r.progress.Folded != 2*2+3 {
		t.Errorf("progress %+v, want 8 series and 7 folded", r.progress)
	}
	r.want(t, metric(1, observation.AccountSend, "set-2"), "1")
	r.want(t, metric(1, observation.AccountSend, "set-3"), "absent")
}

// Two regions of one account, and two accounts, are told apart.
func TestSubjects(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Region, o.Account = "eu-west-1", "999988887777" })
	r.passOK(t)
	for key := range r.sink.readings {
		if !strings.Contains(key, " 999988887777/eu-west-1 ") {
			t.Errorf("reading %q of another account", key)
		}
	}
	if r.calls["GetCallerIdentity"] != 0 {
		t.Error("STS was asked for an account that is known")
	}
	if _, err := New(Options{Name: "a", Account: "12"}); err == nil {
		t.Error("a number of two digits was taken")
	}
	if _, err := New(Options{Name: "a"}); err == nil {
		t.Error("no region was taken")
	}
}

func TestReread(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if !r.Concerns(&observation.Status{Account: "1", Region: "us-east-1"}) {
		t.Error("an account that is not known yet is not concerned")
	}
	r.passOK(t)
	clear(r.calls)
	r.after(time.Minute)
	r.passOK(t)
	if r.calls["/v2/email/tenants/list"] != 0 {
		t.Fatal("lists were read again after a minute")
	}
	for want, s := range map[bool]observation.Status{true: {Account: number, Region: "us-east-1"}, false: {Account: number, Region: "eu-west-1"}} {
		if got := r.Concerns(&s); got != want {
			t.Errorf("Concerns(%+v) = %v", s, got)
		}
	}
	if r.Concerns(&observation.Status{Account: "1", Region: "us-east-1"}) {
		t.Error("another account's event concerns this one")
	}
	r.Reread()
	r.change(func() {
		r.answers["/v2/email/account"] = strings.Replace(r.answers["/v2/email/account"], "HEALTHY", "PROBATION", 1)
	})
	r.passOK(t)
	if r.calls["/v2/email/tenants/list"] == 0 || r.calls["ListMetrics"] != 0 {
		t.Errorf("calls %v, want the lists again and no listing of metrics", r.calls)
	}
	r.want(t, "account/ses 123456789012/us-east-1 11-20T10 enforcement_status", "none PROBATION")
}

// What SES told of is asked for by the next pass when the one that should have done so ended before.
func TestRereadOutlivesAPass(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.passOK(t)
	r.after(time.Minute)
	r.Reread()
	r.refused["/v2/email/tenants/list"] = "403/ExpiredTokenException"
	if e := r.failure(t); e.Reason != collectors.ReasonAuth {
		t.Fatalf("failure %v, want auth", e)
	}
	r.change(func() { clear(r.refused) })
	clear(r.calls)
	r.passOK(t)
	if r.calls["/v2/email/tenants/list"] == 0 || r.calls["ListMetrics"] != 0 {
		t.Errorf("calls %v, want the lists again and no listing of metrics", r.calls)
	}
	clear(r.calls)
	r.passOK(t)
	if r.calls["/v2/email/tenants/list"] != 0 {
		t.Errorf("calls %v, want no lists: they were read", r.calls)
	}
}
