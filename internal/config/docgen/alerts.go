package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/mailvane/mailvane/alerts"
)

// alertsPage writes what the section alerts speaks of beside its keys: an example, signals, default rules and templates.
func alertsPage(page *bytes.Buffer, example string) error {
	text, err := os.ReadFile(example)
	if err != nil {
		return err
	}
	fmt.Fprintf(page, "## Alerts\n\nA file with the section `alerts`:\n\n```yaml\n%s```\n\n", text)
	signalTable(page)
	ruleTable(page)
	fmt.Fprintf(page, "### Templates\n\nTemplates are texts with the fields `{{%s}}`, conditions (`{{if .Known}}…{{else}}…{{end}}`) and comparisons "+
		"(`and`, `or`, `not`, `eq`, `ne`, `lt`, `le`, `gt`, `ge`), up to 4,096 bytes. Nothing else can be called.\n\n",
		strings.Join(alerts.FactNames(), "}}`, `{{"))
	return nil
}

// kinds say how a signal is judged, units what a line of it is written as.
var (
	kinds = map[alerts.Kind]string{
		alerts.Rate: "rate: judged by its interval", alerts.Daily: "daily: judged once for each day that arrives", alerts.Number: "number: judged as it is",
	}
	units = map[alerts.Unit]string{
		alerts.Ratio: "percentage", alerts.Count: "number", alerts.Seconds: "length of time", alerts.Condition: "state",
	}
)

func signalTable(page *bytes.Buffer) {
	page.WriteString("### Signals\n\nThe figures that rules can watch. Rates and counts have a window, others have none.\n\n" +
		"| signal | by | kind | a line is a | meaning |\n|---|---|---|---|---|\n")
	for _, s := range alerts.Signals() {
		d := s.Definition()
		by := make([]string, len(d.By))
		for i, b := range d.By {
			by[i] = "`" + b.String() + "`"
		}
		kind := kinds[d.Kind]
		if d.Windowed {
			kind = "count over a window"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s | %s |\n", d.Name, strings.Join(by, ", "), kind, units[d.Unit], cell(d.Description))
	}
	page.WriteString("\n")
}

func ruleTable(page *bytes.Buffer) {
	page.WriteString("### Default rules\n\nA rate must be beyond its line for sure: 99 % for a warning, 99.9 % for critical, over at least 1,000 " +
		"recipients, of whom at least 10 are in the numerator. A daily figure must be beyond it on so many of its last reported days, with at least " +
		"so many deliveries on each. `for` is how long a figure must stay there before the alert fires.\n\n" +
		"| name | signal | by | window | warning | critical | for | where the lines come from |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range alerts.Defaults() {
		window, patience := "", ""
		if r.Window != nil {
			window = r.Window.String()
		}
		if r.For != 0 {
			patience = alerts.Seconds.Format(r.For.Seconds())
		}
		unit := r.Signal.Definition().Unit
		fmt.Fprintf(page, "| `%s` | `%s` | `%s` | %s | %s | %s | %s | %s |\n", r.Name, r.Signal, r.By, window,
			line(r.Warning, unit), line(r.Critical, unit), patience, r.Document)
	}
	page.WriteString("\n")
}

// line writes a line with what its signal needs beside it.
func line(l *alerts.Line, unit alerts.Unit) string {
	if l == nil {
		return ""
	}
	var text string
	if l.Above != nil {
		text = "above " + unit.Format(*l.Above)
	} else {
		text = "below " + unit.Format(*l.Below)
	}
	if l.Of != (alerts.Of{}) {
		text += ", " + l.Of.String() + " days"
	}
	if n := l.AtLeast.Denominator; n != nil {
		text += fmt.Sprintf(", at least %d deliveries", *n)
	}
	return text
}
