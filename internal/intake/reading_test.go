package intake_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/observation"
)

// growth is an observer that sums what grew.
type growth map[string]float64

func (g growth) Grew(key *observation.ReadingKey, by float64) { g[key.Metric] += by }

// TestReadingsCountByTheirDifference holds that what a source says of a period counts once: not again when it is read again,
// nor after a restart, and not at all when it was over before the source was first read.
func TestReadingsCountByTheirDifference(t *testing.T) {
	got := growth{}
	observed := func(o *intake.Options) { o.Readings = got }
	h := newHarness(t, observed)
	since := h.now.Add(-time.Hour)
	reading := func(metric string, start time.Time, value *float64) observation.Reading {
		return observation.Reading{
			Key: observation.ReadingKey{
				Source: observation.ReceiptRules, Subject: "123456789012/us-east-1/main/reply", Metric: metric,
			},
			Start: start, End: start.Add(5 * time.Minute), Value: value,
		}
	}
	put := func(b collectors.Batch) {
		t.Helper()
		b.Source = "receipt_rules/us-east-1"
		if err := h.intake.Put(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want growth) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
		clear(got)
	}
	live := collectors.Batch{Since: since, Readings: []observation.Reading{
		reading("received", since.Add(-5*time.Minute), new(100.0)),
		reading("received", since, new(3.0)), reading("received", since.Add(5*time.Minute), new(4.0)),
		reading("publish_failure", since, new(0.0)), reading("publish_success", since, nil),
	}}
	put(live)
	want("new readings, one of them of the past", growth{"received": 7})
	put(live)
	want("the same again", growth{})
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	h.open(t, observed)
	put(live)
	want("the same after a restart", growth{})

	live.Readings[0].Value, live.Readings[1].Value, live.Readings[2].Value = new(200.0), new(5.0), new(1.0)
	live.Readings[3].Value, live.Readings[4].Value = new(6.0), new(2.0)
	put(live)
	want("revised ones", growth{"received": 2, "publish_failure": 6, "publish_success": 2})

	live.Readings[1].Value, live.Readings[2].Value = new(3.0), new(4.0)
	put(live)
	want("what was taken back, and what comes back after it shrank", growth{})
	live.Readings[1].Value, live.Readings[2].Value = new(6.0), new(5.0)
	put(live)
	want("more than ever", growth{"received": 2})

	if _, err := h.intake.Replay(t.Context(), collectors.Batch{Readings: []observation.Reading{reading("received", h.now, new(9.0))}}); err != nil {
		t.Fatal(err)
	}
	want("a replay", growth{})
	put(collectors.Batch{Readings: []observation.Reading{reading("spam_rate", h.now, new(0.25))}})
	want("a source without a beginning", growth{"spam_rate": 0.25})
}
