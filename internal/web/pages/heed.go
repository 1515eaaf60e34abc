package pages

import (
	"context"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

// heed sets firing alerts beside the findings that they are about; those about anything else become findings.
func (s *Site) heed(ctx context.Context, findings []finding) ([]finding, error) {
	if s.Alerts == nil {
		return findings, nil
	}
	list, err := s.Alerts.List(ctx, web.AlertQuery{State: watch.Firing, Limit: alertsShown})
	if err != nil {
		return findings, err
	}
	for i := range list.Alerts {
		a := &list.Alerts[i]
		l := link{Text: a.Rule, Href: alertURL(a.ID)}
		at := slices.IndexFunc(findings, func(f finding) bool { return f.concerns(a) })
		if at >= 0 {
			if !slices.ContainsFunc(findings[at].Alerts, func(o link) bool { return o.Text == l.Text }) {
				findings[at].Alerts = append(findings[at].Alerts, l)
			}
			findings[at].Level = max(findings[at].Level, severityLevel(a.Severity))
			continue
		}
		f := finding{Kind: strings.ReplaceAll(a.By.String(), "_", " "), Name: subjectText(a.Subject), Href: alertURL(a.ID), Alerts: []link{l}}
		if a.By == alerts.ByProvider {
			f.Name = s.provider(a.Subject.Provider)
		}
		f.add(reason{Level: severityLevel(a.Severity), Text: a.Summary + ".", Means: a.Description})
		findings = append(findings, f)
	}
	return findings, nil
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
