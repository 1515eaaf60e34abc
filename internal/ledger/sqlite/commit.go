package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// maxGroup bounds the entries of a group, so that no Put waits long for others.
const maxGroup = 20_000

// errNothing ends a transaction in which there was nothing to write.
var errNothing = errors.New("nothing to commit")

// request is a Put that waits for the committer.
type request struct {
	put *ledger.Put
	// reading is held while the committer reads the Put, whose strings are the caller's; abandoned is set under it.
	reading   sync.Mutex
	abandoned bool
	// result and err may be read when done is closed.
	result ledger.Result
	err    error
	done   chan struct{}
}

// abandon makes sure that the Put is not read again. It waits for a reading that has begun, never for the disk.
func (r *request) abandon() {
	r.reading.Lock()
	defer r.reading.Unlock()
	r.abandoned = true
}

// Commit implements ledger.Ledger. Put.Confirms take effect at once, even if the rest of the Put fails, because they tell
// of what has happened; a Put that has nothing else waits for nobody.
func (l *Ledger) Commit(ctx context.Context, p ledger.Put) (ledger.Result, error) {
	if err := check(&p); err != nil {
		return ledger.Result{}, err
	}
	select {
	case <-l.stop:
		return ledger.Result{}, ledger.ErrClosed
	default:
	}
	if len(p.Confirms) > 0 {
		l.unconfirmed.confirm(p.Source, p.Confirms, l.o.Now())
	}
	if onlyConfirms(&p) {
		return ledger.Result{}, nil
	}
	r := &request{put: &p, done: make(chan struct{})}
	select {
	case l.requests <- r:
	case <-ctx.Done():
		return ledger.Result{}, ctx.Err()
	case <-l.stop:
		return ledger.Result{}, ledger.ErrClosed
	}
	select {
	case <-r.done:
		return r.result, r.err
	case <-ctx.Done():
		r.abandon()
		return ledger.Result{}, ctx.Err()
	}
}

func onlyConfirms(p *ledger.Put) bool {
	return len(p.Entries)+len(p.Readings)+len(p.Positions)+len(p.Statuses)+len(p.Quarantine)+len(p.Learned) == 0
}

// check refuses what no engine could tally.
func check(p *ledger.Put) error {
	for i := range p.Entries {
		if o := p.Entries[i].Cell.Outcome; o == 0 || int(o) >= observation.OutcomeCount {
			return fmt.Errorf("commit for %s: entry %d has the unknown outcome %d", p.Source, i, o)
		}
	}
	return nil
}

// commitLoop is the one committer. Whatever waits when a COMMIT ends makes up the next group, with what comes until the
// pace allows it.
func (l *Ledger) commitLoop() {
	defer close(l.committed)
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		select {
		case first := <-l.requests:
			rs := l.gather(first, pace.C)
			pace.Reset(l.o.CommitPace)
			l.commitRequests(rs)
		case <-l.stop:
			return
		}
	}
}

// gather takes in what waits, and what comes before the pace allows a commit.
func (l *Ledger) gather(first *request, pace <-chan time.Time) []*request {
	rs, n := []*request{first}, len(first.put.Entries)
	add := func(r *request) {
		rs = append(rs, r)
		n += len(r.put.Entries)
	}
	for paced := l.o.CommitPace > 0; paced && n < maxGroup; {
		select {
		case r := <-l.requests:
			add(r)
		case <-pace:
			paced = false
		case <-l.stop:
			paced = false
		}
	}
	for n < maxGroup {
		select {
		case r := <-l.requests:
			add(r)
		default:
			return rs
		}
	}
	return rs
}

// commitRequests commits a group and answers it. When the group fails for a reason of its own, each Put is tried alone, so
// that a bad one fails alone.
func (l *Ledger) commitRequests(rs []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.commitPuts(rs)
	if err == nil || len(rs) == 1 || errors.Is(err, ledger.ErrCannotCommit) || errors.Is(err, ledger.ErrCorrupt) ||
		errors.Is(err, ledger.ErrClosed) {
		answer(rs, err)
		return
	}
	for i := range rs {
		one := rs[i : i+1]
		answer(one, l.commitPuts(one))
	}
}

func answer(rs []*request, err error) {
	for _, r := range rs {
		if r.err = err; err != nil {
			r.result = ledger.Result{}
		}
		close(r.done)
	}
}

func (l *Ledger) commitPuts(rs []*request) error {
	return l.commitGroup(func(g *group) error {
		for _, r := range rs {
			if err := r.addTo(g); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *request) addTo(g *group) (err error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.abandoned {
		return nil
	}
	r.result, err = g.add(r.put)
	return err
}

// commitGroup commits what fill adds to the group. Its caller holds mu.
func (l *Ledger) commitGroup(fill func(*group) error) error {
	if err := l.usable(); err != nil {
		return err
	}
	if err := l.space(); err != nil {
		return l.noted(err)
	}
	g := l.group
	g.begin(l.o.Now())
	err := l.w.transact(func(mark string) error {
		if err := fill(g); err != nil {
			return err
		}
		if g.empty() {
			return errNothing
		}
		return g.store(mark)
	})
	if err != nil {
		g.undo()
	}
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		return l.noted(err)
	}
	g.publish()
	l.commitErr.Store(nil)
	l.wal.wrote(len(l.body))
	l.renewState(g.now)
	return nil
}
