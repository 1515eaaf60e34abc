package report

import (
	"math"
	"time"

	"gonum.org/v1/plot"
)

// weekTicks marks the first day of each week.
type weekTicks struct {
	first, last float64
	// short leaves out the day of the week, which is the same for all.
	short bool
}

// Ticks implements plot.Ticker.
func (t weekTicks) Ticks(float64, float64) []plot.Tick {
	var ticks []plot.Tick
	step := 7.0
	for t.last-t.first > 8*step {
		step += 7
	}
	layout := "Mon 2 Jan"
	if t.short {
		layout = "2 Jan"
	}
	for at := t.first; at <= t.last; at += step {
		ticks = append(ticks, plot.Tick{Value: at, Label: time.Unix(int64(at)*86400, 0).UTC().Format(layout)})
	}
	return ticks
}

// percentTicks writes shares as per cent.
type percentTicks struct{}

// Ticks implements plot.Ticker.
func (percentTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (plot.DefaultTicks{}).Ticks(low*100, high*100) {
		if t.Label != "" {
			ticks = append(ticks, plot.Tick{Value: t.Value / 100, Label: decimal(t.Value, 3) + nbsp + "%"})
		}
	}
	return ticks
}

// dayTicks names the days of a period, not all of them when there are many.
type dayTicks struct {
	days []Span
	// room is for how many names there is room.
	room int
}

// Ticks implements plot.Ticker.
func (t dayTicks) Ticks(float64, float64) []plot.Tick {
	var ticks []plot.Tick
	step := (len(t.days) + t.room - 1) / t.room
	for i := 0; i < len(t.days); i += step {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: dayOf(t.days[i].From)})
	}
	return ticks
}

// countTicks writes counts.
type countTicks struct{}

// Ticks implements plot.Ticker.
func (countTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for _, t := range (plot.DefaultTicks{}).Ticks(low, high) {
		if t.Label != "" && t.Value == math.Trunc(t.Value) {
			ticks = append(ticks, plot.Tick{Value: t.Value, Label: count(int64(t.Value))})
		}
	}
	return ticks
}
