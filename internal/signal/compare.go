package signal

// Verdict says whether a rate differs from an earlier one by more than chance.
type Verdict string

// The verdicts. Unclear means that the intervals overlap.
const (
	Higher  Verdict = "higher"
	Lower   Verdict = "lower"
	Unclear Verdict = "unclear"
)

// Comparison sets the mature part of a figure against that of an earlier one.
type Comparison struct {
	// Value and Before are the two rates.
	Value   float64 `json:"value"`
	Before  float64 `json:"before"`
	Verdict Verdict `json:"verdict"`
}

// Compare compares the mature parts of two figures. It gives nothing when one of them has no mature part of at least
// Floor: young or few mail enters no comparison.
func Compare(now, before *Figure) (Comparison, bool) {
	a, b := &now.Mature, &before.Mature
	if !a.Known || !b.Known || a.Denominator < Floor || b.Denominator < Floor {
		return Comparison{}, false
	}
	c := Comparison{Value: a.Value, Before: b.Value, Verdict: Unclear}
	switch {
	case a.Low > b.High:
		c.Verdict = Higher
	case a.High < b.Low:
		c.Verdict = Lower
	}
	return c, true
}
