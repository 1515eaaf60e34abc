package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBoardsAreCurrent holds that the committed boards are what is described here, and nothing else.
func TestBoardsAreCurrent(t *testing.T) {
	folder := filepath.Join("..", "grafana")
	there, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(there) != len(boards()) {
		t.Errorf("%s holds %d files for %d boards", folder, len(there), len(boards()))
	}
	for _, b := range boards() {
		want, err := render(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(folder, b.uid+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not current; run go generate ./dashboards (-want +got):\n%s", b.uid, diff)
		}
	}
}
