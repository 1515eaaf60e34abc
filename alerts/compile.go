package alerts

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// Bounds of what people write.
const (
	maxRules    = 200
	maxLabels   = 20
	maxValue    = 256
	maxFor      = 7 * 24 * time.Hour
	maxKeep     = 30 * 24 * time.Hour
	maxDays     = lookBack
	maxMatchers = 20
)

var (
	ruleName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)
)

// Rules are rules that are ready to be evaluated.
type Rules struct {
	list   []*rule
	byName map[string]*rule
	series map[Series][]*rule
}

// Compile makes rules ready for use; the error joins every problem that Check reports.
func Compile(rules []Rule) (*Rules, error) {
	var problems []error
	Check(rules, func(path, problem string) { problems = append(problems, fmt.Errorf("%s: %s", path, problem)) })
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	c := &Rules{byName: make(map[string]*rule, len(rules)), series: make(map[Series][]*rule)}
	for i := range rules {
		r := newRule(rules[i], i)
		c.list = append(c.list, r)
		c.byName[r.Name] = r
		c.series[r.series] = append(c.series[r.series], r)
	}
	return c, nil
}

// Series lists the figures that the rules need, each once.
func (r *Rules) Series() []Series {
	var all []Series
	for _, rule := range r.list {
		if !slices.Contains(all, rule.series) {
			all = append(all, rule.series)
		}
	}
	return all
}

// Check reports every problem of the rules with the path of what is wrong, such as "rules[2].for".
func Check(rules []Rule, report func(path, problem string)) {
	if len(rules) > maxRules {
		report("rules", fmt.Sprintf("must not be more than %d", maxRules))
		return
	}
	seen := make(map[string]bool, len(rules))
	for i := range rules {
		path := fmt.Sprintf("rules[%d]", i)
		r := checker{r: &rules[i], report: func(key, problem string) { report(path+key, problem) }}
		r.check()
		if name := rules[i].Name; seen[name] && name != "" {
			report(path+".name", fmt.Sprintf("%s is the name of an earlier rule", name))
		}
		seen[rules[i].Name] = true
	}
}

// checker looks for the problems of one rule.
type checker struct {
	r      *Rule
	d      Definition
	report func(key, problem string)
}

func (c *checker) check() {
	if !ruleName.MatchString(c.r.Name) {
		c.report(".name", "must be up to 64 letters, digits, _ and -, a letter first")
	}
	if c.r.Signal >= signalEnd {
		c.report(".signal", "is not a signal")
		return
	}
	c.d = c.r.Signal.Definition()
	c.checkScope()
	c.checkLines()
	c.checkTimes()
	c.checkWords()
}

func (c *checker) checkScope() {
	if c.r.By != 0 && !slices.Contains(c.d.By, c.r.By) {
		names := make([]string, len(c.d.By))
		for i, by := range c.d.By {
			names[i] = by.String()
		}
		c.report(".by", fmt.Sprintf("%s exists by %s, not by %s", c.d.Name, strings.Join(names, ", "), c.r.By))
	}
	switch w := c.r.Window; {
	case w == nil:
	case c.d.Kind != Rate && !c.d.Windowed:
		c.report(".window", c.d.Name+" has no window")
	case !slices.Contains(signal.Windows(), *w):
		c.report(".window", "must be 1h, 24h or 7d")
	}
	checkMatchers(c.r.Where, func(key, problem string) { c.report(".where"+key, problem) })
}

func (c *checker) checkLines() {
	w, k := c.r.Warning, c.r.Critical
	if w == nil && k == nil {
		c.report("", "needs a line: warning, critical or both")
		return
	}
	// Gmail's figure for an identifier speaks of an unknown part of the mail, so it never wakes anybody.
	if k != nil && c.r.Signal == GmailIdentifierSpamRate {
		c.report(".critical", "a rule by identifier ends at warning; put the critical line on gmail_spam_rate")
	}
	okW := w == nil || c.checkLine(".warning", w)
	okK := k == nil || c.checkLine(".critical", k)
	if w == nil || k == nil || !okW || !okK {
		return
	}
	switch {
	case (w.Above == nil) != (k.Above == nil):
		c.report(".critical", "must be above if the warning is above, and below if it is below")
	case w.Above != nil && *k.Above < *w.Above:
		c.report(".critical.above", "lies below the warning's line")
	case w.Below != nil && *k.Below > *w.Below:
		c.report(".critical.below", "lies above the warning's line")
	}
}

