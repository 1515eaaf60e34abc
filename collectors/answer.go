package collectors

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// RetryAfter is how long an answer asked to be left alone (RFC 9110, section 10.2.3), 0 when it did not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// OneLine makes text from outside fit for one line of a log: one line, printable, 300 bytes at most.
func OneLine(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}
