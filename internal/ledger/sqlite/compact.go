package sqlite

import "time"

// compactRows is how many rows one step of compaction moves.
const compactRows = 2000

// compactToHours moves 5-minute buckets older than 48 hours into hours, and compactToDays hours older than 100 days into
// days. A step moves any number of rows, and sums stay the same at every moment: until all rows of an hour have moved, it
// is told by both widths. Late events need no care either: a fold gives each the width of its age.
func (l *Ledger) compactToHours(now time.Time) (more bool, err error) {
	cut := newCutter(l.Zone(), now)
	return l.compact(fineWidth, hourWidth, cut.fineFrom, cut.hourStart)
}

func (l *Ledger) compactToDays(now time.Time) (more bool, err error) {
	cut := newCutter(l.Zone(), now)
	return l.compact(hourWidth, dayWidth, cut.hourFrom, cut.dayStart)
}

// compact moves rows of width from that start before a time into the buckets of width to in which they start.
func (l *Ledger) compact(from, to, before int64, start func(int64) int64) (more bool, err error) {
	moved := 0
	err = l.stepLocked(func() error {
		sums := newCohortDeltas()
		n, err := l.takeCohorts(sums, from, to, before, start)
		if err != nil {
			return err
		}
		m, err := l.takeReasons(sums, from, to, before, start)
		if err != nil {
			return err
		}
		moved = max(n, m)
		return sums.store(l.w)
	}, func() { l.wal.wrote(moved * bytesPerRow) })
	return moved == compactRows, err
}

// takeCohorts removes the oldest rows from cohort and adds them to sums.
func (l *Ledger) takeCohorts(sums *cohortDeltas, from, to, before int64, start func(int64) int64) (int, error) {
	n := 0
	var last cohortKey
	err := l.w.each(func(scan func(...any) error) error {
		n++
		one := newCohortDeltas()
		if err := one.scanRow(scan); err != nil {
			return err
		}
		r := &one.rows[0]
		last = r.key
		key := last
		key.width, key.start = to, start(last.start)
		sums.addRow(r, key)
		return nil
	}, selectCohorts+" WHERE width = ? AND start < ? ORDER BY "+cohortKeys+" LIMIT ?", from, before, compactRows)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, l.w.exec(`DELETE FROM cohort WHERE width = ?
		AND (start, campaign_id, provider_id, origin_id) <= (?, ?, ?, ?)`,
		from, last.start, last.campaign, last.provider, last.origin)
}

// takeReasons does the same for cohort_reason.
func (l *Ledger) takeReasons(sums *cohortDeltas, from, to, before int64, start func(int64) int64) (int, error) {
	n := 0
	var last reasonKey
	err := l.w.each(func(scan func(...any) error) error {
		n++
		var c reasonCount
		if err := scan(append(last.cohort.dest(), &last.outcome, &last.reason, &c.n, &c.possible)...); err != nil {
			return err
		}
		key := last
		key.cohort.width, key.cohort.start = to, start(last.cohort.start)
		sums.addReason(key, c.n, c.possible)
		return nil
	}, selectReasons+" WHERE width = ? AND start < ? ORDER BY "+cohortKeys+", outcome, reason_id LIMIT ?",
		from, before, compactRows)
	if err != nil || n == 0 {
		return 0, err
	}
	k := last.cohort
	return n, l.w.exec(`DELETE FROM cohort_reason WHERE width = ?
		AND (start, campaign_id, provider_id, origin_id, outcome, reason_id) <= (?, ?, ?, ?, ?, ?)`,
		from, k.start, k.campaign, k.provider, k.origin, last.outcome, last.reason)
}