// checkLine says whether the line has a place that can be compared.
func (c *checker) checkLine(key string, l *Line) (ok bool) {
	c.checkFloors(key+".at_least", l.AtLeast)
	if l.Confidence != 0 && c.d.Kind != Rate {
		c.report(key+".confidence", c.d.Name+" has no interval")
	} else if l.Confidence != 0 && !(l.Confidence >= 0.5 && l.Confidence <= 0.999999) {
		c.report(key+".confidence", "must be between 50% and 99.9999%")
	}
	if l.Of != (Of{}) && c.d.Kind != Daily {
		c.report(key+".of", "is for daily readings only; "+c.d.Name+" is none")
	} else if l.Of != (Of{}) && (l.Of.Days < 1 || l.Of.Last < l.Of.Days || l.Of.Last > maxDays) {
		c.report(key+".of", fmt.Sprintf("must be so many of the last days, at most %d, such as 2 of 3", maxDays))
	}
	if (l.Above == nil) == (l.Below == nil) {
		c.report(key, "must have either above or below")
		return false
	}
	at, side := l.Above, ".above"
	if at == nil {
		at, side = l.Below, ".below"
	}
	switch {
	case math.IsNaN(*at) || math.IsInf(*at, 0) || *at < 0:
		c.report(key+side, "must be a number, not negative")
	case c.d.Unit == Ratio && *at > 1:
		c.report(key+side, fmt.Sprintf("is more than 100%%; write %g%% for %g percent", *at, *at))
	case c.d.Unit == Ratio && *at == 0:
		c.report(key+side, "must be more than 0: a rate of 0 would be at the line")
	default:
		return true
	}
	return false
}

func (c *checker) checkFloors(key string, f Floors) {
	if f.Denominator != nil && *f.Denominator < 1 || f.Numerator != nil && *f.Numerator < 0 {
		c.report(key, "must not be negative, and a denominator at least 1")
	}
	switch {
	case c.d.Kind == Number && f != Floors{}:
		c.report(key, c.d.Name+" is no rate, so it has no floors")
	case c.d.Kind == Daily && f.Numerator != nil:
		c.report(key+".numerator", "is not known of daily readings; use the denominator, which is deliveries at Gmail")
	}
}

func (c *checker) checkTimes() {
	if c.r.For < 0 || c.r.For > maxFor {
		c.report(".for", "must be between 0 and 7d")
	}
	if k := c.r.KeepFiringFor; k != nil && (*k < 0 || *k > maxKeep) {
		c.report(".keep_firing_for", "must be between 0 and 30d")
	}
	if c.d.Kind == Daily && c.r.For != 0 {
		c.report(".for", "is not for daily readings, which are judged once a day; use of, such as 2 of 3")
	}
	if c.d.Kind == Daily && c.r.KeepFiringFor != nil {
		c.report(".keep_firing_for", "is not for daily readings, which are judged once a day")
	}
}

func (c *checker) checkWords() {
	if !validValue(c.r.Owner) {
		c.report(".owner", notValue)
	}
	checkLabels(c.r.Labels, func(key, problem string) { c.report(".labels"+key, problem) })
	for key, link := range map[string]string{".runbook": c.r.Runbook, ".document": c.r.Document} {
		if u, err := url.Parse(link); link != "" && key == ".runbook" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			c.report(key, "must be a link that begins with https://")
		}
		if !validValue(link) {
			c.report(key, notValue)
		}
	}
	if _, err := newText(c.r.Summary, defaultSummary, maxSummary); err != nil {
		c.report(".summary", err.Error())
	}
	if _, err := newText(c.r.Description, defaultDescription, maxDescription); err != nil {
		c.report(".description", err.Error())
	}
}

const notValue = "must be one line of at most 256 bytes"

// validValue says whether a text is fit to be a label's value.
func validValue(s string) bool {
	return len(s) <= maxValue && (s == "" || clean(s) == shorten(s, maxClean))
}

func checkLabels(labels []observation.Field, report func(key, problem string)) {
	if len(labels) > maxLabels {
		report("", fmt.Sprintf("must not be more than %d", maxLabels))
		return
	}
	taken, seen := Labels(), make(map[string]bool)
	for _, l := range labels {
		switch {
		case !labelName.MatchString(l.Name):
			report("", fmt.Sprintf("%q must be up to 64 letters, digits and _, no digit first", shorten(l.Name, maxClean)))
		case slices.Contains(taken, l.Name):
			report("."+l.Name, "is a label that alerts have by themselves")
		case seen[l.Name]:
			report("."+l.Name, "is there twice")
		case l.Value == "" || !validValue(l.Value):
			report("."+l.Name, notValue)
		}
		seen[l.Name] = true
	}
}
