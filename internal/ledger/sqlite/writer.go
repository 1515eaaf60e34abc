package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver, under the name sqlite

	"github.com/mailvane/mailvane/internal/ledger"
)

// writer is the one connection that writes. It is not safe for concurrent use.
//
// Its statements run without the callers' contexts: a transaction ends as a whole or not at all, and the driver starts a
// goroutine for each statement with a context that can end.
type writer struct {
	path       string
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	// commit ends a transaction. Tests replace it to lose the answer.
	commit func() error
	// stop ends the wait for a file that cannot be reopened.
	stop <-chan struct{}
	// waiting hears why the file cannot be reopened.
	waiting func(error)
	now     func() time.Time
	// since is when the transaction that runs began, nil when none does. Whoever waits for a disk that hangs is told of by it.
	since atomic.Pointer[time.Time]
}

// writerPragmas: synchronous=FULL makes each COMMIT durable in WAL mode. Checkpoints are Maintain's; the automatic one, at
// 256 MB, is for a ledger that nobody maintains. The WAL's file keeps up to 64 MB to be written over, which is faster than
// growing it anew.
const writerPragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
	"&_pragma=cache_size(-16000)&_pragma=temp_store(memory)&_pragma=wal_autocheckpoint(65536)" +
	"&_pragma=journal_size_limit(67108864)"

// uri names a file for SQLite (https://www.sqlite.org/uri.html).
func uri(path, query string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return "file://" + (&url.URL{Path: abs}).EscapedPath() + "?" + query, nil
}

func newWriter(path string, stop <-chan struct{}, waiting func(error), now func() time.Time) *writer {
	w := &writer{path: path, stop: stop, waiting: waiting, now: now}
	w.commit = func() error { return w.exec("COMMIT") }
	return w
}

// open connects, unless the writer is connected.
func (w *writer) open() error {
	if w.conn != nil {
		return nil
	}
	name, err := uri(w.path, "mode=rw&"+writerPragmas)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return errors.Join(err, db.Close())
	}
	w.db, w.conn, w.statements = db, conn, map[string]*sql.Stmt{}
	return nil
}

// close disconnects; an open transaction is rolled back.
func (w *writer) close() error {
	if w.conn == nil {
		return nil
	}
	for _, s := range w.statements {
		_ = s.Close() // the connection goes anyway
	}
	err := errors.Join(w.conn.Close(), w.db.Close())
	w.db, w.conn, w.statements = nil, nil, nil
	return err
}

// prepared returns the statement for a text, prepared once a connection.
func (w *writer) prepared(text string) (*sql.Stmt, error) {
	if s := w.statements[text]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", text, err)
	}
	w.statements[text] = s
	return s, nil
}

func (w *writer) exec(text string, args ...any) error {
	_, err := w.execN(text, args...)
	return err
}

// execN also returns how many rows changed.
func (w *writer) execN(text string, args ...any) (int64, error) {
	s, err := w.prepared(text)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// insert returns the new row's id.
func (w *writer) insert(text string, args ...any) (int64, error) {
	s, err := w.prepared(text)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

// get scans the one row of a query; sql.ErrNoRows when there is none.
func (w *writer) get(dest []any, text string, args ...any) error {
	s, err := w.prepared(text)
	if err != nil {
		return err
	}
	return s.QueryRowContext(context.Background(), args...).Scan(dest...)
}

// each calls fn for each row of a query.
func (w *writer) each(fn func(scan func(dest ...any) error) error, text string, args ...any) error {
	s, err := w.prepared(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	return eachRow(rows, fn)
}

func eachRow(rows *sql.Rows, fn func(scan func(dest ...any) error) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// step runs fn in a transaction of its own, marked in the table meta; see transact.
func (w *writer) step(fn func() error) error {
	return w.transact(func(mark string) error {
		if err := fn(); err != nil {
			return err
		}
		return w.exec("UPDATE meta SET value = ? WHERE key = 'mark'", mark)
	})
}

// transact runs fn in a transaction. It returns nil when the transaction is durable and an error when nothing of it is
// stored. When COMMIT itself gives no clear answer it finds out which of the two by the mark, which fn must store, in a row
// of batch or in meta.
func (w *writer) transact(fn func(mark string) error) error {
	began := w.now()
	w.since.Store(&began)
	defer w.since.Store(nil)
	if err := w.open(); err != nil {
		return classify(err)
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return classify(err)
	}
	mark := rand.Text()
	if err := fn(mark); err != nil {
		w.rollBack()
		return classify(err)
	}
	if err := w.commit(); err != nil {
		return w.settle(err, mark)
	}
	return nil
}

// stall is how long a transaction may run before the ledger counts as one that cannot commit: longer than SQLite waits for
// another process, and than anything that is done in one.
const stall = 20 * time.Second

// stalled says that the transaction that runs does not end, which is how a disk that hangs shows itself.
func (w *writer) stalled() error {
	since := w.since.Load()
	if since == nil {
		return nil
	}
	if d := w.now().Sub(*since); d > stall {
		return fmt.Errorf("%w: a transaction has not ended for %s, so the disk seems to hang", ledger.ErrCannotCommit, d.Round(time.Second))
	}
	return nil
}

// rollBack ends the transaction; when even that fails, closing the connection does it.
func (w *writer) rollBack() {
	if w.exec("ROLLBACK") != nil {
		_ = w.close() // the error that led here is the one to tell
	}
}

// settle finds out what became of a transaction whose COMMIT failed: it reopens the file and looks for the mark. It waits
// until it can, because its caller must not answer before.
func (w *writer) settle(commitErr error, mark string) error {
	_ = w.close() // rolls back what is still open
	for {
		found, err := w.marked(mark)
		switch {
		case err == nil && found:
			return nil
		case err == nil:
			return classify(commitErr)
		case errors.Is(classify(err), ledger.ErrCorrupt):
			return classify(err)
		}
		_ = w.close() // a connection that cannot read is of no use
		w.waiting(err)
		select {
		case <-w.stop:
			return fmt.Errorf("%w: closed before the outcome was known: %w", ledger.ErrCannotCommit, commitErr)
		case <-time.After(settlePause):
		}
	}
}

// settlePause is how long settle waits between two attempts to reopen the file.
const settlePause = 200 * time.Millisecond

func (w *writer) marked(mark string) (bool, error) {
	if err := w.open(); err != nil {
		return false, err
	}
	var found bool
	err := w.get([]any{&found}, `SELECT EXISTS (SELECT 1 FROM batch WHERE uuid = ?1)
		OR EXISTS (SELECT 1 FROM meta WHERE key = 'mark' AND value = ?1)`, mark)
	return found, err
}
