package main

import "fmt"

// overview answers at one look: how far we are from the lines where somebody acts, who takes us there, and whether the figures
// can be trusted.
func overview() *board {
	return &board{
		uid: "mailvane-overview", title: "Overview", span: "7d",
		about: "How near Gmail and SES are to acting on us, which campaigns take us there, and whether these figures can be trusted.",
		sections: []section{
			{"Where we stand", 4, standing()},
			{"Who takes us there", 9, []panel{worstCampaigns(), blockedWhere()}},
			{"How it came", 8, []panel{spamByDomain(8), accountsOverTime(), allMail()}},
			{"Can this be trusted, and is our own mail coming in?", 7, trust()},
		},
	}
}

func standing() []panel {
	return []panel{
		{
			kind: stat, title: "Gmail spam rate, worst domain", width: 5, unit: share, lines: gmailSpam, named: true,
			about: "How much of the domain's mail in inboxes Gmail's users report as spam. Gmail asks to stay below 0.1 % and never to reach 0.3 %.",
			basis: "Gmail's newest day, one to three days old; nothing when that is over four days old", source: "Gmail Postmaster Tools",
			queries: []query{{fmt.Sprintf("topk(1, max by (domain) (%s))", of("mailvane_gmail_spam_rate_ratio", "")), "{{domain}}"}},
			link:    &link{title: "Gmail", uid: "mailvane-gmail"},
		},
		accountStat("SES bounce rate, worst account", "bounce_rate", sesBounces, "SES reviews an account at 5 % and may pause its sending at 10 %."),
		accountStat("SES complaint rate, worst account", "complaint_rate", sesComplaints, "SES reviews an account at 0.1 % and may pause its sending at 0.5 %."),
		{
			kind: stat, title: "SES's verdict", width: 3, unit: none,
			about: "The worst verdict of SES on any account: under review, or paused, when no mail goes out. A tenant that is paused shows where all accounts are well.",
			basis: "now", source: "SES's API (GetAccount, ListTenants)",
			// That an account may send is no verdict: without one, nothing is known rather than all well.
			queries: []query{{fmt.Sprintf(`max(2 * %s or 3 * (1 - %s) > 0 or (1 - %s) > 0)`, of("mailvane_account_status", `status=~"probation|shutdown|other"`),
				of("mailvane_account_sending_enabled", ""), of("mailvane_tenant_sending_enabled", "")), ""}},
			states: []state{{0, "healthy", green}, {1, "tenant paused", orange}, {2, "not healthy", orange}, {3, "paused", red}},
		},
		{
			kind: stat, title: "Quota used, fullest account", width: 3, unit: share, lines: quota,
			about: "SES refuses mail beyond the quota. Nothing where there is no limit. The lines are those of the built-in alert.",
			basis: "mail accepted in the last 24 hours", source: "SES's API (GetAccount)",
			queries: []query{{fmt.Sprintf("max(%s)", of("mailvane_account_quota_used_ratio", "")), ""}},
		},
		{
			kind: stat, title: "Alerts firing", width: 3, unit: count, lines: one, named: true,
			about: "Alerts of the built-in rules that fire now and are not silenced or muted.",
			basis: "now", source: "Mailvane's own rules", link: &link{title: "Mailvane itself", uid: "mailvane-self"},
			queries: []query{{fmt.Sprintf("sum by (severity) (%s)", of("mailvane_alerts", `state="firing"`)), "{{severity}}"}},
			columns: []column{{title: "warning", value: 1, unit: count, lines: oneMild}},
		},
	}
}

func accountStat(title, signal string, l lines, says string) panel {
	return panel{
		kind: stat, title: title, width: 5, unit: share, lines: l, named: true,
		about: "SES's own rate, by which it judges the account. " + says + " Nothing before the first bounce or complaint.",
		basis: "a representative volume of mail, which SES chooses", source: "CloudWatch (AWS/SES, Reputation)",
		queries: []query{{fmt.Sprintf("topk(1, max by (account, region) (%s))", of("mailvane_account_rate_ratio", fmt.Sprintf("signal=%q", signal))), "{{account}} {{region}}"}},
	}
}

