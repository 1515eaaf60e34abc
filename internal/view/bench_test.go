package view

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// crowd is a view of so many campaigns with ten providers and seven cells at each, in the last four hours and days.
func crowd(tb testing.TB, campaigns int) *View {
	m := &memory{asOf: noon}
	origin := observation.Origin{Account: "1", Region: "eu-west-1", ConfigurationSet: "main"}
	for _, t := range observation.EventTypes() {
		m.publish(origin, t, noon.AddDate(0, -1, 0))
	}
	m.report(noon.AddDate(0, -1, 0), "p1", "p2", "p3")
	v := New(m, Options{Group: group})
	if err := v.Refresh(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	outcomes := []observation.Outcome{
		observation.Sent, observation.Delivered, observation.HardBounced, observation.SoftBounced, observation.Complained,
		observation.Delayed, observation.Opened,
	}
	for i := range campaigns {
		rows := make([]ledger.CohortRow, 0, 70)
		for p := range 10 {
			for o, outcome := range outcomes {
				cell := ledger.Cell{
					Origin:   origin,
					Campaign: observation.Campaign{Name: fmt.Sprintf("campaign-%d", i)},
					Provider: fmt.Sprintf("p%d", p), Outcome: outcome,
				}
				if outcome.Bounced() {
					cell.Reason = "content_spam"
				}
				age := time.Duration(1+i%4) * 20 * time.Hour
				rows = append(rows, ledger.CohortRow{
					Start: noon.Add(-age / time.Duration(1+19*(p%2))), Width: fineGrain, N: int64(1000 >> o), Cell: cell,
				})
			}
		}
		m.folds = []ledger.FoldChange{{Fold: v.sums.fold + 1, Rows: rows}}
		v.apply(v.sums, ledger.Changes{Folds: m.folds}, v.sums.fold+1)
	}
	return v
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkEvaluate makes every figure of 20,000 campaigns at ten providers each, over three windows.
func BenchmarkEvaluate(b *testing.B) {
	before := heap()
	v := crowd(b, 20_000)
	memory := heap() - before
	for _, by := range []struct {
		name string
		by   By
	}{{"campaign", ByCampaign}, {"campaign+provider", ByCampaignProvider}, {"provider", ByProvider}} {
		b.Run(by.name, func(b *testing.B) {
			b.ReportAllocs()
			subjects, known := 0, 0
			for b.Loop() {
				subjects = 0
				v.Walk(by.by, func(s *Subject) bool {
					subjects++
					for _, w := range signal.Windows() {
						for sig := range signal.Count {
							if f := s.Figure(signal.Signal(sig), w); f.Known {
								known++
							}
						}
					}
					return true
				})
			}
			b.ReportMetric(float64(subjects), "subjects")
			b.ReportMetric(float64(memory)/(1<<20), "MB")
		})
	}
}

func BenchmarkCampaigns(b *testing.B) {
	v := crowd(b, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		v.Campaigns(Query{Window: signal.Week, Limit: 100})
	}
}
