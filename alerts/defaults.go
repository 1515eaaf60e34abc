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
		},
		{
			// Only values that one campaign alone uses say anything about a campaign.
			Name: "GmailIdentifierSpamRate", Signal: GmailIdentifierSpamRate, By: ByIdentifier, Document: gmailFeedback,
			Where: []Matcher{{Name: "campaign", Globs: []string{"*"}}}, Warning: above(0.003).days(twoOfThree, 1000),
			Summary: "Gmail users report {{.Value}} of the mail with {{.Identifier}} from {{.Domain}} as spam ({{.Day}})",
		},
		{
			// Gmail requires SPF, DKIM and an aligned DMARC of all mail. A few per cent fail by forwarding.
			Name: "GmailAuthentication", Signal: GmailAuthRate, By: ByDomain, Document: gmailGuidelines,
			Warning: below(0.95).days(twoOfThree, 1000), Critical: below(0.80).days(twoOfThree, 1000),
			Summary: "Only {{.Value}} of mail from {{.Domain}} passes {{.Detail}} at Gmail ({{.Day}})",
		},
		{
			Name: "GmailCompliance", Signal: GmailCompliance, By: ByDomain, Document: gmailFAQ, Warning: below(1),
			Summary: "Gmail says that {{.Domain}} needs work: {{.Detail}}",
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
	}
	var rules []Rule
	for _, by := range []struct {
		by   By
		name string
	}{{ByCampaign, "Campaign"}, {ByProvider, "Provider"}} {
		for _, l := range []lines{
			// Complaints come in for days after the mail, so a day of mail does not show them.
			{"ComplaintRate", signal.ComplaintRate, signal.Week, 0.001, 0.003, yahooPractices},
			{"HardBounceRate", signal.HardBounceRate, signal.Day, 0.05, 0.10, sesEnforcement},
			{"BlockRate", signal.BlockRate, signal.Day, 0.02, 0.10, gmailGuidelines},
		} {
			rules = append(rules, Rule{
				Name: by.name + l.name, Signal: RateOf(l.signal), By: by.by, Window: &l.window, Document: l.document,
				Warning: above(l.warning), Critical: above(l.critical),
			})
		}
	}
	hour := signal.Hour
	// A provider that puts off one mail in five slows a sender down; one in two means that it throttles. Some minutes of
	// either are ordinary: greylisting puts off once.
	return append(rules, Rule{
		Name: "ProviderDelays", Signal: RateOf(signal.DelayRate), By: ByProvider, Window: &hour, For: 15 * time.Minute,
		Document: sesEvents, Warning: above(0.20), Critical: above(0.50),
		Summary: "{{.Provider}} puts off {{.Value}} of the mail of the last hour",
	})
}

