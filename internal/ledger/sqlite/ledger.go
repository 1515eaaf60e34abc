package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/known"
)

// Ledger is the embedded store. It holds the ledger's lock until Close.
type Ledger struct {
	*Reader
	o    Options
	lock *os.File

	requests chan *request
	// stop is closed by Close; committed when the committer has ended.
	stop, committed chan struct{}
	closing         sync.Once
	closeErr        error

	// mu is held over every transaction and guards what follows. Nothing is answered to a reader under it.
	mu         sync.Mutex
	closed     bool
	broken     error
	w          *writer
	names      *names
	ids        *ids
	held       known.Set
	covered    coverage
	quarantine quarantineUse
	lastBatch  int64
	clock      clockWatch
	// group and body are the committer's memory from one group to the next.
	group        *group
	body         []byte
	folder       *folder
	chores       []*chore
	wal          walState
	bounds       alertBounds
	reportBounds reportBounds

	unconfirmed *unconfirmed
	changes     *changeLog
	// state is what Status tells, renewed after each transaction; commitErr is why the last one failed.
	state     atomic.Pointer[ledger.Status]
	commitErr atomic.Pointer[error]
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open opens the ledger at o.Path, which it makes if there is none, takes its lock, and folds what a former process left.
// Errors wrap ledger.ErrLocked, ErrNewer, ErrCorrupt or ErrCannotCommit where they apply and name the path.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", o.Path, err)
	}
	return l, nil
}

func open(ctx context.Context, o Options) (_ *Ledger, err error) {
	if err := checkPath(o.Path); err != nil {
		return nil, err
	}
	lock, err := takeLock(o.Path + ".lock")
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		o: o, lock: lock, requests: make(chan *request), stop: make(chan struct{}), committed: make(chan struct{}),
		covered: coverage{}, unconfirmed: newUnconfirmed(), changes: &changeLog{},
		bounds:       alertBounds{ledger.MaxHistory, ledger.MaxSettled, ledger.MaxSettledSize},
		reportBounds: reportBounds{ledger.MaxReports, ledger.MaxReportsSize},
	}
	l.w = newWriter(o.Path, l.stop, l.setCommitErr, o.Now)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.w.close(), l.closeReader(), lock.Close())
		}
	}()
	l.names = newNames(l.w)
	l.ids = newIDs(l.w, [classes]int{routine: o.RoutineIDs, exceptional: o.ExceptionalIDs})
	l.group, l.folder, l.chores = newGroup(l), newFolder(l), newChores(l)
	if err := l.prepareFile(ctx); err != nil {
		return nil, err
	}
	if l.Reader, err = openReader(ctx, o.Path); err != nil {
		return nil, err
	}
	if err := l.load(); err != nil {
		return nil, classify(err)
	}
	if err := l.fold(); err != nil {
		return nil, err
	}
	l.probe()
	l.renewState(o.Now())
	go l.commitLoop()
	return l, nil
}

func (l *Ledger) closeReader() error {
	if l.Reader == nil {
		return nil
	}
	return l.Reader.Close()
}

// prepareFile makes or checks the whole file, connects the writer and migrates.
func (l *Ledger) prepareFile(ctx context.Context) error {
	if _, err := os.Stat(l.o.Path); errors.Is(err, os.ErrNotExist) {
		if err := create(l.o.Path, l.o.Zone.String()); err != nil {
			return classify(err)
		}
	}
	if err := inspect(l.o.Path); err != nil {
		return err
	}
	if err := l.w.open(); err != nil {
		return classify(err)
	}
	version, err := checkVersion(ctx, l.w.conn)
	if err != nil {
		return err
	}
	if err := l.w.checkPages(l.o.Path); err != nil {
		return classify(err)
	}
	if version == len(migrations()) {
		return nil
	}
	return l.w.step(func() error { return migrate(connExecer{l.w.conn}, version) })
}

// load fills the memory from the file: known ids, pins, held ids, covered hours.
func (l *Ledger) load() error {
	var folded int64
	err := l.w.get([]any{&folded}, "SELECT value FROM meta WHERE key = 'folded_through'")
	if err != nil {
		return err
	}
	err = l.w.get([]any{&l.lastBatch}, "SELECT max(?, coalesce(max(seq), 0)) FROM batch", folded)
	if err != nil {
		return err
	}
	if err := l.ids.load(); err != nil {
		return err
	}
	if err := l.covered.load(l.w); err != nil {
		return err
	}
	err = l.w.each(func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		l.held.Add(uint64(id))
		return err
	}, "SELECT id FROM held")
	if err != nil {
		return err
	}
	err = l.w.get([]any{&l.quarantine.n, &l.quarantine.bytes}, "SELECT count(*), coalesce(sum(length(body)), 0) FROM quarantine")
	if err != nil {
		return err
	}
	if err := l.recallClock(); err != nil {
		return err
	}
	return l.recoverUnconfirmed(folded)
}

