package config

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// AlertRoutes are the routes of alerts and the notifiers of those that no route takes.
func (c *Config) AlertRoutes() (routes []alerts.Route, catchAll []string) {
	for i := range c.Alerts.Routes {
		routes = append(routes, c.Alerts.Routes[i].route(c.Ledger.Zone))
	}
	return routes, c.Alerts.CatchAll.texts()
}

// route is the route in the words of package alerts. Zone is that of hours which name none.
func (r *Route) route(zone Zone) alerts.Route {
	route := alerts.Route{Match: r.Match.matchers(), To: r.To.texts(), Stop: r.Stop}
	if r.Zone != "" {
		zone = r.Zone
	}
	// Neither can fail for what was decoded; what was not leaves the hours empty and has been reported.
	if location, err := time.LoadLocation(string(zone)); err == nil {
		route.Hours, _ = alerts.ParseHours(string(r.Hours), location)
	}
	return route
}

func (n Names) texts() []string {
	var texts []string
	for _, name := range n {
		texts = append(texts, string(name))
	}
	return texts
}

func (n Notifiers) names() []string {
	var names []string
	for _, entry := range n {
		names = append(names, entry.Name)
	}
	return names
}

// checkAlerts checks how the parts of the section go together.
func (c *Config) checkAlerts(d *decoder) {
	if !d.given("alerts") {
		return
	}
	a := &c.Alerts
	a.checkRules(d)
	for i := range a.Notifiers {
		entry := &a.Notifiers[i]
		entry.Value.check(d, join("alerts.notifiers", printable(entry.Name)))
	}
	c.checkRoutes(d)
	if h := a.Heartbeat; h != nil {
		checkSecret(d, "alerts.heartbeat", "url", Secret{h.URLFile, h.URLEnv}, true)
	}
	if len(a.Notifiers) == 0 && !d.faultsBelow("alerts") {
		d.warning(d.at("alerts"), "alerts", fault{"names no notifier, so nobody is told of alerts", "write, for example, notifiers: {oncall: {pagerduty: {routing_key_file: pagerduty.key}}}"})
	}
	if len(a.Notifiers) > 0 && c.HTTP.ExternalURL == "" && !d.faultsBelow("http") {
		d.warning(d.at("http"), "http.external_url", fault{
			"is missing, so the links in notifications lead to the listen address", "write the address under which people reach the pages"})
	}
}

// checkRoutes reports what is wrong with the routes. When the notifiers are wrong, nothing is said of what leads to them.
func (c *Config) checkRoutes(d *decoder) {
	a, names := &c.Alerts, c.Alerts.Notifiers.names()
	report := func(path string, f fault) {
		if !d.full() && !d.faultsBelow(path) {
			d.fault(d.at(path), path, f)
		}
	}
	if !d.faultsAt("alerts.notifiers") {
		for i := range a.Routes {
			checkNames(indexed("alerts.routes", i)+".to", a.Routes[i].To, names, report)
		}
		checkNames("alerts.catch_all", a.CatchAll, names, report)
	}
	routes, catchAll := c.AlertRoutes()
	alerts.CheckRoutes(routes, catchAll, names, func(path, problem string) {
		if path = "alerts." + path; strings.HasSuffix(path, ".to") || path == "alerts.catch_all" {
			return // found above, element by element
		}
		report(path, fault{message: problem})
	})
	known := a.labelsOfRules()
	for i := range a.Routes {
		for _, m := range a.Routes[i].Match {
			if name := strings.TrimSuffix(m.Name, "!"); !slices.Contains(known, name) {
				report(indexed("alerts.routes", i)+".match."+m.Name, noLabel(name, known))
			}
		}
		if path := indexed("alerts.routes", i); a.Routes[i].Zone != "" && !d.given(path+".hours") {
			report(path+".zone", fault{"is that of hours, which are missing", "write hours: Mon-Fri 08:00-18:00, or remove it"})
		}
	}
	if len(names) > 0 && !a.reachesAll() && !d.faultsBelow("alerts.routes") && !d.faultsBelow("alerts.catch_all") {
		d.warning(d.at("alerts"), "alerts.catch_all", fault{"is missing, so nobody is told of alerts that no route takes", "write catch_all: " + names[0]})
	}
}

