package app

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/ses"
	"github.com/mailvane/mailvane/internal/config"
)

const (
	// goodRetention is the longest that SQS keeps messages: how long a daemon may be away without a loss.
	goodRetention = 14 * 24 * time.Hour
	// goodVisibility leaves room to store what was received before SQS hands it out again.
	goodVisibility = 30 * time.Second
	// goodReceives is how often a message may be received before the queue gives it up: each stop of a daemon in the midst of
	// its work takes one.
	goodReceives = 5
)

// queueQuestions asks each queue how it is set up.
func queueQuestions(env Environment, c *config.Config) (all []question) {
	for _, q := range c.Collectors.SES {
		about := fmt.Sprintf("queue %s in %s", q.Name, q.Region)
		if q.RoleARN != "" {
			about += " as " + string(q.RoleARN)
		}
		all = append(all, question{about, func(ctx context.Context) []Finding { return askQueue(ctx, env, &q) }})
	}
	return all
}

func askQueue(ctx context.Context, env Environment, c *config.SES) []Finding {
	cfg, err := env.AWS(ctx, string(c.Region))
	if err != nil {
		return []Finding{problem(err)}
	}
	q, err := ses.Probe(ctx, ses.Options{
		Name: string(c.Name), QueueURL: string(c.QueueURL), Region: string(c.Region), RoleARN: string(c.RoleARN), AWS: cfg, Now: env.Now,
	})
	if err != nil {
		return []Finding{problem(err, queueFix(c, err)...)}
	}
	all := []Finding{ok("%s, %s not yet deleted; a message is invisible for %s after a receive and kept for %s",
		plural(q.Visible, "message waits", "messages wait"), plural(q.InFlight, "is received and", "are received and"),
		span(q.Visibility), span(q.Retention))}
	all = append(all, queueSettings(c, &q)...)
	return append(all, queueRights(c, &q)...)
}

// queueSettings says what to set otherwise. Attributes that the queue did not tell are not judged.
func queueSettings(c *config.SES, q *ses.Queue) (all []Finding) {
	set := func(attributes string) string {
		return fmt.Sprintf("aws sqs set-queue-attributes --region %s --queue-url %s --attributes %s", c.Region, shell(string(c.QueueURL)), shell(attributes))
	}
	if q.Retention > 0 && q.Retention < goodRetention {
		all = append(all, warning("messages are kept for "+span(q.Retention)+" only: what waits longer, while no daemon runs, is lost",
			set("MessageRetentionPeriod=1209600")))
	}
	if q.Visibility < goodVisibility {
		all = append(all, warning("messages are handed out again after "+span(q.Visibility)+", perhaps before they are stored", set("VisibilityTimeout=60")))
	}
	switch {
	case q.DeadLetters == "":
	case q.MaxReceives < goodReceives:
		policy := fmt.Sprintf(`{"RedrivePolicy": "{\"deadLetterTargetArn\": \"%s\", \"maxReceiveCount\": \"20\"}"}`, q.DeadLetters)
		all = append(all, warning(fmt.Sprintf("messages go to %s after only %s, which a few stops of the daemon use up", q.DeadLetters,
			plural(int64(q.MaxReceives), "receive", "receives")), set(policy)))
	default:
		all = append(all, ok("what was received %d times goes to %s", q.MaxReceives, q.DeadLetters))
	}
	return all
}

// queueRights says what could not be tried, and how to find it out.
func queueRights(c *config.SES, q *ses.Queue) []Finding {
	actions := []string{ses.ActionReceive, ses.ActionDelete, ses.ActionVisibility}
	role, arn := string(c.RoleARN), q.ARN
	if role == "" {
		role = "ARN-OF-YOUR-ROLE-OR-USER"
	}
	if arn == "" {
		arn = queueARN(c)
	}
	simulate := func(resource string, actions ...string) string {
		return fmt.Sprintf("aws iam simulate-principal-policy --policy-source-arn %s --resource-arns %s --action-names %s",
			shell(role), shell(resource), strings.Join(actions, " "))
	}
	all := []Finding{note("whether "+strings.Join(actions, ", ")+" are allowed cannot be tried without touching messages", simulate(arn, actions...))}
	if q.Key != "" {
		key := q.Key
		if !strings.HasPrefix(key, "arn:") {
			key = fmt.Sprintf("the key %s in %s", key, c.Region)
		}
		all = append(all, note("messages are encrypted with "+key+"; whether kms:Decrypt is allowed on it cannot be tried without receiving",
			"allow kms:Decrypt on it to "+role, "and kms:GenerateDataKey and kms:Decrypt to sns.amazonaws.com in the key's policy"))
	}
	return all
}

// queueFix says more exactly than the error what to do.
func queueFix(c *config.SES, err error) []string {
	e, _ := errors.AsType[*collectors.Error](err)
	switch {
	case e == nil:
		return nil
	case e.Reason == collectors.ReasonNotFound:
		return []string{fmt.Sprintf("aws sqs get-queue-url --region %s --queue-name %s", c.Region, shell(c.QueueURL.Name()))}
	case e.Reason == collectors.ReasonAuth:
		return []string{"the queue is " + queueARN(c)}
	default:
		return nil
	}
}

// queueARN is the ARN of a queue by its URL, which ends with the account and the name.
func queueARN(c *config.SES) string {
	parts := strings.Split(strings.Trim(string(c.QueueURL), "/"), "/")
	account := "ACCOUNT"
	if n := len(parts); n >= 2 && accountForm.MatchString(parts[n-2]) {
		account = parts[n-2]
	}
	return fmt.Sprintf("arn:%s:sqs:%s:%s:%s", partition(string(c.Region)), c.Region, account, c.QueueURL.Name())
}

var accountForm = regexp.MustCompile(`^\d{12}$`)

// partition is the part of AWS that a region is in (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@+-]+$`)

// shell writes a word as a POSIX shell takes it literally.
func shell(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func plural(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// span writes a length of time as people say it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return plural(int64(d/day), "day", "days")
	case d >= time.Hour && d%time.Hour == 0:
		return plural(int64(d/time.Hour), "hour", "hours")
	default:
		return plural(int64(d/time.Second), "second", "seconds")
	}
}
