package postmaster

import (
	"strings"
	"time"

	postmaster "google.golang.org/api/gmailpostmastertools/v2"
)

// day is a calendar day, counted from 1970-01-01.
type day int

func dayOf(t time.Time, zone *time.Location) day {
	y, m, d := t.In(zone).Date()
	return dayFrom(y, int(m), d)
}

func dayFrom(year, month, d int) day {
	return day(time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d day) date() (year int, month time.Month, dayOfMonth int) {
	return time.Unix(int64(d)*86400, 0).UTC().Date()
}

// api is the day as v2 has it.
func (d day) api() *postmaster.Date {
	y, m, n := d.date()
	return &postmaster.Date{Year: int64(y), Month: int64(m), Day: int64(n)}
}

func (d day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// bounds are the day's start and end where it is counted; a day of a change of the clocks has not 24 hours.
func (d day) bounds(zone *time.Location) (start, end time.Time) {
	y, m, n := d.date()
	return time.Date(y, m, n, 0, 0, 0, 0, zone), time.Date(y, m, n+1, 0, 0, 0, 0, zone)
}

// position is what is kept per domain: the day up to which it was read, and by which version, because a domain that was
// read by one has not been read by the other.
func position(api API, through day) string { return string(api) + "/" + through.String() }

// parsePosition reads a position; one of the other version, or one that is not understood, is none.
func parsePosition(api API, text string) (through day, ok bool) {
	rest, ok := strings.CutPrefix(text, string(api)+"/")
	if !ok {
		return 0, false
	}
	t, err := time.Parse(time.DateOnly, rest)
	if err != nil {
		return 0, false
	}
	return dayOf(t, time.UTC), true
}

// firstDay is where a pass begins to read a domain: a window before the day that was read last, so that days missed in an
// outage are caught up and those read early are read again. A position in the future comes of a clock that was wrong.
func (c *Collector) firstDay(read day, known bool, last day) day {
	oldest := last - day(c.backfill) + 1
	if !known {
		return oldest
	}
	return max(oldest, min(read, last)-day(c.window)+1)
}
