package view

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// periodMemory is a memory of which no alerts are asked for.
type periodMemory struct {
	*memory
	ledger.AlertReader
	mu *sync.Mutex
}

func newPeriodMemory(m *memory) periodMemory { return periodMemory{memory: m, mu: new(sync.Mutex)} }

// Cohorts is called from several goroutines, unlike that of the memory.
func (m periodMemory) Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.memory.Cohorts(ctx, q)
}

// lastWeek is the week that ends at a time, with the four before it.
func lastWeek(end time.Time, zone *time.Location) PeriodQuery {
	q := PeriodQuery{First: 28, Zone: zone}
	for day := range 36 {
		q.Edges = append(q.Edges, end.In(zone).AddDate(0, 0, day-35))
	}
	return q
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	check(t, err)
	return string(text)
}

// At the moment at which a week ends, the figures of the week are those that the running view has of its window.
func TestPeriodSaysWhatTheViewSaid(t *testing.T) {
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	streams, err := campaign.NewMatcher([]string{"1"})
	check(t, err)
	owners, err := campaign.NewMatcher([]string{"2"})
	check(t, err)
	o := Options{Group: group, Settings: Settings{Streams: streams, Owners: []Owner{{owners, "growth"}}}}
	for seed := range uint64(5) {
		w := &world{random: rand.New(rand.NewPCG(seed, 21)), ledger: &memory{asOf: monday}}
		w.ledger.report(monday.AddDate(0, 0, -10), "aol", "yahoo")
		w.ledger.report(monday.Add(-50*time.Hour), "yahoo")
		for _, t := range []observation.EventType{observation.EventSend, observation.EventDelivery, observation.EventBounce} {
			w.ledger.publish(w.origin(), t, monday.Add(-time.Duration(w.random.IntN(9*24))*time.Hour))
		}
		for range 400 {
			if row := w.row(); row.Start.Before(monday) {
				w.ledger.fold(row)
			}
		}
		v := New(w.ledger, o)
		check(t, v.Refresh(t.Context()))
		p, err := ReadPeriod(t.Context(), newPeriodMemory(w.ledger), o, lastWeek(monday, time.UTC))
		check(t, err)
		var got []Campaign
		for c := range p.Campaigns(func(signal.Signal) float64 { return 0 }) {
			c.Gmail = nil // the view was not asked to refresh it
			got = append(got, c.Campaign)
		}
		want := v.Campaigns(Query{Window: signal.Week}).Campaigns
		if diff := cmp.Diff(encoded(t, want), encoded(t, got)); diff != "" || len(want) == 0 {
			t.Fatalf("seed %d: -the view's campaigns +the period's\n%s", seed, diff)
		}
		if diff := cmp.Diff(encoded(t, v.Totals(signal.Week).Figures), encoded(t, p.Totals())); diff != "" {
			t.Errorf("seed %d: -the view's totals +the period's\n%s", seed, diff)
		}
		if diff := cmp.Diff(encoded(t, v.Providers(signal.Week, Sort{})), encoded(t, Providers{v.Providers(signal.Week, Sort{}).Window, p.Providers()})); diff != "" {
			t.Errorf("seed %d: -the view's providers +the period's\n%s", seed, diff)
		}
		checkOwned(t, p)
		checkSpans(t, p)
	}
}

// checkOwned makes sure that the part of an owner is that of the owner's campaigns.
func checkOwned(t *testing.T, p *Period) {
	t.Helper()
	var want Recipients
	for c := range p.Campaigns(func(signal.Signal) float64 { return 0 }) {
		if c.Owner == "growth" {
			for o, n := range c.Recipients {
				want[o] += n
			}
		}
	}
	of := p.Of("growth")
	if got := of.Totals().Recipients; got != want {
		t.Errorf("the owner's totals are %v, want %v", got, want)
	}
	var days Recipients
	for _, d := range of.Days() {
		for o, n := range d.Recipients {
			days[o] += n
		}
	}
	if days != want {
		t.Errorf("the owner's days sum up to %v, want %v", days, want)
	}
}

// checkSpans makes sure that days and weeks sum up to the whole.
func checkSpans(t *testing.T, p *Period) {
	t.Helper()
	var days Recipients
	for _, d := range p.Days() {
		for o, n := range d.Recipients {
			days[o] += n
		}
	}
	weeks := p.Weeks()
	if got := p.Totals().Recipients; days != got || weeks[len(weeks)-1].Recipients != got || len(weeks) != 5 {
		t.Errorf("days sum up to %v, the last of %d weeks to %v, want %v", days, len(weeks), weeks[len(weeks)-1].Recipients, got)
	}
}

// Streams are compared with the same days of earlier weeks, other campaigns with all earlier mail.
func TestPeriodBefore(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	check(t, err)
	// The clocks went back on 25 October: that Sunday has 25 hours.
	end := time.Date(2026, 10, 27, 0, 0, 0, 0, zone)
	m := &memory{asOf: end.Add(time.Hour)}
	m.publish(observation.Origin{}, observation.EventSend, end.AddDate(0, 0, -60))
	for day := range 37 {
		noon := end.AddDate(0, 0, -day-1).Add(12 * time.Hour)
		for _, name := range []string{"stream", "campaign"} {
			m.fold(ledger.CohortRow{Start: noon.UTC(), Width: time.Hour, N: 1, Cell: ledger.Cell{
				Campaign: observation.Campaign{Name: name}, Provider: "yahoo", Outcome: observation.Sent,
			}})
		}
	}
	streams, err := campaign.NewMatcher([]string{"stream"})
	check(t, err)
	q := PeriodQuery{First: 28, Zone: zone} // Sunday and Monday
	for day := range 31 {
		q.Edges = append(q.Edges, end.AddDate(0, 0, day-30))
	}
	p, err := ReadPeriod(context.Background(), newPeriodMemory(m), Options{Group: group, Settings: Settings{Streams: streams}}, q)
	check(t, err)
	got := map[string][2]int64{}
	for c := range p.Campaigns(func(signal.Signal) float64 { return 0 }) {
		got[c.ID] = [2]int64{c.Recipients[observation.Sent], c.Before.Recipients[observation.Sent]}
	}
	want := map[string][2]int64{"stream": {2, 8}, "campaign": {2, 28}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got mail of the period and before\n%s", diff)
	}
}

// What was written as JSON is read back.
func TestFiguresAreReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var now tally
		for range 10 {
			n := [spanCount]int64{spanWeek: random.Int64N(900)}
			if random.IntN(2) == 0 {
				n[spanThreeDays] = n[spanWeek]
			}
			now.add(signal.Row{
				Provider: []string{"gmail", "yahoo", signal.Simulator}[random.IntN(3)], Reporting: random.IntN(2) == 0,
				Outcome:  observation.Outcomes()[random.IntN(8)],
				Coverage: signal.CoverageOf(observation.EventTypes()[:random.IntN(5)]...),
			}, &n)
		}
		want := encoded(t, now.figures(spanWeek, false))
		var back Figures
		check(t, json.Unmarshal([]byte(want), &back))
		if diff := cmp.Diff(want, encoded(t, back)); diff != "" {
			t.Fatalf("-written +written again\n%s", diff)
		}
	}
}
