package signal

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sentAndBounced(sent, bounced int64) Counts {
	return mail(full, map[observation.Outcome]int64{observation.Sent: sent, observation.HardBounced: bounced})
}

func TestStates(t *testing.T) {
	gmailOnly := Counts{}
	gmailOnly.Add(Row{Provider: "gmail", Outcome: observation.Delivered, Coverage: full, N: 5000})
	for _, c := range []struct {
		name        string
		signal      Signal
		all, recent Counts
		stale       bool
		want        State
	}{
		{"final", HardBounceRate, sentAndBounced(5000, 10), Counts{}, false, OK},
		{"at the floor", HardBounceRate, sentAndBounced(1000, 1), Counts{}, false, OK},
		{"under the floor", HardBounceRate, sentAndBounced(999, 1), Counts{}, false, Insufficient},
		{"1 % young", HardBounceRate, sentAndBounced(5000, 10), sentAndBounced(50, 0), false, OK},
		{"more than 1 % young", HardBounceRate, sentAndBounced(5000, 10), sentAndBounced(51, 0), false, Immature},
		{"all young", HardBounceRate, sentAndBounced(5000, 10), sentAndBounced(5000, 10), false, Immature},
		{"few and young", HardBounceRate, sentAndBounced(50, 1), sentAndBounced(50, 1), false, Insufficient},
		{"no mail", HardBounceRate, Counts{}, Counts{}, false, Idle},
		{"no mail seen", HardBounceRate, Counts{}, Counts{}, true, Stale},
		{"old news", HardBounceRate, sentAndBounced(5000, 10), Counts{}, true, Stale},
		{"uncovered", HardBounceRate, mail(bad, lively), Counts{}, false, NoData},
		{"uncovered and stale", HardBounceRate, mail(bad, lively), Counts{}, true, NoData},
		{"bounced more than sent", HardBounceRate, sentAndBounced(5000, 5001), Counts{}, false, Error},
		{"bounced, never sent", HardBounceRate, sentAndBounced(0, 1), Counts{}, true, Error},
		{"more suppressed than sent", DelayRate, mail(full, map[observation.Outcome]int64{
			observation.Sent: 1, observation.Suppressed: 2}), Counts{}, false, Error},
		{"all suppressed", HardBounceRate, mail(full, map[observation.Outcome]int64{
			observation.Sent: 5000, observation.Suppressed: 5000}), Counts{}, false, Insufficient},
		{"nobody reports", ComplaintRate, gmailOnly, Counts{}, false, NotReported},
		{"nothing delivered", ComplaintRate, sentAndBounced(5000, 10), Counts{}, false, Insufficient},
		{"no Subscription events", UnsubscribeRate, mail(noSend, lively), Counts{}, false, NoData},
		{"no Send events", SuppressedRate, mail(noSend, lively), Counts{}, false, NoData},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.all.Figure(c.signal, &c.recent, c.stale)
			if f.State != c.want {
				t.Errorf("state is %v, want %v: %+v", f.State, c.want, f)
			}
			if f.State == Error && f.Known {
				t.Errorf("an erroneous figure has the value %v", f.Value)
			}
		})
	}
}

func TestFigureProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		var all, recent Counts
		for range 1 + random.IntN(12) {
			r := Row{
				Provider:  "yahoo",
				Outcome:   observation.Outcomes()[random.IntN(observation.OutcomeCount-1)],
				Reporting: random.IntN(2) == 0,
				Blocked:   random.IntN(2) == 0,
				Coverage:  Coverage(random.IntN(int(coverageEnd))),
				N:         random.Int64N(3000),
			}
			all.Add(r)
			if random.IntN(3) == 0 {
				recent.Add(r)
			}
		}
		for _, s := range Signals() {
			f := all.Figure(s, &recent, false)
			checkFigure(t, s, &f)
		}
	}
}

