package faults

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const pageSize = 4096

// counted makes a ledger with counts in it, and leaves no daemon.
func counted(t *testing.T) *rig {
	t.Helper()
	r := oneQueue(t)
	d := r.start(t)
	var bodies []string
	for i := range 300 {
		m := newMail(fmt.Sprintf("campaign-%d", i%40), i)
		bodies = append(bodies, m.sent(t), m.bounced(t))
	}
	r.send(t, bodies...)
	r.drained(t, events)
	d.stop(t) // folds, and writes everything into the one file
	return r
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDamagedLedger starts the daemon, and a command beside it, on files that are no sound ledger. Both refuse, name the file
// and leave it as it is.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	r := counted(t)
	sound := readFile(t, r.ledger)
	pages := len(sound) / pageSize
	for name, spoil := range map[string]func(b []byte) []byte{
		"garbage":        func([]byte) []byte { return []byte(strings.Repeat("no ledger\n", 5000)) },
		"empty":          func([]byte) []byte { return nil },
		"cut in half":    func(b []byte) []byte { return b[:pages/2*pageSize] },
		"cut by a page":  func(b []byte) []byte { return b[:len(b)-pageSize] },
		"cut in a page":  func(b []byte) []byte { return b[:len(b)/2+17] },
		"zeros at end":   func(b []byte) []byte { clear(b[len(b)/2:]); return b },
		"header flipped": func(b []byte) []byte { b[3] ^= 0xff; return b },
		"schema flipped": func(b []byte) []byte { flip(b[100:pageSize]); return b },
	} {
		spoilt := spoil(bytes.Clone(sound))
		if err := os.WriteFile(r.ledger, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		r.refusesDamage(t, name, spoilt)
		if status, out := r.run(t, "quarantine", "list"); status != 1 || !strings.Contains(out, r.ledger) || !strings.Contains(out, "damaged") {
			t.Errorf("%s: quarantine list ended with status %d: %s", name, status, out)
		}
	}
}

// refusesDamage starts the daemon on a damaged file.
func (r *rig) refusesDamage(t *testing.T, what string, spoilt []byte) {
	t.Helper()
	said := r.refused(t)
	if !strings.Contains(said, "open ledger "+r.ledger+": the ledger is damaged") {
		t.Errorf("%s: it said %q, want that %s is damaged", what, said, r.ledger)
	}
	if !bytes.Equal(readFile(t, r.ledger), spoilt) {
		t.Errorf("%s: the file was changed", what)
	}
}

func flip(b []byte) {
	for i := range b {
		b[i] ^= 0xff
	}
}

// TestFlippedPages damages one page of the ledger after the other, all over the file. Whatever the page held, the daemon does
// not start with it.
func TestFlippedPages(t *testing.T) {
	t.Parallel()
	r := counted(t)
	sound := readFile(t, r.ledger)
	free := freePages(sound)
	pages := len(sound) / pageSize
	for page := 2; page <= pages; page++ { // the first holds the header
		if free[page] {
			continue // nothing ever reads what is in it
		}
		spoilt := bytes.Clone(sound)
		flip(spoilt[(page-1)*pageSize : page*pageSize])
		if err := os.WriteFile(r.ledger, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		r.refusesDamage(t, fmt.Sprintf("page %d of %d", page, pages), spoilt)
	}
	if len(free) > pages/2 {
		t.Errorf("%d of %d pages are free: too many to tell anything", len(free), pages)
	}
	if err := os.WriteFile(r.ledger, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(t).stop(t)
}

// freePages are the pages of a SQLite file that hold nothing, by their numbers from 1
// (https://www.sqlite.org/fileformat.html#the_freelist). Those that list the others are not among them.
func freePages(file []byte) map[int]bool {
	number := func(page, i int) int { return int(binary.BigEndian.Uint32(file[(page-1)*pageSize+4*i:])) }
	free := make(map[int]bool)
	for trunk := int(binary.BigEndian.Uint32(file[32:])); trunk != 0; trunk = number(trunk, 0) {
		for i := range number(trunk, 1) {
			free[number(trunk, 2+i)] = true
		}
	}
	return free
}

// TestReadOnlyLedger starts the daemon where it may read its ledger but not write.
func TestReadOnlyLedger(t *testing.T) {
	t.Parallel()
	for name, forbid := range map[string]func(r *rig) []string{
		"file": func(r *rig) []string { return []string{r.ledger} },
		"all":  func(r *rig) []string { return []string{r.ledger, r.ledger + ".lock", r.dir} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := counted(t)
			before := readFile(t, r.ledger)
			r.asNobody(t)
			for _, path := range forbid(r) {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, info.Mode().Perm()&^0o222); err != nil {
					t.Fatal(err)
				}
			}
			said := r.refused(t)
			if !strings.Contains(said, "open ledger "+r.ledger+": ") || !strings.Contains(said, "permission denied") && !strings.Contains(said, "readonly") {
				t.Errorf("it said %q, want that %s cannot be written", said, r.ledger)
			}
			if !bytes.Equal(readFile(t, r.ledger), before) {
				t.Error("the file was changed")
			}
		})
	}
}

// asNobody gives the rig to a user without rights, because nothing is read-only to root.
func (r *rig) asNobody(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	r.credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	for _, pattern := range []string{r.dir, filepath.Join(r.dir, "*")} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if err := os.Chown(path, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The folders above are this test's own; nobody may pass through them.
	for dir := filepath.Dir(r.dir); dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadOnlyFileSystem starts the daemon on a file system that is mounted for reading, with its ledger and without any.
func TestReadOnlyFileSystem(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := oneQueue(t)
	for _, made := range []bool{true, false} {
		small := mount(t, 400*megabyte)
		r.ledger = filepath.Join(string(small), "ledger.db")
		r.configure(t)
		if made {
			r.start(t).stop(t)
		}
		small.readOnly(t)
		if said := r.refused(t); !strings.Contains(said, "open ledger "+r.ledger+": ") || !strings.Contains(said, "read-only file system") {
			t.Errorf("it said %q, want that %s is on a read-only file system", said, r.ledger)
		}
	}
}
