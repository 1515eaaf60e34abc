package postmaster

import (
	"context"
	"net/http"
	"strings"
)

// compliance notes how the domain stands with Gmail's requirements today, and says whether that could be asked. It is asked
// once a day: verdicts take up to seven days to change.
func (p *pass) compliance(ctx context.Context, s *subject) (asked bool, whole *failure) {
	if p.over {
		return false, nil
	}
	var got complianceStatus
	f := p.cl.call(ctx, http.MethodGet, "v2/domains/"+s.name+"/complianceStatus", nil, nil, &got)
	switch {
	case f == nil:
	case f.whole:
		return false, f
	case f.access != "":
		return true, nil // figures came, so the domain has merely no status
	default:
		p.faults = append(p.faults, fault{s.name, f})
		return false, nil
	}
	p.complianceOf(s, "domain", got.ComplianceData)
	p.complianceOf(s, "subdomain", got.SubdomainComplianceData)
	return true, nil
}

// complianceOf notes what was said of the registrable domain, or of the domain itself where that is a subdomain.
func (p *pass) complianceOf(s *subject, level string, data *complianceData) {
	if data == nil {
		return
	}
	if name := strings.ToLower(data.DomainID); validDomain(name) {
		p.add(s, p.today, MetricComplianceDomain, level, nil, name)
	}
	for _, row := range data.RowData {
		if name := row.Requirement; word(name) && word(row.Status.Status) {
			p.add(s, p.today, MetricCompliance, level+"/"+name, compliant(row.Status.Status), row.Status.Status)
		}
	}
	p.verdict(s, level+"/ONE_CLICK_UNSUBSCRIBE", data.OneClickUnsubscribeVerdict)
	p.verdict(s, level+"/HONOR_UNSUBSCRIBE", data.HonorUnsubscribeVerdict)
	p.verdict(s, level+"/DELIVERABILITY_STATUS", data.DeliverabilityStatusVerdict)
}

// verdict notes a verdict and its reason. A verdict without reason is noted with an empty one, which replaces an earlier one
// of that day.
func (p *pass) verdict(s *subject, detail string, v *verdict) {
	if v == nil {
		return
	}
	status := v.Status.Status + v.State.Status // only one of them is there
	if !word(status) || v.Reason != "" && !word(v.Reason) {
		return
	}
	p.add(s, p.today, MetricComplianceVerdict, detail, compliant(status), status)
	p.add(s, p.today, MetricComplianceReason, detail, nil, v.Reason)
}

// compliant is 1 for COMPLIANT and 0 for NEEDS_WORK; anything else is not known.
func compliant(status string) *float64 {
	switch status {
	case "COMPLIANT":
		return new(1.0)
	case "NEEDS_WORK":
		return new(0.0)
	default:
		return nil
	}
}

// word says whether text is one of the API's enum values, also one that is new.
func word(text string) bool {
	return text != "" && len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && !('A' <= r && r <= 'Z') && !('0' <= r && r <= '9')
	})
}
