package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// foldEntries bounds the entries that one transaction folds; a long backlog takes several.
	foldEntries = 500_000
	// idleAsOf is how often the file says that it is up to date although nothing happened.
	idleAsOf = time.Minute
)

// folder moves batches into the tables that are read.
type folder struct {
	l *Ledger
	// through, number and asOf (Unix milliseconds) are those of the last fold, as in meta.
	through int64
	number  ledger.Fold
	asOf    int64
	// storedAsOf and storedConfirmed are what the file says of asOf and of unconfirmed.confirmedThrough.
	storedAsOf, storedConfirmed int64

	batch     batch
	cohorts   *cohortDeltas
	own       map[ownDelta]int64
	uses      map[useDelta]useCount
	published map[publishedDelta]span
	samples   map[sampleKey]*sampleDelta
	known     [classes][]uint64
	// entries and last are what one transaction has gathered; firstAt and lastAt the times of its first and last batch.
	entries         int
	last            int64
	firstAt, lastAt int64
}

type (
	useCount struct{ sent, gmailDelivered int64 }
	span     struct{ first, last int64 }
)

func newFolder(l *Ledger) *folder {
	return &folder{
		l: l, cohorts: newCohortDeltas(), own: map[ownDelta]int64{}, uses: map[useDelta]useCount{},
		published: map[publishedDelta]span{}, samples: map[sampleKey]*sampleDelta{},
	}
}

// Fold implements ledger.Ledger. It also finds out whether the ledger can commit, so that nobody needs to try.
func (l *Ledger) Fold(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	l.lookAtClock(l.o.Now())
	if err := l.fold(); err != nil {
		return l.noted(err)
	}
	l.probe()
	l.renewState(l.o.Now())
	return nil
}

// probe notes that the disk is nearly full, and clears the reason for not committing when there is disk and a small
// transaction works.
func (l *Ledger) probe() {
	if err := l.space(); err != nil {
		l.setCommitErr(err)
		return
	}
	if l.commitErr.Load() == nil {
		return
	}
	if err := l.w.step(func() error { return nil }); err != nil {
		l.setCommitErr(err)
		return
	}
	l.commitErr.Store(nil)
}

