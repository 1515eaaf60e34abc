package config

import (
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml/ast"
)

// Code is a reply code of SMTP, such as 550, or a class of them, such as 5xx.
type Code string

var codeForm = regexp.MustCompile(`^[45](\d\d|xx)$`)

func (c *Code) set(text string) *fault {
	if !codeForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not a reply code of a failure", quoted(text)), "write 400 to 599, or 4xx or 5xx"}
	}
	*c = Code(text)
	return nil
}

func (c *Code) takes(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode:
		return true
	default:
		return false
	}
}

func (*Code) form() string { return "a reply code" }

// Status is an enhanced status code (RFC 3463), such as 5.7.1, or a range of them.
type Status string

var statusForm = regexp.MustCompile(`^[45]\.\d{1,3}\.(\d{1,3}(-\d{1,3})?|\*)$`)

func (s *Status) set(text string) *fault {
	if !statusForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not an enhanced status code", quoted(text)), "write, for example, 5.7.1, 5.7.606-649 or 4.7.*"}
	}
	*s = Status(text)
	return nil
}

func (*Status) form() string { return "an enhanced status code" }
