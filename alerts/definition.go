package alerts

// The documents that signals and default rules rest on.
const (
	gmailGuidelines  = "https://support.google.com/a/answer/81126"
	gmailFAQ         = "https://support.google.com/a/answer/14229414"
	gmailFeedback    = "https://support.google.com/mail/answer/6254652"
	gmailPostmaster  = "https://developers.google.com/workspace/gmail/postmaster"
	yahooPractices   = "https://senders.yahooinc.com/best-practices/"
	sesEnforcement   = "https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html"
	sesReputation    = "https://docs.aws.amazon.com/ses/latest/dg/reputation-dashboard.html"
	sesQuotas        = "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html"
	sesTenants       = "https://docs.aws.amazon.com/ses/latest/dg/tenants.html"
	sesReceiving     = "https://docs.aws.amazon.com/ses/latest/dg/receiving-email-metrics.html"
	sesEvents        = "https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"
	sesPublishing    = "https://docs.aws.amazon.com/ses/latest/dg/monitor-using-event-publishing.html"
	sqsRetention     = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-lifecycle.html"
	mailvaneCounting = "docs/counting.md"
)

// definitions are those of the signals from GmailSpamRate on, in their order.
var definitions = [signalEnd - GmailSpamRate]Definition{
	{
		Name: "gmail_spam_rate", Kind: Daily, Unit: Ratio, By: []By{ByDomain}, Cause: CauseComplaints, Bound: true,
		Description: "Users at Gmail who reported spam, out of mail in inboxes, on a day.", Document: gmailGuidelines,
	},
	{
		Name: "gmail_identifier_spam_rate", Kind: Daily, Unit: Ratio, By: []By{ByIdentifier}, Cause: CauseComplaints, Bound: true,
		Description: "The same for the mail with one value in its Feedback-ID.", Document: gmailFeedback,
	},
	{
		Name: "gmail_auth_success_rate", Kind: Daily, Unit: Ratio, By: []By{ByDomain}, Cause: CauseAuthentication,
		Description: "Mail that passed SPF, DKIM or DMARC at Gmail, as the detail says, on a day.", Document: gmailGuidelines,
	},
	{
		Name: "gmail_delivery_error_rate", Kind: Daily, Unit: Ratio, By: []By{ByDomain}, Cause: CauseBlocks,
		Description: "Mail that Gmail refused or put off, on a day; the detail says which and why.", Document: gmailPostmaster,
	},
	{
		Name: "gmail_tls_rate", Kind: Daily, Unit: Ratio, By: []By{ByDomain}, Cause: CauseAuthentication,
		Description: "Mail that went encrypted, on a day; the detail is the direction.", Document: gmailGuidelines,
	},
	{
		Name: "gmail_compliance", Kind: Number, Unit: Condition, By: []By{ByDomain}, Cause: CauseAuthentication,
		Description: "Gmail's judgement of a requirement, which the detail names: 1 compliant, 0 needs work.",
		Document:    gmailGuidelines,
	},
	{
		Name: "account_bounce_rate", Kind: Number, Unit: Ratio, By: []By{ByRegion, ByAccount}, Cause: CauseBounces,
		Description: "SES's own bounce rate, by which it reviews (5 %) and pauses (10 %) an account.", Document: sesEnforcement,
	},
	{
		Name: "account_complaint_rate", Kind: Number, Unit: Ratio, By: []By{ByRegion, ByAccount}, Cause: CauseComplaints,
		Description: "SES's own complaint rate, by which it reviews (0.1 %) and pauses (0.5 %) an account.",
		Document:    sesEnforcement,
	},
	{
		Name: "account_enforcement", Kind: Number, Unit: Condition, By: []By{ByRegion, ByAccount}, Cause: CauseStanding,
		Description: "What SES thinks of the account: 0 healthy, 1 under review, 2 shut down.", Document: sesEnforcement,
	},
	{
		Name: "account_sending_paused", Kind: Number, Unit: Condition, By: []By{ByRegion, ByAccount}, Cause: CauseStanding,
		Description: "1 when sending is switched off for the account, 0 when it is on.", Document: sesEnforcement,
	},
	{
		Name: "account_quota_used", Kind: Number, Unit: Ratio, By: []By{ByRegion, ByAccount}, Cause: CauseStanding,
		Description: "The part of the quota of 24 hours that has been sent.", Document: sesQuotas,
	},
	{
		Name: "tenant_paused", Kind: Number, Unit: Condition, By: []By{ByTenant}, Cause: CauseStanding,
		Description: "1 when SES does not let the tenant send, 0 when it does.", Document: sesTenants,
	},
	{
		Name: "tenant_findings", Kind: Number, Unit: Count, By: []By{ByTenant}, Cause: CauseStanding,
		Description: "SES's open findings of high impact about the tenant.", Document: sesTenants,
	},
	{
		Name: "receipt_failures", Kind: Number, Unit: Count, By: []By{ByReceiptRule}, Cause: CauseInbound, Windowed: true,
		Description: "Failed attempts of a receipt rule to hand on a mail. SES repeats them, so there can be more than mails.",
		Document:    sesReceiving,
	},
	{
		Name: "receipt_expired", Kind: Number, Unit: Count, By: []By{ByReceiptRule}, Cause: CauseInbound, Windowed: true,
		Description: "Mails that a receipt rule could not hand on for four hours: they are lost.", Document: sesReceiving,
	},
	{
		Name: "receipt_silent", Kind: Number, Unit: Condition, By: []By{ByReceiptRule}, Cause: CauseInbound,
		Description: "1 when a receipt rule that had mail has none, 0 otherwise.", Document: sesReceiving,
	},
	{
		Name: "event_coverage", Kind: Number, Unit: Ratio, By: []By{ByRegion, ByAccount}, Cause: CauseCoverage,
		Description: "The part of what CloudWatch counted of which events arrived.", Document: sesPublishing,
	},
	{
		Name: "feedback_id_coverage", Kind: Number, Unit: Ratio, By: []By{ByRegion, ByAccount}, Cause: CauseCoverage,
		Description: "The part of mail with a Feedback-ID of the sender's own.", Document: gmailFeedback,
	},
	{
		Name: "deaf_loop", Kind: Number, Unit: Condition, By: []By{ByRegion, ByAccount}, Cause: CauseCoverage,
		Description: "1 when CloudWatch counts what the detail names and no event of it arrives, 0 otherwise.",
		Document:    sesPublishing,
	},
	{
		Name: "source_failing", Kind: Number, Unit: Seconds, By: []By{BySource}, Cause: CauseSources,
		Description: "For how long every pass over a source has failed.", Document: mailvaneCounting,
	},
	{
		Name: "source_stale", Kind: Number, Unit: Seconds, By: []By{BySource}, Cause: CauseSources,
		Description: "For how long what a source says has been older than it should be; 0 when it is not.",
		Document:    mailvaneCounting,
	},
	{
		Name: "queue_lag", Kind: Number, Unit: Seconds, By: []By{BySource}, Cause: CauseSources,
		Description: "The age of the messages that are being read from a queue.", Document: sqsRetention,
	},
	{
		Name: "receiving_stopped", Kind: Number, Unit: Condition, By: []By{BySource}, Cause: CauseSources,
		Description: "1 when a queue is no longer read, because a bound was reached that keeps events from being counted twice.",
		Document:    mailvaneCounting,
	},
	{
		Name: "dedupe_horizon", Kind: Number, Unit: Seconds, By: []By{ByDaemon}, Cause: CauseDaemon,
		Description: "How far back a repeated event is recognised; the detail is the class of events.", Document: mailvaneCounting,
	},
	{
		Name: "quarantine_growth", Kind: Number, Unit: Count, By: []By{BySource}, Cause: CauseDaemon, Windowed: true,
		Description: "Messages that could not be understood.", Document: mailvaneCounting,
	},
	{
		Name: "quarantine_used", Kind: Number, Unit: Ratio, By: []By{ByDaemon}, Cause: CauseDaemon,
		Description: "How full the quarantine is. Once it is, what cannot be understood stays in its queue.",
		Document:    mailvaneCounting,
	},
	{
		Name: "campaign_flood", Kind: Number, Unit: Count, By: []By{ByDaemon}, Cause: CauseDaemon, Windowed: true,
		Description: "Names of campaigns beyond the bound, counted together; the detail is the tag that they came from.",
		Document:    mailvaneCounting,
	},
	{
		Name: "notifier_failing", Kind: Number, Unit: Seconds, By: []By{ByNotifier}, Cause: CauseDaemon,
		Description: "For how long a notifier has taken no notification.", Document: mailvaneCounting,
	},
}
