package alerts

import (
	"fmt"

	"github.com/mailvane/mailvane/internal/observation"
)

// Fields lists the fields of the subject that are filled in, under the names that SubjectLabels has, in their order.
func (s *Subject) Fields() []observation.Field {
	var fields []observation.Field
	for f := range fieldEnd {
		if v := s.get(f); v != "" {
			fields = append(fields, observation.Field{Name: fieldNames[f], Value: v})
		}
	}
	return fields
}

// SubjectOf makes a subject of what Fields lists. The error names what is no field of a subject.
func SubjectOf(fields []observation.Field) (Subject, error) {
	var s Subject
	for _, of := range fields {
		f, ok := fieldNamed(of.Name)
		if !ok {
			return Subject{}, fmt.Errorf("%q is no field of a subject", shorten(of.Name, 100))
		}
		*s.at(f) = of.Value
	}
	return s, nil
}

// at is where a field lies.
func (s *Subject) at(f field) *string {
	return [fieldEnd]*string{
		&s.Tenant, &s.Campaign, &s.Provider, &s.Domain, &s.Identifier, &s.Account, &s.Region, &s.RuleSet, &s.ReceiptRule, &s.Source,
		&s.Notifier, &s.Detail,
	}[f]
}

// SeriesOf is the figures that a rule is held against; ok is false when there is no such rule.
func (r *Rules) SeriesOf(name string) (s Series, ok bool) {
	if rule := r.byName[name]; rule != nil {
		return rule.series, true
	}
	return s, false
}
