package sampler

import (
	"time"

	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// share is a share of coverage as it is.
func share(c *view.Coverage, asOf time.Time) number {
	n := number{state: c.State, asOf: asOf}
	if c.Share != nil {
		n.value, n.known = *c.Share, true
	}
	return n
}

// eventCoverage is the share of events that arrived. That none of one type does is an error of that type, of which deaf_loop
// tells; the share of all is known all the same. Hours are compared up to coverage's end.
func eventCoverage(c *view.EventCoverage, asOf time.Time) number {
	n := share(&c.Events, asOf)
	if !c.To.IsZero() {
		n.asOf = c.To
	}
	if c.Events.Finding == signal.Deaf && n.known {
		n.state = signal.OK
		if c.Events.Denominator < signal.CoverageFloor {
			n.state = signal.Insufficient
		}
	}
	return n
}

// deafLoops says of each type of event, and of each type of a configuration set that CloudWatch counts, whether none arrives.
func deafLoops(c *view.EventCoverage, asOf time.Time) (all []detailed) {
	if !c.To.IsZero() {
		asOf = c.To
	}
	for i := range c.Of {
		all = append(all, detailed{detail: c.Of[i].Of, number: deaf(&c.Of[i], asOf)})
	}
	for i := range c.Sets {
		set := &c.Sets[i]
		for k := range set.Of {
			all = append(all, detailed{
				detail: set.Of[k].Of + " of configuration set " + set.ConfigurationSet, number: deaf(&set.Of[k], asOf),
			})
		}
	}
	return all
}

// deaf is 1 when nothing arrives of what was counted, 0 when something does. Too little that was counted, of which nothing
// came, says neither.
func deaf(c *view.CoverageOf, asOf time.Time) number {
	n := number{known: true, state: signal.OK, asOf: asOf}
	switch {
	case c.Finding == signal.Deaf:
		n.value = 1
	case c.State == signal.NoData || c.State == signal.Idle:
		n.known, n.state = false, c.State
	case c.Ours+c.Maybe == 0:
		n.known, n.state = false, signal.Idle
	}
	return n
}
