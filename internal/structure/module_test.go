package structure

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestModules holds that "go install" of a release builds what was tested here: it ignores replace and exclude lines.
func TestModules(t *testing.T) {
	for _, name := range []string{"go.mod", ".ci/tools/go.mod", ".ci/chart/go.mod"} {
		for _, line := range lines(t, name) {
			if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word == "replace" || word == "exclude" {
				t.Errorf("%s: %q: depend on a release instead", name, line)
			}
		}
	}
}

// TestLockfileNamesNoHost holds that the packages of the end-to-end test come from wherever npm is set up to look.
func TestLockfileNamesNoHost(t *testing.T) {
	for _, line := range lines(t, "internal/e2e/fauxqs/package-lock.json") {
		if strings.Contains(line, `"resolved"`) {
			t.Errorf("package-lock.json: %s: lock without addresses (.npmrc beside it sets this up for npm install)", strings.TrimSpace(line))
		}
	}
}

// TestDockerfile checks what can be checked without building: pinned bases, no root, no shell in the command.
func TestDockerfile(t *testing.T) {
	instructions := make(map[string][]string)
	for _, line := range lines(t, "Dockerfile") {
		if name, rest, ok := strings.Cut(line, " "); ok && regexp.MustCompile(`^[A-Z]+$`).MatchString(name) {
			instructions[name] = append(instructions[name], strings.TrimSpace(rest))
		}
	}
	bases := instructions["FROM"]
	if len(bases) < 2 {
		t.Errorf("%d FROM lines; build in one stage and ship another", len(bases))
	}
	for _, base := range bases {
		image, _, _ := strings.Cut(base, " AS ")
		if tag := regexp.MustCompile(`:([\w.-]+)$`).FindStringSubmatch(image); image != "scratch" && (tag == nil || tag[1] == "latest") {
			t.Errorf("FROM %s: name the version, so that a build can be repeated", base)
		}
	}
	users := instructions["USER"]
	if len(users) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(users[0]) {
		t.Errorf("USER %q: want one numeric user that is not root, which Kubernetes can check", users)
	}
	for _, name := range []string{"ENTRYPOINT", "CMD"} {
		if v := instructions[name]; len(v) != 1 || !strings.HasPrefix(v[0], `["`) {
			t.Errorf("%s %q: want one, as a JSON list: the image has no shell, and signals must reach the daemon", name, v)
		}
	}
	if !slices.ContainsFunc(instructions["COPY"], func(s string) bool { return strings.HasSuffix(s, " /tmp") && strings.Contains(s, users[0]) }) {
		t.Error("no COPY to /tmp for the user: the demo makes its folder there, and a base from scratch has none")
	}
	if !slices.ContainsFunc(instructions["ENV"], func(s string) bool { return s == "CGO_ENABLED=0" }) {
		t.Error("no ENV CGO_ENABLED=0: the image has no C library")
	}
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}
