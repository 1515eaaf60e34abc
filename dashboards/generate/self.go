package main

import "fmt"

// self shows Mailvane at work.
func self() *board {
	return &board{
		uid: "mailvane-self", title: "Mailvane itself", span: "6h",
		about: "Whether Mailvane works: what it reads, whether it can commit, whether events are counted once, whether its notifications arrive.",
		sections: []section{
			{"", 4, selfTiles()},
			{"Reading", 8, []panel{sources(9), depth(), failures(), folded()}},
			{"Counting once", 8, []panel{fates(), horizon(), commits(), sizes()}},
			{"Telling", 8, []panel{notifications(), undelivered(), evaluations(), cloudWatchCost()}},
		},
	}
}

func selfTiles() []panel {
	own := func(title string, width int, u unit, l lines, about, expr string) panel {
		return panel{kind: stat, title: title, width: width, unit: u, lines: l, about: about, basis: "now", source: "Mailvane", queries: []query{{expr, ""}}}
	}
	running := own("Running", 4, version, lines{}, "The versions that run. None means that no metrics arrive.", fmt.Sprintf("max by (version) (%s)", of("mailvane_build_info", "")))
	running.queries[0].legend = "{{version}}"
	writable := own("Ledger", 3, none, lines{}, "Whether the ledger can commit. While it cannot, nothing is read from queues and nothing is lost.", fmt.Sprintf("min(%s)", of("mailvane_ledger_writable", "")))
	writable.states = []state{{0, "cannot commit", red}, {1, "commits", green}}
	reload := own("Configuration", 3, none, lines{}, "Whether the newest reload of the configuration took effect. When refused, the one before goes on.", fmt.Sprintf("min(%s)", of("mailvane_config_reload_success", "")))
	reload.states = []state{{0, "refused", red}, {1, "in effect", green}}
	return []panel{
		running, writable,
		own("Sources not well", 3, count, one, "Sources whose passes fail, or of which none has succeeded for long.", fmt.Sprintf("sum(%s)", of("mailvane_source_state", `state=~"stale|error"`))),
		own("Queue lag", 4, seconds, lines{bad: 15 * 60, worse: 2 * 60 * 60}, "Age of the oldest message in the newest non-empty answer, of the queue furthest behind. Figures are as old. The lines are the built-in alert's.",
			fmt.Sprintf("max(%s)", of("mailvane_queue_lag_seconds", ""))),
		own("In quarantine", 3, count, lines{bad: 100}, "Messages that could not be understood and are kept. `mailvane quarantine list` shows them.", fmt.Sprintf("sum(%s)", of("mailvane_quarantine_messages", ""))),
		own("Notifiers failing for", 4, seconds, lines{bad: 5 * 60, worse: 60 * 60}, "For how long the notifier that is worst off has taken no notification. 0 while all work. The lines are the built-in alert's.",
			fmt.Sprintf("max(%s)", of("mailvane_notifier_failing_duration_seconds", ""))),
		reload,
	}
}

func depth() panel {
	return panel{
		kind: graph, title: "Queues", width: 5, unit: count, about: "Messages in each queue, visible and in flight, as SQS estimates them. They should not grow for long.",
		basis: "each moment", source: "SQS (GetQueueAttributes)",
		queries: []query{{fmt.Sprintf("max by (queue) (%s)", of("mailvane_queue_depth", "")), "{{queue}}"}},
	}
}

func failures() panel {
	passes := of("mailvane_collector_passes_total", "")
	failed := of("mailvane_collector_passes_total", `result!="success"`)
	return panel{
		kind: graph, title: "Passes that failed", width: 5, unit: share, about: "The share of passes over sources that ended in an error: of all, and by reason of each. Single ones are ordinary: they are tried again.",
		basis: "the hour before each moment", source: "Mailvane's collectors",
		queries: []query{
			{fmt.Sprintf("1 - sum(increase(%s[1h])) / sum(increase(%s[1h]))", of("mailvane_collector_passes_total", `result="success"`), passes), "all"},
			{fmt.Sprintf("sum by (collector, reason) (increase(%s[1h])) / on (collector) group_left () sum by (collector) (increase(%s[1h]))", failed, passes), "{{collector}}: {{reason}}"},
		},
	}
}

