package describe

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// study is what is found about one member.
type study struct {
	*Describer
	n *alerts.Notification
	m *alerts.Member
	// rate is the rate of mail that the alert is about; hasRate is false when there is none.
	rate    signal.Signal
	hasRate bool
	window  signal.Window
	detail  alerts.Detail
	// suspect is the campaign that can be stopped, nil when none is to blame alone.
	suspect *suspect
}

// suspect is a campaign with what it is sent with.
type suspect struct {
	campaign.Name
	// stream says that it is one that people wait for, such as sign-in codes.
	stream bool
	sets   []observation.Origin
}

func newStudy(d *Describer, n *alerts.Notification, m *alerts.Member) *study {
	s := &study{Describer: d, n: n, m: m, window: signal.Week}
	switch n.Signal {
	case alerts.AccountBounceRate: // of which SES counts hard bounces alone
		s.rate, s.hasRate = signal.HardBounceRate, true
	case alerts.AccountComplaintRate:
		s.rate, s.hasRate = signal.ComplaintRate, true
	default:
		s.rate, s.hasRate = n.Signal.Rate()
		if w, ok := signal.ParseWindow(m.Evidence.Window); ok && w != signal.Life {
			s.window = w
		}
	}
	if m.Subject.Campaign != "" {
		s.suspect = &suspect{Name: campaign.Name{Tenant: m.Subject.Tenant, Campaign: m.Subject.Campaign}}
	}
	return s
}

// found is the detail, nil when there is nothing in it.
func (s *study) found() *alerts.Detail {
	d := &s.detail
	if len(d.Notes)+len(d.Providers)+len(d.Campaigns)+len(d.Identifiers)+len(d.Reasons)+len(d.ConfigurationSets) == 0 &&
		d.SentLately == nil && d.Previous == nil {
		return nil
	}
	return d
}

// look finds what there is: first what the view knows, then what must be read.
func (s *study) look(ctx context.Context) error {
	s.note()
	switch s.n.By {
	case alerts.ByIdentifier:
		s.blameLabelled()
	case alerts.ByDomain:
		s.identifiers()
	default:
		s.shares()
	}
	if s.suspect != nil {
		s.suspect.stream = s.o.View.Stream(s.suspect.Campaign)
	}
	reasons := s.reasons()
	return errors.Join(s.mail(ctx), s.illustrate(ctx, reasons), s.previous(ctx))
}

// share is what a part of the mail adds to a rate.
type share struct{ numerator, denominator int64 }

// bad is how much of it is bad.
func (s *study) bad(x share) int64 {
	if s.rate.Definition().HigherIsBetter {
		return x.denominator - x.numerator
	}
	return x.numerator
}

// shares parts the figure by provider and by campaign, as far as the alert itself does not.
func (s *study) shares() {
	if !s.hasRate {
		return
	}
	subject := &s.m.Subject
	places := s.o.View.Places()
	providers, campaigns := map[string]share{}, map[campaign.Name]share{}
	s.o.View.Walk(view.ByCampaignProvider, func(part *view.Subject) bool {
		name := campaign.Name{Tenant: part.Tenant, Campaign: part.Campaign}
		if !takesPart(subject, part, places[name]) {
			return true
		}
		f := part.Figure(s.rate, s.window)
		if f.Denominator <= 0 || f.State == signal.Error {
			return true
		}
		add := share{f.Numerator, f.Denominator}
		providers[part.Provider] = providers[part.Provider].plus(add)
		campaigns[name] = campaigns[name].plus(add)
		return true
	})
	if subject.Provider == "" {
		for _, p := range worst(s, providers, cmp.Compare[string]) {
			s.detail.Providers = append(s.detail.Providers, alerts.ProviderShare{Provider: p.key, Numerator: p.numerator, Denominator: p.denominator})
		}
	}
	if subject.Campaign == "" {
		s.blame(worst(s, campaigns, compareNames), campaigns)
	}
}

func (x share) plus(y share) share {
	return share{x.numerator + y.numerator, x.denominator + y.denominator}
}

// takesPart says whether mail of a campaign to a provider is what the alert is about. A campaign that is sent from several
// accounts is taken whole.
func takesPart(subject *alerts.Subject, part *view.Subject, from view.Places) bool {
	return (subject.Campaign == "" || subject.Campaign == part.Campaign && subject.Tenant == part.Tenant) &&
		(subject.Tenant == "" || subject.Tenant == part.Tenant) &&
		(subject.Provider == "" || subject.Provider == part.Provider) &&
		(subject.Account == "" || slices.Contains(from.Accounts, subject.Account)) &&
		(subject.Region == "" || slices.Contains(from.Regions, subject.Region))
}

// part is a share of a named part.
type part[K comparable] struct {
	key K
	share
}

// worst lists the parts with most that is bad.
func worst[K comparable](s *study, all map[K]share, compare func(a, b K) int) []part[K] {
	var parts []part[K]
	for key, x := range all {
		if s.bad(x) > 0 {
			parts = append(parts, part[K]{key, x})
		}
	}
	slices.SortFunc(parts, func(a, b part[K]) int {
		return cmp.Or(cmp.Compare(s.bad(b.share), s.bad(a.share)), compare(a.key, b.key))
	})
	return parts[:min(len(parts), maxShares)]
}

func compareNames(a, b campaign.Name) int {
	return cmp.Or(cmp.Compare(a.Campaign, b.Campaign), cmp.Compare(a.Tenant, b.Tenant))
}

// blame lists campaigns. One is to blame alone when it has at least half of what is bad, and twice the rate of the rest: that
// of a large campaign which does as all others do is somebody else's doing.
func (s *study) blame(campaigns []part[campaign.Name], all map[campaign.Name]share) {
	for _, c := range campaigns {
		s.detail.Campaigns = append(s.detail.Campaigns, alerts.CampaignShare{
			Tenant: c.key.Tenant, Campaign: c.key.Campaign, Numerator: c.numerator, Denominator: c.denominator,
		})
	}
	if len(campaigns) == 0 {
		return
	}
	var rest share
	for name, x := range all {
		if name != campaigns[0].key {
			rest = rest.plus(x)
		}
	}
	first := campaigns[0].share
	if s.bad(first) >= s.bad(rest) && float64(s.bad(first))*float64(rest.denominator) >= 2*float64(s.bad(rest))*float64(first.denominator) {
		s.suspect = &suspect{Name: campaigns[0].key}
	}
}

// previous is the same figure of the send before.
func (s *study) previous(ctx context.Context) error {
	if s.n.By != alerts.ByCampaign || !s.hasRate {
		return nil
	}
	d, err := s.o.View.Campaign(ctx, s.m.Subject.Tenant, s.m.Subject.Campaign, s.window)
	if errors.Is(err, view.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var before alerts.PreviousSend
	var figure *signal.Figure
	switch {
	case d.EarlierWeeks != nil:
		before.Weeks, figure = d.EarlierWeeks.Weeks, &d.EarlierWeeks.Signals[s.rate]
	case len(d.Sends) > 1:
		send := &d.Sends[1]
		before.Send, before.StartedAt, figure = send.Name, send.Start, &send.Signals[s.rate]
	default:
		return nil
	}
	if !figure.Known || figure.Denominator == 0 || figure.State == signal.Error {
		return nil
	}
	before.Value, before.Numerator, before.Denominator = figure.Value, figure.Numerator, figure.Denominator
	s.detail.Previous = &before
	return nil
}
