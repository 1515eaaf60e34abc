package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"
	"time"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/mailvane/mailvane/internal/observation"
)

// Chart is a picture of the report, with the text that says what is to be seen in it.
type Chart struct {
	// Name is of letters and hyphens, and the same in every report.
	Name string
	// Title stands above the chart, Alt says in words what it shows.
	Title, Alt string
	// SVG is for wide screens and paper, Narrow for phones; PNG is the narrow one, for mails, that are read on both.
	SVG, Narrow, PNG []byte
}

// The names of the charts.
const (
	ChartCampaigns  = "campaigns"
	ChartGmail      = "gmail"
	ChartBounces    = "bounces"
	ChartComplaints = "complaints"
	ChartMail       = "mail"
)

// The colours are those of Okabe and Ito, which people tell apart whatever their eyes (https://jfly.uni-koeln.de/color/).
// Nothing is told by colour alone: lines differ in their dashes and marks, too, and print in black and white.
func inks() []color.Color {
	return []color.Color{
		color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
		color.RGBA{0xcc, 0x79, 0xa7, 0xff},
	}
}

var (
	inkText  = color.RGBA{0x1f, 0x29, 0x33, 0xff}
	inkQuiet = color.RGBA{0x5b, 0x67, 0x70, 0xff}
	inkGrid  = color.RGBA{0xdd, 0xe2, 0xe6, 0xff}
	inkLine  = color.RGBA{0xb2, 0x3a, 0x00, 0xff}
	inkAct   = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	inkPale  = color.RGBA{0x9f, 0xc6, 0xe0, 0xff}
	inkShade = color.RGBA{0xf1, 0xf4, 0xf6, 0xff}
)

const (
	chartWidth = 560 * vg.Length(1)
	// narrowWidth is that of a phone, so that texts are as large there as those around the chart.
	narrowWidth = 340 * vg.Length(1)
	// chartDPI makes PNGs twice as fine as they are shown.
	chartDPI = 144
	// chartMargin is about what the labels beside a chart take.
	chartMargin = 60
	// maxLines bounds the lines of a chart, maxBars its bars.
	maxLines = 4
	maxBars  = 8
)

// charts draws the report's charts in the forms that are asked for: a PNG takes a thousand times what an SVG does. Those of
// which there is nothing to be seen are left out.
func charts(r *Report, svg, png bool) ([]Chart, error) {
	var all []Chart
	for _, draw := range []func(*Report, vg.Length) (*drawing, bool){
		drawCampaigns, drawGmail, drawBounces, drawComplaints, drawMail,
	} {
		d, ok := draw(r, narrowWidth)
		if !ok {
			continue
		}
		c := Chart{Name: d.name, Title: d.title, Alt: d.alt}
		var err error
		if png {
			c.PNG, err = d.png()
		}
		if svg && err == nil {
			c.Narrow, err = d.svg()
		}
		if svg && err == nil {
			d, _ = draw(r, chartWidth)
			c.SVG, err = d.svg()
		}
		if err != nil {
			return nil, fmt.Errorf("draw the chart %s: %w", d.name, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// drawing is a chart before it is drawn.
type drawing struct {
	*plot.Plot
	name, title, alt string
	width, height    vg.Length
}

func newDrawing(name, title string, width, height vg.Length) *drawing {
	d := &drawing{Plot: plot.New(), name: name, title: title, width: width, height: height}
	d.BackgroundColor = color.White
	for _, axis := range []*plot.Axis{&d.X, &d.Y} {
		axis.Tick.Label.Font, axis.Tick.Label.Color = chartFont(), inkQuiet
		axis.Color, axis.Tick.Color = inkGrid, inkGrid
	}
	d.Legend.Top, d.Legend.Left = true, true
	d.Legend.TextStyle.Font, d.Legend.TextStyle.Color = chartFont(), inkText
	d.Legend.Padding, d.Legend.ThumbnailWidth = 3, 24
	return d
}

// narrow says that texts have no room beside what they are about.
func (d *drawing) narrow() bool { return d.width < chartWidth }

// chartFont is the font of all texts. It comes with the library, so that PNGs are the same everywhere.
func chartFont() font.Font { return font.Font{Typeface: "Liberation", Variant: "Sans", Size: 12} }

func (d *drawing) svg() ([]byte, error) {
	canvas := &fittedSVG{Canvas: vgsvg.New(d.width, d.height)}
	d.Draw(draw.NewCanvas(canvas, d.width, d.height))
	var b bytes.Buffer
	_, err := canvas.WriteTo(&b)
	return canvas.fit(b.Bytes()), err
}

func (d *drawing) png() ([]byte, error) {
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(d.width, d.height), vgimg.UseDPI(chartDPI))}
	d.Draw(draw.New(canvas))
	var b bytes.Buffer
	_, err := canvas.WriteTo(&b)
	return b.Bytes(), err
}

// line draws a horizontal line with a name beside its right end, in a narrow chart with its value there and its name in the
// legend.
func (d *drawing) line(l limit, from, to float64) {
	drawn := must(plotter.NewLine(plotter.XYs{{X: from, Y: l.at}, {X: to, Y: l.at}}))
	drawn.Color, drawn.Width, drawn.Dashes = inkLine, 1.2, []vg.Length{5, 3}
	name := l.does + " " + percent(l.at)
	if d.narrow() {
		d.Legend.Add(name, drawn)
		name = percent(l.at)
	}
	d.Add(drawn, caption(to, l.at, name, inkLine))
}

// caption is a text to the right of a place.
func caption(x, y float64, text string, ink color.Color) *plotter.Labels {
	labels := must(plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{text}}))
	style := &labels.TextStyle[0]
	style.Font, style.Color, style.YAlign = chartFont(), ink, draw.YCenter
	labels.Offset = vg.Point{X: 5}
	return labels
}

