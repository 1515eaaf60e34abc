package describe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	// maxCommands bounds the commands of a notification.
	maxCommands = 6
	// maxWord bounds a name within a command, maxLine a command: a shortened one would do something else.
	maxWord = 200
	maxLine = 450
)

// commands are what a person can run: first what stops the harm, then what shows more, at last what silences.
func (s *Settings) commands(n *alerts.Notification, suspects []*suspect) []alerts.Command {
	c := commands{config: s.ConfigFile}
	for _, suspect := range suspects {
		if harmful(n.Cause) {
			c.pause(suspect)
		}
	}
	for i := range n.Members[:min(len(n.Members), maxStudied)] {
		c.byCause(n, &n.Members[i].Subject)
	}
	c.silence(n)
	return c.all
}

// harmful tells the causes that more mail makes worse.
func harmful(c alerts.Cause) bool {
	return c == alerts.CauseComplaints || c == alerts.CauseBounces || c == alerts.CauseBlocks || c == alerts.CauseDelays
}

// commands are those found so far.
type commands struct {
	config string
	all    []alerts.Command
}

// add adds a command, unless it cannot be given or there are enough; the last place is for the silence.
func (c *commands) add(text string, words ...string) {
	line, ok := lineOf(words)
	known := slices.ContainsFunc(c.all, func(other alerts.Command) bool { return other.Line == line })
	if ok && !known && len(c.all) < maxCommands-1 {
		c.all = append(c.all, alerts.Command{Text: text, Line: line})
	}
}

// lineOf writes words for a shell. Ok is false when one cannot be shown as it is.
func lineOf(words []string) (line string, ok bool) {
	quoted := make([]string, len(words))
	for i, word := range words {
		if !safe(word) {
			return "", false
		}
		quoted[i] = quote(word)
	}
	line = strings.Join(quoted, " ")
	return line, len(line) <= maxLine
}

