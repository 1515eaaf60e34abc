package telemetry

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/mailvane/mailvane/internal/observation"
)

func receipt(set, rule string) observation.ReceiptRule {
	return observation.ReceiptRule{Account: "111122223333", Region: "eu-west-1", RuleSet: set, Rule: rule}
}

func grow(tel *Telemetry, source string, rule observation.ReceiptRule, metric string, by float64) {
	tel.Counts().Grew(&observation.ReadingKey{Source: source, Subject: observation.JoinReceiptRule(rule), Metric: metric}, by)
}

func receiptSeries(set, rule, result string) string {
	return "account=111122223333,receipt_rule=" + rule + ",region=eu-west-1,result=" + result + ",rule_set=" + set
}

// Of all readings, those count that say what a receipt rule did; a known rule has all of its counters from the start.
func TestReceiptEvents(t *testing.T) {
	r := sdk.NewManualReader()
	tel, _ := start(t, Options{Readers: []sdk.Reader{r}})
	tel.KnowReceiptRule(receipt("main", "unsub"))
	grow(tel, observation.ReceiptRules, receipt("main", "unsub"), observation.ReceiptReceived, 3)
	grow(tel, observation.ReceiptRules, receipt("main", "unsub"), observation.ReceiptReceived, 2)
	grow(tel, observation.ReceiptRules, receipt("", "unsub"), observation.ReceiptPublishFailure, 1)
	grow(tel, observation.ReceiptRules, receipt("", "alone"), observation.ReceiptPublishExpired, 4)
	grow(tel, observation.ReceiptRules, receipt("main", ""), observation.ReceiptReceived, 7)
	grow(tel, observation.ReceiptRules, receipt("main", "unsub"), observation.ReceiptRecipientCount, 7)
	grow(tel, observation.AccountCloudWatch, receipt("main", "unsub"), observation.ReceiptReceived, 7)
	tel.Counts().Grew(&observation.ReadingKey{Source: observation.ReceiptRules, Subject: "odd", Metric: observation.ReceiptReceived}, 7)
	tel.KnowReceiptRule(receipt("main", "unsub"))
	want := map[string]float64{
		receiptSeries("main", "unsub", "received"): 0, receiptSeries("main", "unsub", "publish_success"): 0,
		receiptSeries("main", "unsub", "publish_failure"): 0, receiptSeries("main", "unsub", "publish_expired"): 0,
		receiptSeries("", "alone", "publish_expired"): 0,
	}
	if diff := cmp.Diff(want, collect(t, r, ReceiptEvents)); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	want[receiptSeries("main", "unsub", "received")] = 5
	want[receiptSeries("main", "unsub", "publish_failure")] = 1
	want[receiptSeries("", "alone", "publish_expired")] = 4
	if diff := cmp.Diff(want, collect(t, r, ReceiptEvents)); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
}

func TestReceiptRulesBeyondTheLimitAreOther(t *testing.T) {
	r := sdk.NewManualReader()
	tel, _ := start(t, Options{Readers: []sdk.Reader{r}})
	for i := range MaxReceiptRules + 3 {
		grow(tel, observation.ReceiptRules, receipt("main", fmt.Sprint("rule-", i)), observation.ReceiptReceived, 1)
	}
	if _, ok := tel.ReceiptRuleName(receipt("main", "rule-0")); !ok {
		t.Error("the first rule has no place")
	}
	if name, ok := tel.ReceiptRuleName(receipt("main", fmt.Sprint("rule-", MaxReceiptRules))); ok || name != receipt(observation.Other, observation.Other) {
		t.Errorf("a rule beyond the limit is exported as %+v", name)
	}
	collect(t, r, ReceiptEvents)
	got := collect(t, r, ReceiptEvents)
	if other := receiptSeries(observation.Other, observation.Other, "received"); len(got) != MaxReceiptRules+1 || got[other] != 3 {
		t.Errorf("%d series, %v of other rules", len(got), got[other])
	}
}
