package view

import (
	"encoding/json"
	"fmt"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Recipients) UnmarshalJSON(text []byte) error {
	var counts map[string]int64
	if err := json.Unmarshal(text, &counts); err != nil {
		return err
	}
	*r = Recipients{}
	for _, o := range observation.Outcomes() {
		r[o] = counts[o.String()]
	}
	return nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Signals) UnmarshalJSON(text []byte) error {
	var figures map[string]figureJSON
	if err := json.Unmarshal(text, &figures); err != nil {
		return err
	}
	*s = Signals{}
	for i := range s {
		f, ok := figures[signal.Signal(i).String()]
		if !ok {
			return fmt.Errorf("there is no %s among the signals", signal.Signal(i))
		}
		s[i] = f.figure()
	}
	return nil
}

// figureJSON is a figure as signal.Figure writes it.
type figureJSON struct {
	partJSON
	MeasuredShare *float64     `json:"measured_share"`
	Basis         signal.Basis `json:"basis"`
	State         signal.State `json:"state"`
	Mature        *partJSON    `json:"mature"`
}

type partJSON struct {
	Value       *float64 `json:"value"`
	Low         *float64 `json:"low"`
	High        *float64 `json:"high"`
	Numerator   int64    `json:"numerator"`
	Denominator int64    `json:"denominator"`
}

func (p *partJSON) part() signal.Part {
	part := signal.Part{Numerator: p.Numerator, Denominator: p.Denominator}
	if p.Value != nil && p.Low != nil && p.High != nil {
		part.Known, part.Value, part.Low, part.High = true, *p.Value, *p.Low, *p.High
	}
	return part
}

func (f *figureJSON) figure() signal.Figure {
	figure := signal.Figure{Part: f.part(), Basis: f.Basis, State: f.State}
	if f.MeasuredShare != nil {
		figure.Measured, figure.MeasuredShare = true, *f.MeasuredShare
	}
	if f.Mature != nil {
		figure.Mature = f.Mature.part()
	} else if f.State != signal.NoData && f.State != signal.Immature {
		figure.Mature = figure.Part
	}
	return figure
}