// checkNames finds names of which there is no notifier.
func checkNames(path string, to Names, names []string, report func(path string, f fault)) {
	seen := make(map[Name]bool)
	for i, name := range to {
		at := indexed(path, i)
		if name == "" {
			continue
		}
		if !slices.Contains(names, string(name)) {
			instead := "name one of alerts.notifiers"
			if near := nearest(string(name), names); near != "" {
				instead = "did you mean " + printable(near) + "?"
			}
			report(at, fault{fmt.Sprintf("there is no notifier %s", quoted(string(name))), instead})
		} else if seen[name] {
			report(at, fault{fmt.Sprintf("%s is in the list already", quoted(string(name))), "remove one of the two"})
		}
		seen[name] = true
	}
}

// labelsOfRules are the labels that alerts can have.
func (a *Alerts) labelsOfRules() []string {
	labels := alerts.Labels()
	rules, _ := a.resolve(func(string, fault) {})
	for i := range rules {
		for _, l := range rules[i].Labels {
			if !slices.Contains(labels, l.Name) {
				labels = append(labels, l.Name)
			}
		}
	}
	return labels
}

// reachesAll says whether every alert has somewhere to go at any time.
func (a *Alerts) reachesAll() bool {
	return len(a.CatchAll) > 0 || slices.ContainsFunc(a.Routes, func(r Route) bool {
		return len(r.Match) == 0 && r.Hours == "" && len(r.To) > 0
	})
}

// within makes the paths of secrets start at folder.
func (n *Notifier) within(folder string) {
	var files []*SecretFile
	if p := n.PagerDuty; p != nil {
		files = append(files, &p.RoutingKeyFile)
	}
	if a := n.Alertmanager; a != nil {
		files = append(files, &a.PasswordFile, &a.TokenFile)
	}
	if s := n.Slack; s != nil {
		files = append(files, &s.URLFile)
	}
	if w := n.Webhook; w != nil {
		files = append(files, &w.URLFile, &w.KeyFile)
	}
	if e := n.Email; e != nil && e.SMTP != nil {
		files = append(files, &e.SMTP.PasswordFile)
	}
	for _, f := range files {
		*f = within(folder, *f)
	}
}

// check checks one notifier.
func (n *Notifier) check(d *decoder, path string) {
	exactlyOne(d, path, []choice{
		{"pagerduty", n.PagerDuty != nil}, {"alertmanager", n.Alertmanager != nil}, {"slack", n.Slack != nil},
		{"webhook", n.Webhook != nil}, {"email", n.Email != nil},
	})
	n.checkParts(d, path)
}

// checkParts checks what is given.
func (n *Notifier) checkParts(d *decoder, path string) {
	if p := n.PagerDuty; p != nil {
		at := path + ".pagerduty"
		checkSecret(d, at, "routing_key", Secret{p.RoutingKeyFile, p.RoutingKeyEnv}, true)
		checkEncrypted(d, at+".url", p.URL, "write https:// instead of http://")
	}
	if a := n.Alertmanager; a != nil {
		a.check(d, path+".alertmanager")
	}
	if s := n.Slack; s != nil {
		checkSecret(d, path+".slack", "url", Secret{s.URLFile, s.URLEnv}, true)
	}
	if w := n.Webhook; w != nil {
		checkSecret(d, path+".webhook", "url", Secret{w.URLFile, w.URLEnv}, true)
		checkSecret(d, path+".webhook", "key", Secret{w.KeyFile, w.KeyEnv}, true)
	}
	if e := n.Email; e != nil {
		e.check(d, path+".email")
	}
}

// choice is one of several keys, of which one must be given.
type choice struct {
	key   string
	given bool
}

