package config

import (
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
)

// IdentitySpec is how campaigns and tenants are found, in the words of the package that finds them.
func (c *Config) IdentitySpec() campaign.Spec {
	spec := campaign.Spec{Identify: identifyRules(c.Campaigns.Identify), Tenants: identifyRules(c.Tenants.Identify)}
	for _, r := range c.Campaigns.Rename {
		spec.Rename = append(spec.Rename, campaign.Rename{Match: string(r.Match), To: r.To})
	}
	return spec
}

func identifyRules(rules []Rule) []campaign.Rule {
	var out []campaign.Rule
	for _, r := range rules {
		out = append(out, campaign.Rule{
			Tag: r.Tag, Header: r.Header, Field: r.Field, Match: string(r.Match),
			ConfigurationSet: string(r.ConfigurationSet), FromDomain: string(r.FromDomain),
		})
	}
	return out
}

// checkSpec reports what is wrong with the rules. A value that could not be decoded is empty in the spec and has been
// reported already.
func (c *Config) checkSpec(d *decoder) {
	if path := "campaigns.identify"; d.given(path) && len(c.Campaigns.Identify) == 0 && !d.faultsBelow(path) {
		d.fault(d.at(path), path, fault{"is empty, so no mail would have a campaign", "write, for example, [{tag: campaign}], or remove the key"})
	}
	c.IdentitySpec().Check(func(path, problem string) {
		if rest, ok := strings.CutPrefix(path, "tenants["); ok {
			path = "tenants.identify[" + rest
		} else {
			path = "campaigns." + path
		}
		if !d.undecoded(path) {
			d.fault(d.at(path), path, fault{message: problem})
		}
	})
	for i, r := range c.Campaigns.Identify {
		if strings.EqualFold(r.Header, "Feedback-ID") && r.Field == "" {
			path := indexed("campaigns.identify", i) + ".field"
			if !d.faultsBelow(path) {
				d.fault(d.at(path), path, fault{"is missing, and a whole Feedback-ID is no name", "write field: a (or b, c, sender)"})
			}
		}
	}
}

// undecoded says whether what is wrong with a rule, or with a key of one, follows from a value that could not be decoded.
func (d *decoder) undecoded(path string) bool {
	if !strings.HasSuffix(path, "]") {
		return d.faultsBelow(path)
	}
	for _, place := range []string{"tag", "header", "configuration_set", "from_domain"} {
		if d.faultsBelow(path + "." + place) {
			return true
		}
	}
	return d.faultsAt(path)
}
