package receiptrules

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

var update = flag.Bool("update", false, "write the golden files")

const hour = time.Hour

// activeSet is SES's description of a rule set with a rule that was never used and one that is switched off.
const activeSet = `<Metadata><Name>main</Name></Metadata><Rules>
	<member><Name>unsub-spring</Name><Enabled>true</Enabled><Recipients><member>a@example.com</member><member>b@example.com</member></Recipients>
		<Actions><member><S3Action><BucketName>b</BucketName></S3Action></member><member><SNSAction><TopicArn>t</TopicArn></SNSAction></member></Actions></member>
	<member><Name>never</Name><Enabled>true</Enabled></member>
	<member><Name>off</Name><Enabled>false</Enabled></member></Rules>`

// TestReadings holds what a first pass puts.
func TestReadings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ruleSet = activeSet
	r.add("Received", "main", "unsub-spring", start.Add(-10*time.Minute), 3)
	r.add("PublishFailure", "main", "unsub-spring", start.Add(-10*time.Minute), 5)
	r.add("PublishExpired", "main", "unsub-spring", start.Add(-30*hour), 1)
	r.add("Received", "main", "", start.Add(-10*time.Minute), 3) // of the whole rule set
	r.add("Received", "", "unsub-spring", start.Add(-10*time.Minute), 3)
	r.add("Received", "", "lonely", start.Add(-10*time.Minute), 2)
	r.add("Received", "main", "unsub-spring", start, 9) // in a period that is not over
	r.pass(t)

	var lines []string
	for key, days := range r.stored {
		for _, v := range days {
			value := "-"
			if v.Value != nil {
				value = fmt.Sprint(*v.Value)
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s", key.Subject, key.Metric,
				v.Start.Format(time.RFC3339), v.End.Sub(v.Start), value, v.Text)))
		}
	}
	for subject, at := range r.positions {
		lines = append(lines, "position "+subject+" "+at)
	}
	slices.Sort(lines)
	text, err := json.MarshalIndent(lines, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "readings.golden.json")
	if *update {
		if err := os.WriteFile(golden, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if want := start.Truncate(period); !r.since.Equal(want) || !r.through(t).Equal(want) {
		t.Errorf("since %s, through %s, want %s", r.since, r.through(t), want)
	}
	if len(r.grown) != 0 {
		t.Errorf("the past counts: %v", r.grown)
	}
}

// TestAnOutageLeavesNoGap stops for six hours in which mail came.
func TestAnOutageLeavesNoGap(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	began := start.Add(-hour).Truncate(period)
	mail := func(minutes int) {
		for i := range minutes / 5 {
			r.add("Received", "main", "reply", r.now.Add(time.Duration(5*i)*time.Minute), 1)
		}
		r.advance(time.Duration(minutes) * time.Minute)
	}
	r.add("Received", "main", "reply", began, 1)
	r.pass(t)
	mail(5)
	r.pass(t)
	mail(360)
	r.pass(t)
	r.wantAll(t, began, r.now.Truncate(period))
	if got := r.grown["reply received"]; got != 73 {
		t.Errorf("counted %v, want 73", got)
	}
	if calls := r.calls["GetMetricData"]; calls > 28+3+3 {
		t.Errorf("%d calls", calls)
	}
}

// TestALongOutage stops for a month: rules that CloudWatch no longer lists are asked for all the same.
func TestALongOutage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	r.add("Received", "main", "gone", start.Add(-hour), 1)
	r.pass(t)
	r.add("Received", "main", "gone", start.Add(hour), 4)
	r.add("Received", "main", "reply", start.Add(20*24*hour), 2)
	r.advance(30 * 24 * hour)
	r.pass(t)
	r.wantTotal(t, "gone", "received", 5)
	r.wantTotal(t, "reply", "received", 3)
	// A rule that fell silent costs nothing once the others have gone on without it.
	calls := r.calls["GetMetricData"]
	r.advance(5 * time.Minute)
	r.pass(t)
	if got := r.calls["GetMetricData"] - calls; got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

func TestLatePoints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	r.pass(t)
	early := r.now
	r.add("Received", "main", "reply", early, 2)
	r.advance(10 * time.Minute)
	r.pass(t)
	r.add("Received", "main", "reply", early, 5) // corrected
	r.add("PublishSuccess", "main", "reply", early, 3)
	r.advance(2 * hour)
	r.pass(t)
	r.wantTotal(t, "reply", "received", 8)
	r.wantTotal(t, "reply", "publish_success", 3)
	r.pass(t)
	if diff := cmp.Diff(map[string]float64{"reply received": 7, "reply publish_success": 3}, r.grown); diff != "" {
		t.Errorf("counted: -want +got\n%s", diff)
	}
}

