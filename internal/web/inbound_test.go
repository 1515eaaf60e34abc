package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

const (
	awsAccount = "111122223333"
	awsRegion  = "eu-west-1"
)

// told are readings that a ledger is to hold.
type told []observation.Reading

// tell adds a reading of the period that began so long before noon.
func (say *told) tell(key observation.ReadingKey, ago, length time.Duration, value *float64, text string) {
	start := noon.Add(-ago).Truncate(length)
	*say = append(*say, observation.Reading{Key: key, Start: start, End: start.Add(length), Value: value, Text: text})
}

// receipt is what CloudWatch or SES says about a receipt rule; results count five minutes, the rest is of the day.
func (say *told) receipt(set, rule, metric string, ago time.Duration, value *float64, text string) {
	id := observation.ReceiptRule{Account: awsAccount, Region: awsRegion, RuleSet: set, Rule: rule}
	length := 24 * time.Hour
	for _, result := range observation.ReceiptResults() {
		if metric == result {
			length = signal.ReceiptPeriod
		}
	}
	key := observation.ReadingKey{Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: metric}
	say.tell(key, ago, length, value, text)
}

// account is what is said about the account in an hour.
func (say *told) account(source, metric, detail string, hours int, value *float64, text string) {
	subject := observation.AccountSubject(awsAccount, awsRegion)
	key := observation.ReadingKey{Source: source, Subject: subject, Metric: metric, Detail: detail}
	say.tell(key, time.Duration(hours)*time.Hour, time.Hour, value, text)
}

// postLedger has unsubscribes from a campaign that are lost, a rule that all share and that fell silent, and one that is
// switched off. Its account is reviewed, and some of its mail has no configuration set.
func postLedger(t *testing.T) *gmailLedger {
	l := newGmailLedger(t)
	l.now = noon.Add(17 * time.Minute)
	l.send(t, 0, observation.Campaign{Name: "spring-sale"}, observation.Stamp{FromDomain: "news.example.com", A: "spring-sale"}, 120)
	l.send(t, 0, observation.Campaign{Name: "autumn-sale", Tenant: "acme"}, observation.Stamp{FromDomain: "news.example.com"}, 80)
	var say told
	say.rules()
	say.standing(t)
	l.commit(t, ledger.Put{Readings: say})
	return l
}

// rules are the receipt rules of such a ledger.
func (say *told) rules() {
	for hours := 1; hours <= 10*24; hours += 6 {
		say.receipt("main", "unsub-spring-sale", observation.ReceiptReceived, time.Duration(hours)*time.Hour, new(3.0), "")
		if hours > 3*24 {
			say.receipt("main", "replies", observation.ReceiptReceived, time.Duration(hours)*time.Hour, new(1.0), "")
			say.receipt("main", "replies", observation.ReceiptPublishSuccess, time.Duration(hours)*time.Hour, new(1.0), "")
		}
	}
	for _, minutes := range []time.Duration{5, 30, 55, 80} {
		say.receipt("main", "unsub-spring-sale", observation.ReceiptPublishFailure, minutes*time.Minute, new(21.0), "")
	}
	say.receipt("main", "unsub-spring-sale", observation.ReceiptPublishExpired, 10*time.Minute, new(2.0), "")
	say.receipt("main", "", observation.ReceiptRuleCount, 0, new(3.0), "")
	say.receipt("", "", observation.ReceiptActiveSet, 0, nil, observation.ReceiptSetActive)
	say.receipt("", "", observation.ReceiptThrough, 0, new(float64(noon.Add(5*time.Minute).Unix())), "")
	for rule, text := range map[string]string{"unsub-spring-sale": "", "replies": "", "dmarc": observation.ReceiptDisabled} {
		say.receipt("main", rule, observation.ReceiptRecipientCount, 0, new(1.0), text)
		say.receipt("main", rule, observation.ReceiptActions, 0, nil, "S3")
	}
}

// standing is how the account of such a ledger stands.
func (say *told) standing(t *testing.T) {
	t.Helper()
	for _, p := range observation.AccountParts() {
		text := observation.AccountAccessOK
		if p == observation.AccountPartEntities {
			text = observation.AccountDenied
		}
		say.account(p.Source(), observation.AccountAccess, string(p), 0, nil, text)
	}
	say.account(observation.AccountSES, observation.AccountEnforcement, "", 0, nil, "PROBATION")
	say.account(observation.AccountSES, observation.AccountSendingEnabled, "", 0, new(1.0), "")
	say.account(observation.AccountSES, observation.AccountQuotaMax, "", 0, new(50_000.0), "")
	say.account(observation.AccountSES, observation.AccountQuotaSent, "", 0, new(41_000.0), "")
	items, err := observation.FormatAccountItems([]observation.AccountItem{{Resource: "tenant/acme", Type: "BOUNCE", Impact: "LOW"}})
	if err != nil {
		t.Fatal(err)
	}
	say.account(observation.AccountSES, observation.AccountRecommendations, "", 0, new(1.0), items)
	for hours := range 30 {
		say.account(observation.AccountCloudWatch, observation.AccountBounceRate, "", hours, new(0.06-0.001*float64(hours)), "")
	}
	say.account(observation.AccountCloudWatch, observation.AccountTenantSend, observation.TenantDetail("acme", "tn-1"), 24, new(2000.0), "")
	say.account(observation.AccountCloudWatch, observation.AccountTenantBounce, observation.TenantDetail("acme", "tn-1"), 24, new(160.0), "")
	for hours := 1; hours <= 26; hours++ {
		say.account(observation.AccountCloudWatch, observation.AccountRead, string(observation.AccountPartMetrics), hours, new(1.0), "bounce complaint delivery send")
	}
	for metric, n := range map[string]float64{observation.AccountSend: 250, observation.AccountDelivery: 240, observation.AccountBounce: 10} {
		say.account(observation.AccountCloudWatch, metric, "", 3, &n, "")
	}
}

