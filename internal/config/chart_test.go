package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/config"
)

// chart is where the tests of the Helm chart keep what its sets of values are made into.
const chart = "../../.ci/chart/testdata"

// TestChart loads the configuration file of every ConfigMap that the Helm chart makes, as a pod would see it.
func TestChart(t *testing.T) {
	files, err := filepath.Glob(chart + "/*.golden.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s (%v)", chart, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			folder := t.TempDir()
			for name, text := range configMap(t, file) {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c, problems := config.LoadFile(filepath.Join(folder, "mailvane.yaml"), config.WithWebConfig("web.yaml"))
			if len(problems) > 0 {
				t.Fatal(printed(problems))
			}
			if c.HTTP.Listen != "0.0.0.0:9464" || c.Ledger.Path != "/var/lib/mailvane/ledger.db" {
				t.Errorf("listen is %s, path is %s", c.HTTP.Listen, c.Ledger.Path)
			}
		})
	}
}

// configMap finds the files of the first ConfigMap with a configuration.
func configMap(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var object struct {
			Kind string
			Data map[string]string
		}
		if err := d.Decode(&object); errors.Is(err, io.EOF) {
			t.Fatal("there is no configuration")
		} else if err != nil {
			continue // objects of other kinds have data of other types
		}
		if object.Kind == "ConfigMap" && object.Data["mailvane.yaml"] != "" {
			return object.Data
		}
	}
}

// TestChartSchema holds that the chart's values take every section of the configuration, and no other key; http.listen and
// ledger.path are the chart's own.
func TestChartSchema(t *testing.T) {
	text, err := os.ReadFile("../../Helm/mailvane/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		AdditionalProperties any
		Properties           map[string]json.RawMessage
	}
	read := func(raw json.RawMessage) (n node) {
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	section := read(read(text).Properties["config"])
	f := func(name string, n node, of reflect.Type, own ...string) {
		t.Helper()
		if n.AdditionalProperties != false {
			t.Errorf("%s: takes keys that are not there", name)
		}
		want := slices.DeleteFunc(keysOf(of), func(key string) bool { return slices.Contains(own, key) })
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(n.Properties))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	f("config", section, reflect.TypeFor[config.Config]())
	f("config.http", read(section.Properties["http"]), reflect.TypeFor[config.HTTP](), "listen")
	f("config.ledger", read(section.Properties["ledger"]), reflect.TypeFor[config.Ledger](), "path")
	f("config.collectors", read(section.Properties["collectors"]), reflect.TypeFor[config.Collectors]())
}

// keysOf are the keys of a section, sorted.
func keysOf(section reflect.Type) (keys []string) {
	for field := range section.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
