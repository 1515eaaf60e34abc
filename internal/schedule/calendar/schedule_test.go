package calendar

import (
	"strings"
	"testing"
	"time"

	_ "time/tzdata" // Schedules are in named zones, also on machines without a zone database.

	"github.com/google/go-cmp/cmp"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// times lists the first n times of a schedule after a moment, as its zone shows them.
func times(t *testing.T, text, in, after string, n int) (all []string) {
	t.Helper()
	s, err := Parse(text, zone(t, in))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, after)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		at = s.Next(at)
		all = append(all, at.Format("Mon 2006-01-02 15:04 -0700"))
	}
	return all
}

// TestNext holds when schedules are due, most of all around changes of the clock.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		name, text, zone, after string
		want                    []string
	}{
		{"each week, from summer into winter", "Mon 08:00", "Europe/Berlin", "2026-10-12T08:00:00+02:00",
			[]string{"Mon 2026-10-19 08:00 +0200", "Mon 2026-10-26 08:00 +0100", "Mon 2026-11-02 08:00 +0100"}},
		{"some days", "Mon,Thu 7:30", "UTC", "2026-11-20T00:00:00Z",
			[]string{"Mon 2026-11-23 07:30 +0000", "Thu 2026-11-26 07:30 +0000"}},
		{"working days", "Mon-Fri 18:00", "UTC", "2026-11-20T18:00:00Z", []string{"Mon 2026-11-23 18:00 +0000"}},
		{"every day", "08:00", "UTC", "2026-11-20T08:00:00Z", []string{"Sat 2026-11-21 08:00 +0000"}},
		{"the first of the month", "0 8 1 * *", "America/New_York", "2026-10-20T00:00:00Z",
			[]string{"Sun 2026-11-01 08:00 -0500", "Tue 2026-12-01 08:00 -0500"}},
		{"a time that the day leaves out is due when the clock jumps", "02:30", "Europe/Berlin", "2026-03-28T02:30:00+01:00",
			[]string{"Sun 2026-03-29 03:00 +0200", "Mon 2026-03-30 02:30 +0200"}},
		{"and is not forgotten by one who asks shortly before", "02:30", "Europe/Berlin", "2026-03-29T01:59:59+01:00",
			[]string{"Sun 2026-03-29 03:00 +0200"}},
		{"nor due again for one who asks shortly after", "02:30", "Europe/Berlin", "2026-03-29T03:00:00+02:00",
			[]string{"Mon 2026-03-30 02:30 +0200"}},
		{"a time that the day has twice is due at the first", "02:30", "Europe/Berlin", "2026-10-24T03:00:00+02:00",
			[]string{"Sun 2026-10-25 02:30 +0200", "Mon 2026-10-26 02:30 +0100"}},
		{"every hour, the hour that comes twice once", "0 * * * *", "Europe/Berlin", "2026-10-25T01:00:00+02:00",
			[]string{"Sun 2026-10-25 02:00 +0200", "Sun 2026-10-25 03:00 +0100", "Sun 2026-10-25 04:00 +0100"}},
		{"every hour, over the hour that is left out", "30 * * * *", "America/New_York", "2026-03-08T01:00:00-05:00",
			[]string{"Sun 2026-03-08 01:30 -0500", "Sun 2026-03-08 03:00 -0400", "Sun 2026-03-08 03:30 -0400"}},
		{"midnight, where the clock jumps at midnight", "00:00", "America/Havana", "2026-03-07T12:00:00-05:00",
			[]string{"Sun 2026-03-08 01:00 -0400", "Mon 2026-03-09 00:00 -0400"}},
		{"half an hour of daylight saving", "02:15", "Australia/Lord_Howe", "2026-10-03T03:00:00+10:30",
			[]string{"Sun 2026-10-04 02:30 +1100", "Mon 2026-10-05 02:15 +1100"}},
		{"a day that was left out", "08:00", "Pacific/Apia", "2011-12-29T09:00:00-10:00",
			[]string{"Sat 2011-12-31 00:00 +1400", "Sat 2011-12-31 08:00 +1400"}},
		{"the day of leap years", "0 8 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"Tue 2028-02-29 08:00 +0000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, times(t, c.text, c.zone, c.after, len(c.want))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewest(t *testing.T) {
	s, err := Parse("Mon 08:00", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	monday := time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)
	week := 7 * 24 * time.Hour
	f := func(since, now, want time.Time) {
		t.Helper()
		if got := s.Newest(since, now); !got.Equal(want) {
			t.Errorf("from %s to %s: %s, want %s", since, now, got, want)
		}
	}
	f(monday, monday.Add(week-1), time.Time{})
	f(monday, monday.Add(week), monday.Add(week))
	f(monday, monday.Add(3*week+time.Hour), monday.Add(3*week)) // of several the last
	f(monday.Add(week), monday, time.Time{})
	if got := (Schedule{}).Newest(monday, monday.Add(week)); !got.IsZero() {
		t.Errorf("a schedule without times is due at %s", got)
	}
}

func TestParseRefuses(t *testing.T) {
	bad := func(text, says string) {
		t.Helper()
		if _, err := Parse(text, time.UTC); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
	const form = "is neither a time"
	for _, text := range []string{
		"", "Mon", "Mon 25:00", "Mon 08:60", "Mo 08:00", "Mon 8", "TZ=UTC 0 8 * * *", "CRON_TZ=UTC 0 8 * * 1", "TZ=", "@weekly",
		"0 8 * *", "0 8 * * * *", "61 8 * * *", "0 8 * * 9", "*/0 8 * * *", "0 8 * * 5-1", "Fri-Mon 08:00", "0 8 * * MON!", "Xyz 08:00",
	} {
		bad(text, form)
	}
	bad("0 8 30 2 *", "no year has")
	bad("* * * * *", "more often than every hour")
	bad("0,30 8 * * *", "more often than every hour")
}

// FuzzParse holds of any schedule that is taken that its times go on, each after the other.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"Mon 08:00", "Mon-Fri 7:30", "0 8 1 * *", "0 8 29 2 MON", "*/61 1 * * *"} {
		f.Add(text)
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, berlin)
		if err != nil {
			return
		}
		at := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
		for range 30 {
			next := s.Next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q is due at %s after %s", text, next, at)
			}
			at = next
		}
	})
}
