package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills the configuration from a file's tree and remembers where each value stands, for the checks that follow.
type decoder struct {
	*reporter
	// root is the type of the whole file.
	root reflect.Type
	// places are where values stand, by path; a missing one is looked for at its section.
	places map[string]place
	// decoded says that the file is a mapping, so that checks of what it holds make sense.
	decoded bool
}

// at is where the value of path stands, or the nearest section around it that the file has.
func (d *decoder) at(path string) place {
	for {
		if p, ok := d.places[path]; ok {
			return p
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return d.places[""]
		}
		path = path[:cut]
	}
}

// given says whether the file has the key.
func (d *decoder) given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// value decodes what stands at path.
func (d *decoder) value(n ast.Node, v reflect.Value, path string, f field) {
	n = d.bare(n, path)
	if n == nil {
		return
	}
	d.places[path] = placeOf(n)
	if _, ok := n.(*ast.NullNode); ok {
		d.fault(placeOf(n), path, fault{"has no value", d.valueOrNothing(f)})
		return
	}
	if v.Kind() == reflect.Pointer {
		target := reflect.New(v.Type().Elem())
		d.value(n, target.Elem(), path, f)
		v.Set(target)
		return
	}
	names, isNamed := reflect.TypeAssert[named](v)
	switch {
	case isNamed:
		d.entries(n, v, names, path, f)
	case v.Kind() == reflect.Struct:
		d.section(n, v, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, path, f)
	default:
		d.scalar(n, v, path, f)
	}
}

func (d *decoder) valueOrNothing(f field) string {
	switch {
	case f.required:
		return "write one, such as " + f.shown()
	case f.example == "":
		return "write one, or remove the key"
	}
	return fmt.Sprintf("write one, such as %s, or remove the key", f.example)
}

// bare takes anchors and tags off a node and reports them. It returns nil for an alias, which stands for nothing here.
func (d *decoder) bare(n ast.Node, path string) ast.Node {
	for {
		switch wrapped := n.(type) {
		case *ast.AnchorNode:
			d.fault(placeOf(n), path, fault{"anchors (&name) are not supported", "write the value out where it is needed"})
			n = wrapped.Value
		case *ast.TagNode:
			d.fault(placeOf(n), path, fault{"tags (!name) are not supported", "write the value without it"})
			n = wrapped.Value
		case *ast.AliasNode:
			d.fault(placeOf(n), path, fault{"aliases (*name) are not supported", "write the value out; put a text that starts with * in quotes"})
			d.places[path] = placeOf(n)
			return nil
		default:
			return n
		}
	}
}

// pairs are the keys and values of a mapping; ok is false when n is none.
func pairs(n ast.Node) (list []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	default:
		return nil, false
	}
}

// section decodes a mapping with known keys.
func (d *decoder) section(n ast.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	if _, ok := reflect.TypeAssert[brief](v); ok && isNumber(n) {
		d.value(n, v.Field(fields[0].index), join(path, fields[0].name), fields[0])
		return
	}
	list, ok := pairs(n)
	if !ok {
		d.fault(placeOf(n), path, fault{"must be keys with values, not " + kindOf(n), "write, for example, " + fields[0].name + ": " + fields[0].shown()})
		return
	}
	if p, ok := reflect.TypeAssert[prefilled](v.Addr()); ok {
		p.prefill()
	}
	seen := make(map[string]place)
	for _, pair := range list {
		if d.full() {
			return
		}
		name, ok := d.key(pair, path)
		if !ok {
			continue
		}
		at := placeOf(pair)
		if first, twice := seen[name]; twice {
			d.fault(at, join(path, name), fault{fmt.Sprintf("is given twice, first on line %d", first.line), "remove one of them"})
			continue
		}
		seen[name] = at
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			d.unknown(at, name, path, fields)
			continue
		}
		d.value(pair.Value, v.Field(fields[i].index), join(path, name), fields[i])
	}
	for _, f := range fields {
		if _, given := seen[f.name]; !given {
			d.missing(v.Type().Field(f.index).Type, path, f)
		}
	}
}

// key reads a key's name and reports what cannot be one.
func (d *decoder) key(pair *ast.MappingValueNode, path string) (string, bool) {
	switch key := pair.Key.(type) {
	case *ast.StringNode:
		return key.Value, true
	case *ast.MergeKeyNode:
		d.fault(placeOf(pair), path, fault{"merge keys (<<) are not supported", "write the keys out where they are needed"})
	default:
		d.fault(placeOf(pair), path, fault{"this key is not a word", "write a key such as those in docs/configuration.md"})
	}
	return "", false
}

// unknown reports a key that the section does not have.
func (d *decoder) unknown(at place, name, path string, fields []field) {
	full := join(path, name)
	if f, ok := refused[element.ReplaceAllString(full, "[]")]; ok {
		d.fault(at, full, f)
		return
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	f := fault{message: "there is no such key"}
	if slices.Contains(names, name+"_file") {
		f = fault{"is a secret, and none stands in this file", fmt.Sprintf("write it into a file of its own, and %s_file with its path", name)}
	} else if near := nearest(name, names); near != "" {
		f.instead = "did you mean " + near + "?"
	} else if elsewhere := homes(d.root, name, ""); len(elsewhere) > 0 {
		f.instead = "it belongs at " + elsewhere[0]
	} else {
		f.instead = "the keys here are " + strings.Join(names, ", ")
	}
	d.fault(at, join(path, printable(name)), f)
}

// missing reports a required key that is not given, also inside of a section that is not given at all.
func (d *decoder) missing(t reflect.Type, path string, f field) {
	if f.required {
		instead := "write " + f.name + ": " + f.shown()
		if above := path[strings.LastIndex(path, ".")+1:]; !d.given(path) {
			instead = fmt.Sprintf("write %s: {%s: %s}", above, f.name, f.shown())
		}
		d.fault(d.at(path), join(path, f.name), fault{"is missing", instead})
		return
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for _, inner := range fieldsOf(t) {
		d.missing(t.Field(inner.index).Type, join(path, f.name), inner)
	}
}

// shown is what a suggestion shows as the key's value.
func (f field) shown() string {
	if f.example == "" {
		return "…"
	}
	return f.example
}

// maxList bounds a list: more rules or names than anybody has.
const maxList = 10_000

// list decodes a sequence.
func (d *decoder) list(n ast.Node, v reflect.Value, path string, f field) {
	items := []ast.Node{n}
	if sequence, ok := n.(*ast.SequenceNode); ok {
		items = sequence.Values
	} else if !v.Type().Implements(reflect.TypeFor[single]()) {
		d.fault(placeOf(n), path, fault{"must be a list, not " + kindOf(n), "write, for example, " + f.shown()})
		return
	}
	if len(items) == 0 && f.required {
		d.fault(placeOf(n), path, fault{"is empty", "write, for example, " + f.shown()})
	}
	if len(items) > maxList {
		d.fault(placeOf(n), path, fault{fmt.Sprintf("has more than %d elements", maxList), "write fewer"})
		return
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	element := field{name: f.name, low: f.low, high: f.high, oneOf: f.oneOf}
	for i, item := range items {
		if d.full() {
			return
		}
		d.value(item, list.Index(i), indexed(path, i), element)
	}
	v.Set(list)
}

// kindOf names what a node is, for one who wrote something else than was asked for.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.NullNode:
		return "nothing"
	default:
		return "text"
	}
}
