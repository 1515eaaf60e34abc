package alerts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Route sends alerts to notifiers. All routes that match are taken, in their order, until one says Stop.
type Route struct {
	// Match restricts the alerts; all must match. None match every alert.
	Match []Matcher
	// To names the notifiers.
	To []string
	// Hours restrict when the route is there at all. Outside them an alert goes where it would go without the route, and a
	// Stop of it stops nothing. An alert that still fires when they begin is sent then; ends are always sent.
	Hours Hours
	Stop  bool
}

const maxRoutes = 200

// Router finds the notifiers of alerts.
type Router struct {
	routes []route
	// catchAll gets what no route takes.
	catchAll  []string
	notifiers map[string]bool
}

type route struct {
	Route
	match matchers
}

// NewRouter makes a router; the error joins every problem that CheckRoutes reports. catchAll are the notifiers of alerts
// that no route takes at that time, notifiers all that there are.
func NewRouter(routes []Route, catchAll, notifiers []string) (*Router, error) {
	var problems []error
	CheckRoutes(routes, catchAll, notifiers, func(path, problem string) {
		problems = append(problems, fmt.Errorf("%s: %s", path, problem))
	})
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	r := &Router{catchAll: slices.Clone(catchAll), notifiers: make(map[string]bool, len(notifiers))}
	for _, n := range notifiers {
		r.notifiers[n] = true
	}
	for _, to := range routes {
		r.routes = append(r.routes, route{Route: to, match: newMatchers(to.Match)})
	}
	return r, nil
}

// CheckRoutes reports every problem of the routes with the path of what is wrong, such as "routes[1].to".
func CheckRoutes(routes []Route, catchAll, notifiers []string, report func(path, problem string)) {
	if len(routes) > maxRoutes {
		report("routes", fmt.Sprintf("must not be more than %d", maxRoutes))
		return
	}
	check := func(path string, to []string) {
		for _, n := range to {
			if !slices.Contains(notifiers, n) {
				report(path, fmt.Sprintf("there is no notifier %q", shorten(n, maxClean)))
			}
		}
	}
	for i, r := range routes {
		path := fmt.Sprintf("routes[%d]", i)
		if len(r.To) == 0 {
			report(path+".to", "must name a notifier")
		}
		check(path+".to", r.To)
		checkMatchers(r.Match, func(key, problem string) { report(path+".match"+key, problem) })
		if i+1 < len(routes) && r.Stop && len(r.Match) == 0 && r.Hours.Always() {
			report(path+".stop", "takes every alert, so no later route is ever reached")
		}
	}
	check("catch_all", catchAll)
}

// destinations are the notifiers of an alert: now, and at any time of the week. What has been sent is kept up to date at
// the latter, so that the end of an hour ends no alert.
type destinations struct{ now, ever []string }

// route finds the destinations; inHours says whether each route is there now.
func (r *Router) route(a *Alert, inHours []bool) (d destinations) {
	stoppedNow, stoppedEver := false, false
	always := false // whether a route takes the alert at every hour
	for i := range r.routes {
		to := &r.routes[i]
		if stoppedNow && stoppedEver {
			break
		}
		if !to.match.match(&a.Subject, a.values) {
			continue
		}
		if inHours[i] && !stoppedNow {
			d.now = add(d.now, to.To)
			stoppedNow = to.Stop
		}
		if !stoppedEver {
			d.ever = add(d.ever, to.To)
			always = always || to.Hours.Always()
			stoppedEver = to.Stop && to.Hours.Always()
		}
	}
	if len(d.now) == 0 {
		d.now = add(d.now, r.catchAll)
	}
	if !always {
		d.ever = add(d.ever, r.catchAll)
	}
	if a.By == ByNotifier {
		d.now = r.elsewhere(d.now, a.Subject.Notifier)
		d.ever = add(r.elsewhere(d.ever, a.Subject.Notifier), d.now)
	}
	return d
}

// elsewhere are the destinations of an alert about a notifier, without that notifier: it cannot tell that it fails. Where it
// is the only one the alert goes to the catch-all, else to all the others; only where there is no other does it wait.
func (r *Router) elsewhere(to []string, failing string) []string {
	if !slices.Contains(to, failing) {
		return to
	}
	for _, others := range [][]string{to, r.catchAll, slices.Sorted(maps.Keys(r.notifiers))} {
		others = slices.DeleteFunc(slices.Clone(others), func(n string) bool { return n == failing })
		if len(others) > 0 {
			return others
		}
	}
	return to
}

func add(to, more []string) []string {
	for _, n := range more {
		if !slices.Contains(to, n) {
			to = append(to, n)
		}
	}
	return to
}
