package calendar

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is a list of times of the week, the month or the year, in a time zone. The zero Schedule has no times.
type Schedule struct {
	text string
	zone *time.Location
	// wall gives the next time on a clock that is never changed, as if it were UTC.
	wall cron.Schedule
}

// Least is the least time between two times of a Schedule.
const Least = time.Hour

// The two forms of a schedule.
var (
	weekForm = regexp.MustCompile(`^(?:([A-Za-z]{3}(?:[-,][A-Za-z]{3})*) +)?([01]?\d|2[0-3]):([0-5]\d)$`)
	cronForm = regexp.MustCompile(`^[A-Za-z0-9*,/? -]+$`)
)

var errForm = errors.New("is neither a time such as Mon 08:00 nor the five fields of a cron expression")

// Parse reads a schedule: days of the week and a time, such as "Mon 08:00", "Mon,Thu 08:00", "Mon-Fri 07:30" or "08:00" for every
// day; or the five fields of a cron expression, such as "0 8 1 * *" for the first of each month. The error continues a sentence
// that begins with what the schedule is.
func Parse(text string, zone *time.Location) (Schedule, error) {
	expression := text
	if m := weekForm.FindStringSubmatch(text); m != nil {
		days := m[1]
		if days == "" {
			days = "*"
		}
		expression = fmt.Sprintf("%s %s * * %s", m[3], m[2], days)
	} else if len(strings.Fields(text)) != 5 || !cronForm.MatchString(text) {
		return Schedule{}, errForm
	}
	wall, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	if err != nil {
		return Schedule{}, fmt.Errorf("%w: %w", errForm, err)
	}
	if spec, ok := wall.(*cron.SpecSchedule); ok {
		spec.Location = time.UTC
	}
	s := Schedule{text: text, zone: zone, wall: wall}
	return s, s.check()
}

// check refuses what is never due, or more often than anything is made.
func (s Schedule) check() error {
	wall := s.wall.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if wall.IsZero() {
		return errors.New("names a date that no year has")
	}
	for range 50 { // two days of a schedule that is due every hour
		next := s.wall.Next(wall)
		switch {
		case next.IsZero(): // rarer than the library looks ahead
			return nil
		case next.Sub(wall) < Least:
			return errors.New("is due more often than every hour")
		}
		wall = next
	}
	return nil
}

// String is the schedule with its zone, by which a change of either can be told.
func (s Schedule) String() string {
	if s.zone == nil {
		return ""
	}
	return s.text + " " + s.zone.String()
}

// Zone is the time zone of the schedule.
func (s Schedule) Zone() *time.Location { return s.zone }

// lookBack is more than clocks are ever put forward or back at once, days that a country left out included.
const lookBack = 26 * time.Hour

// Next returns the first time after t, the zero time when there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.wall == nil {
		return time.Time{}
	}
	for wall := asWall(t.In(s.zone)).Add(-lookBack); ; {
		if wall = s.wall.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if next := s.moment(wall); next.After(t) {
			return next
		}
	}
}

// Newest returns the last time that is after since and not after now, the zero time when there is none.
func (s Schedule) Newest(since, now time.Time) (newest time.Time) {
	for next := s.Next(since); !next.IsZero() && !next.After(now); next = s.Next(next) {
		newest = next
	}
	return newest
}

// asWall is what the clock shows at t, as if it were UTC.
func asWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// moment is when the clock of the zone first shows wall, or jumps over it.
func (s Schedule) moment(wall time.Time) time.Time {
	// Two changes within two days are unheard of, so the offset a day before is the one from which a change would start.
	_, before := wall.Add(-lookBack).In(s.zone).Zone()
	_, after := wall.Add(lookBack).In(s.zone).Zone()
	early := wall.Add(-time.Duration(before) * time.Second)
	for _, t := range []time.Time{early, wall.Add(-time.Duration(after) * time.Second)} {
		if asWall(t.In(s.zone)).Equal(wall) {
			return t.In(s.zone)
		}
	}
	jump, _ := early.In(s.zone).ZoneBounds()
	return jump
}
