package receiptrules

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// TestScale holds what a pass may cost: 2,000 series with data in every period, in 4 calls for figures and 50 MB of memory,
// the server's included.
func TestScale(t *testing.T) {
	r := newRig(t)
	for i := range 500 {
		for _, metric := range metrics() {
			for back := range 13 {
				r.add(metric, "main", fmt.Sprintf("rule-%03d", i), start.Add(time.Duration(-5*back)*time.Minute), 1)
			}
		}
	}
	r.pass(t)
	calls := r.calls["GetMetricData"]
	r.advance(5 * time.Minute)
	r.spans = nil

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	r.fail = func(int) error {
		runtime.ReadMemStats(&after)
		peak = max(peak, after.HeapAlloc)
		return nil
	}
	r.pass(t)
	if got := r.calls["GetMetricData"] - calls; got != 4 {
		t.Errorf("%d calls for 2,000 series over %v, want 4", got, r.spans)
	}
	if used := int64(peak) - int64(before.HeapAlloc); used > 50<<20 {
		t.Errorf("the pass took %d MB", used>>20)
	}
	t.Logf("at most %d MB more than before", (int64(peak)-int64(before.HeapAlloc))>>20)
}

// BenchmarkPass measures a pass of 2,000 series over one stride, the server's work included.
func BenchmarkPass(b *testing.B) {
	r := newRig(b)
	for i := range 500 {
		for _, metric := range metrics() {
			for back := range 13 {
				r.add(metric, "main", fmt.Sprintf("rule-%03d", i), start.Add(time.Duration(-5*back)*time.Minute), 1)
			}
		}
	}
	r.pass(b)
	b.ReportAllocs()
	for b.Loop() {
		r.advance(5 * time.Minute)
		r.pass(b)
	}
}
