package known

import (
	"math/rand/v2"
	"testing"
)

// TestAgainstMap does the same random steps to a Set and to a map; ids are drawn from few, so that removal is common.
func TestAgainstMap(t *testing.T) {
	for _, space := range []uint64{8, 1000, 1 << 40} {
		r := rand.New(rand.NewPCG(1, space))
		var s Set
		m := map[uint64]bool{}
		for range 200_000 {
			id := r.Uint64N(space)
			switch r.IntN(3) {
			case 0:
				if got := s.Add(id); got == m[id] {
					t.Fatalf("Add(%d) = %v with the id there: %v", id, got, m[id])
				}
				m[id] = true
			case 1:
				if got := s.Remove(id); got != m[id] {
					t.Fatalf("Remove(%d) = %v, want %v", id, got, m[id])
				}
				delete(m, id)
			default:
				if got := s.Has(id); got != m[id] {
					t.Fatalf("Has(%d) = %v, want %v", id, got, m[id])
				}
			}
			if s.Len() != len(m) {
				t.Fatalf("Len = %d, want %d", s.Len(), len(m))
			}
		}
		for id := range m {
			if !s.Has(id) {
				t.Fatalf("id %d is lost", id)
			}
		}
	}
}

func TestSmallWhenFew(t *testing.T) {
	var s Set
	for id := range uint64(100) {
		s.Add(id)
	}
	if s.Bytes() > 20_000 {
		t.Errorf("100 ids take %d bytes", s.Bytes())
	}
}

func TestBytesPerID(t *testing.T) {
	var s Set
	r := rand.New(rand.NewPCG(3, 3))
	for range 2_000_000 {
		s.Add(r.Uint64())
	}
	if per := float64(s.Bytes()) / float64(s.Len()); per > 13 {
		t.Errorf("%.1f bytes an id, want at most 13", per)
	}
}

func BenchmarkSteadyState(b *testing.B) {
	const budget = 16_000_000
	var s Set
	r := rand.New(rand.NewPCG(3, 3))
	ids := make([]uint64, budget)
	for i := range ids {
		ids[i] = r.Uint64()
		s.Add(ids[i])
	}
	i := 0
	for b.Loop() {
		id := r.Uint64()
		s.Add(id)
		s.Remove(ids[i])
		ids[i] = id
		i = (i + 1) % budget
	}
	b.ReportMetric(float64(s.Bytes())/budget, "B/id")
}
