package signal

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The intervals are those of Newcombe, R. G. (1998), Two-sided confidence intervals for the single proportion, Statistics
// in Medicine 17, 857-872, table I, method 3, which are two-sided at 95 %.
func TestWilsonPublished(t *testing.T) {
	const z95 = 1.959963984540054
	for _, c := range []struct {
		k, n      int64
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		low, high := Wilson(c.k, c.n, z95)
		if math.Abs(low-c.low) > 0.00005 || math.Abs(high-c.high) > 0.00005 {
			t.Errorf("Wilson(%d, %d) = %.4f, %.4f, want %.4f, %.4f", c.k, c.n, low, high, c.low, c.high)
		}
	}
}

func TestQuantiles(t *testing.T) {
	for z, tail := range map[float64]float64{Z99: 0.01, Z999: 0.001} {
		if got := math.Erfc(z/math.Sqrt2) / 2; math.Abs(got-tail) > 1e-15 {
			t.Errorf("the tail beyond %v is %v, want %v", z, got, tail)
		}
	}
}

func TestWilsonEnds(t *testing.T) {
	if low, high := Wilson(0, 0, Z99); low != 0 || high != 1 {
		t.Errorf("of nothing: %v, %v, want 0, 1", low, high)
	}
	for _, n := range []int64{1, 3, 7, 1000, 1 << 40} {
		if low, _ := Wilson(0, n, Z99); low != 0 {
			t.Errorf("0 of %d: low is %v", n, low)
		}
		if _, high := Wilson(n, n, Z99); high != 1 {
			t.Errorf("%d of %d: high is %v", n, n, high)
		}
	}
}

func TestWilsonProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		n := 1 + random.Int64N(1<<uint(1+random.IntN(40)))
		k := random.Int64N(n + 1)
		p := float64(k) / float64(n)
		low, high := Wilson(k, n, Z99)
		if !(0 <= low && low <= p && p <= high && high <= 1) {
			t.Fatalf("Wilson(%d, %d) = %v, %v does not hold %v", k, n, low, high, p)
		}
		if wideLow, wideHigh := Wilson(k, n, Z999); wideLow > low || wideHigh < high {
			t.Fatalf("Wilson(%d, %d): more confidence gives a narrower interval", k, n)
		}
		if k < n {
			if upLow, upHigh := Wilson(k+1, n, Z99); upLow < low || upHigh < high {
				t.Fatalf("Wilson(%d, %d): one more in the numerator lowers an end", k, n)
			}
		}
		if moreLow, moreHigh := Wilson(10*k, 10*n, Z99); moreLow < low || moreHigh > high {
			t.Fatalf("Wilson(%d, %d): ten times the mail gives a wider interval", k, n)
		}
		mirrorLow, mirrorHigh := Wilson(n-k, n, Z99)
		if math.Abs(mirrorLow-(1-high)) > 1e-9 || math.Abs(mirrorHigh-(1-low)) > 1e-9 {
			t.Fatalf("Wilson(%d, %d) is not the mirror of its complement", k, n)
		}
	}
}
