package dashboards_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/dashboards"
)

// rule is what the tests read of a rule.
type rule struct {
	Alert, Record, Expr, For string
	KeepFiringFor            string `yaml:"keep_firing_for"`
	Labels, Annotations      map[string]string
	file                     string
}

// readRules reads all rules as they are shipped.
func readRules(t *testing.T) []rule {
	t.Helper()
	names, err := fs.Glob(dashboards.Files(), dashboards.Prometheus+"/*.yaml")
	if err != nil || len(names) != 2 {
		t.Fatalf("files of rules %v, error %v; there must be two", names, err)
	}
	var all []rule
	for _, name := range names {
		data, err := fs.ReadFile(dashboards.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Groups []struct{ Rules []rule } }
		if err := yaml.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				r.file = filepath.Base(name)
				all = append(all, r)
			}
		}
	}
	return all
}

// ruleTests are the files with promtool's unit tests.
func ruleTests(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dashboards.Prometheus, "*.test.yaml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("unit tests %v, error %v", names, err)
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(data)
	}
	return all
}

// TestPromtool runs Prometheus's own checks and unit tests.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("this test needs promtool, of Debian's package prometheus: %v", err)
	}
	for _, c := range []struct{ what, files string }{{"check", "*.rules.yaml"}, {"test", "*.test.yaml"}} {
		files, err := filepath.Glob(filepath.Join(dashboards.Prometheus, c.files))
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), promtool, append([]string{c.what, "rules"}, files...)...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s rules: %v\n%s", c.what, err, out)
		}
	}
}

// TestEveryAlertIsTested holds that each alert of each severity is named by a unit test.
func TestEveryAlertIsTested(t *testing.T) {
	var tests strings.Builder
	for _, text := range ruleTests(t) {
		tests.WriteString(text)
	}
	for _, r := range readRules(t) {
		if r.Alert == "" {
			continue
		}
		fires := strings.Contains(tests.String(), `alertname="`+r.Alert+`",severity="`+r.Labels["severity"]+`"`) ||
			strings.Contains(tests.String(), `alertname="`+r.Alert+`",alertstate="firing"`) ||
			strings.Contains(tests.String(), "alertname: "+r.Alert+"\n")
		if !fires {
			t.Errorf("no unit test has %s of severity %s fire", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
	}
}

// TestRulesAreTheDefaults holds that the file for those who alert in Prometheus has each line of each built-in rule, with its
// threshold, its floor, its patience and its document, and nothing else.
func TestRulesAreTheDefaults(t *testing.T) {
	type line struct{ Name, Severity string }
	written := map[line]string{}
	for _, r := range readRules(t) {
		if r.Alert != "" && r.file == "mailvane-alerts.rules.yaml" {
			written[line{Name: r.Alert, Severity: r.Labels["severity"]}] = r.Expr + " for " + r.For + " keep " + r.KeepFiringFor + " see " + r.Annotations["document"]
		}
	}
	for _, d := range alerts.Defaults() {
		for severity, l := range map[string]*alerts.Line{"warning": d.Warning, "critical": d.Critical} {
			if l == nil {
				continue
			}
			key := line{Name: d.Name, Severity: severity}
			text, ok := written[key]
			if !ok {
				t.Errorf("no rule is %s of severity %s", d.Name, severity)
				continue
			}
			delete(written, key)
			checkDefault(t, &d, severity, l, text)
		}
	}
	if diff := cmp.Diff(map[line]string{}, written); diff != "" {
		t.Errorf("rules that are no built-in ones (-none +written):\n%s", diff)
	}
}

// checkDefault looks for a line in the rule: it stands there as it is written for people, or as the state that it means.
func checkDefault(t *testing.T, d *alerts.Rule, severity string, l *alerts.Line, text string) {
	t.Helper()
	at := l.Above
	if at == nil {
		at = l.Below
	}
	// The value of the line itself crosses a line above a share, and no other.
	cross := ">"
	switch ratio := d.Signal.Definition().Unit == alerts.Ratio; {
	case l.Below != nil:
		cross = "<"
	case ratio:
		cross = ">="
	}
	spelled := cross + " " + strconv.FormatFloat(*at, 'f', -1, 64)
	switch d.Name {
	case "AccountStatus", "DeafLoop":
		spelled = "== 1"
	case "AccountSendingPaused", "TenantPaused", "GmailCompliance":
		spelled = "== 0"
	case "SourceFailing": // its line is a length of time, which is the rule's patience
		spelled = "for " + short(time.Duration(*at)*time.Second) + " "
	case "SourceStale":
		spelled = `state="stale"`
	case "ReceivingStopped":
		spelled = ">= 1e6"
	case "QueueLag":
		spelled = map[string]string{"warning": "> 15 * 60", "critical": "> 2 * 3600"}[severity]
	}
	if !regexp.MustCompile(regexp.QuoteMeta(spelled) + `([^\d.]|$)`).MatchString(text) {
		t.Errorf("%s of severity %s does not have the line %v, as %q: %s", d.Name, severity, *at, spelled, text)
	}
	want := []string{" keep " + short(keeps(d)) + " see "}
	if d.Signal.Definition().Kind == alerts.Rate {
		want = append(want, map[string]string{"warning": ":low99{", "critical": ":low999{"}[severity])
	}
	if d.For != 0 {
		want = append(want, " for "+short(d.For)+" ")
	}
	if n := l.AtLeast.Denominator; n != nil {
		want = append(want, fmt.Sprintf(">= %d", *n))
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s of severity %s has no %q: %s", d.Name, severity, w, text)
		}
	}
	if !strings.HasSuffix(text, d.Document) {
		t.Errorf("%s has the document %s: %s", d.Name, d.Document, text)
	}
	if d.Window != nil && !strings.Contains(text, `window="`+d.Window.String()+`"`) && !strings.Contains(text, "["+d.Window.String()+"]") &&
		!strings.Contains(text, "[1d]") {
		t.Errorf("%s looks at %v: %s", d.Name, d.Window, text)
	}
}

// keeps is how long an alert of the rule stands after its figure has come back.
func keeps(d *alerts.Rule) time.Duration {
	switch of := d.Signal.Definition(); of.Kind {
	case alerts.Daily: // two good days end it
		return 24 * time.Hour
	case alerts.Rate:
		return min(of.Maturity, d.Window.Span())
	default:
		return 15 * time.Minute
	}
}

// short writes a length of time as Prometheus does.
func short(d time.Duration) string {
	return strings.NewReplacer("24h0m0s", "1d", "h0m0s", "h", "m0s", "m").Replace(d.String())
}
