package postmaster

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// trafficStats is a day in version 1. As in all of proto3's JSON, what is 0 is left out.
type trafficStats struct {
	Name            string         `json:"name"`
	SpamRatio       float64        `json:"userReportedSpamRatio,omitempty"`
	SpamLower       float64        `json:"userReportedSpamRatioLowerBound,omitempty"`
	SpamUpper       float64        `json:"userReportedSpamRatioUpperBound,omitempty"`
	IPReputations   []ipReputation `json:"ipReputations,omitempty"`
	Reputation      string         `json:"domainReputation,omitempty"`
	FeedbackLoops   []feedbackLoop `json:"spammyFeedbackLoops,omitempty"`
	SPF             float64        `json:"spfSuccessRatio,omitempty"`
	DKIM            float64        `json:"dkimSuccessRatio,omitempty"`
	DMARC           float64        `json:"dmarcSuccessRatio,omitempty"`
	InboundEncrypt  float64        `json:"inboundEncryptionRatio,omitempty"`
	OutboundEncrypt float64        `json:"outboundEncryptionRatio,omitempty"`
	Errors          []statsError   `json:"deliveryErrors,omitempty"`
}

type ipReputation struct {
	Reputation string   `json:"reputation"`
	Count      string   `json:"ipCount,omitempty"`
	SampleIPs  []string `json:"sampleIps,omitempty"`
}

type feedbackLoop struct {
	ID        string  `json:"id"`
	SpamRatio float64 `json:"spamRatio,omitempty"`
}

type statsError struct {
	Class string  `json:"errorClass"`
	Type  string  `json:"errorType"`
	Ratio float64 `json:"errorRatio,omitempty"`
}

const compactDate = "20060102"

func (s *Server) trafficStats(domain string, f *figures) trafficStats {
	low, high := bounds(f.GmailCount)
	stats := trafficStats{
		Name:      "domains/" + domain + "/trafficStats/" + f.start.Format(compactDate),
		SpamRatio: f.Rate(), SpamLower: low, SpamUpper: high,
		IPReputations: []ipReputation{{Reputation: "BAD"}, {Reputation: "LOW"}, {Reputation: "MEDIUM"},
			{Reputation: "HIGH", Count: "2", SampleIPs: []string{"192.0.2.25", "192.0.2.26"}}},
		Reputation: reputation(f.Rate()),
		SPF:        authenticated("spf", f.Inboxed, f.Foreign), DKIM: 1, DMARC: 1, InboundEncrypt: 1, OutboundEncrypt: 1,
	}
	for _, name := range s.values(f, "FROM_HEADER") {
		stats.FeedbackLoops = append(stats.FeedbackLoops, feedbackLoop{name, f.Values[name].Rate()})
	}
	all := f.Delivered
	for _, n := range f.Errors {
		all += n
	}
	// The other errors of the model have no type in version 1.
	if n := f.Errors[traffic.GmailError{Type: "temp_fail", Reason: "anomalous_traffic_pattern"}]; n > 0 {
		stats.Errors = append(stats.Errors, statsError{"TEMPORARY_ERROR", "RATE_LIMIT_EXCEEDED", share(n, all)})
	}
	return stats
}

// bounds is the 95 % Wilson interval of the spam rate. Google does not say which interval it is.
func bounds(c traffic.GmailCount) (low, high float64) {
	const z = 1.96
	n, p := float64(max(c.Inboxed, 1)), c.Rate()
	centre, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max((centre-half)/(1+z*z/n), 0), (centre + half) / (1 + z*z/n)
}

// reputation follows the lines of Google's guidelines.
func reputation(rate float64) string {
	switch {
	case rate < 0.001:
		return "HIGH"
	case rate < 0.003:
		return "MEDIUM"
	case rate < 0.01:
		return "LOW"
	default:
		return "BAD"
	}
}

func (s *Server) getTrafficStats(c *call) (any, *apiError) {
	start, err := time.ParseInLocation(compactDate, c.date, time.UTC)
	if err != nil {
		return nil, newError("INVALID_ARGUMENT")
	}
	d, e := s.open(c.domain, c.access)
	if e != nil {
		return nil, e
	}
	f, ok := s.figures(d, start)
	if !ok {
		return nil, newError("NOT_FOUND")
	}
	return s.trafficStats(c.domain, &f), nil
}

// listTrafficStats lists days, the newest first.
func (s *Server) listTrafficStats(c *call) (any, *apiError) {
	parameters := c.r.URL.Query()
	first, last, e := s.span(parameters)
	if e != nil {
		return nil, e
	}
	d, e := s.open(c.domain, c.access)
	if e != nil {
		return nil, e
	}
	var all []trafficStats
	for _, start := range slices.Backward(s.daysWithin(first, last)) {
		if f, ok := s.figures(d, start); ok {
			all = append(all, s.trafficStats(c.domain, &f))
		}
	}
	stats, next, e := page(all, parameters)
	return struct {
		TrafficStats  []trafficStats `json:"trafficStats,omitempty"`
		NextPageToken string         `json:"nextPageToken,omitempty"`
	}{stats, next}, e
}

// span reads startDate and endDate: both or none, and unlike in version 2 the end does not belong to the span.
func (s *Server) span(parameters url.Values) (first, last time.Time, e *apiError) {
	from, gotFrom, ok1 := dateParameter(parameters, "startDate")
	to, gotTo, ok2 := dateParameter(parameters, "endDate")
	switch {
	case !gotFrom && !gotTo:
		return s.oldest(), s.now(), nil
	case gotFrom != gotTo, !ok1, !ok2, to.Before(from):
		return first, last, newError("INVALID_ARGUMENT")
	}
	return from, to.AddDate(0, 0, -1), nil
}

// dateParameter reads a date given as name.year, name.month and name.day.
func dateParameter(parameters url.Values, name string) (start time.Time, given, ok bool) {
	var d date
	ok = true
	for part, into := range map[string]*int{"year": &d.Year, "month": &d.Month, "day": &d.Day} {
		text := parameters.Get(name + "." + part)
		if text == "" {
			continue
		}
		given = true
		var err error
		if *into, err = strconv.Atoi(text); err != nil {
			ok = false
		}
	}
	start, exists := d.start()
	return start, given, ok && exists
}
