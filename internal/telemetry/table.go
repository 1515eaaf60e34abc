package telemetry

import "slices"

// Kind is what an instrument is to OpenTelemetry.
type Kind string

// The kinds of instruments.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Instrument describes a metric: its OpenTelemetry name, UCUM unit, and attributes in the order in which values are given. A
// gauge that says yes or no has no unit: with "1", Prometheus would call it a ratio.
type Instrument struct {
	Name        string
	Kind        Kind
	Unit        string
	Description string
	Attributes  []string
	// Buckets are a histogram's bounds, in Unit.
	Buckets []float64
}

// The names of the instruments.
const (
	CampaignRecipients         = "mailvane.campaign.recipients"
	CampaignProviderRecipients = "mailvane.campaign.provider.recipients"
	CampaignCohortRecipients   = "mailvane.campaign.cohort.recipients"
	CampaignSignal             = "mailvane.campaign.signal"
	CampaignSignalRecipients   = "mailvane.campaign.signal.recipients"
	ProviderRecipients         = "mailvane.provider.recipients"
	ProviderFailures           = "mailvane.provider.failures"
	ProviderSignal             = "mailvane.provider.signal"
	ProviderSignalRecipients   = "mailvane.provider.signal.recipients"
	ProviderDeliveryDuration   = "mailvane.provider.delivery.duration"
	CampaignGmailSpamRate      = "mailvane.campaign.gmail.spam_rate"
	CampaignGmailComplaints    = "mailvane.campaign.gmail.complaints_upper_bound"
	GmailSpamRate              = "mailvane.gmail.spam_rate"
	GmailFeedbackLoopSpamRate  = "mailvane.gmail.feedback_loop.spam_rate"
	GmailIdentifierInfo        = "mailvane.gmail.identifier.info"
	GmailAuthSuccessRate       = "mailvane.gmail.auth.success_rate"
	GmailTLSRate               = "mailvane.gmail.tls.rate"
	GmailDeliveryErrorRate     = "mailvane.gmail.delivery_error.rate"
	GmailCompliance            = "mailvane.gmail.compliance"
	GmailDataTimestamp         = "mailvane.gmail.data.timestamp"
	GmailUnexported            = "mailvane.gmail.unexported"
	GmailUseFolded             = "mailvane.gmail.use.folded"
	AccountRate                = "mailvane.account.rate"
	AccountRateHeadroom        = "mailvane.account.rate.headroom"
	AccountOwnRate             = "mailvane.account.own_rate"
	AccountQuotaUsed           = "mailvane.account.quota.used"
	AccountStatus              = "mailvane.account.status"
	AccountSendingEnabled      = "mailvane.account.sending_enabled"
	AccountFindings            = "mailvane.account.findings"
	TenantSendingEnabled       = "mailvane.tenant.sending_enabled"
	TenantFindings             = "mailvane.tenant.findings"
	CoverageRatio              = "mailvane.coverage.ratio"
	CoverageFinding            = "mailvane.coverage.finding"
	ReceiptEvents              = "mailvane.receipt.events"
	ReceiptFailingDuration     = "mailvane.receipt.failing.duration"
	ReceiptExpired             = "mailvane.receipt.expired"
	ReceiptSilent              = "mailvane.receipt.silent"
	ReceiptRuleInfo            = "mailvane.receipt.rule.info"
	ReceiptRulesUsed           = "mailvane.receipt.rules.used"
	ReceiptRecipientsUsed      = "mailvane.receipt.recipients.used"
	ReceiptDataTimestamp       = "mailvane.receipt.data.timestamp"
	ReceiptUnexported          = "mailvane.receipt.unexported"
	CloudWatchRequests         = "mailvane.cloudwatch.requests"
	CloudWatchMetrics          = "mailvane.cloudwatch.metrics"
	SourceState                = "mailvane.source.state"
	CollectorPasses            = "mailvane.collector.passes"
	CollectorPassDuration      = "mailvane.collector.pass.duration"
	CollectorLastSuccess       = "mailvane.collector.last_success.timestamp"
	QueueMessages              = "mailvane.queue.messages"
	QueueLag                   = "mailvane.queue.lag"
	QueueDepth                 = "mailvane.queue.depth"
	QueueUnconfirmed           = "mailvane.queue.unconfirmed"
	DedupeEntries              = "mailvane.dedupe.entries"
	DedupeHorizon              = "mailvane.dedupe.horizon"
	QuarantineMessages         = "mailvane.quarantine.messages"
	QuarantineSize             = "mailvane.quarantine.size"
	QuarantineUsed             = "mailvane.quarantine.used"
	QuarantineAdded            = "mailvane.quarantine.added"
	NamesTracked               = "mailvane.names.tracked"
	NamesFolded                = "mailvane.names.folded"
	HeldNotifications          = "mailvane.held.notifications"
	LedgerCommitDuration       = "mailvane.ledger.commit.duration"
	LedgerSize                 = "mailvane.ledger.size"
	LedgerWALSize              = "mailvane.ledger.wal.size"
	LedgerWritable             = "mailvane.ledger.writable"
	Alerts                     = "mailvane.alerts"
	AlertsEvaluationDuration   = "mailvane.alerts.evaluation.duration"
	AlertsEvaluations          = "mailvane.alerts.evaluations"
	AlertsDropped              = "mailvane.alerts.dropped"
	Notifications              = "mailvane.notifications"
	NotificationsOpen          = "mailvane.notifications.open"
	NotifierFailing            = "mailvane.notifier.failing.duration"
	ConfigReloadSuccess        = "mailvane.config.reload.success"
	ConfigReloadTimestamp      = "mailvane.config.reload.timestamp"
	BuildInfo                  = "mailvane.build.info"
)

