package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/internal/mailbox"
)

// RulesFile is the file of classification.rules_file.
type RulesFile struct {
	// The rules. The first that fits decides; they are tried before the built-in ones.
	Rules []ReplyRule `yaml:"rules" required:"true" example:"[{id: acme-busy, match: \"queue is busy\", reason: rate_limited}]"`
}

// ReplyRule turns replies of receiving servers into a reason. All that it states must hold.
type ReplyRule struct {
	// A name of your own for the rule: letters a-z, digits, `.`, `-` and `_`.
	ID string `yaml:"id" required:"true" example:"acme-busy"`
	// The provider whose replies the rule is about; any, when it is missing.
	Provider string `yaml:"provider" example:"microsoft"`
	// The reply codes that the rule holds for, such as 550, or 5xx for a class.
	Code []Code `yaml:"code" example:"[550, 554]"`
	// The enhanced status codes that the rule holds for, such as 5.7.1. The last part may be a range (`5.7.606-649`) or `*`.
	Enhanced []Status `yaml:"enhanced" example:"[\"5.7.1\"]"`
	// A text that the reply holds, in any case.
	Match string `yaml:"match" example:"queue is busy"`
	// A second text that the reply holds too.
	Also string `yaml:"also" example:"try again"`
	// The reason, one of the closed list.
	Reason string `yaml:"reason" required:"true" example:"rate_limited"`
	// Whether the failure lasts. `by_class` leaves it to the reply code: 5xx lasts, 4xx does not.
	Kind string `yaml:"kind" oneof:"permanent,transient,by_class" example:"transient"`
	// What to do about it, for people.
	Action string `yaml:"action" example:"Send more slowly."`
	// Where the reply was seen, for people.
	Source string `yaml:"source" example:"https://postmaster.example.com/errors"`
	// Anything else worth knowing, for people.
	Note string `yaml:"note" example:"seen since May"`
}

// loadRules reads the rules file, if there is one, and returns its problems.
func loadRules(c *Config, d *decoder) []Problem {
	if c.Classification.RulesFile == "" {
		return nil
	}
	const path = "classification.rules_file"
	name := string(c.Classification.RulesFile)
	data, f := readFile(name)
	if f != nil {
		f.message = name + ": " + f.message
		d.fault(d.at(path), path, *f)
		return nil
	}
	var file RulesFile
	inner := decodeFile(name, data, &file)
	c.Classification.Rules = file.Rules
	inner.checkReplyRules(c.MailboxRules())
	return inner.sorted()
}

// MailboxRules are the rules of the rules file, in the words of the package that applies them.
func (c *Config) MailboxRules() []mailbox.Rule {
	rules := make([]mailbox.Rule, len(c.Classification.Rules))
	for i, r := range c.Classification.Rules {
		rules[i] = r.rule()
	}
	return rules
}

// checkReplyRules hands the rules to the classifier, which knows what they may say. It names one fault at a time, so that one
// is put right and all are tried again, up to the number of problems that anybody would read. A key whose value could not be
// decoded has been reported already.
func (d *decoder) checkReplyRules(rules []mailbox.Rule) {
	for range maxProblems {
		_, err := mailbox.New(rules...)
		var wrong *mailbox.RuleError
		if !errors.As(err, &wrong) || wrong.Index >= len(rules) {
			return
		}
		path := indexed("rules", wrong.Index)
		if key, f := ruleFault(rules[wrong.Index], wrong); !d.faultsBelow(path + "." + key) {
			d.fault(d.at(path+"."+key), path+"."+key, f)
		}
		putRight(&rules[wrong.Index], wrong)
	}
}

// rule is the rule in the words of the classifier.
func (r ReplyRule) rule() mailbox.Rule {
	out := mailbox.Rule{ID: r.ID, Provider: r.Provider, Match: r.Match, Also: r.Also, Reason: r.Reason, Kind: r.Kind, Action: r.Action}
	if r.Kind == "by_class" {
		out.Kind = ""
	}
	for _, code := range r.Code {
		out.Codes = append(out.Codes, string(code))
	}
	for _, status := range r.Enhanced {
		out.Statuses = append(out.Statuses, string(status))
	}
	return out
}

// ruleFault turns what the classifier says of a rule into the words of the file.
func ruleFault(r mailbox.Rule, wrong *mailbox.RuleError) (key string, f fault) {
	f = fault{message: wrong.Problem}
	switch wrong.Field {
	case "codes":
		return "code", f
	case "statuses":
		return "enhanced", f
	case "id":
		f.instead = "give the rule an id of its own"
	case "match":
		f.instead = "write a text that the reply holds"
		if r.Match == "" {
			f.message = "nothing says which replies the rule is about"
			f.instead = "write match, code or enhanced"
		}
	case "reason":
		f.instead = "write one of " + strings.Join(reasonNames(), ", ")
	case "provider":
		f.instead = "write the id of a provider, or remove the key"
	}
	return wrong.Field, f
}

// putRight replaces the wrong value of a rule by one that is fine.
func putRight(r *mailbox.Rule, wrong *mailbox.RuleError) {
	switch wrong.Field {
	case "codes":
		r.Codes = []string{"550"}
	case "statuses":
		r.Statuses = []string{"5.7.1"}
	case "id":
		r.ID = fmt.Sprintf("rule-%d.of-the-file", wrong.Index)
	case "match":
		r.Match = "any text"
	case "also":
		r.Also = ""
	case "kind":
		r.Kind = ""
	case "reason":
		r.Reason = mailbox.ReasonUnknown
	case "provider":
		r.Provider = ""
	}
}

func reasonNames() []string {
	var names []string
	for _, r := range mailbox.Reasons() {
		names = append(names, r.Name)
	}
	return names
}
