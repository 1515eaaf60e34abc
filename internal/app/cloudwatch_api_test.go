package app

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// TestTheAPITellsWhatSuffers asks the daemon about the demo's trouble, as a person would.
func TestTheAPITellsWhatSuffers(t *testing.T) {
	o := simulator.Demo(morning, 1, 1)
	o.Now = standing(morning)
	kept := []string{"flash-friday", "acme-news", "survey-tool", "receipts"}
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool { return !slices.Contains(kept, c.Name) })
	for i := range o.Story.Campaigns { // some mail, although it is no Friday
		o.Story.Campaigns[i].Sends, o.Story.Campaigns[i].PerDay = nil, 120
	}
	littlePost(&o, morning)
	r := startWith(t, o, func(text string) string {
		queues, others, _ := strings.Cut(text, "  postmaster:")
		_, aws, _ := strings.Cut(others, "  receipt_rules:")
		return queues + "  receipt_rules:" + aws
	})
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.Add(-28*time.Hour), morning)); err != nil {
		t.Fatal(err)
	}
	r.untilRead(t, usRules, usAccount, euRules, euAccount)
	r.keepsContract(t, "/api/v1/inbound", "/api/v1/inbound?problem=any&window=1h", "/api/v1/sources", "/api/v1/campaigns",
		"/api/v1/campaigns/flash-friday", "/api/v1/inbound?problem=worst")
	r.checkInbound(t)
	r.checkFlags(t)
	var sources web.Sources
	r.ask(t, "/api/v1/sources", &sources)
	r.checkCovered(t, &sources.SES)
	for _, s := range sources.Sources {
		asks := s.Kind == "receipt_rules" || s.Kind == "account"
		if asks != (s.CloudWatch != nil) || asks && (s.CloudWatch.Metrics == 0 || s.CloudWatch.Dollars != float64(s.CloudWatch.Metrics)/100_000) {
			t.Errorf("%s asked CloudWatch for %+v", s.Name, s.CloudWatch)
		}
	}
	r.checkExported(t)
}

// checkInbound holds that the failing rule is named first, with what it fails to do, and who suffers.
func (r *run) checkInbound(t *testing.T) {
	t.Helper()
	var inbound struct {
		Total int
		Rules []map[string]any
	}
	r.ask(t, "/api/v1/inbound?window=24h&problem=any", &inbound)
	if inbound.Total != 2 || len(inbound.Rules) != 2 {
		t.Fatalf("%d rules with problems, want 2: %v", inbound.Total, inbound.Rules)
	}
	worst := inbound.Rules[0]
	problem, _ := worst["problem"].(map[string]any)
	if worst["receipt_rule"] != failing || worst["purpose"] != "unsubscribe" || problem["kind"] != "lost" ||
		!strings.Contains(problem["means"].(string), "report it as spam") || !cmp.Equal(worst["campaigns"], []any{"flash-friday"}) {
		t.Errorf("the worst rule is %v", worst)
	}
}

// checkFlags holds that those who suffer are flagged, and nobody else.
func (r *run) checkFlags(t *testing.T) {
	t.Helper()
	var campaigns struct {
		Campaigns []struct {
			ID      string
			Inbound *view.InboundFlag
		}
	}
	flags := map[string]string{}
	r.ask(t, "/api/v1/campaigns?window=24h", &campaigns)
	for _, c := range campaigns.Campaigns {
		if c.Inbound != nil {
			flags[c.ID] = c.Inbound.Problem + " " + c.Inbound.ReceiptRule
		}
	}
	if diff := cmp.Diff(map[string]string{"flash-friday": "lost unsub-flash-friday", "acme-news": "silent replies-acme"}, flags); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	var detail struct {
		Inbound []struct {
			Rule string `json:"receipt_rule"`
		}
	}
	r.ask(t, "/api/v1/campaigns/flash-friday?window=24h", &detail)
	if len(detail.Inbound) != 1 || detail.Inbound[0].Rule != failing {
		t.Errorf("flash-friday suffers from %+v", detail.Inbound)
	}
}

// checkExported holds that some of all of this is in a scrape.
func (r *run) checkExported(t *testing.T) {
	t.Helper()
	got := awsSeries(t, r.metrics(t))
	for _, name := range []string{
		`cloudwatch_requests_total{collector="` + usRules + `",operation="GetMetricData",region="us-east-1"}`,
		`cloudwatch_metrics_total{collector="` + euAccount + `",operation="GetMetricData",region="eu-west-1"}`,
		`cloudwatch_requests_total{collector="` + usAccount + `",operation="ListMetrics",region="us-east-1"}`,
		`receipt_rule_info{account="` + simulator.Account + `",purpose="unsubscribe",receipt_rule="unsub-flash-friday",region="us-east-1",rule_set="inbound"}`,
	} {
		if got[name] == 0 {
			t.Errorf("%s is not exported", name)
		}
	}
}

// ask decodes an answer.
func (r *run) ask(t *testing.T, path string, into any) {
	t.Helper()
	if err := json.NewDecoder(r.get(t, path).Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// checkCovered holds that what is covered of the account's mail is all but that of the set that publishes nothing.
func (r *run) checkCovered(t *testing.T, all *view.Accounts) {
	t.Helper()
	if len(all.Accounts) != 2 {
		t.Fatalf("%d accounts, want 2", len(all.Accounts))
	}
	c := &all.Accounts[0].Coverage
	whole, missing := 0.0, 0.0
	for _, name := range []string{"Send", "Delivery", "Bounce", "Complaint"} {
		sum := func(m traffic.Metric) float64 {
			return r.sim.CloudWatch().Sum(simulator.Account, "us-east-1", m, c.From, c.To)
		}
		whole += sum(traffic.AccountMetric(name))
		missing += sum(traffic.SetMetric(name, "survey-tool"))
	}
	if c.Events.Share == nil || math.Abs(*c.Events.Share-(1-missing/whole)) > 0.005 || missing == 0 {
		t.Errorf("covered: %+v, the truth is %v of %v missing", c.Events, missing, whole)
	}
}