func checkFigure(t *testing.T, s Signal, f *Figure) {
	t.Helper()
	for _, p := range []Part{f.Part, f.Mature} {
		if p.Known && !(0 <= p.Low && p.Low <= p.Value && p.Value <= p.High && p.High <= 1) {
			t.Fatalf("%v: %v is not within %v and %v, within 0 and 1", s, p.Value, p.Low, p.High)
		}
		if !p.Known && (p.Value != 0 || p.Low != 0 || p.High != 0) {
			t.Fatalf("%v: an unknown part has a value: %+v", s, p)
		}
	}
	if f.Known && (f.State == NoData || f.State == Error || f.State == Idle || f.State == NotReported) {
		t.Fatalf("%v: state %v has a value", s, f.State)
	}
	if !f.Known && (f.State == OK || f.State == Immature) {
		t.Fatalf("%v: state %v has no value", s, f.State)
	}
	if f.Measured && (f.MeasuredShare < 0 || f.MeasuredShare > 1) {
		t.Fatalf("%v: the measured share is %v", s, f.MeasuredShare)
	}
}

func TestCompare(t *testing.T) {
	figure := func(sent, bounced int64, recent Counts) Figure {
		c := sentAndBounced(sent, bounced)
		return c.Figure(HardBounceRate, &recent, false)
	}
	before := figure(10_000, 100, Counts{})
	for _, c := range []struct {
		name string
		now  Figure
		want Verdict
	}{
		{"much more", figure(10_000, 300, Counts{}), Higher},
		{"much less", figure(10_000, 10, Counts{}), Lower},
		{"by chance", figure(10_000, 110, Counts{}), Unclear},
		{"only the old part counts", figure(20_000, 1100, sentAndBounced(10_000, 1000)), Unclear},
		{"too few", figure(999, 900, Counts{}), ""},
		{"too young", figure(10_000, 900, sentAndBounced(10_000, 900)), ""},
	} {
		if got, _ := Compare(&c.now, &before); got.Verdict != c.want {
			t.Errorf("%s: verdict is %q, want %q", c.name, got.Verdict, c.want)
		}
	}
}

func TestFigureJSON(t *testing.T) {
	whole := mail(full, lively)
	whole.Add(Row{Provider: "gmail", Outcome: observation.Delivered, Coverage: full, N: 100})
	recent := mail(full, map[observation.Outcome]int64{observation.Sent: 100, observation.Delivered: 90})
	settled, uncovered, broken := mail(noSend, lively), mail(bad, lively), sentAndBounced(2, 3)
	figures := map[string]Figure{
		"complaints": whole.Figure(ComplaintRate, &recent, false),
		"bounces":    whole.Figure(HardBounceRate, &recent, false),
		"zero":       whole.Figure(BlockRate, &Counts{}, false),
		"settled":    settled.Figure(HardBounceRate, &Counts{}, false),
		"stale":      settled.Figure(HardBounceRate, &Counts{}, true),
		"no_data":    uncovered.Figure(HardBounceRate, &Counts{}, false),
		"idle":       (&Counts{}).Figure(HardBounceRate, &Counts{}, false),
		"error":      broken.Figure(HardBounceRate, &Counts{}, false),
	}
	got, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := filepath.Join("testdata", "figures.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	for _, s := range Signals() {
		if got, ok := Parse(s.String()); !ok || got != s {
			t.Errorf("Parse(%q) = %v, %v", s, got, ok)
		}
		d := s.Definition()
		if d.Signal != s || d.Description == "" || d.Document == "" || d.Numerator == "" || d.Maturity < time.Hour {
			t.Errorf("the definition of %v is not whole: %+v", s, d)
		}
	}
	for _, w := range append(Windows(), Life) {
		if got, ok := ParseWindow(w.String()); !ok || got != w {
			t.Errorf("ParseWindow(%q) = %v, %v", w, got, ok)
		}
	}
	if _, ok := Parse("open_rate"); ok {
		t.Error("open_rate is a signal")
	}
	for s := range stateEnd {
		var back State
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%v is read as %v: %v", s, back, err)
		}
	}
	if new(State).UnmarshalText([]byte("unknown")) == nil {
		t.Error("any text is a state")
	}
	if Signal(200).String() != "unknown" || Window(200).String() != "unknown" || State(200).String() != "unknown" {
		t.Error("a number without a name has one")
	}
}
