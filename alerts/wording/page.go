package wording

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/observation"
)

// Page is a notification in words. What is not known is empty.
type Page struct {
	// Standing is Critical, Warning or Resolved.
	Standing string
	// Headline says it in one line; News how that differs from what was said before.
	Headline, News string
	// Description is the rule's own text, of several lines perhaps.
	Description string
	// Alerts are those that fire, the worst first, or the one that ended. More says of how many there is nothing.
	Alerts []Alert
	More   string
	// Ended and Muted are lines about alerts that ended, and about those that this one stands for.
	Ended, Muted []string
	// Facts are about all of it.
	Facts    []Fact
	Commands []alerts.Command
	Links    []alerts.Link
	// Footer says which rule and notification it is.
	Footer string
}

// Alert is one alert in words.
type Alert struct {
	Standing string
	// Headline is empty where that of the page says the same.
	Headline string
	Facts    []Fact
	Reasons  []Reason
}

// Fact is a name and what there is to say.
type Fact struct{ Name, Text string }

// Reason is why mail was not taken, with what a mailbox provider said and the SES ids of some messages.
type Reason struct {
	Text, Reply string
	MessageIDs  []string
}

// NewPage puts a notification into words.
func NewPage(n *alerts.Notification) *Page {
	p := &Page{
		Standing: Standing(n.Severity, n.Resolved), Headline: clean(n.Summary), News: news(n), Description: lines(n.Description),
		Ended: briefs(n.Gone, 0), Muted: briefs(n.Muted, n.MoreMuted), Facts: overall(n), Links: links(n),
	}
	members := n.Members
	if n.Resolved {
		p.Headline = capital(strings.TrimPrefix(p.Headline, "Resolved, ")) // the standing says it
		if len(n.Gone) == 1 {
			members, p.Ended = n.Gone, nil
		}
	}
	for i := range members {
		a := newAlert(n, &members[i])
		if len(members) == 1 && n.More == 0 {
			a.Headline = ""
		}
		p.Alerts = append(p.Alerts, a)
	}
	if n.More > 0 {
		p.More = fmt.Sprintf("and %s more", Count(int64(n.More)))
	}
	for _, c := range n.Commands {
		p.Commands = append(p.Commands, alerts.Command{Text: delivery.Line(c.Text), Line: delivery.Line(c.Line)})
	}
	p.Footer = fmt.Sprintf("Rule %s, notifier %s, notification %d, id %s", delivery.Line(n.Rule), delivery.Line(n.Notifier), n.Sequence, delivery.Line(n.ID))
	return p
}

// Topic names what a group is about, the same from its opening to its end: the rule and what its alerts have in common.
func Topic(n *alerts.Notification) string {
	topic := delivery.Line(n.Rule)
	if common := fields(n.Group); common != "" {
		topic += ": " + common
	}
	return topic
}

// Standing says how bad it is: Critical, Warning or Resolved.
func Standing(s alerts.Severity, resolved bool) string {
	switch {
	case resolved:
		return "Resolved"
	case s == alerts.Critical:
		return "Critical"
	case s == alerts.Warning:
		return "Warning"
	default:
		return "Alert"
	}
}

// news says what changed.
func news(n *alerts.Notification) string {
	firing := Count(int64(len(n.Members) + n.More))
	switch n.Change {
	case alerts.Worsened:
		return "Worse than before."
	case alerts.Eased:
		return "Less severe than before."
	case alerts.Joined:
		return fmt.Sprintf("More of the same: %s now.", firing)
	case alerts.Left:
		return fmt.Sprintf("Some ended, %s still firing.", firing)
	default:
		return ""
	}
}

// overall are the facts about a group.
func overall(n *alerts.Notification) (facts []Fact) {
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, Fact{name, text})
		}
	}
	switch {
	case n.Resolved && len(n.Gone) != 1:
		add("Lasted", lasted(n.StartedAt, n.At))
	case len(n.Members)+n.More > 1:
		add("Since", since(n.StartedAt, n.At))
	}
	if max(len(n.Members)+n.More, len(n.Gone)) > 1 { // else the headline says it
		add("In common", fields(n.Group))
	}
	add("Owner", delivery.Line(n.Owner))
	add("What it is", n.Signal.Definition().Description)
	if !web(n.Document) {
		add("Where the line is from", delivery.Line(n.Document))
	}
	if !web(n.Runbook) {
		add("Runbook", delivery.Line(n.Runbook))
	}
	return facts
}

func fields(all []observation.Field) string {
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = strings.ReplaceAll(delivery.Line(f.Name), "_", " ") + " " + delivery.Line(f.Value)
	}
	return strings.Join(texts, ", ")
}

// maxBriefs bounds a list of lines.
const maxBriefs = 10

// briefs are a line for each of some alerts; more are not listed anyway.
func briefs(members []alerts.Member, more int) (texts []string) {
	for i := range members {
		if len(texts) == maxBriefs {
			more += len(members) - i
			break
		}
		texts = append(texts, brief(&members[i]))
	}
	if more > 0 {
		texts = append(texts, fmt.Sprintf("and %s more", Count(int64(more))))
	}
	return texts
}

func brief(m *alerts.Member) string {
	return cmp.Or(clean(m.Summary), clean(m.Subject.String()))
}

// links are those that a browser can follow, each once.
func links(n *alerts.Notification) (all []alerts.Link) {
	for _, l := range slices.Concat(n.Links, []alerts.Link{{Text: "Runbook", URL: n.Runbook}, {Text: "Where the line is from", URL: n.Document}}) {
		known := slices.ContainsFunc(all, func(o alerts.Link) bool { return o.URL == l.URL })
		if web(l.URL) && !known {
			all = append(all, alerts.Link{Text: cmp.Or(delivery.Line(l.Text), l.URL), URL: l.URL})
		}
	}
	return all
}

// maxURL bounds a link; browsers and mail programs cut longer ones.
const maxURL = 2000

// web says whether an address is one for browsers.
func web(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) <= maxURL && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		!strings.ContainsAny(address, " \t<>\"|")
}

// lines are a text of several lines without what cannot be seen.
func lines(text string) string {
	var all []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		all = append(all, clean(line))
	}
	return strings.Join(all, "\n")
}

// clean makes a text fit for one line, as delivery.Line does for a name, but leaves its length to the rules, which bound it.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// capital begins a text with a capital.
func capital(text string) string {
	_, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:n]) + text[n:]
}

// Time writes a time as people read it.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// since tells when something began and how long ago that is.
func since(start, now time.Time) string {
	if now.Sub(start) < time.Minute {
		return Time(start) + ", just now"
	}
	return Time(start) + ", for " + span(now.Sub(start))
}

// lasted tells how long something was.
func lasted(from, to time.Time) string {
	return fmt.Sprintf("%s, from %s to %s", span(to.Sub(from)), Time(from), Time(to))
}

// span writes a length of time.
func span(d time.Duration) string { return alerts.Seconds.Format(max(d, 0).Seconds()) }

// Count writes a number with commas between thousands.
func Count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
