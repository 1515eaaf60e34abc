package sampler

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// crowd is a view of so many campaigns, each with mail at five providers, and what that costs in memory.
func crowd(b *testing.B, campaigns int, now time.Time) *view.View {
	b.Helper()
	store, err := sqlite.Open(b.Context(), sqlite.Options{
		Path: filepath.Join(b.TempDir(), "ledger.db"), Now: func() time.Time { return now },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	random := rand.New(rand.NewPCG(1, 2))
	var put ledger.Put
	id := uint64(0)
	event := func(outcome observation.Outcome, t observation.EventType, cell ledger.Cell, sent time.Time) {
		id++
		cell.Outcome = outcome
		put.Entries = append(put.Entries, ledger.Entry{
			ID: id, Type: t, SentAt: sent, At: sent, Cell: cell, Stamp: observation.Stamp{FromDomain: "news.example.com", A: cell.Campaign.Name},
		})
	}
	for i := range campaigns {
		for p := range 5 {
			cell := ledger.Cell{
				Origin:   observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"},
				Campaign: observation.Campaign{Name: fmt.Sprintf("campaign-%d", i)}, Provider: fmt.Sprintf("provider-%d", p),
			}
			sent := now.Add(-time.Duration(random.Int64N(int64(50 * time.Minute))))
			event(observation.Sent, observation.EventSend, cell, sent)
			event(observation.Delivered, observation.EventDelivery, cell, sent)
			event(observation.Delayed, observation.EventDeliveryDelay, cell, sent)
			event(observation.Complained, observation.EventComplaint, cell, sent)
			cell.Reason = "bad_mailbox"
			event(observation.HardBounced, observation.EventBounce, cell, sent)
		}
		if len(put.Entries) >= 20_000 || i == campaigns-1 {
			put.Source = "queue"
			if _, err := store.Commit(b.Context(), put); err != nil {
				b.Fatal(err)
			}
			put = ledger.Put{}
		}
	}
	if err := store.Fold(b.Context()); err != nil {
		b.Fatal(err)
	}
	v := view.New(store, view.Options{Group: func(string) string { return "" }})
	for range 2 {
		if err := v.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := v.RefreshGmail(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return v
}

// thirtyOneRules watch all eight rates over all windows by campaign and provider, and some of them twice.
func thirtyOneRules() []alerts.Rule {
	var rules []alerts.Rule
	for i := range 31 {
		s := signal.Signal(i % signal.Count)
		w := signal.Windows()[i/signal.Count%3]
		r := alerts.Rule{Name: fmt.Sprintf("R%d", i), Signal: alerts.RateOf(s), By: alerts.ByCampaignProvider, Window: &w}
		r.Warning, r.Critical = &alerts.Line{Above: new(0.05)}, &alerts.Line{Above: new(0.10)}
		if s.Definition().HigherIsBetter {
			r.Warning, r.Critical = &alerts.Line{Below: new(0.95)}, &alerts.Line{Below: new(0.90)}
		}
		rules = append(rules, r)
	}
	return rules
}

// BenchmarkRound is a round of 10,000 campaigns at five providers each and 31 rules in steady state, samples included. MB is
// what lies in memory at the end of a round beside the view, garbage that was not yet collected included.
func BenchmarkRound(b *testing.B) {
	now := time.Now().UTC()
	s := New(Options{View: crowd(b, 10_000, now), Now: func() time.Time { return now }})
	rules, err := alerts.Compile(thirtyOneRules())
	if err != nil {
		b.Fatal(err)
	}
	before := heap(true)
	state, subjects := &alerts.State{}, 0
	round := func() {
		now = now.Add(time.Second)
		found := rules.Evaluate(state, alerts.Input{Now: now, Absent: s.Absent, Samples: func(yield func(*alerts.Sample) bool) {
			for _, series := range rules.Series() {
				samples, err := s.Samples(b.Context(), series)
				if err != nil {
					b.Fatal(err)
				}
				subjects = len(samples)
				for i := range samples {
					if !yield(&samples[i]) {
						return
					}
				}
			}
		}})
		state = state.With(found)
	}
	round()
	b.ReportAllocs()
	spent := cpu(b)
	for b.Loop() {
		round()
	}
	b.ReportMetric((cpu(b)-spent).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(subjects), "subjects")
	b.ReportMetric((heap(false)-before)/(1<<20), "MB")
	runtime.KeepAlive(s)
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap(collect bool) float64 {
	if collect {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
