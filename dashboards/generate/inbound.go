package main

import "fmt"

// inbound shows whether mail to us is handed on.
func inbound() *board {
	cloudWatch := "CloudWatch (AWS/SES), read every few minutes"
	tile := func(title string, u unit, l lines, about, basis, expr string) panel {
		return panel{kind: stat, title: title, width: 4, unit: u, lines: l, about: about, basis: basis, source: cloudWatch, queries: []query{{expr, ""}}}
	}
	hourly := func(title, result string, about string) panel {
		return panel{
			kind: graph, title: title, width: 8, unit: perHour, about: about, basis: "the hour before each moment", source: cloudWatch,
			queries: []query{{fmt.Sprintf("sum by (receipt_rule) (increase(%s[1h]))", received("mailvane_receipt_events_total", fmt.Sprintf("result=%q", result))), "{{receipt_rule}}"}},
		}
	}
	return &board{
		uid: "mailvane-inbound", title: "Inbound", span: "24h",
		about: "Whether mail to us (unsubscribes, replies, DMARC reports) is handed on by SES's receipt rules, or lost.",
		filters: []filter{
			{name: "region", label: "Region", multi: true, all: true, values: `label_values(mailvane_receipt_rule_info{job=~"$job"}, region)`},
		},
		sections: []section{
			{"", 4, []panel{
				tile("Mail lost", count, one, "Mail that SES gave up after it had tried for four hours to hand it on. It does not come back.", "the last 24 hours",
					fmt.Sprintf("sum(%s)", received("mailvane_receipt_expired", ""))),
				tile("Rules that fail", count, one, "Receipt rules whose attempts to hand mail on fail now. After four hours their mail is lost.", "now",
					fmt.Sprintf("sum(%s > bool 0)", received("mailvane_receipt_failing_duration_seconds", ""))),
				tile("Rules fallen silent", count, oneMild, "Receipt rules that have had no mail for much longer than usual: perhaps it no longer reaches them.", "now, beside the rule's own habit",
					fmt.Sprintf("sum(%s)", received("mailvane_receipt_silent", ""))),
				tile("Rules used", share, quota, "Rules of the fullest active rule set, of the 200 that SES allows.", "now",
					fmt.Sprintf("max(%s)", received("mailvane_receipt_rules_used_ratio", ""))),
				tile("Recipients used", share, quota, "Recipients of the fullest rule, of the 100 that SES allows.", "now",
					fmt.Sprintf("max(%s)", received("mailvane_receipt_recipients_used_ratio", ""))),
				tile("Read up to", seconds, lines{bad: 30 * 60}, "How long ago the time was up to which CloudWatch has been read, for the region that is furthest behind.", "now",
					fmt.Sprintf("max(time() - %s)", received("mailvane_receipt_data_timestamp_seconds", ""))),
			}},
			{"", 9, []panel{receiptRules()}},
			{"", 8, []panel{
				hourly("Received", "received", "Mail that each rule received."),
				hourly("Attempts that failed", "publish_failure", "Attempts to hand mail on that failed. SES makes many for one mail, so this can exceed what was received."),
				hourly("Lost", "publish_expired", "Mail that SES gave up after four hours."),
			}},
		},
	}
}

func received(metric, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return of(metric, `region=~"$region"`+matchers)
}

func receiptRules() panel {
	rule := "account, region, rule_set, receipt_rule"
	of := func(expr string) query { return query{expr: fmt.Sprintf("max by (%s) (%s)", rule, expr)} }
	return panel{
		kind: table, title: "Receipt rules", width: columns, sorted: "Lost",
		about: "Each rule, the worst first. Empty under \"silent\": its habit is not known yet.",
		basis: "the last 24 hours for lost mail, the time that this board shows for received mail, now for the rest", source: "CloudWatch (AWS/SES) and SES's API",
		queries: []query{
			{expr: fmt.Sprintf("max by (%s, purpose) (%s)", rule, received("mailvane_receipt_rule_info", ""))},
			of(received("mailvane_receipt_expired", "")),
			of(received("mailvane_receipt_failing_duration_seconds", "")),
			of(received("mailvane_receipt_silent", "")),
			of(fmt.Sprintf("increase(%s[$__range])", received("mailvane_receipt_events_total", `result="received"`))),
			of(received("mailvane_receipt_recipients_used_ratio", "")),
		},
		columns: []column{
			{title: "Rule", label: "receipt_rule"},
			{title: "For", label: "purpose"},
			{title: "Rule set", label: "rule_set"},
			{title: "Account", label: "account"},
			{title: "Region", label: "region"},
			{title: "Lost", value: 2, unit: count, lines: one},
			{title: "Failing for", value: 3, unit: seconds, lines: lines{bad: 1, worse: 60 * 60}},
			{title: "Silent", value: 4, unit: none, states: []state{{0, "no", green}, {1, "yes", orange}}},
			{title: "Received", value: 5, unit: count},
			{title: "Recipients used", value: 6, unit: share, lines: quota},
		},
	}
}