// must is for what fails only on values that are not numbers, of which none get here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// shown is a name as a chart shows it: short, and without what would break a line or turn it round.
func shown(name string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, name)
	if runes := []rune(clean); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return clean
}

// series is a line of a chart over days; a value that is not known breaks it.
type series struct {
	name   string
	points []dayValue
}

type dayValue struct {
	day   float64
	value *float64
}

// dayNumber counts days, so that a date is a place on the axis.
func dayNumber(date string) float64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0
	}
	return float64(t.Unix()) / 86400
}

// limit is a line that a rate should not reach.
type limit struct {
	at float64
	// does says before the value what it is about.
	does string
}

// rates draws rates by days over all weeks, with the period shaded and the lines that matter.
func (d *drawing) rates(r *Report, all []series, limits []limit) {
	first, last := dayNumber(r.Weeks[0].From), dayNumber(r.Period.To)
	start, top := dayNumber(r.Period.From), 0.0
	for _, l := range limits {
		top = math.Max(top, l.at)
	}
	for _, s := range all {
		for _, p := range s.points {
			if p.value != nil {
				top = math.Max(top, *p.value)
			}
		}
	}
	// Room is left for the legend above, and beside for the names of the lines.
	above, beside := 1.25, 0.32
	if d.narrow() {
		above, beside = 1.35+0.1*float64(len(all)), 0.15
	}
	top *= above
	shade := must(plotter.NewPolygon(plotter.XYs{{X: start - 0.5, Y: 0}, {X: last + 0.5, Y: 0}, {X: last + 0.5, Y: top}, {X: start - 0.5, Y: top}}))
	shade.Color, shade.Width = inkShade, 0
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, inkGrid
	d.Add(shade, grid)
	for _, l := range limits {
		d.line(l, first-0.5, last+0.5)
	}
	for i, s := range all {
		d.series(s, i)
	}
	d.X.Min, d.X.Max, d.Y.Min, d.Y.Max = first-0.5, last+0.5+(last-first+1)*beside, 0, top
	d.X.Tick.Marker, d.Y.Tick.Marker = weekTicks{first, last, d.narrow()}, percentTicks{}
}

// series draws one line, broken where days are missing.
func (d *drawing) series(s series, n int) {
	ink, dashes := inks()[n%len(inks())], [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}}[n%4]
	shape := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}}[n%4]
	var run, marks plotter.XYs
	flush := func() {
		if len(run) > 1 {
			l := must(plotter.NewLine(run))
			l.Color, l.Width, l.Dashes = ink, 2, dashes
			d.Add(l)
		}
		run = nil
	}
	for _, p := range s.points {
		if p.value == nil {
			flush()
			continue
		}
		xy := plotter.XY{X: p.day, Y: *p.value}
		run, marks = append(run, xy), append(marks, xy)
	}
	flush()
	if len(marks) == 0 {
		return
	}
	scatter := must(plotter.NewScatter(marks))
	scatter.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: 2.6, Shape: shape}
	d.Add(scatter)
	thumb := must(plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}))
	thumb.Color, thumb.Width, thumb.Dashes = ink, 2, dashes
	d.Legend.Add(shown(s.name, 40), thumb, scatter)
}

