package view

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Weeks of mail of an origin that was not known before, as a replay brings them, are judged at the next refresh.
func TestANewOriginIsJudgedAtOnce(t *testing.T) {
	m := &memory{asOf: noon}
	v := refreshed(t, m, Settings{})
	m.publish(home, observation.EventSend, noon.AddDate(0, 0, -20))
	m.fold(mail(observation.Campaign{Name: "a"}, "yahoo", 30*time.Minute, counts{
		observation.Sent: 2000, observation.HardBounced: 100,
	})...)
	m.asOf = noon.Add(time.Second)
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkSums(t, v, m, "after the fold")
	all := v.Campaigns(Query{Window: signal.Week})
	if len(all.Campaigns) != 1 {
		t.Fatalf("%d campaigns", len(all.Campaigns))
	}
	if f := all.Campaigns[0].Signals[signal.HardBounceRate]; !f.Known || f.Value != 0.05 {
		t.Errorf("the hard bounce rate is %+v", f)
	}
	// An origin that publishes nothing that a denominator needs is asked after once.
	m.publish(observation.Origin{Account: "2"}, observation.EventComplaint, noon)
	rows := mail(observation.Campaign{Name: "b"}, "yahoo", 0, counts{observation.Complained: 1})
	rows[0].Cell.Origin = observation.Origin{Account: "2"}
	m.fold(rows...)
	for range 2 {
		m.asOf = m.asOf.Add(time.Second)
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if v.sums.stranger {
		t.Error("the origin is still unknown")
	}
}