func fates() panel {
	return panel{
		kind: graph, title: "Entries", width: 6, unit: perMinute, stacked: true,
		about: "What the ledger did with what was read: counted, recognised as a repetition (duplicate), held for a tagged copy, or refused.",
		basis: "each moment", source: "Mailvane's ledger",
		queries: []query{{fmt.Sprintf("60 * sum by (fate) (rate(%s[$__rate_interval]))", of("mailvane_dedupe_entries_total", "")), "{{fate}}"}},
	}
}

func horizon() panel {
	return panel{
		kind: graph, title: "How far back repetitions are recognised", width: 6, unit: seconds, lines: lines{bad: 60 * 60, below: true},
		about: "What comes back later than this is counted twice. It should never fall under an hour.",
		basis: "each moment", source: "Mailvane's ledger",
		queries: []query{{fmt.Sprintf("min by (class) (%s)", of("mailvane_dedupe_horizon_seconds", "")), "{{class}}"}},
	}
}

func commits() panel {
	buckets := of("mailvane_ledger_commit_duration_seconds_bucket", "")
	return panel{
		kind: graph, title: "Time to commit", width: 6, unit: seconds, about: "From asking the ledger to commit to its answer: half of all are faster, and 99 of 100. A slow disk shows here.",
		basis: "each moment", source: "Mailvane's ledger",
		queries: []query{
			{fmt.Sprintf("histogram_quantile(0.5, sum by (le) (rate(%s[$__rate_interval])))", buckets), "half"},
			{fmt.Sprintf("histogram_quantile(0.99, sum by (le) (rate(%s[$__rate_interval])))", buckets), "99 of 100"},
		},
	}
}

func sizes() panel {
	return panel{
		kind: graph, title: "Size of the ledger", width: 6, unit: octets, about: "The ledger's file, its write-ahead log, and the bodies in quarantine. Reading stops at 256 MB of free disk.",
		basis: "each moment", source: "Mailvane's ledger",
		queries: []query{
			{fmt.Sprintf("sum(%s)", of("mailvane_ledger_size_bytes", "")), "ledger"},
			{fmt.Sprintf("sum(%s)", of("mailvane_ledger_wal_size_bytes", "")), "write-ahead log"},
			{fmt.Sprintf("sum(%s)", of("mailvane_quarantine_size_bytes", "")), "quarantine"},
		},
	}
}

func notifications() panel {
	return panel{
		kind: graph, title: "Notifications", width: 6, unit: perHour, about: "Tries to deliver a notification, by how they ended. Those that fail are tried again, unless they were refused.",
		basis: "the hour before each moment", source: "Mailvane's notifiers",
		queries: []query{{fmt.Sprintf("sum by (notifier, result) (increase(%s[1h]))", of("mailvane_notifications_total", "")), "{{notifier}}: {{result}}"}},
	}
}

func undelivered() panel {
	return panel{
		kind: graph, title: "Not delivered", width: 6, unit: count, about: "Notifications that wait or are being sent, and dead ones, which were refused or which no route takes: nobody will hear of those. Nothing while all are delivered.",
		basis: "each moment", source: "Mailvane's outbox",
		queries: []query{{fmt.Sprintf("sum by (notifier, state) (%s)", of("mailvane_notifications_open", "")), "{{notifier}} {{state}}"}},
	}
}

func evaluations() panel {
	return panel{
		kind: graph, title: "Rounds of the rules", width: 6, unit: perHour, about: "Rounds in which the alert rules were evaluated, by how they ended. Without any, nothing can alert.",
		basis: "the hour before each moment", source: "Mailvane's rules",
		queries: []query{{fmt.Sprintf("sum by (result) (increase(%s[1h]))", of("mailvane_alerts_evaluations_total", "")), "{{result}}"}},
	}
}

func folded() panel {
	return panel{
		kind: graph, title: "Names beyond their bounds", width: 5, unit: perHour, about: "Events whose campaign, tenant or other name was counted as (other), because there are too many.",
		basis: "the hour before each moment", source: "Mailvane's intake",
		queries: []query{{fmt.Sprintf("sum by (dimension) (increase(%s[1h]))", of("mailvane_names_folded_total", "")), "{{dimension}}"}},
	}
}

func cloudWatchCost() panel {
	return panel{
		kind: graph, title: "What CloudWatch costs", width: 6, unit: dollars, about: "Metrics asked of CloudWatch, at $0.01 for 1,000 metrics; prices differ a little by region.",
		basis: "the day before each moment", source: "Mailvane's collectors",
		queries: []query{{fmt.Sprintf("0.00001 * sum by (collector) (increase(%s[1d]))", of("mailvane_cloudwatch_metrics_total", "")), "{{collector}}"}},
	}
}
