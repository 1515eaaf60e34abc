package signal

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

var (
	full = CoverageOf(observation.EventSend, observation.EventDelivery, observation.EventBounce,
		observation.EventSubscription)
	noSend   = CoverageOf(observation.EventDelivery, observation.EventBounce)
	onlySend = CoverageOf(observation.EventSend)
	bad      = CoverageOf(observation.EventBounce, observation.EventComplaint)
)

// mail is some mail of one origin at one reporting provider.
func mail(coverage Coverage, of map[observation.Outcome]int64) Counts {
	var c Counts
	addMail(&c, coverage, of)
	return c
}

func addMail(c *Counts, coverage Coverage, of map[observation.Outcome]int64) {
	for outcome, n := range of {
		c.Add(Row{Provider: "yahoo", Outcome: outcome, Reporting: true, Coverage: coverage, N: n})
	}
}

type fraction struct{ Numerator, Denominator int64 }

func fractions(c Counts) map[string]fraction {
	all := map[string]fraction{}
	for _, s := range Signals() {
		if _, covered := c.seen(s); covered {
			all[s.String()] = fraction{c.numerator[s], c.denominator(s)}
		}
	}
	return all
}

var lively = map[observation.Outcome]int64{
	observation.Sent: 1000, observation.Suppressed: 50, observation.Rejected: 20, observation.RenderingFailed: 30,
	observation.Delivered: 800, observation.HardBounced: 40, observation.SoftBounced: 15,
	observation.UndeterminedBounced: 5, observation.AutoreplySuspected: 7, observation.Delayed: 60,
	observation.Complained: 3, observation.NotSpam: 2, observation.Unsubscribed: 9, observation.Opened: 300,
	observation.Clicked: 80, observation.OpenedByBot: 100, observation.ClickedByBot: 90,
}

