package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// maxNotes bounds the sentences about one alert.
const maxNotes = 4

func (s *study) add(note string) {
	if note = strings.TrimSpace(note); note != "" && len(s.detail.Notes) < maxNotes {
		s.detail.Notes = append(s.detail.Notes, note)
	}
}

// note says what the alert means and why it is so, as far as that is known.
func (s *study) note() {
	subject := &s.m.Subject
	switch s.n.By {
	case alerts.ByReceiptRule:
		s.noteReceipt()
	case alerts.BySource, alerts.ByNotifier:
		if s.o.Trouble != nil {
			s.add(s.o.Trouble(*subject))
		}
	case alerts.ByRegion, alerts.ByTenant:
		for _, a := range s.o.View.Accounts().Accounts {
			if a.Account == subject.Account && a.Region == subject.Region {
				s.noteAccount(&a)
			}
		}
	case alerts.ByDomain:
		if s.n.Signal == alerts.GmailCompliance {
			s.add(requirements()[subject.Detail])
		}
	}
}

func (s *study) noteReceipt() {
	subject := &s.m.Subject
	window, ok := signal.ParseWindow(s.m.Evidence.Window)
	if !ok {
		window = signal.Day
	}
	rules := s.o.View.Inbound(window).Rules
	i := slices.IndexFunc(rules, func(r view.InboundRule) bool {
		return r.Account == subject.Account && r.Region == subject.Region && r.RuleSet == subject.RuleSet && r.ReceiptRule == subject.ReceiptRule
	})
	if i < 0 {
		return
	}
	r := &rules[i]
	if r.Problem != nil {
		s.add(r.Problem.Text)
		s.add(r.Problem.Means)
	}
	if r.Actions != "" {
		s.add("The rule hands mail on to: " + r.Actions + ".")
	}
}

// noteAccount says of an account what SES finds, and of a rate how fast it grows.
func (s *study) noteAccount(a *view.Account) {
	switch s.n.Signal {
	case alerts.AccountBounceRate:
		s.noteRate(&a.BounceRate)
	case alerts.AccountComplaintRate:
		s.noteRate(&a.ComplaintRate)
	case alerts.AccountEnforcement, alerts.AccountSendingPaused:
		if a.Standing.Verdict != "" {
			s.add("SES says " + a.Standing.Verdict + ".")
		}
		s.noteFindings(&a.Recommendations, "")
	case alerts.AccountQuotaUsed:
		if q := &a.Quota; q.Sent != nil && q.Max != nil {
			s.add(fmt.Sprintf("%.0f of %.0f recipients in the last 24 hours; SES refuses what is beyond.", *q.Sent, *q.Max))
		}
	case alerts.EventCoverage:
		for _, text := range a.Coverage.Explains[:min(len(a.Coverage.Explains), 2)] { // the gravest come first
			s.add(text)
		}
	case alerts.TenantPaused, alerts.TenantFindings:
		s.noteFindings(&a.Entities, s.m.Subject.Tenant)
		s.noteFindings(&a.Recommendations, s.m.Subject.Tenant)
	}
}

// noteRate says what SES's rate does, with ours beside it: the two are never blended.
func (s *study) noteRate(r *view.AccountRate) {
	if r.Ours.Value != nil {
		s.add(fmt.Sprintf("Of the last seven days Mailvane counts %s: %d of %d.", alerts.Ratio.Format(*r.Ours.Value), r.Ours.Numerator, r.Ours.Denominator))
	}
	if r.Rate == nil || r.Rate.ReachesIn == nil {
		return
	}
	next := r.Rate.Review
	if r.Rate.Level != signal.LevelOK {
		next = r.Rate.Pause
	}
	s.add(fmt.Sprintf("At the pace of the last days it reaches SES's line of %s in %s.", alerts.Ratio.Format(next), alerts.Seconds.Format(*r.Rate.ReachesIn*3600)))
}

// noteFindings says what SES finds, about one tenant if it is named.
func (s *study) noteFindings(f *view.AccountFinding, tenant string) {
	for _, item := range f.Items {
		if item.Description != "" && (tenant == "" || about(item, tenant)) {
			s.add("SES finds: " + item.Description)
		}
	}
}

