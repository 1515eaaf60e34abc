package traffic

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

var anchor = time.Date(2026, time.November, 22, 14, 0, 0, 0, time.UTC) // a Sunday

const day = 24 * time.Hour

func demo(seed uint64, scale float64) *Model {
	return New(Demo(anchor), Options{Seed: seed, Scale: scale})
}

// render returns every event of a stretch as it is published.
func render(m *Model, from, to time.Time) []string {
	var lines []string
	stream, renderer := m.Stream(from, to), NewRenderer()
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		lines = append(lines, string(renderer.Append(nil, &e, Raw)))
	}
	return lines
}

func TestModelsOfOneSeedTellTheSame(t *testing.T) {
	from, to := anchor.Add(-2*day), anchor
	first := render(demo(7, 0.1), from, to)
	if diff := cmp.Diff(first, render(demo(7, 0.1), from, to)); diff != "" {
		t.Errorf("equal seeds differ (-first +second):\n%s", diff)
	}
	if other := render(demo(8, 0.1), from, to); cmp.Equal(first, other) {
		t.Error("different seeds tell the same")
	}
	if len(first) < 1000 {
		t.Errorf("only %d events in two days", len(first))
	}
}

func TestStretchesThatTouchGiveTheWhole(t *testing.T) {
	m := demo(7, 0.1)
	from, to := anchor.Add(-3*day), anchor
	whole := render(m, from, to)
	var parts []string
	cuts := []time.Time{from, from.Add(7*time.Hour + 13*time.Second + 500*time.Millisecond), from.Add(30 * time.Hour), to}
	for i := range cuts[1:] {
		parts = append(parts, render(m, cuts[i], cuts[i+1])...)
	}
	if diff := cmp.Diff(whole, parts); diff != "" {
		t.Errorf("the parts differ from the whole (-whole +parts):\n%s", diff)
	}
}

func TestEventsComeInOrderAndNeverBeforeTheirMail(t *testing.T) {
	m := demo(3, 0.2)
	stream := m.Stream(anchor.Add(-4*day), anchor)
	last := anchor.Add(-4 * day)
	latest := time.Duration(0)
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		if e.At.Before(last) || !e.At.Before(anchor) {
			t.Fatalf("event at %s after one at %s", e.At, last)
		}
		if e.At.Before(e.Mail.SentAt) {
			t.Fatalf("%s of a mail sent at %s happened at %s", e.Type, e.Mail.SentAt, e.At)
		}
		last, latest = e.At, max(latest, e.At.Sub(e.Mail.SentAt))
	}
	if latest < 2*day || latest >= m.options.Lateness {
		t.Errorf("the latest event came %s after its mail, want between two days and %s", latest, m.options.Lateness)
	}
}

func TestNothingIsSentFromUntilOn(t *testing.T) {
	until := anchor.Add(-3 * time.Hour)
	m := New(Demo(anchor), Options{Until: until})
	stream, sent := m.Stream(anchor.Add(-day), anchor), 0
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		sent++
		if !e.Mail.SentAt.Before(until) {
			t.Fatalf("mail sent at %s", e.Mail.SentAt)
		}
	}
	if sent == 0 {
		t.Error("nothing was sent at all")
	}
}

func TestNothingIsSentBeforeSince(t *testing.T) {
	since := anchor.Add(-6 * time.Hour)
	m := New(Demo(anchor), Options{Since: since})
	stream := m.Stream(anchor.Add(-2*day), anchor)
	e, ok := stream.Next()
	if !ok || e.Mail.SentAt.Before(since) {
		t.Errorf("the first event is of a mail sent at %v", e.Mail)
	}
}

func TestSurgeSendsMore(t *testing.T) {
	count := func(m *Model) (n int) {
		stream := m.Stream(anchor, anchor.Add(time.Hour))
		for _, ok := stream.Next(); ok; _, ok = stream.Next() {
			n++
		}
		return n
	}
	usual := count(New(Demo(anchor), Options{}))
	surged := count(New(Demo(anchor), Options{Surge: anchor, SurgeFactor: 50}))
	if surged < 10*usual || surged > 60*usual {
		t.Errorf("%d events in an hour, %d in an hour of 50 times the mail", usual, surged)
	}
}

// truthOf counts a stretch.
func truthOf(m *Model, from, to time.Time) *Truth {
	truth := NewTruth()
	stream := m.Stream(from, to)
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		truth.Add(&e)
	}
	return truth
}