func exactlyOne(d *decoder, path string, choices []choice) {
	var keys, given []string
	for _, c := range choices {
		keys = append(keys, c.key)
		if c.given {
			given = append(given, c.key)
		}
	}
	if len(given) == 1 || d.faultsBelow(path) {
		return
	}
	f := fault{"must say what it is", "write one of " + strings.Join(keys, ", ")}
	if len(given) > 1 {
		f = fault{"is " + strings.Join(given, " and ") + " at the same time", "keep one of them; give others names of their own"}
	}
	d.fault(d.at(path), path, f)
}

// checkSecret holds that a secret is in one place: a file, or an environment variable.
func checkSecret(d *decoder, path, key string, s Secret, required bool) {
	file, variable := path+"."+key+"_file", path+"."+key+"_env"
	switch {
	case d.faultsAt(path) || d.faultsBelow(file) || d.faultsBelow(variable) || d.faultsAt(path+"."+key):
	case s.File != "" && s.Env != "":
		d.fault(d.at(variable), variable, fault{"there is a " + key + "_file too", "remove one of the two"})
	case required && s == (Secret{}):
		d.fault(d.at(path), file, fault{"is missing", fmt.Sprintf("write %s_file with the path of a file, or %s_env", key, key)})
	}
}

func checkEncrypted(d *decoder, path string, u URL, instead string) {
	if !u.Encrypted() && !d.faultsAt(path) {
		d.fault(d.at(path), path, fault{"is not encrypted, so others on the way can read what goes there", instead})
	}
}

// maxAlertmanagers bounds a cluster, all of which are called at the same time.
const maxAlertmanagers = 20

func (a *Alertmanager) check(d *decoder, path string) {
	password, token := Secret{a.PasswordFile, a.PasswordEnv}, Secret{a.TokenFile, a.TokenEnv}
	checkSecret(d, path, "password", password, false)
	checkSecret(d, path, "token", token, false)
	if len(a.URL) > maxAlertmanagers {
		d.fault(d.at(path+".url"), path+".url", fault{fmt.Sprintf("has more than %d addresses", maxAlertmanagers), "write those of one cluster"})
	}
	if d.faultsBelow(path) {
		return
	}
	switch {
	case password != (Secret{}) && token != (Secret{}):
		d.fault(d.at(path), path, fault{"has a password and a token", "remove one of the two"})
	case password != (Secret{}) && a.User == "":
		d.fault(d.at(path), path+".user", fault{"is missing, and there is a password", "write user: mailvane, or whichever it is"})
	case password == (Secret{}) && a.User != "":
		d.fault(d.at(path+".user"), path+".password_file", fault{"is missing, and there is a user", "write it, or password_env"})
	}
	if a.AllowHTTP || password == (Secret{}) && token == (Secret{}) {
		return
	}
	for i, u := range a.URL {
		checkEncrypted(d, indexed(path+".url", i), u, "write https:// instead of http://, or allow_http: true")
	}
}

// maxRecipients bounds those of one mail, as the notifier does.
const maxRecipients = 50

func (e *Email) check(d *decoder, path string) {
	exactlyOne(d, path, []choice{{"smtp", e.SMTP != nil}, {"ses", e.SES != nil}})
	if len(e.To) > maxRecipients {
		d.fault(d.at(path+".to"), path+".to", fault{fmt.Sprintf("has more than %d recipients", maxRecipients), "write the address of a group"})
	}
	s := e.SMTP
	if s == nil {
		return
	}
	path += ".smtp"
	password := Secret{s.PasswordFile, s.PasswordEnv}
	checkSecret(d, path, "password", password, s.User != "")
	if d.faultsBelow(path) {
		return
	}
	switch host, _, _ := net.SplitHostPort(string(s.Server)); {
	case host == "":
		d.fault(d.at(path+".server"), path+".server", fault{"names no host", "write, for example, smtp.example.com:587"})
	case password != (Secret{}) && s.User == "":
		d.fault(d.at(path), path+".user", fault{"is missing, and there is a password", "write user: mailvane, or whichever it is"})
	case s.Security == "none" && s.User != "":
		d.fault(d.at(path+".security"), path+".security", fault{"is none, so that others on the way could read the password", "write starttls or tls, or remove the user"})
	}
}
