package observation

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The names under which readings about SES accounts are kept, as far as others than their collector need them. Subject is
// that of AccountSubject. What CloudWatch measured has the period in which it happened: an hour, or a day of UTC for tenants.
// What SES was asked has the hour of asking, lists of resources the day.
const (
	// AccountCloudWatch and AccountSES are the sources: CloudWatch's metrics and SES's own answers.
	AccountCloudWatch = "account/cloudwatch"
	AccountSES        = "account/ses"

	// AccountAccess says in its text whether a part could be read in the period: AccountAccessOK, or AccountDenied for want
	// of a permission. Its detail is the part. Without such a reading the part was not asked, or gave no answer.
	AccountAccess   = "access"
	AccountAccessOK = "ok"
	AccountDenied   = "denied"

	// AccountRead is 1 for an hour whose counts were read when it was over long enough for CloudWatch to have them: where a
	// count that exists has no reading then, nothing happened. Its detail is the part.
	AccountRead = "read"

	// Counts of CloudWatch. Their detail is empty for the whole account, or the name of a configuration set.
	AccountSend             = "send"
	AccountDelivery         = "delivery"
	AccountBounce           = "bounce"
	AccountComplaint        = "complaint"
	AccountReject           = "reject"
	AccountOpen             = "open"
	AccountClick            = "click"
	AccountRenderingFailure = "rendering_failure"
	AccountDeliveryDelay    = "delivery_delay"
	// Counts of tenants. Their detail is that of TenantDetail.
	AccountTenantSend      = "tenant_send"
	AccountTenantBounce    = "tenant_bounce"
	AccountTenantComplaint = "tenant_complaint"
	// AccountBounceRate and AccountComplaintRate are SES's own rates, between 0 and 1, by which it judges the account (or,
	// where it was told to keep them, of a configuration set). They do not exist before the first bounce or complaint.
	AccountBounceRate    = "bounce_rate"
	AccountComplaintRate = "complaint_rate"

	// AccountEnforcement is SES's judgement, in its text: HEALTHY, PROBATION or SHUTDOWN.
	AccountEnforcement = "enforcement_status"
	// AccountSendingEnabled and AccountProduction are 1 or 0: mail may be sent; and not only to verified addresses.
	AccountSendingEnabled = "sending_enabled"
	AccountProduction     = "production_access"
	// AccountQuotaMax is how many recipients may be sent to in 24 hours; without a value and with the text AccountUnlimited
	// there is no limit. AccountQuotaSent is how many were in the last 24 hours, AccountRateMax the limit for a second.
	AccountQuotaMax  = "quota_max"
	AccountQuotaSent = "quota_sent"
	AccountRateMax   = "rate_max"
	AccountUnlimited = "unlimited"
	// AccountTenants, AccountRecommendations and AccountEntities are what SES lists: tenants that it does not let send as
	// they please, open recommendations, and resources whose reputation suffers. The value is how many there are, the text
	// that of FormatAccountItems with the first of them.
	AccountTenants         = "tenants"
	AccountRecommendations = "recommendations"
	AccountEntities        = "entities"
)

// AccountPart is a part of what is read about an account; each needs a permission of its own.
type AccountPart string

// The parts.
const (
	AccountPartSending         AccountPart = "sending"
	AccountPartTenants         AccountPart = "tenants"
	AccountPartRecommendations AccountPart = "recommendations"
	AccountPartEntities        AccountPart = "entities"
	AccountPartSeries          AccountPart = "series"
	AccountPartMetrics         AccountPart = "metrics"
	AccountPartSets            AccountPart = "configuration_sets"
	AccountPartTenantMetrics   AccountPart = "tenant_metrics"
)

// AccountParts lists the parts in the order in which they are shown.
func AccountParts() []AccountPart {
	return []AccountPart{
		AccountPartSending, AccountPartTenants, AccountPartRecommendations, AccountPartEntities, AccountPartSeries,
		AccountPartMetrics, AccountPartSets, AccountPartTenantMetrics,
	}
}

// Action is the IAM action that the part needs
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html,
// …/list_amazoncloudwatch.html).
func (p AccountPart) Action() string {
	switch p {
	case AccountPartSending:
		return "ses:GetAccount"
	case AccountPartTenants:
		return "ses:ListTenants"
	case AccountPartRecommendations:
		return "ses:ListRecommendations"
	case AccountPartEntities:
		return "ses:ListReputationEntities"
	case AccountPartSeries:
		return "cloudwatch:ListMetrics"
	default:
		return "cloudwatch:GetMetricData"
	}
}

// Source is where readings about the access to the part are kept.
func (p AccountPart) Source() string {
	switch p {
	case AccountPartSeries, AccountPartMetrics, AccountPartSets, AccountPartTenantMetrics:
		return AccountCloudWatch
	default:
		return AccountSES
	}
}

// AccountSubject is the subject of readings about an account in a region: SES keeps all of its standing by region.
func AccountSubject(account, region string) string { return account + "/" + region }

// CutAccountSubject takes such a subject apart.
func CutAccountSubject(subject string) (account, region string, ok bool) {
	return strings.Cut(subject, "/")
}

// TenantDetail is the detail of a reading about a tenant. A name that was given again has another id.
func TenantDetail(name, id string) string { return name + "/" + id }

// CutTenantDetail takes such a detail apart. Names of tenants hold no slash.
func CutTenantDetail(detail string) (name, id string, ok bool) { return strings.Cut(detail, "/") }

// AccountItem is a resource of an account that SES says something about. Empty fields were not told.
type AccountItem struct {
	// Resource is a tenant's name, or the ARN of the resource.
	Resource string `json:"resource"`
	// Type is the type of a recommendation (BOUNCE, DKIM, …); Impact is LOW or HIGH; Status is ENABLED, DISABLED or
	// REINSTATED for what sends mail.
	Type   string `json:"type,omitempty"`
	Impact string `json:"impact,omitempty"`
	Status string `json:"status,omitempty"`
	// Description is SES's own sentence about it.
	Description string `json:"description,omitempty"`
	// Since is when SES first said so, or when the status last changed.
	Since time.Time `json:"since,omitzero"`
}

// FormatAccountItems writes the text of a reading that lists resources.
func FormatAccountItems(items []AccountItem) (string, error) {
	if len(items) == 0 {
		return "", nil
	}
	text, err := json.Marshal(items)
	if err != nil {
		return "", fmt.Errorf("write a list of resources: %w", err)
	}
	return string(text), nil
}

// ParseAccountItems reads the text of such a reading.
func ParseAccountItems(text string) ([]AccountItem, error) {
	if text == "" {
		return nil, nil
	}
	var items []AccountItem
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("read a list of resources: %w", err)
	}
	return items, nil
}
