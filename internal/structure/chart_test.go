package structure

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write copies anew")

// TestChartCopies holds that the Helm chart ships the boards and rules of dashboards as they are: Helm reads no file outside a
// chart's folder.
func TestChartCopies(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"dashboards/grafana/*.json", "Helm/mailvane/files/grafana"},
		{"dashboards/prometheus/*.rules.yaml", "Helm/mailvane/files/prometheus"},
	} {
		originals, err := filepath.Glob(filepath.Join(root, c.from))
		if err != nil || len(originals) == 0 {
			t.Errorf("there is no %s (%v)", c.from, err)
		}
		known := make(map[string]bool)
		for _, original := range originals {
			name := filepath.Base(original)
			known[name] = true
			compareCopy(t, original, filepath.Join(root, c.to, name))
		}
		copies, err := os.ReadDir(filepath.Join(root, c.to))
		if err != nil {
			t.Error(err)
		}
		for _, f := range copies {
			if !known[f.Name()] {
				t.Errorf("%s/%s is a copy of nothing: remove it", c.to, f.Name())
			}
		}
	}
}

// compareCopy compares a copy with its original, and writes it anew with -update.
func compareCopy(t *testing.T, original, path string) {
	t.Helper()
	want, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		t.Fatal(err)
	case bytes.Equal(got, want):
	case *update:
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is no copy of %s: run make generate", filepath.Base(path), filepath.Base(original))
	}
}
