package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ruletest"
	"github.com/mailvane/mailvane/internal/signal"
)

// suite puts the file into the words of package ruletest.
func (f *RuleTests) suite(d *decoder, c *Config) *ruletest.Suite {
	rules, err := alerts.Compile(c.AlertRules())
	routes, catchAll := c.AlertRoutes()
	router, routeErr := alerts.NewRouter(routes, catchAll, c.Alerts.Notifiers.names())
	if err != nil || routeErr != nil { // what could be wrong was found before
		d.fault(d.at("alerts"), "alerts", fault{"cannot be used", "run mailvane check"})
		return nil
	}
	s := &ruletest.Suite{Rules: rules, Router: router, Start: f.Start.time(), Every: time.Duration(f.Every)}
	b := suiteBuilder{decoder: d, rules: rules, names: namesOf(c.AlertRules()), notifiers: c.Alerts.Notifiers.names(), every: s.Every}
	for i := range f.Tests {
		t := ruletest.Test{Interval: time.Duration(f.Interval), Name: f.Tests[i].Name}
		if own := f.Tests[i].Interval; own != nil {
			t.Interval = time.Duration(*own)
		}
		b.test(&t, &f.Tests[i], indexed("tests", i))
		s.Tests = append(s.Tests, t)
	}
	return s
}

func namesOf(rules []alerts.Rule) []string {
	names := make([]string, len(rules))
	for i := range rules {
		names[i] = rules[i].Name
	}
	return names
}

// maxTestValues bounds the values of all series of a file.
const maxTestValues = 1_000_000

// suiteBuilder makes tests and reports what is wrong with them.
type suiteBuilder struct {
	*decoder
	rules            *alerts.Rules
	names, notifiers []string
	every            time.Duration
	values           int
}

func (b *suiteBuilder) report(path, message, instead string) {
	b.fault(b.at(path), path, fault{message, instead})
}

// place is where a path stands, for messages.
func (b *suiteBuilder) place(path string) string {
	return fmt.Sprintf("%s:%d", b.file, b.at(path).line)
}

func (b *suiteBuilder) test(t *ruletest.Test, file *RuleTest, path string) {
	t.Place = b.place(path)
	for i := range file.InputSeries {
		at := indexed(path+".input_series", i)
		s := b.series(&file.InputSeries[i], at)
		if b.faultsBelow(at) {
			continue
		}
		if slices.ContainsFunc(t.Series, func(o ruletest.Series) bool { return o.Series == s.Series && o.Subject == s.Subject }) {
			b.report(at, "is the same figure of the same subject as an earlier one", "remove one of the two")
		}
		t.Series = append(t.Series, s)
	}
	for i := range file.AlertRuleTest {
		t.Alerts = append(t.Alerts, b.alertCheck(&file.AlertRuleTest[i], indexed(path+".alert_rule_test", i)))
	}
	for i := range file.NotificationTest {
		t.Notifications = append(t.Notifications, b.notificationCheck(&file.NotificationTest[i], indexed(path+".notification_test", i)))
	}
	if len(t.Alerts)+len(t.Notifications) == 0 && !b.faultsBelow(path) {
		b.report(path, "expects nothing, so it cannot fail", "write alert_rule_test or notification_test")
	}
}

// series is a series with its defaults, which are those of rules.
func (b *suiteBuilder) series(file *InputSeries, path string) ruletest.Series {
	of, ok := alerts.ParseSignal(string(file.Signal))
	if !ok { // which has been reported
		return ruletest.Series{}
	}
	d := of.Definition()
	s := ruletest.Series{Series: alerts.Series{Signal: of, By: d.By[0]}, Subject: file.Subject.subject(), Labels: file.Labels.fields()}
	if by, ok := alerts.ParseBy(string(file.By)); ok {
		s.By = by
	}
	windowed := d.Kind == alerts.Rate || d.Windowed
	switch w, ok := signal.ParseWindow(string(file.Window)); {
	case ok && !windowed:
		b.report(path+".window", d.Name+" has no window", "remove the key")
	case ok:
		s.Window = w
	case d.Kind == alerts.Rate:
		s.Window = signal.Day
	case windowed:
		s.Window = signal.Hour
	}
	values, err := ruletest.ParseValues(string(file.Values), of)
	if err != nil && !b.faultsBelow(path+".values") {
		b.report(path+".values", err.Error(), "")
	}
	if b.values += len(values); b.values > maxTestValues {
		b.report(path+".values", fmt.Sprintf("the series of the file have more than %d values", maxTestValues), "write several files")
	}
	s.Values = values
	if watched := b.rules.Series(); !slices.Contains(watched, s.Series) && !b.faultsBelow(path) {
		b.report(path, "no rule watches "+seriesName(s.Series), insteadOf(s.Series, watched))
	}
	return s
}

