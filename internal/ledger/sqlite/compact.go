package sqlite

import "time"

// compactRows is how many rows of cohort one step of compaction moves, with their parts in cohort_reason.
const compactRows = 1500

// compactToHours moves 5-minute buckets older than 48 hours into hours, and compactToDays hours older than 100 days into
// days. A step moves any number of rows, and sums stay the same at every moment: until all rows of an hour have moved, it
// is told by both widths. Late events need no care either: a fold gives each the width of its age. What was moved cannot be
// told apart again, so none is moved while the clock is doubted.
func (l *Ledger) compactToHours(now time.Time) (more bool, err error) {
	cut := newCutter(l.Zone(), l.clock.aged(now))
	return l.compact(fineWidth, hourWidth, cut.fineFrom, cut.hourStart)
}

func (l *Ledger) compactToDays(now time.Time) (more bool, err error) {
	cut := newCutter(l.Zone(), l.clock.aged(now))
	return l.compact(hourWidth, dayWidth, cut.hourFrom, cut.dayStart)
}

// compact moves rows of width from that start before a time into the buckets of width to in which they start.
func (l *Ledger) compact(from, to, before int64, start func(int64) int64) (more bool, err error) {
	moved := 0
	err = l.stepLocked(func() error {
		sums := newCohortDeltas()
		last, err := l.takeCohorts(sums, from, to, before, start)
		if err != nil || len(sums.rows) == 0 {
			return err
		}
		moved = last.n
		if err := l.takeReasons(sums, last.key, to, start); err != nil {
			return err
		}
		return sums.store(l.w)
	}, func() { l.wal.wrote(moved * bytesPerRow) })
	return moved == compactRows, err
}

// taken is how many rows were taken, and the key of the last.
type taken struct {
	n   int
	key cohortKey
}

// takeCohorts removes the oldest rows from cohort and adds them to sums.
func (l *Ledger) takeCohorts(sums *cohortDeltas, from, to, before int64, start func(int64) int64) (t taken, err error) {
	err = l.w.each(func(scan func(...any) error) error {
		var r cohortRow
		if err := r.scan(scan); err != nil {
			return err
		}
		t.n++
		t.key = r.key
		r.key.width, r.key.start = to, start(r.key.start)
		sums.addRow(&r)
		return nil
	}, selectCohorts()+" WHERE width = ? AND start < ? ORDER BY "+cohortKeys+" LIMIT ?", from, before, compactRows)
	if err != nil || t.n == 0 {
		return t, err
	}
	return t, l.w.exec("DELETE FROM cohort WHERE width = ? AND "+upToKey, t.key.upTo()...)
}

// takeReasons does the same for the parts of the cohorts up to a key.
func (l *Ledger) takeReasons(sums *cohortDeltas, last cohortKey, to int64, start func(int64) int64) error {
	err := l.w.each(func(scan func(...any) error) error {
		k, c, err := scanReason(scan)
		if err != nil {
			return err
		}
		k.cohort.width, k.cohort.start = to, start(k.cohort.start)
		sums.addReason(k, c.n, c.possible)
		return nil
	}, selectReasons()+" WHERE width = ? AND "+upToKey, last.upTo()...)
	if err != nil {
		return err
	}
	return l.w.exec("DELETE FROM cohort_reason WHERE width = ? AND "+upToKey, last.upTo()...)
}

// upToKey selects, after a width, the rows up to a key.
const upToKey = "(start, campaign_id, provider_id, origin_id) <= (?, ?, ?, ?)"

func (k *cohortKey) upTo() []any { return []any{k.width, k.start, k.campaign, k.provider, k.origin} }
