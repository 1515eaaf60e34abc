package sesapi

import (
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// metadata is what is said about a rule set.
func metadata(set *traffic.RuleSet) []element {
	return []element{leaf("Name", set.Name), leaf("CreatedTimestamp", set.Created.UTC().Format(time.RFC3339))}
}

// activeRuleSet answers DescribeActiveReceiptRuleSet; there may be none.
func (s *Server) activeRuleSet(at Place) (result element) {
	for i := range s.options.Story.RuleSets {
		set := &s.options.Story.RuleSets[i]
		if !set.Active || (Place{set.Account, set.Region}) != at {
			continue
		}
		var rules []element
		for j := range set.Rules {
			rules = append(rules, ruleElement(&set.Rules[j], at))
		}
		result.children = []element{{name: "Metadata", children: metadata(set)}, members("Rules", rules)}
	}
	return result
}

func ruleElement(r *traffic.ReceiptRule, at Place) element {
	action := element{name: "S3Action", children: []element{leaf("BucketName", "inbound-example"), leaf("ObjectKeyPrefix", r.Name+"/")}}
	switch r.Action {
	case "SNS":
		action = element{name: "SNSAction", children: []element{leaf("TopicArn", "arn:aws:sns:"+at.Region+":"+at.Account+":"+r.Name),
			leaf("Encoding", "UTF-8")}}
	case "Lambda":
		action = element{name: "LambdaAction", children: []element{
			leaf("FunctionArn", "arn:aws:lambda:"+at.Region+":"+at.Account+":function:"+r.Name), leaf("InvocationType", "Event")}}
	}
	var recipients []element
	for _, to := range r.Recipients {
		recipients = append(recipients, leaf("", to))
	}
	return element{children: []element{leaf("Name", r.Name), leaf("Enabled", strconv.FormatBool(!r.Disabled)), leaf("TlsPolicy", "Optional"),
		members("Actions", []element{{children: []element{action}}}), members("Recipients", recipients), leaf("ScanEnabled", "true")}}
}

// ruleSets answers ListReceiptRuleSets. There are at most 40, so that one page holds them.
func (s *Server) ruleSets(at Place) element {
	var all []element
	for i := range s.options.Story.RuleSets {
		if set := &s.options.Story.RuleSets[i]; (Place{set.Account, set.Region}) == at {
			all = append(all, element{children: metadata(set)})
		}
	}
	return element{children: []element{members("RuleSets", all)}}
}
