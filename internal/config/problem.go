package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one fault of a configuration file, in words for whoever writes the file.
type Problem struct {
	// File is the name under which the file was read.
	File string
	// Line and Column start at 1; a column is counted in characters.
	Line, Column int
	// Path names the key, such as campaigns.rename[2].match; empty when the fault is the file's as a whole.
	Path string
	// Message says what is wrong.
	Message string
	// Instead says what to do, such as "write 6h"; empty when the message says it all.
	Instead string
	// Warning says that the file can be used all the same.
	Warning bool
}

// String returns the problem as one line, in the form that editors and terminals make links of.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.text())
	return b.String()
}

// text is the problem without its place.
func (p Problem) text() string {
	if p.Instead == "" {
		return p.Message
	}
	return p.Message + "; " + p.Instead
}

// Failed says whether any of the problems is more than a warning.
func Failed(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// fault is what is wrong with a value, before it is known where the value stands. Its two parts are those of Problem.
type fault struct{ message, instead string }

// place is a position in a file; the zero place is the file's beginning.
type place struct{ line, column int }

// Bounds of the problems of one file: nobody reads more than maxProblems, and a file may be hostile. Five times as many are
// gathered, because they are not found in the order of the file.
const (
	maxProblems = 200
	maxGathered = 5 * maxProblems
)

// reporter gathers the problems of one file.
type reporter struct {
	file string
	// widths are the lengths of the file's lines, in characters.
	widths   []int
	problems []Problem
}

func newReporter(file string, data []byte) *reporter {
	r := &reporter{file: file}
	for line := range strings.SplitSeq(string(data), "\n") {
		r.widths = append(r.widths, utf8.RuneCountInString(line))
	}
	return r
}

func (r *reporter) fault(at place, path string, f fault) {
	r.add(at, Problem{Path: path, Message: f.message, Instead: f.instead})
}

func (r *reporter) warning(at place, path string, f fault) {
	r.add(at, Problem{Path: path, Message: f.message, Instead: f.instead, Warning: true})
}

// full says that no more problems are gathered, so that looking for them is of no use.
func (r *reporter) full() bool { return len(r.problems) >= maxGathered }

func (r *reporter) add(at place, p Problem) {
	if r.full() {
		return
	}
	at = r.inside(at)
	p.File, p.Line, p.Column = r.file, at.line, at.column
	r.problems = append(r.problems, p)
}

// faultsAt says whether something is wrong with the value of path itself.
func (r *reporter) faultsAt(path string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Path == path && !p.Warning })
}

// faultsBelow says whether something is wrong with the value of path or with a part of it.
func (r *reporter) faultsBelow(path string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Path, path)
		return ok && !p.Warning && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// inside moves a place into the file: what ends a file too early is found one past its end.
func (r *reporter) inside(at place) place {
	at.line = min(max(at.line, 1), len(r.widths))
	at.column = min(max(at.column, 1), r.widths[at.line-1]+1)
	return at
}

// sorted returns the problems in the order of the file, at most maxProblems of them and a last one that says so.
func (r *reporter) sorted() []Problem {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if len(r.problems) <= maxProblems {
		return r.problems
	}
	rest := r.problems[maxProblems]
	rest.Path, rest.Instead, rest.Warning = "", "", false
	rest.Message = "there are more problems, which are not shown"
	return append(r.problems[:maxProblems:maxProblems], rest)
}
