package config_test

import (
	"os"
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

// TestDocumentedRuleTests runs the example of docs/rules.md.
func TestDocumentedRuleTests(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	folder := t.TempDir()
	for name, text := range map[string]string{
		"rules.test.yaml": example,
		"mailvane.yaml": queue + "http: {external_url: 'https://mailvane.example.com'}\n" +
			"alerts: {catch_all: oncall, notifiers: {oncall: {slack: {url_env: SLACK}}}}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	suite, problems := config.LoadRuleTests(filepath.Join(folder, "rules.test.yaml"))
	if suite == nil || len(suite.Tests) != 2 {
		t.Fatalf("the example cannot be used:\n%s", printed(problems))
	}
	for _, f := range suite.Run() {
		t.Errorf("%s: got %q, want %q", f.About, f.Got, f.Want)
	}
}
