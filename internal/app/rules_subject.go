package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
)

// subjectMatcher reads how people name subjects; see RuleQuestion.
func subjectMatcher(text string) (func(*alerts.Subject) bool, error) {
	switch {
	case text == "":
		return func(*alerts.Subject) bool { return true }, nil
	case strings.Contains(text, "="):
		return labelsMatcher(text)
	}
	glob, err := campaign.NewMatcher([]string{text})
	if err != nil {
		return nil, fmt.Errorf("%q names no subject: %w", text, err)
	}
	return func(s *alerts.Subject) bool {
		return s.String() == text || slices.ContainsFunc(s.Fields(), func(f observation.Field) bool { return glob.Match(f.Value) })
	}, nil
}

func labelsMatcher(text string) (func(*alerts.Subject) bool, error) {
	type label struct {
		name string
		not  bool
		glob *campaign.Matcher
	}
	var labels []label
	for part := range strings.SplitSeq(text, ",") {
		m, err := alerts.ParseMatcher(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if _, err := alerts.SubjectOf([]observation.Field{{Name: m.Name}}); err != nil {
			return nil, err
		}
		glob, err := campaign.NewMatcher(m.Globs)
		if err != nil {
			return nil, err
		}
		labels = append(labels, label{m.Name, m.Not, glob})
	}
	return func(s *alerts.Subject) bool {
		fields := s.Fields()
		for _, l := range labels {
			found := slices.ContainsFunc(fields, func(f observation.Field) bool { return f.Name == l.name && l.glob.Match(f.Value) })
			if found == l.not {
				return false
			}
		}
		return true
	}, nil
}
