package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"path"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/mailvane/mailvane/internal/campaign"
)

const day = 24 * time.Hour

// Duration is a length of time such as 90s, 6h or 14d.
type Duration time.Duration

// durationUnits are from the longest down, the order in which String writes them.
var durationUnits = [...]struct {
	name string
	span time.Duration
}{{"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

var durationForm = regexp.MustCompile(`^(\d+(w|d|h|ms|m|s))+$`)
var durationPart = regexp.MustCompile(`(\d+)(w|d|h|ms|m|s)`)

func (d *Duration) set(text string) *fault {
	if _, err := strconv.ParseUint(text, 10, 32); err == nil {
		return &fault{fmt.Sprintf("%s has no unit", text), fmt.Sprintf("write %ss for seconds or %sm for minutes", text, text)}
	}
	if !durationForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not a length of time", quoted(text)), "write a number and a unit (s, m, h, d or w), such as 90s, 6h or 14d"}
	}
	var total time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(part[1], 10, 64)
		span := unitSpan(part[2])
		if err != nil || n > int64((math.MaxInt64-total)/span) {
			return &fault{fmt.Sprintf("%s is too long", quoted(text)), ""}
		}
		total += time.Duration(n) * span
	}
	*d = Duration(total)
	return nil
}

func unitSpan(name string) time.Duration {
	for _, u := range durationUnits {
		if u.name == name {
			return u.span
		}
	}
	return 0
}

// String writes the duration in the largest units that fit, weeks excepted: 30d, 1h30m.
func (d Duration) String() string {
	rest, text := time.Duration(d), ""
	for _, u := range durationUnits[1:] {
		if n := rest / u.span; n > 0 {
			text += strconv.FormatInt(int64(n), 10) + u.name
			rest -= n * u.span
		}
	}
	if text == "" {
		return "0s"
	}
	return text
}

func (*Duration) form() string { return "a length of time" }

// Size is a number of bytes such as 256MiB.
type Size int64

var sizeUnits = [...]struct {
	name string
	n    int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

func (s *Size) set(text string) *fault {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.n {
			break
		}
		*s = Size(n * u.n)
		return nil
	}
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return &fault{fmt.Sprintf("%s has no unit", text), fmt.Sprintf("write %s", Size(n))}
	}
	return &fault{fmt.Sprintf("%s is not a size", quoted(text)), "write a whole number and a unit (B, KiB, MiB or GiB), such as 256MiB"}
}

// String writes the size in the largest unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.n == 0 {
			return strconv.FormatInt(int64(s)/u.n, 10) + u.name
		}
	}
	return "0B"
}

func (*Size) form() string { return "a size" }

// Regexp is a regular expression in RE2's syntax.
type Regexp string

// maxRegexp bounds what a regular expression costs to build and to run. It is in instructions of its program, of which one
// of a hundred characters has about a hundred.
const maxRegexp = 1000

func (r *Regexp) set(text string) *fault {
	if text == "" {
		return &fault{"is empty", ""}
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return &fault{"is not a regular expression: " + regexpFault(err), ""}
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > maxRegexp {
		return &fault{"is too large a regular expression", "write a shorter one, with smaller {n} repeats"}
	}
	*r = Regexp(text)
	return nil
}

func regexpFault(err error) string {
	detail, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return err.Error()
	}
	if detail.Code == syntax.ErrInvalidPerlOp {
		return fmt.Sprintf("%s is not supported (there is no looking ahead or behind)", quoted(detail.Expr))
	}
	return fmt.Sprintf("%s: %s", detail.Code, quoted(detail.Expr))
}

func (*Regexp) form() string { return "a regular expression" }

// TrueOrRegexp is "true" for the whole of a value, or a regular expression that takes a part of it.
type TrueOrRegexp string

func (t *TrueOrRegexp) set(text string) *fault {
	if text == "false" {
		return &fault{"must be true or a regular expression, not false", "write true, or remove the rule"}
	}
	return (*Regexp)(t).set(text)
}

func (t *TrueOrRegexp) takes(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode, *ast.BoolNode:
		return true
	default:
		return false
	}
}

