package config

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// field is what the tags of a field of the configuration say about a key.
type field struct {
	name     string
	index    int
	required bool
	// low and high bound the value, in the form in which a file writes it; both are empty for a value without bounds.
	low, high string
	// oneOf lists the values, when only these are possible.
	oneOf []string
	// example is a value as a file writes it; unset says what holds while the key is missing, when it is not the default.
	example, unset string
}

// fieldsOf lists the keys of a section, in the order of the documentation.
func fieldsOf(section reflect.Type) []field {
	var fields []field
	for i := range section.NumField() {
		tag := section.Field(i).Tag
		name := tag.Get("yaml")
		if name == "-" {
			continue
		}
		f := field{
			name:     name,
			index:    i,
			required: tag.Get("required") == "true",
			example:  tag.Get("example"),
			unset:    tag.Get("unset"),
		}
		f.low, f.high, _ = strings.Cut(tag.Get("range"), "..")
		if list := tag.Get("oneof"); list != "" {
			f.oneOf = strings.Split(list, ",")
		}
		fields = append(fields, f)
	}
	return fields
}

// refused are keys that a reader of the documentation, or of the built-in rules, may well try, by path with [] for elements.
var refused = map[string]fault{
	"collectors.dmarc": notYet,
	"ledger.postgres":  notYet,

	"rules[].tier":      {"rules of your own are tried in the order of the file, before all others", "remove it"},
	"rules[].scope":     {"a rule with a provider holds for its replies alone, one without for all", "remove it"},
	"rules[].token":     {"rules of your own are tried in the order of the file", "remove it"},
	"rules[].evidence":  {"is known for built-in rules only", "remove it, or write a note"},
	"rules[].source_id": {"is known for built-in rules only", "remove it, or write a source"},
}

var notYet = fault{"is not available in this version", "remove it"}

// element is a number in a path.
var element = regexp.MustCompile(`\[\d+\]`)

// homes finds the sections that have a key of that name, for one who wrote it in the wrong place.
func homes(section reflect.Type, name, path string) []string {
	var found []string
	for _, f := range fieldsOf(section) {
		child := join(path, f.name)
		if f.name == name {
			found = append(found, child)
		}
		t := section.Field(f.index).Type
		if element, name, ok := elementOf(t); ok {
			t, child = element, child+name
		}
		if t = pointedTo(t); t.Kind() == reflect.Struct {
			found = append(found, homes(t, name, child)...)
		}
	}
	return found
}

// pointedTo is what a value of the type is when it is given.
func pointedTo(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// nearest returns the one of names that is most like word, or "" when none is.
func nearest(word string, names []string) string {
	best, distance := "", max(min(len(word)/2, 2), len(word)/3)+1
	for _, name := range names {
		if d := editDistance(strings.ToLower(word), name); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts the insertions, removals and replacements that make a of b. A long word is like none.
func editDistance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
