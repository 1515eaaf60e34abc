package app

import (
	"cmp"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
)

// gmailGauges shows what Gmail says. Its clock decides what is too old to be shown: the view's own stands still while the
// ledger cannot be written.
type gmailGauges struct {
	view *view.View
	tel  *telemetry.Telemetry
	now  func() time.Time
}

// allOfThem stands for the sum over what is not told apart.
const allOfThem = "all"

func (g *gmailGauges) bind() {
	g.bindDomains()
	g.bindIdentifiers()
	g.bindCampaigns()
	g.tel.Bind(telemetry.GmailUnexported, g.unexported)
	g.tel.Bind(telemetry.GmailUseFolded, func(emit telemetry.Emit) { emit(float64(g.view.GmailFolded())) })
}

func (g *gmailGauges) fresh(day campaign.Day) bool { return g.view.GmailFresh(day, g.now()) }

// eachDomain calls do with the domains of which something is known, and says whether they are among those that are exported.
func (g *gmailGauges) eachDomain(do func(d *view.Domain, exported bool)) {
	n := 0
	g.view.WalkDomains(func(d *view.Domain) bool {
		if d.Newest != 0 || len(d.Measures) > 0 {
			n++
			do(d, n <= telemetry.MaxGmailDomains)
		}
		return true
	})
}

// eachExported calls do with the domains that are exported.
func (g *gmailGauges) eachExported(do func(*view.Domain)) {
	g.eachDomain(func(d *view.Domain, exported bool) {
		if exported {
			do(d)
		}
	})
}

func (g *gmailGauges) bindDomains() {
	g.tel.Bind(telemetry.GmailSpamRate, func(emit telemetry.Emit) {
		g.eachExported(func(d *view.Domain) {
			if d.Spam != nil && g.fresh(d.Spam.Day) {
				emit(d.Spam.Rate, d.Domain, d.Source)
			}
		})
	})
	g.tel.Bind(telemetry.GmailDataTimestamp, func(emit telemetry.Emit) {
		g.eachExported(func(d *view.Domain) {
			if d.Newest != 0 {
				emit(seconds(d.NewestEnd), d.Domain, d.Source)
			}
		})
	})
	g.bindMeasure(telemetry.GmailAuthSuccessRate, postmaster.MetricAuthSuccessRate, func(method string) []string { return []string{method} })
	g.bindMeasure(telemetry.GmailTLSRate, postmaster.MetricTLSRate, func(direction string) []string { return []string{direction} })
	g.bindMeasure(telemetry.GmailDeliveryErrorRate, postmaster.MetricDeliveryErrorRate, func(detail string) []string {
		class, reason, _ := strings.Cut(detail, "/")
		return []string{cmp.Or(class, allOfThem), cmp.Or(reason, allOfThem)}
	})
	g.tel.Bind(telemetry.GmailCompliance, g.compliance)
}

// bindMeasure shows the values of a metric, with the attributes that its detail stands for between domain and source.
func (g *gmailGauges) bindMeasure(gauge, metric string, attributes func(detail string) []string) {
	g.tel.Bind(gauge, func(emit telemetry.Emit) {
		g.eachExported(func(d *view.Domain) {
			for i := range d.Measures {
				if m := &d.Measures[i]; m.Metric == metric && m.Value != nil && g.fresh(m.Day) {
					emit(*m.Value, append(append([]string{d.Domain}, attributes(m.Detail)...), d.Source)...)
				}
			}
		})
	})
}

// requirement is one that Gmail makes of a domain.
type requirement struct{ domain, name string }

// judgement is what Gmail found.
type judgement struct {
	day     campaign.Day
	value   float64
	verdict string
}

// compliance shows one value for each requirement of each domain that was judged. Beside a domain itself that is the one that
// it is registered under, which several may have in common: what was said last counts.
func (g *gmailGauges) compliance(emit telemetry.Emit) {
	found := map[requirement]judgement{}
	g.eachExported(func(d *view.Domain) {
		names, reasons := map[string]string{}, map[string]string{}
		for i := range d.Measures {
			switch m := &d.Measures[i]; m.Metric {
			case postmaster.MetricComplianceDomain:
				names[m.Detail] = m.Text
			case postmaster.MetricComplianceReason:
				reasons[m.Detail] = m.Text
			}
		}
		for i := range d.Measures { // a verdict comes after the requirement that it is about, and takes its place
			m := &d.Measures[i]
			if m.Metric != postmaster.MetricCompliance && m.Metric != postmaster.MetricComplianceVerdict || m.Value == nil || !g.fresh(m.Day) {
				continue
			}
			level, name, _ := strings.Cut(m.Detail, "/")
			key := requirement{cmp.Or(names[level], d.Domain), name}
			if m.Day >= found[key].day {
				found[key] = judgement{m.Day, *m.Value, reasons[m.Detail]}
			}
		}
	})
	for r, j := range found {
		emit(j.value, r.domain, r.name, j.verdict)
	}
}

