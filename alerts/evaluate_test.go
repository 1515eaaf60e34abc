package alerts

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// at is a step of a story: what is known after so much time, and what it does.
type at struct {
	after  time.Duration
	sample *Sample // nil when there is none
	want   []string
}

func (w *world) tell(story []at) {
	w.t.Helper()
	for _, step := range story {
		w.now = noon.Add(step.after)
		var samples []Sample
		if step.sample != nil {
			samples = append(samples, *step.sample)
		}
		// A round now and then, so that clocks run.
		w.expect(w.round(samples...), step.want...)
	}
}

// every repeats a sample that changes nothing, in steps short enough for clocks to run, up to but without the end.
func every(step, from, to time.Duration, s *Sample) (story []at) {
	for t := from; t < to; t += step {
		story = append(story, at{t, s, nil})
	}
	return story
}

func TestStories(t *testing.T) {
	bad, worse, good := bounces(figure(80, 1000)), bounces(figure(200, 1000)), bounces(figure(10, 1000))
	chance := bounces(figure(55, 1000))      // 5.5 %, which may be 5 % by chance
	young := bounces(mixed(10, 1000, 0, 10)) // good, but most of the mail is young
	few := bounces(figure(50, 500))
	idle, stale, wrong := inState(signal.Idle), inState(signal.Stale), inState(signal.Error)
	const quarter = 10 * time.Minute
	hold := func(keep time.Duration) func(*Rule) { return func(r *Rule) { r.KeepFiringFor = &keep } }
	for name, c := range map[string]struct {
		change func(*Rule)
		story  [][]at
	}{
		"nothing from what is ordinary": {nil, [][]at{{{0, &good, nil}, {quarter, &chance, nil}, {2 * quarter, &few, nil}, {3 * quarter, &idle, nil}}}},
		"warning, critical, warning, end": {hold(0), [][]at{{
			{0, &bad, []string{"triggered warning"}}, {time.Minute, &bad, nil}, {2 * time.Minute, &worse, []string{"escalated critical"}},
			{3 * time.Minute, &bad, []string{"deescalated warning"}}, {4 * time.Minute, &good, []string{"resolved cleared"}},
		}}},
		"at once critical": {hold(0), [][]at{{{0, &worse, []string{"triggered critical"}}, {time.Minute, &good, []string{"resolved cleared"}}}}},
		"final figures settle for 15 minutes": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}, {time.Minute, &good, nil}, {15 * time.Minute, &good, nil}, {16 * time.Minute, &good, []string{"resolved cleared"}}},
		}},
		"a rate at its line does not flap": {hold(0), [][]at{
			{{0, &bad, []string{"triggered warning"}}, {time.Minute, &chance, nil}, {2 * time.Minute, &bad, nil}, {3 * time.Minute, &chance, nil}},
		}},
		"what may be chance begins the settling anew": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}, {time.Minute, &good, nil}, {10 * time.Minute, &chance, nil}, {20 * time.Minute, &good, nil}},
			{{30 * time.Minute, &good, nil}, {35 * time.Minute, &good, []string{"resolved cleared"}}},
		}},
		"young mail raises, and ends after the maturity": {nil, [][]at{
			{{0, new(bounces(mixed(80, 1000, 0, 10))), []string{"triggered warning"}}},
			every(quarter, quarter, 70*time.Minute, &young), {{70 * time.Minute, &young, []string{"resolved cleared"}}},
		}},
		"for": {func(r *Rule) { r.For = 20 * time.Minute }, [][]at{
			{{0, &bad, []string{"pending"}}, {quarter, &chance, nil}, {15 * time.Minute, &good, []string{"cancelled"}}},
			{{20 * time.Minute, &bad, []string{"pending"}}, {30 * time.Minute, &bad, nil}, {40 * time.Minute, &chance, nil}},
			{{41 * time.Minute, &bad, []string{"triggered warning"}}},
		}},
		"nothing unknown fires": {func(r *Rule) { r.For = 20 * time.Minute }, [][]at{
			{{0, &bad, []string{"pending"}}, {quarter, &stale, []string{"cancelled"}}, {30 * time.Minute, &stale, nil}},
		}},
		"idle expires after the window": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}}, every(quarter, quarter, 24*time.Hour+quarter, &idle),
			{{24*time.Hour + quarter, &idle, []string{"resolved expired"}}},
		}},
		"a subject that vanishes expires after the window": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}}, every(quarter, quarter, 24*time.Hour+quarter, nil),
			{{24*time.Hour + quarter, nil, []string{"resolved expired"}}},
		}},
		"stale freezes for 72 hours": {nil, [][]at{
			{{0, &worse, []string{"triggered critical"}}}, every(quarter, quarter, 72*time.Hour+quarter, &stale),
			{{72*time.Hour + quarter, &stale, []string{"resolved stale"}}},
		}},
		"error freezes for 72 hours": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}}, every(quarter, quarter, 72*time.Hour+quarter, &wrong),
			{{72*time.Hour + quarter, &wrong, []string{"resolved error"}}},
		}},
		"too little mail ends after the window": {nil, [][]at{
			{{0, &bad, []string{"triggered warning"}}}, every(quarter, quarter, 24*time.Hour+quarter, &few),
			{{24*time.Hour + quarter, &few, []string{"resolved insufficient"}}},
		}},
		"a pending alert whose subject vanishes": {func(r *Rule) { r.For = time.Hour }, [][]at{
			{{0, &bad, []string{"pending"}}, {quarter, nil, []string{"cancelled"}}, {2 * quarter, nil, nil}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rule := bounceRule()
			if c.change != nil {
				c.change(&rule)
			}
			w := newWorld(t, rule)
			for _, part := range c.story {
				w.tell(part)
			}
		})
	}
}

