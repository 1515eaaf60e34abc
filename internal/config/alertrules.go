package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
)

// AlertRules are the rules to evaluate: the default ones, if they are wanted, with what the file changes of them, and those of
// the file.
func (c *Config) AlertRules() []alerts.Rule {
	rules, _ := c.Alerts.resolve(func(string, fault) {})
	return rules
}

// resolve makes the rules to evaluate. index holds the place in the file of each, -1 for default ones that the file does not
// name. What cannot be resolved is reported with its path, and left out.
func (a *Alerts) resolve(report func(path string, f fault)) (rules []alerts.Rule, index []int) {
	defaults := alerts.Defaults()
	inFile := make(map[string]bool, len(a.Rules))
	for i := range a.Rules {
		inFile[a.Rules[i].Name] = true
	}
	if a.Defaults {
		for _, r := range defaults {
			if !inFile[r.Name] {
				rules, index = append(rules, r), append(index, -1)
			}
		}
	}
	for i := range a.Rules {
		path := indexed("alerts.rules", i)
		r := resolver{file: &a.Rules[i], report: func(key string, f fault) { report(path+key, f) }}
		if rule, ok := r.resolve(defaults); ok && a.Rules[i].Enabled {
			rules, index = append(rules, rule), append(index, i)
		}
	}
	return rules, index
}

// resolver puts a rule of the file into the words of package alerts.
type resolver struct {
	file   *AlertRule
	report func(key string, f fault)
}

// resolve starts from the default rule of the name, if there is one. It says whether the rule has a signal.
func (r *resolver) resolve(defaults []alerts.Rule) (rule alerts.Rule, ok bool) {
	rule.Name = r.file.Name
	base := slices.IndexFunc(defaults, func(d alerts.Rule) bool { return d.Name == r.file.Name })
	watched, isSignal := alerts.ParseSignal(string(r.file.Signal))
	switch {
	case base >= 0:
		rule = defaults[base]
		if isSignal && watched != rule.Signal {
			r.report(".signal", fault{fmt.Sprintf("the default rule of this name watches %s", rule.Signal), "give the rule another name, or remove the key"})
		}
	case !isSignal:
		r.report(".signal", noSignal(r.file.Name, defaults))
		return rule, false
	default:
		rule.Signal = watched
	}
	r.scope(&rule)
	unit := rule.Signal.Definition().Unit
	rule.Warning = r.line(".warning", rule.Warning, r.file.Warning, unit)
	rule.Critical = r.line(".critical", rule.Critical, r.file.Critical, unit)
	r.words(&rule)
	return rule, true
}

func noSignal(name string, defaults []alerts.Rule) fault {
	names := make([]string, len(defaults))
	for i, d := range defaults {
		names[i] = d.Name
	}
	f := fault{"is missing, and no default rule has this name", "write signal: complaint_rate, or whichever is to be watched"}
	// Names of default rules are in mixed case, which nearest leaves alone.
	for _, n := range names {
		if strings.EqualFold(n, name) || nearest(name, []string{strings.ToLower(n)}) != "" {
			f.instead = "write signal: complaint_rate, or whichever is to be watched; or did you mean the default rule " + n + "?"
		}
	}
	return f
}

func (r *resolver) scope(rule *alerts.Rule) {
	if by, ok := alerts.ParseBy(string(r.file.By)); ok {
		rule.By = by
	}
	if w, ok := signal.ParseWindow(string(r.file.Window)); ok {
		rule.Window = &w
	}
	if r.file.Where != nil {
		rule.Where = r.file.Where.matchers()
	}
	if r.file.For != nil {
		rule.For = time.Duration(*r.file.For)
	}
	if r.file.KeepFiringFor != nil {
		keep := time.Duration(*r.file.KeepFiringFor)
		rule.KeepFiringFor = &keep
	}
}

// matchers are the matchers in the words of package alerts.
func (m Matchers) matchers() []alerts.Matcher {
	var list []alerts.Matcher
	for _, entry := range m {
		name, not := strings.CutSuffix(entry.Name, "!")
		matcher := alerts.Matcher{Name: name, Not: not}
		for _, glob := range entry.Value {
			matcher.Globs = append(matcher.Globs, string(glob))
		}
		list = append(list, matcher)
	}
	return list
}

// line is the default line, changed by what the file says of it and of both lines. It is nil where there is neither.
func (r *resolver) line(key string, base *alerts.Line, file *AlertLine, unit alerts.Unit) *alerts.Line {
	if base == nil && file == nil {
		return nil
	}
	var line alerts.Line
	if base != nil {
		line = *base
	}
	if file == nil {
		file = new(AlertLine)
	}
	if file.Above != "" || file.Below != "" {
		line.Above = r.threshold(key+".above", file.Above, unit)
		line.Below = r.threshold(key+".below", file.Below, unit)
	}
	if n := file.AtLeast.Denominator; n != nil {
		line.AtLeast.Denominator = new(int64(*n))
	}
	if n := file.AtLeast.Numerator; n != nil {
		line.AtLeast.Numerator = new(int64(*n))
	}
	for _, confidence := range []Share{r.file.Confidence, file.Confidence} {
		if confidence != 0 {
			line.Confidence = float64(confidence)
		}
	}
	for _, text := range []DaysOf{r.file.Of, file.Of} {
		if of, err := alerts.ParseOf(string(text)); err == nil {
			line.Of = of
		}
	}
	return &line
}

