package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// lines are where a figure calls for action: from Act on something must be done, from Stop on no more mail should go. They
// are those of the default alert rules, so that a report and an alert never disagree.
type lines struct{ act, stop float64 }

// linesOf are a signal's lines, zero where there is none. Complaints: Yahoo warns at 0.1 % and enforces 0.3 %
// (https://senders.yahooinc.com/best-practices/). Hard bounces: SES reviews an account at 5 % and may pause it at 10 %
// (https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html). Of blocks and delays nobody states a line: at 2 % a
// filter has begun to act, at 10 % it acts on everybody; who puts off one mail in five slows the sender down.
func linesOf(s signal.Signal) lines {
	switch s {
	case signal.ComplaintRate:
		return lines{0.001, 0.003}
	case signal.HardBounceRate:
		return lines{0.05, 0.10}
	case signal.BlockRate:
		return lines{0.02, 0.10}
	case signal.DelayRate:
		return lines{act: 0.20}
	default:
		return lines{}
	}
}

// Gmail's lines: to stay below 0.1 % and never to reach 0.3 % (https://support.google.com/a/answer/81126).
const (
	gmailAct  = 0.001
	gmailStop = 0.003
)

const (
	// leastOf and least are the denominator and numerator under which a rate is not acted upon.
	leastOf = signal.Floor
	least   = 10
	// leastWatched is the numerator under which a rate is not even watched.
	leastWatched = 4
	// grown is how many times as high as before a rate must be for its growth to be told.
	grown = 2
)

// levelOf says how urgent a rate is: its lower bound must be beyond a line, at 99 % to act and at 99.9 % to stop.
func levelOf(f *signal.Figure, l lines) Level {
	if !f.Known || l.act == 0 || f.State == signal.Error || f.State == signal.NoData {
		return ""
	}
	if f.Denominator >= leastOf && f.Numerator >= least {
		low, _ := signal.Wilson(f.Numerator, f.Denominator, signal.Z999)
		switch {
		case l.stop > 0 && low >= l.stop:
			return LevelUrgent
		case f.Low >= l.act:
			return LevelAct
		}
	}
	if f.Numerator >= leastWatched && f.Value >= l.act {
		return LevelWatch
	}
	return ""
}

// finding is one thing that is wrong.
type finding struct {
	level Level
	// weight orders findings of one level: how many times the line.
	weight    float64
	signal    string
	value     float64
	line      float64
	title     string
	why, sure string
	do        string
	// short says it beside a worse finding.
	short string
}

// judge finds what is wrong with a campaign, the worst first.
func judge(c *Campaign) []finding {
	var all []finding
	for _, s := range []signal.Signal{signal.ComplaintRate, signal.HardBounceRate, signal.BlockRate, signal.DelayRate} {
		if f, ok := judgeRate(c, s); ok {
			all = append(all, f)
		}
	}
	if f, ok := judgeWorst(c); ok && !slices.ContainsFunc(all, func(a finding) bool { return a.signal == f.signal }) {
		all = append(all, f)
	}
	if f, ok := judgeGmail(c); ok {
		all = append(all, f)
	}
	for _, s := range signal.Signals() {
		if !slices.ContainsFunc(all, func(f finding) bool { return f.signal == s.String() }) {
			if f, ok := judgeGrowth(c, s); ok {
				all = append(all, f)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.level.rank(), b.level.rank()), cmp.Compare(b.weight, a.weight))
	})
	return all
}

// judgeRate holds a rate of the campaign against its lines.
func judgeRate(c *Campaign, s signal.Signal) (f finding, ok bool) {
	figure, l := &c.Signals[s], linesOf(s)
	level := levelOf(figure, l)
	if level == "" {
		return f, false
	}
	line := l.act
	if level == LevelUrgent {
		line = l.stop
	}
	f = finding{level: level, weight: figure.Low / l.act, signal: s.String(), value: figure.Value, line: line}
	f.sure = sureOf(figure, level, line)
	what := percent(figure.Value)
	switch s {
	case signal.ComplaintRate:
		f.title = what + " of its readers report it as spam"
		f.why = fmt.Sprintf("%s about %s mails delivered at providers that report complaints: %s. Yahoo warns from %s on and acts at "+
			"%s.", counted(figure.Numerator, "complaint", "complaints"), count(figure.Denominator), what, percent(l.act), percent(l.stop))
		f.do = doComplaints(level, c.Stream)
	case signal.HardBounceRate:
		f.title = what + " of its mail was refused for good" + mostly(c, observation.HardBounced)
		f.why = fmt.Sprintf("%s of %s mails were refused for good: %s. SES reviews an account at %s and may pause it at %s.",
			count(figure.Numerator), count(figure.Denominator), what, percent(l.act), percent(l.stop))
		f.do = doBounces(level)
	case signal.BlockRate:
		where, why, group := blockedBy(c)
		f.title = what + " of its mail is blocked" + where
		f.why = fmt.Sprintf("%s of %s mails were blocked%s: %s%s. At %s a filter has begun to act, at %s it acts on everybody.",
			count(figure.Numerator), count(figure.Denominator), where, what, why, percent(l.act), percent(l.stop))
		f.do = doBlocked(level, group)
	case signal.DelayRate:
		f.title = what + " of its mail was put off" + atWorst(c, s)
		f.why = fmt.Sprintf("%s of %s mails were put off at least once%s: %s.", count(figure.Numerator), count(figure.Denominator),
			atWorst(c, s), what)
		f.do = "Send more slowly, above all there. Delays of this size mean that the receiver limits how fast it takes mail."
	}
	f.short = f.title
	f.why += since(c, s)
	return f, true
}

