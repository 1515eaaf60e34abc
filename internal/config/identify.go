package config

import (
	"fmt"
	"strings"
)

// checkRules checks where names are found.
func checkRules(d *decoder, path string, rules []Rule) {
	if d.given(path) && len(rules) == 0 && path == "campaigns.identify" {
		d.fault(d.at(path), path, fault{"is empty, so no mail would have a campaign", "write, for example, [{tag: campaign}], or remove the key"})
	}
	for i, r := range rules {
		checkRule(d, fmt.Sprintf("%s[%d]", path, i), r)
	}
}

func checkRule(d *decoder, path string, r Rule) {
	var set []string
	for _, key := range []struct{ name, value string }{
		{"tag", r.Tag}, {"header", r.Header},
		{"configuration_set", string(r.ConfigurationSet)}, {"from_domain", string(r.FromDomain)},
	} {
		if key.value != "" || d.given(path+"."+key.name) {
			set = append(set, key.name)
		}
	}
	switch {
	case len(set) == 0:
		d.fault(d.at(path), path, fault{"does not say where the name is found", "write one of tag, header, configuration_set and from_domain"})
		return
	case len(set) > 1:
		d.fault(d.at(path+"."+set[1]), path, fault{"names " + strings.Join(set, " and "), "write a rule for each, in the order in which they should be tried"})
		return
	}
	feedback := strings.EqualFold(r.Header, "Feedback-ID")
	switch {
	case feedback && r.Field == "" && !d.given(path+".field"):
		d.fault(d.at(path), path+".field", fault{"is missing", "write field: a (or b, c, sender)"})
	case !feedback && r.Field != "":
		d.fault(d.at(path+".field"), path+".field", fault{"only the header Feedback-ID has fields", "remove it"})
	}
	if r.Match != "" && (set[0] == "configuration_set" || set[0] == "from_domain") {
		d.fault(d.at(path+".match"), path+".match", fault{"does not go with " + set[0], "write the regular expression as the value of " + set[0]})
	}
}
