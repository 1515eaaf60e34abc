package pages

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// lines are those of a rate, with what it takes to be sure. A line that no rule has is out of reach.
type lines struct {
	warning, critical line
}

type line struct {
	at                     float64
	set                    bool
	denominator, numerator int64
	// z is the quantile of the confidence at which the line must be crossed.
	z float64
}

// Those of the rules where they say nothing else; see alerts.Floors.
const (
	floorDenominator = 1000
	floorNumerator   = 10
)

func lineOf(l *alerts.Line, z float64) line {
	if l == nil || l.Above == nil {
		return line{}
	}
	out := line{at: *l.Above, set: true, denominator: floorDenominator, numerator: floorNumerator, z: z}
	if l.AtLeast.Denominator != nil {
		out.denominator = *l.AtLeast.Denominator
	}
	if l.AtLeast.Numerator != nil {
		out.numerator = *l.AtLeast.Numerator
	}
	return out
}

// linesOf takes the lines of rates from the rules in force: the pages must not call bad what alerts call good.
func linesOf(rules []alerts.Rule, by alerts.By) (all [signal.Count]lines) {
	for i := range rules {
		r := &rules[i]
		rate, ok := r.Signal.Rate()
		if !ok || r.By != by || len(r.Where) > 0 {
			continue
		}
		all[rate] = lines{lineOf(r.Warning, signal.Z99), lineOf(r.Critical, signal.Z999)}
	}
	return all
}

func (l line) crossed(f *signal.Figure) (surely, enough bool) {
	low, _ := signal.Wilson(f.Numerator, f.Denominator, l.z)
	return l.set && low > l.at, f.Denominator >= l.denominator && f.Numerator >= l.numerator
}

// levelOf says how bad a figure is. What is surely beyond a line, but of too few to be judged by, is near it.
func (l *lines) levelOf(f *signal.Figure) level {
	if !f.Known {
		return fine
	}
	if surely, enough := l.critical.crossed(f); surely && enough {
		return critical
	}
	surely, enough := l.warning.crossed(f)
	switch {
	case surely && enough:
		return warning
	case l.warning.set && f.Value > l.warning.at && (surely || enough) && f.Numerator > 1:
		return near
	default:
		return fine
	}
}

// rateFields are the names of a rate's parts in CSV.
func rateFields(name string) []string {
	return []string{name, name + "_low", name + "_high", name + "_numerator", name + "_denominator", name + "_state"}
}

// span says of which mail figures speak.
type span struct {
	window string
	asOf   time.Time
}

func (s span) String() string {
	return fmt.Sprintf("Mail sent in %s, as of %s.", s.window, utc(s.asOf))
}

func spanOf(w signal.Window, asOf time.Time) span { return span{"the last " + windowWords[w], asOf} }

// rate is a rate in a table.
func rate(s signal.Signal, f *signal.Figure, l *lines, of span) cell {
	c := cell{Tip: rateTip(s, f, l, of), Level: l.levelOf(f), values: []any{nil, nil, nil, nil, nil, f.State.String()}}
	if !f.Known {
		c.Text, c.Unknown = stateWord(f.State.String()), true
		return c
	}
	c.Text = percent(f.Value)
	c.Weak = f.Denominator < signal.Floor
	c.values = []any{f.Value, f.Low, f.High, f.Numerator, f.Denominator, f.State.String()}
	if f.State == signal.Stale {
		c.Notes = append(c.Notes, "stale")
	}
	return c
}

