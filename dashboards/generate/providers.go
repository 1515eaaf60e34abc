package main

import "fmt"

// providers shows where mail is refused or slowed, and for what reason.
func providers() *board {
	return &board{
		uid: "mailvane-providers", title: "Providers and reasons", span: "24h",
		about: "At which mailbox provider mail is refused or slowed, and for what reason.",
		filters: []filter{
			{name: "provider", label: "Provider", multi: true, all: true, values: `label_values(mailvane_provider_signal_ratio{job=~"$job"}, provider)`},
			{name: "window", label: "Sent in the last", choices: []string{"1h", "24h", "7d"}, chosen: "24h"},
		},
		sections: []section{
			{"", 10, []panel{providerTable(), reasons()}},
			{"How it came", 8, []panel{
				providerGraph("Blocked", "block_rate", blocks, "Bounced for reputation, content, authentication or policy, of what SES tried to deliver."),
				providerGraph("Delayed", "delay_rate", delays, "Put off at least once, of what SES tried to deliver. One in five slows a sender down, one in two is a throttle."),
				slowness(),
			}},
			{"Why", 9, []panel{reasonsOverTime(), reasonTable()}},
		},
	}
}

func atProvider(metric string) string { return of(metric, `provider=~"$provider"`) }

func ofProvider(signal string) string {
	return fmt.Sprintf(`provider=~"$provider",signal=%q,window="$window"`, signal)
}

func providerTable() panel {
	rate := func(signal string) query { return query{expr: rated("provider", "provider", ofProvider(signal))} }
	return panel{
		kind: table, title: "Providers", width: 16, sorted: "Blocked",
		about: "What becomes of mail at each provider. Complaints only where providers report them to SES, which Gmail does not. The lines: SES's for hard " +
			"bounces, Yahoo's for complaints, the built-in alerts' for blocks and delays.",
		basis: "mail sent in the window, with what has become of it so far", source: "SES events",
		queries: []query{
			{expr: fmt.Sprintf("sum by (provider) (%s)", of("mailvane_provider_signal_recipients", ofProvider("delivery_rate")))},
			rate("delivery_rate"), rate("block_rate"), rate("delay_rate"), rate("hard_bounce_rate"), rate("soft_bounce_rate"), rate("complaint_rate"),
		},
		columns: []column{
			{title: "Provider", label: "provider"},
			{title: "Tried", value: 1, unit: recipients},
			{title: "Delivered", value: 2, unit: share},
			{title: "Blocked", value: 3, unit: share, lines: blocks},
			{title: "Delayed", value: 4, unit: share, lines: delays},
			{title: "Hard bounced", value: 5, unit: share, lines: sesBounces},
			{title: "Given up", value: 6, unit: share},
			{title: "Complaints", value: 7, unit: share, lines: complaints},
		},
	}
}

func reasons() panel {
	return panel{
		kind: bars, title: "Reasons", width: 8, unit: recipients,
		about: "Why mail bounced, was put off or rejected: the twelve most frequent reasons.",
		basis: "what was counted in the time that this board shows, by the moment it was counted", source: "SES events, SMTP replies read by Mailvane",
		queries: []query{{fmt.Sprintf("topk(12, sum by (reason) (increase(%s[$__range])))", atProvider("mailvane_provider_failures_total")), "{{reason}}"}},
	}
}

func providerGraph(title, signal string, l lines, about string) panel {
	return panel{
		kind: graph, title: title, width: 8, unit: share, lines: l, about: about,
		basis: "mail sent in the window before each moment", source: "SES events",
		queries: []query{{rated("provider", "provider", ofProvider(signal)), "{{provider}}"}},
	}
}

func slowness() panel {
	return panel{
		kind: graph, title: "Time to delivery", width: 8, unit: seconds,
		about: "How long providers take to accept mail: 19 of 20 mails are accepted sooner. A throttle shows here first.",
		basis: "deliveries at each moment, by the moment they were counted", source: "SES events (Delivery)",
		queries: []query{{fmt.Sprintf("histogram_quantile(0.95, sum by (provider, le) (rate(%s[$__rate_interval])))",
			atProvider("mailvane_provider_delivery_duration_seconds_bucket")), "{{provider}}"}},
	}
}

func reasonsOverTime() panel {
	return panel{
		kind: graph, title: "Reasons over time", width: 12, unit: perMinute, stacked: true,
		about: "Bounces, delays and rejections by reason: when a filter began to act.",
		basis: "what was counted at each moment, by the moment it was counted", source: "SES events, SMTP replies read by Mailvane",
		queries: []query{{fmt.Sprintf("60 * sum by (reason) (rate(%s[$__rate_interval]))", atProvider("mailvane_provider_failures_total")), "{{reason}}"}},
	}
}

func reasonTable() panel {
	return panel{
		kind: table, title: "Who says what", width: 12, sorted: "Recipients", limit: 100,
		about: "Reasons by provider and by what became of the mail. Samples of the replies are in Mailvane's pages.",
		basis: "what was counted in the time that this board shows, by the moment it was counted", source: "SES events, SMTP replies read by Mailvane",
		queries: []query{{expr: fmt.Sprintf("sum by (provider, reason, outcome) (increase(%s[$__range])) > 0", atProvider("mailvane_provider_failures_total"))}},
		columns: []column{
			{title: "Provider", label: "provider"},
			{title: "Reason", label: "reason"},
			{title: "Outcome", label: "outcome"},
			{title: "Recipients", value: 1, unit: recipients},
		},
	}
}
