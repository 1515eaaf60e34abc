package alerts

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func above(at float64) *Line { return &Line{Above: &at} }

func below(at float64) *Line { return &Line{Below: &at} }

// days makes the line one of daily readings.
func (l *Line) days(of Of, deliveries int64) *Line {
	l.Of, l.AtLeast.Denominator = of, &deliveries
	return l
}

// Defaults are the rules that need no configuration. Document of each says where its thresholds come from; where nobody
// states one, a comment says why it is what it is.
func Defaults() []Rule {
	return slices.Concat(gmailDefaults(), mailDefaults(), accountDefaults(), inboundDefaults(), sourceDefaults(), daemonDefaults())
}

// Merge adds rules to others; one of the same name takes the place of the other.
func Merge(rules, more []Rule) []Rule {
	all := slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
		return slices.ContainsFunc(more, func(m Rule) bool { return m.Name == r.Name })
	})
	return append(all, more...)
}

// gmailDefaults: Gmail asks to stay below 0.10 % and never to reach 0.30 %, from where on there is no mitigation until seven
// days in a row were below it.
func gmailDefaults() []Rule {
	twoOfThree := Of{2, 3}
	return []Rule{
		{
			// Gmail's rate is a share of an unknown number of inboxes, so there is no interval. 0.3 % of 3,000 are nine people:
			// at that one day is enough. A single day at the lower line is not.
			Name: "GmailSpamRate", Signal: GmailSpamRate, By: ByDomain, Document: gmailGuidelines,
			Warning: above(0.001).days(twoOfThree, 1000), Critical: above(0.003).days(Of{1, 1}, 3000),
			Summary: "Gmail users report {{.Value}} of mail from {{.Domain}} as spam ({{.Day}}); Gmail's line is {{.Line}}",
			Description: "From 0.3 % on Gmail gives no help until seven days in a row were below. Stop or slow the campaign that users " +
				"report (the identifiers below), and send to people only who opened or asked for mail lately.",
		},
		{
			// Only values that one campaign alone uses say anything about a campaign.
			Name: "GmailIdentifierSpamRate", Signal: GmailIdentifierSpamRate, By: ByIdentifier, Document: gmailFeedback,
			Where: []Matcher{{Name: "campaign", Globs: []string{"*"}}}, Warning: above(0.003).days(twoOfThree, 1000),
			Summary: "Gmail users report {{.Value}} of the mail with {{.Identifier}} from {{.Domain}} as spam ({{.Day}})",
			Description: "One campaign alone uses this identifier, so it is what they report. Send it to fewer people: those who asked for " +
				"it or opened it lately. Make the unsubscribe link easier to find than the spam button.",
		},
		{
			// Gmail requires SPF, DKIM and an aligned DMARC of all mail. A few per cent fail by forwarding.
			Name: "GmailAuthentication", Signal: GmailAuthRate, By: ByDomain, Document: gmailGuidelines,
			Warning: below(0.95).days(twoOfThree, 1000), Critical: below(0.80).days(twoOfThree, 1000),
			Summary: "{{if not .Resolved}}Only {{end}}{{.Value}} of mail from {{.Domain}} passes {{.Detail}} at Gmail ({{.Day}})",
			Description: "Look for a changed DNS record of the domain (SPF, DKIM, DMARC), an identity that SES no longer verifies, or a new " +
				"system that sends in its name. Gmail refuses mail that does not authenticate.",
		},
		{
			Name: "GmailCompliance", Signal: GmailCompliance, By: ByDomain, Document: gmailFAQ, Warning: below(1),
			Summary: "Gmail {{if .Resolved}}said that {{.Domain}} needed{{else}}says that {{.Domain}} needs{{end}} work: {{.Detail}}",
			Description: "Mail that does not meet Gmail's requirements is put off and refused. What the requirement asks for stands below; Gmail " +
				"looks again within a few days.",
		},
	}
}

