package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// readers is how many queries of one Reader run at the same time.
const readers = 4

// readerPragmas: query_only refuses writes whatever the statement says.
const readerPragmas = "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=cache_size(-8000)&_pragma=temp_store(memory)"

// Reader reads a ledger from any process. Each call is one short transaction, so that no reader holds the WAL for long.
type Reader struct {
	path    string
	db      *sql.DB
	hashKey [16]byte
	zone    *time.Location
	words   *words
}

var _ ledger.Reader = (*Reader)(nil)

// OpenReader opens the ledger at path for reading, while a daemon may have it open or not. Errors wrap ledger.ErrNewer or
// ledger.ErrCorrupt where they apply.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	r, err := openReader(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, err)
	}
	return r, nil
}

func openReader(ctx context.Context, path string) (*Reader, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := inspect(path); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is none yet: the first start makes it")
	} else if err != nil {
		return nil, err
	}
	name, err := uri(path, readerPragmas)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	r := &Reader{path: path, db: db, words: newWordCaches()}
	if err := r.begin(ctx); err != nil {
		_ = db.Close() // the error that led here is the one to tell
		return nil, err
	}
	return r, nil
}

// begin reads what never changes.
func (r *Reader) begin(ctx context.Context) error {
	if _, err := checkVersion(ctx, r.db); err != nil {
		return err
	}
	var key []byte
	var zone string
	err := r.db.QueryRowContext(ctx, `SELECT (SELECT value FROM meta WHERE key = 'hash_key'),
		(SELECT value FROM meta WHERE key = 'zone')`).Scan(&key, &zone)
	if err != nil {
		return classify(err)
	}
	if copy(r.hashKey[:], key) != len(r.hashKey) {
		return fmt.Errorf("%w: its hash key has %d bytes", ledger.ErrCorrupt, len(key))
	}
	if r.zone, err = time.LoadLocation(zone); err != nil {
		return fmt.Errorf("the ledger's zone: %w", err)
	}
	return nil
}

// Close lets the file go.
func (r *Reader) Close() error { return r.db.Close() }

// HashKey implements ledger.Reader.
func (r *Reader) HashKey() [16]byte { return r.hashKey }

// Zone implements ledger.Reader.
func (r *Reader) Zone() *time.Location { return r.zone }

// query runs fn for each row, in the one transaction of a statement.
func (r *Reader) query(ctx context.Context, fn func(scan func(dest ...any) error) error, text string, args ...any) error {
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return r.failed(err)
	}
	return r.failed(eachRow(rows, fn))
}

func (r *Reader) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read ledger %s: %w", r.path, classify(err))
}

// snapshot runs fn in a read transaction.
func (r *Reader) snapshot(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return r.failed(err)
	}
	defer tx.Rollback() //nolint:errcheck // it read only
	return r.failed(fn(tx))
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Changes implements ledger.Reader. A Reader of its own, apart from the daemon, remembers no folds: it says Reset when there
// was any.
func (r *Reader) Changes(ctx context.Context, after ledger.Fold) (ledger.Changes, error) {
	var through ledger.Fold
	err := r.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = 'fold'").Scan(&through)
	if err != nil {
		return ledger.Changes{}, r.failed(err)
	}
	return ledger.Changes{Through: through, Reset: after != through}, nil
}

// Changes implements ledger.Reader.
func (l *Ledger) Changes(ctx context.Context, after ledger.Fold) (ledger.Changes, error) {
	through := l.state.Load().Through
	folds, ok := l.changes.after(after, through)
	if !ok {
		return ledger.Changes{Through: through, Reset: true}, nil
	}
	out := ledger.Changes{Through: through, Folds: make([]ledger.FoldChange, 0, len(folds))}
	err := l.snapshot(ctx, func(tx *sql.Tx) error {
		for _, f := range folds {
			if f.fold > through {
				break
			}
			change := ledger.FoldChange{Fold: f.fold, Rows: make([]ledger.CohortRow, len(f.rows))}
			for i := range f.rows {
				row, err := l.cohortRow(tx, &f.rows[i])
				if err != nil {
					return err
				}
				change.Rows[i] = row
			}
			out.Folds = append(out.Folds, change)
		}
		return nil
	})
	return out, err
}
