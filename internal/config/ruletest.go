package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/ruletest"
)

// RuleTests is a file of tests of rules; docs/rules.md explains it.
type RuleTests struct {
	// The configuration whose rules and routes are tested. A relative path starts at the file's folder.
	Config Path `yaml:"config" example:"mailvane.yaml"`
	// The section alerts of a configuration, written out here instead. Without either, the default rules are tested.
	Alerts Alerts `yaml:"alerts"`
	// The time 0 of each test, which matters to the hours of routes.
	Start Moment `yaml:"start" example:"2026-11-16T09:00:00Z"`
	// The time between two rounds.
	Every Duration `yaml:"every" range:"1s..15m" example:"30s"`
	// The time between two values of a series, for the tests that do not say it themselves.
	Interval Duration `yaml:"interval" range:"1s..1d" example:"5m"`
	// The tests.
	Tests []RuleTest `yaml:"tests" required:"true" example:"[{input_series: […], alert_rule_test: […]}]"`
}

// RuleTest is one test.
type RuleTest struct {
	// A name, for the output.
	Name string `yaml:"name" example:"complaints that last"`
	// The time between two values of a series. Those of daily readings are a day apart.
	Interval *Duration `yaml:"interval" range:"1s..1d" example:"5m" unset:"that of the file"`
	// What the rules are held against.
	InputSeries []InputSeries `yaml:"input_series" example:"[{signal: complaint_rate, subject: {campaign: spring-sale}, values: 30/100000x10}]"`
	// Which alerts there are to be.
	AlertRuleTest []AlertRuleTest `yaml:"alert_rule_test" example:"[{at: 30m, rule: CampaignComplaintRate, exp_alerts: []}]"`
	// Which notifications there are to be.
	NotificationTest []NotificationTest `yaml:"notification_test" example:"[{at: 30m, exp_notifications: []}]"`
}

// InputSeries are the values of one figure about one subject.
type InputSeries struct {
	// The figure.
	Signal SignalName `yaml:"signal" required:"true" example:"complaint_rate"`
	// What it is told apart by.
	By ByName `yaml:"by" example:"campaign" unset:"the first that the signal has"`
	// The time that it speaks of.
	Window Window `yaml:"window" example:"7d" unset:"24h for rates, 1h for counts"`
	// What it is about.
	Subject SubjectFields `yaml:"subject" example:"{campaign: spring-sale}"`
	// What else is known of that, such as its owner.
	Labels Labels `yaml:"labels" example:"{owner: growth}"`
	// The values.
	Values SeriesValues `yaml:"values" required:"true" example:"30/100000x10 idle"`
}

// AlertRuleTest says which alerts of a rule there are to be at a time.
type AlertRuleTest struct {
	// The time, from the start.
	At Duration `yaml:"at" required:"true" example:"30m"`
	// The rule.
	Rule string `yaml:"rule" required:"true" example:"CampaignComplaintRate"`
	// All its alerts.
	ExpAlerts []ExpAlert `yaml:"exp_alerts" example:"[{severity: warning, subject: {campaign: spring-sale}}]"`
}

// ExpAlert is an alert that is expected.
type ExpAlert struct {
	// Its severity; a pending one has none.
	Severity string `yaml:"severity" oneof:"warning,critical" example:"warning"`
	// Whether it fires.
	State string `yaml:"state" oneof:"firing,pending" example:"pending"`
	// What it is about.
	Subject SubjectFields `yaml:"subject" example:"{campaign: spring-sale}"`
	// The line that it tells.
	Summary string `yaml:"summary" example:"\"spring-sale: 0.2 % complain\"" unset:"any"`
}

// NotificationTest says what is to have been told since the one before, or since the start.
type NotificationTest struct {
	// The time, from the start.
	At Duration `yaml:"at" required:"true" example:"30m"`
	// All notifications, in their order.
	ExpNotifications []ExpNotification `yaml:"exp_notifications" example:"[{change: opened, severity: warning, rule: CampaignComplaintRate}]"`
}

