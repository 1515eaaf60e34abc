package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The parser calls itself for every level and for every key of a block, and takes time by the square of
// the latter, so both are counted before it runs.
const (
	maxFileSize  = 1 << 20
	maxDepth     = 50
	maxBlockKeys = 10_000
)

// parse reads a file into a tree. It reports what makes that impossible and returns nil then.
func parse(data []byte, r *reporter) ast.Node {
	if at, f := unreadable(data); f != nil {
		r.fault(at, "", *f)
		return nil
	}
	tokens := lexer.Tokenize(strings.TrimPrefix(string(data), "\ufeff"))
	if at, f := tooMuch(tokens); f != nil {
		r.fault(at, "", *f)
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		at, f := syntaxFault(err)
		r.fault(at, "", f)
		return nil
	}
	if len(file.Docs) > 1 {
		second := file.Docs[1]
		r.fault(placeOf(second), "", fault{"a second document starts here, but a configuration is one document",
			"remove the --- and what follows it, or merge the two"})
	}
	if len(file.Docs) == 0 || isEmpty(file.Docs[0].Body) {
		r.fault(place{}, "", fault{"the file is empty", "write at least the keys that docs/configuration.md calls required"})
		return nil
	}
	return file.Docs[0].Body
}

func isEmpty(body ast.Node) bool {
	switch body.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode:
		return true
	default:
		return false
	}
}

// parseTokens runs the parser. Its authors fix panics as they are found; until then one must not take down a running daemon
// that was asked to read its file again.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its structure could not be understood")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// unreadable finds what makes a file no text at all.
func unreadable(data []byte) (place, *fault) {
	switch {
	case len(data) > maxFileSize:
		return place{}, &fault{fmt.Sprintf("the file is larger than %s", Size(maxFileSize)), "give the configuration file"}
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return place{}, &fault{"the file is in UTF-16", "save it as UTF-8"}
	}
	line, column := 1, 1
	for rest := data; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			return place{line, column}, &fault{"the file is not in UTF-8", "save it as UTF-8"}
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7F:
			return place{line, column}, &fault{fmt.Sprintf("there is a control character (%U) here", c), "remove it"}
		case c == '\n':
			line, column = line+1, 0
		}
		column++
		rest = rest[size:]
	}
	return place{}, nil
}

// tooMuch finds where a file goes beyond the bounds.
func tooMuch(tokens token.Tokens) (place, *fault) {
	flow, run, keys := 0, 0, 0
	for _, t := range tokens {
		run++
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
		case token.MappingValueType:
			if flow <= 0 {
				keys++
			}
			run = 0
		default:
			run = 0
		}
		if flow > maxDepth || run > maxDepth || (flow <= 0 && t.Position.Column > 4*maxDepth && startsLine(t) && t.Type != token.CommentType) {
			return placeOfToken(t), &fault{fmt.Sprintf("values are nested more than %d deep", maxDepth), "see docs/configuration.md for what goes where"}
		}
		if keys > maxBlockKeys {
			return placeOfToken(t), &fault{fmt.Sprintf("the file has more than %d keys", maxBlockKeys), "give the configuration file"}
		}
	}
	return place{}, nil
}

func startsLine(t *token.Token) bool {
	return t.Prev == nil || t.Prev.Position.Line < t.Position.Line
}

// plainSyntax says in other words what the parser says in YAML's own. A part is a piece of the parser's text.
var plainSyntax = []struct{ part, message, instead string }{
	{"'\t'", "a tab is used here", "indent with spaces"},
	{"tab character", "a tab is used here", "indent with spaces"},
	{"mapping value is not allowed in this context", "there are two keys on one line", "put the second on a line of its own, or put the value in quotes"},
	{"map key-value is pre-defined", "this does not belong to the value before it", "check how far the line is indented, or put the whole value in quotes"},
	{"non-map value is specified", "this is not a key with a value", "write key: value, with a blank after the colon"},
	{"unexpected key name", "this is not a key with a value", "write key: value, with a blank after the colon"},
	{"invalid key", "this cannot be a key", "write key: value"},
	{"cannot start any token", "a value cannot start with this character", "put the value in quotes"},
	{"could not find end character of single-quoted text", "the quote that starts here is never closed", "write ' at its end"},
	{"could not find end character of double-quoted text", "the quote that starts here is never closed", `write " at its end`},
	{"',' or '}' must be specified", "a comma or the closing } is missing before this", "write it"},
	{"',' or ']' must be specified", "a comma or the closing ] is missing before this", "write it"},
	{"flow map", "the { is never closed", "write } at its end"},
	{"sequence end token ']' not found", "the [ is never closed", "write ] at its end"},
}

func syntaxFault(err error) (place, fault) {
	var detail yaml.Error
	if !errors.As(err, &detail) {
		return place{}, fault{message: "the file is not YAML: " + err.Error()}
	}
	at, message := placeOfToken(detail.GetToken()), detail.GetMessage()
	// A key that is indented too far is read as more of the value above it, and refused at that value.
	if t := detail.GetToken(); t != nil && strings.Contains(message, "mapping value is not allowed") && strings.Contains(strings.TrimSpace(t.Origin), "\n") {
		return at, fault{"the line after this value is read as a part of it", "indent that line no more than this one"}
	}
	for _, s := range plainSyntax {
		if strings.Contains(message, s.part) {
			return at, fault{s.message, s.instead}
		}
	}
	return at, fault{message: "this is not YAML: " + printable(message)}
}

// placeOf is where a node starts.
func placeOf(n ast.Node) place {
	switch n := n.(type) {
	case *ast.DocumentNode:
		if n.Start != nil || n.Body == nil {
			return placeOfToken(n.Start)
		}
		return placeOf(n.Body)
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return placeOf(n.Values[0])
		}
	case *ast.MappingValueNode:
		return placeOfToken(n.Key.GetToken())
	case nil:
		return place{}
	}
	return placeOfToken(n.GetToken())
}

func placeOfToken(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}
