package telemetry

import (
	"slices"
	"strings"
	"sync"

	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/observation"
)

// MaxReceiptRules is how many receipt rules are exported under their names, in all accounts and regions; what the others did
// is summed as (other) of their account and region.
const MaxReceiptRules = 2000

var _ intake.ReadingObserver = Counts{}

// Grew counts what receipt rules did. Every other reading is a value and counts nothing; figures of a whole rule set are those
// of its rules once more.
func (c Counts) Grew(key *observation.ReadingKey, by float64) {
	if key.Source != observation.ReceiptRules || !slices.Contains(observation.ReceiptResults(), key.Metric) {
		return
	}
	if rule, ok := observation.CutReceiptRule(key.Subject); ok && rule.Rule != "" {
		c.t.addReceipts(rule, key.Metric, int64(by))
	}
}

// KnowReceiptRule has the counters of a receipt rule exist before it did anything, so that its first failure is an increase.
func (t *Telemetry) KnowReceiptRule(rule observation.ReceiptRule) {
	for _, result := range observation.ReceiptResults() {
		t.addReceipts(rule, result, 0)
	}
}

// ReceiptRuleName says under which name a receipt rule's figures are exported; ok is false when it has no place among the
// exported.
func (t *Telemetry) ReceiptRuleName(rule observation.ReceiptRule) (exported observation.ReceiptRule, ok bool) {
	exported = t.receiptRules.of(rule)
	return exported, exported.Rule != observation.Other || rule.Rule == observation.Other
}

func (t *Telemetry) addReceipts(rule observation.ReceiptRule, result string, n int64) {
	rule = t.receiptRules.of(rule)
	t.receiptEvents.add(n, values{rule.Account, rule.Region, rule.RuleSet, rule.Rule, result}, len(t.providers))
}

// receiptRules decides which receipt rules are exported as themselves.
type receiptRules struct {
	mu sync.Mutex // protects all following fields
	// known are the rules and the names under which they are exported. One that is known with its rule set is known by its
	// own name, too, as CloudWatch may name it.
	known map[observation.ReceiptRule]observation.ReceiptRule
	n     int
}

// of returns the name under which a rule is exported: itself when it has a place or one is free, else the rest.
func (r *receiptRules) of(rule observation.ReceiptRule) observation.ReceiptRule {
	r.mu.Lock()
	defer r.mu.Unlock()
	if exported, ok := r.known[rule]; ok {
		return exported
	}
	if r.n >= MaxReceiptRules {
		rule.RuleSet, rule.Rule = observation.Other, observation.Other
		return rule
	}
	r.n++
	rule = observation.ReceiptRule{
		Account: strings.Clone(rule.Account), Region: strings.Clone(rule.Region),
		RuleSet: strings.Clone(rule.RuleSet), Rule: strings.Clone(rule.Rule),
	}
	r.known[rule] = rule
	alone := rule
	alone.RuleSet = ""
	if _, ok := r.known[alone]; !ok {
		r.known[alone] = rule
	}
	return rule
}
