package report

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/mailvane/mailvane/internal/signal"
)

// farBeyond is how many times a line a bar shows; what is further beyond says so beside its bar.
const farBeyond = 6.0

// bar is a campaign and how many times its line its figure is; stop is where to stop, in the same measure, 0 for nowhere.
type bar struct {
	name, figure string
	times, stop  float64
	level        Level
}

// bars are those of the campaigns with something to do, and the chart in words.
func (r *Report) bars() (bars []bar, words []string) {
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.About != AboutCampaign || a.Value == nil || a.Line == nil || len(bars) == maxBars {
			continue
		}
		l := lines{gmailAct, gmailStop}
		if s, ok := signal.Parse(a.Signal); ok {
			l = linesOf(s)
		}
		if l.act == 0 {
			continue
		}
		name, figure := label(a.Tenant, a.Subject), percent(*a.Value)+" "+barWords(a.Signal)
		bars = append(bars, bar{name, figure, *a.Value / l.act, l.stop / l.act, a.Level})
		words = append(words, fmt.Sprintf("%s: %s, %s the line", name, figure, times(*a.Value, l.act)))
	}
	return bars, words
}

// drawCampaigns draws how far campaigns are beyond the line of what is worst about them.
func drawCampaigns(r *Report, width vg.Length) (*drawing, bool) {
	bars, words := r.bars()
	if len(bars) == 0 {
		return nil, false
	}
	d := newDrawing(ChartCampaigns, "How far campaigns are beyond their lines", width, vg.Length(64+34*len(bars)))
	d.X.Max = farBeyond * 2.5
	if d.narrow() {
		d.X.Max, d.height = farBeyond*1.1, vg.Length(40+64*len(bars))
	}
	names := make([]plot.Tick, 0, len(bars))
	for i := range bars {
		y := float64(len(bars) - 1 - i)
		d.bar(&bars[i], y)
		if !d.narrow() {
			names = append(names, plot.Tick{Value: y, Label: shown(bars[i].name, 24)})
		}
	}
	if !d.narrow() {
		d.theLine(-0.6, float64(len(bars))-0.4)
	}
	d.X.Min, d.Y.Min, d.Y.Max = 0, -0.6, float64(len(bars))-0.4
	d.X.Tick.Marker = plot.ConstantTicks([]plot.Tick{
		{Value: 0, Label: "0"}, {Value: 1, Label: "the line"}, {Value: 3, Label: "3 times"}, {Value: 6, Label: "6 times"},
	})
	d.Y.Tick.Marker, d.Y.Tick.Label.Color, d.Y.Width, d.Y.Tick.Width = plot.ConstantTicks(names), inkText, 0, 0
	d.alt = "Bars, the length of which is how many times its line a campaign's figure is; an upright mark shows where to stop. " +
		strings.Join(words, "; ") + "."
	return d, true
}

// theLine draws the line that all bars are measured by.
func (d *drawing) theLine(from, to float64) {
	one := must(plotter.NewLine(plotter.XYs{{X: 1, Y: from}, {X: 1, Y: to}}))
	one.Color, one.Width, one.Dashes = inkText, 1.2, []vg.Length{4, 3}
	d.Add(one)
}

// bar draws one bar, with a mark where to stop and the figure in words; in a narrow chart with the name above and the figure
// below it.
func (d *drawing) bar(b *bar, y float64) {
	length, ink := math.Min(b.times, farBeyond), inkPale
	switch b.level {
	case LevelUrgent:
		ink = inkLine
	case LevelAct:
		ink = inkAct
	}
	half, over := 0.3, 0.12
	if d.narrow() {
		half, over = 0.13, 0.04
	}
	box := must(plotter.NewPolygon(plotter.XYs{{X: 0, Y: y - half}, {X: length, Y: y - half}, {X: length, Y: y + half}, {X: 0, Y: y + half}}))
	box.Color, box.Width = ink, 0
	d.Add(box)
	if b.stop > 0 && b.stop <= farBeyond {
		mark := must(plotter.NewLine(plotter.XYs{{X: b.stop, Y: y - half - over}, {X: b.stop, Y: y + half + over}}))
		mark.Color, mark.Width = inkText, 2
		d.Add(mark)
		length = math.Max(length, b.stop)
	}
	text := b.figure
	if b.times > farBeyond {
		text += ", " + times(b.times, 1) + " the line"
	}
	if d.narrow() {
		d.theLine(y-half-over, y+half+over) // elsewhere it would run through texts
		d.Add(caption(0, y+0.29, shown(b.name, 48), inkText), caption(0, y-0.29, text, inkQuiet))
		return
	}
	d.Add(caption(length, y, text, inkText))
}

func barWords(name string) string {
	switch name {
	case signal.ComplaintRate.String():
		return "complaints"
	case signal.HardBounceRate.String():
		return "refused for good"
	case signal.BlockRate.String():
		return "blocked"
	case signal.DelayRate.String():
		return "put off"
	default:
		return "spam reports at Gmail"
	}
}
