package traffic

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// measure is something that is counted.
type measure uint8

const (
	measureNone measure = iota
	measureSend
	measureDelivery
	measureBounce
	measureComplaint
	measureReject
	measureOpen
	measureClick
	measureRendering
	measureDelay
	// What rates are made of: recipients that are judged, hard bounces among them, deliveries to providers whose users'
	// complaints reach SES, and those complaints.
	measureJudged
	measureHard
	measureReporting
	measureComplained
	measureReceived
	measurePublishSuccess
	measurePublishFailure
	measurePublishExpired

	measures
)

// metricNames are the names of an owner's metrics with what they count or divide.
type metricNames map[string]struct{ what, per measure }

func sendingNames(s Spelling) metricNames {
	names := metricNames{"Send": {what: measureSend}, "Delivery": {what: measureDelivery}, "Bounce": {what: measureBounce},
		"Complaint": {what: measureComplaint}, "Reject": {what: measureReject}, "DeliveryDelay": {what: measureDelay}}
	open, click, rendering := "Opens", "Clicks", "Rendering Failures"
	if s == Singular {
		open, click, rendering = "Open", "Click", "RenderingFailure"
	}
	names[open], names[click], names[rendering] = struct{ what, per measure }{what: measureOpen},
		struct{ what, per measure }{what: measureClick}, struct{ what, per measure }{what: measureRendering}
	return names
}

func rateNames() metricNames {
	return metricNames{"Reputation.BounceRate": {measureHard, measureJudged},
		"Reputation.ComplaintRate": {measureComplained, measureReporting}}
}

func tenantNames() metricNames {
	return metricNames{"Sends": {what: measureSend}, "Bounces": {what: measureBounce}, "Complaints": {what: measureComplaint}}
}

func receiptNames() metricNames {
	return metricNames{"Received": {what: measureReceived}, "PublishSuccess": {what: measurePublishSuccess},
		"PublishFailure": {what: measurePublishFailure}, "PublishExpired": {what: measurePublishExpired}}
}

// measuresOf says what an event counts as, and how many times.
func measuresOf(e *Event) iter.Seq2[measure, int] {
	return func(yield func(measure, int) bool) {
		what, n := measureOf(e.Type), e.Mail.Recipients
		if e.Type == observation.EventComplaint {
			n = 1
		}
		if what != measureNone && !yield(what, n) || e.Mail.at == &simulatorMailboxes {
			return
		}
		switch {
		case e.Type == observation.EventSend:
			yield(measureJudged, n)
		case e.Outcome == observation.HardBounced:
			yield(measureHard, n)
		case e.Type == observation.EventDelivery && e.Mail.at.reports:
			yield(measureReporting, n)
		case e.Outcome == observation.Complained:
			yield(measureComplained, n)
		}
	}
}

// measureOf is the count of an event type; CloudWatch has none of subscriptions.
func measureOf(t observation.EventType) measure {
	switch t {
	case observation.EventSend:
		return measureSend
	case observation.EventDelivery:
		return measureDelivery
	case observation.EventBounce:
		return measureBounce
	case observation.EventComplaint:
		return measureComplaint
	case observation.EventReject:
		return measureReject
	case observation.EventOpen:
		return measureOpen
	case observation.EventClick:
		return measureClick
	case observation.EventRenderingFailure:
		return measureRendering
	case observation.EventDeliveryDelay:
		return measureDelay
	default:
		return measureNone
	}
}

const (
	// rateWindow stands for the representative volume that SES takes its rates over and does not disclose.
	rateWindow = 7 * 24
	// rateEvery is how often a rate is told, in minutes.
	rateEvery = 15
)

// rates returns the data of a rate in [from, to): of each quarter of an hour, taken over the full hours of the week before. It
// does not exist before the first thing that its numerator counts.
func (s *Metrics) rates(one *series, from, to time.Time) (data []Datum) {
	since := s.model.options.Since
	first, last := hourOf(from), hourOf(to.Add(-1))
	begin := time.Unix((first-rateWindow)*3600, 0)
	s.derive(begin, to)
	part := func(what measure, hour int64) (sum int64) {
		if minutes := one.of.counts[what][hour]; minutes != nil {
			for _, n := range minutes {
				sum += int64(n)
			}
		}
		return sum
	}
	var above, below int64
	ever := since.Before(begin)
	for hour := first - rateWindow; hour <= last; hour++ {
		if hour >= first && ever && below > 0 {
			v := min(float64(above)/float64(below), 1)
			for minute := int64(0); minute < 60; minute += rateEvery {
				at := time.Unix(hour*3600+minute*60, 0).UTC()
				if !at.Before(from) && at.Before(to) {
					data = append(data, Datum{At: at, Samples: 1, Sum: v, Min: v, Max: v})
				}
			}
		}
		added := part(one.what, hour)
		ever = ever || added > 0
		above, below = above+added, below+part(one.per, hour)
		if hour >= first {
			above, below = above-part(one.what, hour-rateWindow), below-part(one.per, hour-rateWindow)
		}
	}
	return data
}

// compareMetrics orders metrics by name and dimensions.
func compareMetrics(a, b Metric) int {
	c := cmp.Compare(a.Name, b.Name)
	for i := range a.Dimensions {
		c = cmp.Or(c, cmp.Compare(a.Dimensions[i].Name, b.Dimensions[i].Name), cmp.Compare(a.Dimensions[i].Value, b.Dimensions[i].Value))
	}
	return c
}

// TenantID is the id that SES gave to a tenant.
func TenantID(account, region, name string) string {
	sum := sha256.Sum256([]byte(account + "/" + region + "/" + name))
	return "tn-" + hex.EncodeToString(sum[:])[:31]
}
