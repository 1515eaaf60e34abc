// Command generate turns the reference data of internal/mailbox/data into the Go tables that the mailbox package is
// compiled with, so that no YAML is read at run time. It is run by go generate in internal/mailbox.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

func main() {
	log.SetFlags(0)
	files, err := generate("data")
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// diagnostics holds what is used of smtp-diagnostics.yaml.
type diagnostics struct {
	Tiers       []string      `yaml:"tiers"`
	Reasons     yaml.MapSlice `yaml:"reasons"`
	BounceTypes []sesType     `yaml:"ses_bounce_types"`
	DelayTypes  []sesType     `yaml:"ses_delay_types"`
	Rejects     []sesType     `yaml:"ses_reject_reasons"`
	Rules       []rule        `yaml:"rules"`
}

// sesType is an entry of one of the three tables of SES's own types: a bounce type, a delay type or a reject reason.
type sesType struct {
	Type      string `yaml:"type"`
	SubType   string `yaml:"sub_type"`
	DelayType string `yaml:"delay_type"`
	Match     string `yaml:"match"`
	Reason    string `yaml:"reason"`
	Kind      string `yaml:"kind"`
}

type rule struct {
	ID       string   `yaml:"id"`
	Provider string   `yaml:"provider"`
	Tier     string   `yaml:"tier"`
	Scope    string   `yaml:"scope"`
	Code     []string `yaml:"code"`
	Enhanced []string `yaml:"enhanced"`
	Match    string   `yaml:"match"`
	Also     string   `yaml:"also"`
	Token    bool     `yaml:"token"`
	Reason   string   `yaml:"reason"`
	Kind     string   `yaml:"kind"`
	Action   string   `yaml:"action"`
}

// providers holds what is used of mailbox-providers.yaml.
type providers struct {
	Providers []struct {
		ID          string   `yaml:"id"`
		Name        string   `yaml:"name"`
		Kind        string   `yaml:"kind"`
		Platform    string   `yaml:"platform"`
		Domains     []string `yaml:"domains"`
		DomainsWeak []string `yaml:"domains_weak"`
		FBL         struct {
			ReachesSES string `yaml:"reaches_ses"`
		} `yaml:"fbl"`
	} `yaml:"providers"`
}

// generate returns the generated files by name, made from the data in dir.
func generate(dir string) (map[string][]byte, error) {
	var d diagnostics
	if err := load(filepath.Join(dir, "smtp-diagnostics.yaml"), &d); err != nil {
		return nil, err
	}
	var p providers
	if err := load(filepath.Join(dir, "mailbox-providers.yaml"), &p); err != nil {
		return nil, err
	}
	rules, err := writeRules(&d)
	if err != nil {
		return nil, err
	}
	domains, err := writeProviders(&p)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"rules_gen.go": rules, "providers_gen.go": domains}, nil
}

func load(path string, into any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		return fmt.Errorf("parse %s: %w", path, err)
	}
	return nil
}

// tierConstants are the names of the tiers in the mailbox package, in the order of precedence that it gives them.
var tierConstants = map[string]string{
	"ses": "tierSES", "provider": "tierProvider", "gateway": "tierGateway", "dnsbl": "tierDNSBL",
	"phrase": "tierPhrase", "status": "tierStatus", "reply": "tierReply",
}

