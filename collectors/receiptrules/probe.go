package receiptrules

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

// The IAM actions that a pass needs, the last of them not by all means.
const (
	ActionList     = "cloudwatch:ListMetrics"
	ActionRead     = "cloudwatch:GetMetricData"
	ActionDescribe = "ses:DescribeActiveReceiptRuleSet"
)

// Found is what a probe found out about an account and region.
type Found struct {
	// Account is the account's number, empty when it could not be found out.
	Account string
	// Listed says that CloudWatch told what it has figures of, Described that SES told of the active rule set.
	Listed, Described bool
	// ActiveSet is the rule set that receives mail, empty when there is none, or none is known.
	ActiveSet string
	// Rules are the receipt rules that are known, in order of rule set and name.
	Rules []Rule
	// Metrics is how many metrics each pass asks CloudWatch for.
	Metrics int
	// Denied are the actions that are not allowed.
	Denied []string
	// Faults are other reasons why something is not known. Each is a *collectors.Error.
	Faults []error
}

// Rule is a receipt rule.
type Rule struct {
	// RuleSet is empty where CloudWatch names the rule alone, Name where it names the rule set alone.
	RuleSet, Name string
	// Counted says that CloudWatch has figures of the last two weeks.
	Counted bool
	// Active says that the rule is in the active rule set, Disabled that it is switched off there.
	Active, Disabled bool
	// Recipients is how many recipients an active rule names.
	Recipients int
}

// Probe finds out what a pass would read, without a sink and by few calls: two to list the metrics, more only where there are
// over 500, one for a single metric, one to SES, and one to STS where no role tells the account. An error is the end of ctx,
// or says that the credentials are no good; what was found out before it is returned with it.
func (c *Collector) Probe(ctx context.Context) (Found, error) {
	f := Found{}
	id, err := c.account.ID(ctx)
	if err != nil {
		return f, err
	}
	f.Account = id
	p := &pass{c: c, account: id, end: c.now().UTC().Truncate(period)}
	listed, err := p.rules(ctx)
	f.Listed, f.Metrics = err == nil, len(listed)*len(metrics())
	if err := f.settle(ctx, ActionList, err); err != nil {
		return f, err
	}
	if f.Listed || slices.Contains(f.Denied, ActionList) {
		if err := f.settle(ctx, ActionRead, p.tryRead(ctx, listed)); err != nil {
			return f, err
		}
	}
	p.describe(ctx)
	f.merge(listed, p.readings)
	for _, fault := range p.faults {
		if err := f.settle(ctx, ActionDescribe, fault); err != nil {
			return f, err
		}
	}
	return f, nil
}

// settle notes what became of a question, and returns the error of one that makes all others needless.
func (f *Found) settle(ctx context.Context, action string, err error) error {
	e, ok := errors.AsType[*collectors.Error](err)
	switch {
	case err == nil:
	case ok && e.Permission == action:
		f.Denied = append(f.Denied, action)
	case !ok || ctx.Err() != nil || e.Reason == collectors.ReasonAuth:
		return err
	default:
		f.Faults = append(f.Faults, err)
	}
	return nil
}

// tryRead asks for one metric, of a rule if there is any, because CloudWatch says whether it may be read only when asked.
func (p *pass) tryRead(ctx context.Context, listed []*rule) error {
	series := cloudwatch.Series{Namespace: namespace, Metric: metrics()[0]}
	if len(listed) > 0 {
		series.Dimensions = listed[0].dimensions
	}
	w := cloudwatch.Window{From: p.end.Add(-time.Hour), To: p.end, Period: period}
	results, err := p.c.account.Read(ctx, []cloudwatch.Query{{Series: series, Stat: cloudwatch.Sum}}, w)
	if err != nil {
		return err
	}
	if results[0].Status == cloudwatch.StatusForbidden {
		return p.forbidden(errors.New("CloudWatch forbids to read them"))
	}
	return nil
}

// merge puts together what CloudWatch listed and what SES told, which is in the readings of a pass.
func (f *Found) merge(listed []*rule, readings []observation.Reading) {
	rules := map[observation.ReceiptRule]*Rule{}
	at := func(id observation.ReceiptRule) *Rule {
		if rules[id] == nil {
			rules[id] = &Rule{RuleSet: id.RuleSet, Name: id.Rule}
		}
		return rules[id]
	}
	for _, r := range listed {
		at(r.id).Counted = true
	}
	for i := range readings {
		r := &readings[i]
		id, _ := observation.CutReceiptRule(r.Key.Subject)
		switch r.Key.Metric {
		case observation.ReceiptActiveSet:
			f.Described = r.Text != observation.ReceiptSetDenied
			if !f.Described {
				f.Denied = append(f.Denied, ActionDescribe)
			}
		case observation.ReceiptRuleCount:
			f.ActiveSet = id.RuleSet
		case observation.ReceiptRecipientCount:
			rule := at(id)
			rule.Active, rule.Disabled, rule.Recipients = true, r.Text == observation.ReceiptDisabled, int(*r.Value)
		}
	}
	for _, r := range slices.SortedFunc(maps.Values(rules), func(a, b *Rule) int {
		return cmp.Or(cmp.Compare(a.RuleSet, b.RuleSet), cmp.Compare(a.Name, b.Name))
	}) {
		f.Rules = append(f.Rules, *r)
	}
}
