package report

import (
	"errors"
	"fmt"
	"time"
)

// MaxDays is the length of the longest period, nine weeks: the sums that Gmail allows go no further.
const MaxDays = 63

// ErrPeriod says that a period cannot be reported; the message says why.
var ErrPeriod = errors.New("no period for a report")

// Period is a run of whole days. Make one with Week, ParseWeek or Days.
type Period struct {
	// From and To are the first and the last day, both included, as 2026-11-09.
	From string `json:"from"`
	To   string `json:"to"`
	// Zone is where the days begin, a name of the IANA database.
	Zone string `json:"zone"`
	// Start and End are when they begin and end, End excluded.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Days is the period of two dates, both included, as 2026-11-09. The error wraps ErrPeriod.
func Days(from, to string, zone *time.Location) (Period, error) {
	first, err := time.ParseInLocation(time.DateOnly, from, time.UTC)
	if err != nil {
		return Period{}, fmt.Errorf("%w: %q is no date; write one like 2026-11-09", ErrPeriod, from)
	}
	last, err := time.ParseInLocation(time.DateOnly, to, time.UTC)
	if err != nil {
		return Period{}, fmt.Errorf("%w: %q is no date; write one like 2026-11-15", ErrPeriod, to)
	}
	switch days := int(last.Sub(first)/(24*time.Hour)) + 1; {
	case days < 1:
		return Period{}, fmt.Errorf("%w: it ends on %s, before it begins on %s", ErrPeriod, to, from)
	case days > MaxDays:
		return Period{}, fmt.Errorf("%w: it has %d days, and a report spans %d at most", ErrPeriod, days, MaxDays)
	}
	return newPeriod(first, last, zone), nil
}

// newPeriod is the period of two dates, given at midnight of UTC.
func newPeriod(first, last time.Time, zone *time.Location) Period {
	return Period{
		From: first.Format(time.DateOnly), To: last.Format(time.DateOnly), Zone: zone.String(),
		Start: startOf(first, zone), End: startOf(last.AddDate(0, 0, 1), zone),
	}
}

// startOf is when a date, given at midnight of UTC, begins in a zone. Where clocks are changed at midnight that is not 0:00.
func startOf(date time.Time, zone *time.Location) time.Time {
	year, month, day := date.Date()
	start := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if start.Day() != day {
		_, start = start.ZoneBounds() // there is no midnight: the day begins with the change
	}
	return start.UTC()
}

// Week is the week from Monday to Sunday that a time is in.
func Week(t time.Time, zone *time.Location) Period {
	date := dateOf(t.In(zone))
	monday := date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
	return newPeriod(monday, monday.AddDate(0, 0, 6), zone)
}

// ParseWeek reads a week as ISO 8601 writes it, 2026-W46. The error wraps ErrPeriod.
func ParseWeek(text string, zone *time.Location) (Period, error) {
	var year, week int
	var rest string
	n, _ := fmt.Sscanf(text, "%4d-W%2d%s", &year, &week, &rest)
	if n != 2 || len(text) != len("2026-W46") || year < 1970 {
		return Period{}, fmt.Errorf("%w: %q is no week; write one like 2026-W46", ErrPeriod, text)
	}
	// The fourth of January is always in the first week.
	first := Week(time.Date(year, 1, 4, 12, 0, 0, 0, time.UTC), time.UTC).date().AddDate(0, 0, 7*(week-1))
	if y, w := first.ISOWeek(); y != year || w != week {
		return Period{}, fmt.Errorf("%w: the year %d has no week %d", ErrPeriod, year, week)
	}
	return newPeriod(first, first.AddDate(0, 0, 6), zone), nil
}

// dateOf is the date of a time, at midnight of UTC.
func dateOf(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// date is the first day, at midnight of UTC.
func (p Period) date() time.Time {
	first, _ := time.Parse(time.DateOnly, p.From)
	return first
}

// Location is the zone. It is UTC where this machine does not know the zone's name.
func (p Period) Location() *time.Location {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Len is how many days the period has.
func (p Period) Len() int {
	last, _ := time.Parse(time.DateOnly, p.To)
	return int(last.Sub(p.date())/(24*time.Hour)) + 1
}

// Shift is the period so many days later, or earlier when days is negative, at the same hours of the clock.
func (p Period) Shift(days int) Period {
	first := p.date().AddDate(0, 0, days)
	return newPeriod(first, first.AddDate(0, 0, p.Len()-1), p.Location())
}

// Previous is the period of the same length that ends where this one begins.
func (p Period) Previous() Period { return p.Shift(-p.Len()) }

// ID names the period: 2026-W46 for a week from Monday to Sunday, else 2026-11-09--2026-11-12.
func (p Period) ID() string {
	if year, week, ok := p.week(); ok {
		return fmt.Sprintf("%04d-W%02d", year, week)
	}
	return p.From + "--" + p.To
}

func (p Period) week() (year, week int, ok bool) {
	first := p.date()
	year, week = first.ISOWeek()
	return year, week, first.Weekday() == time.Monday && p.Len() == 7
}

// String says the period to people: week 46, 9 to 15 November 2026.
func (p Period) String() string {
	first, last := p.date(), p.date().AddDate(0, 0, p.Len()-1)
	span := last.Format("2 January 2006")
	switch {
	case first.Equal(last):
	case first.Year() != last.Year():
		span = first.Format("2 January 2006") + " to " + span
	case first.Month() != last.Month():
		span = first.Format("2 January") + " to " + span
	default:
		span = first.Format("2") + " to " + span
	}
	if _, week, ok := p.week(); ok {
		return fmt.Sprintf("week %d, %s", week, span)
	}
	return span
}
