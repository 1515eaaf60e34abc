package structure

import (
	"encoding/json"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPoliciesAllowWhatIsCalled holds that the policies of the documents and of the Terraform module allow the calls that the
// code makes to AWS, and no others.
func TestPoliciesAllowWhatIsCalled(t *testing.T) {
	calls := awsCalls(source(t))
	of := func(folders ...string) (actions []string) {
		for _, folder := range folders {
			if len(calls[folder]) == 0 {
				t.Errorf("%s calls nothing: the policies would be held against nothing", folder)
			}
			actions = append(actions, slices.Collect(maps.Keys(calls[folder]))...)
			delete(calls, folder)
		}
		slices.Sort(actions)
		return slices.Compact(actions)
	}
	queue := of("collectors/ses")
	watch := of("collectors/cloudwatch")
	rules, account := of("collectors/receiptrules"), of("collectors/account")
	together := func(lists ...[]string) []string {
		all := slices.Concat(lists...)
		slices.Sort(all)
		return slices.Compact(all)
	}
	whole := map[string][]string{
		"Queue": queue, "Account": together(watch, rules, account),
		"Alerts": of("internal/outlet/sesmail"), "Reports": of("internal/outlet/s3"),
	}
	for folder, actions := range calls {
		t.Errorf("%s calls %v, which no policy allows: give it a statement in docs/aws.md and docs/terraform/role.tf", folder, slices.Sorted(maps.Keys(actions)))
	}
	f := func(about string, got map[string][]string, want map[string][]string) {
		t.Helper()
		for sid := range got {
			if want[sid] == nil { // what has nothing to do with calls of our own: keys, roles of other accounts
				delete(got, sid)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-called +allowed):\n%s", about, diff)
		}
	}
	f("docs/aws.md", documentPolicies(t, "docs/aws.md"), whole)
	f("docs/terraform/role.tf", terraformPolicies(t, "docs/terraform/role.tf"), whole)
	f("docs/ses.md", documentPolicies(t, "docs/ses.md"), map[string][]string{"sqs:ReceiveMessage": queue})
	f("docs/cloudwatch.md", documentPolicies(t, "docs/cloudwatch.md"), map[string][]string{
		"ses:GetAccount": together(watch, account), "ses:DescribeActiveReceiptRuleSet": together(watch, rules),
	})
}

// awsCalls finds what each folder calls, as actions of IAM: the inputs of the SDK's operations that it makes.
func awsCalls(all tree) map[string]map[string]bool {
	calls := make(map[string]map[string]bool)
	for _, f := range all.code() {
		services := make(map[string]string) // by the name of the import
		for _, spec := range f.syntax.Imports {
			if service, ok := strings.CutPrefix(importPath(spec), "github.com/aws/aws-sdk-go-v2/service/"); ok {
				services[service] = service
			}
		}
		if len(services) == 0 || under(f.folder, "internal/simulator") || under(f.folder, "internal/bench") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			made, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := made.Type.(*ast.SelectorExpr); ok {
				service, _ := of.X.(*ast.Ident)
				if op, ok := strings.CutSuffix(of.Sel.Name, "Input"); ok && service != nil && services[service.Name] != "" {
					for _, action := range actionsOf(service.Name, op) {
						if calls[f.folder] == nil {
							calls[f.folder] = make(map[string]bool)
						}
						calls[f.folder][action] = true
					}
				}
			}
			return true
		})
	}
	return calls
}

// actionsOf are the actions that IAM asks for when an operation is called. They are mostly named alike.
func actionsOf(service, op string) []string {
	switch {
	case service == "sqs":
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
		return []string{"sqs:" + strings.TrimSuffix(op, "Batch")}
	case service == "sesv2" && op == "SendEmail":
		// The second one for a mail that is handed over whole: https://github.com/nodemailer/nodemailer/issues/1734
		return []string{"ses:SendEmail", "ses:SendRawEmail"}
	case service == "sesv2":
		return []string{"ses:" + op}
	case service == "sts" && op == "GetCallerIdentity":
		return nil // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is needed
	default:
		return []string{service + ":" + op}
	}
}

// documentPolicies are the actions of the statements of a document's policies for Mailvane, by Sid. One without a Sid
// goes by its most telling action; policies of resources, which have principals, are left out.
func documentPolicies(t *testing.T, name string) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	text := strings.Join(lines(t, name), "\n")
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(text, -1) {
		var policy struct {
			Statement []struct {
				Sid       string
				Principal any
				Action    []string
			}
		}
		if err := json.Unmarshal([]byte(block[1]), &policy); err != nil && strings.Contains(block[1], `"Statement":`) {
			t.Errorf("%s: %v in\n%s", name, err, block[1])
		}
		for _, s := range policy.Statement {
			if s.Principal != nil {
				continue
			}
			sid := s.Sid
			for _, telling := range []string{"sqs:ReceiveMessage", "ses:GetAccount", "ses:DescribeActiveReceiptRuleSet"} {
				if sid == "" && slices.Contains(s.Action, telling) {
					sid = telling
				}
			}
			found[sid] = slices.Sorted(slices.Values(s.Action))
		}
	}
	return found
}

// terraformPolicies are the actions of the statements of a Terraform file, by sid.
func terraformPolicies(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string][]string)
	for _, s := range regexp.MustCompile(`sid\s+= "(\w+)"\s+actions\s+= \[([^\]]*)\]`).FindAllStringSubmatch(string(text), -1) {
		for _, action := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(s[2], -1) {
			found[s[1]] = append(found[s[1]], action[1])
		}
		slices.Sort(found[s[1]])
	}
	return found
}