// Whatever a firing alert sees instead of bad figures, it ends.
func TestMixturesEnd(t *testing.T) {
	good, few, chanceless := bounces(figure(10, 1000)), bounces(figure(50, 500)), bounces(mixed(10, 1000, 0, 10))
	idle, stale, wrong, dark := inState(signal.Idle), inState(signal.Stale), inState(signal.Error), inState(signal.NoData)
	all := []*Sample{&good, &few, &chanceless, &idle, &stale, &wrong, &dark, nil}
	for i, a := range all {
		for _, b := range all[i:] {
			w := newWorld(t, bounceRule())
			w.expect(w.round(bounces(figure(300, 1000))), "triggered critical")
			ended := false
			for n := range int(75 * time.Hour / (10 * time.Minute)) {
				w.now = w.now.Add(10 * time.Minute)
				next := []*Sample{a, b}[n%2]
				var samples []Sample
				if next != nil {
					samples = append(samples, *next)
				}
				for _, t := range w.round(samples...).Transitions {
					ended = ended || t.Kind == Resolved
				}
			}
			if !ended {
				t.Errorf("%v and %v in turn: still firing after 75 hours", a, b)
			}
		}
	}
}

func TestAbsentSource(t *testing.T) {
	w := newWorld(t, bounceRule())
	w.absent = func(Series) signal.State { return signal.Stale }
	w.expect(w.round(bounces(figure(300, 1000))), "triggered critical")
	for range 7 * 72 {
		w.now = w.now.Add(10 * time.Minute)
		for _, tr := range w.round().Transitions {
			if tr.Kind == Resolved {
				if tr.Reason != WentStale || w.now.Sub(noon) < 72*time.Hour {
					t.Errorf("resolved as %s after %s", tr.Reason, w.now.Sub(noon))
				}
				return
			}
		}
	}
	t.Error("still firing")
}

