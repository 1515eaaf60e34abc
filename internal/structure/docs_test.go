package structure

import (
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackageComments holds that every package says once what it is, so that a reader knows where to look for it.
func TestPackageComments(t *testing.T) {
	all := source(t)
	comments := make(map[string][]file)
	names := make(map[string]string)
	for _, f := range all.files {
		if strings.HasSuffix(f.syntax.Name.Name, "_test") {
			continue
		}
		names[f.folder] = f.syntax.Name.Name
		if f.syntax.Doc != nil {
			comments[f.folder] = append(comments[f.folder], f)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(names)) {
		found := comments[folder]
		if len(found) != 1 {
			t.Errorf("%s: has %d package comments, want one, in doc.go", folder, len(found))
			continue
		}
		want := "Package " + names[folder] + " "
		if names[folder] == "main" {
			want = "Command " + path.Base(folder) + " "
		}
		text := docText(found[0].syntax)
		if !strings.HasPrefix(text, want) && !(names[folder] == "main" && strings.HasPrefix(strings.ToLower(text), path.Base(folder)+" ")) {
			t.Errorf("%s: the package comment begins %.40q, want %q", found[0].name, text, want)
		}
	}
}

func docText(f *ast.File) string { return f.Doc.Text() }

// TestDocumentsNameWhatExists holds that the paths and make targets that documents name are there: a guide that leads
// nowhere is worse than none.
func TestDocumentsNameWhatExists(t *testing.T) {
	documents, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, root+"/README.md", root+"/CONTRIBUTING.md")
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range namedPaths(string(text)) {
			if matches, err := filepath.Glob(filepath.Join(root, p)); err != nil || len(matches) == 0 {
				t.Errorf("%s names %s, which is not there", filepath.Base(document), p)
			}
		}
		for _, p := range links(string(text)) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), p)); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(document), p)
			}
		}
		for _, target := range makeTargets(string(text)) {
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).Match(makefile) {
				t.Errorf("%s names make %s, which the Makefile does not know", filepath.Base(document), target)
			}
		}
	}
}

// namedPaths finds the paths of this tree that a document names as code. <name> stands for something to be filled in.
func namedPaths(text string) (paths []string) {
	tops := "cmd|collectors|alerts|dashboards|Helm|testdata|internal|docs|" + regexp.QuoteMeta(".ci")
	for _, m := range regexp.MustCompile("`(?:\\./)?((?:"+tops+")/[^`\\s]*)`").FindAllStringSubmatch(text, -1) {
		if !strings.ContainsAny(m[1], "<>…") {
			paths = append(paths, strings.TrimSuffix(m[1], "/..."))
		}
	}
	return paths
}

// links finds the relative links of a document.
func links(text string) (paths []string) {
	for _, m := range regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
			paths = append(paths, m[1])
		}
	}
	return paths
}

func makeTargets(text string) (targets []string) {
	for _, m := range regexp.MustCompile("(?m)(?:`|^\\s*(?:\\$ )?)make ([a-z]+)").FindAllStringSubmatch(text, -1) {
		targets = append(targets, m[1])
	}
	return targets
}

// TestFinders makes sure that the rule above would see a fault.
func TestFinders(t *testing.T) {
	text := "See `internal/app`, `testdata/ses/*.json`, `docs/<name>.md` and [the guide](docs/guide.md#start), " +
		"[elsewhere](https://example.com/).\n\n    make test\n\nor `make bench`.\n"
	if got, want := namedPaths(text), []string{"internal/app", "testdata/ses/*.json"}; !slices.Equal(got, want) {
		t.Errorf("namedPaths = %q, want %q", got, want)
	}
	if got, want := links(text), []string{"docs/guide.md"}; !slices.Equal(got, want) {
		t.Errorf("links = %q, want %q", got, want)
	}
	if got, want := makeTargets(text), []string{"test", "bench"}; !slices.Equal(got, want) {
		t.Errorf("makeTargets = %q, want %q", got, want)
	}
}
