package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

func openAt(t *testing.T, path string, change func(*Options)) *Ledger {
	t.Helper()
	o := Options{Path: path, FreeDisk: plenty}
	if change != nil {
		change(&o)
	}
	l, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func tempLedger(t *testing.T, change func(*Options)) *Ledger {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "a ledger?#%.db"), change)
}

// madeAndClosed makes a ledger with one Put in it and returns its path.
func madeAndClosed(t *testing.T) string {
	t.Helper()
	l := tempLedger(t, nil)
	if _, err := l.Commit(t.Context(), killPut(0)); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.o.Path
}

func commitErr(t *testing.T, l *Ledger) error {
	t.Helper()
	s, err := l.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.CommitErr
}

// TestRefusedFiles opens files that must be refused, in both ways, and left as they are.
func TestRefusedFiles(t *testing.T) {
	garbage := func(t *testing.T, path string) { write(t, path, []byte(strings.Repeat("no ledger ", 1000))) }
	tests := []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  error
	}{
		{"empty", func(t *testing.T, path string) { write(t, path, nil) }, ledger.ErrCorrupt},
		{"garbage", garbage, ledger.ErrCorrupt},
		{"another program's", alien, ledger.ErrCorrupt},
		{"cut in half", func(t *testing.T, path string) {
			b := read(t, path)
			write(t, path, b[:len(b)/2/4096*4096])
		}, ledger.ErrCorrupt},
		{"newer", func(t *testing.T, path string) { execRaw(t, path, "PRAGMA user_version = 99") }, ledger.ErrNewer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := madeAndClosed(t)
			test.spoil(t, path)
			before := read(t, path)
			_, err := Open(t.Context(), Options{Path: path, FreeDisk: plenty})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open: %v, want %v with the path", err, test.want)
			}
			_, err = OpenReader(t.Context(), path)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("OpenReader: %v, want %v with the path", err, test.want)
			}
			if string(read(t, path)) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

func alien(t *testing.T, path string) {
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, nil)
	execRaw(t, path, "CREATE TABLE other (x)")
}

func execRaw(t *testing.T, path, statement string) {
	t.Helper()
	name, err := uri(path, "mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedPage damages a page in the middle: whatever is answered, no answer is made up, and commits stop.
func TestDamagedPage(t *testing.T) {
	path := madeAndClosed(t)
	b := read(t, path)
	for i := 4096; i < len(b); i++ {
		b[i] = 0xa5
	}
	write(t, path, b)
	_, err := Open(t.Context(), Options{Path: path, FreeDisk: plenty})
	if !errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("Open: %v, want %v", err, ledger.ErrCorrupt)
	}
}

func TestSecondOpener(t *testing.T) {
	l := tempLedger(t, nil)
	_, err := Open(t.Context(), Options{Path: l.o.Path})
	if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), l.o.Path) {
		t.Errorf("%v, want %v with the path", err, ledger.ErrLocked)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, l.o.Path, nil)
}

func TestFolderIsMissing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "none")
	path := filepath.Join(folder, "ledger.db")
	_, err := Open(t.Context(), Options{Path: path})
	if want := "open ledger " + path + ": its folder " + folder + " does not exist: make it, or change ledger.path"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = OpenReader(t.Context(), path)
	if want := "open ledger " + path + ": there is none yet: the first start makes it"; err == nil || err.Error() != want {
		t.Errorf("reader: %v, want %s", err, want)
	}
}

