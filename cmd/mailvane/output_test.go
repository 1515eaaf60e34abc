package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/replay"
)

// same compares what a command printed.
func same(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func row() ledger.QuarantineRow {
	return ledger.QuarantineRow{ID: 42, Source: "ses-events", Quarantined: ledger.Quarantined{
		At: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), Reason: "not_json", Detail: "offset 0", Body: `{"to":"jane@example.com"}`, Size: 25,
	}}
}

func TestPrintRows(t *testing.T) {
	var b strings.Builder
	if err := printRows(&b, []ledger.QuarantineRow{row()}); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `ID  AT                    SOURCE      REASON    BYTES  DETAIL
42  2026-11-20T08:00:00Z  ses-events  not_json  25     offset 0
`)
	b.Reset()
	if err := printRows(&b, nil); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), "nothing is in quarantine\n")
	b.Reset()
	if err := printRowsJSON(&b, []ledger.QuarantineRow{row()}); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `{"id":42,"at":"2026-11-20T08:00:00Z","source":"ses-events","reason":"not_json","bytes":25,"detail":"offset 0"}`+"\n")
}

func TestPrintMessage(t *testing.T) {
	var b strings.Builder
	if err := printMessage(&b, row(), false); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "jane") || !strings.Contains(b.String(), `"to": "<@>"`) {
		t.Errorf("shown as %s", b.String())
	}
	b.Reset()
	if err := printMessage(&b, row(), true); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `{"to":"jane@example.com"}`)
	if err := printMessage(&b, ledger.QuarantineRow{ID: 7}, true); err == nil {
		t.Error("a body that was not kept was shown")
	}
}

func TestPrintSummary(t *testing.T) {
	var b strings.Builder
	err := printSummary(&b, replay.Summary{
		Values: 10, Counted: 6, Duplicate: 2, Held: 1, Refused: 3, Unreadable: 2,
		Problems: []replay.Problem{{File: "a.json", Line: 3, Reason: "not_json", Detail: "offset 0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `a.json:3: not_json: offset 0
… and 1 more that were not understood
10 events read, 2 not understood; of the recipients in them
  6 counted
  2 known already
  1 held for a tagged copy
  3 refused
refused are events of hours that the daemon has covered; --assume-new takes them
`)
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	if newProgress(&b, time.Now) != nil {
		t.Error("progress is shown where nobody looks")
	}
	now := time.Unix(0, 0)
	p := &progress{w: &b, now: func() time.Time { return now }}
	p.show("a.json", 10, 100)
	p.show("a.json", 20, 100) // too soon
	now = now.Add(time.Second)
	p.show("a.json", 50, 100)
	p.show("a.json", 100, 100)
	p.show("b.json", 0, 0)
	p.clear()
	same(t, strings.ReplaceAll(b.String(), "\r\x1b[K", "|"), "|a.json 10 %|a.json 50 %|a.json 100 %|b.json 100 %|")
}

func TestUnderstood(t *testing.T) {
	for _, c := range []struct {
		sum replay.Summary
		ok  bool
	}{
		{replay.Summary{}, true},
		{replay.Summary{Values: 3, Unreadable: 3}, false},
		{replay.Summary{Values: 3, Unreadable: 2, Counted: 1}, true},
		{replay.Summary{Values: 3, Duplicate: 3}, true},
	} {
		if err := understood(c.sum); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.sum, err)
		}
	}
}

func TestPrintFindings(t *testing.T) {
	var b strings.Builder
	err := printFindings(&b, []app.Findings{
		{About: "queue a", List: []app.Finding{{Level: app.FindingOK, Text: "well"}}},
		{About: "queue \x1b[31mb", List: []app.Finding{
			{Level: app.FindingProblem, Text: "two\nlines", Fix: []string{"do this", "and that"}}, {Level: app.FindingWarning, Text: "late"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `
queue a
  ok       well

queue [31mb
  problem  twolines
           -> do this
           -> and that
  warning  late

online: 1 problem, 1 warning
`)
}
