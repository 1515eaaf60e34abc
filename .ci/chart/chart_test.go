package chart

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestRender holds what each set of values of testdata/*.values.yaml is made into, and what is said after an installation.
func TestRender(t *testing.T) {
	c := load(t)
	for name, values := range cases(t, ".values.yaml") {
		t.Run(name, func(t *testing.T) {
			r, err := render(c, values)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name+".golden.yaml", r.text())
			golden(t, "testdata/"+name+".notes.txt", r.notes)
			for _, m := range r.manifests {
				checkManifest(t, m)
			}
		})
	}
}

// TestRefused holds what is said about each set of values of testdata/*.bad.yaml.
func TestRefused(t *testing.T) {
	c := load(t)
	for name, values := range cases(t, ".bad.yaml") {
		t.Run(name, func(t *testing.T) {
			r, err := render(c, values)
			if err == nil {
				t.Fatalf("it was made into\n%s", r.text())
			}
			golden(t, "testdata/"+name+".bad.txt", inOrder(err.Error()))
		})
	}
}

// inOrder sorts what a schema finds, which it tells in any order.
func inOrder(text string) string {
	head, rest, several := strings.Cut(strings.TrimRight(text, "\n"), "\n- ")
	if !several {
		return head + "\n"
	}
	findings := strings.Split(rest, "\n- ")
	for i, f := range findings {
		about, parts, several := strings.Cut(f, "\n  - ")
		if !several {
			continue
		}
		all := strings.Split(parts, "\n  - ")
		slices.Sort(all)
		findings[i] = about + "\n  - " + strings.Join(all, "\n  - ")
	}
	slices.Sort(findings)
	return head + "\n- " + strings.Join(findings, "\n- ") + "\n"
}

// TestLint runs "helm lint --strict" over every set of values, and over the defaults alone.
func TestLint(t *testing.T) {
	all := cases(t, ".values.yaml")
	all["no values"] = nil
	for name, values := range all {
		for _, m := range lint.All(folder, values, "mail", true).Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %v", name, m)
			}
		}
	}
}

// TestKubernetesVersions: the chart refuses clusters that it was not made for.
func TestKubernetesVersions(t *testing.T) {
	want := load(t).Metadata.KubeVersion
	for version, fits := range map[string]bool{
		"v1.27.16": false, "v1.28.0": true, "v1.28.5-eks-1234567": true, "v1.33.4-gke.1000": true, "v1.36.2": true,
	} {
		if got := chartutil.IsCompatibleRange(want, version); got != fits {
			t.Errorf("%s: fits is %v, want %v", version, got, fits)
		}
	}
}

// TestChecksum: the pod is replaced when what is configured changes, and for nothing else.
func TestChecksum(t *testing.T) {
	c := load(t)
	of := func(change func(v map[string]any)) string {
		t.Helper()
		values, err := chartutil.ReadValuesFile("testdata/smallest.values.yaml")
		if err != nil {
			t.Fatal(err)
		}
		change(values)
		r, err := render(c, values)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(r.text()) {
			if _, sum, ok := strings.Cut(line, "checksum/config: "); ok {
				return sum
			}
		}
		t.Fatal("there is no checksum")
		return ""
	}
	first := of(func(map[string]any) {})
	if first == of(func(v map[string]any) {
		v["config"].(map[string]any)["ledger"] = map[string]any{"zone": "Europe/Berlin"}
	}) {
		t.Error("another configuration has the same checksum")
	}
	if first == of(func(v map[string]any) { v["configFiles"] = map[string]any{"rules.yaml": "rules: []"} }) {
		t.Error("another file has the same checksum")
	}
	if first != of(func(v map[string]any) { v["service"] = map[string]any{"port": 80} }) {
		t.Error("another service has another checksum")
	}
}

// TestToldTwice: who has Prometheus alert is reminded that the daemon has the same rules.
func TestToldTwice(t *testing.T) {
	c := load(t)
	for defaults, reminded := range map[bool]bool{true: true, false: false} {
		values, err := chartutil.ReadValuesFile("testdata/elsewhere.values.yaml")
		if err != nil {
			t.Fatal(err)
		}
		values["config"].(map[string]any)["alerts"].(map[string]any)["defaults"] = defaults
		r, err := render(c, values)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(r.notes, "config.alerts.defaults: false: Prometheus has the same rules"); got != reminded {
			t.Errorf("with defaults %v reminded is %v:\n%s", defaults, got, r.notes)
		}
	}
}
