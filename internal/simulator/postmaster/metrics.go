package postmaster

import (
	"maps"
	"slices"
	"strconv"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// value is the union StatisticValue. Pointers keep a real 0 apart from a variant that is not set.
type value struct {
	Double *float64    `json:"doubleValue,omitempty"`
	Float  *float32    `json:"floatValue,omitempty"`
	Int    string      `json:"intValue,omitempty"`
	List   *stringList `json:"stringList,omitempty"`
}

type stringList struct {
	Values []string `json:"values"`
}

func float(v float64) value {
	single := float32(v)
	return value{Float: &single}
}

func share(part, whole int64) float64 { return float64(part) / float64(max(whole, 1)) }

// metric is one of a query's definitions, checked.
type metric struct {
	name, standard string
	filter         map[string]string
}

// measure computes a metric over days that have data; ok is false when there is no row.
func (s *Server) measure(m *metric, days []figures) (value, bool) {
	var sum traffic.GmailCount
	var foreign int64
	for i := range days {
		sum.Delivered += days[i].Delivered
		sum.Inboxed += days[i].Inboxed
		sum.Reports += days[i].Reports
		foreign += days[i].Foreign
	}
	switch m.standard {
	case "SPAM_RATE":
		return float(sum.Rate()), true
	case "FEEDBACK_LOOP_ID":
		return s.identifiers(m, days)
	case "FEEDBACK_LOOP_SPAM_RATE":
		return s.identifierRate(m, days)
	case "AUTH_SUCCESS_RATE":
		return float(authenticated(m.filter["auth_type"], sum.Inboxed, foreign)), true
	case "TLS_ENCRYPTION_RATE":
		one := 1.0
		return value{Double: &one}, true
	case "TLS_ENCRYPTION_MESSAGE_COUNT":
		n := sum.Delivered
		if m.filter["traffic_direction"] == "outbound" {
			n = replies(n)
		}
		return value{Int: strconv.FormatInt(n, 10)}, true
	default:
		return deliveryErrors(m, days, sum.Delivered)
	}
}

// authenticated is the share of mail that passes. What others send does not come from an address that SPF allows; they
// sign it in the domain's name, or Gmail would not show it here.
func authenticated(method string, inboxed, foreign int64) float64 {
	if method == "spf" {
		return share(inboxed-foreign, inboxed)
	}
	return 1
}

// replies is how much mail Gmail's users send to the domain.
func replies(delivered int64) int64 { return delivered / 50 }

// identifiers lists what is reported on any of the days.
func (s *Server) identifiers(m *metric, days []figures) (value, bool) {
	all := map[string]bool{}
	for i := range days {
		for _, name := range s.values(&days[i], m.filter["aggregation_key_type"]) {
			all[name] = true
		}
	}
	return value{List: &stringList{slices.Sorted(maps.Keys(all))}}, len(all) > 0
}

// identifierRate is the spam rate of an identifier over the days on which it is reported.
func (s *Server) identifierRate(m *metric, days []figures) (value, bool) {
	var sum traffic.GmailCount
	for i := range days {
		count, shown := s.value(&days[i], m.filter["feedback_loop_id"], m.filter["aggregation_key_type"])
		if shown {
			sum.Inboxed += count.Inboxed
			sum.Reports += count.Reports
		}
	}
	return float(sum.Rate()), sum.Inboxed > 0
}

// deliveryErrors counts refusals. Without a filter there is a row with 0, with one there is none.
func deliveryErrors(m *metric, days []figures, delivered int64) (value, bool) {
	var all, matching int64
	kind, reason := m.filter["error_type"], m.filter["error_reason"]
	for i := range days {
		for e, n := range days[i].Errors {
			all += n
			if (kind == "" || kind == e.Type) && (reason == "" || reason == e.Reason) {
				matching += n
			}
		}
	}
	shown := matching > 0 || kind == ""
	if m.standard == "DELIVERY_ERROR_COUNT" {
		return value{Int: strconv.FormatInt(matching, 10)}, shown
	}
	return float(share(matching, delivered+all)), shown
}
