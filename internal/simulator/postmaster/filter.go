package postmaster

import (
	"slices"
	"strings"
)

// term is one comparison of a filter.
type term struct{ key, value string }

// parseFilter reads key = "value", any number of them joined by AND. Blanks around the equals sign may be missing. How a
// quote in a value is escaped is not documented; a backslash before a quote or a backslash is taken.
func parseFilter(text string) (terms []term, ok bool) {
	for text = strings.TrimSpace(text); text != ""; {
		if len(terms) > 0 {
			if text, ok = strings.CutPrefix(text, "AND "); !ok {
				return nil, false
			}
			text = strings.TrimLeft(text, " ")
		}
		key, rest, found := strings.Cut(text, "=")
		rest = strings.TrimLeft(rest, " ")
		if !found || !strings.HasPrefix(rest, `"`) {
			return nil, false
		}
		value, after, ok := unquote(rest[1:])
		if !ok || after != "" && !strings.HasPrefix(after, " ") {
			return nil, false
		}
		terms = append(terms, term{strings.TrimRight(key, " "), value})
		text = strings.TrimLeft(after, " ")
	}
	return terms, true
}

// unquote reads up to the closing quote.
func unquote(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
		}
		b.WriteByte(text[i])
	}
	return "", "", false
}

// rule is a term that a metric's filter may or must have.
type rule struct {
	key      string
	required bool
	// values are those allowed; any that is not empty when there are none.
	values []string
}

// errorReasons are the reasons that each type of delivery error has.
var errorReasons = map[string][]string{
	"reject": {"bad_attachment", "bad_or_missing_ptr_record", "ip_in_rbls", "low_domain_reputation", "low_ip_reputation",
		"spammy_content", "stamp_policy_error", "other"},
	"temp_fail": {"anomalous_traffic_pattern", "other"},
}

// rulesOf lists the terms of a metric's filter in their order; ok is false for a metric that does not exist.
func rulesOf(metric string, terms []term) (rules []rule, ok bool) {
	aggregation := rule{key: "aggregation_key_type", values: []string{"FROM_HEADER", "ALL_DKIM"}}
	switch metric {
	case "SPAM_RATE":
		return nil, true
	case "FEEDBACK_LOOP_ID":
		return []rule{aggregation}, true
	case "FEEDBACK_LOOP_SPAM_RATE":
		return []rule{{key: "feedback_loop_id", required: true}, aggregation}, true
	case "AUTH_SUCCESS_RATE":
		return []rule{{"auth_type", true, []string{"spf", "dkim", "dmarc"}}}, true
	case "TLS_ENCRYPTION_RATE", "TLS_ENCRYPTION_MESSAGE_COUNT":
		return []rule{{"traffic_direction", true, []string{"inbound", "outbound"}}}, true
	case "DELIVERY_ERROR_RATE", "DELIVERY_ERROR_COUNT":
		rules = []rule{{key: "error_type", values: []string{"reject", "temp_fail"}}}
		if len(terms) > 0 && errorReasons[terms[0].value] != nil {
			rules = append(rules, rule{key: "error_reason", values: errorReasons[terms[0].value]})
		}
		return rules, true
	default:
		return nil, false
	}
}

// checkFilter reads the filter of a metric by its rules.
func checkFilter(metric, text string) (map[string]string, *apiError) {
	terms, ok := parseFilter(text)
	if !ok {
		return nil, newError("INVALID_ARGUMENT")
	}
	rules, ok := rulesOf(metric, terms)
	if !ok {
		return nil, invalid("Invalid value at 'metric_definitions.base_metric.standard_metric'.")
	}
	filter := map[string]string{}
	for _, r := range rules {
		if len(terms) == 0 || terms[0].key != r.key {
			if r.required {
				return nil, newError("INVALID_ARGUMENT")
			}
			continue
		}
		value := terms[0].value
		if value == "" || r.values != nil && !slices.Contains(r.values, value) {
			return nil, newError("INVALID_ARGUMENT")
		}
		filter[r.key], terms = value, terms[1:]
	}
	if len(terms) > 0 {
		return nil, newError("INVALID_ARGUMENT")
	}
	return filter, nil
}