// TestPartialData holds that a rule of which something is missing is behind alone, and comes to what it missed.
func TestPartialData(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, rule := range []string{"reply", "unsub"} {
		r.add("Received", "main", rule, start.Add(-hour), 1)
	}
	r.pass(t)
	first := r.through(t)
	r.partial["reply"] = "PartialData"
	for range 50 {
		for _, rule := range []string{"reply", "unsub"} {
			r.add("Received", "main", rule, r.now, 1)
		}
		r.advance(5 * time.Minute)
	}
	e := r.failure(t)
	if e.Reason != collectors.ReasonUnavailable || !strings.Contains(e.Error(), "reply") || !r.through(t).Equal(first) {
		t.Errorf("%s: %v; through %s, want %s", e.Reason, e, r.through(t), first)
	}
	r.wantTotal(t, "reply", "received", 1)
	r.wantTotal(t, "unsub", "received", 51)
	r.partial["reply"] = "Forbidden"
	if e := r.failure(t); e.Reason != collectors.ReasonAuth || e.Permission != ActionRead || !strings.Contains(e.Hint, "cloudwatch:GetMetricData") {
		t.Errorf("%s: %v", e.Reason, e)
	}
	delete(r.partial, "reply")
	r.pass(t)
	r.wantTotal(t, "reply", "received", 51)
	if diff := cmp.Diff(map[string]float64{"reply received": 50, "unsub received": 50}, r.grown); diff != "" {
		t.Errorf("counted: -want +got\n%s", diff)
	}
}

// TestSmallPages cuts every answer into pages.
func TestSmallPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pageSize = 7
	for i := range 200 {
		at := start.Add(time.Duration(-i) * 40 * time.Minute)
		r.add("Received", "main", fmt.Sprint("rule-", i%3), at, float64(i))
		r.add("PublishSuccess", "main", fmt.Sprint("rule-", i%3), at, 1)
	}
	r.pass(t)
	r.wantAll(t, start.AddDate(-1, 0, 0), r.now.Truncate(period))
}

func TestARenamedRule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "old", start.Add(-hour), 1)
	r.pass(t)
	r.add("Received", "main", "old", r.now, 1)
	r.add("Received", "main", "new", r.now, 2) // listed only by the pass after the next
	hidden := r.points[seriesKey{"Received", "main", "new"}]
	delete(r.points, seriesKey{"Received", "main", "new"})
	r.advance(10 * time.Minute)
	r.pass(t)
	r.points[seriesKey{"Received", "main", "new"}] = hidden
	calls := r.calls["GetMetricData"]
	r.advance(10 * time.Minute)
	r.pass(t)
	r.wantTotal(t, "old", "received", 2)
	r.wantTotal(t, "new", "received", 2)
	if got := r.calls["GetMetricData"] - calls; got != 1 {
		t.Errorf("a new name took %d calls", got)
	}
	if diff := cmp.Diff(map[string]float64{"old received": 1, "new received": 2}, r.grown); diff != "" {
		t.Errorf("counted: -want +got\n%s", diff)
	}
}

// TestTwoRegions holds that rules of one name in two regions have nothing to do with each other.
func TestTwoRegions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	west := newCloud(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	west.add("Received", "main", "reply", start.Add(-hour), 10)
	r.pass(t)
	if err := west.collector(t, "us-west-2").Collect(t.Context(), maps.Clone(r.positions), r); err != nil {
		t.Fatal(err)
	}
	want := []string{
		account + "/us-east-1//", account + "/us-east-1/main/reply", account + "/us-west-2//", account + "/us-west-2/main/reply",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(r.positions))); diff != "" {
		t.Errorf("positions: -want +got\n%s", diff)
	}
	r.wantTotal(t, "reply", "received", 1)
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	for _, operation := range []string{"ListMetrics", "GetMetricData"} {
		r.refused[operation] = "Throttling"
		if e := r.failure(t); e.Reason != collectors.ReasonQuota {
			t.Errorf("%s: %s: %v", operation, e.Reason, e)
		}
		delete(r.refused, operation)
	}
	r.pass(t)
	r.wantTotal(t, "reply", "received", 1)
}

