package chart

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// dashboards is where boards and rules come from.
const dashboards = "../../dashboards"

// rendered are the objects that a template makes of a set of values.
func rendered(t *testing.T, values, template string) (all []any) {
	t.Helper()
	r, err := render(load(t), cases(t, ".values.yaml")[values])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.manifests {
		if m.template != template {
			continue
		}
		o, err := decode(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// TestBoards: Grafana gets every board as it is, each under a name of its own.
func TestBoards(t *testing.T) {
	boards, err := filepath.Glob(dashboards + "/grafana/*.json")
	if err != nil || len(boards) == 0 {
		t.Fatalf("there are no boards (%v)", err)
	}
	got, names := make(map[string]string), make(map[string]bool)
	for _, o := range rendered(t, "eks", "dashboards.yaml") {
		c := o.(*core.ConfigMap)
		names[c.Name] = true
		maps.Copy(got, c.Data)
	}
	if len(names) != len(boards) || len(got) != len(boards) {
		t.Errorf("%d ConfigMaps with %d boards, want %d", len(names), len(got), len(boards))
	}
	for _, board := range boards {
		want, err := os.ReadFile(board)
		if err != nil {
			t.Fatal(err)
		}
		if diff := difference(string(want), got[filepath.Base(board)]); diff != "" {
			t.Errorf("%s: %s", board, diff)
		}
	}
}

// TestRules: Prometheus gets the rules as they are. What is not asked for it does not get, or people are told twice.
func TestRules(t *testing.T) {
	f := func(values string, files ...string) {
		t.Helper()
		all := rendered(t, values, "prometheusrule.yaml")
		if len(all) != len(files) {
			t.Fatalf("%s: %d objects, want %d", values, len(all), len(files))
		}
		for i, file := range files {
			text, err := os.ReadFile(filepath.Join(dashboards, "prometheus", file))
			if err != nil {
				t.Fatal(err)
			}
			var want monitoring.PrometheusRuleSpec
			if err := yaml.UnmarshalStrict(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := difference(marshal(t, want), marshal(t, all[i].(*monitoring.PrometheusRule).Spec)); diff != "" {
				t.Errorf("%s: %s: %s", values, file, diff)
			}
		}
	}
	f("smallest")
	f("eks", "mailvane.rules.yaml")
	f("elsewhere", "mailvane.rules.yaml", "mailvane-alerts.rules.yaml")
}

func marshal(t *testing.T, o any) string {
	t.Helper()
	text, err := yaml.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