// toCampaign leads to a campaign of whatever tenant: without tenants there is no column to take one from.
func toCampaign() *link {
	return &link{title: "This campaign", uid: "mailvane-campaign", set: []string{"var-tenant=$__all", "var-campaign=${__data.fields.Campaign}"}}
}

// toTenant leads to a tenant's campaign.
func toTenant() *link {
	return &link{title: "This tenant's campaign", uid: "mailvane-campaign", set: []string{"var-tenant=${__data.fields.Tenant}", "var-campaign=${__data.fields.Campaign}"}}
}

func worstCampaigns() panel {
	perCampaign := func(expr string) query { return query{expr: fmt.Sprintf("max by (tenant, campaign) (%s)", expr)} }
	gmail := of("mailvane_campaign_gmail_spam_rate_ratio", "")
	return panel{
		kind: table, title: "Worst campaigns", width: 16, sorted: "Of its line", limit: 12,
		about: "Campaigns by how near their worst rate is to the line at which somebody acts: complaints and Gmail's spam reports 0.3 %, hard " +
			"bounces and blocks 10 %. Of bounces and blocks the worse of two windows is shown; rates over fewer than 1,000 recipients are left out. " +
			"Click a campaign to see all of it.",
		basis:  "mail sent in the last 7 days, for bounces and blocks also 24 hours, with what has become of it so far; Gmail's newest day",
		source: "SES events; Gmail Postmaster Tools, for identifiers that are the campaign's own",
		queries: []query{
			perCampaign(fmt.Sprintf("%s / 0.003 or %s / 0.1 or %s / 0.1 or %s / 0.003", enough("complaint_rate", "7d"),
				enough("hard_bounce_rate", "24h|7d"), enough("block_rate", "24h|7d"), gmail)),
			perCampaign(gmail),
			perCampaign(enough("complaint_rate", "7d")),
			perCampaign(enough("hard_bounce_rate", "24h|7d")),
			perCampaign(enough("block_rate", "24h|7d")),
			perCampaign(of("mailvane_campaign_cohort_recipients", `outcome="sent",window="7d"`)),
		},
		columns: []column{
			{title: "Campaign", label: "campaign", link: toCampaign()},
			{title: "Tenant", label: "tenant", link: toTenant()},
			{title: "Of its line", value: 1, unit: share, lines: lines{bad: 0.33, worse: 1}},
			{title: "Gmail spam", value: 2, unit: share, lines: gmailSpam},
			{title: "Complaints", value: 3, unit: share, lines: complaints},
			{title: "Hard bounces", value: 4, unit: share, lines: sesBounces},
			{title: "Blocks", value: 5, unit: share, lines: blocks},
			{title: "Sent", value: 6, unit: recipients},
		},
	}
}

func blockedWhere() panel {
	return panel{
		kind: bars, title: "Where mail is blocked", width: 8, unit: share, lines: blocks,
		about: "The share of mail that a provider refuses for reputation, content, authentication or policy: the ten worst. Nobody states a line; " +
			"at 2 % a filter has begun to act, at 10 % it acts on everybody.",
		basis: "mail sent in the last 24 hours to at least 100 recipients there", source: "SES events",
		queries: []query{{fmt.Sprintf(`topk(10, max by (provider) (%s and %s >= 100))`, of("mailvane_provider_signal_ratio", `signal="block_rate",window="24h"`),
			of("mailvane_provider_signal_recipients", `signal="block_rate",window="24h"`)), "{{provider}}"}},
		link: &link{title: "Providers and reasons", uid: "mailvane-providers"},
	}
}

func spamByDomain(width int) panel {
	return panel{
		kind: graph, title: "Gmail spam rate", width: width, unit: share, lines: gmailSpam,
		about: "The share of the domain's mail in inboxes that Gmail's users report as spam. Below 0.1 % is asked for; at 0.3 % there is no mitigation " +
			"until seven days in a row were below it.",
		basis:   "Gmail's newest day at each moment: a step a day, one to three days late; a gap when the day is over four days old",
		source:  "Gmail Postmaster Tools",
		queries: []query{{fmt.Sprintf("max by (domain) (%s)", of("mailvane_gmail_spam_rate_ratio", "")), "{{domain}}"}},
	}
}

