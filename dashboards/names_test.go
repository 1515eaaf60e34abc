package dashboards_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/dashboards"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/telemetry"
)

// vocabulary is what queries may speak of.
type vocabulary struct {
	// labels are those of each metric, by the name that Prometheus knows it by.
	labels map[string][]string
	// recorded are the names that rules record.
	recorded []string
}

func newVocabulary(t *testing.T) *vocabulary {
	t.Helper()
	v := &vocabulary{labels: map[string][]string{}}
	for _, i := range telemetry.Instruments() {
		name, err := telemetry.PrometheusName(i)
		if err != nil {
			t.Fatal(err)
		}
		if i.Kind != telemetry.Histogram {
			v.labels[name] = i.Attributes
			continue
		}
		for _, part := range []string{"_bucket", "_count", "_sum"} {
			v.labels[name+part] = append([]string{"le"}, i.Attributes...)
		}
	}
	return v
}

// The labels that a metric gets on its way, by scraping and by OTLP alike. A label in a grouping may be missing, one in a
// matcher may not.
var (
	matchable = []string{"job"}
	groupable = []string{"job", "namespace"}
)

var (
	selector  = regexp.MustCompile(`(mailvane[_:][a-z0-9_:]+)(?:\{([^}]*)\})?`)
	matcher   = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping  = regexp.MustCompile(`\b(?:by|on|group_left|without|ignoring)\s*\(([^)]*)\)`)
	reference = regexp.MustCompile(`\$\w+|\$\{[^}]*\}|\[\[`)
)

// values are those that a label can have, where there is a closed list.
func values(label string) []string {
	var list []string
	switch label {
	case "outcome":
		for _, o := range observation.Outcomes() {
			list = append(list, o.String())
		}
	case "signal":
		for _, s := range signal.Signals() {
			list = append(list, s.String())
		}
		list = append(list, observation.AccountBounceRate, observation.AccountComplaintRate)
	case "window":
		for _, w := range signal.Windows() {
			list = append(list, w.String())
		}
	case "status":
		list = []string{"healthy", "probation", "shutdown", "other"}
	case "state":
		list = []string{"ok", "no_data", "stale", "error", "pending", "firing", "muted", "silenced", "waiting", "sending", "dead"}
	}
	return list
}

// names are labels that hold what people have named: a query that knows one works for one sender only.
var names = []string{"tenant", "campaign", "domain", "identifier", "account", "region", "queue", "receipt_rule", "rule_set", "source", "collector", "notifier"}

// check holds a query against the vocabulary.
func (v *vocabulary) check(t *testing.T, query string, board bool) {
	t.Helper()
	known := slices.Clone(groupable)
	found := selector.FindAllStringSubmatch(query, -1)
	if len(found) == 0 {
		t.Errorf("no metric in %s", query)
	}
	for _, m := range found {
		labels, ok := v.labels[m[1]]
		if !ok && !slices.Contains(v.recorded, m[1]) {
			t.Errorf("unknown metric %s in %s", m[1], query)
			continue
		}
		known = append(known, labels...)
		if board && !strings.Contains(m[2], `job=~"$job"`) {
			t.Errorf("%s is not restricted to the chosen Mailvane in %s", m[0], query)
		}
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			v.checkMatcher(t, m[1], l[1], l[3], query)
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(query, -1) {
		for l := range strings.SplitSeq(m[1], ",") {
			if l = strings.TrimSpace(l); l != "" && !slices.Contains(known, l) && !v.records(found) {
				t.Errorf("no metric of the query has the label %s: %s", l, query)
			}
		}
	}
}

// records says whether a recorded metric is among those found; its labels are those of the rule that records it.
func (v *vocabulary) records(found [][]string) bool {
	return slices.ContainsFunc(found, func(m []string) bool { return slices.Contains(v.recorded, m[1]) })
}

func (v *vocabulary) checkMatcher(t *testing.T, metric, label, value, query string) {
	t.Helper()
	if labels, ok := v.labels[metric]; ok && !slices.Contains(labels, label) && !slices.Contains(matchable, label) {
		t.Errorf("%s has no label %s: %s", metric, label, query)
	}
	if reference.MatchString(value) {
		return
	}
	if slices.Contains(names, label) {
		t.Errorf("%s=%q is one sender's name: %s", label, value, query)
	}
	if list := values(label); list != nil {
		for one := range strings.SplitSeq(value, "|") {
			if !slices.Contains(list, one) {
				t.Errorf("%s is never %q: %s", label, one, query)
			}
		}
	}
}

// TestQueriesSpeakOfWhatThereIs holds every query of the boards against the table of instruments.
func TestQueriesSpeakOfWhatThereIs(t *testing.T) {
	v := newVocabulary(t)
	for _, b := range readBoards(t) {
		variables := []string{"$__rate_interval", "$__range"}
		for _, x := range b.Templating.List {
			variables = append(variables, "$"+x.Name)
			if x.Type == "query" {
				_, of, _ := strings.Cut(x.Definition, "(")
				metric := selector.FindStringSubmatch(of)[1]
				_, label, _ := strings.Cut(strings.TrimSuffix(of[strings.LastIndex(of, ","):], ")"), ", ")
				if !slices.Contains(append(v.labels[metric], matchable...), label) || v.labels[metric] == nil {
					t.Errorf("%s: variable %s asks for the label %q of %s", b.Title, x.Name, label, metric)
				}
			}
		}
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				v.check(t, q.Expr, true)
				for _, r := range reference.FindAllString(q.Expr, -1) {
					if !slices.Contains(variables, r) {
						t.Errorf("%s, %s: the board has no variable %s", b.Title, p.Title, r)
					}
				}
			}
		}
	}
}

// TestRulesSpeakOfWhatThereIs does so with the rules, and their unit tests with it: a test of a metric that is not there
// would prove nothing.
func TestRulesSpeakOfWhatThereIs(t *testing.T) {
	v := newVocabulary(t)
	for _, r := range readRules(t) {
		if r.Record != "" {
			v.recorded = append(v.recorded, r.Record)
		}
	}
	for _, r := range readRules(t) {
		v.check(t, r.Expr, false)
	}
	for name, text := range ruleTests(t) {
		for _, m := range regexp.MustCompile(`series: '(mailvane_\w+)(?:\{([^}]*)\})?'`).FindAllStringSubmatch(text, -1) {
			if _, ok := v.labels[m[1]]; !ok {
				t.Errorf("%s: unknown metric %s", name, m[1])
			}
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(append(v.labels[m[1]], "job", "instance"), l[1]) {
					t.Errorf("%s: %s has no label %s", name, m[1], l[1])
				}
			}
		}
	}
}

// TestOnlyWhatIsShipped holds that nothing else is in the program.
func TestOnlyWhatIsShipped(t *testing.T) {
	var files []string
	err := fs.WalkDir(dashboards.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f, ".json") && !strings.HasSuffix(f, ".rules.yaml") {
			t.Errorf("%s is shipped", f)
		}
	}
	if len(files) != 8 {
		t.Errorf("%d files are shipped: %v", len(files), files)
	}
}
