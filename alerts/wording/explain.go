package wording

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
)

// Explained is how a figure stands against one line of a rule.
type Explained struct {
	// Line is the line, such as "warning above 0.2 %". Of a condition, whose number means nothing to people, it is the severity.
	Line string
	// Says is what the figure is, what that means for the line, what it would take to cross it, and what becomes of the alert.
	Says []string
}

// String is all of it in one sentence.
func (e *Explained) String() string { return e.Line + ": " + strings.Join(e.Says, "; ") }

// Explain puts into words how a figure stands against each line of a rule, the warning first.
func Explain(x *alerts.Explanation) []Explained {
	var lines []Explained
	unit := x.Signal.Definition().Unit
	for i := range x.Lines {
		l := &x.Lines[i]
		words := []string{evidenceWords(&l.Evidence, unit), verdictWords(l), neededWords(l), outlookWords(l)}
		if !x.Selected {
			words = []string{words[0], "the rule leaves this out (where)"}
		}
		line := fmt.Sprintf("%s %s %s", l.Severity, beyond(l.Evidence.Below), unit.Format(l.Evidence.Line))
		if unit == alerts.Condition {
			line = l.Severity.String()
		}
		lines = append(lines, Explained{
			Line: line,
			Says: slices.DeleteFunc(words, func(w string) bool { return w == "" }),
		})
	}
	return lines
}

// evidenceWords say what the figure is and how sure.
func evidenceWords(e *alerts.Evidence, unit alerts.Unit) string {
	switch {
	case !e.Known:
		return strings.ReplaceAll(e.State, "_", " ")
	case unit == alerts.Condition:
		return ""
	case e.Interval:
		end, value := "at least", e.Low
		if e.Below {
			end, value = "at most", e.High
		}
		return fmt.Sprintf("%s (%d of %d), surely %s %s", unit.Format(e.Value), e.Numerator, e.Denominator, end, unit.Format(value))
	case e.Day != 0:
		return fmt.Sprintf("%s on %s (%d deliveries), beyond on %s days", unit.Format(e.Value), e.Day, e.Denominator, e.Days)
	default:
		return unit.Format(e.Value)
	}
}

// verdictWords say what that means for the line.
func verdictWords(l *alerts.LineState) string {
	e := &l.Evidence
	switch l.Verdict {
	case "crossed":
		return "crossed"
	case "near":
		switch {
		case e.Interval:
			return "beyond the line, but perhaps by chance"
		case e.Day == 0:
			return "not crossed, but it may be more than is known: nobody has looked for long enough"
		}
		return "not on enough days, or not on the last two clear of it"
	case "weak":
		switch {
		case e.Known && e.Denominator < l.MinDenominator:
			return fmt.Sprintf("too little mail: %d are needed", l.MinDenominator)
		case e.Known && e.Interval:
			return fmt.Sprintf("too few: %d are needed", l.MinNumerator)
		}
		return "too little to tell"
	case "clear":
		return "not crossed"
	case "hold":
		return "no newer day to judge"
	case "absent":
		return "nothing to judge"
	case "expired":
		return "not reported for too long"
	default:
		return "nothing can be judged"
	}
}

// neededWords say how much is missing until the line is crossed.
func neededWords(l *alerts.LineState) string {
	switch {
	case l.Needed == nil:
		return ""
	case l.Evidence.Below:
		return fmt.Sprintf("%d fewer of the same mail would cross it", *l.Needed)
	default:
		return fmt.Sprintf("%d more of the same mail would cross it", *l.Needed)
	}
}

// outlookWords say what becomes of the level.
func outlookWords(l *alerts.LineState) string {
	switch {
	case l.FiresIn != nil && *l.FiresIn == 0:
		return "fires with the next round"
	case l.FiresIn != nil:
		return fmt.Sprintf("fires in %s if it stays so", Span(*l.FiresIn))
	case l.EndsIn != nil && *l.EndsIn == 0:
		return "fires, and ends with the next round"
	case l.EndsIn != nil:
		return fmt.Sprintf("fires, and ends in %s if it stays so", Span(*l.EndsIn))
	case l.EndsAfter != nil:
		return "fires" + reliefWords(l)
	default:
		return ""
	}
}

// reliefWords say what would end a level whose figure is still bad.
func reliefWords(l *alerts.LineState) string {
	switch {
	case l.Evidence.Day != 0:
		return " until it is clear of the line for two reported days in a row"
	case l.Relief != nil:
		return fmt.Sprintf(" until it has been back for %s; %d more mails without it would bring it back", Span(*l.EndsAfter), *l.Relief)
	case *l.EndsAfter == 0:
		return " until it is back"
	default:
		return fmt.Sprintf(" until it has been back for %s", Span(*l.EndsAfter))
	}
}

// Span is a length of time in its two largest units.
func Span(d time.Duration) string { return alerts.Seconds.Format(d.Round(time.Second).Seconds()) }