func accountsOverTime() panel {
	rate := func(signal string, line string) string {
		return fmt.Sprintf("max by (account, region) (%s) / %s", of("mailvane_account_rate_ratio", fmt.Sprintf("signal=%q", signal)), line)
	}
	return panel{
		kind: graph, title: "SES's rates, as a share of its review line", width: 8, unit: share, lines: one,
		about: "100 % is where SES puts an account under review: a bounce rate of 5 %, a complaint rate of 0.1 %. It may pause sending at twice that " +
			"bounce rate and five times that complaint rate.",
		basis: "a representative volume of mail, which SES chooses", source: "CloudWatch (AWS/SES, Reputation)",
		queries: []query{
			{rate("bounce_rate", "0.05"), "bounces {{account}} {{region}}"},
			{rate("complaint_rate", "0.001"), "complaints {{account}} {{region}}"},
		},
	}
}

func allMail() panel {
	over := func(signal, window string) string {
		return rated("campaign", "", fmt.Sprintf(`signal=%q,window=%q`, signal, window))
	}
	return panel{
		kind: graph, title: "All campaigns together", width: 8, unit: share,
		about: "What becomes of all mail: recipients of all exported campaigns are summed, then divided. It hides who causes it; the table above does not.",
		basis: "mail sent in the 24 hours before (7 days for complaints), with what had become of it by then", source: "SES events",
		queries: []query{
			{over("hard_bounce_rate", "24h"), "hard bounces"},
			{over("block_rate", "24h"), "blocks"},
			{over("delay_rate", "24h"), "delays"},
			{over("complaint_rate", "7d"), "complaints, where they are reported"},
		},
	}
}

func trust() []panel {
	return []panel{
		{
			kind: bars, title: "Events that reach us", width: 6, unit: share, lines: coverage, top: 1,
			about: "How much of what SES counted reached Mailvane as events. What is missing is in no rate here.",
			basis: "the last day", source: "CloudWatch (AWS/SES) beside SES events",
			queries: []query{{fmt.Sprintf("min by (account, region) (%s)", of("mailvane_coverage_ratio", `of="events"`)), "{{account}} {{region}}"}},
		},
		{
			kind: stat, title: "Age of Gmail's newest day", width: 4, unit: seconds, lines: lines{bad: 4 * day},
			about: "How long ago the newest day ended of which Gmail has told anything, for the Google account that is furthest behind. One to three days are " +
				"usual. A domain that sends no mail to Gmail has no days, and is not missed.",
			basis: "now", source: "Gmail Postmaster Tools",
			queries: []query{{fmt.Sprintf("max(time() - max by (job, source) (%s))", of("mailvane_gmail_data_timestamp_seconds", "")), ""}},
			link:    &link{title: "Gmail", uid: "mailvane-gmail"},
		},
		{
			kind: stat, title: "Inbound mail lost", width: 4, unit: count, lines: one,
			about: "Mail to us, such as unsubscribes and replies, that a receipt rule could not hand on for four hours, so that SES gave it up.",
			basis: "the last 24 hours", source: "CloudWatch (AWS/SES, PublishExpired)",
			queries: []query{{fmt.Sprintf("sum(%s)", of("mailvane_receipt_expired", "")), ""}},
			link:    &link{title: "Inbound", uid: "mailvane-inbound"},
		},
		sources(10),
	}
}

const day = 24 * 60 * 60

// sources shows how each source was, over time.
func sources(width int) panel {
	in := func(state string, value int) string {
		return fmt.Sprintf("(%s == 1) * %d", of("mailvane_source_state", fmt.Sprintf("state=%q", state)), value)
	}
	return panel{
		kind: timeline, title: "Sources", width: width, unit: none,
		about: "Whether each source is read. Stale: none of its passes has succeeded for long. Error: they fail. What a source that is not well tells of " +
			"stands still.",
		basis: "each moment", source: "Mailvane's collectors",
		queries: []query{{fmt.Sprintf("max by (source) (%s or %s or %s or %s)", in("ok", 0), in("no_data", 1), in("stale", 2), in("error", 3)), "{{source}}"}},
		states:  []state{{0, "ok", green}, {1, "not read yet", grey}, {2, "stale", orange}, {3, "error", red}},
	}
}
