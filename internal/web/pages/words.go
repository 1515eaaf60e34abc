package pages

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

var windowWords = [...]string{signal.Hour: "1 hour", signal.Day: "24 hours", signal.Week: "7 days", signal.Life: "its whole life"}

// stateWord is what stands where a figure is not known. It is never a zero.
func stateWord(state string) string {
	switch state {
	case "immature":
		return "too young"
	case "idle":
		return "no mail"
	case "no_data":
		return "no data"
	case "not_reported":
		return "not reported"
	case "insufficient":
		return "too few"
	default:
		return strings.ReplaceAll(state, "_", " ")
	}
}

// stateMeaning says what a state means for the figure, empty for ok.
func stateMeaning(s signal.State, d signal.Definition) string {
	switch s {
	case signal.Immature:
		return "It may still grow: part of this mail is younger than " + duration(d.Maturity) + "."
	case signal.Idle:
		return "No mail was sent in this window."
	case signal.NoData:
		return "Mail was sent, but the events that this needs are not published."
	case signal.NotReported:
		return "None of this mail went where anybody reports this."
	case signal.Insufficient:
		return "Too few to judge by."
	case signal.Stale:
		return "Its sources have been failing: this is what was known before."
	case signal.Error:
		return "The counts contradict each other, so there is no figure."
	default:
		return ""
	}
}

// signalWords are the names of the rates for people, and of what they count.
var signalWords = [signal.Count]struct{ name, counted, of string }{
	signal.DeliveryRate:    {"Delivered", "delivered", "attempted"},
	signal.HardBounceRate:  {"Hard bounces", "bounced hard", "attempted"},
	signal.SoftBounceRate:  {"Soft bounces", "bounced softly", "attempted"},
	signal.BlockRate:       {"Refused", "refused for reputation, content, authentication or policy", "attempted"},
	signal.DelayRate:       {"Delayed", "delayed", "attempted"},
	signal.ComplaintRate:   {"Complaints", "complained", "delivered at providers that report complaints to SES"},
	signal.UnsubscribeRate: {"Unsubscribed", "unsubscribed", "delivered"},
	signal.SuppressedRate:  {"Suppressed", "suppressed", "sent"},
}

var outcomeWords = map[observation.Outcome]string{
	observation.Sent: "Sent", observation.Delivered: "Delivered", observation.HardBounced: "Bounced hard",
	observation.SoftBounced: "Bounced softly", observation.AutoreplySuspected: "Autoreplies, suspected",
	observation.UndeterminedBounced: "Bounced, undetermined", observation.Suppressed: "Suppressed",
	observation.Complained: "Complained", observation.NotSpam: "Said not spam", observation.Rejected: "Rejected by SES",
	observation.RenderingFailed: "Rendering failed", observation.Unsubscribed: "Unsubscribed", observation.Delayed: "Delayed",
	observation.Opened: "Opened", observation.Clicked: "Clicked", observation.OpenedByBot: "Opened by bots",
	observation.ClickedByBot: "Clicked by bots",
}

// outcomeWord is an outcome's name for people; name is that of the API.
func outcomeWord(name string) string {
	for o, word := range outcomeWords {
		if o.String() == name {
			return word
		}
	}
	return name
}

// providerNames are the names of providers for people, by their ids.
func providerNames() map[string]string {
	names := map[string]string{observation.OtherProvider: "Other providers"}
	if c, err := mailbox.New(); err == nil {
		for _, p := range c.Providers() {
			names[p.ID] = p.Name
		}
	}
	// What people call them is shorter than what the data must say.
	names["microsoft"] = "Microsoft (Outlook.com)"
	return names
}

// reasonWord is a reason for people, and its definition.
func reasonWord(name string) (word, definition string) {
	word = strings.ReplaceAll(name, "_", " ")
	for _, r := range mailbox.Reasons() {
		if r.Name == name {
			return word, r.Definition
		}
	}
	return word, ""
}

// count writes a number with commas between thousands.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// percent writes a share with as many digits as the lines of mailbox providers have, and a blank that does not break.
func percent(share float64) string {
	p := share * 100
	digits := 0
	switch size := math.Abs(p); {
	case p == 0 || p == 100:
	case size >= 10:
		digits = 1
	case size >= 0.095:
		digits = 2
	case size >= 0.0095:
		digits = 3
	default:
		return "<0.01\u00a0%"
	}
	text := strconv.FormatFloat(p, 'f', digits, 64)
	if digits > 0 && p >= 1 {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text + "\u00a0%"
}

// linePercent writes a line as whoever drew it does: 0.3 %, not 0.30 %.
func linePercent(share float64) string { return strconv.FormatFloat(share*100, 'g', 4, 64) + "\u00a0%" }

// duration writes a length of time in one unit.
func duration(d time.Duration) string {
	unit := func(n int64, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return fmt.Sprintf("%d %ss", n, word)
	}
	switch {
	case d < time.Minute:
		return unit(int64(d/time.Second), "second")
	case d < 2*time.Hour:
		return unit(int64(d/time.Minute), "minute")
	case d < 73*time.Hour:
		return unit(int64(d/time.Hour), "hour")
	default:
		return unit(int64(d/(24*time.Hour)), "day")
	}
}

// utc writes a time as it is shown before a script turns it into the reader's zone.
func utc(t time.Time) string { return t.UTC().Format("2 Jan 15:04") + " UTC" }

func day(d campaign.Day) string { return d.Start(time.UTC).Format("Mon 2 Jan") }

func ago(days int) string {
	switch days {
	case 0:
		return "today"
	case 1:
		return "yesterday"
	default:
		return fmt.Sprintf("%d days ago", days)
	}
}

// bytesWord writes a size.
func bytesWord(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%d B", n)
	}
}

// plural is a number with a word.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}
