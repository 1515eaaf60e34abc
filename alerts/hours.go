package alerts

import (
	"fmt"
	"strings"
	"time"
)

// Hours are spans of the week in a time zone, by the clock on the wall: when clocks are set, a span begins and ends at the
// times that it names, and so lasts longer or shorter on that day. The zero Hours are always.
type Hours struct {
	zone  *time.Location
	spans []weekSpan
}

// weekSpan is from one minute of the day to another on some weekdays. One that ends at or before its start runs past
// midnight into the next day.
type weekSpan struct {
	days       [7]bool
	start, end int
}

const (
	minutesOfDay = 24 * 60
	maxSpans     = 20
)

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads spans such as "Mon-Fri 08:00-18:00, Sat 10:00-14:00". Without days a span is on every day. 24:00 is the
// end of a day; "22:00-06:00" ends on the next. An empty text means always. The zone must not be nil.
func ParseHours(text string, zone *time.Location) (Hours, error) {
	h := Hours{zone: zone}
	if strings.TrimSpace(text) == "" {
		return h, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxSpans {
		return Hours{}, fmt.Errorf("must not be more than %d spans", maxSpans)
	}
	for _, part := range parts {
		span, ok := parseSpan(strings.Fields(part))
		if !ok {
			return Hours{}, fmt.Errorf("%q is not a span such as Mon-Fri 08:00-18:00", shorten(strings.TrimSpace(part), 60))
		}
		h.spans = append(h.spans, span)
	}
	return h, nil
}

func parseSpan(words []string) (s weekSpan, ok bool) {
	switch len(words) {
	case 1:
		s.days = [7]bool{true, true, true, true, true, true, true}
	case 2:
		if s.days, ok = parseDays(words[0]); !ok {
			return s, false
		}
	default:
		return s, false
	}
	from, to, ok := strings.Cut(words[len(words)-1], "-")
	start, okStart := parseMinute(from)
	end, okEnd := parseMinute(to)
	s.start, s.end = start, end
	return s, ok && okStart && okEnd && start < minutesOfDay && start != end
}

// parseDays reads "Mon", or "Fri-Mon", which runs over the end of the week.
func parseDays(text string) (days [7]bool, ok bool) {
	from, to, isRange := strings.Cut(strings.ToLower(text), "-")
	if !isRange {
		to = from
	}
	first, last := -1, -1
	for i, name := range weekdays {
		if name == from {
			first = i
		}
		if name == to {
			last = i
		}
	}
	if first < 0 || last < 0 {
		return days, false
	}
	for i := first; ; i = (i + 1) % 7 {
		days[i] = true
		if i == last {
			return days, true
		}
	}
}

// parseMinute reads "08:30" as a minute of the day.
func parseMinute(text string) (minute int, ok bool) {
	if text == "24:00" {
		return minutesOfDay, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// Contain says whether a time lies within the hours. A span includes its first minute and not its last.
func (h Hours) Contain(t time.Time) bool {
	if len(h.spans) == 0 {
		return true
	}
	t = t.In(h.zone)
	today, minute := int(t.Weekday()), t.Hour()*60+t.Minute()
	yesterday := (today + 6) % 7
	for i := range h.spans {
		s := &h.spans[i]
		switch {
		case s.start < s.end:
			if s.days[today] && minute >= s.start && minute < s.end {
				return true
			}
		case s.days[today] && minute >= s.start, s.days[yesterday] && minute < s.end:
			return true
		}
	}
	return false
}

// Always says that the hours exclude nothing.
func (h Hours) Always() bool { return len(h.spans) == 0 }
