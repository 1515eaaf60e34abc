package sampler

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// gmailMetric is the name of what Gmail says day by day.
func gmailMetric(s alerts.Signal) string {
	switch s {
	case alerts.GmailIdentifierSpamRate:
		return observation.PostmasterFeedbackLoopSpamRate
	case alerts.GmailAuthRate:
		return observation.PostmasterAuthRate
	case alerts.GmailDeliveryErrorRate:
		return observation.PostmasterErrorRate
	case alerts.GmailTLSRate:
		return observation.PostmasterTLSRate
	default:
		return observation.PostmasterSpamRate
	}
}

// gmail is what Gmail says.
func (s *Sampler) gmail(series alerts.Series) {
	zone := s.view.GmailZone()
	if zone == nil {
		return
	}
	if series.Signal == alerts.GmailCompliance {
		s.compliance(series, zone)
		return
	}
	today := campaign.DayOf(s.now(), zone)
	var ends []int // of the days of each sample, which move while they are gathered
	s.view.WalkGmailDays(gmailMetric(series.Signal), func(g *view.GmailSeries) bool {
		sample := alerts.Sample{
			Series: series, State: g.State, Today: today,
			Subject: alerts.Subject{Domain: g.Domain, Identifier: g.Identifier, Detail: g.Detail},
		}
		if g.Own != nil {
			own := *g.Own
			sample.Labels = func() []observation.Field { return s.ownLabels(own) }
		}
		for i := range g.Days {
			s.days = append(s.days, dayOf(&g.Days[i]))
		}
		if len(g.Days) > 0 {
			sample.AsOf = (g.Days[0].Day + 1).Start(zone).UTC()
		}
		s.samples, ends = append(s.samples, sample), append(ends, len(s.days))
		return true
	})
	start := 0
	for i, end := range ends {
		s.samples[i].Days = s.days[start:end:end]
		start = end
	}
}

func dayOf(d *view.GmailDay) alerts.Day {
	day := alerts.Day{Day: d.Day, Deliveries: d.Deliveries, Late: d.Late}
	if d.Value != nil {
		day.Reported, day.Value = true, *d.Value
	}
	return day
}

// ownLabels names the campaign that alone uses an identifier, and where its mail was sent from. Its owner is that of the
// campaign in the week's mail.
func (s *Sampler) ownLabels(own campaign.Name) []observation.Field {
	fields := []observation.Field{{Name: "campaign", Value: own.Campaign}}
	if own.Tenant != "" {
		fields = append(fields, observation.Field{Name: "tenant", Value: own.Tenant})
	}
	return append(fields, s.fieldsOf(own, s.view.Owner(own.Campaign))...)
}

// requirement is one that Gmail makes of a domain.
type requirement struct{ domain, name string }

// judgement is what Gmail found, with the day on which it was asked.
type judgement struct {
	number
	day campaign.Day
}

// compliance is what Gmail finds of its requirements. It judges the domain that is registered, which several that it tells
// of may have in common: what was said last counts.
func (s *Sampler) compliance(series alerts.Series, zone *time.Location) {
	found := map[requirement]judgement{}
	s.view.WalkDomains(func(d *view.Domain) bool {
		names := map[string]string{}
		for i := range d.Measures {
			if m := &d.Measures[i]; m.Metric == observation.PostmasterJudged {
				names[m.Detail] = m.Text
			}
		}
		for i := range d.Measures { // a verdict comes after the requirement that it is about, and takes its place
			m := &d.Measures[i]
			if m.Metric != observation.PostmasterCompliance && m.Metric != observation.PostmasterVerdict {
				continue
			}
			level, name, _ := strings.Cut(m.Detail, "/")
			key := requirement{cmp.Or(names[level], d.Domain), name}
			if before, ok := found[key]; !ok || m.Day >= before.day {
				found[key] = s.judged(d, m, zone)
			}
		}
		return true
	})
	keys := make([]requirement, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b requirement) int {
		return cmp.Or(strings.Compare(a.domain, b.domain), strings.Compare(a.name, b.name))
	})
	for _, key := range keys {
		s.add(series, alerts.Subject{Domain: key.domain, Detail: key.name}, found[key].number)
	}
}

// judged is what a measure says about a requirement. It was asked at some time of its day.
func (s *Sampler) judged(d *view.Domain, m *view.Measure, zone *time.Location) judgement {
	j := judgement{number{state: signal.OK, asOf: (m.Day + 1).Start(zone).UTC()}, m.Day}
	if now := s.now().UTC(); j.asOf.After(now) {
		j.asOf = now
	}
	if m.Value != nil {
		j.value, j.known = *m.Value, true
	}
	switch {
	case d.Access != "":
		j.state = signal.Error
	case !campaign.Fresh(m.Day, campaign.DayOf(s.now(), zone)):
		j.state = signal.Stale
	}
	return j
}
