package report

import (
	"strconv"

	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// settle rounds figures as their JSON does, so that what is made of a report and of its JSON is the same.
func settle(f *view.Figures) {
	for i := range f.Signals {
		s := &f.Signals[i]
		if s.State == signal.NoData {
			s.Part = signal.Part{}
		}
		settlePart(&s.Part)
		settlePart(&s.Mature)
		if s.Mature == s.Part || !s.Mature.Known {
			s.Mature = signal.Part{}
		}
		s.MeasuredShare = short(s.MeasuredShare)
	}
}

func settlePart(p *signal.Part) { p.Value, p.Low, p.High = short(p.Value), short(p.Low), short(p.High) }

// short is a number with six digits that count, as the API has it.
func short(v float64) float64 {
	s, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return s
}
