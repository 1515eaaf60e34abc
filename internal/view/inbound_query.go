package view

import (
	"cmp"
	"slices"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// The kinds of problems of receipt rules, and AnyProblem, which a query may ask for.
const (
	ProblemLost     = "lost"
	ProblemFailing  = "failing"
	ProblemDisabled = "disabled"
	ProblemSilent   = "silent"
	AnyProblem      = "any"
)

// ProblemKinds lists the kinds, the worst first.
func ProblemKinds() []string {
	return []string{ProblemLost, ProblemFailing, ProblemDisabled, ProblemSilent}
}

// Purposes lists the purposes.
func Purposes() []Purpose {
	return []Purpose{PurposeUnsubscribe, PurposeReply, PurposeDMARC, PurposeOther}
}

// InboundQuery selects receipt rules. Empty fields select all.
type InboundQuery struct {
	Account, Region, RuleSet string
	// Match selects by the rule's name.
	Match   *campaign.Matcher
	Purpose Purpose
	// Campaign selects the rules that a campaign uses, and those that all share.
	Campaign string
	// Problem is a kind of problem, or AnyProblem.
	Problem string
	// Sort is one of InboundSorts; the empty one is the first of them.
	Sort string
	// Limit 0 means all; Offset leaves out the first ones.
	Limit, Offset int
}

// InboundSorts lists the orders of receipt rules: the worst problem first, by name, or by a result, most first.
func InboundSorts() []string {
	return append([]string{"problem", "name"}, observation.ReceiptResults()...)
}

// Select cuts an answer down to what a query asks for.
func (in Inbound) Select(q InboundQuery) Inbound {
	in.Regions = slices.DeleteFunc(in.Regions, func(r InboundRegion) bool {
		return q.Account != "" && q.Account != r.Account || q.Region != "" && q.Region != r.Region
	})
	in.Rules = slices.DeleteFunc(in.Rules, func(r InboundRule) bool { return !q.fits(&r) })
	in.Total = len(in.Rules)
	badness := func(r *InboundRule) int64 { return r.Events[q.Sort] }
	switch q.Sort {
	case "", "problem":
		badness = (*InboundRule).badness
	case "name":
		badness = func(*InboundRule) int64 { return 0 }
	}
	slices.SortStableFunc(in.Rules, func(a, b InboundRule) int { return cmp.Compare(badness(&b), badness(&a)) })
	in.Rules = page(in.Rules, q.Limit, q.Offset)
	return in
}

func (q *InboundQuery) fits(r *InboundRule) bool {
	switch {
	case q.Account != "" && q.Account != r.Account, q.Region != "" && q.Region != r.Region,
		q.RuleSet != "" && q.RuleSet != r.RuleSet, q.Purpose != "" && q.Purpose != r.Purpose,
		q.Match != nil && !q.Match.Match(r.ReceiptRule), q.Campaign != "" && !r.concerns(q.Campaign):
		return false
	case q.Problem == "":
		return true
	default:
		return r.Problem != nil && (q.Problem == AnyProblem || q.Problem == r.Problem.Kind)
	}
}

// concerns says whether the rule takes mail for a campaign: one that uses it, or any where all share it.
func (r *InboundRule) concerns(campaign string) bool { return r.Shared || r.usedBy(campaign) }

func (r *InboundRule) usedBy(campaign string) bool {
	return slices.Contains(r.Campaigns, campaign) || r.match != nil && r.match.Campaigns.Match(campaign)
}

// badness is larger for what comes first; 0 is no problem.
func (r *InboundRule) badness() int64 {
	if r.Problem == nil {
		return 0
	}
	return int64(len(ProblemKinds()) - slices.Index(ProblemKinds(), r.Problem.Kind))
}

// problems are the rules with one, the worst first.
func (v *View) problems(w signal.Window) []InboundRule {
	return v.Inbound(w).Select(InboundQuery{Problem: AnyProblem}).Rules
}

// InboundOf lists the receipt rules with a problem that concerns a campaign, the worst first: those that it uses, and those
// that all share.
func (v *View) InboundOf(campaign string, w signal.Window) []InboundRule {
	return problemsOf(v.problems(w), campaign)
}

func problemsOf(problems []InboundRule, campaign string) []InboundRule {
	return slices.DeleteFunc(slices.Clone(problems), func(r InboundRule) bool { return !r.concerns(campaign) })
}

// InboundFlag says in short that mail for a campaign does not arrive. InboundOf says more.
type InboundFlag struct {
	// Problem is the worst of the problems, ReceiptRule the rule that has it, and Purpose what that is for.
	Problem     string  `json:"problem"`
	Purpose     Purpose `json:"purpose"`
	ReceiptRule string  `json:"receipt_rule"`
	// Rules is how many rules have problems. Shared says that none of them is the campaign's own.
	Rules  int  `json:"rules"`
	Shared bool `json:"shared,omitempty"`
}

// flagOf says in short which of the problems, worst first, a campaign has; nil for none. Its own rules go before shared ones,
// of which only those count that fail: that a shared one is silent concerns no campaign more than another.
func flagOf(problems []InboundRule, campaign string) (f *InboundFlag) {
	for i := range problems {
		r := &problems[i]
		own := r.usedBy(campaign)
		if !own && (!r.Shared || r.Problem.Kind != ProblemLost && r.Problem.Kind != ProblemFailing) {
			continue
		}
		rules := 1
		if f != nil {
			rules += f.Rules
		}
		if f == nil || f.Shared && own {
			f = &InboundFlag{Problem: r.Problem.Kind, Purpose: r.Purpose, ReceiptRule: r.ReceiptRule, Shared: !own}
		}
		f.Rules = rules
	}
	return f
}