func TestFormulas(t *testing.T) {
	for _, c := range []struct {
		name     string
		coverage Coverage
		want     map[string]fraction
	}{
		{"everything published", full, map[string]fraction{
			"delivery_rate": {800, 900}, "hard_bounce_rate": {40, 900}, "soft_bounce_rate": {15, 900},
			"block_rate": {0, 900}, "delay_rate": {60, 900}, "complaint_rate": {3, 800}, "unsubscribe_rate": {9, 800},
			"suppressed_rate": {50, 1000},
		}},
		{"no Send, no Subscription", noSend, map[string]fraction{
			"delivery_rate": {800, 860}, "hard_bounce_rate": {40, 860}, "soft_bounce_rate": {15, 860},
			"block_rate": {0, 860}, "delay_rate": {60, 860}, "complaint_rate": {3, 800},
		}},
		{"only Send", onlySend, map[string]fraction{
			"hard_bounce_rate": {40, 900}, "soft_bounce_rate": {15, 900}, "block_rate": {0, 900},
			"delay_rate": {60, 900}, "suppressed_rate": {50, 1000},
		}},
		{"only Delivery", CoverageOf(observation.EventDelivery), map[string]fraction{"complaint_rate": {3, 800}}},
		{"bounces and complaints", bad, map[string]fraction{}},
		{"nothing", 0, map[string]fraction{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, fractions(mail(c.coverage, lively))); diff != "" {
				t.Errorf("rates (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMixedOrigins(t *testing.T) {
	c := mail(full, lively)
	addMail(&c, noSend, lively)
	addMail(&c, bad, lively)
	want := map[string]fraction{
		"delivery_rate": {1600, 1760}, "hard_bounce_rate": {80, 1760}, "soft_bounce_rate": {30, 1760},
		"block_rate": {0, 1760}, "delay_rate": {120, 1760}, "complaint_rate": {6, 1600}, "unsubscribe_rate": {9, 800},
		"suppressed_rate": {50, 1000},
	}
	if diff := cmp.Diff(want, fractions(c)); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
	for coverage, basis := range map[Coverage]Basis{full: BasisAttempted, noSend: BasisSettled, bad: ""} {
		one := mail(coverage, lively)
		if got := one.Figure(HardBounceRate, &Counts{}, false).Basis; got != basis {
			t.Errorf("basis under coverage %b is %q, want %q", coverage, got, basis)
		}
	}
	if got := c.Figure(HardBounceRate, &Counts{}, false).Basis; got != BasisMixed {
		t.Errorf("basis of both is %q, want %q", got, BasisMixed)
	}
}

func TestBlockRateIsByGroupAndBounces(t *testing.T) {
	var c Counts
	for outcome, n := range map[observation.Outcome]int64{
		observation.Sent: 100, observation.HardBounced: 1, observation.SoftBounced: 2, observation.UndeterminedBounced: 4,
		observation.Delayed: 8, observation.AutoreplySuspected: 16, observation.Suppressed: 32,
	} {
		c.Add(Row{Provider: "gmail", Outcome: outcome, Blocked: true, Coverage: onlySend, N: n})
	}
	if got, want := fractions(c)["block_rate"], (fraction{7, 68}); got != want {
		t.Errorf("block_rate is %v, want %v", got, want)
	}
	for group, want := range map[string]bool{
		"reputation": true, "content": true, "authentication": true, "policy": true, "recipient": false,
		"throttling": false, "infrastructure": false, "suppression": false, "other": false, "": false,
	} {
		if Blocks(group) != want {
			t.Errorf("Blocks(%q) is %v", group, !want)
		}
	}
}

func TestComplaintsOnlyWhereReported(t *testing.T) {
	var c Counts
	for _, r := range []Row{
		{Provider: "yahoo", Outcome: observation.Delivered, Reporting: true, N: 300},
		{Provider: "yahoo", Outcome: observation.Complained, Reporting: true, N: 2},
		{Provider: "gmail", Outcome: observation.Delivered, N: 700},
		{Provider: "gmail", Outcome: observation.Complained, N: 5},
	} {
		r.Coverage = full
		c.Add(r)
	}
	f := c.Figure(ComplaintRate, &Counts{}, false)
	if f.Numerator != 2 || f.Denominator != 300 || !f.Measured || f.MeasuredShare != 0.3 {
		t.Errorf("got %+v, want 2 of 300 and a measured share of 0.3", f)
	}
}

func TestSimulatorIsInNoRate(t *testing.T) {
	var c Counts
	for outcome, n := range lively {
		c.Add(Row{Provider: Simulator, Outcome: outcome, Reporting: true, Coverage: full, N: n})
	}
	if c != (Counts{}) {
		t.Errorf("got %+v, want nothing", c)
	}
}

// Running sums add and take away rows in any order; they must agree with sums made afresh.
func TestCountsAreLinear(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	row := func() Row {
		return Row{
			Provider:  []string{"gmail", "yahoo", Simulator}[random.IntN(3)],
			Outcome:   observation.Outcomes()[random.IntN(observation.OutcomeCount-1)],
			Blocked:   random.IntN(2) == 0,
			Reporting: random.IntN(2) == 0,
			Coverage:  Coverage(random.IntN(int(coverageEnd))),
			N:         random.Int64N(1000),
		}
	}
	for range 500 {
		var all, half Counts
		rows := make([]Row, 40)
		for i := range rows {
			rows[i] = row()
			all.Add(rows[i])
			if i < 20 {
				half.Add(rows[i])
			}
		}
		random.Shuffle(20, func(i, j int) { rows[20+i], rows[20+j] = rows[20+j], rows[20+i] })
		for _, r := range rows[20:] {
			r.N = -r.N
			all.Add(r)
		}
		if all != half {
			t.Fatal("taking rows away is not the same as never adding them")
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	r := Row{Provider: "yahoo", Outcome: observation.Delivered, Reporting: true, Coverage: full, N: 3}
	var c Counts
	for b.Loop() {
		c.Add(r)
	}
}

func BenchmarkFigures(b *testing.B) {
	all, recent := mail(full, lively), mail(full, map[observation.Outcome]int64{observation.Sent: 100})
	for b.Loop() {
		for s := range signalEnd {
			_ = all.Figure(s, &recent, false)
		}
	}
}