// exported cuts a domain's identifiers down to those that are exported; left is how many are not.
func (g *gmailGauges) exported(d *view.Domain) (identifiers []*view.DomainIdentifier, left int) {
	for i := range d.Identifiers {
		id := &d.Identifiers[i]
		switch {
		case id.SpamRate == nil || !g.fresh(id.Day):
		case len(identifiers) < telemetry.MaxGmailIdentifiers:
			identifiers = append(identifiers, id)
		default:
			left++
		}
	}
	return identifiers, left
}

func (g *gmailGauges) bindIdentifiers() {
	g.tel.Bind(telemetry.GmailFeedbackLoopSpamRate, func(emit telemetry.Emit) {
		g.eachExported(func(d *view.Domain) {
			identifiers, _ := g.exported(d)
			for _, id := range identifiers {
				emit(*id.SpamRate, id.Domain, id.Value, id.Field, id.Aggregation, id.Source)
			}
		})
	})
	g.tel.Bind(telemetry.GmailIdentifierInfo, func(emit telemetry.Emit) {
		g.eachExported(func(d *view.Domain) {
			identifiers, _ := g.exported(d)
			series := 0
			for _, id := range identifiers {
				for _, c := range id.Campaigns {
					if series++; series > telemetry.MaxGmailIdentifiers {
						return
					}
					tenant, campaign, _ := g.tel.CampaignName(observation.Campaign{Tenant: c.Tenant, Name: c.ID})
					emit(1, id.Domain, id.Value, tenant, campaign)
				}
			}
		})
	})
}

// eachCampaign calls do with the campaigns that have a place among the exported, and returns how many have none. The others
// are not summed: rates have no sum, and campaigns that share an identifier share its complaints.
func (g *gmailGauges) eachCampaign(do func(tenant, campaign string, s *view.GmailSubject)) (left int) {
	g.view.WalkGmail(func(s *view.GmailSubject) bool {
		if !g.shows(s) {
			return true
		}
		if tenant, campaign, own := g.tel.CampaignName(observation.Campaign{Tenant: s.Tenant, Name: s.Campaign}); own {
			do(tenant, campaign, s)
		} else {
			left++
		}
		return true
	})
	return left
}

// shows says whether there is something about a campaign that is not too old.
func (g *gmailGauges) shows(s *view.GmailSubject) bool {
	if s.Own != nil && g.fresh(s.Own.Day) {
		return true
	}
	for i := range s.Bounds {
		if g.fresh(s.Bounds[i].Newest) {
			return true
		}
	}
	return false
}

func (g *gmailGauges) bindCampaigns() {
	g.tel.Bind(telemetry.CampaignGmailSpamRate, func(emit telemetry.Emit) {
		g.eachCampaign(func(tenant, campaign string, s *view.GmailSubject) {
			if s.Own != nil && g.fresh(s.Own.Day) {
				emit(*s.Own.Rate, tenant, campaign, s.Own.Source)
			}
		})
	})
	g.tel.Bind(telemetry.CampaignGmailComplaints, func(emit telemetry.Emit) {
		g.eachCampaign(func(tenant, campaign string, s *view.GmailSubject) {
			for i := range s.Bounds {
				if b := &s.Bounds[i]; g.fresh(b.Newest) {
					emit(b.Complaints, tenant, campaign, b.Window.String(), b.Source)
				}
			}
		})
	})
}

// unexported counts what there is no place for.
func (g *gmailGauges) unexported(emit telemetry.Emit) {
	domains, identifiers := 0, 0
	g.eachDomain(func(d *view.Domain, exported bool) {
		shown, left := g.exported(d)
		identifiers += left
		if !exported {
			domains++
			identifiers += len(shown)
		}
	})
	emit(float64(domains), "domain")
	emit(float64(identifiers), "identifier")
	emit(float64(g.eachCampaign(func(string, string, *view.GmailSubject) {})), "campaign")
}
