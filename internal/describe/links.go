package describe

import (
	"net/url"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
)

// Pages of others that say more than Mailvane can know.
const (
	postmasterTools = "https://postmaster.google.com/"
	supportCenter   = "https://console.aws.amazon.com/support/home"
)

// maxAddress bounds an address: browsers and mail programs cut longer ones.
const maxAddress = 2000

// links lead to what is affected, the page of the worst alert, and what others know of it. The first is the most useful.
func (s *Settings) links(n *alerts.Notification, suspects []*suspect) (links []alerts.Link) {
	add := func(text, address string) {
		if address != "" && len(address) <= maxAddress {
			links = append(links, alerts.Link{Text: text, URL: address})
		}
	}
	worst := worstOf(n)
	if worst != nil && s.Pages != "" {
		text, path := page(n, worst)
		add(text, s.Pages+path)
		if len(suspects) > 0 && worst.Subject.Campaign == "" {
			add("Campaign "+suspects[0].Campaign, s.Pages+campaignPage(suspects[0].Name, url.Values{}))
		}
		add("This alert: its figure and its history", s.Pages+"/alerts/"+url.PathEscape(worst.ID))
	}
	switch {
	case n.Signal == alerts.GmailSpamRate || n.Signal == alerts.GmailIdentifierSpamRate || n.Signal == alerts.GmailCompliance ||
		n.Signal == alerts.GmailAuthRate || n.Signal == alerts.GmailDeliveryErrorRate || n.Signal == alerts.GmailTLSRate:
		add("Google Postmaster Tools", postmasterTools)
	case n.Cause == alerts.CauseStanding && n.Signal != alerts.AccountQuotaUsed:
		add("AWS Support Center, where SES opens a case", supportCenter)
	}
	if web(n.Runbook) {
		add("Runbook", n.Runbook)
	}
	if web(n.Document) {
		add("Where the line is from", n.Document)
	}
	return links
}

func web(address string) bool {
	return strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://")
}

// worstOf is the worst of the alerts, nil when there is none.
func worstOf(n *alerts.Notification) *alerts.Member {
	for _, members := range [][]alerts.Member{n.Members, n.Gone} {
		if len(members) > 0 {
			return &members[0]
		}
	}
	return nil
}

// page is the page about what is affected, and what it is called.
func page(n *alerts.Notification, m *alerts.Member) (text, path string) {
	window := url.Values{}
	if m.Evidence.Window != "" && m.Evidence.Window != "life" {
		window.Set("window", m.Evidence.Window)
	}
	switch n.By {
	case alerts.ByCampaign, alerts.ByCampaignProvider:
		return "Campaign " + m.Subject.Campaign, campaignPage(campaign.Name{Tenant: m.Subject.Tenant, Campaign: m.Subject.Campaign}, window)
	case alerts.ByTenant:
		window.Set("tenant", m.Subject.Tenant)
		return "Campaigns of tenant " + m.Subject.Tenant, "/" + query(window)
	case alerts.ByProvider:
		return "Mailbox providers", "/providers" + query(window)
	case alerts.ByDomain, alerts.ByIdentifier:
		return "What Gmail reports", "/gmail"
	case alerts.ByReceiptRule:
		return "Receipt rules", "/inbound" + query(window)
	case alerts.ByNotifier:
		return "Alerts and notifiers", "/alerts"
	default:
		return "Sources and accounts", "/sources"
	}
}

func campaignPage(name campaign.Name, v url.Values) string {
	if name.Tenant != "" {
		v.Set("tenant", name.Tenant)
	}
	return "/campaigns/" + url.PathEscape(name.Campaign) + query(v)
}

func query(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}