func (r *resolver) threshold(key string, t Threshold, unit alerts.Unit) *float64 {
	if t == "" {
		return nil
	}
	v, f := t.value(unit)
	if f != nil {
		r.report(key, *f)
		return nil
	}
	return &v
}

func (r *resolver) words(rule *alerts.Rule) {
	for _, w := range []struct {
		text   string
		target *string
	}{
		{r.file.Owner, &rule.Owner}, {string(r.file.Summary), &rule.Summary}, {string(r.file.Description), &rule.Description},
		{r.file.Runbook, &rule.Runbook},
	} {
		if w.text != "" {
			*w.target = w.text
		}
	}
	if r.file.Labels == nil {
		return
	}
	rule.Labels = nil
	for _, l := range r.file.Labels {
		rule.Labels = append(rule.Labels, observation.Field{Name: l.Name, Value: l.Value})
	}
}

// checkRules reports what is wrong with the rules of the file. What follows from a value that has been reported already is not
// repeated.
func (a *Alerts) checkRules(d *decoder) {
	report := func(path string, f fault) {
		if !d.full() && !d.faultsBelow(path) {
			d.fault(d.at(path), path, f)
		}
	}
	rules, index := a.resolve(report)
	alerts.Check(rules, func(path, problem string) {
		path = a.pathInFile(path, index)
		report(path, fault{problem, insteads[element.ReplaceAllString(path, "[]")]})
	})
	a.checkTwins(report)
	a.checkAlarm(report)
	for k := range rules {
		if i := index[k]; i >= 0 {
			a.checkWhere(&rules[k], indexed("alerts.rules", i), report)
		}
	}
}

// insteads say what to do where package alerts says only what is wrong, by the path without numbers.
var insteads = map[string]string{
	"alerts.rules[]":                   "write, for example, warning: {above: 1%}",
	"alerts.rules[].by":                "write one of these, or remove the key",
	"alerts.rules[].window":            "remove the key",
	"alerts.rules[].of":                "remove the key",
	"alerts.rules[].warning.of":        "remove the key",
	"alerts.rules[].critical.of":       "remove the key",
	"alerts.rules[].confidence":        "remove the key",
	"alerts.rules[].warning.at_least":  "remove the key",
	"alerts.rules[].critical.at_least": "remove the key",
	"alerts.rules[].warning":           "write, for example, {above: 1%}",
	"alerts.rules[].critical.above":    "write more, or less for the warning",
	"alerts.rules[].critical.below":    "write less, or more for the warning",
}

// checkAlarm keeps the name of the alarm for it alone: its alerts go past the ledger, under a key of their own.
func (a *Alerts) checkAlarm(report func(path string, f fault)) {
	for i := range a.Rules {
		if a.Rules[i].Name == watch.AlarmRule {
			report(indexed("alerts.rules", i)+".name", fault{"is that of the alarm which is always there", "give the rule another name"})
		}
	}
}

// checkTwins finds rules of one name of which one is switched off; alerts.Check finds the others.
func (a *Alerts) checkTwins(report func(path string, f fault)) {
	first := make(map[string]int)
	for i := range a.Rules {
		name := a.Rules[i].Name
		before, twice := first[name]
		if twice && name != "" && !(a.Rules[i].Enabled && a.Rules[before].Enabled) {
			report(indexed("alerts.rules", i)+".name", fault{
				fmt.Sprintf("is the name of %s too", indexed("alerts.rules", before)), "give one of them another name"})
		}
		first[name] = i
	}
}

// pathInFile turns a path of package alerts, such as rules[34].critical.of, into that of the file. A confidence or number of
// days that stands beside the lines is found there.
func (a *Alerts) pathInFile(path string, index []int) string {
	rest, ok := strings.CutPrefix(path, "rules[")
	number, key, found := strings.Cut(rest, "]")
	k, err := strconv.Atoi(number)
	if !ok || !found || err != nil || index[k] < 0 {
		return "alerts.rules"
	}
	r := &a.Rules[index[k]]
	for _, l := range []struct {
		key  string
		line *AlertLine
	}{{".warning", r.Warning}, {".critical", r.Critical}} {
		own := l.line
		if own == nil {
			own = new(AlertLine)
		}
		if key == l.key+".confidence" && own.Confidence == 0 || key == l.key+".of" && own.Of == "" {
			key = strings.TrimPrefix(key, l.key)
		}
	}
	return indexed("alerts.rules", index[k]) + key
}

// checkWhere finds what nothing can match, so that the rule would be silent for ever.
func (a *Alerts) checkWhere(rule *alerts.Rule, path string, report func(path string, f fault)) {
	by := rule.By
	if by == 0 {
		by = rule.Signal.Definition().By[0]
	}
	labels := alerts.SubjectLabels()
	for _, m := range rule.Where {
		at := path + ".where." + m.Name
		if m.Not {
			at += "!"
		}
		switch {
		case !slices.Contains(labels, m.Name):
			report(at, noLabel(m.Name, labels))
		case m.Name == "provider" && by != alerts.ByProvider && by != alerts.ByCampaignProvider:
			report(at, fault{fmt.Sprintf("the rule is by %s, which tells no providers apart", by), "write by: campaign+provider, if the signal has it"})
		}
	}
}

func noLabel(name string, known []string) fault {
	f := fault{"there is no such label here", "write one of " + strings.Join(known, ", ")}
	if near := nearest(name, known); near != "" {
		f.instead = "did you mean " + near + "?"
	}
	return f
}
