package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Domain is the name of a domain, in lower case and ASCII.
type Domain string

// Names of mail domains may hold underscores, although names of hosts do not (RFC 2181, section 11).
var domainForm = regexp.MustCompile(`^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// maxDomain is the longest name that the DNS has (RFC 1035, section 2.3.4), as text.
const maxDomain = 253

func (d *Domain) set(text string) *fault {
	lower := strings.ToLower(text)
	switch {
	case len(text) <= maxDomain && domainForm.MatchString(text):
		*d = Domain(text)
		return nil
	case len(lower) <= maxDomain && domainForm.MatchString(lower):
		return &fault{fmt.Sprintf("%s is not in lower case", quoted(text)), "write " + lower}
	case strings.ContainsFunc(text, func(c rune) bool { return c > 127 }):
		return &fault{fmt.Sprintf("%s is not in ASCII", quoted(text)), "write its form that starts with xn--"}
	default:
		return &fault{fmt.Sprintf("%s is not the name of a domain", quoted(text)), ""}
	}
}

func (*Domain) form() string { return "the name of a domain" }

// Mailbox is a mail address.
type Mailbox string

var mailboxForm = regexp.MustCompile(`^[^\s@<>()",:;\\\[\]]{1,64}@[A-Za-z0-9.-]{1,253}$`)

func (m *Mailbox) set(text string) *fault {
	if !mailboxForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not a mail address", quoted(text)), ""}
	}
	*m = Mailbox(text)
	return nil
}

func (*Mailbox) form() string { return "a mail address" }