var (
	deliveryBuckets = []float64{0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200}
	commitBuckets   = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}
	passBuckets     = []float64{0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 60, 120, 300, 600}
)

// Instruments returns the table: every metric that Mailvane exports, in the order of its documentation.
func Instruments() []Instrument {
	return slices.Concat(mailInstruments(), gmailInstruments(), accountInstruments(), receiptInstruments(), sourceInstruments(),
		alertInstruments(), reportInstruments(), ownInstruments())
}

func mailInstruments() []Instrument {
	return []Instrument{
		{Name: CampaignRecipients, Kind: Counter, Unit: "{recipient}",
			Description: "Recipients by what became of them, counted when the event was committed. Starts at 0 with each process; replays are not in it.",
			Attributes:  []string{"tenant", "campaign", "outcome"}},
		{Name: CampaignProviderRecipients, Kind: Counter, Unit: "{recipient}",
			Description: "As mailvane.campaign.recipients, by mailbox provider too. Only with telemetry.campaign_by_provider.",
			Attributes:  []string{"tenant", "campaign", "provider", "outcome"}},
		{Name: CampaignCohortRecipients, Kind: Gauge, Unit: "{recipient}",
			Description: "Recipients of the mail sent in the window, by what has become of them so far. Rates over several campaigns: sum first, then divide.",
			Attributes:  []string{"tenant", "campaign", "outcome", "window"}},
		{Name: CampaignSignal, Kind: Gauge, Unit: "1",
			Description: "A rate of the mail sent in the window, 0 to 1. Absent when it is not known, never 0 instead.",
			Attributes:  []string{"tenant", "campaign", "signal", "window"}},
		{Name: CampaignSignalRecipients, Kind: Gauge, Unit: "{recipient}",
			Description: "Recipients that the rate of mailvane.campaign.signal is a share of. The rate of several campaigns is sum(rate * recipients) / sum(recipients).",
			Attributes:  []string{"tenant", "campaign", "signal", "window"}},
		{Name: ProviderRecipients, Kind: Counter, Unit: "{recipient}",
			Description: "Recipients by mailbox provider and by what became of them, counted when the event was committed.",
			Attributes:  []string{"provider", "outcome"}},
		{Name: ProviderFailures, Kind: Counter, Unit: "{recipient}",
			Description: "Bounces, delays and rejections by mailbox provider and reason.",
			Attributes:  []string{"provider", "reason", "outcome"}},
		{Name: ProviderSignal, Kind: Gauge, Unit: "1",
			Description: "A rate of the mail sent to the provider in the window, 0 to 1. Absent when it is not known.",
			Attributes:  []string{"provider", "signal", "window"}},
		{Name: ProviderSignalRecipients, Kind: Gauge, Unit: "{recipient}",
			Description: "Recipients that the rate of mailvane.provider.signal is a share of.",
			Attributes:  []string{"provider", "signal", "window"}},
		{Name: ProviderDeliveryDuration, Kind: Histogram, Unit: "s", Buckets: deliveryBuckets,
			Description: "Time from SES's acceptance of a mail to the provider's.",
			Attributes:  []string{"provider"}},
	}
}

