package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// applicationID marks the file as a ledger of this program ("mlvn"; https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x6d6c766e

//go:embed schema/1.sql
var schema1 string

//go:embed schema/2.sql
var schema2 string

//go:embed schema/3.sql
var schema3 string

//go:embed schema/4.sql
var schema4 string

//go:embed schema/5.sql
var schema5 string

//go:embed schema/6.sql
var schema6 string

// migrations returns the steps that lead to the newest schema; the file's user_version says how many it has had. They go
// forward only. Batch bodies have a format version of their own, so a migration need not understand batches.
func migrations() []string { return []string{schema1, schema2, schema3, schema4, schema5, schema6} }

// create makes a new ledger at path. It is made whole under another name and then renamed, so that a crash leaves no half
// of a ledger behind.
func create(path, zone string) (err error) {
	if zone == "Local" {
		return errors.New("the zone of a new ledger needs a name such as Europe/Berlin, not Local")
	}
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fill(temporary, zone); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func fill(path, zone string) (err error) {
	name, err := uri(path, "mode=rw&_pragma=auto_vacuum(incremental)&_pragma=synchronous(full)&_pragma=journal_mode(delete)")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := migrate(tx, 0); err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	for _, o := range observation.Outcomes() {
		if _, err := tx.Exec("INSERT INTO outcome (id, name) VALUES (?, ?)", int(o), o.String()); err != nil {
			return err
		}
	}
	key := make([]byte, 16)
	rand.Read(key) // it never fails
	for _, kv := range []struct {
		key   string
		value any
	}{
		{"hash_key", key}, {"zone", zone}, {"mark", ""}, {"folded_through", 0}, {"fold", 0}, {"as_of_ms", 0},
		{"confirmed_through", 0}, {"flights_as_of", 0}, {"forgotten_ms_routine", 0}, {"forgotten_ms_exceptional", 0},
	} {
		if _, err := tx.Exec("INSERT INTO meta (key, value) VALUES (?, ?)", kv.key, kv.value); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// execer is what migrate needs of a transaction.
type execer interface {
	Exec(query string, args ...any) (sql.Result, error)
}

// migrate applies the migrations that a file of the given version has not had.
func migrate(tx execer, version int) error {
	steps := migrations()
	for ; version < len(steps); version++ {
		if _, err := tx.Exec(steps[version]); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+1, err)
		}
	}
	_, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(steps)))
	return err
}

// checkPath refuses what a ledger can neither be nor take the place of: a folder, and a link to a file that is not there, such
// as one on a disk that is not mounted.
func checkPath(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("it is a folder; name a file in it, such as %s", filepath.Join(path, "ledger.db"))
	case errors.Is(err, os.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			return fmt.Errorf("it is a link to %s, which is not there: mount or restore what should hold it, or change ledger.path", target)
		}
	}
	return nil
}

// inspect refuses a file that is not a ledger, by its header alone: SQLite has not touched it yet.
// (https://www.sqlite.org/fileformat.html#the_database_header)
func inspect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	header := make([]byte, 100)
	if _, err := f.ReadAt(header, 0); err != nil {
		return fmt.Errorf("%w: it is too short; if it may be lost, delete it, else restore it", ledger.ErrCorrupt)
	}
	if string(header[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: it is no SQLite file; restore it, or change ledger.path", ledger.ErrCorrupt)
	}
	id := uint32(header[68])<<24 | uint32(header[69])<<16 | uint32(header[70])<<8 | uint32(header[71])
	if id != applicationID {
		return fmt.Errorf("%w: it is the SQLite file of another program; change ledger.path", ledger.ErrCorrupt)
	}
	return nil
}

// checkVersion reads user_version and refuses a newer one.
func checkVersion(ctx context.Context, conn interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
},
) (int, error) {
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, classify(err)
	}
	if known := len(migrations()); version > known {
		return 0, fmt.Errorf("%w: its version is %d, this program knows up to %d", ledger.ErrNewer, version, known)
	}
	return version, nil
}

// checkedSize is the size up to which a file is checked whole at each start: about 2.5 s a gigabyte.
const checkedSize = 2 << 30

// checkPages reads the whole file, if it is not too large for that, and refuses it when its structure is damaged anywhere:
// later it would be too late, because what is written into a damaged file makes it worse. Damage in a larger file is
// noticed when the damaged page is read, and commits stop then.
// (https://www.sqlite.org/pragma.html#pragma_quick_check)
func (w *writer) checkPages(path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() > checkedSize {
		return err
	}
	var found string
	if err := w.get([]any{&found}, "PRAGMA quick_check(1)"); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ledger.ErrCorrupt, strings.Join(strings.Fields(found), " "))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// connExecer lets migrate run on the writer's connection.
type connExecer struct{ conn *sql.Conn }

func (c connExecer) Exec(query string, args ...any) (sql.Result, error) {
	return c.conn.ExecContext(context.Background(), query, args...)
}
