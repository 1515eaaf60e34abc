package alerts

import (
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
)

func spamRule() Rule {
	return Rule{
		Name: "Spam", Signal: GmailSpamRate, By: ByDomain,
		Warning: above(0.001).days(Of{2, 3}, 1000), Critical: above(0.003).days(Of{1, 1}, 1000),
	}
}

// spam is the readings of a domain: the newest day's age in days, and the values from it back. A negative one stands for a
// day that arrived without the figure.
func (w *world) spam(age int, values ...float64) Sample {
	s := reading(GmailSpamRate, Subject{Domain: "example.com"}, 9000, values...)
	s.Today = campaign.DayOf(w.now, time.UTC)
	for i := range s.Days {
		s.Days[i].Day = s.Today - campaign.Day(age+i)
	}
	return s
}

func (w *world) days(n int) { w.now = w.now.AddDate(0, 0, n) }

func TestTwoOfThree(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.002, 0.0005, 0.0005)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0005, 0.002, 0.0005)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.002, 0.0005, 0.002)), "triggered warning")
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0005, 0.002, 0.0005, 0.002)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0005, 0.0005, 0.002)), "resolved cleared")
}

func TestCriticalDay(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.003)), "triggered critical")
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0029, 0.003))) // warns as well now, and one day below ends nothing
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0031, 0.0029, 0.003)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0015, 0.0031, 0.0029)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.0015, 0.0015, 0.0031)), "deescalated warning")
}

// Days that arrive together are judged one after the other, as if each had come alone, and people are told of the bad one.
func TestDaysThatArriveTogether(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(2, 0.0005, 0.0005)))
	w.days(2)
	r := w.round(w.spam(2, 0.0004, 0.005, 0.0005, 0.0005))
	w.expect(r, "triggered critical")
	for _, tr := range r.Transitions {
		if e := tr.Alert.Evidence; e.Value != 0.005 || e.Day != Date(campaign.DayOf(w.now, time.UTC)-3) || e.Line != 0.003 || !e.AsOf.Equal(noon.AddDate(0, 0, -2)) {
			t.Errorf("people are told of %v on %s, line %v, as of %s", e.Value, e.Day, e.Line, e.AsOf)
		}
	}
	w.expect(w.round(w.spam(2, 0.0004, 0.005, 0.0005, 0.0005)))
	w.days(1)
	w.expect(w.round(w.spam(2, 0.0004, 0.0004, 0.005, 0.0005)), "resolved cleared")

	w.days(3) // a bad day between good ones is over before anybody could have been told
	w.expect(w.round(w.spam(1, 0.0004, 0.0004, 0.005, 0.0004)))

	// What was there before the domain was known raises nothing, nor does what is too old or was back-filled.
	w = newWorld(t, spamRule())
	w.expect(w.round(w.spam(2, 0.0004, 0.005, 0.0005)))
	w.days(5)
	w.expect(w.round(w.spam(2, 0.0004, 0.0004, 0.0004, 0.005, 0.0005)))
	w.days(2)
	late := w.spam(2, 0.0004, 0.005, 0.0004)
	late.Days[1].Late = true
	w.expect(w.round(late))
}

// A day that arrives after a newer one is judged, too, and once; what is only revised, late or old still raises nothing.
func TestDayThatArrivesAfterANewerOne(t *testing.T) {
	const bad, good = 0.005, 0.0004
	arrives := func(t *testing.T, w *world, after int, change func(*Day)) Round {
		t.Helper()
		s := w.spam(1, good, bad, good, good)
		change(&s.Days[1])
		without := s
		without.Days = slices.Delete(slices.Clone(s.Days), 1, 2)
		w.expect(w.round(without))
		w.expect(w.round(without))
		w.days(after)
		s.Today += campaign.Day(after)
		first := w.round(s)
		w.expect(w.round(s))
		return first
	}
	w := newWorld(t, spamRule())
	r := arrives(t, w, 1, func(*Day) {})
	w.expect(r, "triggered critical")
	for _, tr := range r.Transitions {
		if e := tr.Alert.Evidence; e.Value != bad || e.Day != Date(campaign.DayOf(w.now, time.UTC)-3) {
			t.Errorf("people are told of %v on %s", e.Value, e.Day)
		}
	}
	for name, c := range map[string]struct {
		after  int
		change func(*Day)
	}{
		"good":             {1, func(d *Day) { d.Value = good }},
		"back-filled":      {1, func(d *Day) { d.Late = true }},
		"without a figure": {1, func(d *Day) { d.Reported = false }},
		"little mail":      {1, func(d *Day) { d.Deliveries = 10 }},
		"old":              {3, func(*Day) {}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, spamRule())
			w.expect(arrives(t, w, c.after, c.change))
		})
	}
	// Two bad days in three, of which the one between comes last.
	w = newWorld(t, spamRule())
	s := w.spam(1, 0.0005, 0.002, 0.002, good)
	without := s
	without.Days = slices.Delete(slices.Clone(s.Days), 1, 2)
	w.expect(w.round(without))
	w.expect(w.round(s), "triggered warning")
	w.expect(w.round(s))
}

