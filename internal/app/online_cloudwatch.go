package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/config"
)

const (
	// maxNamed bounds the names in one finding.
	maxNamed = 20
	// metricPrice is what CloudWatch asks for a metric that GetMetricData is asked for, in dollars, as docs/cloudwatch.md has it
	// (https://aws.amazon.com/cloudwatch/pricing/).
	metricPrice = 0.01 / 1000
)

// receiptRuleQuestions asks each account and region that receives mail which receipt rules there are.
func receiptRuleQuestions(env Environment, c *config.Config) (all []question) {
	for _, r := range c.Collectors.ReceiptRules {
		about := "receipt rules in " + inAWS(r.Region, r.RoleARN)
		all = append(all, question{about, func(ctx context.Context) []Finding { return askReceiptRules(ctx, env, &r) }})
	}
	return all
}

func inAWS(region config.Region, role config.RoleARN) string {
	if role == "" {
		return string(region)
	}
	return string(region) + " as " + string(role)
}

func askReceiptRules(ctx context.Context, env Environment, c *config.ReceiptRules) []Finding {
	cfg, err := env.AWS(ctx, string(c.Region))
	if err != nil {
		return []Finding{problem(err)}
	}
	collector, err := receiptrules.New(receiptrules.Options{
		Name: string(c.Name), AWS: cfg, Region: string(c.Region), RoleARN: string(c.RoleARN), Now: env.Now,
	})
	if err != nil {
		return []Finding{problem(err)}
	}
	f, err := collector.Probe(ctx)
	if err != nil {
		return append(whose(f.Account), problem(err))
	}
	all := append(whose(f.Account), ruleFindings(c, &f)...)
	for _, action := range f.Denied {
		all = append(all, receiptDenied(action, c))
	}
	all = append(all, faultFindings(f.Faults)...)
	all = append(all, purposeFindings(c, &f)...)
	if f.Listed {
		all = append(all, ok("CloudWatch costs about $%.2f a month: %s every %s", monthly(f.Metrics, time.Duration(c.Every)),
			plural(int64(f.Metrics), "metric", "metrics"), c.Every))
	}
	return all
}

// whose says which account the credentials are of.
func whose(account string) []Finding {
	if account == "" {
		return nil
	}
	return []Finding{ok("the account is %s", account)}
}

// ruleFindings lists the receipt rules, rule set by rule set, the active one first.
func ruleFindings(c *config.ReceiptRules, f *receiptrules.Found) (all []Finding) {
	bySet := make(map[string][]receiptrules.Rule)
	sets := []string{}
	if f.ActiveSet != "" { // it may be empty
		sets = append(sets, f.ActiveSet)
	}
	for _, r := range f.Rules {
		if !slices.Contains(sets, r.RuleSet) {
			sets = append(sets, r.RuleSet)
		}
		bySet[r.RuleSet] = append(bySet[r.RuleSet], r)
	}
	for _, set := range sets[:min(len(sets), maxFindings)] {
		all = append(all, ok("%s: %s", setText(f, set), rulesText(f, bySet[set])))
	}
	if n := len(sets) - maxFindings; n > 0 {
		all = append(all, note(plural(int64(n), "more rule set", "more rule sets")))
	}
	switch {
	case f.Described && f.ActiveSet == "":
		all = append(all, warning("no rule set is active, so that this region receives no mail",
			"check the region", fmt.Sprintf("aws ses set-active-receipt-rule-set --region %s --rule-set-name YOUR-SET", c.Region)))
	case len(f.Rules) == 0 && f.Listed:
		all = append(all, warning("no receipt rule had mail in the last two weeks",
			"check the region: the MX records of your domains name the one that receives mail"))
	}
	return all
}

func setText(f *receiptrules.Found, set string) string {
	switch {
	case set == "":
		return "without a rule set"
	case set == f.ActiveSet:
		return fmt.Sprintf("rule set %q, active", set)
	case f.Described:
		return fmt.Sprintf("rule set %q, not active", set)
	default:
		return fmt.Sprintf("rule set %q", set)
	}
}

// rulesText names rules, with what is known of their mail.
func rulesText(f *receiptrules.Found, rules []receiptrules.Rule) string {
	if len(rules) == 0 {
		return "no receipt rules"
	}
	names := make([]string, 0, maxNamed)
	for _, r := range rules[:min(len(rules), maxNamed)] {
		name := fmt.Sprintf("%q", r.Name)
		if r.Name == "" {
			name = "the rule set as a whole"
		}
		switch {
		case r.Disabled:
			name += " (switched off)"
		case f.Listed && !r.Counted:
			name += " (no mail in two weeks)"
		}
		names = append(names, name)
	}
	return andMore(names, len(rules))
}

