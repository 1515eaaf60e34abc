package sampler

import (
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// labelsEvery is how long the functions that tell labels are kept.
const labelsEvery = time.Minute

// partsOf are the parts of mail that a rule tells apart.
func partsOf(by alerts.By) view.By {
	switch by {
	case alerts.ByCampaign:
		return view.ByCampaign
	case alerts.ByProvider:
		return view.ByProvider
	case alerts.ByCampaignProvider:
		return view.ByCampaignProvider
	default:
		return view.ByTenant
	}
}

// rates are those of the cohorts of a window.
func (s *Sampler) rates(series alerts.Series, rate signal.Signal) {
	asOf, now := s.view.AsOf(), s.now()
	if asOf.IsZero() {
		return
	}
	aged := s.aged(asOf)
	if s.labels == nil || now.Sub(s.labelsAt) >= labelsEvery {
		s.labels, s.labelsAt = make(map[campaign.Name]labels, len(s.labels)), now
	}
	s.view.Walk(partsOf(series.By), func(part *view.Subject) bool {
		if series.By == alerts.ByTenant && part.Tenant == "" {
			return true // mail of no tenant
		}
		figure := part.Figure(rate, series.Window)
		if aged {
			figure.State = agedState(figure.State)
		}
		s.figures = append(s.figures, figure)
		sample := alerts.Sample{
			Series: series, AsOf: asOf,
			Subject: alerts.Subject{Tenant: part.Tenant, Campaign: part.Campaign, Provider: part.Provider},
		}
		if part.Campaign != "" {
			sample.Labels = s.labelsOf(campaign.Name{Tenant: part.Tenant, Campaign: part.Campaign}, part.Owner)
		}
		s.samples = append(s.samples, sample)
		return true
	})
	for i := range s.samples {
		s.samples[i].Figure, s.samples[i].State = &s.figures[i], s.figures[i].State
	}
}

// labelsOf returns what tells a campaign's owner and where its mail was sent from.
func (s *Sampler) labelsOf(name campaign.Name, owner string) func() []observation.Field {
	known, ok := s.labels[name]
	if !ok || known.owner != owner {
		known = labels{owner, func() []observation.Field { return s.fieldsOf(name, owner) }}
		s.labels[name] = known
	}
	return known.fields
}

func (s *Sampler) fieldsOf(name campaign.Name, owner string) []observation.Field {
	var fields []observation.Field
	if owner != "" {
		fields = append(fields, observation.Field{Name: "owner", Value: owner})
	}
	places := s.view.Places()[name]
	for _, l := range []struct {
		name   string
		values []string
	}{{"domain", places.Domains}, {"account", places.Accounts}, {"region", places.Regions}} {
		for _, value := range l.values {
			fields = append(fields, observation.Field{Name: l.name, Value: value})
		}
	}
	return fields
}
