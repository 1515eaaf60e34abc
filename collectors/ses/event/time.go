package event

import "time"

// oddLayouts are forms of a time that SES's documentation shows and RFC 3339 does not allow: a blank before the offset,
// and an offset without its colon.
var oddLayouts = [...]string{"2006-01-02T15:04:05 -0700", "2006-01-02T15:04:05-0700"}

// maxTime is longer than any form of a time that is read.
const maxTime = 40

// parseTime reads a time of an event, of any precision and offset, as UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) > maxTime {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), true
	}
	for _, layout := range oddLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
