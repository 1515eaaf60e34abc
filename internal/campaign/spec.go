package campaign

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// Spec is how names are found, as the configuration and the ledger hold it.
type Spec struct {
	// Identify finds the campaign, Tenants the tenant; the first rule that finds a name decides.
	Identify []Rule `json:"identify,omitempty"`
	// Rename changes the campaign's name; the first rule that matches decides.
	Rename  []Rename `json:"rename,omitempty"`
	Tenants []Rule   `json:"tenants,omitempty"`
}

// Rule finds a name in one value of an event. Exactly one of Tag, Header, ConfigurationSet and FromDomain is set.
type Rule struct {
	// Tag is the name of a message tag.
	Tag string `json:"tag,omitempty"`
	// Header is the name of an original header of the mail, whatever its case. Field, one of a, b, c and sender, takes
	// that field of a Feedback-ID.
	Header string `json:"header,omitempty"`
	Field  string `json:"field,omitempty"`
	// ConfigurationSet and FromDomain are "true" for the configuration set's name or the From domain itself, else a
	// regular expression that it must match. The name is then its group called campaign or tenant, else its first group,
	// else the whole match.
	ConfigurationSet string `json:"configuration_set,omitempty"`
	FromDomain       string `json:"from_domain,omitempty"`
	// Match is a regular expression that the value must match. It takes the name out of the value in the same way.
	Match string `json:"match,omitempty"`
}

// Rename changes names that the regular expression Match matches to To, in which $1 or ${name} is a group of Match. It
// gives the whole new name. A name that would become empty is left as it is.
type Rename struct {
	Match string `json:"match"`
	To    string `json:"to"`
}

// whole is what ConfigurationSet and FromDomain say to take the value as it is.
const whole = "true"

// Check reports every problem of the spec with the path of what is wrong, such as "rename[2].match".
func (s Spec) Check(report func(path, problem string)) {
	for i, r := range s.Identify {
		r.check(fmt.Sprintf("identify[%d]", i), report)
	}
	for i, r := range s.Rename {
		r.check(fmt.Sprintf("rename[%d]", i), report)
	}
	for i, r := range s.Tenants {
		r.check(fmt.Sprintf("tenants[%d]", i), report)
	}
}

// Compile makes the spec ready for use; the error joins every problem that Check reports.
func (s Spec) Compile() (*Rules, error) {
	var problems []error
	s.Check(func(path, problem string) { problems = append(problems, fmt.Errorf("%s: %s", path, problem)) })
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return newRules(s), nil
}

func (r Rule) check(path string, report func(path, problem string)) {
	choosers := 0
	for _, chooser := range []string{r.Tag, r.Header, r.ConfigurationSet, r.FromDomain} {
		if chooser != "" {
			choosers++
		}
	}
	if choosers != 1 {
		report(path, "must have exactly one of tag, header, configuration_set and from_domain")
	}
	if _, ok := feedbackPlace(r.Field); r.Field != "" && !ok {
		report(path+".field", "must be a, b, c or sender")
	}
	if r.Field != "" && r.Header == "" {
		report(path+".field", "needs a header, usually Feedback-ID; for tags write tag: ses:feedback-id-a")
	}
	for _, p := range []struct{ key, pattern string }{
		{"configuration_set", r.ConfigurationSet}, {"from_domain", r.FromDomain}, {"match", r.Match},
	} {
		if p.pattern != whole || p.key == "match" {
			checkPattern(path+"."+p.key, p.pattern, report)
		}
	}
}

// templateGroup finds the groups that a template of regexp.Expand names; $$ stands for a dollar.
var templateGroup = regexp.MustCompile(`\$\$|\$(?:\{(\w+)\}|(\w+))`)

func (r Rename) check(path string, report func(path, problem string)) {
	if r.To == "" {
		report(path+".to", "must not be empty")
	}
	if r.Match == "" {
		report(path+".match", "must not be empty")
		return
	}
	pattern := checkPattern(path+".match", r.Match, report)
	if pattern == nil {
		return
	}
	for _, group := range templateGroup.FindAllStringSubmatch(r.To, -1) {
		name := group[1] + group[2]
		if number, err := strconv.Atoi(name); err == nil && number <= pattern.NumSubexp() {
			continue
		}
		if name != "" && pattern.SubexpIndex(name) < 0 {
			report(path+".to", fmt.Sprintf("names the group %q, which match does not have; write ${1} where a letter, "+
				"digit or underscore follows", name))
		}
	}
}

func checkPattern(path, pattern string, report func(path, problem string)) *regexp.Regexp {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		report(path, "is no regular expression: "+err.Error())
		return nil
	}
	return compiled
}
