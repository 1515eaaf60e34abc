package view

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// TestPace: mail is in the part of the week in which it was sent, and in none once it left the week.
func TestPace(t *testing.T) {
	m := full()
	spring := observation.Campaign{Name: "spring"}
	m.fold(append(mail(spring, "gmail", time.Hour, counts{
		observation.Sent: 100, observation.Delivered: 90, observation.HardBounced: 8, observation.SoftBounced: 1, observation.Opened: 40,
	}), mail(spring, signal.Simulator, time.Hour, counts{observation.Sent: 7})...)...)
	m.fold(mail(spring, "yahoo", 167*time.Hour, counts{observation.Delivered: 50, observation.Complained: 3})...)
	v := refreshed(t, m, Settings{})
	names := []campaign.Name{{Campaign: "spring"}, {Campaign: "never"}}
	want := make([]Pace, 2)
	want[0].Mail[PaceParts-2], want[0].Trouble[PaceParts-2] = 100, 9 // noon begins a part of its own
	want[0].Mail[0], want[0].Trouble[0] = 50, 3
	if diff := cmp.Diff(want, v.Paces(names)); diff != "" {
		t.Errorf("paces (-want +got):\n%s", diff)
	}
	for range 31 { // what is in the ring now would come up again after eight days
		m.asOf = m.asOf.Add(PacePart)
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	m.fold(mail(spring, "gmail", -31*PacePart, counts{observation.Sent: 5})...)
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = make([]Pace, 1)
	want[0].Mail[PaceParts-1] = 5
	if diff := cmp.Diff(want, v.Paces(names[:1])); diff != "" {
		t.Errorf("after eight days (-want +got):\n%s", diff)
	}
}

// TestTimeline: every stretch of time has its points, also those without mail.
func TestTimeline(t *testing.T) {
	m := full()
	spring := observation.Campaign{Name: "spring"}
	m.fold(mail(spring, "gmail", time.Hour, counts{observation.Sent: 100, observation.Delivered: 20, observation.HardBounced: 8})...)
	m.fold(mail(spring, "yahoo", time.Hour, counts{observation.Delivered: 50, observation.Complained: 3})...)
	m.fold(mail(spring, signal.Simulator, time.Hour, counts{observation.Sent: 7})...)
	m.fold(mail(spring, "gmail", 20*24*time.Hour, counts{observation.Sent: 60})...)
	m.fold(mail(observation.Campaign{Name: "other"}, "gmail", time.Hour, counts{observation.Sent: 11})...)
	v := refreshed(t, m, Settings{})
	for _, c := range []struct {
		over  time.Duration
		width time.Duration
		n     int
		mail  int64
	}{
		{24 * time.Hour, 30 * time.Minute, 48, 100},
		{7 * 24 * time.Hour, 3 * time.Hour, 56, 100},
		{35 * 24 * time.Hour, 24 * time.Hour, 35, 160},
		{365 * 24 * time.Hour, 24 * time.Hour, 35, 160},
	} {
		got, err := v.Timeline(t.Context(), "", "spring", c.over)
		if err != nil {
			t.Fatal(err)
		}
		var sum Recipients
		var reported, of int64
		for i, p := range got.Points {
			if want := got.Start.Add(time.Duration(i) * c.width); !p.Start.Equal(want) {
				t.Errorf("over %v: point %d begins at %v, want %v", c.over, i, p.Start, want)
			}
			for o, n := range p.Recipients {
				sum[o] += n
			}
			reported, of = reported+p.Reported, of+p.ReportedOf
		}
		if len(got.Points) != c.n || got.Width != c.width || sum[observation.Sent] != c.mail || sum[observation.HardBounced] != 8 {
			t.Errorf("over %v: %d points of %v with %d sent and %d bounced, want %d of %v with %d and 8", c.over,
				len(got.Points), got.Width, sum[observation.Sent], sum[observation.HardBounced], c.n, c.width, c.mail)
		}
		if reported != 3 || of != 50 {
			t.Errorf("over %v: %d complaints of %d delivered where they are told, want 3 of 50", c.over, reported, of)
		}
	}
}

// TestTimelineSaysWhatIsKnown: of mail before its events were published nothing is known, and of later mail what all of its
// origins publish.
func TestTimelineSaysWhatIsKnown(t *testing.T) {
	m := &memory{asOf: noon}
	silent := home
	silent.ConfigurationSet = "only-deliveries"
	began := noon.Add(-48 * time.Hour).Truncate(time.Hour)
	for _, e := range []observation.EventType{observation.EventSend, observation.EventDelivery} {
		m.publish(home, e, began)
	}
	m.publish(silent, observation.EventDelivery, began.Add(time.Hour))
	spring := observation.Campaign{Name: "spring"}
	m.fold(mail(spring, "gmail", 30*time.Hour, counts{observation.Sent: 100, observation.Delivered: 20})...)
	m.fold(mail(spring, "gmail", 3*time.Hour, counts{observation.Sent: 100, observation.Delivered: 20})...)
	rows := mail(spring, "gmail", 3*time.Hour, counts{observation.Delivered: 5})
	for i := range rows {
		rows[i].Cell.Origin = silent
	}
	m.fold(rows...)
	got, err := refreshed(t, m, Settings{}).Timeline(t.Context(), "", "spring", 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if want := began.Add(time.Hour); !got.Since.Equal(want) {
		t.Errorf("known since %v, want %v", got.Since, want)
	}
	var with []signal.Coverage
	for _, p := range got.Points {
		if p.Recipients != (Recipients{}) {
			with = append(with, p.Coverage)
		}
	}
	want := []signal.Coverage{signal.CoverageOf(observation.EventSend, observation.EventDelivery), signal.CoverageOf(observation.EventDelivery)}
	if diff := cmp.Diff(want, with); diff != "" {
		t.Errorf("coverage of the points (-want +got):\n%s", diff)
	}
	nothing, err := refreshed(t, &memory{asOf: noon}, Settings{}).Timeline(t.Context(), "", "spring", time.Hour)
	if err != nil || !nothing.Since.Equal(nothing.End) {
		t.Errorf("%v: known since %v of a ledger that ends %v", err, nothing.Since, nothing.End)
	}
}