// rateTip says all that stands behind a rate: n of N, the interval, the basis, the line, the state and the age.
func rateTip(s signal.Signal, f *signal.Figure, l *lines, of span) string {
	var b strings.Builder
	say := func(format string, args ...any) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, format, args...)
	}
	words, d := signalWords[s], s.Definition()
	if f.Known {
		say("%s %s of %s %s.", count(f.Numerator), words.counted, count(f.Denominator), words.of)
		say("The true rate is between %s and %s; each end is 99\u00a0%% sure.", percent(f.Low), percent(f.High))
	}
	switch f.Basis {
	case signal.BasisSettled:
		say("Basis: delivered and bounced, as no Send events arrive.")
	case signal.BasisMixed:
		say("Basis: attempted for part of the mail, delivered and bounced for the rest.")
	case signal.BasisAttempted:
	}
	if f.Measured && f.Known {
		say("It speaks of %s of deliveries; the others go where nobody reports to SES, such as Gmail.", percent(f.MeasuredShare))
	}
	if l.warning.set && f.Known {
		say("Warning line %s%s.", linePercent(l.warning.at), orNone(", critical ", l.critical))
	}
	if meaning := stateMeaning(f.State, d); meaning != "" {
		say("%s", meaning)
	}
	if f.State == signal.Immature && f.Mature.Known && f.Mature.Denominator != f.Denominator {
		say("Of the older mail: %s (%s of %s).", percent(f.Mature.Value), count(f.Mature.Numerator), count(f.Mature.Denominator))
	}
	say("%s", of)
	return b.String()
}

func orNone(prefix string, l line) string {
	if !l.set {
		return ""
	}
	return prefix + linePercent(l.at)
}

// The lines that Gmail states for spam reports: to stay under the first, and never to reach the second
// (https://support.google.com/mail/answer/81126).
const (
	gmailLine      = 0.001
	gmailUpperLine = 0.003
)

func gmailLevel(rate float64) level {
	switch {
	case rate >= gmailUpperLine:
		return critical
	case rate >= gmailLine:
		return warning
	default:
		return fine
	}
}

var gmailFields = []string{
	"gmail_spam_rate", "gmail_day", "gmail_state", "gmail_complaints_upper_bound", "gmail_days_reported", "gmail_days_in_window",
	"gmail_delivered",
}

// gmailCell is what Gmail says about a campaign. Its complaints are an upper bound and marked as one.
func gmailCell(g *view.Gmail) cell {
	if g == nil {
		return cell{Text: "no mail", Unknown: true, Tip: "No mail went to personal Gmail addresses.", values: make([]any, len(gmailFields))}
	}
	c := cell{values: []any{nil, nil, string(g.State), nil, g.DaysReported, g.DaysInWindow, g.Delivered}}
	tip := fmt.Sprintf("%s to personal Gmail addresses in this window.", plural(g.Delivered, "delivery", "deliveries"))
	if g.SpamRate != nil {
		c.Text, c.Level = percent(*g.SpamRate), gmailLevel(*g.SpamRate)
		c.values[0], c.values[1] = *g.SpamRate, g.Day.String()
		tip = fmt.Sprintf("Gmail users reported %s of the mail of %s (%s) as spam, by an identifier that is this campaign's own. "+
			"Gmail's lines are 0.1\u00a0%% and 0.3\u00a0%%. ", percent(*g.SpamRate), day(g.Day), ago(*g.AgeDays)) + tip
		if g.State == campaign.ReportStale {
			c.Notes, c.Level = append(c.Notes, "stale"), min(c.Level, near)
		}
	} else {
		c.Text, c.Unknown = stateWord(string(g.State)), true
		tip = gmailMeaning(g.State) + " " + tip
	}
	if g.ComplaintsUpperBound != nil {
		c.values[3] = *g.ComplaintsUpperBound
		c.Notes = append(c.Notes, upperBound(*g.ComplaintsUpperBound))
		tip += fmt.Sprintf(" That makes at most %.1f complaints on %d reported of %d days; Gmail divides by mail in inboxes, of which only Gmail knows how much it is.",
			*g.ComplaintsUpperBound, g.DaysReported, g.DaysInWindow)
	} else {
		tip += fmt.Sprintf(" No day of %d was reported.", g.DaysInWindow)
	}
	c.Tip = tip
	return c
}

// upperBound writes how many complaints there can have been at most.
func upperBound(n float64) string { return fmt.Sprintf("≤\u00a0%.0f complaints", max(n, 0)) }

func gmailMeaning(s campaign.ReportState) string {
	switch s {
	case campaign.ReportNotReported:
		return "Gmail's days arrived without a rate of this campaign's own: it reports none for little mail, or where identifiers are shared."
	case campaign.ReportNoData:
		return "No day of Gmail's has arrived that could speak of this mail."
	case campaign.ReportStale:
		return "What Gmail said is too old to go by."
	default:
		return ""
	}
}
