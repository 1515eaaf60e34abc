package main

import "fmt"

// gmail shows what Gmail says of each domain and of the values of the Feedback-ID.
func gmail() *board {
	newest := "Gmail's newest day, one to three days old; nothing when that is over four days old"
	postmaster := "Gmail Postmaster Tools"
	worst := func(title string, u unit, l lines, about, expr string) panel {
		return panel{
			kind: stat, title: title, width: 5, unit: u, lines: l, named: true, about: about, basis: newest, source: postmaster,
			queries: []query{{expr, "{{domain}}"}},
		}
	}
	age := worst("Newest day", seconds, lines{bad: 4 * day, mild: true}, "How long ago the newest day ended of which Gmail has told anything, for the domain that is furthest behind: one that is "+
		"no longer verified, or that sends no mail to Gmail.",
		fmt.Sprintf("topk(1, time() - max by (domain) (%s))", atGmail("mailvane_gmail_data_timestamp_seconds", "")))
	age.basis, age.width = "now", 4
	return &board{
		uid: "mailvane-gmail", title: "Gmail", span: "30d",
		about: "What Gmail says: how many of its users call our mail spam, whose mail that is, whether we meet its requirements. Gmail is one to three days late.",
		filters: []filter{
			{name: "domain", label: "Domain", multi: true, all: true, values: `label_values(mailvane_gmail_data_timestamp_seconds{job=~"$job"}, domain)`},
		},
		sections: []section{
			{"", 4, []panel{
				worst("Spam rate, worst domain", share, gmailSpam, "The share of mail in inboxes that users report as spam. Stay below 0.1 %, never reach 0.3 %.",
					fmt.Sprintf("topk(1, max by (domain) (%s))", atGmail("mailvane_gmail_spam_rate_ratio", ""))),
				worst("Requirements that need work", count, one, "Requirements that Gmail makes of all senders and that a domain does not meet.",
					fmt.Sprintf("topk(1, sum by (domain) (%s == bool 0))", atGmail("mailvane_gmail_compliance", ""))),
				worst("Authenticated, worst domain", share, auth, "The share of mail that passes SPF, DKIM or DMARC, whichever is least. Gmail requires all; a few per cent fail by forwarding.",
					fmt.Sprintf("bottomk(1, min by (domain) (%s))", atGmail("mailvane_gmail_auth_success_rate_ratio", ""))),
				worst("Refused or put off, worst domain", share, lines{}, "The share of mail that Gmail refused or put off, for all reasons.",
					fmt.Sprintf("topk(1, max by (domain) (%s))", atGmail("mailvane_gmail_delivery_error_rate_ratio", `class="all",reason="all"`))),
				age,
			}},
			{"Who is called spam", 9, []panel{spamOfDomains(), identifiers()}},
			{"What Gmail requires", 9, []panel{compliance(), authentication(), errors()}},
		},
	}
}

func atGmail(metric, matchers string) string {
	if matchers != "" {
		matchers = "," + matchers
	}
	return of(metric, `domain=~"$domain"`+matchers)
}

func spamOfDomains() panel {
	p := spamByDomain(12)
	p.title = "Spam rate by domain"
	p.queries = []query{{fmt.Sprintf("max by (domain) (%s)", atGmail("mailvane_gmail_spam_rate_ratio", "")), "{{domain}}"}}
	return p
}

func identifiers() panel {
	info := atGmail("mailvane_gmail_identifier_info", "")
	rate := fmt.Sprintf("max by (domain, identifier) (%s)", atGmail("mailvane_gmail_feedback_loop_spam_rate_ratio", `aggregation="FROM_HEADER"`))
	return panel{
		kind: table, title: "Spam rate by value of the Feedback-ID", width: 12, sorted: "Spam rate",
		about: "Whose mail is called spam. A value with several campaigns speaks of all of them and blames none; one without is the account's, the sender's, " +
			"or is not sent by us.",
		basis: "Gmail's newest day of each value; campaigns that used it in the three days before", source: "Gmail Postmaster Tools (FROM_HEADER), joined by Mailvane",
		queries: []query{
			{expr: fmt.Sprintf("max by (domain, identifier, tenant, campaign) (%s * on (domain, identifier) group_left () %s) or %s unless on (domain, identifier) %s",
				info, rate, rate, info)},
		},
		columns: []column{
			{title: "Value", label: "identifier"},
			{title: "Domain", label: "domain"},
			{title: "Campaign", label: "campaign", link: toCampaign()},
			{title: "Tenant", label: "tenant", link: toTenant()},
			{title: "Spam rate", value: 1, unit: share, lines: gmailSpam},
		},
	}
}

func compliance() panel {
	return panel{
		kind: table, title: "Requirements", width: 10, sorted: "State", ascending: true,
		about: "Gmail's verdict on each of its requirements of bulk senders, with its reason where it gives one. What needs work comes first.",
		basis: "Gmail's newest verdict", source: "Gmail Postmaster Tools (compliance status)",
		queries: []query{{expr: fmt.Sprintf("min by (domain, requirement, verdict) (%s)", atGmail("mailvane_gmail_compliance", ""))}},
		columns: []column{
			{title: "Domain", label: "domain"},
			{title: "Requirement", label: "requirement"},
			{title: "State", value: 1, unit: none, states: []state{{0, "needs work", red}, {1, "met", green}}},
			{title: "Reason", label: "verdict"},
		},
	}
}

func authentication() panel {
	return panel{
		kind: graph, title: "Authentication and encryption", width: 7, unit: share, lines: lines{bad: 0.95, below: true}, top: 1,
		about: "The share of mail that passed SPF, DKIM and DMARC, and that reached Gmail encrypted: of the worst domain each.",
		basis: "Gmail's newest day at each moment", source: "Gmail Postmaster Tools",
		queries: []query{
			{fmt.Sprintf("min by (method) (%s)", atGmail("mailvane_gmail_auth_success_rate_ratio", "")), "{{method}}"},
			{fmt.Sprintf("min(%s)", atGmail("mailvane_gmail_tls_rate_ratio", `direction="inbound"`)), "TLS"},
		},
	}
}

func errors() panel {
	return panel{
		kind: graph, title: "Refused or put off, by reason", width: 7, unit: share,
		about: "Why Gmail refused mail (reject) or put it off (temp_fail): of the worst domain each.",
		basis: "Gmail's newest day at each moment", source: "Gmail Postmaster Tools (delivery errors)",
		queries: []query{{fmt.Sprintf("max by (class, reason) (%s)", atGmail("mailvane_gmail_delivery_error_rate_ratio", `class!="all",reason!="all"`)), "{{class}}: {{reason}}"}},
	}
}
