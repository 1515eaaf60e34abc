package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/config"
)

var update = flag.Bool("update", false, "write the goldens anew")

const corpus = "../../testdata/config"

// TestLoad reads every file of the corpus. The problems of a *.bad.yaml must be those of its golden, each fault once and at
// its place; a *.good.yaml must have no golden but for warnings.
func TestLoad(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s (%v)", corpus, err)
	}
	for _, file := range files {
		good := strings.HasSuffix(file, ".good.yaml")
		if !good && !strings.HasSuffix(file, ".bad.yaml") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, problems := config.LoadFile(file)
			if config.Failed(problems) == good {
				t.Errorf("good is %v, but these are the problems:\n%s", good, printed(problems))
			}
			if (c != nil) != good {
				t.Errorf("a configuration came back: %v", c != nil)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".problems", printed(problems))
		})
	}
}

// printed is what a person sees, with names of files instead of paths.
func printed(problems []config.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		p.File = filepath.Base(p.File)
		fmt.Fprintln(&b, strings.ReplaceAll(p.String(), corpus+"/", ""))
	}
	return b.String()
}

// golden compares with a golden file; there is none for what is empty.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if got == "" {
			os.Remove(path)
			return
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil && got != "" {
		t.Fatalf("%v; run the test with -update after reading this:\n%s", err, got)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
