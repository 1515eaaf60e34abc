package sesapi

import (
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// account answers GetAccount.
func (s *Server) account(at Place) object {
	standing, sent := s.standing(at)
	return object{
		"DedicatedIpAutoWarmupEnabled": false,
		"EnforcementStatus":            standing.Enforcement,
		"ProductionAccessEnabled":      !standing.Sandbox,
		"SendingEnabled":               !standing.Paused,
		"SendQuota":                    object{"Max24HourSend": standing.Max24Hour, "MaxSendRate": standing.MaxRate, "SentLast24Hours": sent},
		"SuppressionAttributes":        object{"SuppressedReasons": []string{"BOUNCE", "COMPLAINT"}},
		"VdmAttributes":                object{"VdmEnabled": "DISABLED"},
	}
}

// stamp is a time as REST with JSON has it: seconds since 1970. A zero time is left out.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return float64(t.UnixMilli()) / 1000
}

// tenants are those of an account and region, by name.
func (s *Server) tenants(at Place) (all []Tenant) {
	for i := range s.options.Story.Campaigns {
		c := &s.options.Story.Campaigns[i]
		same := func(t Tenant) bool { return t.Name == c.Tenant }
		if c.Tenant == "" || (Place{c.Account, c.Region}) != at || slices.ContainsFunc(all, same) {
			continue
		}
		t := Tenant{Place: at, Name: c.Tenant, Status: "ENABLED"}
		for _, other := range s.options.Tenants {
			if other.Place == at && other.Name == t.Name {
				t = other
			}
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Tenant) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// info is what a list says about a tenant.
func (t *Tenant) info() object {
	id := traffic.TenantID(t.Account, t.Region, t.Name)
	return object{"TenantName": t.Name, "TenantId": id, "TenantArn": t.arn("tenant/" + t.Name + "/" + id), "SendingStatus": t.Status,
		"CreatedTimestamp": stamp(time.Date(2025, time.September, 1, 9, 0, 0, 0, time.UTC))}
}

func (s *Server) listTenants(at Place, in *input) (object, *gate.Error) {
	var found []object
	for _, t := range s.tenants(at) {
		ok, e := in.matches(map[string]string{"SENDING_STATUS": t.Status, "TENANT_NAME_CONTAINS": t.Name}, "TENANT_NAME_CONTAINS")
		if e != nil {
			return nil, e
		}
		if ok {
			found = append(found, t.info())
		}
	}
	return list("Tenants", found, in)
}

func (s *Server) tenant(at Place, name string) (object, *gate.Error) {
	for _, t := range s.tenants(at) {
		if t.Name == name {
			return object{"Tenant": t.info()}, nil
		}
	}
	return nil, gate.Errorf("NotFoundException", "Tenant %s does not exist.", name)
}

func (s *Server) listRecommendations(at Place, in *input) (object, *gate.Error) {
	var found []object
	for i := range s.options.Recommendations {
		r := &s.options.Recommendations[i]
		status := "OPEN"
		if r.Fixed {
			status = "FIXED"
		}
		arn := r.arn(r.Resource)
		ok, e := in.matches(map[string]string{"TYPE": r.Type, "IMPACT": r.Impact, "STATUS": status, "RESOURCE_ARN": arn})
		if e != nil {
			return nil, e
		}
		if ok && r.Place == at {
			found = append(found, object{"ResourceArn": arn, "Type": r.Type, "Impact": r.Impact, "Status": status,
				"Description": r.Description, "CreatedTimestamp": stamp(r.Created), "LastUpdatedTimestamp": stamp(r.Updated)})
		}
	}
	return list("Recommendations", found, in)
}

func (s *Server) listEntities(at Place, in *input) (object, *gate.Error) {
	var found []object
	for _, n := range s.options.Entities {
		setDefault(&n.Status, "ENABLED")
		arn := n.arn(n.Resource)
		ok, e := in.matches(map[string]string{"ENTITY_TYPE": "RESOURCE", "REPUTATION_IMPACT": n.Impact, "SENDING_STATUS": n.Status,
			"ENTITY_REFERENCE_PREFIX": arn}, "ENTITY_REFERENCE_PREFIX")
		if e != nil {
			return nil, e
		}
		if !ok || n.Place != at {
			continue
		}
		entity := object{"ReputationEntityReference": arn, "ReputationEntityType": "RESOURCE", "SendingStatusAggregate": n.Status,
			"ReputationManagementPolicy": "arn:aws:ses:" + n.Region + ":aws:reputation-policy/standard",
			"CustomerManagedStatus":      object{"Status": "ENABLED", "LastUpdatedTimestamp": stamp(n.Updated)},
			"AwsSesManagedStatus":        object{"Status": n.Status, "Cause": n.Cause, "LastUpdatedTimestamp": stamp(n.Updated)}}
		if n.Impact != "" {
			entity["ReputationImpact"] = n.Impact
		}
		found = append(found, entity)
	}
	return list("ReputationEntities", found, in)
}

// matches says whether something has the values that the filter asks for; of a key of partly it is enough that the value holds
// what is asked for.
func (in *input) matches(has map[string]string, partly ...string) (bool, *gate.Error) {
	ok := true
	for key, want := range in.Filter {
		value, known := has[key]
		if !known {
			return false, gate.Errorf("BadRequestException", "%s is not a valid filter.", key)
		}
		ok = ok && (value == want || slices.Contains(partly, key) && strings.Contains(value, want))
	}
	return ok, nil
}

// list answers with a page of what was found.
func list[T any](name string, found []T, in *input) (object, *gate.Error) {
	some, next, e := page(found, in)
	if e != nil {
		return nil, e
	}
	if some == nil {
		some = []T{}
	}
	return object{name: some, "NextToken": next}, nil
}
