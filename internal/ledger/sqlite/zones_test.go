package sqlite

import (
	"testing"
	"time"
)

// TestBucketsOfOddZones goes through the changes of the clock that zones are known for: by half an hour, at midnight, by a
// whole day. A send time must fall into the same hour and day whether it is cut at once or by compaction, bucket by bucket.
func TestBucketsOfOddZones(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, from string }{
		{"Australia/Lord_Howe", "2026-04-01"}, {"Australia/Lord_Howe", "2026-10-01"},
		{"America/Havana", "2026-03-06"}, {"America/Havana", "2026-10-30"},
		{"Africa/Cairo", "2026-04-22"}, {"Africa/Cairo", "2026-10-28"}, {"Asia/Beirut", "2026-03-27"},
		{"America/St_Johns", "2011-11-04"}, {"America/St_Johns", "2011-03-11"},
		{"Pacific/Apia", "2011-12-28"}, {"Pacific/Chatham", "2026-04-03"}, {"Asia/Kathmandu", "2026-04-03"},
		{"Africa/Casablanca", "2026-02-13"}, {"Antarctica/Troll", "2026-03-27"}, {"Europe/Berlin", "2026-10-24"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.ParseInLocation(time.DateOnly, c.from, zone)
		if err != nil {
			t.Fatal(err)
		}
		cut := newCutter(zone, from)
		day := cut.dayStart(from.Unix())
		for at := from.Unix(); at < from.AddDate(0, 0, 6).Unix(); at += 60 {
			fine, hour := fineWidth*floorDiv(at, fineWidth), cut.hourStart(at)
			when := func() string { return time.Unix(at, 0).In(zone).String() }
			if got := cut.hourStart(fine); got != hour {
				t.Fatalf("%s: %s is of the hour of %d, its 5 minutes of that of %d", c.zone, when(), hour, got)
			}
			if got, want := cut.dayStart(hour), cut.dayStart(at); got != want {
				t.Fatalf("%s: %s is of the day of %d, its hour of that of %d", c.zone, when(), want, got)
			}
			if at-hour >= hourWidth || hour > at {
				t.Fatalf("%s: the hour of %s starts at %d", c.zone, when(), hour)
			}
			switch next := cut.dayStart(at); {
			case next < day:
				t.Fatalf("%s: the day goes back at %s", c.zone, when())
			case next != day && next != at:
				t.Fatalf("%s: a day starts at %d, which is before %s", c.zone, next, when())
			default:
				day = next
			}
			if end := dayEnd(time.Unix(at, 0).In(zone)).Unix(); end <= at || cut.dayStart(end) != end || cut.dayStart(end-1) != day {
				t.Fatalf("%s: the day of %s ends at %d", c.zone, when(), end)
			}
		}
	}
}
