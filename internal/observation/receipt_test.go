package observation

import "testing"

func TestReceiptRuleSubjects(t *testing.T) {
	t.Parallel()
	for _, r := range []ReceiptRule{
		{Account: "123456789012", Region: "us-west-2", RuleSet: "main", Rule: "unsub"},
		{Account: "123456789012", Region: "us-west-2", RuleSet: "main"},
		{Account: "123456789012", Region: "us-west-2", Rule: "unsub"},
		{Account: "123456789012", Region: "us-west-2", RuleSet: "main", Rule: "a/b"},
		{Account: "123456789012", Region: "us-west-2"},
	} {
		if got, ok := CutReceiptRule(JoinReceiptRule(r)); !ok || got != r {
			t.Errorf("%q became %+v", JoinReceiptRule(r), got)
		}
	}
	for _, subject := range []string{"", "example.com", "123456789012/us-west-2", "123456789012/us-west-2/main", "/us-west-2/main/unsub", "1//main/unsub"} {
		if r, ok := CutReceiptRule(subject); ok {
			t.Errorf("%q was taken for %+v", subject, r)
		}
	}
}