// about says whether a finding is about a tenant: it names the tenant or its ARN, which ends in its name and an id.
func about(item observation.AccountItem, tenant string) bool {
	return item.Resource == tenant || strings.Contains(item.Resource, ":tenant/"+tenant+"/")
}

// requirements say what Gmail asks for (https://support.google.com/a/answer/81126, /14229414), by the API's names of it.
func requirements() map[string]string {
	return map[string]string{
		"SPF":                     "Gmail asks that the envelope's domain has an SPF record that allows SES: set up a custom MAIL FROM domain.",
		"DKIM":                    "Gmail asks that mail is signed by DKIM: verify the identity in SES with Easy DKIM.",
		"SPF_AND_DKIM":            "Gmail asks for SPF and DKIM both: Easy DKIM and a custom MAIL FROM domain in SES.",
		"DMARC_POLICY":            "Gmail asks for a DMARC record at _dmarc of the domain; p=none is enough.",
		"DMARC_ALIGNMENT":         "Gmail asks that the domain of the From header is that of DKIM or of SPF: sign with the domain that people see.",
		"MESSAGE_FORMATTING":      "Gmail asks for mail as RFC 5322 has it: one From, To, Subject, Date and Message-ID each.",
		"DNS_RECORDS":             "Gmail asks that sending addresses have forward and reverse DNS; SES's own do, so look at other senders of the domain.",
		"ENCRYPTION":              "Gmail asks that mail comes by TLS.",
		"USER_REPORTED_SPAM_RATE": "Gmail asks that users report less than 0.3 % of the mail as spam; find the campaign that they report, and send it to fewer.",
		"ONE_CLICK_UNSUBSCRIBE":   "Gmail asks that bulk mail has List-Unsubscribe and List-Unsubscribe-Post headers (RFC 8058), signed by DKIM.",
		"HONOR_UNSUBSCRIBE":       "Gmail asks that who unsubscribes gets no mail after 48 hours: see that unsubscribes arrive and are acted on.",
		"DELIVERABILITY_STATUS":   "Gmail delivers the domain's mail to inboxes less than before; the other requirements say why.",
	}
}

// identifiers are those of a domain that Gmail's users report most.
func (s *study) identifiers() {
	if s.n.Signal != alerts.GmailSpamRate {
		return
	}
	for _, d := range s.o.View.Domains(view.DomainQuery{Window: signal.Week, Domain: s.m.Subject.Domain}).Domains {
		for i := range d.Identifiers {
			if x := &d.Identifiers[i]; x.SpamRate != nil && *x.SpamRate > 0 && x.State == campaign.ReportOK && !x.CarryOver &&
				(x.Match == campaign.MatchOwn || x.Match == campaign.MatchShared) && len(s.detail.Identifiers) < maxShares {
				s.detail.Identifiers = append(s.detail.Identifiers, newIdentifier(x))
			}
		}
	}
	if all := s.detail.Identifiers; len(all) > 0 && all[0].Campaign != "" && all[0].SpamRate >= s.m.Evidence.Line {
		s.suspect = &suspect{Name: campaign.Name{Tenant: all[0].Tenant, Campaign: all[0].Campaign}}
	}
}

func newIdentifier(x *view.DomainIdentifier) alerts.IdentifierShare {
	share := alerts.IdentifierShare{Identifier: x.Value, SpamRate: *x.SpamRate, Day: alerts.Date(x.Day)}
	switch {
	case x.Match == campaign.MatchOwn && len(x.Campaigns) > 0:
		share.Tenant, share.Campaign = x.Campaigns[0].Tenant, x.Campaigns[0].ID
	case x.Match == campaign.MatchShared:
		share.SharedBy = x.SharedBy
	}
	return share
}

// blameLabelled blames the campaign that alone uses an identifier.
func (s *study) blameLabelled() {
	var name campaign.Name
	for _, l := range s.m.Labels {
		switch l.Name {
		case "campaign":
			name.Campaign = l.Value
		case "tenant":
			name.Tenant = l.Value
		}
	}
	if name.Campaign != "" {
		s.suspect = &suspect{Name: name}
	}
}
