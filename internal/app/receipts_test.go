package app

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/view"
)

// ruleOf is what is known of a receipt rule in us-east-1.
func (r *run) ruleOf(t *testing.T, name string) view.InboundRule {
	t.Helper()
	for _, rule := range r.daemon.view.Inbound(signal.Day).Rules {
		if rule.ReceiptRule == name && rule.Region == "us-east-1" {
			return rule
		}
	}
	t.Fatalf("no receipt rule %s", name)
	return view.InboundRule{}
}

// receipts sums what the ledger holds of receipt rules, by subject and result, of the days up to a time.
func (r *run) receipts(t *testing.T, from, to time.Time) map[string]float64 {
	t.Helper()
	rows, err := r.daemon.ledger.Readings(t.Context(), ledger.ReadingQuery{Source: observation.ReceiptRules, From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}
	sums := make(map[string]float64)
	for _, row := range rows {
		if slices.Contains(observation.ReceiptResults(), row.Key.Metric) {
			sums[row.Key.Subject+" "+row.Key.Metric] += *row.Value
		}
	}
	return sums
}

// receiptTruth is what the simulator says about the same. Sums of nothing are left out.
func (r *run) receiptTruth(o *traffic.Story, from, to time.Time) map[string]float64 {
	names := map[string]string{
		"Received": observation.ReceiptReceived, "PublishSuccess": observation.ReceiptPublishSuccess,
		"PublishFailure": observation.ReceiptPublishFailure, "PublishExpired": observation.ReceiptPublishExpired,
	}
	sums := make(map[string]float64)
	for _, set := range o.RuleSets {
		for _, rule := range set.Rules {
			id := observation.ReceiptRule{Account: set.Account, Region: set.Region, RuleSet: set.Name, Rule: rule.Name}
			for name, result := range names {
				n := r.sim.CloudWatch().Sum(set.Account, set.Region, traffic.ReceiptMetric(name, set.Name, rule.Name), from, to)
				if n > 0 {
					sums[observation.JoinReceiptRule(id)+" "+result] = n
				}
			}
		}
	}
	return sums
}

// TestInboundNamesTheFailingRule reads the demo's receipt rules in two accounts and stops and starts again in between.
func TestInboundNamesTheFailingRule(t *testing.T) {
	var gone atomic.Int64
	o := quietDemo(morning)
	o.Now = func() time.Time { return morning.Add(time.Duration(gone.Load())) }
	r := startWith(t, o, func(text string) string {
		return without(without(text, "  postmaster:", "  receipt_rules:"), "  account:", "alerts:")
	})
	r.untilRead(t, usRules, euRules)

	lost := r.ruleOf(t, "unsub-flash-friday")
	if lost.Problem == nil || lost.Problem.Kind != "lost" || lost.Purpose != view.PurposeUnsubscribe ||
		lost.Events[observation.ReceiptPublishExpired] == 0 || lost.Signals.Failures.Lasting < 4*3600 {
		t.Errorf("the failing rule is %+v", lost)
	}
	f := func(campaign string, want ...string) {
		t.Helper()
		var got []string
		for _, rule := range r.daemon.view.InboundOf(campaign, signal.Day) {
			got = append(got, rule.ReceiptRule+" "+rule.Problem.Kind)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s suffers from (-want +got):\n%s", campaign, diff)
		}
	}
	f("flash-friday", "unsub-flash-friday lost")
	f("acme-news", "replies-acme silent")
	f("weekly-digest")

	// Points are whole 6 minutes after their minute at the latest.
	from, to := morning.AddDate(0, 0, -13), morning.Add(-10*time.Minute).Truncate(5*time.Minute)
	truth := r.receiptTruth(new(traffic.Demo(morning)), from.Truncate(5*time.Minute), to)
	stored := r.receipts(t, from.Truncate(5*time.Minute), to)
	if diff := cmp.Diff(truth, stored); diff != "" || len(truth) < 10 {
		t.Errorf("-truth +stored\n%s", diff)
	}

	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	gone.Store(int64(10 * time.Minute))
	r.restart(t)
	r.untilRead(t, usRules, euRules)
	if diff := cmp.Diff(truth, r.receipts(t, from.Truncate(5*time.Minute), to)); diff != "" {
		t.Errorf("after a restart: -truth +stored\n%s", diff)
	}
	if again := r.ruleOf(t, "unsub-flash-friday"); again.Problem == nil || again.Problem.Kind != "lost" {
		t.Errorf("after a restart the failing rule is %+v", again)
	}
	var asked cloudWatchCount
	r.daemon.calls.each(func(op cloudWatchOperation, n cloudWatchCount) {
		if op.source == "receipt-rules-us-east-1" && op.operation == "GetMetricData" {
			asked = n
		}
	})
	if passes := r.sourceOf(t, usRules).Passes; asked.calls == 0 || asked.calls > passes.Succeeded+int64(passes.Running) { // or more since
		t.Errorf("after a restart %d metrics were asked for in %d calls of %+v, as if nothing had been read", asked.metrics, asked.calls, passes)
	}
}

// counted is what the daemon's process has counted of a receipt rule, by result.
func (r *run) counted(t *testing.T, rule string) map[string]float64 {
	t.Helper()
	n := make(map[string]float64)
	for line := range strings.SplitSeq(r.metrics(t), "\n") {
		if !strings.HasPrefix(line, "mailvane_receipt_events_total{") || !strings.Contains(line, `receipt_rule="`+rule+`"`) {
			continue
		}
		for _, result := range observation.ReceiptResults() {
			if strings.Contains(line, `result="`+result+`"`) {
				var err error
				if n[result], err = strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return n
}

// TestReceiptsAreCountedOnce stops the daemon, lets six hours go by, so that mail expires, starts it, and then stops and starts
// it at once. What the processes counted is together what the ledger holds since the first read, although each reads hours of it
// again; the past counts nowhere.
func TestReceiptsAreCountedOnce(t *testing.T) {
	var gone atomic.Int64
	o := quietDemo(morning)
	o.Now = func() time.Time { return morning.Add(time.Duration(gone.Load())) }
	r := startWith(t, o, func(text string) string {
		text = without(without(text, "  ses:", "  receipt_rules:"), "  account:", "")
		return strings.ReplaceAll(text, "every: 15s", "every: 15m") // so that each process makes one pass
	})
	const rule = "unsub-flash-friday"
	total := make(map[string]float64)
	for i, pause := range []time.Duration{0, 6 * time.Hour, 0} {
		if i > 0 {
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			gone.Add(int64(pause))
			r.restart(t)
		}
		r.untilRead(t, usRules)
		r.until(t, "counting", func() bool { return len(r.counted(t, rule)) == len(observation.ReceiptResults()) })
		counted := r.counted(t, rule)
		if i == 0 && counted[observation.ReceiptReceived] > 0 {
			t.Errorf("the past was counted: %v", counted)
		}
		for result, n := range counted {
			total[result] += n
		}
	}
	positions, err := r.daemon.ledger.Positions(t.Context(), "receipt-rules-us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	since, err := time.Parse(time.RFC3339, positions[simulator.Account+"/us-east-1//"])
	if err != nil {
		t.Fatal(err)
	}
	stored := r.receipts(t, since, r.now())
	for result, n := range total {
		if held := stored[simulator.Account+"/us-east-1/inbound/"+rule+" "+result]; n != held || result != observation.ReceiptPublishSuccess && n == 0 {
			t.Errorf("%s was counted %v times in all, the ledger holds %v", result, n, held)
		}
	}
}

// TestReloadChangesReceiptRules holds that purposes apply at once and to what was read before, and that sources come and go.
func TestReloadChangesReceiptRules(t *testing.T) {
	o := quietDemo(morning)
	o.Now = standing(morning)
	r := startWith(t, o, func(text string) string { return without(text, "  postmaster:", "  receipt_rules:") })
	good := r.text(t)
	reload := func(text string, want ...string) {
		t.Helper()
		r.write(t, text)
		if err := r.daemon.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range r.daemon.passes.States() {
			if kindOf(s.Name) != kindSES {
				got = append(got, s.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sources (-want +got):\n%s", diff)
		}
	}
	r.untilRead(t, usRules)
	before := r.sourceOf(t, usRules).Passes.Succeeded
	reload(strings.Replace(good, `'^unsub-(?P<campaign>.+)$', purpose: unsubscribe`, `'^unsub-', purpose: other, campaigns: ["*-digest"]`, 1),
		euAccount, usAccount, euRules, usRules)
	if rule := r.ruleOf(t, "unsub-flash-friday"); rule.Purpose != view.PurposeOther || !slices.Equal(rule.Campaigns, []string{"*-digest"}) {
		t.Errorf("for other campaigns now: %+v", rule)
	}
	if n := r.sourceOf(t, usRules).Passes.Succeeded; n < before {
		t.Errorf("%d passes, %d before: it was let go", n, before)
	}
	accounts := strings.Index(good, "  account:")
	reload(good[:accounts], euRules, usRules)
	reload(good[:accounts]+strings.Replace(good[accounts:], "{region: us-east-1,", "{region: us-east-1, name: shop,", 1),
		euAccount, "account/shop", euRules, usRules)
	r.untilRead(t, "account/shop")
	if positions, err := r.daemon.ledger.Positions(t.Context(), "shop"); err != nil || positions["metrics"] == "" {
		t.Errorf("positions under the new name: %v, %v", positions, err)
	}
}

// TestPurposesOfAnotherAccount holds that what is said of one account's receipt rules goes before what is said of whatever
// account the credentials are of.
func TestPurposesOfAnotherAccount(t *testing.T) {
	c := &config.Config{Collectors: config.Collectors{ReceiptRules: []config.ReceiptRules{
		{Region: "us-east-1", Rules: []config.ReceiptPurpose{{Match: "x", Purpose: "reply", Campaigns: []config.Glob{"promo-*"}}}},
		{Region: "us-east-1", RoleARN: simulator.RoleEU, Rules: []config.ReceiptPurpose{{Match: "x", Purpose: "dmarc"}}},
	}}}
	got, err := receiptPurposes(c)
	if err != nil || len(got) != 2 || got[0].Account != simulator.AccountEU || got[1].Account != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	rule := got[1].Rules[0]
	if rule.Purpose != view.PurposeReply || !rule.Match.MatchString("xx") || !rule.Campaigns.Match("promo-spring") ||
		!slices.Equal(rule.CampaignNames, []string{"promo-*"}) {
		t.Errorf("%+v", rule)
	}
}
