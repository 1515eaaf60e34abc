package alerts

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Facts are what a template may name, such as {{.Campaign}}; there is nothing else. All are texts for people, empty when
// not known, unless said otherwise. Names from outside are cut and on one line; a notifier escapes them for its own markup.
type Facts struct {
	Rule, Severity, Signal, By string
	// Subject names the subject with its fields, which follow.
	Subject                                string
	Tenant, Campaign, Provider             string
	Domain, Identifier                     string
	Account, Region, RuleSet, ReceiptRule  string
	Source, Notifier, Detail, Owner        string
	Value, Low, High                       string
	Line                                   string
	Window, Day, Age, Since, State, Reason string
	Confidence                             string
	Days                                   string
	Runbook                                string
	Numerator, Denominator                 int64
	// Known is true when there is a value; Interval when Low and High are its interval; UpperBound when the truth is at most
	// the value; Below when the line is one to fall under; Resolved when the alert has ended.
	Known, Interval, UpperBound, Below, Resolved bool
}

// The default texts.
const (
	defaultSummary = "{{.Signal}} of {{.Subject}}{{if .Known}} is {{if .UpperBound}}at most {{end}}{{.Value}}{{end}}, " +
		"line {{.Line}}"
	defaultDescription = "{{if .Interval}}{{.Numerator}} of {{.Denominator}}, between {{.Low}} and {{.High}}. {{end}}" +
		"{{if .Days}}Beyond the line on {{.Days}} reported days. {{end}}" +
		"{{if .Age}}The data is {{.Age}} old. {{end}}{{if .Runbook}}What to do: {{.Runbook}}{{end}}"
)

// Bounds of texts, in bytes. A summary fits the 1,024 characters of PagerDuty.
const (
	maxTemplate    = 4096
	maxSummary     = 1000
	maxDescription = 8000
)

// functions are those that templates may call. Nothing in a template can loop, so what one costs is bounded by its length.
var functions = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"}

// text is a template that is ready.
type text struct {
	parsed *template.Template
	limit  int
}

// newText reads a template, or the default when it is empty. The error is in words for whoever wrote it.
func newText(words, byDefault string, limit int) (*text, error) {
	if words == "" {
		words = byDefault
	}
	if len(words) > maxTemplate {
		return nil, fmt.Errorf("must not be longer than %d bytes", maxTemplate)
	}
	parsed, err := template.New("").Parse(words)
	if err != nil {
		return nil, fmt.Errorf("is no template: %s", strings.TrimPrefix(err.Error(), "template: :"))
	}
	if len(parsed.Templates()) > 1 {
		return nil, errors.New("must not define templates")
	}
	if parsed.Tree == nil || parse.IsEmptyTree(parsed.Root) {
		return nil, errors.New("is empty")
	}
	if err := checkNode(parsed.Root); err != nil {
		return nil, err
	}
	t := &text{parsed, limit}
	for _, facts := range []*Facts{{}, {
		Numerator: 1, Denominator: 2, Known: true, Interval: true, UpperBound: true, Below: true, Resolved: true,
	}} {
		if _, err := t.execute(facts); err != nil {
			return nil, errors.New("compares what cannot be compared; all fields are texts but Numerator, Denominator and the yes-or-no ones")
		}
	}
	return t, nil
}

// checkNode holds a template to fields of Facts, text, conditions and comparisons.
func checkNode(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		return checkNodes(n.Nodes)
	case *parse.ActionNode:
		return checkNode(n.Pipe)
	case *parse.IfNode:
		return errors.Join(checkNode(n.Pipe), checkNode(n.List), checkNode(n.ElseList))
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return fmt.Errorf("must not have variables: %s", n)
		}
		return checkNodes(n.Cmds)
	case *parse.CommandNode:
		return checkNodes(n.Args)
	case *parse.IdentifierNode:
		if !slices.Contains(functions, n.Ident) {
			return fmt.Errorf("names the function %s; there are %s", n.Ident, strings.Join(functions, ", "))
		}
	case *parse.FieldNode:
		if _, ok := reflect.TypeFor[Facts]().FieldByName(n.Ident[0]); !ok || len(n.Ident) > 1 {
			return fmt.Errorf("names %s, which is not there; there are %s", n, strings.Join(FactNames(), ", "))
		}
	case *parse.TextNode, *parse.CommentNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
	default:
		return fmt.Errorf("can hold texts, fields, if and comparisons, not %s", n)
	}
	return nil
}

