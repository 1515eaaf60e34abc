package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

// BenchmarkCommitFold stores a million events as the SES collector does: Puts of ten from 32 goroutines, each confirmed,
// with a fold every second, over 300 campaigns, 30 providers and 6 outcomes sent within half an hour.
func BenchmarkCommitFold(b *testing.B) {
	const events, perPut, callers = 1_000_000, 10, 32
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "ledger.db")
		l, err := Open(b.Context(), Options{Path: path, FreeDisk: plenty})
		if err != nil {
			b.Fatal(err)
		}
		source := newBenchSource()
		var next atomic.Int64
		waits := make([][]time.Duration, callers)
		stop := make(chan struct{})
		var folding sync.WaitGroup
		folding.Go(func() { foldEverySecond(b, l, stop) })
		before, started := cpuTime(b), time.Now()
		var committing sync.WaitGroup
		for c := range callers {
			committing.Go(func() {
				entries := make([]ledger.Entry, perPut)
				for {
					first := next.Add(perPut) - perPut
					if first >= events {
						return
					}
					source.fill(entries, first)
					at := time.Now()
					key := uint64(first + 1)
					if _, err := l.Commit(b.Context(), ledger.Put{Source: "queue", Entries: entries, Key: key}); err != nil {
						b.Error(err)
						return
					}
					waits[c] = append(waits[c], time.Since(at))
					_, _ = l.Commit(b.Context(), ledger.Put{Source: "queue", Confirms: []ledger.Confirm{{Key: key}}})
				}
			})
		}
		committing.Wait()
		close(stop)
		folding.Wait()
		if err := l.Fold(b.Context()); err != nil {
			b.Fatal(err)
		}
		used, took := cpuTime(b)-before, time.Since(started)
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		all := slices.Concat(waits...)
		slices.Sort(all)
		b.ReportMetric(float64(used.Microseconds())/events, "us-cpu/event")
		b.ReportMetric(events/took.Seconds(), "events/s")
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-p50")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(fileSize(path))/events, "B/event")
	}
}

func foldEverySecond(b *testing.B, l *Ledger, stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if err := l.Fold(b.Context()); err != nil {
				b.Error(err)
			}
			if _, err := l.Maintain(b.Context()); err != nil {
				b.Error(err)
			}
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchSource makes events.
type benchSource struct {
	base      time.Time
	campaigns []observation.Campaign
	providers []string
	outcomes  []observation.Outcome
}

func newBenchSource() *benchSource {
	s := &benchSource{base: time.Now().Add(-30 * time.Minute), outcomes: []observation.Outcome{
		observation.Sent, observation.Delivered, observation.Opened, observation.Clicked, observation.HardBounced,
		observation.Complained,
	}}
	for i := range 300 {
		s.campaigns = append(s.campaigns, observation.Campaign{Name: fmt.Sprintf("campaign-%d", i)})
	}
	s.providers = append(s.providers, observation.Gmail)
	for i := range 29 {
		s.providers = append(s.providers, fmt.Sprintf("provider-%d", i))
	}
	return s
}

func (s *benchSource) fill(entries []ledger.Entry, first int64) {
	for i := range entries {
		n := uint64(first) + uint64(i)
		r := rand.New(rand.NewPCG(1, n))
		if n%50 == 49 {
			r = rand.New(rand.NewPCG(1, n-40)) // 2 % duplicates
		}
		c := s.campaigns[r.IntN(len(s.campaigns))]
		sent := s.base.Add(time.Duration(r.IntN(1800)) * time.Second)
		entries[i] = ledger.Entry{
			ID: r.Uint64(), Message: i, Type: observation.EventSend, SentAt: sent, At: sent,
			Cell: ledger.Cell{
				Origin:   observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"},
				Campaign: c, Provider: s.providers[r.IntN(len(s.providers))], Outcome: s.outcomes[r.IntN(len(s.outcomes))],
			},
			Stamp: observation.Stamp{FromDomain: "news.example.com", A: c.Name},
		}
		if entries[i].Cell.Outcome == observation.HardBounced {
			entries[i].Cell.Reason = "no_such_user"
		}
	}
}
