package alerts

import (
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// noon is a Monday.
var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// world runs rounds of one set of rules and holds what every sequence of rounds must hold.
type world struct {
	t      testing.TB
	rules  *Rules
	state  *State
	now    time.Time
	absent func(Series) signal.State
	// fired says for each alert whether an episode is under way.
	fired map[string]bool
}

func compile(t testing.TB, rules ...Rule) *Rules {
	t.Helper()
	c, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t testing.TB, rules ...Rule) *world {
	t.Helper()
	return &world{t: t, rules: compile(t, rules...), state: &State{}, now: noon, fired: make(map[string]bool)}
}

func pointers(samples []Sample) func(yield func(*Sample) bool) {
	return func(yield func(*Sample) bool) {
		for i := range samples {
			if !yield(&samples[i]) {
				return
			}
		}
	}
}

// round evaluates samples and goes on from what was stored.
func (w *world) round(samples ...Sample) Round {
	w.t.Helper()
	r := w.rules.Evaluate(w.state, Input{Now: w.now, Samples: pointers(samples), Absent: w.absent})
	w.check(r)
	w.state = w.state.With(r)
	return r
}

// check holds that transitions follow one another as they must.
func (w *world) check(r Round) {
	w.t.Helper()
	for _, t := range r.Transitions {
		id := t.Alert.ID()
		if held := w.state.byRule[t.Alert.Rule][t.Alert.Subject]; held != nil && t.From != held.Version && t.From != 0 {
			w.t.Errorf("%s: made of version %d, remembered is %d", t.Kind, t.From, held.Version)
		}
		if t.Alert.Version != t.From+1 {
			w.t.Errorf("%s: version %d follows %d", t.Kind, t.Alert.Version, t.From)
		}
		switch t.Kind {
		case Triggered:
			if w.fired[id] {
				w.t.Errorf("%s triggered twice in one episode", t.Alert.Rule)
			}
			w.fired[id] = true
		case Escalated, Deescalated:
			if !w.fired[id] {
				w.t.Errorf("%s %s without a trigger", t.Alert.Rule, t.Kind)
			}
		case Resolved:
			if !w.fired[id] {
				w.t.Errorf("%s resolved without a trigger", t.Alert.Rule)
			}
			if t.Reason == "" || t.Reason.Words() == "" {
				w.t.Errorf("%s resolved without a reason", t.Alert.Rule)
			}
			w.fired[id] = false
		}
	}
}

// restart goes on from what a ledger would have kept.
func (w *world) restart() {
	w.t.Helper()
	var kept []Alert
	for _, of := range w.state.byRule {
		for _, a := range of {
			data, err := a.Encode()
			if err != nil {
				w.t.Fatal(err)
			}
			back, err := DecodeAlert(data)
			if err != nil {
				w.t.Fatal(err)
			}
			kept = append(kept, back)
		}
	}
	w.state = NewState(kept)
}

// kinds says what a round did, with the severities and reasons.
func kinds(r Round) (all []string) {
	for _, t := range r.Transitions {
		text := string(t.Kind)
		switch t.Kind {
		case Noted:
			continue
		case Triggered, Escalated, Deescalated:
			text += " " + t.Alert.Severity.String()
		case Resolved:
			text += " " + string(t.Reason)
		}
		all = append(all, text)
	}
	return all
}

func (w *world) expect(r Round, want ...string) {
	w.t.Helper()
	if got := kinds(r); !slices.Equal(got, want) {
		w.t.Fatalf("at %s: %q, want %q", w.now.Sub(noon), got, want)
	}
}

// figure is one of k out of n of which no mail is young.
func figure(k, n int64) signal.Figure {
	return mixed(k, n, k, n)
}

// mixed is one of k out of n of which oldK out of oldN is old enough.
func mixed(k, n, oldK, oldN int64) signal.Figure {
	f := signal.Figure{Part: part(k, n), Mature: part(oldK, oldN), State: signal.OK}
	switch {
	case n < signal.Floor:
		f.State = signal.Insufficient
	case !f.Matured():
		f.State = signal.Immature
	}
	return f
}

func part(k, n int64) signal.Part {
	p := signal.Part{Numerator: k, Denominator: n}
	if n > 0 {
		p.Known, p.Value = true, float64(k)/float64(n)
		p.Low, p.High = signal.Wilson(k, n, signal.Z99)
	}
	return p
}

func ofFigure(s signal.Signal, campaign string, f signal.Figure) Sample {
	return Sample{
		Series:  Series{Signal: RateOf(s), By: ByCampaign, Window: signal.Day},
		Subject: Subject{Campaign: campaign}, Figure: &f, AsOf: noon,
	}
}

// bounces is a sample of hard bounces of the campaign c over a day.
func bounces(f signal.Figure) Sample { return ofFigure(signal.HardBounceRate, "c", f) }

func inState(s signal.State) Sample { return bounces(signal.Figure{State: s}) }

func labelled(s Sample, labels ...observation.Field) Sample {
	s.Labels = func() []observation.Field { return labels }
	return s
}

// bounceRule has lines at 5 % and 10 % over a day.
func bounceRule() Rule {
	return Rule{
		Name: "Bounces", Signal: RateOf(signal.HardBounceRate), By: ByCampaign, Warning: above(0.05), Critical: above(0.10),
	}
}

func field1(name, value string) observation.Field { return observation.Field{Name: name, Value: value} }