// ExpNotification is a notification that is expected.
type ExpNotification struct {
	// Why it is made.
	Change string `yaml:"change" required:"true" oneof:"opened,worsened,eased,joined,left,closed" example:"opened"`
	// The rule.
	Rule string `yaml:"rule" required:"true" example:"CampaignComplaintRate"`
	// The severity of the worst that it tells of.
	Severity string `yaml:"severity" required:"true" oneof:"warning,critical" example:"warning"`
	// The notifier.
	To Name `yaml:"to" example:"oncall" unset:"any"`
}

func (f *RuleTests) prefill() {
	f.Alerts = Alerts{Every: Duration(30 * time.Second), Defaults: true}
	f.Start = "2026-01-05T00:00:00Z"
	f.Every, f.Interval = Duration(time.Minute), Duration(time.Minute)
}

func (e *ExpAlert) prefill() { e.State = "firing" }

// Moment is a time.
type Moment string

func (m *Moment) set(text string) *fault {
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return &fault{fmt.Sprintf("%s is not a time", quoted(text)), "write, for example, 2026-11-16T09:00:00Z"}
	}
	*m = Moment(text)
	return nil
}

func (*Moment) form() string { return "a time" }

// time is zero for what could not be decoded.
func (m Moment) time() time.Time {
	t, _ := time.Parse(time.RFC3339, string(m))
	return t.UTC()
}

// SubjectFields are the fields of a subject.
type SubjectFields []Entry[string]

func (SubjectFields) setName(text string) *fault {
	if _, err := alerts.SubjectOf([]observation.Field{{Name: text}}); err != nil {
		fields := slices.DeleteFunc(alerts.SubjectLabels(), func(name string) bool { return name == "owner" })
		f := noLabel(text, fields)
		return &f
	}
	return nil
}

func (SubjectFields) form() string { return "the fields of a subject" }

func (s SubjectFields) subject() alerts.Subject {
	subject, _ := alerts.SubjectOf(Labels(s).fields()) // setName let no other names in
	return subject
}

func (l Labels) fields() []observation.Field {
	var fields []observation.Field
	for _, entry := range l {
		fields = append(fields, observation.Field{Name: entry.Name, Value: entry.Value})
	}
	return fields
}

// SeriesValues are values in a compact notation.
type SeriesValues string

func (v *SeriesValues) set(text string) *fault {
	*v = SeriesValues(text)
	return nil
}

func (*SeriesValues) longest() int          { return 65536 }
func (*SeriesValues) takes(n ast.Node) bool { return isNumber(n) }
func (*SeriesValues) form() string          { return "values" }

// LoadRuleTests reads a file of tests of rules. It returns all problems of the file and of the configuration that it names; the
// suite is nil when one of them is more than a warning.
func LoadRuleTests(path string) (*ruletest.Suite, []Problem) {
	data, f := readFile(path)
	if f != nil {
		r := newReporter(path, nil)
		r.fault(place{}, "", *f)
		return nil, r.problems
	}
	var file RuleTests
	d := decodeFile(path, data, &file)
	if !d.decoded || d.full() {
		return nil, d.sorted()
	}
	c, more := file.configuration(d)
	var suite *ruletest.Suite
	if c != nil && !d.faultsBelow("alerts") {
		suite = file.suite(d, c)
	}
	problems := append(d.sorted(), more...)
	if Failed(problems) {
		return nil, problems
	}
	return suite, problems
}

// configuration is what is tested, and the problems of its file; nil when it cannot be used.
func (f *RuleTests) configuration(d *decoder) (*Config, []Problem) {
	if f.Config == "" {
		c := Default()
		c.Alerts = f.Alerts
		if d.given("alerts") {
			c.Alerts.checkRules(d)
		}
		if len(c.Alerts.Notifiers) > 0 {
			c.checkRoutes(d)
		}
		return c, nil
	}
	if d.given("alerts") {
		d.fault(d.at("alerts"), "alerts", fault{"stands beside config, which has rules of its own", "remove one of the two"})
		return nil, nil
	}
	c, problems := LoadFile(string(within(filepath.Dir(d.file), f.Config)))
	problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Warning })
	return c, problems
}