// judgeWorst holds the rate at the worst provider against the lines, where that of all mail is in order.
func judgeWorst(c *Campaign) (f finding, ok bool) {
	w := c.Worst
	if w == nil || w.Line == nil {
		return f, false
	}
	s, _ := signal.Parse(w.Signal)
	figure := signal.Figure{Part: signal.RateOf(w.Count, w.Of)}
	if level := levelOf(&figure, linesOf(s)); level != LevelAct && level != LevelUrgent {
		return f, false
	}
	name, what := signalWords(s)
	at := providerName(w.Provider)
	f = finding{level: LevelAct, weight: w.Low / *w.Line, signal: w.Signal, value: w.Value, line: *w.Line}
	f.title = fmt.Sprintf("%s at %s: %s", name, at, percent(w.Value))
	f.why = fmt.Sprintf("%s of %s mails to %s: %s. Elsewhere it does well; the line is %s.", count(w.Count), count(w.Of), at, what, percent(*w.Line))
	f.sure = sureOf(&figure, LevelAct, *w.Line)
	switch s {
	case signal.ComplaintRate:
		f.do = doComplaints(LevelAct, c.Stream)
	case signal.BlockRate:
		_, _, group := blockedBy(c)
		f.do = doBlocked(LevelAct, group)
	case signal.DelayRate:
		f.do = "Send more slowly there."
	default:
		f.do = doBounces(LevelAct)
	}
	f.short = f.title
	return f, true
}

// sureOf says how sure it is that a rate is beyond a line.
func sureOf(f *signal.Figure, level Level, line float64) string {
	if level == LevelWatch {
		reason := "few mails"
		if f.Denominator >= leastOf {
			reason = "few cases"
		}
		return fmt.Sprintf("Not sure: with so %s the true rate is somewhere from %s.", reason, between(f.Low, f.High))
	}
	confidence, low := "99"+nbsp+"%", f.Low
	if level == LevelUrgent {
		confidence = "99.9" + nbsp + "%"
		low, _ = signal.Wilson(f.Numerator, f.Denominator, signal.Z999)
	}
	sure := fmt.Sprintf("Sure: at %s confidence the true rate is at least %s, and the line is %s.", confidence, percent(low), percent(line))
	if f.State == signal.Immature {
		sure += " It may still grow."
	}
	return sure
}

// since says how a rate compares with that of earlier mail, where that is known to differ.
func since(c *Campaign, s signal.Signal) string {
	if c.Before == nil {
		return ""
	}
	compared, ok := c.Before.Compared[s.String()]
	if !ok {
		return ""
	}
	of := "Its earlier sends had "
	if c.Stream {
		of = "The same days of earlier weeks had "
	}
	switch compared.Verdict {
	case signal.Higher:
		if compared.Before > 0 {
			return " " + of + percent(compared.Before) + "."
		}
		return " " + of + "none."
	case signal.Lower:
		return " " + of + "more: " + percent(compared.Before) + "."
	default:
		return " " + of + "about as much."
	}
}

// judgeGmail holds what Gmail told about the campaign's own identifiers against Gmail's lines. A single day may be chance: it
// is a reason to stop only when much was delivered on it.
func judgeGmail(c *Campaign) (f finding, ok bool) {
	const muchDelivered = 3000
	var acted, stopped int
	var worst *GmailDay
	sure := false
	for i := range c.GmailDays {
		d := &c.GmailDays[i]
		if d.SpamRate >= gmailAct {
			acted++
		}
		if d.SpamRate >= gmailStop {
			stopped++
			sure = sure || d.Delivered >= muchDelivered
		}
		if worst == nil || d.SpamRate > worst.SpamRate {
			worst = d
		}
	}
	if acted == 0 {
		return f, false
	}
	level, line, over := LevelWatch, gmailAct, acted
	switch {
	case stopped >= 2 || sure:
		level, line, over = LevelUrgent, gmailStop, stopped
	case acted >= 2 || stopped > 0:
		level = LevelAct
	}
	days := 0
	if c.Gmail != nil {
		days = c.Gmail.DaysInWindow
	}
	f = finding{level: level, weight: worst.SpamRate / gmailAct, signal: "gmail_spam_rate", value: worst.SpamRate, line: line}
	f.title = percent(worst.SpamRate) + " of Gmail users report it as spam"
	f.why = fmt.Sprintf("Gmail shows %s on %s for %s, above %s on %s. It asks to stay below %s and never to reach %s.", percent(worst.SpamRate), dayOf(worst.Day.String()), worst.Value, percent(line),
		counted(int64(over), "day", "days"), percent(gmailAct), percent(gmailStop))
	f.sure = fmt.Sprintf("This is Gmail's own figure, told on %d of %s; no other campaign uses the identifier.", len(c.GmailDays),
		counted(int64(days), "day", "days"))
	if c.Gmail != nil && c.Gmail.ComplaintsUpperBound != nil {
		f.sure += fmt.Sprintf(" On those days at most %s users reported it.", decimal(*c.Gmail.ComplaintsUpperBound, 0))
	}
	f.do, f.short = doComplaints(level, c.Stream), f.title
	return f, true
}