// insteadOf lists how the same signal is watched.
func insteadOf(s alerts.Series, watched []alerts.Series) string {
	var ways []string
	for _, w := range watched {
		if w.Signal == s.Signal {
			ways = append(ways, strings.TrimPrefix(seriesName(w), w.Signal.String()+" "))
		}
	}
	if len(ways) == 0 {
		return "remove it, or add the rule"
	}
	return "rules watch it " + strings.Join(ways, " and ")
}

func seriesName(s alerts.Series) string {
	d := s.Signal.Definition()
	text := d.Name + " by " + s.By.String()
	if d.Kind == alerts.Rate || d.Windowed {
		text += " over " + s.Window.String()
	}
	return text
}

func (b *suiteBuilder) alertCheck(file *AlertRuleTest, path string) ruletest.AlertCheck {
	c := ruletest.AlertCheck{At: time.Duration(file.At), Rule: file.Rule, Place: b.place(path)}
	b.checkTime(c.At, path)
	b.checkRule(file.Rule, path)
	for i := range file.ExpAlerts {
		want, at := &file.ExpAlerts[i], indexed(path+".exp_alerts", i)
		w := ruletest.WantAlert{Subject: want.Subject.subject(), Summary: want.Summary}
		_ = w.Severity.UnmarshalText([]byte(want.Severity)) // one of those that there are, or none
		switch pending := want.State == "pending"; {
		case pending && want.Severity != "":
			b.report(at+".severity", "an alert that is pending has no severity yet", "remove the key")
		case !pending && want.Severity == "" && !b.faultsBelow(at):
			b.report(at, "must say the severity", "write severity: warning, or state: pending")
		}
		c.Want = append(c.Want, w)
	}
	return c
}

func (b *suiteBuilder) notificationCheck(file *NotificationTest, path string) ruletest.NotificationCheck {
	c := ruletest.NotificationCheck{At: time.Duration(file.At), Place: b.place(path)}
	b.checkTime(c.At, path)
	for i := range file.ExpNotifications {
		want, at := &file.ExpNotifications[i], indexed(path+".exp_notifications", i)
		b.checkRule(want.Rule, at)
		w := ruletest.WantNotification{To: string(want.To), Change: alerts.Change(want.Change), Rule: want.Rule}
		_ = w.Severity.UnmarshalText([]byte(want.Severity)) // one of those that there are
		if w.To != "" {
			checkNames(at+".to", Names{want.To}, b.notifiers, func(_ string, f fault) { b.report(at+".to", f.message, f.instead) })
		}
		c.Want = append(c.Want, w)
	}
	return c
}

func (b *suiteBuilder) checkTime(at time.Duration, path string) {
	if longest := b.every * ruletest.MaxRounds; at > longest {
		b.report(path+".at", fmt.Sprintf("is more than %d rounds after the start", ruletest.MaxRounds), "write a longer every")
	}
}

func (b *suiteBuilder) checkRule(name, path string) {
	if slices.Contains(b.names, name) || b.faultsBelow(path+".rule") {
		return
	}
	instead := "name one of the rules"
	if near := nearestFold(name, b.names); near != "" {
		instead = "did you mean " + near + "?"
	}
	b.report(path+".rule", fmt.Sprintf("there is no rule %s", quoted(name)), instead)
}

// nearestFold is nearest for names in mixed case.
func nearestFold(word string, names []string) string {
	lower := make([]string, len(names))
	for i, n := range names {
		lower[i] = strings.ToLower(n)
	}
	if near := nearest(word, lower); near != "" {
		return names[slices.Index(lower, near)]
	}
	return ""
}
