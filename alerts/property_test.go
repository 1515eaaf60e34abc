package alerts

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/signal"
)

// anything makes figures of all states, good and bad.
func anything(random *rand.Rand, campaign string) Sample {
	n := []int64{10, 500, 1000, 1000, 5000, 20_000}[random.IntN(6)]
	k := min(n, int64(float64(n)*[]float64{0, 0.01, 0.045, 0.05, 0.06, 0.08, 0.12, 0.5}[random.IntN(8)]))
	f := figure(k, n)
	if random.IntN(3) == 0 {
		f = mixed(k, n, k/2, n/2)
	}
	if random.IntN(4) == 0 {
		f.State = []signal.State{signal.Idle, signal.NoData, signal.NotReported, signal.Stale, signal.Error}[random.IntN(5)]
	}
	return ofFigure(signal.HardBounceRate, campaign, f)
}

// TestProperties runs random stories. world.check holds that each episode has one trigger and that nothing else comes without
// one; here it is held that a trigger needs a crossing, that every alert ends once its source goes idle, stale or away, and
// that a restart or a lost write changes nothing.
func TestProperties(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			rule := bounceRule()
			rule.For = time.Duration(random.IntN(3)) * 7 * time.Minute
			if random.IntN(2) == 0 {
				rule.KeepFiringFor = new(time.Duration(random.IntN(60)) * time.Minute)
			}
			d := newDesk(t, to("oncall"), nil, rule)
			names := []string{"a", "b", "c"}
			for range 150 {
				d.now = d.now.Add(time.Duration(random.IntN(1200)-60) * time.Second)
				var samples []Sample
				for _, n := range names {
					if random.IntN(5) > 0 {
						samples = append(samples, anything(random, n))
					}
				}
				holdCrossings(t, d, samples)
				// A round whose result was lost is made again, and comes to the same.
				lost := d.rules.Evaluate(d.state, Input{Now: d.now, Samples: pointers(samples)})
				before := d.state
				d.step(samples...)
				again := d.rules.Evaluate(before, Input{Now: d.now, Samples: pointers(samples)})
				if diff := cmp.Diff(lost.Transitions, again.Transitions); diff != "" {
					t.Fatalf("another round from the same:\n%s", diff)
				}
				if random.IntN(10) == 0 {
					d.restart()
				}
			}
			d.end(random)
		})
	}
}

// holdCrossings holds that what a round raises was beyond its line for sure.
func holdCrossings(t *testing.T, d *desk, samples []Sample) {
	t.Helper()
	figures := make(map[string]*signal.Figure)
	for _, s := range samples {
		figures[s.Subject.Campaign] = s.Figure
	}
	r := d.rules.Evaluate(d.state, Input{Now: d.now, Samples: pointers(samples)})
	for _, tr := range r.Transitions {
		if tr.Kind != Triggered && tr.Kind != Escalated && tr.Kind != Pended {
			continue
		}
		line, z := 0.05, signal.Z99
		if tr.Alert.Severity == Critical {
			line, z = 0.10, signal.Z999
		}
		f := figures[tr.Alert.Subject.Campaign]
		if f == nil {
			t.Fatalf("%s without a figure", tr.Kind)
		}
		if low, _ := signal.Wilson(f.Numerator, f.Denominator, z); low < line || f.Denominator < 1000 || f.Numerator < 10 {
			t.Errorf("%s %s at %d of %d, %s", tr.Kind, tr.Alert.Severity, f.Numerator, f.Denominator, f.State)
		}
	}
}

// end lets the source go away in one of the ways, and holds that everything ends and is told.
func (d *desk) end(random *rand.Rand) {
	d.t.Helper()
	state := []signal.State{signal.Idle, signal.Stale, signal.Error, signal.NoData, signal.NotReported}[random.IntN(5)]
	vanish := random.IntN(3) == 0
	d.absent = func(Series) signal.State { return state }
	for range 6 * 75 {
		d.now = d.now.Add(10 * time.Minute)
		var samples []Sample
		if !vanish {
			for _, n := range []string{"a", "b", "c"} {
				samples = append(samples, ofFigure(signal.HardBounceRate, n, signal.Figure{State: state}))
			}
		}
		d.step(samples...)
	}
	if all := d.state.Alerts(); len(all) > 0 || len(d.groups.All()) > 0 {
		d.t.Errorf("after 75 hours of %s (vanished: %t): %d alerts and %d groups", state, vanish, len(all), len(d.groups.All()))
	}
	for key, open := range d.open {
		if open {
			d.t.Errorf("%s was never closed", key)
		}
	}
}