// mailDefaults watch campaigns and providers. For complaints the lines are those that Yahoo states (0.1 % warns, 0.3 % is
// enforced), which are the strictest of the providers that report. For hard bounces they are those at which SES acts on an
// account (5 %, 10 %). For refusals nobody states a line: at 2 % a filter has begun to act, at 10 % it acts on everybody.
func mailDefaults() []Rule {
	type lines struct {
		name              string
		signal            signal.Signal
		window            signal.Window
		warning, critical float64
		document          string
		words             map[By][2]string
	}
	var rules []Rule
	for _, by := range []struct {
		by   By
		name string
	}{{ByCampaign, "Campaign"}, {ByProvider, "Provider"}} {
		for _, l := range []lines{
			// Complaints come in for days after the mail, so a day of mail does not show them.
			{"ComplaintRate", signal.ComplaintRate, signal.Week, 0.001, 0.003, yahooPractices, complaintWords()},
			{"HardBounceRate", signal.HardBounceRate, signal.Day, 0.05, 0.10, sesEnforcement, bounceWords()},
			{"BlockRate", signal.BlockRate, signal.Day, 0.02, 0.10, gmailGuidelines, blockWords()},
		} {
			rules = append(rules, Rule{
				Name: by.name + l.name, Signal: RateOf(l.signal), By: by.by, Window: &l.window, Document: l.document,
				Warning: above(l.warning), Critical: above(l.critical), Summary: l.words[by.by][0], Description: l.words[by.by][1],
			})
		}
	}
	hour := signal.Hour
	// A provider that puts off one mail in five slows a sender down; one in two means that it throttles. Some minutes of
	// either are ordinary: greylisting puts off once.
	return append(rules, Rule{
		Name: "ProviderDelays", Signal: RateOf(signal.DelayRate), By: ByProvider, Window: &hour, For: 15 * time.Minute,
		Document: sesEvents, Warning: above(0.20), Critical: above(0.50),
		Summary: "{{.Provider}} puts off mail{{if .Known}}: {{.Value}} of that of the last hour{{end}}, line {{.Line}}",
		Description: "SES tries again for hours, so nothing is lost yet. Send to {{.Provider}} more slowly; the replies below say whether it " +
			"is about speed, about the sender's reputation, or trouble of its own.",
	})
}

// The words of the rules of mail, by what they tell apart: a summary, and what to do.

func complaintWords() map[By][2]string {
	return map[By][2]string{
		ByCampaign: {
			"People report campaign {{.Campaign}}{{if .Tenant}} of {{.Tenant}}{{end}} as spam{{if .Known}}: {{.Value}} of recipients{{end}}, line {{.Line}}",
			"Stop the campaign if it is still being sent. Before it goes out again, leave out who did not ask for it or has not opened " +
				"mail for months, and make the unsubscribe link easier to find than the spam button.",
		},
		ByProvider: {
			"Users of {{.Provider}} report mail as spam{{if .Known}}: {{.Value}} of recipients there{{end}}, line {{.Line}}",
			"Stop the campaign that most of them report, if one stands out below. Else send less to {{.Provider}}, and only to people " +
				"who opened mail lately, until the rate is back.",
		},
	}
}

func bounceWords() map[By][2]string {
	return map[By][2]string{
		ByCampaign: {
			"Addresses of campaign {{.Campaign}}{{if .Tenant}} of {{.Tenant}}{{end}} do not exist or refuse all mail{{if .Known}}: {{.Value}} of recipients{{end}}, line {{.Line}}",
			"Stop the campaign if it is still being sent: most often its list is bought, old or badly imported. Verify the list and " +
				"remove what bounced before it goes out again.",
		},
		ByProvider: {
			"{{.Provider}} says that recipients do not exist{{if .Known}}: {{.Value}} of recipients there{{end}}, line {{.Line}}",
			"If one campaign stands out below, stop it and clean its list. If all do alike, read the replies: {{.Provider}} may refuse " +
				"good addresses by mistake.",
		},
	}
}

