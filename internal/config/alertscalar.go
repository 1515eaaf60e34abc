package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/signal"
)

// SignalName is the name of a signal that a rule can watch.
type SignalName string

func (s *SignalName) set(text string) *fault {
	if _, ok := alerts.ParseSignal(text); !ok {
		var names []string
		for _, signal := range alerts.Signals() {
			names = append(names, signal.String())
		}
		instead := `write one of the table "Signals" in docs/configuration.md`
		if near := nearest(text, names); near != "" {
			instead = "did you mean " + near + "?"
		}
		return &fault{fmt.Sprintf("there is no signal %s", quoted(text)), instead}
	}
	*s = SignalName(text)
	return nil
}

func (*SignalName) form() string { return "a signal" }

// ByName says what gets an alert of its own.
type ByName string

func (b *ByName) set(text string) *fault {
	if _, ok := alerts.ParseBy(text); !ok {
		return &fault{fmt.Sprintf("%s is nothing that figures are told apart by", quoted(text)), `see "by" in the table "Signals" of docs/configuration.md`}
	}
	*b = ByName(text)
	return nil
}

func (*ByName) form() string { return "what figures are told apart by" }

// Window is a span of send time that a figure speaks of.
type Window string

func (w *Window) set(text string) *fault {
	var span Duration
	f := span.set(text)
	for _, known := range signal.Windows() {
		if f == nil && known.Span() == time.Duration(span) {
			*w = Window(known.String())
			return nil
		}
	}
	return &fault{fmt.Sprintf("there is no window %s", quoted(text)), "write 1h, 24h or 7d"}
}

func (*Window) form() string { return "a window: 1h, 24h or 7d" }

// Threshold is the place of a line, in the form that the signal's unit has.
type Threshold string

var thresholdForm = regexp.MustCompile(`^(?:\d{1,15}(?:\.\d{1,15})?(?: ?%)?|(?:\d{1,9}(?:w|d|h|ms|m|s))+)$`)

func (t *Threshold) set(text string) *fault {
	if !thresholdForm.MatchString(text) {
		return &fault{fmt.Sprintf("%s is not the place of a line", quoted(text)), "write a percentage such as 0.1%, a number or a length of time such as 15m"}
	}
	*t = Threshold(text)
	return nil
}

func (*Threshold) takes(n ast.Node) bool { return isNumber(n) }

func (*Threshold) form() string { return "a percentage, a number or a length of time" }

// value is the threshold in the signal's unit.
func (t Threshold) value(unit alerts.Unit) (float64, *fault) {
	if unit == alerts.Seconds {
		var d Duration
		f := d.set(string(t))
		return time.Duration(d).Seconds(), f
	}
	v, err := alerts.ParseValue(string(t), unit)
	if err != nil {
		return 0, &fault{message: err.Error()}
	}
	return v, nil
}

func isNumber(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.LiteralNode:
		return true
	default:
		return false
	}
}

// Share is a part of a whole, from 0 to 1.
type Share float64

func (s *Share) set(text string) *fault {
	v, err := alerts.ParseValue(text, alerts.Ratio)
	if err != nil {
		return &fault{err.Error(), ""}
	}
	*s = Share(v)
	return nil
}

func (*Share) form() string { return "a percentage" }

// DaysOf is a number of days out of the last ones, such as 2 of 3.
type DaysOf string

func (o *DaysOf) set(text string) *fault {
	if _, err := alerts.ParseOf(text); err != nil {
		return &fault{err.Error(), ""}
	}
	*o = DaysOf(text)
	return nil
}

func (*DaysOf) form() string { return "days out of days" }

// Hours are spans of the week, such as "Mon-Fri 08:00-18:00, Sat 10:00-14:00".
type Hours string

func (h *Hours) set(text string) *fault {
	if _, err := alerts.ParseHours(text, time.UTC); err != nil {
		return &fault{err.Error(), ""}
	}
	*h = Hours(text)
	return nil
}

func (*Hours) form() string { return "spans of the week" }

// Template is a text with fields to fill in. It may have several lines.
type Template string

// maxTemplate bounds a template, as package alerts does.
const maxTemplate = 4096

func (t *Template) set(text string) *fault {
	*t = Template(text)
	return nil
}

func (*Template) longest() int { return maxTemplate }

func (*Template) form() string { return "a template" }

// SecretFile is the path of a file that holds a secret. After Load it is relative to nothing but the working directory.
type SecretFile string

// secretForm is that of what is no path and no name but the secret itself: addresses, keys of webhooks, tokens of Slack, keys
// in base64, and those of PagerDuty.
var secretForm = regexp.MustCompile(`://|^whsec_|^xox|^[0-9A-Za-z+/]{20,}==?$|^[0-9A-Za-z]{32}$`)

// looksSecret says whether the text may be a secret. No problem quotes such a text.
func looksSecret(text string) bool { return secretForm.MatchString(text) }

func (s *SecretFile) set(text string) *fault {
	if looksSecret(text) {
		return &fault{"is the path of a file, and this looks like the secret itself", "write the secret into a file of its own, and its path here"}
	}
	return (*Path)(s).set(text)
}

func (*SecretFile) form() string { return "a path" }

// Variable is the name of an environment variable.
type Variable string

var variableForm = regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,127}$`)

func (v *Variable) set(text string) *fault {
	if looksSecret(text) || !variableForm.MatchString(text) {
		return &fault{"is not the name of an environment variable: capital letters, digits and _", ""}
	}
	*v = Variable(text)
	return nil
}

func (*Variable) form() string { return "the name of an environment variable" }

// MailAddress is a mail address with or without a name before it.
type MailAddress string

func (m *MailAddress) set(text string) *fault {
	if _, err := mail.ParseAddress(text); err != nil {
		return &fault{fmt.Sprintf("%s is not a mail address", quoted(text)), "write, for example, oncall@example.com"}
	}
	*m = MailAddress(text)
	return nil
}

func (*MailAddress) form() string { return "a mail address, with or without a name" }

// Lists of which one element may stand alone.
type (
	// Names are names of notifiers.
	Names []Name
	// Globs are names in which * stands for any text; one of them must fit.
	Globs []Glob
	// URLs are addresses.
	URLs []URL
	// MailAddresses are mail addresses.
	MailAddresses []MailAddress
)

func (Floors) brief() {}

func (Names) single()         {}
func (Globs) single()         {}
func (URLs) single()          {}
func (MailAddresses) single() {}

// Entry is an element of a list that a file writes as keys with values: the key, which is a name that the user gives, and its
// value.
type Entry[V any] struct {
	Name  string
	Value V
}

// Labels are names with texts.
type Labels []Entry[string]

var labelForm = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

func (Labels) setName(text string) *fault {
	if !labelForm.MatchString(text) {
		return &fault{"is not the name of a label", "write up to 64 letters, digits and _, no digit first"}
	}
	return nil
}

func (Labels) form() string { return "labels with their values" }

// Matchers are labels, each with the values of which one must fit; a label with ! at its end is one of which none may.
type Matchers []Entry[Globs]

func (Matchers) setName(text string) *fault {
	return Labels(nil).setName(strings.TrimSuffix(text, "!"))
}

func (Matchers) form() string { return "labels with names with *" }

// Notifiers are the notifiers by name, in the order of the file.
type Notifiers []Entry[Notifier]

func (Notifiers) setName(text string) *fault { return new(Name).set(text) }

func (Notifiers) form() string { return "sections with names" }

// Secret is where a secret is found: a file or an environment variable. Both are empty for one that is not given.
type Secret struct {
	File SecretFile
	Env  Variable
}
