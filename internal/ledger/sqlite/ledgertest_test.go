package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/ledgertest"
)

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Place {
		p := &place{t: t, root: t.TempDir()}
		p.next()
		return ledgertest.Place{
			Open: p.open, Crash: p.crash, OpenReader: p.openReader,
			FailCommit: failCommit, Refuse: p.refuse, DieAt: p.dieAt,
		}
	})
}

// place is a directory with a ledger in it. A crash moves to a new directory, with the file and the WAL as they were.
type place struct {
	t       *testing.T
	root    string
	n       int
	path    string
	died    bool
	durable string
}

func (p *place) next() {
	p.n++
	dir := filepath.Join(p.root, strconv.Itoa(p.n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	p.path = filepath.Join(dir, "ledger.db")
}

func (p *place) open(s ledgertest.Settings) (ledger.Ledger, error) {
	return Open(p.t.Context(), Options{
		Path: p.path, Zone: s.Zone, Now: s.Now, RoutineIDs: s.RoutineIDs, ExceptionalIDs: s.ExceptionalIDs,
		QuarantineBytes: s.QuarantineBytes, FreeDisk: plenty,
	})
}

func plenty(string) (uint64, error) { return 1 << 40, nil }

func (p *place) openReader() (ledger.Reader, func(), error) {
	r, err := OpenReader(p.t.Context(), p.path)
	if err != nil {
		return nil, nil, err
	}
	return r, func() { _ = r.Close() }, nil
}

// snapshot copies what is durable into a new directory.
func (p *place) snapshot() {
	from := p.path
	p.next()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(p.path+suffix, b, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	p.durable, p.path = p.path, from
}

func (p *place) crash(l ledger.Ledger) {
	if !p.died {
		p.snapshot()
	}
	drop(l.(*Ledger))
	p.path, p.died = p.durable, false
}

// drop lets go of a ledger without folding.
func drop(l *Ledger) {
	l.closing.Do(func() {
		close(l.stop)
		<-l.committed
		l.mu.Lock()
		defer l.mu.Unlock()
		l.closed = true
		_ = errors.Join(l.Reader.Close(), l.w.close(), l.lock.Close())
	})
}

var errUnclear = errors.New("the connection was lost")

func failCommit(l ledger.Ledger, applied bool) {
	w := l.(*Ledger).w
	commit := w.commit
	w.commit = func() error {
		w.commit = commit
		if applied {
			if err := commit(); err != nil {
				return err
			}
		}
		return errUnclear
	}
}

// refuse makes SQLite itself refuse the campaign.
func (p *place) refuse(l ledger.Ledger, campaign string) {
	e := l.(*Ledger)
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.w.conn.ExecContext(context.Background(), `CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.campaign
		WHEN NEW.name = '`+campaign+`' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	if err != nil {
		p.t.Fatal(err)
	}
}

// dieAt takes two points for each transaction: just before its COMMIT and just after.
func (p *place) dieAt(l ledger.Ledger, point int) (reached func() bool) {
	w := l.(*Ledger).w
	commit := w.commit
	reachedIt := false
	pass := func() {
		if point--; point == 0 {
			p.snapshot()
			p.died, reachedIt = true, true
		}
	}
	w.commit = func() error {
		pass()
		err := commit()
		pass()
		return err
	}
	return func() bool { return reachedIt }
}
