package sqlite

import "time"

const (
	// leap is how far ahead a clock may jump before it is doubted: further than a ledger mostly lies unused.
	leap = 30 * day
	// doubtFor is how long a clock that jumped is doubted: time enough for the machine to set it right.
	doubtFor = time.Hour
)

// clockWatch doubts a clock that leaps ahead, as that of a machine that starts with a wrong date does: whatever is forgotten
// for its age by such a clock is gone for good. Its owner holds mu.
type clockWatch struct {
	// last is the latest time that was looked at, of this process if running is set, else of an earlier one.
	last    time.Time
	running bool
	// doubted is when doubt ends.
	doubted time.Time
}

// look compares how far the clock has gone with how long that really took, which nobody knows of the time before the start. It
// says whether the clock has leapt since it was looked at last.
func (c *clockWatch) look(now time.Time) (leapt bool) {
	ahead := now.Round(0).Sub(c.last.Round(0)) // by the calendar, without the monotonic reading
	if c.running {
		ahead -= now.Sub(c.last)
	}
	if leapt = ahead > leap && !c.last.IsZero(); leapt {
		c.doubted = now.Add(doubtFor)
	}
	c.last, c.running = now, true
	return leapt
}

// lookAtClock looks, and tells people when the clock has leapt.
func (l *Ledger) lookAtClock(now time.Time) {
	last := l.clock.last
	if l.clock.look(now) {
		l.o.Logger.Warn("the ledger was last used long ago, or the clock is wrong: nothing is forgotten for its age for an hour",
			"last_used", last)
	}
}

// recallClock looks at the clock at the start. A ledger that was never folded knows no earlier time.
func (l *Ledger) recallClock() error {
	var asOf int64
	if err := l.w.get([]any{&asOf}, "SELECT value FROM meta WHERE key = 'as_of_ms'"); err != nil || asOf == 0 {
		return err
	}
	l.clock.last = time.UnixMilli(asOf).UTC()
	l.lookAtClock(l.o.Now())
	return nil
}

// aged is the time by which ages are judged when something is to be forgotten: a time at which nothing is old while the
// clock is doubted.
func (c *clockWatch) aged(now time.Time) time.Time {
	if now.Before(c.doubted) {
		return time.Unix(0, 0)
	}
	return now
}
