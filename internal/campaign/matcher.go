package campaign

import (
	"errors"
	"fmt"
	"strings"
)

// Matcher tells whether a name fits one of some globs, in which * stands for any characters and ? for one. It does not
// change after NewMatcher.
type Matcher struct {
	exact map[string]bool
	globs [][]rune
}

// NewMatcher reads the globs; the error names every one that cannot be used.
func NewMatcher(globs []string) (*Matcher, error) {
	m := &Matcher{exact: map[string]bool{}}
	var problems []error
	for i, glob := range globs {
		switch {
		case glob == "":
			problems = append(problems, fmt.Errorf("[%d]: must not be empty", i))
		case len(glob) > maxName:
			problems = append(problems, fmt.Errorf("[%d]: must not be longer than %d bytes", i, maxName))
		case strings.ContainsAny(glob, "*?"):
			m.globs = append(m.globs, []rune(glob))
		default:
			m.exact[glob] = true
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return m, nil
}

// Match says whether the whole name fits one of the globs; upper and lower case differ. A nil Matcher matches nothing.
func (m *Matcher) Match(name string) bool {
	if m == nil {
		return false
	}
	if m.exact[name] {
		return true
	}
	if len(m.globs) == 0 {
		return false
	}
	runes := []rune(name)
	for _, glob := range m.globs {
		if fits(glob, runes) {
			return true
		}
	}
	return false
}

// fits matches without recursion: after a mismatch the last star takes one character more, so that the worst case is
// the product of the lengths.
func fits(glob, name []rune) bool {
	g, n := 0, 0
	star, taken := -1, 0
	for n < len(name) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, taken = g, n
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == name[n]):
			g++
			n++
		case star >= 0:
			taken++
			g, n = star+1, taken
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}
