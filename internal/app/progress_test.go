package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
)

// TestProgressIsTold: a back-fill that takes long says how far it is, now and then and at its end; a short pass says nothing.
func TestProgressIsTold(t *testing.T) {
	var out bytes.Buffer
	l := progressLog{log: slog.New(slog.NewTextHandler(&out, nil))}
	start := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	note := func(after time.Duration, days int, want string) {
		t.Helper()
		out.Reset()
		l.note(start.Add(after), &postmaster.Progress{Source: "gmail", Domains: 2, Days: days, Total: 240, Requests: 7, Readings: 900})
		if got := out.String(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("after %s, %d days: %q, want %q", after, days, got, want)
		}
	}
	l.begin(start)
	note(10*time.Second, 30, "")
	note(29*time.Second, 240, "") // a short one, at its end
	l.begin(start)
	note(31*time.Second, 60, `account=gmail domains=2 days=60 of=240 requests=7 readings=900`)
	note(40*time.Second, 90, "")
	note(50*time.Second, 240, "days=240 of=240")
}