func blockWords() map[By][2]string {
	return map[By][2]string{
		ByCampaign: {
			"Mail of campaign {{.Campaign}}{{if .Tenant}} of {{.Tenant}}{{end}} is refused for its content or sender{{if .Known}}: {{.Value}} of recipients{{end}}, line {{.Line}}",
			"Sending on makes it worse. Stop the campaign at the providers below, read what they reply, and mend that: the content, " +
				"the authentication, or the reputation of domain or IP address.",
		},
		ByProvider: {
			"{{.Provider}} refuses mail for its content or sender{{if .Known}}: {{.Value}} of recipients there{{end}}, line {{.Line}}",
			"Sending on makes it worse. If one campaign stands out below, stop it. Read what {{.Provider}} replies: it names the block " +
				"list or the form for its removal.",
		},
	}
}

// accountDefaults stay a fifth below the lines at which SES reviews and may pause an account, so that there is time to act.
func accountDefaults() []Rule {
	return []Rule{
		{
			Name: "AccountBounceRate", Signal: AccountBounceRate, By: ByRegion, Document: sesReputation,
			Warning: above(0.04), Critical: above(0.08),
			Summary: "SES's bounce rate of account {{.Account}} in {{.Region}} is {{.Value}}; SES reviews at 5 % and may pause at 10 %",
			Description: "A paused account sends nothing at all, receipts and sign-in codes included. Stop the campaign that bounces most, now; " +
				"the rate falls only as good mail follows. Then remove addresses that bounced, and where the list came from.",
		},
		{
			Name: "AccountComplaintRate", Signal: AccountComplaintRate, By: ByRegion, Document: sesReputation,
			Warning: above(0.0008), Critical: above(0.004),
			Summary: "SES's complaint rate of account {{.Account}} in {{.Region}} is {{.Value}}; SES reviews at 0.1 % and may pause at 0.5 %",
			Description: "A paused account sends nothing at all, receipts and sign-in codes included. Stop the campaign that people complain about " +
				"most, now; the rate falls only as mail follows that nobody complains about.",
		},
		{
			// Under review there is a date by which SES wants an answer; so it cannot wait either.
			Name: "AccountStatus", Signal: AccountEnforcement, By: ByRegion, Document: sesEnforcement, Critical: above(0),
			Summary: "SES {{if .Resolved}}had put account {{.Account}} in {{.Region}} under review or shut it down" +
				"{{else if eq .Value `2`}}has shut down account {{.Account}} in {{.Region}}: no mail leaves" +
				"{{else}}has put account {{.Account}} in {{.Region}} under review{{end}}",
			Description: "SES has opened a case in the AWS Support Center and mailed the account's owner: answer it before its date, with what " +
				"went wrong and what was changed. Stop the campaigns with the highest rates until then.",
		},
		{
			Name: "AccountSendingPaused", Signal: AccountSendingPaused, By: ByRegion, Document: sesEnforcement, Critical: above(0),
			Summary: "Account {{.Account}} {{if .Resolved}}was not allowed to{{else}}may not{{end}} send in {{.Region}}",
			Description: "No mail leaves. When SES paused it, answer its case in the AWS Support Center; when somebody of yours did, find out why " +
				"before sending is switched on again.",
		},
		{
			// SES refuses mail beyond the quota.
			Name: "AccountQuota", Signal: AccountQuotaUsed, By: ByRegion, Document: sesQuotas, Warning: above(0.80), Critical: above(0.95),
			Summary: "Account {{.Account}} has used {{.Value}} of its quota of 24 hours in {{.Region}}",
			Description: "SES refuses mail beyond the quota, receipts and sign-in codes included. Put off what can wait, and ask for a higher quota " +
				"(Service Quotas); that takes up to a day.",
		},
		{
			Name: "TenantPaused", Signal: TenantPaused, By: ByTenant, Document: sesTenants, Critical: above(0),
			Summary:     "SES {{if .Resolved}}did{{else}}does{{end}} not let tenant {{.Tenant}} send in {{.Region}}",
			Description: "Nothing of this tenant leaves. SES's findings say why; settle them with the tenant before it is let send again.",
		},
		{
			// The standard policy of tenants pauses them upon a finding of high impact.
			Name: "TenantFindings", Signal: TenantFindings, By: ByTenant, Document: sesTenants, Warning: above(0),
			Summary: "SES has {{.Value}} finding{{if ne .Value `1`}}s{{end}} of high impact about tenant {{.Tenant}} in {{.Region}}",
			Description: "SES pauses a tenant with such findings under the standard policy. Talk to the tenant about the campaigns with the highest " +
				"rates.",
		},
	}
}

