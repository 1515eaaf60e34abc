package receiptrules

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
)

// probe probes a cloud in which rules are used, never used, switched off and of another rule set.
func probe(t *testing.T, change func(*rig)) (*rig, Found, error) {
	t.Helper()
	r := newRig(t)
	r.ruleSet = activeSet
	r.add("Received", "main", "unsub-spring", start.Add(-10*time.Minute), 3)
	r.add("PublishFailure", "main", "unsub-spring", start.Add(-10*time.Minute), 5)
	r.add("Received", "old", "replies", start.Add(-30*hour), 1)
	change(r)
	f, err := r.collector.Probe(t.Context())
	return r, f, err
}

func TestProbe(t *testing.T) {
	t.Parallel()
	listed := []Rule{
		{RuleSet: "main", Name: "unsub-spring", Counted: true}, {RuleSet: "old", Name: "replies", Counted: true},
	}
	described := []Rule{
		{RuleSet: "main", Name: "never", Active: true}, {RuleSet: "main", Name: "off", Active: true, Disabled: true},
		{RuleSet: "main", Name: "unsub-spring", Active: true, Recipients: 2},
	}
	both := []Rule{
		described[0], described[1], {RuleSet: "main", Name: "unsub-spring", Counted: true, Active: true, Recipients: 2}, listed[1],
	}
	f := func(change func(*rig), calls map[string]int, want Found) {
		t.Helper()
		r, got, err := probe(t, change)
		want.Account = account
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
		if diff := cmp.Diff(calls, r.calls); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	}
	calls := map[string]int{"GetCallerIdentity": 1, "ListMetrics": 2, "GetMetricData": 1, "DescribeActiveReceiptRuleSet": 1}
	f(func(*rig) {}, calls, Found{Listed: true, Described: true, ActiveSet: "main", Rules: both, Metrics: 8})
	f(func(r *rig) { r.ruleSet = "" }, calls, Found{Listed: true, Described: true, Rules: listed, Metrics: 8})
	f(func(r *rig) { r.refused["DescribeActiveReceiptRuleSet"] = "AccessDenied" }, calls,
		Found{Listed: true, Rules: listed, Metrics: 8, Denied: []string{ActionDescribe}})
	f(func(r *rig) { r.refused["GetMetricData"] = "AccessDenied" }, calls,
		Found{Listed: true, Described: true, ActiveSet: "main", Rules: both, Metrics: 8, Denied: []string{ActionRead}})
	f(func(r *rig) { r.partial["unsub-spring"] = "Forbidden" }, calls,
		Found{Listed: true, Described: true, ActiveSet: "main", Rules: both, Metrics: 8, Denied: []string{ActionRead}})
	f(func(r *rig) { r.refused["ListMetrics"] = "AccessDenied" },
		map[string]int{"GetCallerIdentity": 1, "ListMetrics": 1, "GetMetricData": 1, "DescribeActiveReceiptRuleSet": 1},
		Found{Described: true, ActiveSet: "main", Rules: described, Denied: []string{ActionList}})
}

// TestProbeGoesOn: what CloudWatch does not answer does not hide what SES says.
func TestProbeGoesOn(t *testing.T) {
	t.Parallel()
	r, f, err := probe(t, func(r *rig) { r.refused["ListMetrics"] = "Throttling" })
	if err != nil || len(f.Faults) != 1 || f.Listed || f.ActiveSet != "main" || len(f.Rules) != 3 || r.calls["GetMetricData"] != 0 {
		t.Fatalf("%+v %v %v", f, r.calls, err)
	}
	if e, ok := errors.AsType[*collectors.Error](f.Faults[0]); !ok || e.Reason != collectors.ReasonQuota {
		t.Errorf("got %v", f.Faults[0])
	}
}

// TestProbeEnds: with credentials that are no good, and when it is told to, a probe asks nothing more.
func TestProbeEnds(t *testing.T) {
	t.Parallel()
	f := func(operation, code string) {
		t.Helper()
		r, got, err := probe(t, func(r *rig) { r.refused[operation] = code })
		e, ok := errors.AsType[*collectors.Error](err)
		if !ok || e.Reason != collectors.ReasonAuth || len(got.Denied)+len(got.Faults) > 0 {
			t.Errorf("%s: %+v %v", operation, got, err)
		}
		if n := r.calls["DescribeActiveReceiptRuleSet"]; operation != "DescribeActiveReceiptRuleSet" && n != 0 {
			t.Errorf("%s: SES was asked %d times", operation, n)
		}
	}
	f("GetCallerIdentity", "InvalidClientTokenId")
	f("ListMetrics", "ExpiredToken")
	f("GetMetricData", "ExpiredToken")
	f("DescribeActiveReceiptRuleSet", "ExpiredToken")

	stop := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := newRig(t)
	r.before = func(operation string) {
		if operation == "GetMetricData" {
			cancel(stop)
		}
	}
	if got, err := r.collector.Probe(ctx); !errors.Is(err, stop) || got.Account != account || r.calls["DescribeActiveReceiptRuleSet"] != 0 {
		t.Errorf("%+v %v", got, err)
	}
}
