package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// percent writes a share as people read it, with as many digits as tell something.
func percent(v float64) string {
	p := 100 * v
	switch {
	case p == 0 || p == 100:
		return strconv.Itoa(int(p)) + nbsp + "%"
	case p < 0.005:
		return "under" + nbsp + "0.01" + nbsp + "%"
	case p < 1 || p > 99:
		return decimal(p, 2) + nbsp + "%"
	default:
		return decimal(p, 1) + nbsp + "%"
	}
}

// decimal writes a number with so many decimals, without noughts at the end.
func decimal(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// between writes an interval.
func between(low, high float64) string {
	l, h := percent(low), percent(high)
	if l == h {
		return l
	}
	return strings.TrimSuffix(l, nbsp+"%") + " to " + h
}

// count writes a number with commas between thousands.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// counted writes a number of things.
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// listed joins names: a, b and c.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// some joins the first few of many names.
func some(names []string, most int) string {
	if len(names) <= most {
		return listed(names)
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}

// times says how many times as much a value is.
func times(v, of float64) string {
	switch x := v / of; {
	case x >= 9.5:
		return strconv.Itoa(int(math.Round(x))) + " times"
	case x >= 1.95 && x < 2.05:
		return "twice"
	default:
		return decimal(x, 1) + " times"
	}
}

// dayOf writes a date as Mon 9 Nov.
func dayOf(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("Mon 2 Jan")
}

// moment writes a time in the report's zone.
func (r *Report) moment(t time.Time) string {
	return t.In(r.Period.Location()).Format("Mon 2 Jan 2006 15:04 MST")
}

// signalWords is what people call a signal, and what became of the mail that it counts.
func signalWords(s signal.Signal) (name, became string) {
	switch s {
	case signal.DeliveryRate:
		return "delivered", "delivered"
	case signal.HardBounceRate:
		return "hard bounces", "refused for good"
	case signal.SoftBounceRate:
		return "soft bounces", "given up after temporary refusals"
	case signal.BlockRate:
		return "blocked", "blocked"
	case signal.DelayRate:
		return "delayed", "put off at least once"
	case signal.ComplaintRate:
		return "complaints", "complaints"
	case signal.UnsubscribeRate:
		return "unsubscribes", "unsubscribes"
	default:
		return "suppressed", "on a suppression list"
	}
}

// providerName is what people call a provider.
func providerName(id string) string {
	switch id {
	case "gmail":
		return "Gmail"
	case "google_workspace":
		return "Google Workspace"
	case "other":
		return "other providers"
	case "aol":
		return "AOL"
	case "gmx":
		return "GMX"
	}
	words := strings.Split(id, "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

// label names a campaign within its tenant.
func label(tenant, id string) string {
	if tenant == "" {
		return id
	}
	return tenant + " / " + id
}

// reasonWords says a reason of the closed list in a few words.
func reasonWords(id string) string {
	switch id {
	case "bad_mailbox":
		return "the address does not exist"
	case "inactive_mailbox":
		return "the mailbox is closed"
	case "mailbox_full":
		return "the mailbox is full"
	case "bad_domain":
		return "the domain does not exist"
	case "message_too_large":
		return "the message is too large"
	case "rate_limited":
		return "too much mail, too fast"
	case "reputation_ip":
		return "the sending IP is distrusted"
	case "reputation_domain":
		return "the sending domain is distrusted"
	case "blocklist":
		return "listed on a block list"
	case "content_spam":
		return "the message was judged to be spam"
	case "content_virus_or_attachment":
		return "a link or attachment is forbidden"
	case "auth_spf":
		return "SPF failed"
	case "auth_dkim":
		return "DKIM failed"
	case "auth_dmarc":
		return "DMARC failed"
	case "auth_missing":
		return "the mail is not authenticated"
	case "policy":
		return "a policy of the receiver"
	case "temporary_server":
		return "the receiver's servers had trouble"
	case "timeout_expired":
		return "retries ran out"
	case "unknown":
		return "no reason was given"
	default:
		return strings.ReplaceAll(id, "_", " ")
	}
}

// capital begins a sentence. A name at its beginning stays as it is written.
func capital(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