func TestClockJumps(t *testing.T) {
	bad, good := bounces(figure(80, 1000)), bounces(figure(10, 1000))
	rule := bounceRule()
	rule.For = 30 * time.Minute
	t.Run("forward", func(t *testing.T) {
		w := newWorld(t, rule)
		w.expect(w.round(bad), "pending")
		w.now = w.now.Add(48 * time.Hour)
		w.expect(w.round(bad)) // only 15 of the 30 minutes have been watched
		w.now = w.now.Add(15 * time.Minute)
		w.expect(w.round(bad), "triggered warning")
		w.now = w.now.Add(time.Minute)
		w.expect(w.round(inState(signal.Stale)))
		w.now = w.now.Add(100 * time.Hour)
		w.expect(w.round(inState(signal.Stale)))
	})
	t.Run("backward", func(t *testing.T) {
		w := newWorld(t, rule)
		w.expect(w.round(bad), "pending")
		w.now = w.now.Add(10 * time.Minute)
		w.expect(w.round(bad))
		w.now = w.now.Add(-1000 * time.Hour)
		w.expect(w.round(bad))
		w.now = w.now.Add(10 * time.Minute)
		w.expect(w.round(bad))
		w.now = w.now.Add(10 * time.Minute)
		w.expect(w.round(bad), "triggered warning")
	})
	t.Run("backward over a restart", func(t *testing.T) {
		w := newWorld(t, rule)
		w.expect(w.round(bad), "pending")
		w.restart()
		w.now = w.now.Add(-1000 * time.Hour)
		for range 3 {
			w.expect(w.round(bad))
			w.now = w.now.Add(10 * time.Minute)
		}
		w.expect(w.round(bad), "triggered warning")
		w.round(good)
		w.restart()
		w.now = w.now.Add(-1000 * time.Hour)
		w.expect(w.round(good))
		w.now = w.now.Add(15 * time.Minute)
		w.expect(w.round(good), "resolved cleared")
	})
}

func TestRestart(t *testing.T) {
	rule := bounceRule()
	rule.For = 20 * time.Minute
	w := newWorld(t, rule)
	bad, good := bounces(figure(80, 1000)), bounces(figure(10, 1000))
	w.expect(w.round(bad), "pending")
	w.restart()
	w.now = w.now.Add(20 * time.Minute)
	w.expect(w.round(bad), "triggered warning")
	w.restart()
	w.expect(w.round(bad))
	w.expect(w.round(good))
	w.restart()
	w.now = w.now.Add(15 * time.Minute)
	w.expect(w.round(good), "resolved cleared")
	if n := w.state.Len(); n != 0 {
		t.Errorf("%d alerts are remembered after the end", n)
	}
}

func TestReload(t *testing.T) {
	bad, good := bounces(figure(80, 1000)), bounces(figure(10, 1000))
	begin := func(t *testing.T) *world {
		w := newWorld(t, bounceRule())
		w.expect(w.round(bounces(figure(200, 1000))), "triggered critical")
		return w
	}
	with := func(change func(*Rule)) []Rule {
		r := bounceRule()
		change(&r)
		return []Rule{r}
	}
	for name, c := range map[string]struct {
		rules  []Rule
		sample Sample
		want   []string
	}{
		"deleted":               {nil, bad, []string{"resolved rule_deleted"}},
		"renamed":               {with(func(r *Rule) { r.Name = "Other" }), bad, []string{"resolved rule_deleted", "triggered warning"}},
		"same":                  {with(func(*Rule) {}), bounces(figure(200, 1000)), nil},
		"another signal":        {with(func(r *Rule) { r.Signal = RateOf(signal.BlockRate) }), bad, []string{"resolved rule_changed"}},
		"told apart otherwise":  {with(func(r *Rule) { r.By = ByProvider }), bad, []string{"resolved rule_changed"}},
		"no critical line":      {with(func(r *Rule) { r.Critical = nil }), bad, []string{"deescalated warning"}},
		"not this subject":      {with(func(r *Rule) { r.Where = []Matcher{{Name: "campaign", Globs: []string{"x"}}} }), bad, []string{"resolved rule_changed"}},
		"higher lines, settled": {with(func(r *Rule) { r.Warning, r.Critical, r.KeepFiringFor = above(0.5), above(0.6), new(time.Duration) }), bad, []string{"resolved cleared"}},
		"higher lines":          {with(func(r *Rule) { r.Warning, r.Critical = above(0.5), above(0.6) }), good, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			w.rules = compile(t, c.rules...)
			w.now = w.now.Add(time.Minute)
			w.expect(w.round(c.sample), c.want...)
		})
	}
}

