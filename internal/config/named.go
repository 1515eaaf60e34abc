package config

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// named is a list of entries that a file writes as keys with values. The keys are names that the user gives.
type named interface {
	// setName says what is wrong with a name.
	setName(text string) *fault
	// form says in a few words what the list is, for the documentation.
	form() string
}

// single is a list of which one element may stand without brackets.
type single interface{ single() }

// brief is a section that may be written as a number, which is the value of its first key.
type brief interface{ brief() }

// anyName stands for a name in the paths of the documentation.
const anyName = "<name>"

// maxNames bounds a list of names: more labels or notifiers than anybody has.
const maxNames = 100

// entries decodes a mapping with names for keys.
func (d *decoder) entries(n ast.Node, v reflect.Value, names named, path string, f field) {
	list, ok := pairs(n)
	if !ok {
		d.fault(placeOf(n), path, fault{"must be names with values, not " + kindOf(n), d.writeExample(f)})
		return
	}
	if len(list) > maxNames {
		d.fault(placeOf(n), path, fault{fmt.Sprintf("has more than %d names", maxNames), "write fewer"})
		return
	}
	entries := reflect.MakeSlice(v.Type(), 0, len(list))
	seen := make(map[string]place)
	for _, pair := range list {
		name, ok := d.key(pair, path)
		if !ok {
			continue
		}
		at, full := placeOf(pair), join(path, printable(name))
		if f := names.setName(name); f != nil {
			d.fault(at, full, *f)
			continue
		}
		if first, twice := seen[name]; twice {
			d.fault(at, full, fault{fmt.Sprintf("is given twice, first on line %d", first.line), "remove one of them"})
			continue
		}
		seen[name] = at
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Field(0).SetString(name)
		d.value(pair.Value, entry.Field(1), full, field{name: name})
		entries = reflect.Append(entries, entry)
	}
	v.Set(entries)
}

// elementOf is the type of what a list holds, by which name it is known in paths, and whether there is one.
func elementOf(list reflect.Type) (element reflect.Type, name string, ok bool) {
	switch {
	case list.Kind() != reflect.Slice:
		return nil, "", false
	case list.Implements(reflect.TypeFor[named]()):
		return list.Elem().Field(1).Type, "." + anyName, true
	default:
		return list.Elem(), "[]", true
	}
}