func (*TrueOrRegexp) form() string { return "true or a regular expression" }

// Glob is a name in which * stands for any text and ? for one character.
type Glob string

func (g *Glob) set(text string) *fault {
	if _, err := campaign.NewMatcher([]string{text}); err != nil {
		return &fault{strings.TrimPrefix(err.Error(), "[0]: "), "write a name; * stands for any text"}
	}
	*g = Glob(text)
	return nil
}

func (*Glob) form() string { return "a name with *" }

// Name is a name that the user gives to something: it is an attribute of metrics.
type Name string

var nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN _.:/@-]{0,63}$`)

func (n *Name) set(text string) *fault {
	if !nameForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not a name", quoted(text)), "write up to 64 letters, digits, blanks and _ . : / @ -, a letter or digit first"}
	}
	*n = Name(text)
	return nil
}

func (*Name) form() string { return "a name" }

// Path is a path of a file. After Load it is relative to nothing but the working directory.
type Path string

func (p *Path) set(text string) *fault {
	if text == "" || strings.HasSuffix(text, "/") || path.Base(text) == ".." || path.Base(text) == "." {
		return &fault{fmt.Sprintf("%s is not the path of a file", quoted(text)), ""}
	}
	if strings.HasPrefix(text, "~") {
		return &fault{"~ does not stand for a home folder here", "write the whole path"}
	}
	*p = Path(text)
	return nil
}

func (*Path) form() string { return "a path" }

// Zone is an IANA time zone such as Europe/Berlin.
type Zone string

func (z *Zone) set(text string) *fault {
	if text == "" || text == "Local" {
		return &fault{"must name a time zone", "write UTC or, for example, Europe/Berlin"}
	}
	if _, err := time.LoadLocation(text); err != nil {
		return &fault{fmt.Sprintf("there is no time zone %s", quoted(text)), "write UTC or, for example, Europe/Berlin"}
	}
	*z = Zone(text)
	return nil
}

func (*Zone) form() string { return "a time zone" }

// Address is a host and a port to listen on. Without a host it means every address of the machine.
type Address string

func (a *Address) set(text string) *fault {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		if _, err := strconv.ParseUint(text, 10, 16); err == nil {
			return &fault{fmt.Sprintf("%s is a port without a host", text), fmt.Sprintf("write %q", "127.0.0.1:"+text)}
		}
		return &fault{fmt.Sprintf("%s is not a host and a port", quoted(text)), `write, for example, "127.0.0.1:9464"`}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return &fault{fmt.Sprintf("%s is not a port", quoted(port)), "write a number up to 65535"}
	}
	if strings.ContainsAny(host, " /@") {
		return &fault{fmt.Sprintf("%s is not a host", quoted(host)), ""}
	}
	*a = Address(text)
	return nil
}

// ParseAddress reads an address that was given elsewhere than in a file; the error says what to write instead.
func ParseAddress(text string) (Address, error) {
	var a Address
	if f := a.set(text); f != nil {
		return "", errors.New(Problem{Message: f.message, Instead: f.instead}.text())
	}
	return a, nil
}

func (*Address) form() string { return "a host and a port" }

// Local says whether only this machine can reach the address.
func (a Address) Local() bool {
	host, _, _ := net.SplitHostPort(string(a))
	return localHost(host)
}

func localHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// URL is an address for browsers.
type URL string

func (u *URL) set(text string) *fault {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || !webScheme(parsed):
		return &fault{fmt.Sprintf("%s is not a URL", quoted(text)), ""}
	case parsed.User != nil:
		return &fault{"must not hold a user or a password", "remove what stands before the @"}
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return &fault{"must end with the path", "remove what follows the ? or the #"}
	}
	*u = URL(strings.TrimSuffix(text, "/"))
	return nil
}

func webScheme(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// Encrypted says whether what is sent there can be read by nobody on the way; nobody is on the way to this machine.
func (u URL) Encrypted() bool {
	parsed, err := url.Parse(string(u))
	return err != nil || parsed.Scheme != "http" || localHost(parsed.Hostname())
}

func (*URL) form() string { return "a URL" }
