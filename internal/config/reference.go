package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Key describes one key of a file, for its documentation.
type Key struct {
	// Path is where the key stands; [] marks the elements of a list.
	Path string
	// Section and Field are the Go type and field whose comment explains the key.
	Section, Field string
	// Form says what the value is, Default what holds while the key is missing, Range and Example which values are possible.
	// Default is empty for a section; Required keys have none.
	Form, Default, Range, Example string
	Required                      bool
}

// Reference lists the keys of a configuration file and those of a rules file, in the order of the documentation.
func Reference() (configuration, rules []Key) {
	defaults := Default()
	configuration = describe(reflect.ValueOf(defaults).Elem(), "")
	return configuration, describe(reflect.ValueOf(&RulesFile{}).Elem(), "")
}

// describe lists the keys of a section that holds its defaults.
func describe(section reflect.Value, path string) []Key {
	var keys []Key
	t := section.Type()
	for _, f := range fieldsOf(t) {
		v := section.Field(f.index)
		key := Key{
			Path: join(path, f.name), Section: t.Name(), Field: t.Field(f.index).Name,
			Form: documentedForm(v.Type()), Range: f.documentedRange(), Example: f.example, Required: f.required,
		}
		if v.Kind() == reflect.Struct {
			keys = append(keys, key)
			keys = append(keys, describe(v, key.Path)...)
			continue
		}
		if !f.required {
			key.Default = f.documentedDefault(v)
		}
		keys = append(keys, key)
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
			element := reflect.New(v.Type().Elem())
			if p, ok := reflect.TypeAssert[prefilled](element); ok {
				p.prefill()
			}
			keys = append(keys, describe(element.Elem(), key.Path+"[]")...)
		}
	}
	return keys
}

func documentedForm(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		return "section"
	case reflect.Pointer:
		return formOf(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "a list of sections"
		}
		return "a list: " + formOf(t.Elem())
	default:
		return formOf(t)
	}
}

func (f field) documentedRange() string {
	if f.low != "" {
		return f.low + " to " + f.high
	}
	return strings.Join(f.oneOf, ", ")
}

func (f field) documentedDefault(v reflect.Value) string {
	switch {
	case f.unset != "":
		return f.unset
	case v.Kind() == reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flow(v.Index(i))
		}
		return "`[" + strings.Join(items, ", ") + "]`"
	case v.IsZero() && v.Kind() != reflect.Bool:
		return "none"
	default:
		return "`" + flow(v) + "`"
	}
}

// flow writes a value as a file would in one line, without the keys of a section that are not set.
func flow(v reflect.Value) string {
	if v.Kind() != reflect.Struct {
		return fmt.Sprint(v.Interface())
	}
	var parts []string
	for _, f := range fieldsOf(v.Type()) {
		if value := v.Field(f.index); !value.IsZero() {
			parts = append(parts, f.name+": "+flow(value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
