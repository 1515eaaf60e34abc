package postmaster

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

// The metrics of readings; the table in the package comment says what they hold. Those that others read, too, have their names
// from there.
const (
	MetricAccess               = observation.PostmasterAccess
	MetricArrived              = observation.PostmasterArrived
	MetricSpamRate             = observation.PostmasterSpamRate
	MetricSpamRateLower        = "spam_rate_lower"
	MetricSpamRateUpper        = "spam_rate_upper"
	MetricFeedbackLoopIDs      = observation.PostmasterFeedbackLoopIDs
	MetricFeedbackLoopSpamRate = observation.PostmasterFeedbackLoopSpamRate
	MetricAuthSuccessRate      = observation.PostmasterAuthRate
	MetricTLSRate              = observation.PostmasterTLSRate
	MetricTLSMessages          = "tls_encryption_message_count"
	MetricDeliveryErrorRate    = observation.PostmasterErrorRate
	MetricDeliveryErrors       = "delivery_error_count"
	MetricCompliance           = observation.PostmasterCompliance
	MetricComplianceVerdict    = observation.PostmasterVerdict
	MetricComplianceReason     = "compliance_reason"
	MetricComplianceDomain     = observation.PostmasterJudged
	MetricDomainReputation     = "domain_reputation"
	MetricIPReputation         = "ip_reputation"
	AggregationFromHeader      = observation.PostmasterFromHeader
	AggregationAllDKIM         = observation.PostmasterAllDKIM
	AggregationUnstated        = observation.PostmasterUnstated
	AccessOK                   = "ok"
	AccessUnverified           = "unverified"
	AccessDenied               = "no_access"
	AccessNotFound             = "not_found"
)

// question is one metric asked of a domain: what Google calls it, and the reading that the answer becomes.
type question struct {
	standard, filter string
	metric, detail   string
	// loops is the index of the aggregation in aggregations() plus 1 where the metric is about feedback loops; identifier
	// is the id of which the rate is asked, empty when the ids themselves are.
	loops      int
	identifier string
	// count says that the value has no upper bound; the others are shares of 1.
	count bool
}

// aggregations are the ways in which Gmail assigns mail to a domain for feedback loops: by the domain of From, or by any of
// those that signed.
func aggregations() []string { return []string{AggregationFromHeader, AggregationAllDKIM} }

// baseQuestions are asked of every domain for every day: all metrics with all filters that the API's description
// (revision 20260623) lists.
func baseQuestions() []question {
	q := []question{{standard: "SPAM_RATE", metric: MetricSpamRate}}
	for i, a := range aggregations() {
		q = append(q, question{
			standard: "FEEDBACK_LOOP_ID", filter: condition("aggregation_key_type", a),
			metric: MetricFeedbackLoopIDs, detail: a, loops: i + 1, count: true,
		})
	}
	for _, t := range []string{"spf", "dkim", "dmarc"} {
		q = append(q, question{standard: "AUTH_SUCCESS_RATE", filter: condition("auth_type", t), metric: MetricAuthSuccessRate, detail: t})
	}
	for _, d := range []string{"inbound", "outbound"} {
		filter := condition("traffic_direction", d)
		q = append(q,
			question{standard: "TLS_ENCRYPTION_RATE", filter: filter, metric: MetricTLSRate, detail: d},
			question{standard: "TLS_ENCRYPTION_MESSAGE_COUNT", filter: filter, metric: MetricTLSMessages, detail: d, count: true})
	}
	for _, detail := range errorDetails() {
		filter := ""
		if class, reason, both := strings.Cut(detail, "/"); both {
			filter = condition("error_type", class) + " AND " + condition("error_reason", reason)
		} else if class != "" {
			filter = condition("error_type", class)
		}
		q = append(q,
			question{standard: "DELIVERY_ERROR_RATE", filter: filter, metric: MetricDeliveryErrorRate, detail: detail},
			question{standard: "DELIVERY_ERROR_COUNT", filter: filter, metric: MetricDeliveryErrors, detail: detail, count: true})
	}
	return q
}

// errorDetails are the types of delivery errors with their reasons; the empty one is all errors together.
func errorDetails() []string {
	return []string{
		"",
		"reject", "reject/bad_attachment", "reject/bad_or_missing_ptr_record", "reject/ip_in_rbls", "reject/low_domain_reputation",
		"reject/low_ip_reputation", "reject/spammy_content", "reject/stamp_policy_error", "reject/other",
		"temp_fail", "temp_fail/anomalous_traffic_pattern", "temp_fail/other",
	}
}

// loopQuestion asks for the spam rate of one identifier.
func loopQuestion(aggregation int, identifier string) question {
	name := aggregations()[aggregation]
	return question{
		standard: "FEEDBACK_LOOP_SPAM_RATE",
		filter:   condition("feedback_loop_id", identifier) + " AND " + condition("aggregation_key_type", name),
		metric:   MetricFeedbackLoopSpamRate, detail: name + "/" + identifier, loops: aggregation + 1, identifier: identifier,
	}
}

// condition is one restriction of a filter. Escaping is that of https://google.aip.dev/160; the API's own description is
// silent about it, so an identifier that needs it may be refused.
func condition(name, value string) string {
	return name + ` = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// accepts says whether a value can be one of this metric.
func (q *question) accepts(v float64) bool { return v >= 0 && (q.count || v <= 1) }

// maxIdentifier bounds an identifier in bytes; SES takes at most 256.
const maxIdentifier = 256

// usable says whether an identifier can be kept and asked for.
func usable(identifier string) bool {
	return identifier != "" && len(identifier) <= maxIdentifier &&
		!slices.ContainsFunc([]rune(identifier), func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}
