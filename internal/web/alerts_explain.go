package web

import (
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/wording"
)

// AlertExplanation is why an alert is in its state: how its figure stands now against the lines of its rule.
type AlertExplanation struct {
	// Selected says that the rule is about the subject; a rule with a condition leaves others out.
	Selected bool `json:"selected"`
	// Lines are in the order of their severities.
	Lines []AlertLine `json:"lines"`
}

// AlertLine is how a figure stands against one line.
type AlertLine struct {
	Severity string `json:"severity"`
	// Verdict is that of alerts.LineState.
	Verdict string `json:"verdict"`
	// Words are all of it in a sentence.
	Words string `json:"words"`
	// Firing says that this severity fires.
	Firing bool         `json:"firing"`
	Figure *AlertFigure `json:"figure,omitempty"`
	// MinDenominator and MinNumerator are what a rate must rest on.
	MinDenominator int64 `json:"min_denominator,omitempty"`
	MinNumerator   int64 `json:"min_numerator,omitempty"`
	// Needed is how many more of the same mail, of a line below how many fewer, would cross the line.
	Needed *int64 `json:"needed,omitempty"`
	// FiresInSeconds and EndsInSeconds are how long the figure must go on as it is until this severity fires or ends.
	FiresInSeconds *float64 `json:"fires_in_seconds,omitempty"`
	EndsInSeconds  *float64 `json:"ends_in_seconds,omitempty"`
	// EndsAfterSeconds is how long the figure must have been back for this severity to end, and Relief how many more mails without
	// what is counted would bring it back; both while it fires.
	EndsAfterSeconds *float64 `json:"ends_after_seconds,omitempty"`
	Relief           *int64   `json:"relief,omitempty"`
}

func newAlertExplanation(x *alerts.Explanation) *AlertExplanation {
	if x == nil {
		return nil
	}
	d, words := x.Signal.Definition(), wording.Explain(x)
	out := &AlertExplanation{Selected: x.Selected, Lines: make([]AlertLine, len(x.Lines))}
	for i := range x.Lines {
		l := &x.Lines[i]
		out.Lines[i] = AlertLine{
			Severity: severityName(l.Severity), Verdict: l.Verdict, Words: words[i].String(), Firing: l.Level.On,
			Figure: newAlertFigure(&l.Evidence, &d), MinDenominator: l.MinDenominator, MinNumerator: l.MinNumerator, Needed: l.Needed,
			FiresInSeconds: inSeconds(l.FiresIn), EndsInSeconds: inSeconds(l.EndsIn),
			EndsAfterSeconds: inSeconds(l.EndsAfter), Relief: l.Relief,
		}
	}
	return out
}

func inSeconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	return new(d.Seconds())
}