// TestDeniedNamesTheAction holds that what is missing is told, and that the pass does without what it can do without.
func TestDeniedNamesTheAction(t *testing.T) {
	t.Parallel()
	for operation, action := range map[string]string{
		"ListMetrics": "cloudwatch:ListMetrics", "GetMetricData": "cloudwatch:GetMetricData", "GetCallerIdentity": "sts:GetCallerIdentity",
	} {
		r := newRig(t)
		r.add("Received", "main", "reply", start.Add(-hour), 1)
		r.refused[operation] = "AccessDenied"
		if e := r.failure(t); e.Reason != collectors.ReasonAuth || e.Permission != action || !strings.Contains(e.Hint, action) {
			t.Errorf("%s: %s: %v", operation, e.Reason, e)
		}
	}
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	r.refused["DescribeActiveReceiptRuleSet"] = "AccessDenied"
	r.pass(t)
	r.wantTotal(t, "reply", "received", 1)
	if got := r.text(observation.ReceiptActiveSet); got != observation.ReceiptSetDenied {
		t.Errorf("the active rule set is %q", got)
	}
	delete(r.refused, "DescribeActiveReceiptRuleSet")
	r.pass(t)
	if got := r.text(observation.ReceiptActiveSet); got != observation.ReceiptSetNone {
		t.Errorf("the active rule set is %q", got)
	}
	r.refused["DescribeActiveReceiptRuleSet"] = "Throttling"
	r.add("Received", "main", "reply", r.now, 1)
	r.advance(10 * time.Minute)
	if e := r.failure(t); e.Reason != collectors.ReasonQuota {
		t.Errorf("%s: %v", e.Reason, e)
	}
	r.wantTotal(t, "reply", "received", 2)
}

// text is that of the newest reading about the region.
func (r *rig) text(metric string) string {
	id := observation.ReceiptRule{Account: account, Region: "us-east-1"}
	key := observation.ReadingKey{Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: metric}
	return r.stored[key][r.now.Truncate(24*hour)].Text
}

// TestAnEmptyAnswer holds that a region without receiving is read, and that what it has not is not 0.
func TestAnEmptyAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.pass(t)
	if !r.through(t).Equal(start.Truncate(period)) || r.calls["GetMetricData"] != 0 || len(r.positions) != 1 {
		t.Errorf("through %s, calls %v, positions %v", r.through(t), r.calls, r.positions)
	}
}

// TestKilledAtAnyPut ends the first pass, and one after an outage, at every Put in turn: what the next pass puts is what was
// missing, and nothing is counted twice.
func TestKilledAtAnyPut(t *testing.T) {
	t.Parallel()
	killed := errors.New("killed")
	for _, at := range []int{1, 2, 3, 4, 5, 30, 58, 59, 60} {
		r := newRig(t)
		for i := range 130 { // more than one call takes
			r.add("Received", "main", fmt.Sprintf("rule-%03d", i), start.Add(-hour*time.Duration(2*i+1)), 1)
		}
		r.fail = func(n int) error {
			if n == at {
				return killed
			}
			return nil
		}
		err := r.collector.Collect(t.Context(), maps.Clone(r.positions), r)
		if err != nil && !errors.Is(err, killed) {
			t.Fatal(err)
		}
		r.pass(t)
		for i := range 130 {
			r.add("Received", "main", fmt.Sprintf("rule-%03d", i), r.now.Add(time.Duration(i)*5*time.Minute), 1)
		}
		r.advance(26 * hour)
		r.puts = 0
		err = r.collector.Collect(t.Context(), maps.Clone(r.positions), r)
		if err != nil && !errors.Is(err, killed) {
			t.Fatal(err)
		}
		r.pass(t)
		r.wantAll(t, time.Time{}, r.now.Truncate(period))
		for rule, n := range r.grown {
			if n != 1 {
				t.Fatalf("killed at Put %d: %s counted %v", at, rule, n)
			}
		}
		if len(r.grown) != 130 {
			t.Fatalf("killed at Put %d: %d rules counted", at, len(r.grown))
		}
	}
}

// TestCancelled holds that the end of a pass is told as such.
func TestCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the daemon stops")
	r.before = func(operation string) {
		if operation == "GetMetricData" {
			cancel(stop)
		}
	}
	err := r.collector.Collect(ctx, r.positions, r)
	if _, typed := errors.AsType[*collectors.Error](err); !errors.Is(err, stop) || typed {
		t.Errorf("error %v", err)
	}
}

// TestOddNames holds that names that cannot be used are told and leave others alone, and that the number of rules is bounded.
func TestOddNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("Received", "main", "reply", start.Add(-hour), 1)
	r.add("Received", "a/b", "reply", start.Add(-hour), 1)
	r.add("Received", "main", "line\nbreak", start.Add(-hour), 1)
	if e := r.failure(t); e.Reason != collectors.ReasonMalformed || !strings.Contains(e.Error(), "2 names") {
		t.Errorf("%s: %v", e.Reason, e)
	}
	r.wantTotal(t, "reply", "received", 1)
	for i := range maxRules {
		r.add("Received", "other", fmt.Sprint(i), start.Add(-hour), 1)
	}
	if err := r.collector.Collect(t.Context(), maps.Clone(r.positions), r); err == nil || !strings.Contains(err.Error(), "more than 2000 receipt rules") {
		t.Errorf("error %v", err)
	}
	if len(r.positions) > 2*maxRules {
		t.Errorf("%d positions", len(r.positions))
	}
}
