package telemetry

// accountInstruments are about SES accounts, each in a region. What SES says and what we counted are never one instrument.
func accountInstruments() []Instrument {
	place := func(more ...string) []string { return append([]string{"account", "region"}, more...) }
	return []Instrument{
		{Name: AccountRate, Kind: Gauge, Unit: "1",
			Description: "SES's own rate, by which it judges the account: bounce_rate (reviewed at 0.05, paused at 0.1) or complaint_rate (0.001, 0.005). Absent before the first bounce or complaint.",
			Attributes:  place("signal")},
		{Name: AccountRateHeadroom, Kind: Gauge, Unit: "1",
			Description: "By how much SES's rate may grow before it reaches its next line; 0 past the last.",
			Attributes:  place("signal")},
		{Name: AccountOwnRate, Kind: Gauge, Unit: "1",
			Description: "The rate of what was counted here in seven days, to be set beside SES's own. The two differ; the API says why.",
			Attributes:  place("signal")},
		{Name: AccountQuotaUsed, Kind: Gauge, Unit: "1",
			Description: "Share of the daily quota that was sent in the last 24 hours. Absent where there is no limit.", Attributes: place()},
		{Name: AccountStatus, Kind: Gauge,
			Description: "1 for what SES says about the account, 0 for the others: healthy, probation, shutdown, or other for what it has never said before.",
			Attributes:  place("status")},
		{Name: AccountSendingEnabled, Kind: Gauge, Description: "1 while the account may send, 0 while sending is paused.", Attributes: place()},
		{Name: AccountFindings, Kind: Gauge, Unit: "{finding}",
			Description: "What SES lists: open recommendations (recommendation), and resources whose reputation suffers (entity).",
			Attributes:  place("kind")},
		{Name: TenantSendingEnabled, Kind: Gauge, Description: "1 while SES lets the tenant send, 0 while it does not.", Attributes: place("tenant")},
		{Name: TenantFindings, Kind: Gauge, Unit: "{finding}",
			Description: "Findings of high impact that SES has about the tenant; under its standard policy they pause it.", Attributes: place("tenant")},
		{Name: CoverageRatio, Kind: Gauge, Unit: "1",
			Description: "Share of the last day's mail that is covered. events: of what CloudWatch counted, how much reached us. configuration_set and feedback_id: mail that had one.",
			Attributes:  place("of")},
		{Name: CoverageFinding, Kind: Gauge,
			Description: "1 where our counts differ from CloudWatch's, 0 where not: short (some are missing), deaf (all are), excess (there are more of ours). events stands for the worst of the others.",
			Attributes:  place("of", "finding")},
	}
}

// receiptInstruments are about receipt rules, and about what it costs to ask.
func receiptInstruments() []Instrument {
	rule := func(more ...string) []string {
		return append([]string{"account", "region", "rule_set", "receipt_rule"}, more...)
	}
	return []Instrument{
		{Name: ReceiptEvents, Kind: Counter, Unit: "{event}",
			Description: "What receipt rules did. publish_failure counts attempts, not mails, of which SES makes many: it can exceed received. publish_expired counts lost mails.",
			Attributes:  rule("result")},
		{Name: ReceiptFailingDuration, Kind: Gauge, Unit: "s",
			Description: "For how long attempts to hand mail on have been failing; 0 when they do not.", Attributes: rule()},
		{Name: ReceiptExpired, Kind: Gauge, Unit: "{mail}",
			Description: "Mails of the last 24 hours that SES gave up: they are lost.", Attributes: rule()},
		{Name: ReceiptSilent, Kind: Gauge,
			Description: "1 when the rule has had no mail for much longer than usual, 0 when it has. Absent until its habit is known.",
			Attributes:  rule()},
		{Name: ReceiptRuleInfo, Kind: Gauge,
			Description: "1 for each rule, with what it is for: unsubscribe, reply, dmarc or other.", Attributes: rule("purpose")},
		{Name: ReceiptRulesUsed, Kind: Gauge, Unit: "1",
			Description: "Rules of the active rule set, as a share of the 200 that SES allows.", Attributes: []string{"account", "region", "rule_set"}},
		{Name: ReceiptRecipientsUsed, Kind: Gauge, Unit: "1",
			Description: "Recipients of a rule of the active rule set, as a share of the 100 that SES allows.", Attributes: rule()},
		{Name: ReceiptDataTimestamp, Kind: Gauge, Unit: "s",
			Description: "Up to when CloudWatch was read for all rules, in seconds since 1970. It stays when that is long ago.",
			Attributes:  []string{"account", "region"}},
		{Name: ReceiptUnexported, Kind: Gauge, Unit: "{rule}",
			Description: "Receipt rules that are not exported by name because there are too many. The API has them all."},
		{Name: CloudWatchRequests, Kind: Counter, Unit: "{request}",
			Description: "Requests to CloudWatch, failed ones too.", Attributes: []string{"collector", "region", "operation"}},
		{Name: CloudWatchMetrics, Kind: Counter, Unit: "{metric}",
			Description: "Metrics asked for in these requests: CloudWatch is paid by them, about $0.01 for 1,000.",
			Attributes:  []string{"collector", "region", "operation"}},
	}
}
