package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/config"
)

// TestLoadRuleTests reads every file of tests of rules. The problems of a *.bad.yaml must be those of its golden; the tests in
// a *.good.yaml must hold.
func TestLoadRuleTests(t *testing.T) {
	files, err := filepath.Glob("../../testdata/ruletests/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	for _, file := range files {
		good := strings.HasSuffix(file, ".good.yaml")
		t.Run(filepath.Base(file), func(t *testing.T) {
			suite, problems := config.LoadRuleTests(file)
			if (suite != nil) != good || config.Failed(problems) == good {
				t.Fatalf("good is %v, but these are the problems:\n%s", good, printed(problems))
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".problems", printed(problems))
			if suite == nil {
				return
			}
			for _, f := range suite.Run() {
				t.Errorf("%s %s: got %q, want %q %v", filepath.Base(f.Place), f.About, f.Got, f.Want, f.Why)
			}
		})
	}
	if _, problems := config.LoadRuleTests("none.yaml"); len(problems) != 1 {
		t.Errorf("a file that is not there has the problems %v", problems)
	}
}