func safe(word string) bool {
	return word != "" && len(word) <= maxWord && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// option says whether a command would take a name for an option.
func option(name string) bool { return strings.HasPrefix(name, "-") }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// quote writes a word so that a POSIX shell takes it as it is.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// regionForm is that of AWS's regions: people paste what stands there.
var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d{1,2}$`)

// in is a region in a command. One that is not known must be filled in: the command would else act where the shell is set up.
func in(region string) string {
	if regionForm.MatchString(region) {
		return region
	}
	return "REGION"
}

// pause adds what stops the mail of a campaign.
func (c *commands) pause(s *suspect) {
	for _, set := range s.sets {
		c.pauseSet(s, set)
	}
}

func (c *commands) pauseSet(s *suspect, set observation.Origin) {
	if option(set.ConfigurationSet) {
		return
	}
	where := in(set.Region)
	if set.Account != "" {
		where += ", account " + set.Account
	}
	text := fmt.Sprintf("Stop campaign %s, and all other mail with configuration set %s (%s)", s.Campaign, set.ConfigurationSet, where)
	if s.stream {
		text += ". People wait for this mail: stop it only if nothing else helps"
	}
	c.add(text+"; --sending-enabled lets it go on", "aws", "sesv2", "put-configuration-set-sending-options", "--region", in(set.Region), "--configuration-set-name", set.ConfigurationSet,
		"--no-sending-enabled")
}

// byCause adds what shows more about one of the alerts, or mends it.
func (c *commands) byCause(n *alerts.Notification, s *alerts.Subject) {
	region := in(s.Region)
	switch n.Signal {
	case alerts.AccountBounceRate, alerts.AccountComplaintRate:
		c.add("Stop all mail of account "+s.Account+" in "+region+", receipts too, before SES does; --sending-enabled lets it go on",
			"aws", "sesv2", "put-account-sending-attributes", "--region", region, "--no-sending-enabled")
	case alerts.AccountEnforcement, alerts.AccountSendingPaused, alerts.AccountQuotaUsed:
		c.add("Show what SES says about the account", "aws", "sesv2", "get-account", "--region", region)
	case alerts.TenantPaused, alerts.TenantFindings:
		if !option(s.Tenant) {
			c.add("Show what SES says about the tenant", "aws", "sesv2", "get-tenant", "--region", region, "--tenant-name", s.Tenant)
		}
	case alerts.ReceiptFailures, alerts.ReceiptExpired, alerts.ReceiptSilent:
		c.receipt(s, region)
	case alerts.EventCoverage, alerts.DeafLoop:
		if _, set, ok := strings.Cut(s.Detail, " of configuration set "); ok && !option(set) {
			c.add("Show what configuration set "+set+" publishes, and where to",
				"aws", "sesv2", "get-configuration-set-event-destinations", "--region", region, "--configuration-set-name", set)
		}
	case alerts.QuarantineGrowth, alerts.QuarantineUsed:
		c.own("Show what could not be understood", "quarantine", "list")
	}
	switch {
	case n.Cause == alerts.CauseSources || n.Cause == alerts.CauseCoverage:
		c.own("Try every source, and show what is missing and how to mend it", "check", "--online")
	case n.Signal == alerts.NotifierFailing:
		c.own("Send a test event to every notifier", "check", "--online", "--notify")
	}
}

func (c *commands) receipt(s *alerts.Subject, region string) {
	if s.ReceiptRule == "" || option(s.ReceiptRule) || option(s.RuleSet) {
		c.add("Show the active receipt rules", "aws", "ses", "describe-active-receipt-rule-set", "--region", region)
		return
	}
	c.add("Show where receipt rule "+s.ReceiptRule+" hands mail on, then look at the permissions of that bucket, topic or function",
		"aws", "ses", "describe-receipt-rule", "--region", region, "--rule-set-name", s.RuleSet, "--rule-name", s.ReceiptRule)
}

// own adds a command of Mailvane itself.
func (c *commands) own(text string, words ...string) {
	c.add(text, append(append([]string{"mailvane"}, words...), c.configured()...)...)
}

func (c *commands) configured() []string {
	if c.config == "" {
		return nil
	}
	return []string{"--config", c.config}
}

// silence adds what keeps the alerts from being told for a while.
func (c *commands) silence(n *alerts.Notification) {
	matchers := [][2]string{{"rule", n.Rule}}
	if len(n.Members) == 1 && n.More == 0 {
		s := &n.Members[0].Subject
		for _, m := range [][2]string{
			{"tenant", s.Tenant}, {"campaign", s.Campaign}, {"provider", s.Provider}, {"domain", s.Domain}, {"identifier", s.Identifier},
			{"account", s.Account}, {"region", s.Region}, {"rule_set", s.RuleSet}, {"receipt_rule", s.ReceiptRule}, {"source", s.Source},
			{"notifier", s.Notifier}, {"detail", s.Detail},
		} {
			if m[1] != "" {
				matchers = append(matchers, m)
			}
		}
	} else {
		matchers = append(matchers, ofGroup(n)...)
	}
	words := append([]string{"mailvane", "silence", "add"}, c.configured()...)
	for _, m := range matchers {
		words = append(words, "--match", m[0]+"="+m[1])
	}
	if line, ok := lineOf(append(words, "--for", "2h", "--comment", "being looked at")); ok {
		c.all = append(c.all, alerts.Command{Text: "Be told no more of this for two hours", Line: line})
	}
}

// ofGroup matches the alerts of a group and leaves others of the rule alone, of which the notification does not tell: those of
// other owners and tenants, or, where it has none, of those that have.
func ofGroup(n *alerts.Notification) (matchers [][2]string) {
	ofCampaigns := n.By == alerts.ByCampaign || n.By == alerts.ByCampaignProvider
	if n.Owner != "" {
		matchers = append(matchers, [2]string{"owner", n.Owner})
	} else if ofCampaigns || n.By == alerts.ByIdentifier {
		matchers = append(matchers, [2]string{"owner!", "*"})
	}
	if ofCampaigns && !slices.ContainsFunc(n.Group, func(l observation.Field) bool { return l.Name == "tenant" }) {
		matchers = append(matchers, [2]string{"tenant!", "*"})
	}
	for _, l := range n.Group {
		matchers = append(matchers, [2]string{l.Name, l.Value})
	}
	return matchers
}
