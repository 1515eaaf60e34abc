package config

import "fmt"

// RulesFile is the file of classification.rules_file.
type RulesFile struct {
	// The rules. They are tried before the built-in ones.
	Rules []ReplyRule `yaml:"rules" required:"true" example:"[{id: acme-busy, match: \"queue is busy\", reason: rate_limited, kind: transient}]"`
}

// ReplyRule turns replies of receiving servers into a reason. Its keys are those of the built-in rules.
type ReplyRule struct {
	// A name of your own for the rule.
	ID Name `yaml:"id" required:"true" example:"acme-busy"`
	// The provider whose replies the rule is about.
	Provider string `yaml:"provider" example:"microsoft"`
	// How early the rule is tried, after all other rules of yours with an earlier tier.
	Tier string `yaml:"tier" oneof:"ses,provider,gateway,dnsbl,phrase,status,reply" example:"provider"`
	// Whether the rule holds for replies of all servers (`any`) or of its provider's alone (`provider`).
	Scope string `yaml:"scope" oneof:"any,provider" example:"any"`
	// The reply codes that the rule holds for, such as 550, or 5xx for a class.
	Code []Code `yaml:"code" example:"[550, 554]"`
	// The enhanced status codes that the rule holds for, such as 5.7.1. A part may be a range (`5.7.606-649`) or `*`.
	Enhanced []Status `yaml:"enhanced" example:"[\"5.7.1\"]"`
	// A text that the reply holds, in lower case.
	Match string `yaml:"match" example:"queue is busy"`
	// A second text that the reply holds too.
	Also string `yaml:"also" example:"try again"`
	// Whether the text is a code made for machines, which goes before longer texts.
	Token bool `yaml:"token" example:"true"`
	// The reason, one of the closed list.
	Reason string `yaml:"reason" required:"true" example:"rate_limited"`
	// Whether the failure lasts. `by_class` leaves it to the reply code.
	Kind string `yaml:"kind" oneof:"permanent,transient,by_class" example:"transient"`
	// What to do about it, for people.
	Action string `yaml:"action" example:"Send more slowly."`
	// How sure the rule is.
	Evidence string `yaml:"evidence" oneof:"documented,documented_excerpt,observed,third_party,inferred" example:"observed"`
	// Where the reply was seen.
	Source string `yaml:"source" example:"https://postmaster.example.com/errors"`
	// A short name of the source.
	SourceID string `yaml:"source_id" example:"acme"`
	// Anything else worth knowing.
	Note string `yaml:"note" example:"seen since May"`
}

// loadRules reads the rules file, if there is one.
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
	if inner.decoded {
		checkReplyRules(inner, file.Rules)
	}
	c.Classification.Rules = file.Rules
	return inner.sorted()
}

func checkReplyRules(d *decoder, rules []ReplyRule) {
	seen := make(map[Name]int)
	for i, r := range rules {
		path := fmt.Sprintf("rules[%d]", i)
		if first, twice := seen[r.ID]; twice && r.ID != "" {
			d.fault(d.at(path+".id"), path+".id", fault{fmt.Sprintf("is the id of rules[%d] too", first), "give one of them another id"})
		}
		seen[r.ID] = i
		if r.Match == "" && len(r.Enhanced) == 0 && len(r.Code) == 0 {
			d.fault(d.at(path), path, fault{"nothing says which replies the rule is about", "write match, enhanced or code"})
		}
	}
}
