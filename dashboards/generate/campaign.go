package main

import "fmt"

// campaign shows one campaign, or all of a tenant.
func campaign() *board {
	return &board{
		uid: "mailvane-campaign", title: "Campaign", span: "7d",
		about: "One campaign: what became of its mail, what people and providers object to, and what Gmail says. \"All\" sums campaigns before it divides.",
		filters: []filter{
			{name: "tenant", label: "Tenant", all: true, values: `label_values(mailvane_campaign_cohort_recipients{job=~"$job"}, tenant)`},
			{name: "campaign", label: "Campaign", all: true, values: `label_values(mailvane_campaign_cohort_recipients{job=~"$job",tenant=~"$tenant"}, campaign)`},
			{name: "window", label: "Sent in the last", choices: []string{"1h", "24h", "7d"}, chosen: "7d"},
		},
		sections: []section{
			{"", 4, campaignTiles()},
			{"What people say", 8, []panel{spamReports(), identifiersOfCampaign()}},
			{"What providers do", 8, []panel{refusals(), campaignByProvider()}},
			{"Its mail", 8, []panel{outcomes(), inFlight()}},
		},
	}
}

func campaignTiles() []panel {
	rate := func(title, signal string, width int, l lines, about string) panel {
		return panel{
			kind: stat, title: title, width: width, unit: share, lines: l, about: about,
			basis: "mail sent in the window, with what has become of it so far", source: "SES events",
			queries: []query{{rated("campaign", "", ofCampaign(signal)), ""}},
		}
	}
	return []panel{
		{
			kind: stat, title: "Sent", width: 3, unit: recipients, about: "To how many recipients SES accepted its mail.",
			basis: "mail sent in the window", source: "SES events",
			queries: []query{{fmt.Sprintf("sum(%s)", inCampaign("mailvane_campaign_cohort_recipients", `outcome="sent",window="$window"`)), ""}},
		},
		gmailOfCampaign(), complaintsAtGmail(),
		rate("Complaints", "complaint_rate", 4, complaints, "Complaints at providers that report them to SES, of deliveries there; Gmail reports none. "+
			"Yahoo asks to stay below 0.1 % and acts at 0.3 %. They come in for days: 24 hours show too few."),
		rate("Hard bounces", "hard_bounce_rate", 4, sesBounces, "Refused for good, of what SES tried to deliver. The lines are those at which SES reviews (5 %) and may "+
			"pause (10 %) an account."),
		rate("Blocked", "block_rate", 3, blocks, "Bounced for reputation, content, authentication or policy, of what SES tried to deliver. Nobody states a line: at "+
			"2 % a filter has begun to act, at 10 % it acts on everybody."),
		rate("Delivered", "delivery_rate", 3, lines{}, "Accepted by the provider, of what SES tried to deliver. It takes up to a day to be final."),
	}
}

func spamReports() panel {
	return panel{
		kind: graph, title: "Complaints and Gmail's spam reports", width: 12, unit: share, lines: complaints,
		about: "Both stand for people who pressed \"spam\": the one of deliveries at providers that report, the other of mail in Gmail's inboxes.",
		basis: "mail sent in the window before each moment; Gmail's newest day at each moment", source: "SES events; Gmail Postmaster Tools",
		queries: []query{
			{rated("campaign", "", ofCampaign("complaint_rate")), "complaints, where they are reported"},
			{fmt.Sprintf("max by (tenant, campaign) (%s)", inCampaign("mailvane_campaign_gmail_spam_rate_ratio", "")), "Gmail: {{campaign}} {{tenant}}"},
		},
	}
}

func refusals() panel {
	return panel{
		kind: graph, title: "Bounces, blocks and delays", width: 12, unit: share, lines: sesBounces,
		about: "Of what SES tried to deliver: refused for good, refused by a filter, put off, and given up after having been put off. The lines are SES's for hard bounces.",
		basis: "mail sent in the window before each moment", source: "SES events",
		queries: []query{
			{rated("campaign", "", ofCampaign("hard_bounce_rate")), "hard bounces"},
			{rated("campaign", "", ofCampaign("block_rate")), "blocked"},
			{rated("campaign", "", ofCampaign("delay_rate")), "delayed"},
			{rated("campaign", "", ofCampaign("soft_bounce_rate")), "given up"},
		},
	}
}

func inCampaign(metric, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return of(metric, `tenant=~"$tenant",campaign=~"$campaign"`+matchers)
}

func ofCampaign(signal string) string {
	return fmt.Sprintf(`tenant=~"$tenant",campaign=~"$campaign",signal=%q,window="$window"`, signal)
}

