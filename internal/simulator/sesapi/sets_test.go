package sesapi

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/go-cmp/cmp"
)

func TestConfigurationSets(t *testing.T) {
	w := newWorld(t, Options{})
	client := sesv2.NewFromConfig(w.config)
	out, err := client.ListConfigurationSets(t.Context(), &sesv2.ListConfigurationSetsInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"legacy-crm", "marketing", "partner-feed", "survey-tool", "tenant-globex", "tenant-initech", "transactional"}
	if diff := cmp.Diff(want, out.ConfigurationSets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	f := func(set string, reputation bool, sns, metrics int) {
		t.Helper()
		got, err := client.GetConfigurationSet(t.Context(), &sesv2.GetConfigurationSetInput{ConfigurationSetName: &set})
		if err != nil || got.ReputationOptions.ReputationMetricsEnabled != reputation || *got.ConfigurationSetName != set {
			t.Errorf("%s: %+v %v", set, got, err)
		}
		to, err := client.GetConfigurationSetEventDestinations(t.Context(),
			&sesv2.GetConfigurationSetEventDestinationsInput{ConfigurationSetName: &set})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range to.EventDestinations {
			switch {
			case d.SnsDestination != nil && strings.Contains(*d.SnsDestination.TopicArn, us.Account):
				sns -= len(d.MatchingEventTypes)
			case d.CloudWatchDestination != nil && *d.CloudWatchDestination.DimensionConfigurations[0].DimensionName == "ses:configuration-set":
				metrics -= len(d.MatchingEventTypes)
			}
		}
		if sns != 0 || metrics != 0 {
			t.Errorf("%s: %+v", set, to.EventDestinations)
		}
	}
	f("marketing", true, 10, 9)
	f("transactional", true, 10, 0)
	f("partner-feed", false, 9, 0)
	f("survey-tool", false, 0, 9)
	for _, set := range []string{"tenant-acme", "a/b c"} {
		if _, err := client.GetConfigurationSet(t.Context(), &sesv2.GetConfigurationSetInput{ConfigurationSetName: &set}); code(err) != "NotFoundException" {
			t.Errorf("%s: %v", set, err)
		}
	}
}

func TestReceiptRules(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(c aws.Config, sets []string, rules ...string) {
		t.Helper()
		listed, err := ses.NewFromConfig(c).ListReceiptRuleSets(t.Context(), &ses.ListReceiptRuleSetsInput{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, set := range listed.RuleSets {
			names = append(names, *set.Name)
		}
		active, err := ses.NewFromConfig(c).DescribeActiveReceiptRuleSet(t.Context(), &ses.DescribeActiveReceiptRuleSetInput{})
		if err != nil {
			t.Fatal(err)
		}
		if active.Metadata != nil {
			names = append(names, *active.Metadata.Name+" is active since "+active.Metadata.CreatedTimestamp.Format(time.DateOnly))
		}
		if diff := cmp.Diff(sets, names); diff != "" {
			t.Errorf("sets (-want +got):\n%s", diff)
		}
		var got []string
		for _, r := range active.Rules {
			action := ""
			switch a := r.Actions[0]; {
			case a.S3Action != nil:
				action = "S3"
			case a.SNSAction != nil:
				action = "SNS"
			case a.LambdaAction != nil:
				action = "Lambda"
			}
			if !r.Enabled {
				action += " off"
			}
			got = append(got, *r.Name+" "+strings.Join(r.Recipients, ",")+" "+action)
		}
		if diff := cmp.Diff(rules, got); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
	}
	w.Change(func(o *Options) { o.Story.RuleSets[0].Rules[1].Disabled = true })
	f(w.config, []string{"inbound", "inbound-2024", "inbound is active since 2026-04-22"},
		"unsub-flash-friday unsub-flash-friday@in.example.com SNS", "unsub-weekly-digest unsub-weekly-digest@in.example.com SNS off",
		"replies reply@in.example.com S3", "replies-acme reply-acme@in.example.com S3", "dmarc-reports dmarc@in.example.com S3",
		"abuse abuse@in.example.com,postmaster@in.example.com Lambda")
	f(w.in(roleEU), []string{"inbound", "inbound is active since 2026-04-22"}, "replies reply@in.example.net SNS", "dmarc-reports dmarc@in.example.net S3")
	w.config.Region = "us-west-2"
	f(w.config, nil)
}
