package app

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// awsSources is a configuration of two accounts, with patterns that match, that are never come to, and that match nothing.
const awsSources = `
ledger: {path: %q}
collectors:
  receipt_rules:
    - region: us-east-1
      rules:
        - {match: '^unsub-(?P<campaign>.+)$', purpose: unsubscribe}
        - {match: '^unsub-flash-friday$', purpose: reply}
        - {match: '^replies', purpose: reply}
        - {match: '^bounces-', purpose: other}
        - {match: '^abuse$', purpose: other}
    - {region: eu-west-1, role_arn: %q, every: 1m}
  account:
    - {region: us-east-1, requests_per_second: 100}
    - {region: eu-west-1, role_arn: %q, every: 1h, requests_per_second: 100}
`

// askedAWS asks the demo's two accounts, without most of their mail, and writes what is found out as check --online does.
type askedAWS struct {
	sim *simulator.Simulator
	env Environment
	c   *config.Config
}

func newAskedAWS(t *testing.T) *askedAWS {
	t.Helper()
	now := time.Date(2026, time.November, 18, 10, 20, 0, 0, time.UTC)
	o := simulator.Demo(now, 1, 1)
	o.Story.Campaigns = slices.DeleteFunc(o.Story.Campaigns, func(c traffic.Campaign) bool { return c.Name != "globex-updates" })
	o.Now = func() time.Time { return now }
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	text := fmt.Sprintf(awsSources, t.TempDir()+"/none.db", simulator.RoleEU, simulator.RoleEU)
	c, problems := config.Load("mailvane.yaml", []byte(text))
	if config.Failed(problems) {
		t.Fatal(problems)
	}
	return &askedAWS{sim: sim, env: environmentOf(sim, o.Now), c: c}
}

// ask renders what is found out by the questions that are about something.
func (a *askedAWS) ask(t *testing.T, about string) string {
	t.Helper()
	all := slices.DeleteFunc(questions(a.env, a.c), func(q question) bool { return !strings.Contains(q.about, about) })
	found, err := askAll(t.Context(), all, patience)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "\n%s\n", f.About)
		for _, finding := range f.List {
			fmt.Fprintf(&b, "  %-8s %s\n", finding.Level, finding.Text)
			for _, step := range finding.Fix {
				fmt.Fprintf(&b, "           -> %s\n", step)
			}
		}
	}
	if strings.Contains(b.String(), simulator.SecretKey+"/") {
		t.Error("a credential is told")
	}
	return b.String()
}

// fault lets calls of some operations fail until remove is called.
func (a *askedAWS) fault(ops, code string) (remove func()) {
	var all []func()
	for op := range strings.FieldsSeq(ops) {
		f := gate.Fault{Kind: gate.FaultError, Op: op, Error: code}
		all = append(all, a.sim.CloudWatch().Inject(f), a.sim.SESAPI().Inject(f))
	}
	return func() {
		for _, remove := range all {
			remove()
		}
	}
}

// TestAskAWS holds what is said about receipt rules and accounts, with all permissions and without.
func TestAskAWS(t *testing.T) {
	a := newAskedAWS(t)
	var b strings.Builder
	b.WriteString("# All permissions.\n" + a.ask(t, "receipt rules") + a.ask(t, "SES account"))
	f := func(about, op, code string) {
		t.Helper()
		remove := a.fault(op, code)
		defer remove()
		fmt.Fprintf(&b, "\n# %s: %s.\n%s", op, code, a.ask(t, about))
	}
	f("receipt rules in us", "DescribeActiveReceiptRuleSet", "AccessDenied")
	f("receipt rules in us", "ListMetrics", "AccessDenied")
	f("receipt rules in us", "GetMetricData", "AccessDenied")
	f("receipt rules in us", "ListMetrics", "Throttling")
	f("receipt rules in eu", "AssumeRole", "AccessDenied")
	f("SES account in us", "GetMetricData", "AccessDenied")
	f("SES account in us", "GetAccount ListTenants ListRecommendations ListReputationEntities ListMetrics", "AccessDenied")
	f("SES account in us", "GetAccount ListTenants ListRecommendations ListReputationEntities ListMetrics GetMetricData", "AccessDenied")
	f("SES account in us", "GetCallerIdentity", "InvalidClientTokenId")
	f("SES account in eu", "ListTenants", "TooManyRequestsException")
	f("SES account in eu", "GetAccount", "ServiceUnavailable")
	f("SES account in us", "ListMetrics", "ExpiredToken")
	golden(t, "testdata/online_cloudwatch.txt", b.String())
}