// accountDefaults stay a fifth below the lines at which SES reviews and may pause an account, so that there is time to act.
func accountDefaults() []Rule {
	return []Rule{
		{
			Name: "AccountBounceRate", Signal: AccountBounceRate, By: ByRegion, Document: sesReputation,
			Warning: above(0.04), Critical: above(0.08),
			Summary: "SES's bounce rate of account {{.Account}} in {{.Region}} is {{.Value}}; SES reviews at 5 % and may pause at 10 %",
		},
		{
			Name: "AccountComplaintRate", Signal: AccountComplaintRate, By: ByRegion, Document: sesReputation,
			Warning: above(0.0008), Critical: above(0.004),
			Summary: "SES's complaint rate of account {{.Account}} in {{.Region}} is {{.Value}}; SES reviews at 0.1 % and may pause at 0.5 %",
		},
		{
			// Under review there is a date by which SES wants an answer; so it cannot wait either.
			Name: "AccountStatus", Signal: AccountEnforcement, By: ByRegion, Document: sesEnforcement, Critical: above(0),
			Summary: "SES has put account {{.Account}} in {{.Region}} under review or shut it down",
		},
		{
			Name: "AccountSendingPaused", Signal: AccountSendingPaused, By: ByRegion, Document: sesEnforcement, Critical: above(0),
			Summary: "Account {{.Account}} may not send in {{.Region}}",
		},
		{
			// SES refuses mail beyond the quota.
			Name: "AccountQuota", Signal: AccountQuotaUsed, By: ByRegion, Document: sesQuotas, Warning: above(0.80), Critical: above(0.95),
			Summary: "Account {{.Account}} has used {{.Value}} of its quota of 24 hours in {{.Region}}",
		},
		{
			Name: "TenantPaused", Signal: TenantPaused, By: ByTenant, Document: sesTenants, Critical: above(0),
			Summary: "SES does not let tenant {{.Tenant}} send in {{.Region}}",
		},
		{
			// The standard policy of tenants pauses them upon a finding of high impact.
			Name: "TenantFindings", Signal: TenantFindings, By: ByTenant, Document: sesTenants, Warning: above(0),
			Summary: "SES has {{.Value}} findings of high impact about tenant {{.Tenant}} in {{.Region}}",
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
			Summary: "Receipt rule {{.ReceiptRule}} fails to hand on mail: {{.Value}} attempts in an hour",
		},
		{
			Name: "ReceiptExpired", Signal: ReceiptExpired, By: ByReceiptRule, Window: &hour, Document: sesReceiving, Critical: above(0),
			Summary: "Receipt rule {{.ReceiptRule}} has lost {{.Value}} mails",
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
			Summary: "Only {{.Value}} of what SES counted in {{.Region}} arrives here; rates speak of that part alone",
		},
		{
			Name: "DeafLoop", Signal: DeafLoop, By: ByRegion, For: time.Hour, Document: sesPublishing, Critical: above(0),
			Summary: "SES counts {{.Detail}} in {{.Region}}, and none of these events arrives here",
		},
		{
			// Figures are called stale after ten minutes of failing.
			Name: "SourceFailing", Signal: SourceFailing, By: BySource, Document: mailvaneCounting,
			Warning: above((10 * time.Minute).Seconds()), Critical: above(time.Hour.Seconds()),
			Summary: "{{.Source}} has not been read for {{.Value}}",
		},
		{
			Name: "SourceStale", Signal: SourceStale, By: BySource, For: 10 * time.Minute, Document: gmailPostmaster, Warning: above(0),
			Summary: "{{.Source}} says nothing new; it is {{.Value}} behind what is usual",
		},
		{
			// SQS keeps messages for four days by default, then they are lost.
			Name: "QueueLag", Signal: QueueLag, By: BySource, For: 5 * time.Minute, Document: sqsRetention,
			Warning: above((15 * time.Minute).Seconds()), Critical: above((2 * time.Hour).Seconds()),
			Summary: "{{.Source}} is {{.Value}} behind; figures are as old, and messages are lost when they reach the queue's retention",
		},
		{
			Name: "ReceivingStopped", Signal: ReceivingStopped, By: BySource, Document: mailvaneCounting, Critical: above(0),
			Summary: "{{.Source}} is not read any more, because too many of its messages cannot be deleted",
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
			Warning: below(time.Hour.Seconds()),
			Summary: "Events are recognised for {{.Value}} only ({{.Detail}}); what comes later is counted twice",
		},
		{
			// Single messages are somebody's test; a hundred in an hour are a format that is not understood.
			Name: "QuarantineGrowth", Signal: QuarantineGrowth, By: BySource, Window: &hour, Document: mailvaneCounting,
			Warning: above(100),
			Summary: "{{.Value}} messages of {{.Source}} in an hour could not be understood; mailvane quarantine list shows them",
		},
		{
			Name: "QuarantineFull", Signal: QuarantineUsed, By: ByDaemon, Document: mailvaneCounting,
			Warning: above(0.80), Critical: above(1),
			Summary: "The quarantine is {{.Value}} full; once it is full, messages stay in their queue",
		},
		{
			Name: "CampaignFlood", Signal: CampaignFlood, By: ByDaemon, Window: &day, Document: mailvaneCounting, Warning: above(0),
			Summary: "{{.Value}} names of campaigns beyond the bound are counted together; they come from {{.Detail}}",
		},
		{
			Name: "NotifierFailing", Signal: NotifierFailing, By: ByNotifier, Document: mailvaneCounting,
			Warning: above((5 * time.Minute).Seconds()), Critical: above(time.Hour.Seconds()),
			Summary: "{{.Notifier}} has taken no notification for {{.Value}}",
			Labels:  []observation.Field{{Name: "about", Value: "notifier"}},
		},
	}
}