// fold folds all batches, in as many transactions as it takes.
func (l *Ledger) fold() error {
	f := l.folder
	if f.number == 0 {
		if err := f.load(); err != nil {
			return classify(err)
		}
	}
	if f.through == l.lastBatch {
		return f.idle()
	}
	for f.through < l.lastBatch {
		if err := f.some(); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) load() error {
	w := f.l.w
	if err := w.open(); err != nil {
		return err
	}
	for key, dest := range map[string]any{"folded_through": &f.through, "fold": &f.number, "as_of_ms": &f.storedAsOf} {
		if err := w.get([]any{dest}, "SELECT value FROM meta WHERE key = ?", key); err != nil {
			return err
		}
	}
	f.asOf = f.storedAsOf
	return nil
}

// idle stores what still waits although there was no batch: what was confirmed, and now and then that all is folded.
func (f *folder) idle() error {
	now := f.l.o.Now().UnixMilli()
	unstored := f.l.unconfirmed.pendingFold()
	if unstored.empty() && unstored.confirmedThrough == f.storedConfirmed && now-f.storedAsOf < idleAsOf.Milliseconds() {
		f.asOf = now
		return nil
	}
	return f.finish(unstored, now, func() error { return nil })
}

// some folds up to foldEntries entries in one transaction.
func (f *folder) some() error {
	now := f.l.o.Now()
	var evictions []*eviction
	err := f.finish(f.l.unconfirmed.pendingFold(), now.UnixMilli(), func() (err error) {
		f.reset()
		if err := f.gather(now); err != nil {
			return err
		}
		if err := f.storeTallies(); err != nil {
			return err
		}
		if evictions, err = f.storeIDs(now); err != nil {
			return err
		}
		err = f.l.w.exec("UPDATE meta SET value = ? WHERE key = 'folded_through'", f.last)
		if err != nil {
			return err
		}
		return f.l.w.exec("UPDATE meta SET value = ? WHERE key = 'fold'", f.number+1)
	})
	if err != nil {
		return err
	}
	f.through = f.last
	f.number++
	for _, e := range evictions {
		f.l.ids.forget(e, f.l.unconfirmed)
	}
	f.l.changes.add(f.number, f.cohorts.split())
	f.l.wal.wrote(len(f.cohorts.rows)*bytesPerRow + 8*f.entries)
	return nil
}

// bytesPerRow is about what an upserted row adds to the WAL.
const bytesPerRow = 300

func (f *folder) reset() {
	f.cohorts.reset()
	clear(f.own)
	clear(f.uses)
	clear(f.published)
	clear(f.samples)
	for class := range f.known {
		f.known[class] = f.known[class][:0]
	}
	f.entries, f.last, f.firstAt, f.lastAt = 0, f.through, 0, 0
}

// gather adds up the batches after the last fold.
func (f *folder) gather(now time.Time) error {
	cut := newCutter(f.l.Zone(), now)
	err := f.l.w.eachBatch(f.through, &f.batch, func(seq, at int64) error {
		b := &f.batch
		if f.last == f.through {
			f.firstAt = at
		} else if f.entries+b.entries() > foldEntries || at-f.firstAt >= segmentSpan.Milliseconds() {
			return errEnough
		}
		f.entries += b.entries()
		f.last, f.lastAt = seq, at
		f.add(b, cut)
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (f *folder) add(b *batch, cut *cutter) {
	f.known[routine] = append(f.known[routine], b.Routine...)
	f.known[exceptional] = append(f.known[exceptional], b.Exceptional...)
	for i := range b.Cells {
		c := &b.Cells[i]
		start, width := cut.bucket(c.Minute*60, observation.Outcome(c.Cell.Outcome))
		f.cohorts.add(bucketKey{start, width, c.Cell}, c.N, c.Possible)
	}
	for _, d := range b.Own {
		n := d.N
		d.N = 0
		f.own[d] += n
	}
	for _, d := range b.Uses {
		c := useCount{d.Sent, d.GmailDelivered}
		d.Sent, d.GmailDelivered = 0, 0
		had := f.uses[d]
		f.uses[d] = useCount{had.sent + c.sent, had.gmailDelivered + c.gmailDelivered}
	}
	for _, d := range b.Published {
		s := span{d.First, d.Last}
		d.First, d.Last = 0, 0
		if had, ok := f.published[d]; ok {
			s = span{min(s.first, had.first), max(s.last, had.last)}
		}
		f.published[d] = s
	}
	for i := range b.Samples {
		f.addSample(&b.Samples[i])
	}
}

func (f *folder) addSample(d *sampleDelta) {
	s := f.samples[d.Key]
	if s == nil {
		added := *d
		f.samples[d.Key] = &added
		return
	}
	s.N += d.N
	s.First, s.Last = min(s.First, d.First), max(s.Last, d.Last)
	for _, id := range d.MessageIDs {
		s.MessageIDs = keepNewest(s.MessageIDs, id)
	}
}

// storeTallies writes the sums.
func (f *folder) storeTallies() error {
	w := f.l.w
	if err := f.cohorts.store(w); err != nil {
		return err
	}
	for d, n := range f.own {
		err := w.exec(`INSERT INTO own_time (start, origin_id, outcome, n) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, d.Hour*3600, d.Origin, d.Outcome, n)
		if err != nil {
			return err
		}
	}
	for d, c := range f.uses {
		err := w.exec(`INSERT INTO use (hour, stamp_id, campaign_id, origin_id, sent, gmail_delivered)
			VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
			SET sent = sent + excluded.sent, gmail_delivered = gmail_delivered + excluded.gmail_delivered`,
			d.Hour*3600, d.Stamp, d.Campaign, d.Origin, c.sent, c.gmailDelivered)
		if err != nil {
			return err
		}
	}
	for d, s := range f.published {
		err := w.exec(`INSERT INTO published (origin_id, type, first_ms, last_ms) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)`,
			d.Origin, observation.EventType(d.Type).String(), s.first, s.last)
		if err != nil {
			return err
		}
	}
	return w.storeSamples(f.samples)
}

// storeIDs moves the batches' ids into segments and evicts what is then over budget.
func (f *folder) storeIDs(now time.Time) (evictions []*eviction, err error) {
	for class := range classes {
		if len(f.known[class]) == 0 {
			continue
		}
		if err := f.l.ids.store(class, f.known[class], f.last, f.firstAt, f.lastAt); err != nil {
			return nil, err
		}
		for evicted := 0; ; {
			e, err := f.l.ids.evict(class, evicted, f.l.clock.aged(now))
			if err != nil {
				return nil, err
			}
			if e == nil {
				break
			}
			evicted += len(e.list)
			evictions = append(evictions, e)
		}
	}
	return evictions, nil
}

// finish runs the transaction of a fold: fn and what every fold does.
func (f *folder) finish(unstored unstored, asOf int64, fn func() error) error {
	w := f.l.w
	err := w.step(func() error {
		if err := fn(); err != nil {
			return err
		}
		if err := w.storePins(unstored.pins); err != nil {
			return err
		}
		if err := w.exec("UPDATE meta SET value = ? WHERE key = 'as_of_ms'", asOf); err != nil {
			return err
		}
		return w.storeFlights(&unstored)
	})
	f.l.unconfirmed.settled(unstored, err == nil)
	if err == nil {
		f.asOf, f.storedAsOf, f.storedConfirmed = asOf, asOf, unstored.confirmedThrough
	}
	return err
}
