package mailbox

import (
	"bytes"
	"slices"

	"github.com/mailvane/mailvane/internal/observation"
)

// other is the provider of domains that are not known.
const other = observation.OtherProvider

// Provider describes a mailbox provider.
type Provider struct {
	// ID is its name in metrics and rules, Name the one for people.
	ID, Name string
	// Kind is consumer (a free mailbox brand), isp, hosted (mail of other people's domains) or gateway (a filter).
	Kind string
	// Platform is the provider whose replies and rules are also this one's, empty when it has its own.
	Platform string
	// FeedbackLoop says whether complaints of its users reach SES: no (documented), likely (as the programme works) or
	// unknown.
	FeedbackLoop string
}

type providerEntry struct {
	Provider
	// domains are exact. Those that the data call weak, taken from unverified lists, are among them: most are closed or
	// small brands, and a wrong name there costs less than thousands of recipients under "other".
	domains []string
}

// Providers lists the providers that have a name; "other" is not among them.
func (c *Classifier) Providers() []Provider {
	all := make([]Provider, len(providerTable))
	for i := range providerTable {
		all[i] = providerTable[i].Provider
	}
	return all
}

// neverReporting are the providers that send SES no complaint whatever the data may come to say: their silence must never
// enter a denominator.
var neverReporting = [...]string{other, observation.Gmail, "google_workspace", "apple"}

// DefaultReportingProviders lists the providers whose feedback loop reaches SES according to the data.
func DefaultReportingProviders() []string {
	var ids []string
	for i := range providerTable {
		p := &providerTable[i]
		if (p.FeedbackLoop == "likely" || p.FeedbackLoop == "yes") && !slices.Contains(neverReporting[:], p.ID) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// maxDomain is the longest domain name (RFC 1035 section 2.3.4), with a dot after it.
const maxDomain = 254

// Provider returns the id of the provider of a recipient domain, "other" when it is not known. Case and one dot at the end
// do not matter. Internationalised names are in none of the lists, in either form, and so are "other".
func (c *Classifier) Provider(domain string) string {
	if len(domain) > maxDomain {
		return other
	}
	var buf [maxDomain]byte
	name := buf[:len(domain)]
	for i := range len(domain) {
		name[i] = lower(domain[i])
	}
	name = bytes.TrimSuffix(name, []byte("."))
	if id, ok := c.domains[string(name)]; ok {
		return id
	}
	// Every Microsoft 365 tenant has a name of its own under this suffix.
	if bytes.HasSuffix(name, []byte(".onmicrosoft.com")) {
		return "microsoft365"
	}
	return other
}

// markers are the texts in replies that only one provider's servers print. The rest of the world answers in the words of
// Postfix, Exim or Exchange, which tell nothing: even "queued mail for delivery" is said by anybody's Exchange.
var markers = [...]struct {
	text []byte
	// hosted is the provider of a domain that is nobody's brand. Gmail's servers answer alike for personal mailboxes and
	// for Workspace, but a personal mailbox is known by its domain. Yahoo and Yandex have one id for both.
	hosted string
}{
	{[]byte(" gsmtp"), "google_workspace"},
	{[]byte(" gcdp"), "google_workspace"},
	{[]byte(".prod.outlook.com"), "microsoft365"},
	{[]byte(".prod.protection.outlook.com"), "microsoft365"},
	{[]byte("ok dirdel"), "yahoo"},
	{[]byte("ok: queued on mail-nwsmtp"), "yandex"},
	{[]byte(".yandex.net"), "yandex"},
}

// maxSuccess is how much of a reply to an accepted mail is looked at, in bytes.
const maxSuccess = 512

// PlatformOf tells from the reply to an accepted mail whose servers take mail for a domain that Provider does not know. It
// is not ok for known domains, for replies other than 2xx (a refusal may quote somebody else's server) and for replies
// without a distinctive marker.
func (c *Classifier) PlatformOf(domain, smtpReply string) (provider string, ok bool) {
	if len(smtpReply) == 0 || smtpReply[0] != '2' || c.Provider(domain) != other {
		return "", false
	}
	var buf [maxSuccess]byte
	text := buf[:copy(buf[:], smtpReply)]
	for i, b := range text {
		text[i] = lower(b)
	}
	return marked(text)
}

// marked returns the provider whose marker is in a text of lower case.
func marked(text []byte) (provider string, ok bool) {
	for i := range markers {
		if bytes.Contains(text, markers[i].text) {
			return markers[i].hosted, true
		}
	}
	return "", false
}

// platformOf returns whose rules apply to a reply: those of the provider's platform, else of the marker in the reply.
func (c *Classifier) platformOf(provider string, text []byte) string {
	if provider == "" || provider == other {
		if provider, _ = marked(text); provider == "" {
			return ""
		}
	}
	if platform, ok := c.platforms[provider]; ok {
		return platform
	}
	return provider
}