// drawGmail draws the spam rates of the domains.
func drawGmail(r *Report, width vg.Length) (*drawing, bool) {
	d := newDrawing(ChartGmail, "What Gmail users report as spam, by domain and day", width, 260)
	var all []series
	var words []string
	for i := range r.Domains {
		domain := &r.Domains[i]
		if domain.Highest == nil || len(all) == maxLines || r.above(domain) {
			continue
		}
		s := series{name: domain.Domain.Domain}
		for _, days := range [][]DomainDay{domain.Earlier, domain.Days} {
			for _, day := range days {
				s.points = append(s.points, dayValue{dayNumber(day.Day.String()), day.SpamRate})
			}
		}
		all = append(all, s)
		words = append(words, fmt.Sprintf("%s: highest %s on %s, told on %d of %d days", domain.Domain.Domain, percent(domain.Highest.Rate),
			dayOf(domain.Highest.Day.String()), domain.DaysReported, domain.DaysInWindow))
	}
	if len(all) == 0 {
		return nil, false
	}
	d.rates(r, all, []limit{{gmailAct, "stay below"}, {gmailStop, "never reach"}})
	d.alt = "Lines by day. " + strings.Join(words, "; ") + ". Gmail asks to stay below 0.1 % and never to reach 0.3 %. Days that did not come are gaps."
	return d, true
}

func drawBounces(r *Report, width vg.Length) (*drawing, bool) {
	return drawAccounts(r, width, ChartBounces, "SES's bounce rate of the account", func(a *Account) []Point { return a.Bounces }, 0.05, 0.10)
}

func drawComplaints(r *Report, width vg.Length) (*drawing, bool) {
	return drawAccounts(r, width, ChartComplaints, "SES's complaint rate of the account", func(a *Account) []Point { return a.Complaints }, 0.001, 0.005)
}

// drawAccounts draws a rate of the accounts with SES's lines.
func drawAccounts(r *Report, width vg.Length, name, title string, points func(*Account) []Point, review, pause float64) (*drawing, bool) {
	d := newDrawing(name, title, width, 220)
	var all []series
	var words []string
	for i := range r.Accounts {
		a := &r.Accounts[i]
		rates := points(a)
		if len(rates) == 0 || len(all) == maxLines {
			continue
		}
		s := series{name: accountName(a)}
		for _, p := range rates {
			s.points = append(s.points, dayValue{dayNumber(p.At.In(r.Period.Location()).Format(time.DateOnly)), &p.Value})
		}
		all = append(all, s)
		words = append(words, fmt.Sprintf("%s: %s at the end, %s at the beginning", s.name, percent(rates[len(rates)-1].Value), percent(rates[0].Value)))
	}
	if len(all) == 0 {
		return nil, false
	}
	d.rates(r, all, []limit{{review, "reviewed at"}, {pause, "paused at"}})
	d.alt = fmt.Sprintf("Lines by day. %s. SES reviews an account at %s and may pause it at %s.", strings.Join(words, "; "), percent(review), percent(pause))
	return d, true
}

// drawMail draws how much was sent each day.
func drawMail(r *Report, width vg.Length) (*drawing, bool) {
	d := newDrawing(ChartMail, "Mail sent, by day", width, 200)
	each := vg.Length(math.Max(3, math.Min(48, 0.75*float64(width-chartMargin)/float64(len(r.Days)))))
	sent, young := make(plotter.Values, len(r.Days)), make(plotter.Values, len(r.Days))
	total, youngDays := int64(0), 0
	var words []string
	for i := range r.Days {
		day := &r.Days[i]
		n := max(day.Recipients[observation.Sent], day.Recipients[observation.Delivered])
		total += n
		into := sent
		if day.Immature {
			into, youngDays = young, youngDays+1
		}
		into[i] = float64(n)
		words = append(words, dayOf(day.From)+" "+count(n))
	}
	if total == 0 {
		return nil, false
	}
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, inkGrid
	d.Add(grid)
	for _, bars := range []struct {
		name   string
		values plotter.Values
		ink    color.Color
		days   int
	}{{"figures are final", sent, inks()[0], len(r.Days) - youngDays}, {"complaints may still come", young, inkPale, youngDays}} {
		b := must(plotter.NewBarChart(bars.values, each))
		b.Color, b.LineStyle.Width = bars.ink, 0
		d.Add(b)
		if bars.days > 0 && youngDays > 0 {
			d.Legend.Add(bars.name, b)
		}
	}
	d.Y.Min, d.Y.Max = 0, d.Y.Max*1.3
	d.X.Tick.Marker, d.Y.Tick.Marker = dayTicks{r.Days, int((width - chartMargin) / 62)}, countTicks{}
	d.X.Min, d.X.Max = -0.6, float64(len(r.Days))-0.4
	d.alt = "Bars by day: " + strings.Join(words, ", ") + "."
	return d, true
}
