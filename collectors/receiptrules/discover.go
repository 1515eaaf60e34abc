package receiptrules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	namespace    = "AWS/SES"
	ruleSetName  = "RuleSetName"
	ruleName     = "RuleName"
	maxName      = 255  // of a dimension's value; SES's own names have 64
	maxDescribed = 1000 // rules of a rule set; SES allows 200
	describeCall = "ask for the active rule set of"
)

// metrics are CloudWatch's names of what is read, in the order of observation.ReceiptResults.
func metrics() []string {
	return []string{"Received", "PublishSuccess", "PublishFailure", "PublishExpired"}
}

// rule is a receipt rule, or a rule set as a whole, that CloudWatch has figures of.
type rule struct {
	subject    string
	id         observation.ReceiptRule
	dimensions []cloudwatch.Dimension
}

// rules lists what CloudWatch has figures of, in the order of subjects.
func (p *pass) rules(ctx context.Context) ([]*rule, error) {
	found := map[string]*rule{}
	named := map[string]bool{} // rules that are named with their rule set
	odd, whole := map[string]bool{}, true
	for _, dimension := range []string{ruleName, ruleSetName} {
		listed, all, err := p.c.account.List(ctx, namespace, "", dimension)
		if err != nil {
			return nil, err
		}
		whole = whole && all
		for i := range listed {
			r, ok := p.ruleOf(&listed[i])
			switch {
			case r == nil:
			case !ok:
				odd[r.subject] = true
			default:
				found[r.subject] = r
				named[r.id.Rule] = named[r.id.Rule] || r.id.RuleSet != "" && r.id.Rule != ""
			}
		}
	}
	rules := make([]*rule, 0, len(found))
	for _, r := range found {
		if r.id.RuleSet != "" || !named[r.id.Rule] {
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b *rule) int { return cmp.Compare(a.subject, b.subject) })
	if len(odd) > 0 {
		p.fault(collectors.ReasonMalformed, "", fmt.Errorf("%d names are none that a receipt rule can have", len(odd)))
	}
	if len(rules) > maxRules || !whole {
		p.fault(collectors.ReasonConfig, "delete rule sets that are of no use",
			fmt.Errorf("there are more than %d receipt rules; those beyond are not read", maxRules))
		rules = rules[:min(len(rules), maxRules)]
	}
	return rules, nil
}

// ruleOf is the rule that a series is about, nil when it is about something else; ok is false when its name cannot be used.
func (p *pass) ruleOf(s *cloudwatch.Series) (r *rule, ok bool) {
	if !slices.Contains(metrics(), s.Metric) {
		return nil, false
	}
	set, hasSet := s.Dimension(ruleSetName)
	name, hasRule := s.Dimension(ruleName)
	if n := len(s.Dimensions); n > 2 || n == 2 && !(hasSet && hasRule) {
		return nil, false
	}
	r = &rule{id: p.id(set, name), dimensions: s.Dimensions}
	r.subject = observation.JoinReceiptRule(r.id)
	return r, (!hasSet || usable(set)) && (!hasRule || usable(name))
}

func (p *pass) id(set, name string) observation.ReceiptRule {
	return observation.ReceiptRule{Account: p.account, Region: p.c.account.Region(), RuleSet: set, Rule: name}
}

// usable says whether a name can be part of a subject and be shown.
func usable(name string) bool {
	return name != "" && len(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || !unicode.IsPrint(r) })
}

// describe reads the active rule set: how many rules and recipients it has, and what its rules do. Without the permission
// that is what is known.
func (p *pass) describe(ctx context.Context) {
	out, err := cloudwatch.Within(ctx, func(ctx context.Context) (*ses.DescribeActiveReceiptRuleSetOutput, error) {
		return p.c.ses.DescribeActiveReceiptRuleSet(ctx, &ses.DescribeActiveReceiptRuleSetInput{})
	})
	region := p.id("", "")
	switch {
	case awsfault.Denied(err):
		p.today(region, observation.ReceiptActiveSet, nil, observation.ReceiptSetDenied)
		return
	case err != nil:
		p.faults = append(p.faults, p.c.account.Fault(ctx, describeCall, ActionDescribe, err))
		return
	case out.Metadata == nil || aws.ToString(out.Metadata.Name) == "":
		p.today(region, observation.ReceiptActiveSet, nil, observation.ReceiptSetNone)
		return
	}
	set := aws.ToString(out.Metadata.Name)
	if !usable(set) || len(out.Rules) > maxDescribed {
		err := errors.New("it cannot be one of SES: its name or the number of its rules")
		p.fault(collectors.ReasonMalformed, "", fmt.Errorf("read the active rule set: %w", err))
		return
	}
	p.today(region, observation.ReceiptActiveSet, nil, observation.ReceiptSetActive)
	p.today(p.id(set, ""), observation.ReceiptRuleCount, new(float64(len(out.Rules))), "")
	for i := range out.Rules {
		r := &out.Rules[i]
		if !usable(aws.ToString(r.Name)) {
			continue
		}
		id, text := p.id(set, *r.Name), ""
		if !r.Enabled {
			text = observation.ReceiptDisabled
		}
		p.today(id, observation.ReceiptRecipientCount, new(float64(len(r.Recipients))), text)
		p.today(id, observation.ReceiptActions, nil, actions(r.Actions))
	}
}

// actions names what a rule does, in its order, without what it does it to.
func actions(all []types.ReceiptAction) string {
	var names []string
	for i := range all {
		a := &all[i]
		name := "other"
		switch {
		case a.S3Action != nil:
			name = "S3"
		case a.SNSAction != nil:
			name = "SNS"
		case a.LambdaAction != nil:
			name = "Lambda"
		case a.WorkmailAction != nil:
			name = "WorkMail"
		case a.ConnectAction != nil:
			name = "Connect"
		case a.BounceAction != nil:
			name = "bounce"
		case a.AddHeaderAction != nil:
			name = "add header"
		case a.StopAction != nil:
			name = "stop"
		}
		if names = append(names, name); len(names) == 10 { // SES allows no more
			break
		}
	}
	return strings.Join(names, ", ")
}
