package alerts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
)

// Matcher matches a label: a field of the subject, rule, severity, signal, by, cause, owner, or a label of the rule or the
// subject. It matches when a value of the label fits one of Globs, in which * stands for any text and ? for one character;
// with Not, when none does. A label that is missing has no value, so that * asks for its presence.
type Matcher struct {
	Name  string   `json:"name"`
	Globs []string `json:"globs"`
	Not   bool     `json:"not,omitempty"`
}

// ParseMatcher reads "campaign=promo-*" or "provider!=other".
func ParseMatcher(text string) (Matcher, error) {
	name, glob, ok := strings.Cut(text, "=")
	m := Matcher{Name: name, Globs: []string{glob}}
	if bare, not := strings.CutSuffix(name, "!"); not {
		m.Name, m.Not = bare, true
	}
	if !ok {
		return Matcher{}, fmt.Errorf("%q is not of the form label=value or label!=value", shorten(text, 100))
	}
	if err := m.check(); err != nil {
		return Matcher{}, err
	}
	return m, nil
}

// String writes the matcher; one with a single glob as ParseMatcher reads it.
func (m Matcher) String() string {
	sign := "="
	if m.Not {
		sign = "!="
	}
	return m.Name + sign + strings.Join(m.Globs, "|")
}

func (m *Matcher) check() error {
	if !labelName.MatchString(m.Name) {
		return fmt.Errorf("%q is not the name of a label", shorten(m.Name, 100))
	}
	if len(m.Globs) == 0 || len(m.Globs) > maxMatchers {
		return fmt.Errorf("%s needs one to %d values", m.Name, maxMatchers)
	}
	if _, err := campaign.NewMatcher(m.Globs); err != nil {
		return fmt.Errorf("%s%w", m.Name, err)
	}
	return nil
}

// checkMatchers reports what is wrong with each.
func checkMatchers(all []Matcher, report func(key, problem string)) {
	if len(all) > maxMatchers {
		report("", fmt.Sprintf("must not be more than %d", maxMatchers))
		return
	}
	for i := range all {
		if err := all[i].check(); err != nil {
			report("", err.Error())
		}
	}
}

// SubjectLabels are the labels that a rule's Where can ask for: the fields of a Subject, and owner.
func SubjectLabels() []string { return append(slices.Clone(fieldNames[:]), "owner") }

// Labels are those that alerts have by themselves, SubjectLabels first: routes and silences can ask for them and for the
// labels of rules.
func Labels() []string {
	return append(SubjectLabels(), "rule", "alertname", "severity", "signal", "by", "cause")
}

type matcher struct {
	Matcher
	field   field
	isField bool
	globs   *campaign.Matcher
}

// matchers match when each does.
type matchers []matcher

// newMatchers compiles matchers without problems.
func newMatchers(all []Matcher) matchers {
	var ms matchers
	for _, m := range all {
		c := matcher{Matcher: m}
		c.field, c.isField = fieldNamed(m.Name)
		c.globs, _ = campaign.NewMatcher(m.Globs)
		ms = append(ms, c)
	}
	return ms
}

// match asks for the values of labels that are no fields of the subject, and only if it must.
func (ms matchers) match(s *Subject, values func(label string) []string) bool {
	for i := range ms {
		m := &ms[i]
		found := false
		if m.isField {
			v := s.get(m.field)
			found = v != "" && m.globs.Match(v)
		}
		if !found {
			found = slices.ContainsFunc(values(m.Name), m.globs.Match)
		}
		if found == m.Not {
			return false
		}
	}
	return true
}