func TestFileIsPrivate(t *testing.T) {
	l := tempLedger(t, nil)
	if _, err := l.Commit(t.Context(), killPut(0)); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(l.o.Path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

// limitPages makes SQLite find the disk full: n pages is all that the file may have, for this connection.
func limitPages(t *testing.T, l *Ledger, n int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.w.open(); err != nil {
		t.Fatal(err)
	}
	if err := l.w.get([]any{new(int)}, "PRAGMA max_page_count = "+strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
}

func TestDiskFull(t *testing.T) {
	l := tempLedger(t, nil)
	limitPages(t, l, 1) // the pages that it has already are the least that SQLite accepts
	n := 0
	var err error
	for ; err == nil && n < 10_000; n++ {
		_, err = l.Commit(t.Context(), killPut(n))
	}
	if !errors.Is(err, ledger.ErrCannotCommit) {
		t.Fatalf("after %d Puts: %v, want %v", n, err, ledger.ErrCannotCommit)
	}
	if err := commitErr(t, l); !errors.Is(err, ledger.ErrCannotCommit) {
		t.Errorf("status: %v", err)
	}
	limitPages(t, l, 1<<30)
	if _, err := l.Commit(t.Context(), killPut(n-1)); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if err := commitErr(t, l); err != nil {
		t.Errorf("status with room again: %v", err)
	}
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	distinct := map[uint64]bool{}
	for i := range n {
		for _, e := range killPut(i).Entries {
			distinct[e.ID] = true
		}
	}
	if got := total(t, l); got != int64(len(distinct)) {
		t.Errorf("counted %d, want %d", got, len(distinct))
	}
}

func TestLittleDiskStopsCommitsNotRetention(t *testing.T) {
	var free atomic.Uint64
	free.Store(1 << 40)
	now := time.Now()
	l := tempLedger(t, func(o *Options) {
		o.FreeDisk = func(string) (uint64, error) { return free.Load(), nil }
		o.Now = func() time.Time { return now }
	})
	if _, err := l.Commit(t.Context(), killPut(0)); err != nil {
		t.Fatal(err)
	}
	free.Store(100 << 20)
	if _, err := l.Commit(t.Context(), killPut(1)); !errors.Is(err, ledger.ErrCannotCommit) {
		t.Fatalf("commit: %v", err)
	}
	now = now.AddDate(3, 0, 0)
	maintainAll(t, l)
	if got := total(t, l); got != 0 {
		t.Errorf("%d counts are left after three years", got)
	}
	if commitErr(t, l) == nil {
		t.Error("status: no reason although the disk is nearly full")
	}
	free.Store(1 << 40)
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := commitErr(t, l); err != nil {
		t.Errorf("status: %v, though there is disk again", err)
	}
}

func maintainAll(t *testing.T, l *Ledger) {
	t.Helper()
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		var err error
		if more, err = l.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadOnly makes SQLite refuse to write, as a file system that was mounted anew for reading does.
func TestReadOnly(t *testing.T) {
	l := tempLedger(t, nil)
	l.mu.Lock()
	_, err := l.w.conn.ExecContext(context.Background(), "PRAGMA query_only = 1")
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(t.Context(), killPut(0)); !errors.Is(err, ledger.ErrCannotCommit) {
		t.Errorf("%v, want %v", err, ledger.ErrCannotCommit)
	}
}

// TestDiskThatHangs has a COMMIT wait for ever: nobody gets an error, so the status must tell.
func TestDiskThatHangs(t *testing.T) {
	var now atomic.Pointer[time.Time]
	set := func(at time.Time) { now.Store(&at) }
	began := time.Now()
	set(began)
	l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return *now.Load() } })
	hangs, goOn := make(chan struct{}), make(chan struct{})
	l.mu.Lock()
	commit := l.w.commit
	l.w.commit = func() error {
		close(hangs)
		<-goOn
		return commit()
	}
	l.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		_, err := l.Commit(context.Background(), killPut(0))
		done <- err
	}()
	<-hangs
	if err := commitErr(t, l); err != nil {
		t.Errorf("status: %v at once", err)
	}
	set(began.Add(stall + time.Second))
	if err := commitErr(t, l); !errors.Is(err, ledger.ErrCannotCommit) || !strings.Contains(err.Error(), "hang") {
		t.Errorf("status: %v after %s", err, stall)
	}
	l.w.commit = commit
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := commitErr(t, l); err != nil {
		t.Errorf("status: %v after the disk went on", err)
	}
}

// TestSlowReader keeps a read transaction open while much is written: the WAL grows, and is short again once it ends.
func TestSlowReader(t *testing.T) {
	now := time.Now()
	l := tempLedger(t, func(o *Options) { o.Now = func() time.Time { return now } })
	tx, err := l.db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow("SELECT count(*) FROM cohort").Scan(new(int)); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 1<<20)
	for i := range 150 {
		p := ledger.Put{Source: "queue", Quarantine: []ledger.Quarantined{{MessageID: strconv.Itoa(i), Body: body, Size: len(body)}}}
		if _, err := l.Commit(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			now = now.Add(time.Minute)
			maintainAll(t, l)
		}
	}
	if size := fileSize(l.o.Path + "-wal"); size < truncateBytes {
		t.Fatalf("the WAL has %d bytes behind a reader; the test writes too little", size)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Commit(t.Context(), killPut(1)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	maintainAll(t, l)
	if size := fileSize(l.o.Path + "-wal"); size > 1<<20 {
		t.Errorf("the WAL still has %d bytes", size)
	}
}

// TestConfirmWaitsForNobody confirms while a transaction runs.
func TestConfirmWaitsForNobody(t *testing.T) {
	l := tempLedger(t, nil)
	l.mu.Lock()
	defer l.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		_, err := l.Commit(context.Background(), ledger.Put{Source: "queue", Confirms: []ledger.Confirm{{Key: 1}}})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("a Put that only confirms waits for the writer")
	}
}

func TestEveryOutcomeHasItsColumn(t *testing.T) {
	l := tempLedger(t, nil)
	for _, o := range observation.Outcomes() {
		if err := l.db.QueryRow("SELECT count(" + o.String() + ") FROM cohort").Scan(new(int)); err != nil {
			t.Errorf("%s: %v", o, err)
		}
		var name string
		if err := l.db.QueryRow("SELECT name FROM outcome WHERE id = ?", int(o)).Scan(&name); err != nil || name != o.String() {
			t.Errorf("outcome %d is called %q: %v", o, name, err)
		}
	}
}
