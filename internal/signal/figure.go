package signal

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Floor is the denominator under which a figure is called insufficient.
const Floor = 1000

// State says how far a figure can be used.
type State uint8

// The states. When several fit, the first of error, no_data, stale, idle, not_reported, insufficient, immature and ok is
// given: first what makes the figure meaningless, then what explains that there is none, then what makes it weak.
const (
	// OK figures are final: no more than 1 % of their denominator is younger than the signal's maturity.
	OK State = iota
	// Immature figures may still grow, because more of their mail is younger than the signal's maturity.
	Immature
	// Idle means that no mail was sent in the window.
	Idle
	// NoData means that mail was sent, of which the origins publish too little to tell.
	NoData
	// NotReported means that mail was delivered, but nowhere where anybody reports what is counted.
	NotReported
	// Insufficient figures have a denominator under Floor; immature ones too, as Matured tells.
	Insufficient
	// Stale figures rest on sources that have all been failing; they may have a value, of what was known before.
	Stale
	// Error means that the counts contradict each other: more in the numerator than in the denominator.
	Error
	stateEnd
)

var stateNames = [stateEnd]string{
	OK:           "ok",
	Immature:     "immature",
	Idle:         "idle",
	NoData:       "no_data",
	NotReported:  "not_reported",
	Insufficient: "insufficient",
	Stale:        "stale",
	Error:        "error",
}

// String returns the state's name.
func (s State) String() string {
	if s < stateEnd {
		return stateNames[s]
	}
	return "unknown"
}

// MarshalText gives the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the state's name.
func (s *State) UnmarshalText(text []byte) error {
	for state, name := range stateNames {
		if name == string(text) {
			*s = State(state)
			return nil
		}
	}
	return fmt.Errorf("%q is no state", text)
}

// Basis says from what the denominator "attempted" was taken.
type Basis string

// The bases of attempted; signals with another denominator have none.
const (
	// BasisAttempted is sent, less what SES did not try to deliver.
	BasisAttempted Basis = "attempted"
	// BasisSettled is delivered and bounced, where no Send events are published.
	BasisSettled Basis = "settled"
	// BasisMixed is the one for part of the mail and the other for the rest.
	BasisMixed Basis = "mixed"
)

// Part is a rate with its interval.
type Part struct {
	Numerator, Denominator int64
	// Known says that Value, Low and High hold something: there is a denominator and the numerator is part of it.
	Known bool
	// Value is between 0 and 1. Low and High are the ends of its Wilson interval, each a one-sided bound at 99 %.
	Value, Low, High float64
}

func newPart(numerator, denominator int64) Part {
	p := Part{Numerator: numerator, Denominator: denominator}
	if denominator <= 0 || numerator < 0 || numerator > denominator {
		return p
	}
	p.Known = true
	p.Value = float64(numerator) / float64(denominator)
	p.Low, p.High = Wilson(numerator, denominator, Z99)
	return p
}

// contradicts says that the numbers cannot be those of a part and its whole.
func (p Part) contradicts() bool { return p.Numerator < 0 || p.Numerator > p.Denominator }

// Figure is what some counts say about one signal.
type Figure struct {
	Part
	// MeasuredShare is the part of deliveries that a complaint rate speaks of, between 0 and 1. It is meaningful when
	// Measured is true.
	MeasuredShare float64
	Measured      bool
	Basis         Basis
	State         State
	// Mature is the figure of that part of the mail which is at least as old as the signal's maturity. It is what may be
	// tested for being low and what may be compared: rolling windows always hold young mail.
	Mature Part
}

// Figure says what the counts tell about a signal. Recent are the counts of that part of the same mail which is younger
// than the signal's maturity. Stale says that the sources of the counts have been failing.
func (c *Counts) Figure(s Signal, recent *Counts, stale bool) Figure {
	k, n := c.numerator[s], c.denominator(s)
	f := Figure{
		Part:   newPart(k, n),
		Mature: newPart(k-recent.numerator[s], n-recent.denominator(s)),
	}
	switch {
	case s == ComplaintRate && c.delivered > 0:
		f.Measured = true
		f.MeasuredShare = float64(n) / float64(c.delivered)
	case s <= DelayRate:
		f.Basis = c.basis()
	}
	f.State = c.state(s, &f, stale)
	return f
}

func (c *Counts) state(s Signal, f *Figure, stale bool) State {
	mail, covered := c.seen(s)
	switch {
	case f.contradicts():
		return Error
	case mail && !covered:
		return NoData
	case stale:
		return Stale
	case !mail:
		return Idle
	case f.Measured && f.Denominator == 0:
		return NotReported
	case f.Denominator < Floor:
		return Insufficient
	case !f.Matured():
		return Immature
	default:
		return OK
	}
}

func (c *Counts) basis() Basis {
	switch {
	case c.attempted != 0 && c.settled != 0:
		return BasisMixed
	case c.settled != 0:
		return BasisSettled
	case c.attempted != 0:
		return BasisAttempted
	default:
		return ""
	}
}

// Matured says whether at least 99 % of the denominator is of mail at least as old as the signal's maturity.
func (f *Figure) Matured() bool {
	return f.Denominator > 0 && 100*f.Mature.Denominator >= 99*f.Denominator
}

type partJSON struct {
	Value       *ratio `json:"value,omitempty"`
	Low         *ratio `json:"low,omitempty"`
	High        *ratio `json:"high,omitempty"`
	Numerator   *int64 `json:"numerator,omitempty"`
	Denominator *int64 `json:"denominator,omitempty"`
}

// ratio is written with six digits that count: people read it, and numerator and denominator, which are exact, stand beside it.
type ratio float64

func (r ratio) MarshalJSON() ([]byte, error) {
	short, err := strconv.ParseFloat(strconv.FormatFloat(float64(r), 'g', 6, 64), 64)
	if err != nil {
		return nil, err
	}
	return strconv.AppendFloat(nil, short, 'f', -1, 64), nil
}

func (p *Part) wire() partJSON {
	w := partJSON{Numerator: &p.Numerator, Denominator: &p.Denominator}
	if p.Known {
		w.Value, w.Low, w.High = (*ratio)(&p.Value), (*ratio)(&p.Low), (*ratio)(&p.High)
	}
	return w
}

// MarshalJSON leaves out what is not known, so that nothing unknown reads as 0, and the mature part where it is the whole.
func (f Figure) MarshalJSON() ([]byte, error) {
	var w struct {
		partJSON
		MeasuredShare *ratio    `json:"measured_share,omitempty"`
		Basis         Basis     `json:"basis,omitempty"`
		State         State     `json:"state"`
		Mature        *partJSON `json:"mature,omitempty"`
	}
	if f.State != NoData {
		w.partJSON = f.wire()
	}
	if f.Measured {
		w.MeasuredShare = (*ratio)(&f.MeasuredShare)
	}
	w.Basis, w.State = f.Basis, f.State
	if f.Mature.Known && f.Mature != f.Part {
		mature := f.Mature.wire()
		w.Mature = &mature
	}
	return json.Marshal(&w)
}