// TestImmutable holds that evaluating and going on leave the state before as it was.
func TestImmutable(t *testing.T) {
	w := newWorld(t, bounceRule())
	bad := bounces(figure(80, 1000))
	w.round(bad)
	before := w.state
	a := before.Alerts()[0]
	copied := *a
	w.now = w.now.Add(time.Minute)
	w.round(bounces(figure(300, 1000)))
	if diff := cmp.Diff(copied, *before.Alerts()[0]); diff != "" || before.Alerts()[0] != a || w.state.Alerts()[0] == a {
		t.Errorf("the state before has changed:\n%s", diff)
	}
}

func TestStoredForms(t *testing.T) {
	w := newWorld(t, bounceRule(), spamRule())
	owned := labelled(bounces(figure(80, 1000)), field1("owner", "crm"), field1("domain", "a.example"))
	for _, tr := range w.round(owned, w.spam(1, 0.02)).Transitions {
		data, err := tr.Alert.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeAlert(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tr.Alert, back); diff != "" {
			t.Errorf("%s\n%s", data, diff)
		}
	}
	for data, want := range map[string]string{
		``:                        "read a stored alert: unexpected end of JSON input",
		`{}`:                      "read a stored alert: it has no format or no value",
		`{"format":1}`:            "read a stored alert: it has no rule or no version",
		`{"format":7,"value":{}}`: "read a stored alert of format 7: written by a newer version",
		`{"format":1,"value":{"rule":"x","version":1,"signal":"y"}}`: `read a stored alert: "y" is not a signal`,
	} {
		if _, err := DecodeAlert([]byte(data)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
	if _, err := DecodeGroup([]byte(`{"format":1,"value":{}}`)); err == nil {
		t.Error("a group without a key")
	}
}

func TestExplain(t *testing.T) {
	rule := bounceRule()
	rule.For = 10 * time.Minute
	w := newWorld(t, rule)
	bad := bounces(figure(80, 1000))
	w.round(bad)
	w.now = w.now.Add(4 * time.Minute)
	x, ok := w.rules.Explain("Bounces", w.state, &bad, w.now)
	if !ok || x.Phase != "pending" || !x.Selected || len(x.Lines) != 2 {
		t.Fatalf("%+v", x)
	}
	warning, critical := x.Lines[0], x.Lines[1]
	if warning.Verdict != "crossed" || warning.FiresIn == nil || *warning.FiresIn != 6*time.Minute || warning.Needed != nil {
		t.Errorf("warning: %+v", warning)
	}
	if critical.Verdict != "clear" || critical.FiresIn != nil || critical.Needed == nil {
		t.Fatalf("critical: %+v", critical)
	}
	// So many more, and no fewer, cross the line.
	for more, want := range map[int64]verdict{*critical.Needed: crossed, *critical.Needed - 1: near} {
		f := figure(80+more, 1000)
		if got := w.rules.list[0].levels[1].judgeRate(&f).verdict; got != want {
			t.Errorf("%d more: %s, want %s", more, verdictNames[got], verdictNames[want])
		}
	}
	if _, ok := w.rules.Explain("Nothing", w.state, &bad, w.now); ok {
		t.Error("explains a rule that is not there")
	}
	w.now = w.now.Add(10 * time.Minute)
	w.round(bad)
	x, _ = w.rules.Explain("Bounces", w.state, &bad, w.now)
	if on := x.Lines[0]; on.EndsAfter == nil || *on.EndsAfter != settle || on.Relief == nil || x.Lines[1].EndsAfter != nil {
		t.Fatalf("while it fires: %+v", on)
	}
	// So much more good mail, and no less, brings it back.
	for more, want := range map[int64]verdict{*x.Lines[0].Relief: clear, *x.Lines[0].Relief - 1: near} {
		f := figure(80, 1000+more)
		if got := w.rules.list[0].levels[0].judgeRate(&f).verdict; got != want {
			t.Errorf("%d more good mails: %s, want %s", more, verdictNames[got], verdictNames[want])
		}
	}
	good := bounces(figure(10, 1000))
	x, _ = w.rules.Explain("Bounces", w.state, &good, w.now)
	if x.Phase != "firing" || x.Lines[0].EndsIn == nil || *x.Lines[0].EndsIn != settle {
		t.Errorf("firing: %+v", x.Lines[0])
	}
}
