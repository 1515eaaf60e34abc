package signal

import "math"

// The one-sided normal quantiles of the two confidences: a true rate lies under the low end of its interval with a
// chance of at most 1 %, or 0.1 %.
const (
	// Z99 is the quantile of 99 %, for warnings and for the interval of every Figure.
	Z99 = 2.326347874040841
	// Z999 is the quantile of 99.9 %, for criticals.
	Z999 = 3.090232306167813
)

// Wilson returns the ends of the score interval for k of n: each is a one-sided bound at the confidence whose quantile
// is z. It holds 0 <= low <= k/n <= high <= 1, and is [0, 1] when n is 0. It needs 0 <= k <= n.
//
// Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212.
func Wilson(k, n int64, z float64) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	size := float64(n)
	p := float64(k) / size
	zz := z * z / size
	middle := p + zz/2
	half := z * math.Sqrt(p*(1-p)/size+zz/(4*size))
	low, high = (middle-half)/(1+zz), (middle+half)/(1+zz)
	// Rounding must not move an end past the rate itself, nor leave 0 and 1 where the formula gives exactly those.
	if low = min(low, p); k == 0 {
		low = 0
	}
	if high = max(high, p); k == n {
		high = 1
	}
	return max(low, 0), min(high, 1)
}