// inboundDefaults: SES repeats a failed hand-over for four hours, then the mail is lost.
func inboundDefaults() []Rule {
	hour := signal.Hour
	return []Rule{
		{
			Name: "ReceiptFailures", Signal: ReceiptFailures, By: ByReceiptRule, Window: &hour, For: 15 * time.Minute,
			Document: sesReceiving, Warning: above(0),
			Summary: "Receipt rule {{.ReceiptRule}} {{if .Resolved}}failed to hand on mail{{else}}fails to hand on mail: {{.Value}} attempt{{if ne .Value `1`}}s{{end}} in an hour{{end}}",
			Description: "SES tries for four hours, then the mail is lost. Look at where the rule hands mail on: a bucket, topic, key or function " +
				"that is gone, or that SES may not use any more.",
		},
		{
			Name: "ReceiptExpired", Signal: ReceiptExpired, By: ByReceiptRule, Window: &hour, Document: sesReceiving, Critical: above(0),
			Summary: "Receipt rule {{.ReceiptRule}} {{if .Resolved}}had lost mail{{else}}has lost {{.Value}} mail{{if ne .Value `1`}}s{{end}}{{end}}",
			Description: "They cannot be had back. Mend where the rule hands mail on (a bucket, topic, key or function that is gone, or that SES may " +
				"not use any more), or more will be lost.",
		},
	}
}

// sourceDefaults watch whether the figures can be trusted.
func sourceDefaults() []Rule {
	return []Rule{
		{
			// SES states that SNS delivers every event; what differs by a few per cent is counted in another hour.
			Name: "CoverageLoss", Signal: EventCoverage, By: ByRegion, For: time.Hour, Document: sesPublishing,
			Warning: below(0.95), Critical: below(0.50),
			Summary:     "{{if not .Resolved}}Only {{end}}{{.Value}} of what SES counted in {{.Region}} arrives here{{if not .Resolved}}; rates speak of that part alone{{end}}",
			Description: "Look for mail without a configuration set, and for sets that do not publish every type of event to the queue that is read.",
		},
		{
			Name: "DeafLoop", Signal: DeafLoop, By: ByRegion, For: time.Hour, Document: sesPublishing, Critical: above(0),
			Summary: "SES {{if .Resolved}}counted{{else}}counts{{end}} {{.Detail}} in {{.Region}}, and none of these events {{if .Resolved}}arrived{{else}}arrives{{end}} here",
			Description: "All rates that rest on these events are blind. Look at the event destinations of the configuration set, the topic's " +
				"subscription, and the queue's policy.",
		},
		{
			// Figures are called stale after ten minutes of failing.
			Name: "SourceFailing", Signal: SourceFailing, By: BySource, Document: mailvaneCounting,
			Warning: above((10 * time.Minute).Seconds()), Critical: above(time.Hour.Seconds()),
			Summary: "{{.Source}} {{if .Resolved}}could not be read{{else}}has not been read for {{.Value}}{{end}}",
			Description: "Figures of this source are as old, and its alerts stand still. The note says what it answers; mailvane check --online " +
				"says how to mend it.",
		},
		{
			Name: "SourceStale", Signal: SourceStale, By: BySource, For: 10 * time.Minute, Document: gmailPostmaster, Warning: above(0),
			Summary: "{{.Source}} {{if .Resolved}}had nothing new to say{{else}}says nothing new; it is {{.Value}} behind what is usual{{end}}",
			Description: "The source answers, but with nothing new. Gmail's days come one to three days late and stop when a domain is no longer " +
				"verified or shared with this account.",
		},
		{
			// SQS keeps messages for four days by default, then they are lost.
			Name: "QueueLag", Signal: QueueLag, By: BySource, For: 5 * time.Minute, Document: sqsRetention,
			Warning: above((15 * time.Minute).Seconds()), Critical: above((2 * time.Hour).Seconds()),
			Summary: "{{.Source}} is {{.Value}} behind{{if not .Resolved}}; figures are as old, and messages are lost when they reach the queue's retention{{end}}",
			Description: "Look whether the daemon has enough processor and disk, and whether the ledger can commit; on a larger machine it " +
				"catches up.",
		},
		{
			Name: "ReceivingStopped", Signal: ReceivingStopped, By: BySource, Document: mailvaneCounting, Critical: above(0),
			Summary: "{{.Source}} {{if .Resolved}}was not read, because too many of its messages could not be deleted{{else}}is not read any more, because too many of its " +
				"messages cannot be deleted{{end}}",
			Description: "It would count events twice. See that the role may sqs:DeleteMessage on the queue; then reading goes on by itself.",
		},
	}
}

