package chart

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
)

// folder is the chart, seen from this package.
const folder = "../../Helm/mailvane"

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rendering is what "helm install" would make of a set of values.
type rendering struct {
	manifests []manifest
	notes     string
}

// manifest is one object, and the template that it comes from.
type manifest struct {
	template, text string
}

// render does what "helm template" does, without a cluster: first the schema judges the values, then they are rendered.
func render(c *chart.Chart, values chartutil.Values) (*rendering, error) {
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "mv", Namespace: "mail", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	r := new(rendering)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		switch {
		case path.Base(name) == "NOTES.txt":
			r.notes = files[name]
		case path.Ext(name) == ".yaml":
			for _, text := range splitManifests(files[name]) {
				r.manifests = append(r.manifests, manifest{path.Base(name), text})
			}
		}
	}
	return r, nil
}

// splitManifests cuts a rendered file into its objects, in their order.
func splitManifests(text string) (all []string) {
	split := releaseutil.SplitManifests(text)
	keys := slices.Collect(maps.Keys(split))
	slices.SortFunc(keys, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	for _, key := range keys {
		all = append(all, strings.TrimSpace(split[key])+"\n")
	}
	return all
}

// text is everything as the goldens have it. Of boards it has the first, and of boards and rules not what is in them:
// TestBoards and TestRules compare that with where it comes from.
func (r *rendering) text() string {
	var b strings.Builder
	for i, m := range r.manifests {
		if i > 0 && m.template == "dashboards.yaml" && r.manifests[i-1].template == m.template {
			continue
		}
		fmt.Fprintf(&b, "---\n# %s\n%s", m.template, cut(m))
	}
	return b.String()
}

func cut(m manifest) string {
	end := map[string]string{"dashboards.yaml": "\ndata:\n", "prometheusrule.yaml": "\nspec:\n"}[m.template]
	if i := strings.Index(m.text, end); end != "" && i >= 0 {
		return m.text[:i+len(end)] + "# and so on\n"
	}
	return m.text
}

// cases are the files of testdata with an ending, by the names of the cases.
func cases(t *testing.T, ending string) map[string]chartutil.Values {
	t.Helper()
	files, err := filepath.Glob("testdata/*" + ending)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files testdata/*%s (%v)", ending, err)
	}
	all := make(map[string]chartutil.Values)
	for _, file := range files {
		values, err := chartutil.ReadValuesFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ending)] = values
	}
	return all
}

// golden compares with a golden file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; run the test with -update after reading this:\n%s", err, got)
	}
	if diff := difference(string(want), got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// difference is the first line in which two texts differ; empty when they are the same.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return fmt.Sprintf("line %d is new: %q", i+1, b[i])
		case i >= len(b):
			return fmt.Sprintf("line %d is gone: %q", i+1, a[i])
		case a[i] != b[i]:
			return fmt.Sprintf("line %d is %q, want %q", i+1, b[i], a[i])
		}
	}
	return ""
}