// TestAskAWSInTrouble holds what is said about accounts that SES finds fault with, and where nothing has happened yet.
func TestAskAWSInTrouble(t *testing.T) {
	a := newAskedAWS(t)
	us, eu := sesapi.Place{Account: simulator.Account, Region: "us-east-1"}, sesapi.Place{Account: simulator.AccountEU, Region: simulator.RegionEU}
	a.sim.SESAPI().Change(func(o *sesapi.Options) {
		o.Standings = []sesapi.Standing{
			{Place: us, Enforcement: "SHUTDOWN", Paused: true, Max24Hour: 50_000, MaxRate: 14},
			{Place: eu, Paused: true, Sandbox: true, Max24Hour: 200, MaxRate: 1},
		}
		o.Story.RuleSets = nil
	})
	remove := a.fault("ListMetrics", "AccessDenied")
	accounts := a.ask(t, "SES account")
	remove()
	golden(t, "testdata/online_trouble.txt", accounts+a.ask(t, "receipt rules in us"))
}

// TestAskAWSKeepsPace: two questions about an account are asked no faster than SES allows, and each call once.
func TestAskAWSKeepsPace(t *testing.T) {
	a := newAskedAWS(t)
	a.sim.SESAPI().Change(func(o *sesapi.Options) { o.Limited = true })
	if text := a.ask(t, "us-east-1"); strings.Contains(text, "note     the answer was") || strings.Contains(text, "problem") {
		t.Error(text)
	}
	want := map[string]int{
		"GetCallerIdentity": 2, "DescribeActiveReceiptRuleSet": 1, "GetAccount": 1, "ListTenants": 1, "ListRecommendations": 1, "ListReputationEntities": 1,
	}
	if diff := cmp.Diff(want, a.sim.SESAPI().Requests()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := a.sim.CloudWatch().Queries(); got != 3 {
		t.Errorf("%d metrics were paid for", got)
	}
}

// TestRuleFindingsAreBounded: names are quoted, and neither many rules nor many rule sets flood the terminal.
func TestRuleFindingsAreBounded(t *testing.T) {
	f := receiptrules.Found{Listed: true}
	for set := range 2 * maxFindings {
		for rule := range 2 * maxNamed {
			f.Rules = append(f.Rules, receiptrules.Rule{RuleSet: fmt.Sprintf("set\n%03d", set), Name: fmt.Sprintf("rule\n%03d", rule), Counted: true})
		}
	}
	c := config.ReceiptRules{Rules: []config.ReceiptPurpose{{Match: "^rule", Purpose: "reply"}}}
	all := append(ruleFindings(&c, &f), purposeFindings(&c, &f)...)
	if len(all) != maxFindings+2 {
		t.Errorf("%d findings", len(all))
	}
	for _, finding := range all {
		if strings.Contains(finding.Text, "\n") || strings.Count(finding.Text, "rule\\n") > maxNamed {
			t.Errorf("got %s", finding.Text)
		}
	}
	if text := all[0].Text; !strings.HasSuffix(text, " and 20 more") {
		t.Errorf("got %s", text)
	}
}

// TestMonthly holds the figures of docs/cloudwatch.md.
func TestMonthly(t *testing.T) {
	f := func(metrics int, every time.Duration, want float64) {
		t.Helper()
		if got := monthly(metrics, every); math.Abs(got-want) > 0.005 {
			t.Errorf("%d every %s: got %v, want %v", metrics, every, got, want)
		}
	}
	f(11, 5*time.Minute, 0.96)
	f(11, time.Hour, 0.08)
	f(3, time.Hour, 0.02)
	f(4, 5*time.Minute, 0.35)
	f(11, time.Minute, 5*0.9636)
	f(0, time.Minute, 0)
}

// TestAskAWSIsCutShort: an end of the question is said, with what was found out.
func TestAskAWSIsCutShort(t *testing.T) {
	a := newAskedAWS(t)
	remove := a.sim.CloudWatch().Inject(gate.Fault{Kind: gate.FaultHang, Op: "ListMetrics"})
	defer remove()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() { // its time is over as soon as the call hangs
		for a.sim.CloudWatch().Requests()["ListMetrics"] == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel(errLate{500 * time.Millisecond})
	}()
	all := askSESAccount(ctx, a.env, &a.c.Collectors.Account[0])
	if len(all) != 3 || all[0].Level != FindingOK || all[1].Level != FindingOK || !strings.Contains(all[2].Text, "longer than 500ms") {
		t.Errorf("got %v", all)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
