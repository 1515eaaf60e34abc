package sqlite

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// retention says which rows of a table are too old: those whose column is below what cutoff returns. keys are the columns
// that name a row.
type retention struct {
	table, keys, column string
	cutoff              func(now time.Time) int64
}

func retentions() []retention {
	seconds := func(age time.Duration) func(time.Time) int64 {
		return func(now time.Time) int64 { return now.Add(-age).Unix() }
	}
	millis := func(age time.Duration) func(time.Time) int64 {
		return func(now time.Time) int64 { return now.Add(-age).UnixMilli() }
	}
	kept := func(now time.Time) time.Time { return now.AddDate(0, -keepMonths, 0) }
	keptSeconds := func(now time.Time) int64 { return kept(now).Unix() }
	return []retention{
		{"cohort", cohortKeys, "width = 86400 AND start", keptSeconds},
		{"cohort_reason", cohortKeys + ", outcome, reason_id", "width = 86400 AND start", keptSeconds},
		{"own_time", "start, origin_id, outcome", "start", seconds(hourAge)},
		{"use", "hour, stamp_id, campaign_id, origin_id", "hour", seconds(useAge)},
		{"covered", "origin_id, hour", "hour", keptSeconds},
		{"sample", "id", "last_ms", millis(sampleAge)},
		{"status", "id", "at_ms", millis(statusAge)},
		{
			"reading", "source, subject, metric, detail, start_ms, end_ms", "start_ms",
			func(now time.Time) int64 { return kept(now).UnixMilli() },
		},
		// In the words of the index reading_short, so that no other row is looked at.
		{
			"reading", "source, subject, metric, detail, start_ms, end_ms", "end_ms - start_ms < 3600000 AND start_ms",
			millis(shortReadingAge),
		},
		{"alert_history", "id", "at_ms", millis(ledger.AlertKeep)},
		{"silence", "id", "ends_ms", millis(ledger.AlertKeep)},
		// Rows that speak of a name are younger than its last use, so a month later none is left.
		{"campaign", "id", "seen", func(now time.Time) int64 { return int64(dayOf(kept(now).AddDate(0, -1, 0))) }},
		{"stamp", "id", "seen", func(now time.Time) int64 { return int64(dayOf(now.Add(-useAge - 30*day))) }},
	}
}

// expireSome is how many rows one step of retention deletes.
const expireSome = 2000

func (l *Ledger) expireRows(r retention, now time.Time) (more bool, err error) {
	now = l.clock.aged(now)
	var n int64
	err = l.stepLocked(func() (err error) {
		n, err = l.w.execN("DELETE FROM "+r.table+" WHERE ("+r.keys+") IN (SELECT "+r.keys+" FROM "+r.table+
			" WHERE "+r.column+" < ? LIMIT ?)", r.cutoff(now), expireSome)
		return err
	}, func() {
		switch r.table {
		case "covered":
			l.covered.forgetBefore(now.AddDate(0, -keepMonths, 0))
		case "campaign", "stamp":
			if n > 0 {
				l.names.forget()
			}
		}
	})
	return n == expireSome, err
}

// boundStatuses drops the status events that happened first when there are too many.
func (l *Ledger) boundStatuses(time.Time) (more bool, err error) {
	var n int64
	err = l.stepLocked(func() (err error) {
		n, err = l.w.execN(`DELETE FROM status WHERE id IN (SELECT id FROM status ORDER BY at_ms, id
			LIMIT min(?, max(0, (SELECT count(*) FROM status) - ?)))`, expireSome, maxStatuses)
		return err
	}, func() {})
	return n == expireSome, err
}

// expireIDs forgets ids as old as a message can be.
func (l *Ledger) expireIDs(now time.Time) (more bool, err error) {
	var evictions []*eviction
	err = l.stepLocked(func() error {
		for class := range classes {
			e, err := l.ids.evict(class, 0, l.clock.aged(now))
			if err != nil {
				return err
			}
			if e != nil {
				evictions = append(evictions, e)
			}
		}
		return nil
	}, func() {
		for _, e := range evictions {
			l.ids.forget(e, l.unconfirmed)
		}
	})
	return len(evictions) > 0, err
}

// ageUnconfirmed ends what is unconfirmed for too long, and forgets ids that were known only for its sake.
func (l *Ledger) ageUnconfirmed(now time.Time) (more bool, err error) {
	l.unconfirmed.age(now)
	l.ids.sweep(l.unconfirmed)
	return false, nil
}

const (
	// vacuumPages is how many free pages one step gives back to the file system, vacuumFrom (64 MB) how many there must
	// be: fewer are soon used again.
	vacuumPages = 256
	vacuumFrom  = 16_384
)

// vacuum gives unused pages back to the file system, because that is what a disk that is nearly full needs.
func (l *Ledger) vacuum(time.Time) (more bool, err error) {
	if err := l.w.open(); err != nil {
		return false, l.noted(classify(err))
	}
	var unused int
	if err := l.w.get([]any{&unused}, "PRAGMA freelist_count"); err != nil {
		return false, l.noted(classify(err))
	}
	if unused < vacuumFrom {
		return false, nil
	}
	err = l.stepLocked(func() error {
		return l.w.each(func(func(...any) error) error { return nil }, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages))
	}, func() {})
	return unused-vacuumPages >= vacuumFrom, err
}