// gmailInstruments are about what Gmail Postmaster Tools says. Its two APIs measure differently: the attribute source keeps
// their figures apart, also where two accounts read a domain or one account changes from the one to the other.
func gmailInstruments() []Instrument {
	return []Instrument{
		{Name: CampaignGmailSpamRate, Kind: Gauge, Unit: "1",
			Description: "Rate of spam reports by Gmail users, of an identifier that is the campaign's own: the newest day's. Absent where identifiers are shared or not reported.",
			Attributes:  []string{"tenant", "campaign", "source"}},
		{Name: CampaignGmailComplaints, Kind: Gauge, Unit: "{recipient}",
			Description: "How many Gmail users can have complained at most, on those days of the window that were reported. Campaigns that share an identifier share its complaints: not to be added.",
			Attributes:  []string{"tenant", "campaign", "window", "source"}},
		{Name: GmailSpamRate, Kind: Gauge, Unit: "1",
			Description: "Rate of spam reports among the domain's mail in inboxes, of the newest day that has one.",
			Attributes:  []string{"domain", "source"}},
		{Name: GmailFeedbackLoopSpamRate, Kind: Gauge, Unit: "1",
			Description: "Rate of spam reports of one value of a Feedback-ID, of the newest day that has one. field is empty where nobody knows it.",
			Attributes:  []string{"domain", "identifier", "field", "aggregation", "source"}},
		{Name: GmailIdentifierInfo, Kind: Gauge,
			Description: "1 for each campaign whose mail the identifier's rate speaks of.",
			Attributes:  []string{"domain", "identifier", "tenant", "campaign"}},
		{Name: GmailAuthSuccessRate, Kind: Gauge, Unit: "1",
			Description: "Share of mail that passed SPF, DKIM or DMARC at Gmail.",
			Attributes:  []string{"domain", "method", "source"}},
		{Name: GmailTLSRate, Kind: Gauge, Unit: "1",
			Description: "Share of mail that was encrypted on its way to (inbound) or from (outbound) Gmail.",
			Attributes:  []string{"domain", "direction", "source"}},
		{Name: GmailDeliveryErrorRate, Kind: Gauge, Unit: "1",
			Description: "Share of mail that Gmail refused or put off. \"all\" stands for the sum over reasons, or over classes: never add it to the others.",
			Attributes:  []string{"domain", "class", "reason", "source"}},
		{Name: GmailCompliance, Kind: Gauge,
			Description: "1 where the domain meets a requirement of Gmail's, 0 where it needs work. verdict is Gmail's reason, where it gives one.",
			Attributes:  []string{"domain", "requirement", "verdict"}},
		{Name: GmailDataTimestamp, Kind: Gauge, Unit: "s",
			Description: "The end of the newest day of which anything came, in seconds since 1970. It stays when the day is old.",
			Attributes:  []string{"domain", "source"}},
		{Name: GmailUnexported, Kind: Gauge, Unit: "{name}",
			Description: "Domains, identifiers and campaigns with figures of Gmail that are not exported because there are too many. The API has them all.",
			Attributes:  []string{"dimension"}},
		{Name: GmailUseFolded, Kind: Gauge, Unit: "{row}",
			Description: "Rows of a day's use of Feedback-IDs that could not be told apart because there were too many; Gmail's rates are not joined to them."},
	}
}

// The most that is exported of what Gmail says: so many domains, and of each so many identifiers.
const (
	MaxGmailDomains     = 500
	MaxGmailIdentifiers = 100
)

