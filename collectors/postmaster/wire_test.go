package postmaster

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors"
)

func TestDates(t *testing.T) {
	for text, want := range map[string]bool{
		`{"year": 2026, "month": 11, "day": 18}`: true, `{"year": 2028, "month": 2, "day": 29}`: true,
		`{"year": 2026, "month": 2, "day": 29}`: false, `{"year": 2026, "month": 11}`: false, `{}`: false,
		`{"year": -1, "month": 1, "day": 1}`: false, `{"year": 2026, "month": 13, "day": 1}`: false,
	} {
		var d date
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if _, ok := d.day(); ok != want {
			t.Errorf("%s: a day: %t, want %t", text, ok, want)
		}
	}
	if _, ok := (*date)(nil).day(); ok {
		t.Error("no date is a day")
	}
}

func TestPositions(t *testing.T) {
	d := mustDay(t, "2026-02-28")
	if got, ok := parsePosition(V2, position(V2, d)); !ok || got != d {
		t.Errorf("round trip: %s, %t", got, ok)
	}
	for _, text := range []string{"", "v1/2026-02-28", "v2/", "v2/2026-02-30", "2026-02-28"} {
		if _, ok := parsePosition(V2, text); ok {
			t.Errorf("%q was taken for a position", text)
		}
	}
}

func TestBoundsOfADay(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	start, end := mustDay(t, "2026-11-01").bounds(zone) // the clocks go back
	if end.Sub(start) != 25*time.Hour || dayOf(end.Add(-time.Second), zone) != mustDay(t, "2026-11-01") || dayOf(end, zone) != mustDay(t, "2026-11-02") {
		t.Errorf("from %s to %s", start, end)
	}
}

func TestLongListsAreRefused(t *testing.T) {
	for _, text := range []string{
		`{"results": [` + strings.Repeat("{},", maxParts) + `{}]}`,
		`{"results": [{"response": {"domainStats": [` + strings.Repeat("{},", maxRows) + `{}]}}]}`,
		`{"results": [{"response": {"domainStats": [{"value": {"stringList": {"values": [` + strings.Repeat(`"",`, maxValues) + `""]}}}]}}]}`,
	} {
		var got answers
		if err := json.Unmarshal([]byte(text), &got); !errors.Is(err, errTooMany) {
			t.Errorf("%.60s…: %v", text, err)
		}
	}
}

// FuzzAnswer: whatever an answer holds, readings are of the days and values that can be.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"results": [{"response": {"domainStats": [{"metric": "m0", "date": {"year": 2026, "month": 11, "day": 18}, "value": {"floatValue": 0}}]}}]}`)
	f.Add(`{"results": [{"response": {"domainStats": [{"metric": "m1", "date": {"year": 2026, "month": 11, "day": 18}, "value": {"stringList": {"values": ["a", "b"]}}}], "nextPageToken": "x"}}]}`)
	f.Add(`{"results": [{"error": {"code": 7, "details": [{"reason": "SERVICE_DISABLED", "metadata": {"consumer": "projects/1"}}]}}]}`)
	f.Add(`{"results": [null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		var got answers
		if json.Unmarshal([]byte(body), &got) != nil || len(got.Results) != 1 {
			return
		}
		c, err := New(Options{Name: "gmail"})
		if err != nil {
			t.Fatal(err)
		}
		last := mustDay(t, "2026-11-19")
		s := &subject{name: "example.com", next: last - 13}
		s.start(last, aggregations())
		s.open++
		store := &sink{positions: make(collectors.Positions)}
		p := &pass{c: c, sink: store, today: last + 1, last: last}
		store.do = func(_ context.Context, b collectors.Batch) error {
			for i := range b.Readings {
				r := &b.Readings[i]
				d := dayOf(r.Start, time.UTC)
				rate := !strings.HasSuffix(r.Key.Metric, "count") && !strings.HasSuffix(r.Key.Metric, "ids")
				if d < s.from || d > s.to || r.Value != nil && (*r.Value < 0 || rate && *r.Value > 1) {
					t.Errorf("reading %s: %s", keyOf(r), valueOf(r))
				}
			}
			return nil
		}
		_ = p.take(t.Context(), []*ask{{s: s, from: s.from, to: s.to, questions: baseQuestions()}}, &got)
		if !s.stopped() {
			p.markers(s)
			if f := p.put(t.Context(), nil); f != nil {
				t.Error(f)
			}
		}
	})
}