func writeRules(d *diagnostics) ([]byte, error) {
	const order = "ses provider gateway dnsbl phrase status reply"
	if got := strings.Join(d.Tiers, " "); got != order {
		return nil, fmt.Errorf("tiers are %q, the package knows %q", got, order)
	}
	var b bytes.Buffer
	header(&b, "smtp-diagnostics.yaml")
	if err := writeReasons(&b, d.Reasons); err != nil {
		return nil, err
	}
	b.WriteString("// bounceTypes, delayTypes and rejectReasons say what SES's own types mean where the reply says nothing.\n")
	writeTypes(&b, "bounceTypes", "bounce", d.BounceTypes)
	writeTypes(&b, "delayTypes", "delay", d.DelayTypes)
	writeTypes(&b, "rejectReasons", "reject", d.Rejects)
	b.WriteString("// builtinRules are the rules in the order of the data, which is the last tie-break.\nvar builtinRules = [...]builtin{\n")
	for _, r := range d.Rules {
		tier, ok := tierConstants[r.Tier]
		if !ok || (r.Scope != "any" && r.Scope != "provider") {
			return nil, fmt.Errorf("rule %s: tier %q, scope %q", r.ID, r.Tier, r.Scope)
		}
		fmt.Fprintf(&b, "{%s, %t, %t, Rule{ID: %q, ", tier, r.Scope == "provider", r.Token, r.ID)
		optional(&b, "Provider", providerOf(r.Provider))
		list(&b, "Codes", r.Code)
		list(&b, "Statuses", r.Enhanced)
		optional(&b, "Match", r.Match)
		optional(&b, "Also", r.Also)
		fmt.Fprintf(&b, "Reason: %q, Kind: %q, Action: %q}},\n", r.Reason, kindOf(r.Kind), r.Action)
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

func writeReasons(b *bytes.Buffer, reasons yaml.MapSlice) error {
	b.WriteString("// reasonTable is the closed list of reasons.\nvar reasonTable = [...]ReasonInfo{\n")
	for _, item := range reasons {
		fields, ok := item.Value.(map[string]any)
		if !ok {
			return fmt.Errorf("reason %v is a %T", item.Key, item.Value)
		}
		fmt.Fprintf(b, "{Name: %q, Group: %q, Address: %q, Definition: %q},\n",
			item.Key, fields["group"], fields["address"], fields["definition"])
	}
	b.WriteString("}\n\n")
	return nil
}

func writeTypes(b *bytes.Buffer, name, prefix string, types []sesType) {
	fmt.Fprintf(b, "var %s = [...]sesType{\n", name)
	for _, t := range types {
		key := t.Type + t.DelayType + t.Match
		id := prefix + ":" + key
		if t.SubType != "" {
			id += "/" + t.SubType
		}
		fmt.Fprintf(b, "{%q, %q, Verdict{Reason: %q, Kind: %q, Rule: %q}},\n", key, t.SubType, t.Reason, t.Kind, id)
	}
	b.WriteString("}\n\n")
}

func writeProviders(p *providers) ([]byte, error) {
	var b bytes.Buffer
	header(&b, "mailbox-providers.yaml")
	b.WriteString("// providerTable lists the providers and their exact recipient domains.\nvar providerTable = [...]providerEntry{\n")
	seen := make(map[string]string)
	for _, e := range p.Providers {
		fmt.Fprintf(&b, "{Provider{ID: %q, Name: %q, Kind: %q, ", e.ID, e.Name, e.Kind)
		optional(&b, "Platform", e.Platform)
		fmt.Fprintf(&b, "FeedbackLoop: %q}, []string{", e.FBL.ReachesSES)
		domains := append(append([]string(nil), e.Domains...), e.DomainsWeak...)
		for i, domain := range domains {
			if other, twice := seen[domain]; twice {
				return nil, fmt.Errorf("%s belongs to %s and to %s", domain, other, e.ID)
			}
			seen[domain] = e.ID
			if i%6 == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "%q, ", domain)
		}
		b.WriteString("}},\n")
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

func header(b *bytes.Buffer, source string) {
	fmt.Fprintf(b, "// Code generated by internal/mailbox/generate from data/%s; DO NOT EDIT.\n\npackage mailbox\n\n", source)
}

func optional(b *bytes.Buffer, field, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s: %q, ", field, value)
	}
}

func list(b *bytes.Buffer, field string, values []string) {
	if len(values) > 0 {
		fmt.Fprintf(b, "%s: %#v, ", field, values)
	}
}

// providerOf drops the rule families that are no mailbox provider's own.
func providerOf(name string) string {
	if name == "generic" || name == "ses" {
		return ""
	}
	return name
}

// kindOf turns by_class into the empty kind, which takes the class of the reply.
func kindOf(kind string) string {
	if kind == "by_class" {
		return ""
	}
	return kind
}
