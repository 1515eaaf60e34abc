package folder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
)

// files are the names and contents of a folder.
func files(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

func expect(t *testing.T, err error, want alerts.DeliveryReason) {
	t.Helper()
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok || e.Reason != want || e.Notifier != "weekly" {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reports")
	f := New("weekly", path)
	write := func(name, text string) {
		t.Helper()
		if err := f.Write(t.Context(), name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("a.html", "first")
	write("b.csv", "")
	// What a crash left is no obstacle, and a file is replaced whole.
	if err := os.WriteFile(filepath.Join(path, ".a.html.partial"), []byte("half of a long text"), 0o600); err != nil {
		t.Fatal(err)
	}
	write("a.html", "second")
	if diff := cmp.Diff(map[string]string{"a.html": "second", "b.csv": ""}, files(t, path)); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(filepath.Join(path, "a.html"))
	if err != nil || info.Mode().Perm()&^0o644 != 0 || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
}

// TestNothingElsewhere holds that no name and no link leads out of the folder.
func TestNothingElsewhere(t *testing.T) {
	above := t.TempDir()
	path := filepath.Join(above, "reports")
	f := New("weekly", path)
	for _, name := range []string{
		"", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "a\x00b", "a\nb", `a\b`, "ä", "-x", strings.Repeat("a", 201), "a b", "a:b",
	} {
		expect(t, f.Write(t.Context(), name, nil), alerts.DeliveryRefused)
	}
	if err := f.Write(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(above, "outside")
	for _, link := range []string{"b", ".c.partial"} {
		if err := os.Symlink(outside, filepath.Join(path, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"b", "c"} { // a link is replaced, not followed
		if err := f.Write(t.Context(), name, []byte("inside")); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("something was written outside")
	}
}

func TestFaults(t *testing.T) {
	above := t.TempDir()
	expect(t, New("weekly", filepath.Join(above, "none", "reports")).Write(t.Context(), "a", nil), alerts.DeliveryAuth)
	file := filepath.Join(above, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, New("weekly", file).Write(t.Context(), "a", nil), alerts.DeliveryAuth)
	if err := os.Mkdir(filepath.Join(above, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(above, "a", "b"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, New("weekly", above).Write(t.Context(), "a", nil), alerts.DeliveryUnavailable) // a folder of that name
	if _, err := os.Stat(filepath.Join(above, ".a.partial")); err == nil {
		t.Error("half a file is left")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	expect(t, New("weekly", above).Write(ctx, "c", nil), alerts.DeliveryUnavailable)
}
