package pages

import (
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/view"
)

// inboundPage is the page of receipt rules.
type inboundPage struct {
	frame
	Findings []finding
	Rules    *table
	Regions  *table
}

var resultWords = map[string]string{
	observation.ReceiptReceived: "Received", observation.ReceiptPublishSuccess: "Handed on",
	observation.ReceiptPublishFailure: "Failed attempts", observation.ReceiptPublishExpired: "Lost",
}

func (s *Site) inbound(w http.ResponseWriter, r *http.Request) {
	q := queryOf(r)
	window, sort := q.window(), q.choice("sort", "", view.InboundSorts()...)
	if err := q.err(); err != nil {
		s.fault(w, r, err)
		return
	}
	in := s.View.Inbound(window).Select(view.InboundQuery{Sort: sort})
	p := inboundPage{frame: s.frame("Inbound", "Inbound"), Rules: ruleTable(r, &in, sort), Regions: regionTable(&in)}
	p.windows(r, window)
	p.AsOf = in.Window.AsOf
	for i := range in.Rules {
		if rule := &in.Rules[i]; rule.Problem != nil {
			f := finding{Kind: kindReceiptRule, Name: rule.ReceiptRule}
			x := inboundReason(rule)
			if len(rule.Campaigns) > 0 {
				x.Where += " It serves " + strings.Join(rule.Campaigns, ", ") + "."
			}
			f.add(x)
			p.Findings = append(p.Findings, f)
		}
	}
	sortFindings(p.Findings)
	if s.csv(w, r, q, p.Rules, p.Regions) {
		return
	}
	s.render(w, http.StatusOK, "inbound", p)
}

func ruleTable(r *http.Request, in *view.Inbound, sort string) *table {
	t := &table{ID: "rules", Caption: "Receipt rules", CSV: with(r.URL, "format", "csv"), JSON: address("/api/v1/inbound", only(r, "window", "sort")),
		Empty: "No receipt rule is read: none exists, or no collector of the kind receipt_rules is configured."}
	order := func(name string) string { return with(r.URL, "sort", name) }
	problem := view.InboundSorts()[0]
	t.Columns = []column{
		{Title: "Receipt rule", Sort: order("name"), Sorted: sort == "name", fields: []string{"account", "region", "rule_set", "receipt_rule", "purpose"}},
		{Title: "State", Sort: order(problem), Sorted: sort == "" || sort == problem, fields: []string{"problem", "text"}},
		{Title: "Serves", fields: []string{"campaigns", "shared"}},
	}
	for _, result := range observation.ReceiptResults() {
		tip := ""
		if result == observation.ReceiptPublishFailure {
			tip = "Attempts, not mails: SES tries again for four hours, so there can be more of them than mails."
		}
		t.Columns = append(t.Columns, column{Title: resultWords[result], Tip: tip, Numeric: true, Sort: order(result), Sorted: sort == result, fields: []string{result}})
	}
	for i := range in.Rules {
		t.Rows = append(t.Rows, ruleRow(&in.Rules[i]))
	}
	return t
}

func ruleRow(x *view.InboundRule) row {
	name := x.ReceiptRule
	if name == "" {
		name = "whole rule set " + x.RuleSet
	}
	what := []string{string(x.Purpose)}
	if x.Actions != "" {
		what = append(what, x.Actions)
	}
	state := cell{Marks: []mark{{Text: "ok"}}, values: []any{nil, nil}}
	if p := x.Problem; p != nil {
		l := inboundReason(x).Level
		state = cell{Marks: []mark{{Text: p.Kind, Level: l, Tip: p.Text}}, values: []any{p.Kind, p.Text}}
	} else if s := x.Signals.Failures.State.String(); s != "ok" && s != "idle" {
		state = cell{Text: stateWord(s), Unknown: true, values: []any{nil, nil}}
	}
	serves := cell{Text: strings.Join(x.Campaigns, ", "), values: []any{strings.Join(x.Campaigns, " "), x.Shared}}
	if x.Shared {
		serves.Text = "all campaigns"
	}
	out := row{Cells: []cell{
		{Text: name, Notes: []string{strings.Join(what, " · "), x.Account + " · " + x.Region},
			values: []any{x.Account, x.Region, x.RuleSet, x.ReceiptRule, string(x.Purpose)}}, state, serves,
	}}
	for _, result := range observation.ReceiptResults() {
		n, known := x.Events[result]
		if !known {
			out.Cells = append(out.Cells, cell{Text: stateWord(x.Signals.Failures.State.String()), Unknown: true, values: []any{nil}, Tip: "The rule was never read."})
			continue
		}
		c := whole(n)
		if n > 0 && result == observation.ReceiptPublishExpired {
			c.Level = critical
		}
		out.Cells = append(out.Cells, c)
	}
	if x.Problem != nil {
		out.Level = inboundReason(x).Level
	}
	return out
}

func regionTable(in *view.Inbound) *table {
	t := &table{ID: "regions", Caption: "Where mail is received", CSV: "/inbound?format=csv&table=regions", JSON: "/api/v1/inbound", Empty: "Nowhere."}
	t.Columns = []column{
		{Title: "Account", fields: []string{"account", "region"}}, {Title: "State", fields: []string{"state", "access"}},
		{Title: "Active rule set", fields: []string{"rule_set"}}, {Title: "Rules", Numeric: true, fields: []string{"rules", "rules_limit"}},
		{Title: "Read through", fields: []string{"through"}},
	}
	for i := range in.Regions {
		x := &in.Regions[i]
		rules := cell{Text: stateWord("no_data"), Unknown: true, values: []any{nil, x.RulesLimit}}
		if x.Rules != nil {
			rules = cell{Text: count(*x.Rules), Tip: "SES allows " + count(x.RulesLimit) + ".", values: []any{*x.Rules, x.RulesLimit}}
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			{Text: x.Account, Notes: []string{x.Region}, values: []any{x.Account, x.Region}},
			{Marks: []mark{{Text: stateWord(x.State.String()), Level: stateLevel(x.State.String())}}, values: []any{x.State.String(), x.Access}},
			plain(x.RuleSet), rules, at(&x.Through, "never"),
		}})
	}
	return t
}
