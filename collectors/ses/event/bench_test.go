package event

import (
	"testing"

	"github.com/mailvane/mailvane/collectors"
)

// bodies are the corpus in one shape.
func bodies(n int, wrap func(string) string) (list []string, bytes int64) {
	list = corpus(n)
	for i := range list {
		list[i] = wrap(list[i])
		bytes += int64(len(list[i]))
	}
	return list, bytes / int64(n)
}

func benchmark(b *testing.B, wrap func(string) string, decode func(*Decoder, string, *collectors.Batch) bool) {
	list, mean := bodies(2000, wrap)
	d := Decoder{Region: "us-east-1"}
	var batch collectors.Batch
	b.SetBytes(mean)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%10 == 0 { // as many as one receive brings
			d.Reset()
			batch.Events = batch.Events[:0]
		}
		if !decode(&d, list[i], &batch) {
			b.Fatal("an event was not read")
		}
		if i++; i == len(list) {
			i = 0
		}
	}
}

func byScanner(d *Decoder, body string, b *collectors.Batch) bool { return d.decodeFast(0, body, b) }

func BenchmarkDecodeEnvelope(b *testing.B)    { benchmark(b, wraps["SNS"], byScanner) }
func BenchmarkDecodeRaw(b *testing.B)         { benchmark(b, wraps["raw"], byScanner) }
func BenchmarkDecodeEventBridge(b *testing.B) { benchmark(b, wraps["EventBridge"], byScanner) }

func BenchmarkDecodeStrict(b *testing.B) {
	benchmark(b, wraps["SNS"], func(d *Decoder, body string, batch *collectors.Batch) bool {
		return d.decodeStrict(0, body, batch) == KindEvent
	})
}

// TestSteadyStateAllocatesNothing decodes batches as a collector does.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			list, _ := bodies(100, wrap)
			d := Decoder{Region: "us-east-1"}
			var batch collectors.Batch
			allocs := testing.AllocsPerRun(10, func() {
				for start := 0; start < len(list); start += 10 {
					d.Reset()
					batch.Events = batch.Events[:0]
					for i, body := range list[start : start+10] {
						if d.Decode(i, body, &batch) != KindEvent {
							t.Fatal("an event was not read")
						}
					}
				}
			})
			if allocs != 0 {
				t.Errorf("%v allocations for %d events, want 0", allocs, len(list))
			}
		})
	}
}