func TestTheStoryShowsInTheNumbers(t *testing.T) {
	m := demo(1, 1)
	truth := truthOf(m, anchor.Add(-22*day), anchor)
	reporting := map[string]bool{}
	for _, p := range m.providers {
		reporting[p.id] = p.reports
	}
	totals := truth.Totals()
	t.Logf("%d events, %v", totals.Events, totals.Outcomes)
	if totals.Events < 200_000 || totals.Events > 400_000 {
		t.Errorf("%d events in 22 days, want 200,000 to 400,000", totals.Events)
	}
	// Half days are fine enough, and quicker to sum.
	counts := map[Cell]Tally{}
	for c, tally := range truth.Counts() {
		c.Start = anchor.Add(-(anchor.Sub(c.Start) + 12*time.Hour - 1).Truncate(12 * time.Hour))
		counts[c] = Tally{N: counts[c].N + tally.N}
	}
	sum := func(match func(c Cell) bool) (n float64) {
		for c, tally := range counts {
			if match(c) {
				n += float64(tally.N)
			}
		}
		return n
	}
	sent := func(name string) float64 {
		return sum(func(c Cell) bool { return c.Campaign == name && c.Outcome == observation.Sent })
	}
	for _, c := range []struct {
		campaign, rate string
		low, high      float64
	}{
		{"winter-clearance", "hard", 0.07, 0.09},
		{"weekly-digest", "hard", 0.003, 0.008},
		{"flash-friday", "hard", 0.003, 0.008},
		{"otp-login", "hard", 0.003, 0.008},
		{"flash-friday", "complaint", 0.004, 0.008},
		{"weekly-digest", "complaint", 0, 0.001},
		{"spring-sale", "complaint", 0, 0.001},
		{"otp-login", "complaint", 0, 0.001},
	} {
		var rate float64
		switch c.rate {
		case "hard":
			rate = sum(func(cell Cell) bool { return cell.Campaign == c.campaign && cell.Outcome == observation.HardBounced }) / sent(c.campaign)
		case "complaint":
			of := func(o observation.Outcome) float64 {
				return sum(func(cell Cell) bool {
					return cell.Campaign == c.campaign && cell.Outcome == o && reporting[cell.Provider] && cell.Start.Before(anchor.Add(-6*day))
				})
			}
			rate = of(observation.Complained) / of(observation.Delivered)
		}
		if rate < c.low || rate > c.high {
			t.Errorf("%s of %s is %.4f, want %.4f to %.4f", c.rate, c.campaign, rate, c.low, c.high)
		}
	}
	blocked := func(from, to time.Time) float64 {
		at := func(o observation.Outcome, reason string) float64 {
			return sum(func(c Cell) bool {
				return c.Tenant == "acme" && c.Provider == "microsoft" && c.Outcome == o && (reason == "" || c.Reason == reason) &&
					!c.Start.Before(from) && c.Start.Before(to)
			})
		}
		return at(observation.SoftBounced, "reputation_ip") / at(observation.Sent, "")
	}
	if share := blocked(anchor.Add(-12*time.Hour), anchor); share < 0.8 {
		t.Errorf("Microsoft blocks %.2f of acme's mail, want at least 0.8", share)
	}
	if share := blocked(anchor.Add(-10*day), anchor.Add(-12*time.Hour)); share != 0 {
		t.Errorf("Microsoft blocked %.2f of acme's mail before the block", share)
	}
	if n := sum(func(c Cell) bool { return c.Campaign == "partner-feed" && c.Outcome == observation.Sent }); n != 0 {
		t.Errorf("partner-feed publishes %v Send events, want none", n)
	}
	for _, o := range observation.Outcomes() {
		if totals.Outcomes[o.String()] == 0 {
			t.Errorf("the story has no %s", o)
		}
	}
	if totals.Twins == 0 || totals.Repeats == 0 || totals.Providers[MailboxSimulator] == nil {
		t.Errorf("the story misses twins, repeats or simulator mail: %+v", totals)
	}
}

func TestBenchHasTheMixOfTheBenchmarks(t *testing.T) {
	m := New(Bench(300, 40_000), Options{Since: anchor.Add(-day), Lateness: 2 * time.Hour})
	types, n := map[observation.EventType]float64{}, 0.0
	providers, campaigns := map[string]bool{}, map[string]bool{}
	stream := m.Stream(anchor.Add(-day), anchor)
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		types[e.Type]++
		n++
		providers[e.Mail.Provider], campaigns[e.Mail.Send.Name] = true, true
	}
	for typ, want := range map[observation.EventType]float64{
		observation.EventSend: 0.40, observation.EventDelivery: 0.38, observation.EventOpen: 0.15,
		observation.EventClick: 0.04, observation.EventBounce: 0.02, observation.EventComplaint: 0.01,
	} {
		if share := types[typ] / n; share < want*0.9-0.002 || share > want*1.1+0.002 {
			t.Errorf("%s is %.3f of the events, want %.2f", typ, share, want)
		}
	}
	if len(providers) < 30 || len(campaigns) != 300 {
		t.Errorf("%d providers and %d campaigns", len(providers), len(campaigns))
	}
}
