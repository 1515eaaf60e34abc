package view

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func linesOf(metric string) signal.Lines {
	if metric == observation.AccountBounceRate {
		return signal.BounceLines()
	}
	return signal.ComplaintLines()
}

// rate sets SES's rate beside ours.
func (a *accountReadings) rate(b *books, metric string) AccountRate {
	r := AccountRate{State: a.part(observation.AccountPartMetrics, b.asOf).State, Ours: ourRate(b.own[a.place], metric)}
	if r.Differs = bounceDiffers(); metric == observation.AccountComplaintRate {
		r.Differs = complaintDiffers()
	}
	points := b.trends[readingSeries{a.subject, metric, ""}]
	if len(points) == 0 {
		if r.State == signal.OK {
			r.State = signal.NotReported
		}
		return r
	}
	r.Rate = sesRate(points, linesOf(metric))
	if r.State == signal.OK && b.asOf.Sub(r.Rate.Hour) > 24*time.Hour {
		if r.State = signal.Idle; a.sentSince(b.asOf.Add(-24 * time.Hour)) {
			r.State = signal.Stale
		}
	}
	return r
}

// sentSince says whether CloudWatch counted mail of the account since then.
func (a *accountReadings) sentSince(at time.Time) bool {
	for k, n := range a.counts {
		if k.metric == observation.AccountSend && k.set == "" && k.hour >= at.Unix() && n > 0 {
			return true
		}
	}
	return false
}

// sesRate is the newest of the points, with its headroom.
func sesRate(points []signal.Point, lines signal.Lines) *SESRate {
	newest := slices.MaxFunc(points, func(a, b signal.Point) int { return a.At.Compare(b.At) })
	h := signal.HeadroomOf(points, lines)
	r := &SESRate{
		Value: short(h.Value), Hour: newest.At.UTC(), Level: h.Level, Review: lines.Review, Pause: lines.Pause, Left: short(h.Left),
	}
	if h.Known {
		r.Trend = new(short(h.Trend))
	}
	if h.Reaches > 0 {
		r.ReachesIn = new(math.Round(h.Reaches.Hours()))
	}
	return r
}

// short is a number with six digits that count: people read it. What is nearly nothing is nothing.
func short(v float64) float64 {
	if math.Abs(v) < 1e-9 {
		return 0
	}
	s, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return s
}

// ourRate is the rate of what we counted, as near to SES's as our counts allow.
func ourRate(own *ownCounts, metric string) OurRate {
	if own == nil {
		return OurRate{State: signal.NoData}
	}
	r := OurRate{State: signal.OK, Numerator: own[observation.Complained], Denominator: own[observation.Delivered]}
	if metric == observation.AccountBounceRate {
		r.Numerator = own[observation.HardBounced]
		r.Denominator = own[observation.Sent] - own[observation.Suppressed] - own[observation.Rejected] - own[observation.RenderingFailed]
	}
	part := signal.RateOf(r.Numerator, r.Denominator)
	switch {
	case part.Known:
		r.Value = new(short(part.Value))
		if r.Denominator < signal.Floor {
			r.State = signal.Insufficient
		}
	case r.Numerator > 0:
		r.State = signal.Error
	default:
		r.State = signal.NoData
	}
	return r
}

func bounceDiffers() []string {
	return []string{
		"SES takes its rate over a representative volume of mail, which it does not disclose; ours is over seven days of events.",
		"SES leaves out bounces at domains that you have verified, and at the mailbox simulator; ours cannot tell them by account.",
		"Ours counts only mail whose events reached us: see coverage.",
	}
}

func complaintDiffers() []string {
	return []string{
		"SES takes its rate over a representative volume of mail, which it does not disclose; ours is over seven days of events.",
		"SES divides by mail to providers that send complaints; ours divides by all deliveries, so that it is the lower of the two.",
		"A complaint that names several recipients counts once with us.",
		"Ours counts only mail whose events reached us: see coverage.",
		"Neither knows complaints at Gmail, which sends none.",
	}
}

func (a *accountReadings) quota(b *books) Quota {
	q := Quota{State: a.part(observation.AccountPartSending, b.asOf).State}
	limit := a.latest[observation.AccountQuotaMax]
	q.Unlimited, q.Max = limit.Text == observation.AccountUnlimited, limit.Value
	q.Sent, q.MaxRate = a.latest[observation.AccountQuotaSent].Value, a.latest[observation.AccountRateMax].Value
	if q.Max == nil || *q.Max == 0 {
		return q
	}
	if q.Sent != nil {
		q.Used = new(short(*q.Sent / *q.Max))
	}
	points := slices.Clone(b.trends[readingSeries{a.subject, observation.AccountQuotaSent, ""}])
	if len(points) == 0 {
		return q
	}
	for i := range points {
		points[i].Value /= *q.Max
	}
	highest := slices.MaxFunc(points, func(a, b signal.Point) int { return cmp.Compare(a.Value, b.Value) }).Value
	if q.Sent != nil {
		highest = max(highest, *q.Sent / *q.Max) // the points may be minutes older
	}
	q.Highest = new(short(highest))
	if h := signal.HeadroomOf(points, signal.Lines{Review: 1, Pause: 1}); h.Known {
		q.Trend = new(short(h.Trend))
	}
	return q
}

// setRates are SES's rates of configuration sets, those with the least headroom first.
func (a *accountReadings) setRates(b *books) []SetRates {
	sets := map[string]*SetRates{}
	for key, points := range b.trends {
		if key.subject != a.subject || key.detail == "" {
			continue
		}
		if sets[key.detail] == nil {
			sets[key.detail] = &SetRates{ConfigurationSet: key.detail}
		}
		switch rate := sesRate(points, linesOf(key.metric)); key.metric {
		case observation.AccountBounceRate:
			sets[key.detail].BounceRate = rate
		case observation.AccountComplaintRate:
			sets[key.detail].ComplaintRate = rate
		}
	}
	all := make([]SetRates, 0, len(sets))
	for _, s := range sets {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b SetRates) int {
		return cmp.Or(cmp.Compare(b.nearness(), a.nearness()), cmp.Compare(a.ConfigurationSet, b.ConfigurationSet))
	})
	return all[:min(len(all), maxSets)]
}

// nearness is how near to being paused the set would be if it were an account, 1 at the line.
func (s *SetRates) nearness() (near float64) {
	for _, r := range []*SESRate{s.BounceRate, s.ComplaintRate} {
		if r != nil {
			near = max(near, r.Value/r.Pause)
		}
	}
	return near
}