// post is what a daemon answers from such a ledger.
func (l *gmailLedger) post(t *testing.T) http.Handler {
	t.Helper()
	v := view.New(l, view.Options{Group: func(string) string { return "" }, Settings: view.Settings{
		ReceiptPurposes: []view.ReceiptPurposes{{Region: awsRegion, Rules: []view.ReceiptPurpose{
			{Match: regexp.MustCompile(`^unsub-(?P<campaign>.+)$`), Purpose: view.PurposeUnsubscribe},
			{Match: regexp.MustCompile(`^replies$`), Purpose: view.PurposeReply},
			{Match: regexp.MustCompile(`^dmarc$`), Purpose: view.PurposeDMARC},
		}}},
	}})
	for _, do := range []func(context.Context) error{l.Fold, v.Refresh, v.RefreshInbound, v.RefreshAccounts} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{View: v, Log: slog.New(slog.DiscardHandler), Sources: func(context.Context) (Sources, error) {
		return Sources{
			AsOf: l.now, Published: []Published{}, Names: []Names{}, Unclassified: []Unclassified{},
			Sources: []Source{{Name: "account/eu", Kind: "account", State: "ok", CloudWatch: &CloudWatchUse{Requests: 3, Metrics: 1200, Dollars: 0.012}}},
			Ledger:  LedgerInfo{Writable: true, Horizon: map[string]float64{}},
		}, nil
	}})
}

func TestInboundAnswers(t *testing.T) {
	h := postLedger(t).post(t)
	for file, target := range map[string]string{
		"inbound.json":           "/api/v1/inbound?window=24h",
		"inbound_problems.json":  "/api/v1/inbound?window=1h&problem=any&campaign=autumn-sale&purpose=dmarc&sort=name",
		"inbound_campaigns.json": "/api/v1/campaigns?window=24h&sort=name",
		"inbound_campaign.json":  "/api/v1/campaigns/spring-sale?window=24h",
		"inbound_sources.json":   "/api/v1/sources",
	} {
		got := ask(t, h, target, http.StatusOK)
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

// The words that queries may hold are those of the document, and the orders and filters do what they say.
func TestInboundQueries(t *testing.T) {
	h := postLedger(t).post(t)
	f := func(query, want string) {
		t.Helper()
		var got struct {
			Total int
			Rules []struct {
				Name string `json:"receipt_rule"`
			}
		}
		if err := json.Unmarshal(ask(t, h, "/api/v1/inbound?"+query, http.StatusOK), &got); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range got.Rules {
			names = append(names, r.Name)
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s: %v of %d, want %s", query, names, got.Total, want)
		}
	}
	f("", "unsub-spring-sale dmarc replies")
	f("problem=silent", "replies")
	f("sort=problem&limit=1&offset=1", "dmarc")
	for _, sort := range view.InboundSorts()[2:] {
		f("sort="+sort+"&match=unsub*", "unsub-spring-sale")
	}
	for _, problem := range append(view.ProblemKinds(), view.AnyProblem) {
		ask(t, h, "/api/v1/inbound?problem="+problem, http.StatusOK)
	}
	for _, purpose := range view.Purposes() {
		ask(t, h, "/api/v1/inbound?purpose="+string(purpose), http.StatusOK)
	}
	f("account="+awsAccount+"&region="+awsRegion+"&rule_set=main&purpose=reply", "replies")
	f("region=us-east-1", "")
	for _, query := range []string{"window=30d", "problem=bad", "purpose=none", "sort=worst", "limit=0"} {
		ask(t, h, "/api/v1/inbound?"+query, http.StatusBadRequest)
	}
}

// Before anything is known, answers are empty and keep the contract, too.
func TestInboundOfAnEmptyLedger(t *testing.T) {
	l := newGmailLedger(t)
	for _, h := range []http.Handler{l.post(t), New(Options{View: view.New(l, view.Options{}), Log: slog.New(slog.DiscardHandler)})} {
		ask(t, h, "/api/v1/inbound", http.StatusOK)
	}
	ask(t, l.post(t), "/api/v1/sources", http.StatusOK)
}
