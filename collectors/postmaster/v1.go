package postmaster

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
)

// waveV1 reads the next days of domains by v1, which has no batches.
func (p *pass) waveV1(ctx context.Context, subjects []*subject) *failure {
	for _, s := range subjects {
		s.start(p.last, []string{AggregationUnstated})
		f := p.trafficOf(ctx, s)
		switch {
		case f == nil:
		case f.whole:
			return f
		case f.access != "":
			s.access = f.access
		default:
			s.fault = f
		}
		p.release(s)
		if f := p.settle(ctx); f != nil {
			return f
		}
	}
	return nil
}

// trafficOf reads a domain's days. The end is asked for with the day after it: v1 does not count it in.
func (p *pass) trafficOf(ctx context.Context, s *subject) *failure {
	query := url.Values{"pageSize": {strconv.Itoa(maxPage)}}
	setDate(query, "startDate", s.from)
	setDate(query, "endDate", s.to+1)
	for range s.to - s.from + 2 {
		var got trafficList
		if f := p.cl.call(ctx, http.MethodGet, "v1/domains/"+s.name+"/trafficStats", query, nil, &got); f != nil {
			return f
		}
		for i := range got.TrafficStats {
			if !p.traffic(s, &got.TrafficStats[i]) {
				p.faults = append(p.faults, fault{s.name, impossible()})
			}
		}
		if f := p.put(ctx, nil); f != nil {
			return f
		}
		if got.NextPageToken == "" {
			return nil
		}
		if got.NextPageToken == query.Get("pageToken") {
			break
		}
		query.Set("pageToken", got.NextPageToken)
	}
	return &failure{reason: collectors.ReasonMalformed, err: errors.New("the pages do not end")}
}

func setDate(query url.Values, name string, d day) {
	y, m, n := d.date()
	query.Set(name+".year", strconv.Itoa(y))
	query.Set(name+".month", strconv.Itoa(int(m)))
	query.Set(name+".day", strconv.Itoa(n))
}

// traffic takes in the figures of a day, false when they make no sense.
func (p *pass) traffic(s *subject, t *traffic) bool {
	at, err := time.Parse("20060102", t.Name[strings.LastIndexByte(t.Name, '/')+1:])
	if err != nil {
		return false
	}
	d := dayOf(at, time.UTC)
	if d < s.from || d > s.to {
		return true
	}
	s.arrived |= 1 << (d - s.from)
	sane := true
	ratio := func(metric, detail string, n *number) {
		switch {
		case n == nil: // a zero and an unknown value alike
		case n.value != nil && (*n.value < 0 || *n.value > 1):
			sane = false
		default:
			p.add(s, d, metric, detail, n.value, "")
		}
	}
	ratio(MetricSpamRate, "", t.UserReportedSpamRatio)
	ratio(MetricSpamRateLower, "", t.UserReportedSpamRatioLowerBound)
	ratio(MetricSpamRateUpper, "", t.UserReportedSpamRatioUpperBound)
	ratio(MetricAuthSuccessRate, "spf", t.SpfSuccessRatio)
	ratio(MetricAuthSuccessRate, "dkim", t.DkimSuccessRatio)
	ratio(MetricAuthSuccessRate, "dmarc", t.DmarcSuccessRatio)
	ratio(MetricTLSRate, "inbound", t.InboundEncryptionRatio)
	ratio(MetricTLSRate, "outbound", t.OutboundEncryptionRatio)
	for _, e := range t.DeliveryErrors {
		if word(e.ErrorClass) && word(e.ErrorType) {
			ratio(MetricDeliveryErrorRate, e.ErrorClass+"/"+e.ErrorType, orNone(e.ErrorRatio))
		}
	}
	l := &s.loops[0]
	l.listed[d-s.from] = len(t.SpammyFeedbackLoops)
	for i, loop := range t.SpammyFeedbackLoops {
		if i < maxPerDomain && usable(loop.ID) {
			ratio(MetricFeedbackLoopSpamRate, l.name+"/"+loop.ID, orNone(loop.SpamRatio))
		}
	}
	p.reputation(s, d, t)
	return sane
}

// orNone stands for a value that is absent from something that is there.
func orNone(n *number) *number {
	if n == nil {
		return &number{}
	}
	return n
}

// maxSamples bounds the addresses that are kept of a reputation.
const maxSamples = 10

// reputation notes the reputations of a day, which v2 has not.
func (p *pass) reputation(s *subject, d day, t *traffic) {
	if word(t.DomainReputation) {
		p.add(s, d, MetricDomainReputation, "", nil, t.DomainReputation)
	}
	for _, r := range t.IPReputations {
		if !word(r.Reputation) {
			continue
		}
		var samples []string
		for _, text := range r.SampleIPs {
			if ip, err := netip.ParseAddr(text); err == nil && len(samples) < maxSamples {
				samples = append(samples, ip.String())
			}
		}
		p.add(s, d, MetricIPReputation, r.Reputation, orNone(r.IPCount).value, strings.Join(samples, " "))
	}
}