func sourceInstruments() []Instrument {
	return []Instrument{
		{Name: SourceState, Kind: Gauge,
			Description: "1 for the state that the source is in, 0 for the others.",
			Attributes:  []string{"source", "state"}},
		{Name: CollectorPasses, Kind: Counter, Unit: "{pass}",
			Description: "Passes over a source, by how they ended; reason is empty for a success.",
			Attributes:  []string{"collector", "result", "reason"}},
		{Name: CollectorPassDuration, Kind: Histogram, Unit: "s", Buckets: passBuckets,
			Description: "Duration of a pass. A queue's pass includes up to 20 seconds of waiting for messages.",
			Attributes:  []string{"collector"}},
		{Name: CollectorLastSuccess, Kind: Gauge, Unit: "s",
			Description: "When a pass last succeeded, in seconds since 1970.",
			Attributes:  []string{"collector"}},
		{Name: QueueMessages, Kind: Counter, Unit: "{message}",
			Description: "Messages taken from the queue, by what they were.",
			Attributes:  []string{"queue", "result"}},
		{Name: QueueLag, Kind: Gauge, Unit: "s",
			Description: "Age of the oldest message in the newest non-empty answer of the queue; 0 when it is empty.",
			Attributes:  []string{"queue"}},
		{Name: QueueDepth, Kind: Gauge, Unit: "{message}",
			Description: "Messages in the queue, visible and in flight, as SQS estimates them.",
			Attributes:  []string{"queue"}},
		{Name: QueueUnconfirmed, Kind: Gauge, Unit: "{id}",
			Description: "Ids kept because the queue has not confirmed that their messages are gone. Receiving stops at a million.",
			Attributes:  []string{"queue"}},
	}
}

func ownInstruments() []Instrument {
	return []Instrument{
		{Name: DedupeEntries, Kind: Counter, Unit: "{entry}",
			Description: "Entries, one for each recipient that an event speaks of, by what the ledger did with them: counted, duplicate, held for a tagged copy, refused.",
			Attributes:  []string{"queue", "fate"}},
		{Name: DedupeHorizon, Kind: Gauge, Unit: "s",
			Description: "How far back a repeated event is recognised. What is older may be counted again.",
			Attributes:  []string{"class"}},
		{Name: QuarantineMessages, Kind: Gauge, Unit: "{message}", Description: "Messages in quarantine."},
		{Name: QuarantineSize, Kind: Gauge, Unit: "By", Description: "Size of the bodies in quarantine."},
		{Name: QuarantineUsed, Kind: Gauge, Unit: "1",
			Description: "Size of the bodies in quarantine, as a share of quarantine.max_bytes. A message that does not fit any more stays in its queue."},
		{Name: QuarantineAdded, Kind: Counter, Unit: "{message}",
			Description: "Messages that went to quarantine, by reason.",
			Attributes:  []string{"queue", "reason"}},
		{Name: NamesTracked, Kind: Gauge, Unit: "{name}",
			Description: "Names that are counted on their own, by what they name. Each dimension has a cap.", Attributes: []string{"dimension"}},
		{Name: NamesFolded, Kind: Counter, Unit: "{event}",
			Description: "Events whose name was folded into (other) because its cap was reached.", Attributes: []string{"dimension"}},
		{Name: HeldNotifications, Kind: Gauge, Unit: "{entry}",
			Description: "Untagged identity notifications that wait for their tagged copy."},
		{Name: LedgerCommitDuration, Kind: Histogram, Unit: "s", Buckets: commitBuckets,
			Description: "Time from asking the ledger to commit to its answer."},
		{Name: LedgerSize, Kind: Gauge, Unit: "By", Description: "Size of the ledger's file."},
		{Name: LedgerWALSize, Kind: Gauge, Unit: "By", Description: "Size of the ledger's write-ahead log."},
		{Name: LedgerWritable, Kind: Gauge, Description: "1 while the ledger can commit, 0 while it cannot and receiving stands still."},
		{Name: ConfigReloadSuccess, Kind: Gauge, Description: "1 when the newest reload of the configuration took effect, 0 when it was refused."},
		{Name: ConfigReloadTimestamp, Kind: Gauge, Unit: "s", Description: "When the configuration last took effect, in seconds since 1970."},
		{Name: BuildInfo, Kind: Gauge, Description: "1, with the version as an attribute.", Attributes: []string{"version", "go_version"}},
	}
}
