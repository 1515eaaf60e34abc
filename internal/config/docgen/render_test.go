package main

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const (
	page          = "../../../docs/configuration.md"
	alertsExample = "../../../testdata/config/alerts.good.yaml"
)

// TestPage fails when the page is not what the code says, and when a key has no explanation.
func TestPage(t *testing.T) {
	got, err := render("..", alertsExample)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./internal/config (-page +code):\n%s", diff)
	}
}

// TestUndocumented gives the renderer a folder without comments.
func TestUndocumented(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(folder+"/example.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := render(folder, alertsExample); err == nil {
		t.Error("keys without an explanation were not noticed")
	}
}

// TestExample loads the example that the page shows.
func TestExample(t *testing.T) {
	if _, problems := config.LoadFile("../example.yaml"); len(problems) > 0 {
		t.Error(problems)
	}
}