func checkNodes[N parse.Node](nodes []N) error {
	for _, n := range nodes {
		if err := checkNode(n); err != nil {
			return err
		}
	}
	return nil
}

// FactNames lists what a template may name.
func FactNames() []string {
	var names []string
	for f := range reflect.TypeFor[Facts]().Fields() {
		names = append(names, "."+f.Name)
	}
	return names
}

// execute makes the text, at most as long as its limit.
func (t *text) execute(f *Facts) (string, error) {
	var b strings.Builder
	if err := t.parsed.Execute(&b, f); err != nil {
		return "", err
	}
	return shorten(strings.TrimSpace(b.String()), t.limit), nil
}

// facts puts an alert into words. A resolved one is told with its reason.
func (r *Rules) facts(a *Alert, reason Reason, now time.Time) *Facts {
	s, e := &a.Subject, &a.Evidence
	d := a.Signal.Definition()
	f := &Facts{
		Rule: a.Rule, Severity: a.Severity.String(), Signal: d.Name, By: a.By.String(), Subject: s.String(),
		Tenant: clean(s.Tenant), Campaign: clean(s.Campaign), Provider: provider(s.Provider), Domain: clean(s.Domain),
		Identifier: clean(s.Identifier), Account: clean(s.Account), Region: clean(s.Region), RuleSet: clean(s.RuleSet),
		ReceiptRule: clean(s.ReceiptRule), Source: clean(s.Source), Notifier: clean(s.Notifier), Detail: clean(s.Detail),
		Owner: clean(a.Owner), State: e.State, Reason: reason.Words(), Resolved: reason != "",
		Known: e.Known, Interval: e.Interval, UpperBound: d.Bound, Below: e.Below, Line: d.Unit.Format(e.Line),
		Numerator: e.Numerator, Denominator: e.Denominator, Days: e.Days, Window: e.Window,
	}
	if e.Known {
		f.Value = d.Unit.Format(e.Value)
	}
	if e.Interval {
		f.Low, f.High = d.Unit.Format(e.Low), d.Unit.Format(e.High)
		f.Confidence = Ratio.Format(e.Confidence)
	}
	if e.Day != 0 {
		f.Day = e.Day.String()
	}
	if !e.AsOf.IsZero() {
		f.Age = formatDuration(max(now.Sub(e.AsOf), 0))
	}
	if !a.StartedAt.IsZero() {
		f.Since = a.StartedAt.UTC().Format("2006-01-02 15:04 MST")
	}
	if rule := r.byName[a.Rule]; rule != nil {
		f.Runbook = rule.Runbook
	}
	return f
}

// provider is what people call a mailbox provider. What has no name is no provider that does something, but thousands of domains.
func provider(id string) string {
	if id == observation.OtherProvider {
		return "other (all small providers)"
	}
	return clean(id)
}

// Summary is one line about an alert; reason is empty while it fires.
func (r *Rules) Summary(a *Alert, reason Reason, now time.Time) string {
	var words *text
	if rule := r.byName[a.Rule]; rule != nil {
		words = rule.summary
	} else {
		words, _ = newText("", defaultSummary, maxSummary)
	}
	line, err := words.execute(r.facts(a, reason, now))
	if err != nil || line == "" {
		line = a.Rule + ": " + a.Subject.String()
	}
	line = strings.Join(strings.Fields(line), " ")
	if reason != "" {
		line = shorten("Resolved, "+reason.Words()+": "+line, maxSummary)
	}
	return line
}

// Description is what the rule says beside its summary, empty when the rule is gone.
func (r *Rules) Description(a *Alert, reason Reason, now time.Time) string {
	rule := r.byName[a.Rule]
	if rule == nil {
		return ""
	}
	words, err := rule.description.execute(r.facts(a, reason, now))
	if err != nil {
		return ""
	}
	return words
}
