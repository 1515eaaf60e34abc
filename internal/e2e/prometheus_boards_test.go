package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/dashboards"
)

// query is one of a board: what a panel or a variable asks.
type query struct {
	board, panel, expr string
	over               bool
}

func (q *query) name() string { return q.board + ": " + q.panel }

// unmet are selectors of queries that the demo's world does not meet, beside others of the same query that it does.
var unmet = map[string]string{
	`result!="success"`: "none of the demo's passes fails",
	// The other outcomes of the same panel are asked for all the same.
	`mailvane_campaign_provider_recipients_total{job=~".*",tenant=~".*",campaign=~".*",outcome="hard_bounced"`: "no mail may have bounced since the demo began",
	`mailvane_campaign_provider_recipients_total{job=~".*",tenant=~".*",campaign=~".*",outcome="soft_bounced"`: "no mail may have bounced since the demo began",

	`outcome="complained"`: "nobody may have complained since the demo began",
	`outcome="delayed"`:    "no mail may have been put off since the demo began",
}

// replaced are the variables as Grafana would put them in when everything is chosen.
var replaced = strings.NewReplacer("$__rate_interval", "10s", "$__range", "1m", "$window", "7d", "$job", ".*", "$tenant", ".*", "$campaign", ".*",
	"$domain", ".*", "$provider", ".*", "$region", ".*")

// boardQueries reads all queries of the shipped boards.
func boardQueries(t *testing.T) []query {
	t.Helper()
	names, err := fs.Glob(dashboards.Files(), dashboards.Grafana+"/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []query
	for _, name := range names {
		data, err := fs.ReadFile(dashboards.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var b struct {
			Title  string
			Panels []struct {
				Title   string
				Targets []struct {
					Expr  string
					Range bool
				}
			}
		}
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				all = append(all, query{strings.TrimPrefix(b.Title, "Mailvane / "), p.Title, replaced.Replace(target.Expr), target.Range})
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d queries were found in the boards", len(all))
	}
	return all
}

var metric = regexp.MustCompile(`mailvane[_:][a-z0-9_:]+(?:\{[^}]*\})?`)

// watchedByPrometheus shows the demo to a real Prometheus, with the rules that are shipped. It asks every query of every board,
// and looks at every rule and at what fires.
func watchedByPrometheus(t *testing.T, program, demo string) {
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), program, "dashboards", "export", "--dir", folder).CombinedOutput(); err != nil {
		t.Fatalf("mailvane dashboards export: %v\n%s", err, out)
	}
	heard := newReceiver(t)
	alertmanager := startAlertmanager(t, heard.URL)
	p := startPrometheus(t, demo, filepath.Join(folder, dashboards.Prometheus), alertmanager)

	t.Run("boards", func(t *testing.T) { p.checkBoards(t) })
	t.Run("selectors", func(t *testing.T) { p.checkSelectors(t) })
	t.Run("providers", func(t *testing.T) { p.checkProviders(t) })
	t.Run("rules", func(t *testing.T) { p.checkRules(t) })
	t.Run("alerts", func(t *testing.T) { p.checkAlerts(t) })
	t.Run("Alertmanager", func(t *testing.T) { checkAlertmanager(t, alertmanager) })
}

// checkBoards: every query is answered, and where the demo has data, not with nothing. What is counted while somebody looks
// takes some seconds to come.
func (p *prometheus) checkBoards(t *testing.T) {
	left := boardQueries(t)
	eventually(t, "every panel shows something", func() string {
		var empty []string
		left = slices.DeleteFunc(left, func(q query) bool {
			n, err := p.series(t.Context(), q.expr, q.over)
			if err != nil {
				t.Fatalf("%s: %v\n%s", q.name(), err, q.expr)
			}
			if n == 0 && !allowed(q.expr) {
				empty = append(empty, q.name()+": "+q.expr)
				return false
			}
			return true
		})
		return strings.Join(empty, "\n")
	})
}

func allowed(expr string) bool {
	for part := range unmet {
		if strings.Contains(expr, part) {
			return true
		}
	}
	return false
}

// checkSelectors asks for each metric of each query by itself, with its matchers: an unknown one would hide behind an operator.
func (p *prometheus) checkSelectors(t *testing.T) {
	unseen := map[string]string{}
	for _, q := range boardQueries(t) {
		for _, m := range metric.FindAllString(q.expr, -1) {
			if !allowed(m) {
				unseen[m] = q.name()
			}
		}
	}
	eventually(t, "every metric of a query is there", func() string {
		var missing []string
		for m, of := range unseen {
			n, err := p.series(t.Context(), m, false)
			if err != nil {
				t.Fatalf("%s: %v", m, err)
			}
			if n == 0 {
				missing = append(missing, m+" of "+of)
				continue
			}
			delete(unseen, m)
		}
		return strings.Join(missing, "\n")
	})
}

// checkProviders: of the many providers, the large ones are shown by name.
func (p *prometheus) checkProviders(t *testing.T) {
	var shown []string
	if err := p.get(t.Context(), "label/provider/values", url.Values{"match[]": {"mailvane_provider_signal_ratio"}}, &shown); err != nil {
		t.Fatal(err)
	}
	for _, large := range []string{"gmail", "microsoft", "yahoo", "apple"} {
		if !slices.Contains(shown, large) {
			t.Errorf("%s is not among the providers that are shown: %v", large, shown)
		}
	}
}

