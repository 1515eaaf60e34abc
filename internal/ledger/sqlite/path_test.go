package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPathsThatAreNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, link := filepath.Join(dir, "folder"), filepath.Join(dir, "link.db")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "unmounted", "ledger.db"), link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		folder: "it is a folder; name a file in it, such as " + filepath.Join(folder, "ledger.db"),
		link:   "it is a link to " + filepath.Join(dir, "unmounted", "ledger.db") + ", which is not there",
	} {
		l, err := Open(t.Context(), Options{Path: path, FreeDisk: plenty})
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open: %v, want %q", err, want)
		}
		r, err := OpenReader(t.Context(), path)
		if err == nil {
			_ = r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open for reading: %v, want %q", err, want)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.lock")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
