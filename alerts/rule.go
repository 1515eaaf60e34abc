package alerts

import (
	"fmt"
	"math"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Rule is a threshold on a signal, as people write it. What is left out has a default; see Compile.
type Rule struct {
	// Name is unique. It is part of the key under which notifiers know an alert: another name is another alert.
	Name   string
	Signal Signal
	// By is what gets an alert of its own; 0 means the first By of the signal.
	By By
	// Window is that of rates (24h by default) and of windowed numbers (1h); other signals must have none.
	Window *signal.Window
	// Where restricts the subjects; all must match.
	Where []Matcher
	// Warning and Critical are the lines; one of them may be missing.
	Warning, Critical *Line
	// For is how long a figure must stay beyond its line before it fires.
	For time.Duration
	// KeepFiringFor is how long a figure must stay back before an alert ends. By default that is, for rates of which part
	// is immature, the signal's maturity or the window, whichever is shorter, and otherwise 15 minutes.
	KeepFiringFor *time.Duration
	// Owner answers for the alert where the subject has no owner of its own. Labels go with it; routes can match them.
	Owner  string
	Labels []observation.Field
	// Summary and Description are templates over the fields of Facts; empty ones have a default.
	Summary, Description string
	// Runbook is a link to what to do. Document is where the threshold comes from.
	Runbook, Document string
}

// Line is a threshold with what it takes to be sure. Exactly one of Above and Below is set, in the signal's own unit:
// ratios between 0 and 1, seconds.
type Line struct {
	Above, Below *float64
	AtLeast      Floors
	// Confidence is that of the one-sided interval of a rate, by default 0.99 for a warning and 0.999 for a critical.
	Confidence float64
	// Of is how many days a daily reading must be beyond the line; by default the last one.
	Of Of
}

// Floors are what a figure must at least rest on. Rates need both, by default 1,000 and 10. For a line below, Numerator
// bounds what is missing in the rate (of delivery_rate, the undelivered). Daily readings need Denominator deliveries at
// Gmail, 1,000 by default, on each day that is to count. Numbers have none.
type Floors struct{ Denominator, Numerator *int64 }

// Of is a number of days out of the last ones that were reported, such as 2 of 3.
type Of struct{ Days, Last int }

// The defaults of rules.
const (
	defaultDenominator = 1000
	defaultNumerator   = 10
	confidenceWarning  = 0.99
	confidenceCritical = 0.999
	// settle is how long a figure that is final must stay back before an alert ends, so that one that wanders about its
	// line does not flap.
	settle = 15 * time.Minute
	// freeze is how long a firing alert stands while nothing can be known.
	freeze = 72 * time.Hour
	// freshDays is the age, in days, up to which a daily reading may raise an alert. Gmail is one to three days late.
	freshDays = 4
	// silentDays is how many days must have arrived without a figure before a daily alert expires.
	silentDays = 3
	// lookBack bounds the days that "2 of 3" looks at, because Gmail leaves out days of little mail.
	lookBack = 7
)

// Severity is how bad an alert is.
type Severity uint8

// The severities. None is that of an alert that does not fire.
const (
	None Severity = iota
	Warning
	Critical
	severityEnd
)

var severityNames = [severityEnd]string{None: "none", Warning: "warning", Critical: "critical"}

// String returns the severity's name.
func (s Severity) String() string {
	if s < severityEnd {
		return severityNames[s]
	}
	return "unknown"
}

// MarshalText gives the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the severity's name.
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severityNames {
		if name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not a severity", text)
}

// line is a Line with its defaults.
type line struct {
	severity  Severity
	below     bool
	inclusive bool
	at        float64
	// z is the quantile of the confidence.
	z                      float64
	confidence             float64
	denominator, numerator int64
	of                     Of
}

// beyond says whether the value lies on the bad side.
func (l *line) beyond(value float64) bool {
	switch {
	case l.below:
		return value < l.at
	case l.inclusive:
		return value >= l.at
	default:
		return value > l.at
	}
}

// rule is a Rule made ready.
type rule struct {
	Rule
	index  int
	kind   Kind
	series Series
	// levels holds the lines by level; a nil one was not given.
	levels [2]*line
	where  matchers
	// expiry is how long a subject may have no figure before its alert ends.
	expiry               time.Duration
	summary, description *text
}

// settles is how long a figure must stay back from a line; final says that it will not change any more.
func (r *rule) settles(final bool) time.Duration {
	switch {
	case r.KeepFiringFor != nil:
		return *r.KeepFiringFor
	case r.kind == Daily:
		return 0
	case r.kind == Rate && !final:
		return min(r.Signal.Definition().Maturity, r.series.Window.Span())
	default:
		return settle
	}
}

// newRule makes a rule without problems ready.
func newRule(r Rule, index int) *rule {
	d := r.Signal.Definition()
	if r.By == 0 {
		r.By = d.By[0]
	}
	c := &rule{Rule: r, index: index, kind: d.Kind, series: Series{Signal: r.Signal, By: r.By}, where: newMatchers(r.Where)}
	switch {
	case d.Kind == Daily:
		c.expiry = silentDays * 24 * time.Hour
	case r.Window != nil:
		c.series.Window = *r.Window
		c.expiry = c.series.Window.Span()
	case d.Kind == Rate:
		c.series.Window = signal.Day
		c.expiry = c.series.Window.Span()
	case d.Windowed:
		c.series.Window = signal.Hour
		c.expiry = c.series.Window.Span()
	default:
		c.expiry = settle
	}
	for i, l := range []*Line{r.Warning, r.Critical} {
		if l != nil {
			c.levels[i] = newLine(l, Severity(i+1), &d)
		}
	}
	c.summary, _ = newText(r.Summary, defaultSummary, maxSummary)
	c.description, _ = newText(r.Description, defaultDescription, maxDescription)
	return c
}

func newLine(l *Line, severity Severity, d *Definition) *line {
	c := &line{severity: severity, denominator: defaultDenominator, numerator: defaultNumerator, of: l.Of, confidence: l.Confidence}
	if c.below = l.Below != nil; c.below {
		c.at = *l.Below
	} else {
		c.at, c.inclusive = *l.Above, d.Unit == Ratio
	}
	if l.AtLeast.Denominator != nil {
		c.denominator = *l.AtLeast.Denominator
	}
	if l.AtLeast.Numerator != nil {
		c.numerator = *l.AtLeast.Numerator
	}
	if c.of == (Of{}) {
		c.of = Of{1, 1}
	}
	switch {
	case c.confidence == 0 && severity == Warning, c.confidence == confidenceWarning:
		c.confidence, c.z = confidenceWarning, signal.Z99
	case c.confidence == 0, c.confidence == confidenceCritical:
		c.confidence, c.z = confidenceCritical, signal.Z999
	default:
		c.z = math.Sqrt2 * math.Erfinv(2*c.confidence-1)
	}
	return c
}
