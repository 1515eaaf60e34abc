package signal

import (
	"slices"
	"time"
)

// Lines are the rates at which SES acts upon an account: from Review on it looks into the account, from Pause on it may pause
// its sending (https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce.html, …/reputationdashboard-complaint.html).
type Lines struct{ Review, Pause float64 }

// BounceLines are those of the account's rate of hard bounces.
func BounceLines() Lines { return Lines{Review: 0.05, Pause: 0.10} }

// ComplaintLines are those of the account's rate of complaints.
func ComplaintLines() Lines { return Lines{Review: 0.001, Pause: 0.005} }

// Level says which of its lines a rate has reached.
type Level string

// The levels.
const (
	LevelOK     Level = "ok"
	LevelReview Level = "review"
	LevelPause  Level = "pause"
)

// Point is a value at a time.
type Point struct {
	At    time.Time
	Value float64
}

// Headroom is how far a value is from the lines at which somebody acts.
type Headroom struct {
	Value float64
	Lines
	Level Level
	// Left is how much the value may grow before it reaches the next line; 0 once it has reached the last.
	Left float64
	// Trend is by how much the value grows in a day, meaningful when Known is true.
	Trend float64
	Known bool
	// Reaches is how long it takes until the next line is reached if the trend goes on; 0 when it does not rise, has no
	// further line, or would take longer than MaxOutlook.
	Reaches time.Duration
}

const (
	// trendPoints and trendSpan are how many values over how long a trend needs at least.
	trendPoints = 6
	trendSpan   = 24 * time.Hour
	// MaxOutlook is how far a trend is followed: a rate that SES takes over a volume of mail does not rise in a straight
	// line for longer.
	MaxOutlook = 14 * 24 * time.Hour
)

// HeadroomOf says how far the last of the points is from the lines, and where the others lead. It needs a point; they are in
// any order.
func HeadroomOf(points []Point, lines Lines) Headroom {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
	h := Headroom{Value: points[len(points)-1].Value, Lines: lines, Level: LevelOK}
	next := lines.Review
	switch {
	case h.Value >= lines.Pause:
		h.Level, next = LevelPause, h.Value
	case h.Value >= lines.Review:
		h.Level, next = LevelReview, lines.Pause
	}
	h.Left = next - h.Value
	h.Trend, h.Known = slope(points)
	if h.Known && h.Trend > 0 && h.Left > 0 {
		if days := h.Left / h.Trend; days <= MaxOutlook.Hours()/24 {
			h.Reaches = time.Duration(days * 24 * float64(time.Hour))
		}
	}
	return h
}

// slope is the gradient, for a day, of the line with the least squares of distances from the points, which are in order.
func slope(points []Point) (perDay float64, ok bool) {
	first, last := points[0].At, points[len(points)-1].At
	if len(points) < trendPoints || last.Sub(first) < trendSpan {
		return 0, false
	}
	var x, y, xx, xy float64
	for _, p := range points {
		day := p.At.Sub(first).Hours() / 24
		x, y, xx, xy = x+day, y+p.Value, xx+day*day, xy+day*p.Value
	}
	n := float64(len(points))
	return (n*xy - x*y) / (n*xx - x*x), true
}
