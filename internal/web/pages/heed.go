package pages

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// heed sets firing alerts beside the findings that they are about, and says what they say where nothing else is known to be
// wrong. Those about anything else become findings, one of each subject.
func (s *Site) heed(ctx context.Context, findings []finding) ([]finding, error) {
	if s.Alerts == nil {
		return findings, nil
	}
	list, err := s.Alerts.List(ctx, web.AlertQuery{State: watch.Firing, Limit: alertsShown})
	if err != nil {
		return findings, err
	}
	type about struct {
		by alerts.By
		of alerts.Subject
	}
	explained, made := make([]bool, len(findings)), map[about]int{}
	for i := range findings {
		explained[i] = len(findings[i].Reasons) > 0
	}
	for i := range list.Alerts {
		a := &list.Alerts[i]
		key := about{a.By, a.Subject}
		at := slices.IndexFunc(findings[:len(explained)], func(f finding) bool { return f.concerns(a) })
		if at < 0 {
			own, known := made[key]
			if !known {
				own = len(findings)
				made[key] = own
				findings = append(findings, s.alarming(a))
			}
			at = own
		}
		f := &findings[at]
		if at >= len(explained) || !explained[at] {
			f.add(reason{Level: severityLevel(a.Severity), Text: a.Summary + ".", Means: a.Description})
		}
		if !slices.ContainsFunc(f.Alerts, func(o link) bool { return o.Text == a.Rule }) {
			f.Alerts = append(f.Alerts, link{Text: a.Rule, Href: alertURL(a.ID)})
		}
		f.Level = max(f.Level, severityLevel(a.Severity))
	}
	return findings, nil
}

// alarming begins a finding that only alerts tell of. It leads to what they are about where that has a page.
func (s *Site) alarming(a *web.StandingAlert) finding {
	f := finding{Kind: strings.ReplaceAll(a.By.String(), "_", " "), Name: subjectText(a.Subject), Href: alertURL(a.ID)}
	switch x := &a.Subject; a.By {
	case alerts.ByProvider:
		f.Name, f.Href = s.provider(x.Provider), address("/", url.Values{"provider": {x.Provider}})+"#campaigns"
	case alerts.ByCampaign:
		f.Name, f.Tenant, f.Href = x.Campaign, x.Tenant, campaignURL(x.Tenant, x.Campaign, signal.Week)
	}
	return f
}

// concerns says whether an alert is about what the finding is about.
func (f *finding) concerns(a *web.StandingAlert) bool {
	x := &a.Subject
	switch f.Kind {
	case kindCampaign:
		return x.Campaign == f.Name && x.Tenant == f.Tenant ||
			x.Campaign == "" && (x.Identifier != "" || x.ReceiptRule != "") && slices.Contains(a.Labels["campaign"], f.Name)
	case kindReceiptRule:
		return x.ReceiptRule == f.Name
	case kindDomain:
		return x.Identifier == "" && (x.Domain == f.Name || strings.HasSuffix(x.Domain, "."+f.Name))
	case kindAccount:
		return x.Account != "" && x.ReceiptRule == "" && f.Name == accountName(x.Account, x.Region)
	case kindSource:
		return x.Source == f.Name
	default:
		return false
	}
}
