package signal

import (
	"math"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 13, 0, 0, 0, 0, time.UTC)

// rising are points every six hours from a value on, growing by so much in a day.
func rising(n int, from, perDay float64) (points []Point) {
	for i := range n {
		points = append(points, Point{start.Add(time.Duration(i) * 6 * time.Hour), from + perDay*float64(i)/4})
	}
	return points
}

func TestHeadroom(t *testing.T) {
	t.Parallel()
	f := func(points []Point, lines Lines, level Level, left float64, reaches time.Duration) {
		t.Helper()
		h := HeadroomOf(points, lines)
		if h.Level != level || math.Abs(h.Left-left) > 1e-9 || (h.Reaches-reaches).Abs() > time.Minute {
			t.Errorf("HeadroomOf(… %v) = %s, left %v, reaches %v; want %s, %v, %v", h.Value, h.Level, h.Left, h.Reaches, level, left, reaches)
		}
	}
	// 1 % a day, from 1 % up to 4 % after three days: a day is left.
	f(rising(13, 0.01, 0.01), BounceLines(), LevelOK, 0.01, 24*time.Hour)
	f(rising(13, 0.04, 0.01), BounceLines(), LevelReview, 0.03, 72*time.Hour)
	f(rising(13, 0.08, 0.01), BounceLines(), LevelPause, 0, 0)
	f(rising(13, 0.04, -0.01), BounceLines(), LevelOK, 0.04, 0)
	f(rising(13, 0.001, 0.0001), BounceLines(), LevelOK, 0.0487, 0) // more than two weeks ahead
	f([]Point{{start, 0.05}}, BounceLines(), LevelReview, 0.05, 0)
	f([]Point{{start, 0.0999999}}, BounceLines(), LevelReview, 0.0000001, 0)
	f([]Point{{start, 0.001}}, ComplaintLines(), LevelReview, 0.004, 0)
	f([]Point{{start, 0.005}}, ComplaintLines(), LevelPause, 0, 0)
	// The newest value counts, wherever it stands.
	f([]Point{{start.Add(time.Hour), 0.02}, {start, 0.09}}, BounceLines(), LevelOK, 0.03, 0)
}

func TestTrendNeedsPointsAndTime(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{4: false, 5: false, 6: true} {
		if h := HeadroomOf(rising(n, 0.01, 0.01), BounceLines()); h.Known != want {
			t.Errorf("%d points: trend known %v, want %v", n, h.Known, want)
		}
	}
	points := rising(20, 0.02, 0.005)
	for i := range points {
		points[i].At = start.Add(time.Duration(i) * time.Minute)
	}
	if h := HeadroomOf(points, BounceLines()); h.Known {
		t.Errorf("trend %v of 20 minutes", h.Trend)
	}
	if h := HeadroomOf(rising(20, 0.02, 0.005), BounceLines()); math.Abs(h.Trend-0.005) > 1e-12 {
		t.Errorf("trend %v, want 0.005", h.Trend)
	}
}
