package observation

import "strings"

// The names under which readings of SES's receipt rules are kept
// (https://docs.aws.amazon.com/ses/latest/dg/receiving-email.html). Subject is that of JoinReceiptRule.
const (
	// ReceiptRules is the source.
	ReceiptRules = "receipt_rules"

	// ReceiptReceived and the three after it count what SES did in the 5 minutes of the reading. They have no detail. A
	// period in which nothing happened has no reading; ReceiptThrough tells it from one that was not read.
	ReceiptReceived = "received"
	// ReceiptPublishSuccess counts mail that was handed on, to a bucket, a topic or a function.
	ReceiptPublishSuccess = "publish_success"
	// ReceiptPublishFailure counts attempts to hand mail on that failed. SES tries again for four hours, so that one mail can
	// fail many times and failures can exceed what was received.
	ReceiptPublishFailure = "publish_failure"
	// ReceiptPublishExpired counts mail that was given up after four hours: it is lost.
	ReceiptPublishExpired = "publish_expired"

	// The readings below are of the UTC day of asking, the newest of which holds. ReceiptThrough is, in Unix seconds, up to
	// when every rule of an account and region was read; its subject has neither rule set nor rule.
	ReceiptThrough = "read_through"
	// ReceiptActiveSet says in its text whether the active rule set could be asked for: ReceiptSetActive, ReceiptSetNone
	// when the region receives no mail, or ReceiptSetDenied for want of a permission. Its subject is that of
	// ReceiptThrough.
	ReceiptActiveSet = "active_rule_set"
	// ReceiptRuleCount is how many rules the active rule set has, of the 200 that SES allows; its subject has no rule.
	ReceiptRuleCount = "rules"
	// ReceiptRecipientCount is how many recipients a rule of the active rule set names, of the 100 that SES allows. Its text
	// is ReceiptDisabled for a rule that is switched off.
	ReceiptRecipientCount = "recipients"
	// ReceiptActions lists in its text what a rule of the active rule set does, such as "S3, SNS", in the order of the
	// rule.
	ReceiptActions = "actions"

	// ReceiptSetActive, ReceiptSetNone and ReceiptSetDenied are the texts of ReceiptActiveSet, ReceiptDisabled one of
	// ReceiptRecipientCount.
	ReceiptSetActive = "active"
	ReceiptSetNone   = "none"
	ReceiptSetDenied = "denied"
	ReceiptDisabled  = "disabled"

	// ReceiptRuleLimit and ReceiptRecipientLimit are SES's quotas: rules in a rule set and recipients in a rule
	// (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
	ReceiptRuleLimit      = 200
	ReceiptRecipientLimit = 100
)

// ReceiptResults lists the metrics that count, in the order in which they are shown.
func ReceiptResults() []string {
	return []string{ReceiptReceived, ReceiptPublishSuccess, ReceiptPublishFailure, ReceiptPublishExpired}
}

// ReceiptRule names a receipt rule. Rule sets of the same name in two accounts or regions have nothing to do with each other.
type ReceiptRule struct {
	// Account is the AWS account's number, Region its region.
	Account, Region string
	// RuleSet and Rule are the names that SES knows. Rule is empty for figures of a whole rule set, RuleSet where CloudWatch
	// names the rule alone.
	RuleSet, Rule string
}

// JoinReceiptRule is the subject of readings about a rule. No part but the last may hold a slash.
func JoinReceiptRule(r ReceiptRule) string {
	return r.Account + "/" + r.Region + "/" + r.RuleSet + "/" + r.Rule
}

// CutReceiptRule takes such a subject apart.
func CutReceiptRule(subject string) (r ReceiptRule, ok bool) {
	parts := strings.SplitN(subject, "/", 4)
	if len(parts) != 4 || parts[0] == "" || parts[1] == "" {
		return ReceiptRule{}, false
	}
	return ReceiptRule{Account: parts[0], Region: parts[1], RuleSet: parts[2], Rule: parts[3]}, true
}
