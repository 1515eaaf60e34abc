package view

import (
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// TenantFindings are what SES finds of high impact about the tenants of an account.
type TenantFindings struct {
	// State is that of what was read, Part its name: recommendations or, where they cannot be listed, reputations that suffer.
	State signal.State
	Part  observation.AccountPart
	// Whole says that nothing was left out. Otherwise a tenant without findings may have some.
	Whole bool
	// High counts the findings by tenant, 0 for those without any.
	High map[string]int
}

// TenantFindings counts the recommendations of high impact about each tenant. Where they cannot be listed, a reputation that
// suffers much counts as one.
func (a *Account) TenantFindings() TenantFindings {
	found, part := &a.Recommendations, observation.AccountPartRecommendations
	if found.State != signal.OK && a.Entities.State == signal.OK {
		found, part = &a.Entities, observation.AccountPartEntities
	}
	f := TenantFindings{State: found.State, Part: part, Whole: found.Total == len(found.Items), High: map[string]int{}}
	for i := range a.Tenants {
		f.High[a.Tenants[i].Tenant] = 0
	}
	for i := range found.Items {
		tenant := tenantOf(found.Items[i].Resource)
		if tenant == "" {
			continue
		}
		n := f.High[tenant]
		if found.Items[i].Impact == "HIGH" {
			n++
		}
		f.High[tenant] = n
	}
	return f
}

// tenantOf is the tenant that a resource is, empty when it is none: arn:aws:ses:<region>:<account>:tenant/<name>/<id>
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html).
func tenantOf(arn string) string {
	rest, ok := strings.CutPrefix(arn[strings.LastIndexByte(arn, ':')+1:], "tenant/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// MaySend says whether SES lets the tenant send; known is false when SES has not said so.
func (t *TenantRates) MaySend() (may, known bool) {
	switch t.Status {
	case "DISABLED":
		return false, true
	case "ENABLED", "REINSTATED":
		return true, true
	default:
		return false, false
	}
}
