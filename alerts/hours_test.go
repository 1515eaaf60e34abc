package alerts

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestHours(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		hours, at string // at is UTC
		want      bool
	}{
		{"", "2026-11-16T03:00:00Z", true},
		{"Mon-Fri 08:00-18:00", "2026-11-16T07:00:00Z", true},
		{"Mon-Fri 08:00-18:00", "2026-11-16T06:59:59Z", false},
		{"Mon-Fri 08:00-18:00", "2026-11-16T17:00:00Z", false},
		{"Mon-Fri 08:00-18:00", "2026-11-15T12:00:00Z", false},
		{"mon-fri 08:00-18:00, Sat 10:00-14:00", "2026-11-14T09:30:00Z", true},
		{"Fri-Mon 00:00-24:00", "2026-11-15T12:00:00Z", true},
		{"Fri-Mon 00:00-24:00", "2026-11-17T12:00:00Z", false},
		{"22:00-06:00", "2026-11-16T04:59:00Z", true},
		{"22:00-06:00", "2026-11-16T05:00:00Z", false},
		{"Sun 22:00-06:00", "2026-11-16T04:00:00Z", true},
		{"Mon 22:00-06:00", "2026-11-16T04:00:00Z", false},
		// Clocks go forward on 29 March 2026 at 01:00 UTC, from 02:00 to 03:00, and back on 25 October, from 03:00 to 02:00.
		{"08:00-18:00", "2026-03-28T06:30:00Z", false}, {"08:00-18:00", "2026-03-29T06:30:00Z", true},
		{"02:00-03:00", "2026-03-29T00:59:59Z", false}, {"02:00-03:00", "2026-03-29T01:00:00Z", false},
		{"03:00-04:00", "2026-03-29T01:00:00Z", true},
		{"02:00-03:00", "2026-10-25T00:30:00Z", true}, {"02:00-03:00", "2026-10-25T01:30:00Z", true},
		{"02:00-03:00", "2026-10-25T02:00:00Z", false},
	} {
		h, err := ParseHours(c.hours, berlin)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.Contain(at); got != c.want {
			t.Errorf("%q holds %s: %t", c.hours, at.In(berlin), got)
		}
	}
	for _, text := range []string{"Mon", "8-18", "Mon 8:00-18:00", "Mon-Xyz 08:00-18:00", "08:00-08:00", "24:00-06:00", "08:00-24:01", "a b c", ",", "Mon-Fri 08:00 - 18:00"} {
		if _, err := ParseHours(text, berlin); err == nil {
			t.Errorf("%q are hours", text)
		}
	}
}