// judgeGrowth finds a rate that is far below its line, or has none, and surely much higher than before.
func judgeGrowth(c *Campaign, s signal.Signal) (f finding, ok bool) {
	if c.Before == nil || s == signal.DeliveryRate {
		return f, false
	}
	figure := &c.Signals[s]
	compared, known := c.Before.Compared[s.String()]
	if !known || compared.Verdict != signal.Higher || figure.Numerator < least || compared.Value < grown*compared.Before {
		return f, false
	}
	if l := linesOf(s); l.act > 0 && compared.Value < l.act/5 || l.act == 0 && compared.Value < 0.005 {
		return f, false
	}
	name, of := signalWords(s)
	f = finding{level: LevelWatch, signal: s.String(), value: compared.Value, line: linesOf(s).act}
	before := "none before"
	if compared.Before > 0 {
		before = percent(compared.Before) + " before, " + times(compared.Value, compared.Before) + " as much"
	}
	f.title = fmt.Sprintf("more %s: %s, after %s", name, percent(compared.Value), before)
	f.why = fmt.Sprintf("%s of %s mails: %s.%s", count(figure.Numerator), count(figure.Denominator), of, since(c, s))
	f.sure = "The growth is sure: the intervals of both rates (99" + nbsp + "% each) do not touch."
	f.do = "Look at what changed: the list, the content, how often it is sent."
	f.short = f.title
	return f, true
}

// atWorst names the provider where that signal is worst.
func atWorst(c *Campaign, s signal.Signal) string {
	if c.Worst == nil || c.Worst.Signal != s.String() {
		return ""
	}
	return ", most of all at " + providerName(c.Worst.Provider)
}

// mostly says the reason of most of an outcome.
func mostly(c *Campaign, o observation.Outcome) string {
	byReason := map[string]int64{}
	for _, r := range c.Reasons {
		if r.Outcome == o.String() {
			byReason[r.Reason] += r.N
		}
	}
	for reason, n := range byReason { // more than half is one of them at most
		if 2*n > c.Recipients[o] && reason != "unknown" {
			return ": " + reasonWords(reason)
		}
	}
	return ""
}

// blockedBy says who blocks most of the mail, and for what.
func blockedBy(c *Campaign) (where, why, group string) {
	byProvider := map[string]int64{}
	var all int64
	var first string
	for _, r := range c.Reasons {
		if !signal.Blocks(r.Group) {
			continue
		}
		all += r.N
		byProvider[r.Provider] += r.N
		if why == "" {
			why, group, first = ", because "+reasonWords(r.Reason), r.Group, r.Provider
		}
	}
	if first != "" && 2*byProvider[first] > all {
		where = " by " + providerName(first)
	}
	return where, why, group
}

func doComplaints(level Level, stream bool) string {
	if stream {
		return "It is sent because somebody asked for it just now, so look for who asks in the name of others: forms without a check, robots that " +
			"enter foreign addresses. Stop it for addresses that were never confirmed."
	}
	if level == LevelUrgent {
		return "Stop it today. Find out who gets it and where they signed up; before it goes out again, drop everybody who has not opened " +
			"mail for months, and make leaving it one click."
	}
	return "Send it only to people who asked for it and read it. Make leaving it one click, in the mail and in its header."
}

func doBounces(level Level) string {
	if level == LevelUrgent {
		return "Stop it today. Find out where the addresses came from; have them confirmed, or drop them, before any of them gets mail again."
	}
	return "Remove the addresses that were refused, and find out from where they came into the list."
}

func doBlocked(level Level, group string) string {
	stop := ""
	if level == LevelUrgent {
		stop = "Stop it there today: each try makes it worse. "
	}
	switch group {
	case "reputation":
		return stop + "Start again slowly, with the readers who open most, and ask the provider to look at it."
	case "authentication":
		return stop + "Have SPF, DKIM and DMARC of the From domain put right; mail without them is refused, whatever it says."
	case "content":
		return stop + "Look at links, images and attachments; send a version without them to a few mailboxes there."
	default:
		return stop + "Read the replies on the campaign's page: they say what the receiver objects to."
	}
}
