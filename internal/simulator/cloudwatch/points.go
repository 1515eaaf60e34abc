package cloudwatch

import (
	"math"
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// point is the value of the period that begins at a time.
type point struct {
	at    time.Time
	value float64
}

const day = 24 * time.Hour

// The age up to which CloudWatch keeps points of a minute, of five minutes and of an hour.
const (
	keepsMinutes = 15 * day
	keepsFive    = 63 * day
	keepsHours   = 455 * day
)

// resolution is the width of what is kept of a time.
func resolution(age time.Duration) time.Duration {
	switch {
	case age <= keepsMinutes:
		return time.Minute
	case age <= keepsFive:
		return 5 * time.Minute
	default:
		return time.Hour
	}
}

// statistic is how a value is made of a period's data, nil for statistics that are not simulated.
func statistic(name string) func(traffic.Datum) float64 {
	switch name {
	case "Sum":
		return func(d traffic.Datum) float64 { return d.Sum }
	case "Average":
		return func(d traffic.Datum) float64 { return d.Sum / float64(d.Samples) }
	case "Minimum":
		return func(d traffic.Datum) float64 { return d.Min }
	case "Maximum":
		return func(d traffic.Datum) float64 { return d.Max }
	case "SampleCount":
		return func(d traffic.Datum) float64 { return float64(d.Samples) }
	default:
		return nil
	}
}

// points returns the answer to a query, in the order that is asked for, and its status.
func (s *Server) points(caller gate.Caller, r *request, q *query) (points []point, status string) {
	if status = s.spoiled(caller, q); status == "InternalError" || status == "Forbidden" {
		return nil, status
	}
	points = s.whole(caller, r, q)
	if status == "PartialData" {
		points = points[:len(points)/2]
	} else {
		status = "Complete"
	}
	if !r.ascending {
		slices.Reverse(points)
	}
	return points, status
}

// whole returns all points of a query, oldest first. Periods are counted from the start, which is rounded down to what is
// kept of its time.
func (s *Server) whole(caller gate.Caller, r *request, q *query) (points []point) {
	now := s.now()
	from := r.from.Truncate(resolution(now.Sub(r.from)))
	if oldest := now.Add(-keepsHours); from.Before(oldest) {
		from = from.Add(oldest.Sub(from).Truncate(q.period))
	}
	to := r.to
	if to.After(now) {
		to = now
	}
	if !q.known || !from.Before(to) {
		return nil
	}
	value := statistic(q.stat)
	var sum traffic.Datum
	end := func() {
		if sum.Samples > 0 {
			points = append(points, point{sum.At, value(sum)})
		}
	}
	for _, d := range s.options.Source.Data(caller.Account, caller.Region, q.metric, from, to) {
		if q.period%resolution(now.Sub(d.At)) != 0 {
			continue // what is left of it is wider than the period
		}
		if d = s.seen(d, caller.Region, q.metric.Name, now); d.Samples == 0 {
			continue
		}
		start := from.Add(d.At.Sub(from).Truncate(q.period))
		if !start.Equal(sum.At) || sum.Samples == 0 {
			end()
			sum = traffic.Datum{At: start, Min: math.Inf(1), Max: math.Inf(-1)}
		}
		sum.Samples, sum.Sum = sum.Samples+d.Samples, sum.Sum+d.Sum
		sum.Min, sum.Max = min(sum.Min, d.Min), max(sum.Max, d.Max)
	}
	end()
	return points
}

// seen is what has appeared of a minute.
func (s *Server) seen(d traffic.Datum, region, name string, now time.Time) traffic.Datum {
	age := now.Sub(d.At) - time.Minute - s.options.Delay
	share := 1.0
	for i := range s.options.Late {
		if l := &s.options.Late[i]; l.strikes(d.At, region, name) && age < l.By {
			share = min(share, l.Draft)
		}
	}
	if age < 0 {
		share = 0
	}
	if share < 1 {
		samples := int64(share * float64(d.Samples))
		d.Sum *= float64(samples) / float64(max(d.Samples, 1))
		d.Samples = samples
	}
	return d
}

func (l *Late) strikes(at time.Time, region, name string) bool {
	return (l.Name == "" || l.Name == name) && (l.Region == "" || l.Region == region) && !at.Before(l.From) &&
		(l.To.IsZero() || at.Before(l.To)) && (l.Every < 2 || at.Unix()/60%int64(l.Every) == 0)
}

// spoiled is the status that an injected Spoil gives to a query's result.
func (s *Server) spoiled(caller gate.Caller, q *query) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.spoils {
		value := p.Value == ""
		for _, d := range q.metric.Dimensions {
			value = value || d.Value == p.Value
		}
		if value && (p.Name == "" || p.Name == q.metric.Name) && (p.Region == "" || p.Region == caller.Region) {
			return p.Status
		}
	}
	return ""
}
