package delivery

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mailvane/mailvane/alerts"
)

// Word is something that a person should know of an alert: what it is, in snake_case, and the text.
type Word struct{ Name, Text string }

// Words tell of a member what its summary does not: the figure and how sure it is, since when, and what stands behind it.
// What is not known is left out. Names from outside are on one line, without control characters; they are not escaped for
// any markup.
func Words(n *alerts.Notification, m *alerts.Member) []Word {
	var w words
	e := &m.Evidence
	unit := n.Signal.Definition().Unit
	if e.Known {
		value := unit.Format(e.Value)
		if m.UpperBound {
			value = "at most " + value
		}
		w.add("value", value)
		w.add("line", unit.Format(e.Line))
	}
	if e.Interval {
		w.add("interval", fmt.Sprintf("%s to %s, each end sure by %s", unit.Format(e.Low), unit.Format(e.High), alerts.Ratio.Format(e.Confidence)))
		w.add("count", fmt.Sprintf("%d of %d", e.Numerator, e.Denominator))
	} else if e.Denominator > 0 {
		w.add("deliveries", strconv.FormatInt(e.Denominator, 10))
	}
	if e.MeasuredShare > 0 {
		w.add("measured_share", alerts.Ratio.Format(e.MeasuredShare)+" of deliveries")
	}
	w.add("window", e.Window)
	if e.Day != 0 {
		w.add("day", e.Day.String())
	}
	w.add("days", e.Days)
	w.add("state", e.State)
	w.addTime("since", m.StartedAt)
	w.addTime("data_as_of", e.AsOf)
	if m.Detail != nil {
		w.addDetail(m.Detail, unit)
	}
	return w
}

type words []Word

func (w *words) add(name, text string) {
	if text != "" {
		*w = append(*w, Word{name, text})
	}
}

func (w *words) addTime(name string, t time.Time) {
	if !t.IsZero() {
		w.add(name, Time(t))
	}
}

func (w *words) addDetail(d *alerts.Detail, unit alerts.Unit) {
	var list []string
	for _, note := range d.Notes {
		list = append(list, Line(note))
	}
	w.add("notes", strings.Join(list, " "))
	w.addShares(d)
	for i := range d.Reasons { // each may be long
		w.add("reason_"+strconv.Itoa(i+1), reason(&d.Reasons[i]))
	}
	if d.SentLately != nil {
		w.add("sent_last_15m", strconv.FormatInt(*d.SentLately, 10))
	}
	if p := d.Previous; p != nil {
		text := fmt.Sprintf("%s, %d of %d", unit.Format(p.Value), p.Numerator, p.Denominator)
		switch {
		case p.Weeks > 0:
			w.add("same_hours_of_earlier_weeks", text)
		case p.Send != "":
			w.add("previous_send", Line(p.Send)+": "+text)
		default:
			w.add("previous_send", text)
		}
	}
	list = list[:0]
	for _, o := range d.ConfigurationSets {
		list = append(list, fmt.Sprintf("%s (account %s, %s)", Line(o.ConfigurationSet), Line(o.Account), Line(o.Region)))
	}
	w.add("configuration_sets", strings.Join(list, "; "))
}

// addShares tells of what a figure is made.
func (w *words) addShares(d *alerts.Detail) {
	var list []string
	for _, p := range d.Providers {
		list = append(list, share(p.Provider, p.Numerator, p.Denominator))
	}
	w.add("providers", strings.Join(list, "; "))
	list = list[:0]
	for _, c := range d.Campaigns {
		text := share(c.Campaign, c.Numerator, c.Denominator)
		if c.Tenant != "" {
			text += " (tenant " + Line(c.Tenant) + ")"
		}
		list = append(list, text)
	}
	w.add("campaigns", strings.Join(list, "; "))
	list = list[:0]
	for _, i := range d.Identifiers {
		text := fmt.Sprintf("%s at most %s on %s", Line(i.Identifier), alerts.Ratio.Format(i.SpamRate), i.Day)
		switch {
		case i.Campaign != "":
			text += " (campaign " + Line(i.Campaign) + " alone)"
		case i.SharedBy > 1:
			text += fmt.Sprintf(" (shared by %d campaigns)", i.SharedBy)
		}
		list = append(list, text)
	}
	w.add("identifiers", strings.Join(list, "; "))
}

// share tells what a part of the mail adds to a figure.
func share(name string, numerator, denominator int64) string {
	text := fmt.Sprintf("%s %d of %d", Line(name), numerator, denominator)
	if denominator > 0 {
		text += ", " + alerts.Ratio.Format(float64(numerator)/float64(denominator))
	}
	return text
}

// reason tells how often a reason was given, in what words, and for which messages.
func reason(r *alerts.ReasonShare) string {
	text := fmt.Sprintf("%s %d times", Line(r.Reason), r.N)
	if r.Provider != "" {
		text += " at " + Line(r.Provider)
	}
	if r.Reply != "" {
		text += ": " + Line(r.Reply)
	}
	if len(r.MessageIDs) > 0 {
		ids := make([]string, len(r.MessageIDs))
		for i, id := range r.MessageIDs {
			ids[i] = Line(id)
		}
		text += " (SES message ids " + strings.Join(ids, ", ") + ")"
	}
	return text
}

// Time writes a time for people and machines: in UTC, by RFC 3339, with milliseconds.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// maxLine bounds a name from outside.
const maxLine = 500

// Line makes a name from outside fit for one line of text: characters that cannot be seen, or that turn the direction of
// what follows, become spaces, and 500 bytes are the most.
func Line(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	return Shorten(name, maxLine)
}

// Shorten cuts a text to so many bytes, at a whole character, and shows that it did.
func Shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}