// A rate that stays bad while less is sent is not back to normal.
func TestDailyLittleMail(t *testing.T) {
	w := newWorld(t, spamRule())
	began := w.now
	w.expect(w.round(w.spam(1, 0.02)), "triggered critical")
	for n := 1; ; n++ {
		w.now = began.Add(time.Duration(n) * 10 * time.Minute)
		values := make([]float64, int(campaign.DayOf(w.now, time.UTC)-campaign.DayOf(began, time.UTC))+1)
		for i := range values {
			values[i] = 0.02
		}
		s := w.spam(1, values...)
		for i := range s.Days[:len(values)-1] {
			s.Days[i].Deliveries = 500
		}
		if got := kinds(w.round(s)); len(got) > 0 {
			if took := w.now.Sub(began); got[0] != "resolved insufficient" || took < 4*24*time.Hour || took > 6*24*time.Hour {
				t.Errorf("%q after %s", got, took)
			}
			return
		}
		if n > 6*24*10 {
			t.Fatal("still firing after ten days")
		}
	}
}

// A day is judged once: what is revised or comes again on the same day raises nothing.
func TestJudgedOnce(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.0005, 0.0005)))
	w.expect(w.round(w.spam(1, 0.02, 0.02)))
	w.restart()
	w.now = w.now.Add(time.Hour)
	w.expect(w.round(w.spam(1, 0.02, 0.02)))
	w.days(1)
	w.expect(w.round(w.spam(1, 0.02, 0.02, 0.02)), "triggered critical")
}

func TestNeverTriggers(t *testing.T) {
	for name, change := range map[string]func(*Sample){
		"late":        func(s *Sample) { s.Days[0].Late = true },
		"little mail": func(s *Sample) { s.Days[0].Deliveries = 10 },
		"stale":       func(s *Sample) { s.State = signal.Stale },
		"old":         func(s *Sample) { s.Today += 5 },
		"silent":      func(s *Sample) { s.Days[0].Reported = false },
		"none":        func(s *Sample) { s.Days = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, spamRule())
			s := w.spam(1, 0.02, 0.02, 0.02)
			change(&s)
			w.expect(w.round(s))
			w.now = w.now.Add(time.Hour)
			w.expect(w.round(s))
		})
	}
}

// Days long past do not count, however few were reported since.
func TestLookBack(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.002, -1, -1, -1, -1, -1, -1, 0.002)))
	w = newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.002, -1, -1, -1, -1, -1, 0.002)), "triggered warning")
}

func TestDailyExpires(t *testing.T) {
	fire := func() *world {
		w := newWorld(t, spamRule())
		w.expect(w.round(w.spam(1, 0.01)), "triggered critical")
		return w
	}
	t.Run("three days without the figure", func(*testing.T) {
		w := fire()
		w.days(1)
		w.expect(w.round(w.spam(1, -1, 0.01)))
		w.days(1)
		w.expect(w.round(w.spam(1, -1, -1, 0.01)))
		w.days(1)
		w.expect(w.round(w.spam(1, -1, -1, -1, 0.01)), "resolved expired")
		w.days(1)
		w.expect(w.round(w.spam(1, 0.01, -1, -1, -1, 0.01)), "triggered critical")
	})
	ended := func(t *testing.T, sample func(*world) []Sample, want Reason, after time.Duration) {
		w := fire()
		began := w.now
		for range 7 * 24 * 6 {
			w.now = w.now.Add(10 * time.Minute)
			for _, tr := range w.round(sample(w)...).Transitions {
				if tr.Kind == Resolved {
					if took := w.now.Sub(began); tr.Reason != want || took < after || took > after+25*time.Hour {
						t.Errorf("%s after %s, want %s after %s", tr.Reason, took, want, after)
					}
					return
				}
			}
		}
		t.Error("still firing after a week")
	}
	t.Run("no day arrives", func(t *testing.T) {
		first := fire().spam(1, 0.01).Days[0].Day
		ended(t, func(w *world) []Sample {
			return []Sample{w.spam(int(campaign.DayOf(w.now, time.UTC)-first), 0.01)}
		}, WentStale, 72*time.Hour+4*24*time.Hour-24*time.Hour)
	})
	t.Run("the source fails", func(t *testing.T) {
		ended(t, func(w *world) []Sample {
			s := w.spam(1, 0.01)
			s.State = signal.Stale
			return []Sample{s}
		}, WentStale, 72*time.Hour)
	})
	t.Run("the domain vanishes", func(t *testing.T) {
		ended(t, func(*world) []Sample { return nil }, Expired, 72*time.Hour)
	})
}

// A recovered source leaves no clock running.
func TestFrozenClockStops(t *testing.T) {
	w := newWorld(t, spamRule())
	w.expect(w.round(w.spam(1, 0.01)), "triggered critical")
	for n := range 24 * 6 * 6 {
		w.now = w.now.Add(10 * time.Minute)
		s := w.spam(1, 0.01)
		s.Days[0].Day = gmailDay - 1
		s.Today = gmailDay // no new day
		if n%2 == 0 {
			s.State = signal.Stale
		}
		w.expect(w.round(s))
	}
}

func TestJudgedDaysAreForgotten(t *testing.T) {
	w := newWorld(t, spamRule())
	w.round(w.spam(1, 0.0001))
	if w.state.Len() != 1 || len(w.state.Alerts()) != 0 {
		t.Errorf("%d remembered, %d alerts", w.state.Len(), len(w.state.Alerts()))
	}
	w.days(1)
	if r := w.round(); len(r.Transitions) != 1 || !r.Transitions[0].Alert.Gone() || w.state.Len() != 0 {
		t.Errorf("%d remembered after the domain went", w.state.Len())
	}
}