// andMore joins names of which there are so many.
func andMore(names []string, n int) string {
	text := strings.Join(names, ", ")
	if n > len(names) {
		text += fmt.Sprintf(" and %d more", n-len(names))
	}
	return text
}

// receiptDenied says what is lost without a permission. Without the figures nothing is left to be read.
func receiptDenied(action string, c *config.ReceiptRules) Finding {
	switch fix := allow(action, c.RoleARN); action {
	case receiptrules.ActionDescribe:
		return note(deniedText(action, "rules that never had mail are not known, nor how near the quotas are"), fix)
	case receiptrules.ActionList:
		return problem(errors.New(deniedText(action, "it is not known which receipt rules have figures, and none is read")), fix)
	default:
		return problem(errors.New(deniedText(action, "no figures of receipt rules can be read")), fix)
	}
}

func deniedText(action, lost string) string { return action + " is not allowed: " + lost }

func allow(action string, role config.RoleARN) string {
	who := "the role or user of these credentials"
	if role != "" {
		who = string(role)
	}
	return fmt.Sprintf("allow %s on all resources to %s; docs/cloudwatch.md has the policy", action, who)
}

// faultFindings says what else went wrong, and in which of the questions. That somebody else asks just now says nothing about
// the configuration.
func faultFindings(faults []error) (all []Finding) {
	for _, err := range faults {
		f := problem(err)
		if e, ok := errors.AsType[*collectors.Error](err); ok {
			f.Text = strings.TrimSuffix(strings.TrimSuffix(e.Op, " of"), " for") + ": " + f.Text
			if e.Reason == collectors.ReasonQuota {
				f = note(f.Text+"; somebody asks this account too, perhaps a daemon that runs", "try again in a minute")
			}
		}
		all = append(all, f)
	}
	return all
}

// purposeFindings says which receipt rules each entry of the configuration decides about.
func purposeFindings(c *config.ReceiptRules, f *receiptrules.Found) (all []Finding) {
	if !f.Listed && !f.Described || len(c.Rules) == 0 {
		return nil
	}
	decided, others := make(map[string]int), 0
	names := make([][]string, len(c.Rules))
	for _, r := range f.Rules {
		if _, seen := decided[r.Name]; r.Name == "" || seen {
			continue
		}
		i := slices.IndexFunc(c.Rules, func(p config.ReceiptPurpose) bool { return matches(p.Match, r.Name) })
		if decided[r.Name] = i; i < 0 {
			others++
			continue
		}
		names[i] = append(names[i], fmt.Sprintf("%q", r.Name))
	}
	for i, p := range c.Rules {
		switch n := len(names[i]); {
		case n > 0:
			all = append(all, ok("%s: %s", p.Purpose, andMore(names[i][:min(n, maxNamed)], n)))
		default:
			all = append(all, idlePurpose(c, i, f, decided))
		}
	}
	if others > 0 {
		all = append(all, ok("%s, as no entry of rules matches", plural(int64(others), "other receipt rule is shared by all campaigns",
			"other receipt rules are shared by all campaigns")))
	}
	return all
}

// idlePurpose says why an entry decides about no receipt rule.
func idlePurpose(c *config.ReceiptRules, i int, f *receiptrules.Found, decided map[string]int) Finding {
	match := c.Rules[i].Match
	entry := fmt.Sprintf("rules[%d], match %q", i, string(match))
	for _, r := range f.Rules {
		if by, seen := decided[r.Name]; seen && matches(match, r.Name) {
			return warning(fmt.Sprintf("%s: decides nothing, as rules[%d] matches %q before it", entry, by, r.Name), "put the narrower of the two first")
		}
	}
	if !f.Listed || !f.Described {
		return note(entry + ": matches no receipt rule that is known")
	}
	return warning(entry+": matches no receipt rule", "correct it, or remove it")
}

// matches says whether a pattern, which the configuration has checked, fits a name.
func matches(pattern config.Regexp, name string) bool {
	return regexp.MustCompile(string(pattern)).MatchString(name)
}

// monthly is what it costs to ask CloudWatch for so many metrics every so often, in dollars.
func monthly(metrics int, every time.Duration) float64 {
	const month = 365 * 24 * time.Hour / 12
	return float64(metrics) * metricPrice * float64(month) / float64(every)
}
