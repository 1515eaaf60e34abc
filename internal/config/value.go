package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// scalar is a single value with a form of its own. Printed with fmt.Sprint it is in the form that set reads.
type scalar interface {
	// set reads the value from a file's text.
	set(text string) *fault
	// form says in a few words what the value is, for the documentation.
	form() string
}

// unquoted is a scalar that may be written as a number or as true without quotes although it is text.
type unquoted interface{ takes(n ast.Node) bool }

// paragraphs is a scalar of several lines and a length of its own.
type paragraphs interface{ longest() int }

// maxText bounds a value. No URL, regular expression or path of use is longer.
const maxText = 2048

// scalar decodes a single value.
func (d *decoder) scalar(n ast.Node, v reflect.Value, path string, f field) {
	text, ok := textOf(n)
	if !ok {
		d.fault(placeOf(n), path, fault{fmt.Sprintf("must be %s, not %s", formOf(v.Type()), kindOf(n)), d.writeExample(f)})
		return
	}
	problem := fitting(text, v)
	if problem == nil {
		problem = setScalar(n, text, v)
	}
	if problem == nil {
		problem = f.bounds(text, v)
	}
	if problem == nil {
		return
	}
	if problem.instead == "" {
		problem.instead = d.writeExample(f)
	}
	d.fault(placeOf(n), path, *problem)
}

func (d *decoder) writeExample(f field) string {
	if f.example == "" {
		return ""
	}
	return "write, for example, " + f.example
}

// textOf is the text of a single value as it stands in the file, without its quotes.
func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

// fitting finds what is no part of a value: control characters and, but for paragraphs, line breaks; and more text than it has.
func fitting(text string, v reflect.Value) *fault {
	longest := maxText
	if p, ok := reflect.TypeAssert[paragraphs](v.Addr()); ok {
		longest, text = p.longest(), strings.ReplaceAll(text, "\n", " ")
	}
	switch {
	case len(text) > longest:
		return &fault{fmt.Sprintf("is longer than %d characters", longest), "write less"}
	case strings.ContainsFunc(text, unicode.IsControl):
		return &fault{"holds a line break or another control character", "write it on one line"}
	default:
		return nil
	}
}

// setScalar reads text into v. A value that needs quotes to be text is refused without them, for what YAML makes of
// `version: 1.10` is a surprise.
func setScalar(n ast.Node, text string, v reflect.Value) *fault {
	if s, ok := reflect.TypeAssert[scalar](v.Addr()); ok {
		if f := s.set(text); f != nil {
			return f
		}
		u, ok := s.(unquoted)
		if v.Kind() == reflect.String && !(ok && u.takes(n)) {
			return needsQuotes(n, text)
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return setBool(n, text, v)
	case reflect.Int:
		return setInt(n, text, v)
	case reflect.Float64:
		return setFloat(n, text, v)
	default:
		v.SetString(text)
		return needsQuotes(n, text)
	}
}

func needsQuotes(n ast.Node, text string) *fault {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return nil
	default:
		return &fault{fmt.Sprintf("must be text, not %s", kindOf(n)), fmt.Sprintf("write %q", text)}
	}
}

func setBool(n ast.Node, text string, v reflect.Value) *fault {
	if b, ok := n.(*ast.BoolNode); ok {
		v.SetBool(b.Value)
		return nil
	}
	switch strings.ToLower(text) {
	case "true", "false":
		return &fault{"must be true or false, without quotes", "write " + strings.ToLower(text)}
	case "yes", "on", "y", "1":
		return &fault{fmt.Sprintf("must be true or false, not %s", quoted(text)), "write true"}
	case "no", "off", "n", "0":
		return &fault{fmt.Sprintf("must be true or false, not %s", quoted(text)), "write false"}
	default:
		return &fault{fmt.Sprintf("must be true or false, not %s", quoted(text)), "write true or false"}
	}
}

func setInt(n ast.Node, text string, v reflect.Value) *fault {
	i, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil {
		return &fault{fmt.Sprintf("must be a whole number, not %s", quoted(text)), ""}
	}
	if _, ok := n.(*ast.IntegerNode); !ok {
		return &fault{"must be a whole number, not text", fmt.Sprintf("write %d", i)}
	}
	v.SetInt(i)
	return nil
}

func setFloat(n ast.Node, text string, v reflect.Value) *fault {
	x, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return &fault{fmt.Sprintf("must be a number, not %s", quoted(text)), ""}
	}
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		v.SetFloat(x)
		return nil
	default:
		return &fault{"must be a number, not text", "write " + strconv.FormatFloat(x, 'g', -1, 64)}
	}
}

// bounds checks a value against the tags of its key.
func (f field) bounds(text string, v reflect.Value) *fault {
	if len(f.oneOf) > 0 && !slices.Contains(f.oneOf, text) {
		instead := "write one of " + strings.Join(f.oneOf, ", ")
		if near := nearest(text, f.oneOf); near != "" {
			instead = "did you mean " + near + "?"
		}
		return &fault{fmt.Sprintf("%s is not possible here", quoted(text)), instead}
	}
	if f.low == "" {
		return nil
	}
	low, high := bound(f.low, v.Type()), bound(f.high, v.Type())
	if n := number(v); n < low || n > high {
		near := f.low
		if n > high {
			near = f.high
		}
		return &fault{fmt.Sprintf("must be from %s to %s, not %s", f.low, f.high, printable(text)), "write " + near}
	}
	return nil
}

// bound reads one end of a range in the form of the type that it bounds. The tests read every range, so it cannot fail.
func bound(text string, t reflect.Type) float64 {
	v := reflect.New(t)
	if s, ok := reflect.TypeAssert[scalar](v); ok {
		s.set(text)
		return number(v.Elem())
	}
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

// number is a value that has a range. All of them are far below what a float64 holds to the last digit that matters.
func number(v reflect.Value) float64 {
	if v.CanFloat() {
		return v.Float()
	}
	return float64(v.Int())
}

// formOf says in a few words what a value of that type is.
func formOf(t reflect.Type) string {
	if s, ok := reflect.TypeAssert[scalar](reflect.New(t)); ok {
		return s.form()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "text"
	}
}

// quoted is a value as a problem quotes it: short, and without anything that could disturb a terminal.
func quoted(text string) string { return `"` + printable(text) + `"` }

// password is what may stand before the host of a URL: a problem may end up in a log, so it does not repeat that.
var password = regexp.MustCompile(`//[^/@\s]*@`)

func printable(text string) string {
	const longest = 60
	text = password.ReplaceAllString(text, "//…@")
	text = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, text)
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}
