package intake_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/observation"
)

// TestFloodsNameTheTag holds that names without a place are counted once a day, by what they came from.
func TestFloodsNameTheTag(t *testing.T) {
	h := newHarness(t, func(o *intake.Options) {
		o.Bounds = intake.Bounds{Campaigns: 10}
		o.Settings.Identity = campaign.Spec{Identify: []campaign.Rule{{Tag: "campaign"}, {Header: "X-Job"}}}
	})
	want := func(tag, header int64) {
		t.Helper()
		if diff := cmp.Diff([]intake.Flood{{From: "header X-Job", Names: header}, {From: "tag campaign", Names: tag}}, h.intake.Floods()); diff != "" {
			t.Error(diff)
		}
	}
	want(0, 0)
	flood := func(n int) {
		t.Helper()
		var events []observation.Event
		for i := range n {
			e := mail(observation.EventSend, fmt.Sprintf("c%d", i), fmt.Sprintf("p%d@example.com", i))
			e.MessageID += fmt.Sprint(i, h.now.Unix())
			e.SentAt, e.At = h.now, h.now
			events = append(events, e)
		}
		h.put(t, events...)
	}
	flood(10)
	want(0, 0)
	flood(15)
	want(5, 0)
	flood(15) // the same names
	want(5, 0)
	job := mail(observation.EventSend, "", "p@example.com")
	job.Tags, job.Headers = nil, []observation.Field{{Name: "X-Job", Value: "4711"}}
	h.put(t, job)
	want(5, 1)
	h.now = h.now.Add(24 * time.Hour) // the ten keep their places, the others are strangers anew
	flood(15)
	want(10, 1)
	if err := h.intake.Apply(t.Context(), intake.Settings{Identity: campaign.Spec{Identify: []campaign.Rule{{ConfigurationSet: "true"}}}, Classifier: defaultSettings(t).Classifier}); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, f := range h.intake.Floods() {
		got[f.From] = f.Names
	}
	if diff := cmp.Diff(map[string]int64{"configuration set": 0, "tag campaign": 10, "header X-Job": 1}, got); diff != "" {
		t.Error(diff)
	}
}
