package campaign

import "time"

// Day is a day of the calendar, counted from 1 January 1970. When it begins depends on the zone.
type Day int32

const secondsOfDay = 24 * 60 * 60

// DayOf returns the day of a time in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	year, month, day := t.In(zone).Date()
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsOfDay)
}

// Start is when the day begins in a zone.
func (d Day) Start(zone *time.Location) time.Time {
	year, month, day := time.Unix(int64(d)*secondsOfDay, 0).UTC().Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone)
}

// String writes the day as 2006-01-02.
func (d Day) String() string { return d.Start(time.UTC).Format(time.DateOnly) }

// MarshalText writes the day as 2006-01-02.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Day) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return err
	}
	*d = DayOf(t, time.UTC)
	return nil
}
