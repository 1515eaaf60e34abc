package campaign

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

// Rules find names in events. They are made by Spec.Compile.
type Rules struct {
	identify []rule
	tenants  []rule
	rename   []rename
	// campaigns and tenantNames remember what values came to, so that an ordinary event costs two look-ups.
	campaigns, tenantNames *cache
}

// rule is a compiled Rule: where its value is, as people call it, and what takes the name out of it.
type rule struct {
	from  string
	value func(*observation.Event) (string, bool)
	takes []taker
}

// taker is a regular expression and the group of it that is the name.
type taker struct {
	pattern *regexp.Regexp
	group   int
}

type rename struct {
	pattern *regexp.Regexp
	to      string
}

// newRules compiles a spec without problems.
func newRules(s Spec) *Rules {
	r := &Rules{campaigns: newCache(), tenantNames: newCache()}
	for _, spec := range s.Identify {
		r.identify = append(r.identify, newRule(spec))
	}
	for _, spec := range s.Tenants {
		r.tenants = append(r.tenants, newRule(spec))
	}
	for _, spec := range s.Rename {
		r.rename = append(r.rename, rename{regexp.MustCompile(spec.Match), spec.To})
	}
	return r
}

func newRule(s Rule) rule {
	r := rule{from: s.from()}
	switch {
	case s.Tag != "":
		r.value = func(e *observation.Event) (string, bool) { return tag(e, s.Tag) }
	case s.Header != "" && s.Field != "":
		place, _ := feedbackPlace(s.Field)
		r.value = func(e *observation.Event) (string, bool) {
			id, ok := header(e, s.Header)
			return feedbackField(id, place), ok
		}
	case s.Header != "":
		r.value = func(e *observation.Event) (string, bool) { return header(e, s.Header) }
	case s.ConfigurationSet != "":
		r.value = configurationSet
	default:
		r.value = func(e *observation.Event) (string, bool) { return e.FromDomain, true }
	}
	for _, pattern := range []string{s.ConfigurationSet + s.FromDomain, s.Match} {
		if pattern != "" && pattern != whole {
			r.takes = append(r.takes, newTaker(pattern))
		}
	}
	return r
}

func newTaker(pattern string) taker {
	t := taker{pattern: regexp.MustCompile(pattern)}
	t.group = min(1, t.pattern.NumSubexp())
	for _, name := range []string{"campaign", "tenant"} {
		if group := t.pattern.SubexpIndex(name); group > 0 {
			t.group = group
			break
		}
	}
	return t
}

// from is what a rule looks at, as people call it.
func (s Rule) from() string {
	switch {
	case s.Tag != "":
		return "tag " + s.Tag
	case s.Header != "" && s.Field != "":
		return "field " + s.Field + " of header " + s.Header
	case s.Header != "":
		return "header " + s.Header
	case s.ConfigurationSet != "":
		return "configuration set"
	default:
		return "From domain"
	}
}

// Sources lists what the rules look at for a campaign's name, each once: "tag campaign", "header X-Campaign".
func (r *Rules) Sources() []string {
	var all []string
	for i := range r.identify {
		if from := r.identify[i].from; !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	return all
}

// SourceOf is the one of the Sources that Identify takes the campaign's name from, empty when it finds none.
func (r *Rules) SourceOf(e *observation.Event) string {
	if _, i := find(r.identify, r.campaigns, e, r.renamed); i >= 0 {
		return r.identify[i].from
	}
	return ""
}

// Identify names the campaign of the event's mail: Unidentified when no rule finds a name, and without a tenant when no
// tenant rule does. The strings do not alias the event.
func (r *Rules) Identify(e *observation.Event) observation.Campaign {
	named, _ := find(r.identify, r.campaigns, e, r.renamed)
	if named.name == "" {
		named.name = observation.Unidentified
	}
	tenant, _ := find(r.tenants, r.tenantNames, e, func(name string) found { return found{name: name} })
	return observation.Campaign{Tenant: tenant.name, Name: named.name, Send: named.send}
}

// found is what a value came to: a name, empty when it holds none, and the name before renaming if that differs.
type found struct{ name, send string }

// find returns what the first rule finds whose value holds a name, and which rule that is, -1 for none.
func find(rules []rule, known *cache, e *observation.Event, finish func(name string) found) (found, int) {
	for i := range rules {
		value, ok := rules[i].value(e)
		if !ok {
			continue
		}
		if value = clean(value); value == "" {
			continue
		}
		result, ok := known.load(i, value)
		if !ok {
			value = strings.Clone(value)
			if name := rules[i].take(value); name != "" {
				result = finish(name)
			}
			known.store(i, value, result)
		}
		if result.name != "" {
			return result, i
		}
	}
	return found{}, -1
}

// take returns the name in a value, empty when there is none.
func (r *rule) take(value string) string {
	for _, t := range r.takes {
		groups := t.pattern.FindStringSubmatch(value)
		if groups == nil {
			return ""
		}
		value = clean(groups[t.group])
	}
	return value
}

// renamed applies the first rename rule that matches.
func (r *Rules) renamed(name string) found {
	for _, rule := range r.rename {
		groups := rule.pattern.FindStringSubmatchIndex(name)
		if groups == nil {
			continue
		}
		to := clean(string(rule.pattern.ExpandString(nil, rule.to, name, groups)))
		if to == "" || to == name {
			break
		}
		return found{name: to, send: name}
	}
	return found{name: name}
}