func TestWhere(t *testing.T) {
	rule := bounceRule()
	rule.Where = []Matcher{{Name: "campaign", Globs: []string{"promo-*"}}, {Name: "owner", Globs: []string{"growth"}, Not: true}}
	w := newWorld(t, rule)
	bad := figure(300, 1000)
	mine := labelled(ofFigure(signal.HardBounceRate, "promo-1", bad), field1("owner", "crm"), field1("domain", "example.com"))
	theirs := labelled(ofFigure(signal.HardBounceRate, "promo-2", bad), field1("owner", "growth"))
	other := labelled(ofFigure(signal.HardBounceRate, "news", bad))
	r := w.round(mine, theirs, other)
	w.expect(r, "triggered critical")
	if a := r.Transitions[0].Alert; a.Subject.Campaign != "promo-1" || a.Owner != "crm" || len(a.Labels) != 1 || a.Labels[0].Value != "example.com" {
		t.Errorf("fired for %v of %q with %v", a.Subject, a.Owner, a.Labels)
	}
}

func TestTwiceInOneRound(t *testing.T) {
	w := newWorld(t, bounceRule())
	bad := bounces(figure(300, 1000))
	w.expect(w.round(bad, bad), "triggered critical")
	w.expect(w.round(bad, bounces(figure(0, 1000))))
}

func TestTooManyAlerts(t *testing.T) {
	w := newWorld(t, bounceRule())
	samples := make([]Sample, maxAlerts+7)
	for i := range samples {
		samples[i] = bounces(figure(300, 1000))
		samples[i].Subject.Campaign = "c" + string(rune('a'+i%26)) + time.Duration(i).String()
	}
	if r := w.round(samples...); r.Dropped != 7 || len(r.Transitions) != maxAlerts {
		t.Errorf("%d dropped and %d transitions, want 7 and %d", r.Dropped, len(r.Transitions), maxAlerts)
	}
	if r := w.round(samples...); r.Dropped != 7 || len(r.Transitions) != 0 {
		t.Errorf("the next round: %d dropped and %d transitions", r.Dropped, len(r.Transitions))
	}
}

func TestSeries(t *testing.T) {
	rules := compile(t, Defaults()...)
	seen := make(map[Series]bool)
	for _, s := range rules.Series() {
		if seen[s] {
			t.Errorf("%v is there twice", s)
		}
		seen[s] = true
	}
	if !seen[Series{RateOf(signal.ComplaintRate), ByCampaign, signal.Week}] || len(seen) < 20 {
		t.Errorf("the defaults need %v", rules.Series())
	}
}

// What had failed for an hour, and fails on after a restart, is neither over nor less bad because it is watched anew.
func TestRestartWhileItFails(t *testing.T) {
	w := newWorld(t, Rule{
		Name: "Failing", Signal: SourceFailing, By: BySource,
		Warning: above((10 * time.Minute).Seconds()), Critical: above(time.Hour.Seconds()),
	})
	failing := func(lasts time.Duration, state signal.State) Sample {
		return Sample{
			Series: Series{Signal: SourceFailing, By: BySource}, Subject: Subject{Source: "ses/events"}, AsOf: w.now,
			Value: lasts.Seconds(), State: state,
		}
	}
	w.expect(w.round(failing(2*time.Hour, signal.OK)), "triggered critical")
	w.restart()
	began := w.now
	for w.now = began; w.now.Sub(began) < 2*time.Hour; w.now = w.now.Add(time.Minute) {
		w.expect(w.round(failing(w.now.Sub(began), signal.Immature)))
	}
	for _, a := range w.state.Alerts() {
		if !a.Evidence.Known || a.Evidence.Value < time.Hour.Seconds() {
			t.Errorf("told as %v seconds", a.Evidence.Value)
		}
	}
	w.expect(w.round(failing(0, signal.OK)))
	w.now = w.now.Add(15 * time.Minute)
	w.expect(w.round(failing(0, signal.OK)), "resolved cleared")
}