// recoverUnconfirmed loads the pins and pins what a former process had not seen confirmed.
func (l *Ledger) recoverUnconfirmed(folded int64) error {
	left, err := l.w.recover()
	if err != nil {
		return err
	}
	l.unconfirmed.begin(left, l.lastBatch)
	until := l.o.Now().Add(memory).Unix()
	var b batch
	err = l.w.eachBatch(0, &b, func(seq, _ int64) error {
		if seq > folded {
			l.knowBatch(&b)
		}
		l.unconfirmed.pinBatch(left, seq, &b, until)
		return nil
	})
	if err != nil {
		return err
	}
	for id := range l.unconfirmed.pinned {
		if !l.held.Has(id) && l.ids.set.Add(id) {
			l.ids.orphans[id] = struct{}{}
		}
	}
	return nil
}

// knowBatch makes the ids of a batch that is not folded known.
func (l *Ledger) knowBatch(b *batch) {
	for class, list := range [...][]uint64{routine: b.Routine, exceptional: b.Exceptional} {
		for _, id := range list {
			l.ids.set.Add(id)
		}
		l.ids.count[class] += len(list)
	}
}

// usable says why nothing can be written, nil when it can be tried.
func (l *Ledger) usable() error {
	if l.closed {
		return ledger.ErrClosed
	}
	return l.broken
}

// noted takes note of an error of a transaction: Status tells it, and a damaged file is not written to again.
func (l *Ledger) noted(err error) error {
	switch {
	case errors.Is(err, ledger.ErrCorrupt):
		err = fmt.Errorf("ledger %s: %w", l.o.Path, err)
		l.broken = err
		l.setCommitErr(err)
	case errors.Is(err, ledger.ErrCannotCommit):
		l.setCommitErr(err)
	}
	return err
}

func (l *Ledger) setCommitErr(err error) { l.commitErr.Store(&err) }

// step runs a transaction that is no commit of a group; publish follows it if it was stored.
func (l *Ledger) step(fn func() error, publish func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stepLocked(fn, publish)
}

func (l *Ledger) stepLocked(fn func() error, publish func()) error {
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.w.step(fn); err != nil {
		l.names.forget()
		return l.noted(err)
	}
	publish()
	l.renewState(l.o.Now())
	return nil
}

// space refuses commits when the disk is nearly full, so that retention still has room to work.
func (l *Ledger) space() error {
	free, err := l.o.FreeDisk(filepath.Dir(l.o.Path))
	if err != nil {
		return fmt.Errorf("%w: free disk is not known: %w", ledger.ErrCannotCommit, err)
	}
	if free < l.o.MinFreeDisk {
		return fmt.Errorf("%w: %d bytes of disk are free, %d are needed", ledger.ErrCannotCommit, free, l.o.MinFreeDisk)
	}
	return nil
}

// Close folds what was committed and lets the ledger go. Commits that wait are answered with ledger.ErrClosed.
func (l *Ledger) Close() error {
	l.closing.Do(func() {
		close(l.stop)
		<-l.committed
		l.mu.Lock()
		defer l.mu.Unlock()
		var foldErr error
		if l.broken == nil {
			foldErr = errors.Join(l.fold(), l.folder.idle())
		}
		l.closed = true
		l.closeErr = errors.Join(foldErr, l.Reader.Close(), l.w.close(), l.lock.Close())
	})
	return l.closeErr
}

// renewState prepares what Status tells.
func (l *Ledger) renewState(now time.Time) {
	l.state.Store(&ledger.Status{
		AsOf: time.UnixMilli(l.folder.asOf).UTC(), Through: l.folder.number,
		RoutineHorizon: horizon(l.ids.forgotten[routine], now), ExceptionalHorizon: horizon(l.ids.forgotten[exceptional], now),
		RoutineIDs: int64(l.ids.count[routine]), ExceptionalIDs: int64(l.ids.count[exceptional]),
		Held: int64(l.held.Len()), Quarantined: l.quarantine.n, QuarantineBytes: l.quarantine.bytes,
	})
}

// Status is answered from memory and waits for nothing.
func (l *Ledger) Status(context.Context) (ledger.Status, error) {
	s := *l.state.Load()
	s.Size, s.WALSize = fileSize(l.o.Path), fileSize(l.o.Path+"-wal")
	s.Unconfirmed = l.unconfirmed.counts()
	if err := l.commitErr.Load(); err != nil {
		s.CommitErr = *err
	}
	if s.CommitErr == nil {
		s.CommitErr = l.w.stalled()
	}
	return s, nil
}
