package view

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// follow brings the sums up to date: first what was added, then what left the spans, then what the eras changed.
func (v *View) follow(ctx context.Context, asOf time.Time) error {
	s := v.sums
	changes, err := v.changes(ctx, s.fold)
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.apply(s, changes, changes.Through)
	v.mu.Unlock()
	for i := range spanCount {
		if err := v.advance(ctx, s, i, i.start(asOf)); err != nil {
			return err
		}
	}
	return v.renewEras(ctx, s, asOf)
}

// changes reads what was added after a fold.
func (v *View) changes(ctx context.Context, after ledger.Fold) (ledger.Changes, error) {
	c, err := v.reader.Changes(ctx, after)
	if err == nil && c.Reset {
		err = errReset
	}
	return c, err
}

// apply adds the changes of the folds up to one of them. It is called with mu held.
func (v *View) apply(s *sums, c ledger.Changes, through ledger.Fold) {
	for _, f := range c.Folds {
		if f.Fold > s.fold && f.Fold <= through {
			s.change(f.Rows, &v.settings)
			v.noteLate(f.Rows)
		}
	}
	s.fold = max(s.fold, through)
}

// read reads the rows of mail sent in [from, to), brings the sums to exactly the fold at which they were read, and then
// has use deal with them, all in one go for whoever looks at the sums.
func (v *View) read(ctx context.Context, s *sums, from, to int64, use func(rows []ledger.CohortRow)) error {
	cohorts, err := v.reader.Cohorts(ctx, ledger.CohortQuery{From: time.Unix(from, 0), To: time.Unix(to, 0)})
	if err != nil {
		return err
	}
	var changes ledger.Changes
	if s.fold != beforeFirst && cohorts.Through > s.fold {
		if changes, err = v.changes(ctx, s.fold); err != nil {
			return err
		}
		if changes.Through < cohorts.Through {
			return fmt.Errorf("changes through fold %d, cohorts through %d", changes.Through, cohorts.Through)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.apply(s, changes, cohorts.Through)
	use(cohorts.Rows)
	return nil
}

// advance moves the start of a span forward and takes off what leaves it.
func (v *View) advance(ctx context.Context, s *sums, moved span, start int64) error {
	if start-s.starts[moved] >= int64(spans[moved].length/time.Second) {
		return errReset
	}
	for s.starts[moved] < start {
		from, to := s.starts[moved], min(s.starts[moved]+step, start)
		err := v.read(ctx, s, from, to, func(rows []ledger.CohortRow) {
			s.leave(rows, moved, &v.settings)
			s.starts[moved] = to
			if moved == spanWeek {
				s.drop()
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// renewEras reads the eras now and then, and when an origin turns up that they do not know, and recounts the mail for which
// they have changed: an origin's first bounce, say, tells that its bounces have been published since the mail that bounced
// was sent.
func (v *View) renewEras(ctx context.Context, s *sums, asOf time.Time) error {
	if s.next == nil {
		if asOf.Before(v.erasDue) && !s.stranger {
			return nil
		}
		next, err := v.readEras(ctx)
		if err != nil {
			return err
		}
		v.mu.Lock()
		s.next, s.recounted, s.stranger = next, max(s.eras.differ(next), s.starts[spanWeek]), false
		v.mu.Unlock()
		v.erasDue = asOf.Add(erasEvery)
	}
	for s.recounted != forever {
		to := upTo(hourOf(s.recounted)+step, asOf)
		err := v.read(ctx, s, s.recounted, min(to, farAhead(asOf)), func(rows []ledger.CohortRow) {
			s.recount(rows, &v.settings)
			s.recounted = to
		})
		if err != nil {
			return err
		}
		v.erasDue = v.erasDue.Add(erasRest)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.eras, s.next = s.next, nil
	return nil
}

func (v *View) readEras(ctx context.Context) (*eras, error) {
	rows, err := v.reader.Published(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := v.reader.Versions(ctx, ledger.VersionReporting)
	if err != nil {
		return nil, err
	}
	return readEras(rows, versions, v.reader.Zone())
}

// upTo is the end of a step: the last one takes in everything later, as clocks of senders may be ahead.
func upTo(end int64, asOf time.Time) int64 {
	if end > asOf.Unix() {
		return forever
	}
	return end
}

// farAhead is later than any mail that is let in (10 minutes ahead at most), even by a clock that was set back since.
func farAhead(asOf time.Time) int64 { return asOf.AddDate(1, 0, 0).Unix() }

// beforeFirst is the fold of sums that hold nothing yet.
const beforeFirst ledger.Fold = -1

// rebuildStep is how much send time a rebuild reads at once.
const rebuildStep = 6 * step

// rebuild makes the sums afresh while queries still see the old ones: six hours at a time as a rule, else, where the
// ledger does not know what changes meanwhile (that of a running daemon, read by another process), all at once.
func (v *View) rebuild(ctx context.Context, asOf time.Time) error {
	err := v.rebuildBy(ctx, asOf, rebuildStep)
	if errors.Is(err, errReset) {
		err = v.rebuildBy(ctx, asOf, int64(spans[spanWeek].length/time.Second)+2*step)
	}
	return err
}

func (v *View) rebuildBy(ctx context.Context, asOf time.Time, piece int64) error {
	e, err := v.readEras(ctx)
	if err != nil {
		return err
	}
	s := newSums(e)
	s.fold = beforeFirst
	for i := range spanCount {
		s.starts[i] = i.start(asOf)
	}
	for s.loaded = s.starts[spanWeek]; s.loaded != forever; {
		to := upTo(s.loaded+piece, asOf)
		err := v.read(ctx, s, s.loaded, min(to, farAhead(asOf)), func(rows []ledger.CohortRow) {
			s.load(rows, &v.settings)
			s.loaded = to
		})
		if err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sums, v.erasDue, v.allLate = s, asOf.Add(erasEvery), true
	for _, c := range s.campaigns {
		c.describe(&v.settings)
	}
	return nil
}
