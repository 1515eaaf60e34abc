package sampler

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// growthGrain is how far apart counts are kept.
const growthGrain = 5 * time.Minute

// counted is what a count had come to at a time.
type counted struct {
	at time.Time
	n  int64
}

// growth tells by how much a count that only grows has grown.
type growth struct {
	// since is when the count began, at 0.
	since time.Time
	now   counted
	// points are in their order, growthGrain apart at least, a week and a little of them.
	points []counted
}

// growths are those of all counts.
type growths map[growthKey]*growth

// growthKey names a count: of messages of a source in quarantine, or of names from a tag.
type growthKey struct {
	flood bool
	name  string
}

// note takes what was counted, and forgets what is no longer counted. Before is when it was called last, zero when it was not:
// what names came from is told of from its first name on, so that none had come from it by then.
func (all growths) note(d *Daemon, before, at time.Time) {
	there := map[growthKey]bool{}
	note := func(key growthKey, n int64) {
		there[key] = true
		if all[key] == nil {
			all[key] = &growth{since: d.Started}
			if key.flood && !before.IsZero() {
				all[key].points = []counted{{at: before}}
			}
		}
		all[key].note(n, at)
	}
	for i := range d.Sources {
		note(growthKey{name: d.Sources[i].Name}, d.Sources[i].Quarantined)
	}
	for _, f := range d.Floods {
		note(growthKey{true, f.Tag}, f.Names)
	}
	for key := range all {
		if !there[key] {
			delete(all, key)
		}
	}
}

func (g *growth) note(n int64, at time.Time) {
	if n < g.now.n { // it began anew, as for a source that was taken away and came back
		*g = growth{since: at}
	}
	g.now = counted{at, n}
	if last := len(g.points) - 1; last < 0 || at.Sub(g.points[last].at) >= growthGrain {
		g.points = append(g.points, g.now)
	}
	// The newest that is older than the longest window is still needed.
	old := at.Add(-signal.Week.Span())
	for len(g.points) > 1 && !g.points[1].at.After(old) {
		g.points = g.points[1:]
	}
}

// over is by how much the count grew in a window. A window that began before the count says how much at least: it may raise
// an alert, and that it is nothing says nothing.
func (g *growth) over(w signal.Window) number {
	start := g.now.at.Add(-w.Span())
	n := number{value: float64(g.now.n), known: true, state: signal.Immature, asOf: g.now.at.UTC()}
	for _, p := range slices.Backward(g.points) {
		if !p.at.After(start) {
			n.value, n.state = float64(g.now.n-p.n), signal.OK
			return n
		}
	}
	if !g.since.After(start) { // it had begun, and nobody looked
		n.value -= float64(g.points[0].n)
	}
	if n.value == 0 {
		n.state = signal.Insufficient
	}
	return n
}
