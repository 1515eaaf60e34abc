package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sample is what a body of testdata must come to. It was written down from the documents of SES, not from what came out.
type sample struct {
	// campaign is the name that the body's mail goes by; tenant is empty for most.
	campaign, tenant string
	// outcome is counted once; none for what has no outcome.
	outcome string
	// possible is how many recipients may have complained.
	possible int64
	// held is how many recipients of an untagged notification wait for their tagged copy.
	held int64
	// quarantined is set when the body cannot be understood.
	quarantined bool
}

// The names in the samples: one campaign tag, and the configuration set where there is no tag.
const (
	welcome       = "welcome-series"
	transactional = "transactional"
)

// samples lists every body under testdata.
func samples() map[string]sample {
	return map[string]sample{
		"ses/bounce_email_validation_suppressed.json":    {campaign: welcome, outcome: "suppressed"},
		"ses/bounce_on_account_suppression_list.json":    {campaign: welcome, outcome: "suppressed"},
		"ses/bounce_on_tenant_suppression_list.json":     {campaign: welcome, tenant: "tenant-a", outcome: "suppressed"},
		"ses/bounce_permanent_general.json":              {campaign: welcome, outcome: "hard_bounced"},
		"ses/bounce_permanent_noemail.json":              {campaign: welcome, outcome: "hard_bounced"},
		"ses/bounce_permanent_suppressed.json":           {campaign: welcome, outcome: "hard_bounced"},
		"ses/bounce_transient_custom_timeout.json":       {campaign: welcome, outcome: "soft_bounced"},
		"ses/bounce_transient_general_autoreply.json":    {campaign: welcome, outcome: "autoreply_suspected"},
		"ses/bounce_transient_mailboxfull.json":          {campaign: welcome, outcome: "soft_bounced"},
		"ses/bounce_undetermined.json":                   {campaign: welcome, outcome: "undetermined_bounced"},
		"ses/click.json":                                 {campaign: welcome, outcome: "clicked"},
		"ses/click_null_linktags.json":                   {campaign: welcome, outcome: "clicked_by_bot"},
		"ses/complaint_abuse.json":                       {campaign: welcome, outcome: "complained", possible: 1},
		"ses/complaint_no_feedback_report.json":          {campaign: welcome, outcome: "complained", possible: 2},
		"ses/complaint_not_spam.json":                    {campaign: welcome, outcome: "not_spam"},
		"ses/complaint_on_account_suppression_list.json": {campaign: welcome, outcome: "suppressed"},
		"ses/delivery.json":                              {campaign: welcome, outcome: "delivered"},
		"ses/delivery_delay.json":                        {campaign: transactional, outcome: "delayed"},
		"ses/delivery_delay_spamdetected.json":           {campaign: transactional, outcome: "delayed"},
		"ses/notification_bounce_dsn.json":               {held: 1},
		"ses/notification_bounce_no_dsn_no_headers.json": {held: 2},
		"ses/notification_bounce_odd_timestamp.json":     {quarantined: true}, // its mail is of 2018
		"ses/notification_complaint.json":                {held: 1},
		"ses/notification_delivery.json":                 {held: 1},
		"ses/notification_subscription_succeeded.json":   {},
		"ses/open.json":                                  {campaign: welcome, outcome: "opened"},
		"ses/open_before_2026_08_no_bot_field.json":      {campaign: welcome, outcome: "opened"},
		"ses/open_bot_likely.json":                       {campaign: welcome, outcome: "opened_by_bot"},
		"ses/reject.json":                                {campaign: welcome, outcome: "rejected"},
		"ses/rendering_failure.json":                     {campaign: transactional, outcome: "rendering_failed"},
		"ses/send.json":                                  {campaign: welcome, outcome: "sent"},
		"ses/send_templated_no_subject.json":             {campaign: welcome, outcome: "sent"},
		"ses/subscription.json":                          {campaign: welcome, outcome: "unsubscribed"},
		"ses/unknown_future_event.json":                  {quarantined: true},

		"transport/sqs_body_eventbridge_advisor_closed.json":              {},
		"transport/sqs_body_eventbridge_advisor_open.json":                {},
		"transport/sqs_body_eventbridge_advisor_resolved.json":            {},
		"transport/sqs_body_eventbridge_bounced.json":                     {campaign: welcome, outcome: "hard_bounced"},
		"transport/sqs_body_eventbridge_delivered.json":                   {campaign: welcome, outcome: "delivered"},
		"transport/sqs_body_eventbridge_opened.json":                      {campaign: welcome, outcome: "opened"},
		"transport/sqs_body_eventbridge_sending_disabled.json":            {},
		"transport/sqs_body_poison_not_json.txt":                          {quarantined: true},
		"transport/sqs_body_sns_envelope_bounce.json":                     {campaign: welcome, outcome: "hard_bounced"},
		"transport/sqs_body_sns_envelope_no_subject_with_attributes.json": {campaign: welcome, outcome: "complained", possible: 1},
		"transport/sqs_body_sns_envelope_plaintext_validation.json":       {},
		"transport/sqs_body_sns_envelope_subscription_succeeded.json":     {},
		"transport/sqs_body_sns_raw_bounce.json":                          {campaign: welcome, outcome: "hard_bounced"},
		"transport/sqs_body_sns_raw_plaintext_validation.txt":             {},
		"transport/sqs_body_sns_subscription_confirmation.json":           {},
	}
}

// samplesSentAt is when the mail of the samples was sent.
const samplesSentAt = "2026-11-20T10:15:30.123Z"

// readSamples reads the bodies, each made to speak of a message of its own that was sent at sentAt. As they are, all speak of
// the same message and grow older by the day.
func readSamples(t *testing.T, sentAt time.Time) map[string]string {
	t.Helper()
	epoch, err := time.Parse(time.RFC3339, samplesSentAt)
	if err != nil {
		t.Fatal(err)
	}
	const top = "../../testdata"
	var files []string
	for _, pattern := range []string{"ses/*", "transport/sqs_body_*"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	bodies := make(map[string]string)
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(top, file)
		if err != nil {
			t.Fatal(err)
		}
		body := shiftTimes(string(text), sentAt.Sub(epoch))
		bodies[filepath.ToSlash(name)] = regexp.MustCompile(`-000000\b`).ReplaceAllString(body, fmt.Sprintf("-%06d", i+1))
	}
	return bodies
}

// shiftTimes moves the times that a body holds in the usual form, however deep they are quoted.
func shiftTimes(body string, by time.Duration) string {
	const milliseconds = "2006-01-02T15:04:05.000Z07:00"
	form := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)
	return form.ReplaceAllStringFunc(body, func(s string) string {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return s
		}
		layout := time.RFC3339
		if strings.Contains(s, ".") {
			layout = milliseconds
		}
		return at.Add(by).Format(layout)
	})
}