// checkRules: every rule is evaluated without an error, and what rules record is there.
func (p *prometheus) checkRules(t *testing.T) {
	type rule struct{ Name, Type, Health, LastError string }
	eventually(t, "every rule is evaluated and well", func() string {
		var data struct {
			Groups []struct{ Rules []rule }
		}
		if err := p.get(t.Context(), "rules", nil, &data); err != nil {
			t.Fatal(err)
		}
		var ill []string
		n := 0
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				n++
				if r.Health != "ok" {
					ill = append(ill, fmt.Sprintf("%+v", r))
				}
				if r.Type == "recording" {
					if found, err := p.series(t.Context(), r.Name, false); err != nil || found == 0 {
						ill = append(ill, fmt.Sprintf("%s records nothing: %v", r.Name, err))
					}
				}
			}
		}
		if n < 50 {
			ill = append(ill, fmt.Sprintf("only %d rules were loaded", n))
		}
		return strings.Join(ill, "\n")
	})
}

// Rules that need no history of Prometheus's own. Those of states see what the daemon's do. Those of rates do so too, but the
// daemon has watched for longer, and lets an alert stand for hours after its mail has left the window.
var (
	stateRules = []string{
		"AccountBounceRate", "AccountComplaintRate", "AccountQuota", "AccountSendingPaused", "AccountStatus", "DedupeHorizon",
		"GmailCompliance", "NotifierFailing", "QuarantineFull", "QueueLag", "ReceivingStopped", "TenantFindings", "TenantPaused",
	}
	rateRules = []string{
		"CampaignBlockRate", "CampaignComplaintRate", "CampaignHardBounceRate", "ProviderBlockRate", "ProviderComplaintRate",
		"ProviderHardBounceRate",
	}
)

// checkAlerts: what fires here is what the daemon's own rules find, and Mailvane is neither down nor stale.
func (p *prometheus) checkAlerts(t *testing.T) {
	eventually(t, "Prometheus and the daemon find the same", func() string {
		ours, theirs := p.ownAlerts(t), p.alerts(t)
		if ours["GmailCompliance"] == 0 || ours["AccountComplaintRate"] == 0 {
			return fmt.Sprintf("the daemon has not found the demo's story yet: %v", ours)
		}
		for _, rule := range rateRules {
			if theirs[rule] <= ours[rule] {
				delete(theirs, rule)
				delete(ours, rule)
			}
		}
		return cmp.Diff(ours, theirs)
	})
}

// ownAlerts counts the daemon's alerts by rule.
func (p *prometheus) ownAlerts(t *testing.T) map[string]int {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	ask := url.Values{"query": {`sum by (rule) (mailvane_alerts{state!="pending"}) > 0`}}
	if err := p.get(t.Context(), "query", ask, &data); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, s := range data.Result {
		if slices.Contains(stateRules, s.Metric["rule"]) || slices.Contains(rateRules, s.Metric["rule"]) {
			n, err := strconv.Atoi(s.Value[1].(string))
			if err != nil {
				t.Fatal(err)
			}
			found[s.Metric["rule"]] = n
		}
	}
	return found
}

// alerts counts Prometheus's alerts likewise, a warning and a critical of one subject once. It fails on a template that could
// not be expanded, and if Mailvane is said to be down or stale.
func (p *prometheus) alerts(t *testing.T) map[string]int {
	t.Helper()
	var data struct {
		Alerts []struct {
			Labels, Annotations map[string]string
			State               string
		}
	}
	if err := p.get(t.Context(), "alerts", nil, &data); err != nil {
		t.Fatal(err)
	}
	subjects, found := map[string]bool{}, map[string]int{}
	for _, a := range data.Alerts {
		for name, text := range a.Annotations {
			if strings.Contains(text, "<error") || strings.Contains(text, "<no value>") {
				t.Errorf("%s: %s is %q", a.Labels["alertname"], name, text)
			}
		}
		rule := a.Labels["alertname"]
		if a.State == "firing" && (rule == "MailvaneDown" || rule == "MailvaneStale") {
			t.Errorf("%s fires: %s", rule, a.Annotations["summary"])
		}
		delete(a.Labels, "severity")
		subject := fmt.Sprint(a.Labels) // maps are printed in order
		if a.State == "firing" && !subjects[subject] && (slices.Contains(stateRules, rule) || slices.Contains(rateRules, rule)) {
			subjects[subject] = true
			found[rule]++
		}
	}
	return found
}

// checkAlertmanager: it has taken the alerts.
func checkAlertmanager(t *testing.T, at string) {
	eventually(t, "Alertmanager holds the alerts", func() string {
		am := daemon{url: at}
		var held []struct{ Labels map[string]string }
		am.get(t, "/api/v2/alerts", &held)
		for _, a := range held {
			if a.Labels["alertname"] == "AccountComplaintRate" && a.Labels["severity"] == "warning" && a.Labels["region"] == "us-east-1" {
				return ""
			}
		}
		return fmt.Sprintf("%v has no AccountComplaintRate", held)
	})
}
