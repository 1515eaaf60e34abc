package web

import (
	"net/http"

	"github.com/mailvane/mailvane/internal/view"
)

const (
	// SES allows 200 rules in a rule set.
	defaultRules = 1000
	maxRules     = 20_000
)

func (s *server) inbound(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	window := p.window()
	q := view.InboundQuery{
		Account:  p.text("account"),
		Region:   p.text("region"),
		RuleSet:  p.text("rule_set"),
		Match:    p.match(),
		Purpose:  choice(&p, "purpose", view.Purposes()...),
		Campaign: p.text("campaign"),
		Problem:  choice(&p, "problem", append([]string{view.AnyProblem}, view.ProblemKinds()...)...),
		Sort:     choice(&p, "sort", view.InboundSorts()...),
		Limit:    p.number("limit", defaultRules, 1, maxRules),
		Offset:   p.number("offset", 0, 0, 1<<30),
	}
	if !p.done(w) {
		return
	}
	s.json(w, s.View.Inbound(window).Select(q))
}