func gmailOfCampaign() panel {
	return panel{
		kind: stat, title: "Gmail spam rate", width: 4, unit: share, lines: gmailSpam,
		about: "How much of its mail in inboxes Gmail's users report as spam. Nothing where its Feedback-ID values are shared with others or not reported.",
		basis: "Gmail's newest day, one to three days old", source: "Gmail Postmaster Tools",
		queries: []query{{fmt.Sprintf("max(%s)", inCampaign("mailvane_campaign_gmail_spam_rate_ratio", "")), ""}},
		link:    &link{title: "Gmail", uid: "mailvane-gmail"},
	}
}

func complaintsAtGmail() panel {
	return panel{
		kind: stat, title: "Spam reports, at most", width: 3, unit: recipients,
		about: "How many Gmail users can have reported it at most. Campaigns that share a Feedback-ID value share its reports, so it is not to be added: of several " +
			"campaigns, the largest is shown.",
		basis: "those days of the window that Gmail has reported", source: "Gmail Postmaster Tools and SES events",
		queries: []query{{fmt.Sprintf("max(%s)", inCampaign("mailvane_campaign_gmail_complaints_upper_bound", `window="$window"`)), ""}},
	}
}

func identifiersOfCampaign() panel {
	info := of("mailvane_gmail_identifier_info", "")
	mine := inCampaign("mailvane_gmail_identifier_info", "")
	return panel{
		kind: table, title: "At Gmail, by value of its Feedback-ID", width: 12, sorted: "Spam rate",
		about: "Gmail reports a rate for each value of the Feedback-ID that it sees often enough. A value that several campaigns use speaks of all of them, " +
			"and blames none.",
		basis: "Gmail's newest day of each value; campaigns that used it in the three days before", source: "Gmail Postmaster Tools (FROM_HEADER), joined by Mailvane",
		queries: []query{
			{expr: fmt.Sprintf(`max by (domain, identifier) (%s) and on (domain, identifier) %s`, of("mailvane_gmail_feedback_loop_spam_rate_ratio", `aggregation="FROM_HEADER"`), mine)},
			{expr: fmt.Sprintf("count by (domain, identifier) (count by (domain, identifier, tenant, campaign) (%s)) and on (domain, identifier) %s", info, mine)},
		},
		columns: []column{
			{title: "Value", label: "identifier"},
			{title: "Domain", label: "domain"},
			{title: "Spam rate", value: 1, unit: share, lines: gmailSpam},
			{title: "Campaigns that use it", value: 2, unit: count},
		},
	}
}

func campaignByProvider() panel {
	became := func(outcome string) query {
		return query{expr: fmt.Sprintf("sum by (provider) (increase(%s[$__range]))", inCampaign("mailvane_campaign_provider_recipients_total", fmt.Sprintf("outcome=%q", outcome)))}
	}
	return panel{
		kind: table, title: "By provider", width: 12, sorted: "Hard bounced",
		about: "Where its mail is refused, put off and complained about. Empty unless `telemetry.campaign_by_provider` is set; the campaign's page has it always.",
		basis: "what was counted in the time that this board shows, by the moment it was counted", source: "SES events",
		queries: []query{became("delivered"), became("hard_bounced"), became("soft_bounced"), became("delayed"), became("complained")},
		columns: []column{
			{title: "Provider", label: "provider"},
			{title: "Delivered", value: 1, unit: recipients},
			{title: "Hard bounced", value: 2, unit: recipients},
			{title: "Given up", value: 3, unit: recipients},
			{title: "Delayed", value: 4, unit: recipients},
			{title: "Complained", value: 5, unit: recipients},
		},
	}
}

func outcomes() panel {
	within := func(window string) query {
		return query{expr: fmt.Sprintf("sum by (outcome) (%s)", inCampaign("mailvane_campaign_cohort_recipients", fmt.Sprintf("window=%q", window)))}
	}
	return panel{
		kind: table, title: "What became of its recipients", width: 12, sorted: "7 days",
		about: "Outcomes overlap, as a mail may be delivered and bounce later: they do not add up.",
		basis: "mail sent in each window, with what has become of it so far", source: "SES events",
		queries: []query{within("1h"), within("24h"), within("7d")},
		columns: []column{
			{title: "Outcome", label: "outcome"},
			{title: "1 hour", value: 1, unit: recipients},
			{title: "24 hours", value: 2, unit: recipients},
			{title: "7 days", value: 3, unit: recipients},
		},
	}
}

func inFlight() panel {
	return panel{
		kind: graph, title: "As it happens", width: 12, unit: perMinute,
		about: "What is counted now, whenever the mail was sent: bursts and stand-stills. Opens and clicks are left out.",
		basis: "what was counted at each moment, by the moment it was counted", source: "SES events",
		queries: []query{{fmt.Sprintf("60 * sum by (outcome) (rate(%s[$__rate_interval]))",
			inCampaign("mailvane_campaign_recipients_total", `outcome!~"opened|opened_by_bot|clicked|clicked_by_bot"`)), "{{outcome}}"}},
	}
}
