package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/signal"
)

// By says what a rule tells apart: one alert for each.
type By uint8

// The ways to tell apart, with the fields of a Subject that each fills in; all but those of ByCampaign, ByProvider,
// ByCampaignProvider and ByNotifier may have a Detail as well.
const (
	// ByCampaign: Tenant and Campaign.
	ByCampaign By = iota + 1
	// ByProvider: Provider, over all tenants.
	ByProvider
	// ByCampaignProvider: Tenant, Campaign and Provider.
	ByCampaignProvider
	// ByTenant: Tenant, for what SES says of it also Account and Region.
	ByTenant
	// ByDomain: Domain.
	ByDomain
	// ByIdentifier: Domain and Identifier.
	ByIdentifier
	// ByReceiptRule: Account, Region, RuleSet and ReceiptRule.
	ByReceiptRule
	// ByRegion: Account and Region, the unit that SES judges.
	ByRegion
	// ByAccount: Account, with the worst of its regions.
	ByAccount
	// BySource: Source.
	BySource
	// ByNotifier: Notifier.
	ByNotifier
	// ByDaemon is this program, told apart by Detail alone.
	ByDaemon
	byEnd
)

// bys holds the name of each, and the fields by which alerts are grouped: those that agree in them, and in owner, make one
// notification.
var bys = [byEnd]struct {
	name  string
	group []field
}{
	ByCampaign:         {"campaign", []field{fieldTenant}},
	ByProvider:         {"provider", nil},
	ByCampaignProvider: {"campaign+provider", []field{fieldTenant, fieldProvider}},
	ByTenant:           {"tenant", nil},
	ByDomain:           {"domain", []field{fieldDomain}},
	ByIdentifier:       {"identifier", []field{fieldDomain}},
	ByReceiptRule:      {"receipt_rule", []field{fieldAccount, fieldRegion}},
	ByRegion:           {"region", []field{fieldAccount, fieldRegion}},
	ByAccount:          {"account", []field{fieldAccount}},
	BySource:           {"source", []field{fieldSource}},
	ByNotifier:         {"notifier", []field{fieldNotifier}},
	ByDaemon:           {"daemon", nil},
}

// ParseBy reads the name that String gives.
func ParseBy(name string) (By, bool) {
	for by := ByCampaign; by < byEnd; by++ {
		if bys[by].name == name {
			return by, true
		}
	}
	return 0, false
}

// String returns the name as rules spell it.
func (b By) String() string {
	if b > 0 && b < byEnd {
		return bys[b].name
	}
	return "unknown"
}

// Series names the figures of one signal over one window, one for each subject.
type Series struct {
	Signal Signal
	By     By
	// Window is the zero Window for signals without one.
	Window signal.Window
}

// Subject is what an alert is about. Fields that By does not tell apart are empty. Detail tells apart several figures about
// one thing, such as the requirements of a domain.
type Subject struct {
	Tenant      string `json:"tenant,omitempty"`
	Campaign    string `json:"campaign,omitempty"`
	Provider    string `json:"provider,omitempty"`
	Domain      string `json:"domain,omitempty"`
	Identifier  string `json:"identifier,omitempty"`
	Account     string `json:"account,omitempty"`
	Region      string `json:"region,omitempty"`
	RuleSet     string `json:"rule_set,omitempty"`
	ReceiptRule string `json:"receipt_rule,omitempty"`
	Source      string `json:"source,omitempty"`
	Notifier    string `json:"notifier,omitempty"`
	Detail      string `json:"detail,omitempty"`
}

// field is one of a Subject's.
type field uint8

const (
	fieldTenant field = iota
	fieldCampaign
	fieldProvider
	fieldDomain
	fieldIdentifier
	fieldAccount
	fieldRegion
	fieldRuleSet
	fieldReceiptRule
	fieldSource
	fieldNotifier
	fieldDetail
	fieldEnd
)

// fieldNames are the labels under which matchers and notifications know the fields.
var fieldNames = [fieldEnd]string{
	"tenant", "campaign", "provider", "domain", "identifier", "account", "region", "rule_set", "receipt_rule", "source",
	"notifier", "detail",
}

func (s *Subject) get(f field) string {
	switch f {
	case fieldTenant:
		return s.Tenant
	case fieldCampaign:
		return s.Campaign
	case fieldProvider:
		return s.Provider
	case fieldDomain:
		return s.Domain
	case fieldIdentifier:
		return s.Identifier
	case fieldAccount:
		return s.Account
	case fieldRegion:
		return s.Region
	case fieldRuleSet:
		return s.RuleSet
	case fieldReceiptRule:
		return s.ReceiptRule
	case fieldSource:
		return s.Source
	case fieldNotifier:
		return s.Notifier
	default:
		return s.Detail
	}
}

// fieldNamed finds the field of a label.
func fieldNamed(name string) (field, bool) {
	i := slices.Index(fieldNames[:], name)
	return field(max(i, 0)), i >= 0
}

// String names the subject for people: its fields with their names, such as "campaign spring-sale, provider yahoo".
func (s Subject) String() string {
	var b strings.Builder
	for _, f := range [...]field{
		fieldCampaign, fieldIdentifier, fieldDomain, fieldReceiptRule, fieldRuleSet, fieldSource, fieldNotifier, fieldProvider,
		fieldTenant, fieldAccount, fieldRegion, fieldDetail,
	} {
		v := s.get(f)
		if v == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if f != fieldDetail {
			b.WriteString(strings.ReplaceAll(fieldNames[f], "_", " ") + " ")
		}
		b.WriteString(clean(v))
	}
	return cmp.Or(b.String(), "all mail")
}

// compare orders subjects by their fields.
func (s *Subject) compare(o *Subject) int {
	for f := range fieldEnd {
		if c := strings.Compare(s.get(f), o.get(f)); c != 0 {
			return c
		}
	}
	return 0
}

// digest makes an id of names: no other list of names has the same, whatever characters they hold.
func digest(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// maxClean bounds a name within a text.
const maxClean = 200

// clean makes a name from outside fit for one line of text.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	return shorten(name, maxClean)
}

// shorten cuts a text to so many bytes, at a whole character, and shows that it did.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}