// daemonDefaults watch this program.
func daemonDefaults() []Rule {
	hour, day := signal.Hour, signal.Day
	return []Rule{
		{
			// An SQS message whose deletion failed comes back within its visibility timeout, as a rule much less than an hour.
			Name: "DedupeHorizon", Signal: DedupeHorizon, By: ByDaemon, For: 5 * time.Minute, Document: mailvaneCounting,
			Warning:     below(time.Hour.Seconds()),
			Summary:     "Events are recognised for {{.Value}}{{if not .Resolved}} only{{end}} ({{.Detail}}); what comes later is counted twice",
			Description: "Raise ledger.budgets, or find out why more mail than usual is sent.",
		},
		{
			// Single messages are somebody's test; a hundred in an hour are a format that is not understood.
			Name: "QuarantineGrowth", Signal: QuarantineGrowth, By: BySource, Window: &hour, Document: mailvaneCounting,
			Warning: above(100),
			Summary: "{{.Value}} messages of {{.Source}} in an hour could not be understood; mailvane quarantine list shows {{if .Resolved}}all{{else}}them{{end}}",
			Description: "They are kept, and can be replayed once they can be understood. Most often something else publishes to the queue, or a " +
				"format is new: look at one of them.",
		},
		{
			// A message is kept only when it fits as a whole, so that the last byte is hardly ever reached.
			Name: "QuarantineFull", Signal: QuarantineUsed, By: ByDaemon, Document: mailvaneCounting,
			Warning: above(0.80), Critical: above(0.99),
			Summary: "The quarantine is {{.Value}} full{{if not .Resolved}}; once it is full, messages stay in their queue{{end}}",
			Description: "Replay or drop what is in it, or raise quarantine.max_bytes. Messages that stay in the queue go where its redrive policy " +
				"sends them, or are lost at its retention.",
		},
		{
			Name: "CampaignFlood", Signal: CampaignFlood, By: ByDaemon, Window: &day, Document: mailvaneCounting, Warning: above(0),
			Summary: "{{.Value}} names of campaigns beyond the bound are counted together; they come from {{.Detail}}",
			Description: "Something writes a value into it that changes with every mail, such as an id or a date. Mend the sender, or cut the changing " +
				"part off with campaigns.rename; mail that is already counted stays in (other).",
		},
		{
			Name: "NotifierFailing", Signal: NotifierFailing, By: ByNotifier, Document: mailvaneCounting,
			Warning: above((5 * time.Minute).Seconds()), Critical: above(time.Hour.Seconds()),
			Summary: "{{.Notifier}} {{if .Resolved}}took no notifications{{else}}has taken no notification for {{.Value}}{{end}}",
			Description: "Alerts for it wait and are sent when it works again. The note says what it answers; the usual causes are a revoked key and " +
				"a blocked way out.",
			Labels: []observation.Field{{Name: "about", Value: "notifier"}},
		},
	}
}
