package alerts

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// thirtyRules watch all eight rates over all windows, by campaign and provider, each with two lines.
func thirtyRules() []Rule {
	var rules []Rule
	for i := range 30 {
		s := signal.Signal(i % signal.Count)
		w := signal.Windows()[i/signal.Count%3]
		r := Rule{Name: fmt.Sprintf("R%d", i), Signal: RateOf(s), By: ByCampaignProvider, Window: &w, Warning: above(0.05), Critical: above(0.10)}
		if s.Definition().HigherIsBetter {
			r.Warning, r.Critical = below(0.95), below(0.90)
		}
		rules = append(rules, r)
	}
	return rules
}

// crowd yields every series of so many subjects, figures made afresh as a view would.
func crowd(rules *Rules, subjects []Subject, badEvery int) func(yield func(*Sample) bool) {
	series := rules.Series()
	return func(yield func(*Sample) bool) {
		var f signal.Figure
		sample := Sample{Figure: &f, AsOf: noon}
		for i := range subjects {
			sample.Subject = subjects[i]
			var counts, young signal.Counts
			k := int64(10)
			if badEvery > 0 && i%badEvery == 0 {
				k = 400
			}
			tally(&counts, 2000, k)
			tally(&young, 200, 1)
			for _, s := range series {
				rate, _ := s.Signal.Rate()
				f = counts.Figure(rate, &young, false)
				sample.Series = s
				if !yield(&sample) {
					return
				}
			}
		}
	}
}

func tally(c *signal.Counts, n, k int64) {
	coverage := signal.CoverageOf(published()...)
	for _, row := range outcomes(n, k) {
		row.Coverage, row.Reporting, row.Provider = coverage, true, "yahoo"
		c.Add(row)
	}
}

// BenchmarkEvaluate is a round of 50,000 subjects and 30 rules, signals included: when nothing fires, and when one subject in
// a hundred does.
func BenchmarkEvaluate(b *testing.B) {
	subjects := make([]Subject, 50_000)
	for i := range subjects {
		subjects[i] = Subject{Campaign: fmt.Sprintf("campaign-%d", i/10), Provider: fmt.Sprintf("provider-%d", i%10)}
	}
	rules, err := Compile(thirtyRules())
	if err != nil {
		b.Fatal(err)
	}
	for name, badEvery := range map[string]int{"quiet": 0, "firing": 100} {
		b.Run(name, func(b *testing.B) {
			before := heap()
			state := &State{}
			now := noon
			round := func() Round {
				now = now.Add(30 * time.Second)
				r := rules.Evaluate(state, Input{Now: now, Samples: crowd(rules, subjects, badEvery)})
				state = state.With(r)
				return r
			}
			round()
			b.ReportAllocs()
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64(state.Len()), "alerts")
			b.ReportMetric((float64(heap())-float64(before))/(1<<20), "MB")
			runtime.KeepAlive(state)
		})
	}
}

// BenchmarkPlan groups and routes ten thousand firing alerts of which nothing changes.
func BenchmarkPlan(b *testing.B) {
	d := newDesk(b, to("oncall", "team"), nil, thirtyRules()...)
	var samples []Sample
	for i := range 2000 {
		for _, s := range d.rules.Series()[:5] {
			f := figure(400, 2000)
			samples = append(samples, Sample{Series: s, Subject: Subject{Campaign: fmt.Sprint(i), Provider: "p"}, Figure: &f})
		}
	}
	d.step(samples...)
	b.ReportAllocs()
	for b.Loop() {
		d.planner.Plan(d.state, d.groups, Round{At: d.now})
	}
	b.ReportMetric(float64(len(d.state.Alerts())), "alerts")
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func published() []observation.EventType { return observation.EventTypes() }

// outcomes are n mails of which k went wrong in every way.
func outcomes(n, k int64) []signal.Row {
	return []signal.Row{
		{Outcome: observation.Sent, N: n}, {Outcome: observation.Delivered, N: n - k}, {Outcome: observation.HardBounced, Blocked: true, N: k},
		{Outcome: observation.SoftBounced, N: k}, {Outcome: observation.Delayed, N: k}, {Outcome: observation.Complained, N: k / 10},
		{Outcome: observation.Unsubscribed, N: k},
	}
}
