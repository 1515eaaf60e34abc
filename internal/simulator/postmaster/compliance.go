package postmaster

import "strings"

// The requirements of a compliance status, in the order of the API.
func requirements() []string {
	return []string{"SPF", "DKIM", "SPF_AND_DKIM", "DMARC_POLICY", "DMARC_ALIGNMENT", "MESSAGE_FORMATTING", "DNS_RECORDS",
		"ENCRYPTION", "USER_REPORTED_SPAM_RATE", oneClick, honor}
}

// The requirements that have a verdict of their own.
const (
	oneClick = "ONE_CLICK_UNSUBSCRIBE"
	honor    = "HONOR_UNSUBSCRIBE"
)

type complianceStatus struct {
	Status string `json:"status"`
}

type verdict struct {
	Status *complianceStatus `json:"status,omitempty"`
	// State is what the verdict on deliverability calls its status.
	State  *complianceStatus `json:"state,omitempty"`
	Reason string            `json:"reason,omitempty"`
}

type complianceRow struct {
	Requirement string           `json:"requirement"`
	Status      complianceStatus `json:"status"`
}

type complianceData struct {
	DomainID       string          `json:"domainId"`
	RowData        []complianceRow `json:"rowData"`
	OneClick       verdict         `json:"oneClickUnsubscribeVerdict"`
	Honor          verdict         `json:"honorUnsubscribeVerdict"`
	Deliverability *verdict        `json:"deliverabilityStatusVerdict,omitempty"`
}

func (d *Domain) compliance() *complianceData {
	data := &complianceData{DomainID: d.Name}
	statusOf := func(requirement string) complianceStatus {
		if _, needsWork := d.NeedsWork[requirement]; needsWork {
			return complianceStatus{"NEEDS_WORK"}
		}
		return complianceStatus{"COMPLIANT"}
	}
	for _, requirement := range requirements() {
		data.RowData = append(data.RowData, complianceRow{requirement, statusOf(requirement)})
	}
	verdictOn := func(requirement string) verdict {
		status := statusOf(requirement)
		return verdict{Status: &status, Reason: d.NeedsWork[requirement]}
	}
	data.OneClick, data.Honor = verdictOn(oneClick), verdictOn(honor)
	if d.Deliverability != "" {
		state := complianceStatus{"NEEDS_WORK"}
		if d.Deliverability == "USER_FEEDBACK_POSITIVE" {
			state.Status = "COMPLIANT"
		}
		data.Deliverability = &verdict{State: &state, Reason: d.Deliverability}
	}
	return data
}

// registrable is the domain's last two labels, which is true of the domains that are simulated.
func registrable(domain string) string {
	labels := strings.Split(domain, ".")
	return strings.Join(labels[max(len(labels)-2, 0):], ".")
}

// complianceStatus answers domains.getComplianceStatus: the data of the registrable domain, and those of a subdomain beside
// them.
func (s *Server) complianceStatus(domain string, a *access) (any, *apiError) {
	d, e := s.open(domain, a)
	if e != nil {
		return nil, e
	}
	answer := struct {
		Name      string          `json:"name"`
		Data      *complianceData `json:"complianceData"`
		Subdomain *complianceData `json:"subdomainComplianceData,omitempty"`
	}{Name: "domains/" + domain + "/complianceStatus"}
	parent := registrable(domain)
	if parent == domain {
		answer.Data = d.compliance()
		return answer, nil
	}
	answer.Data, answer.Subdomain = (&Domain{Name: parent}).compliance(), d.compliance()
	if p := s.domains[parent]; p != nil {
		answer.Data = p.compliance()
	}
	return answer, nil
}
