package ses

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/collectors"
)

// Queue is how a queue is set up and how full it is, as SQS tells it.
type Queue struct {
	ARN string
	// Visible, InFlight and Delayed count messages, about.
	Visible, InFlight, Delayed int64
	// Visibility is for how long received messages are invisible by default, Retention how long messages are kept.
	Visibility, Retention time.Duration
	// DeadLetters is the ARN of the queue that takes what was received MaxReceives times, empty when there is none.
	DeadLetters string
	MaxReceives int
	// Key is the KMS key that messages are encrypted with, empty when it is none or SQS's own.
	Key string
}

// The actions on a queue that reading it needs. Whether the first is allowed a probe finds out, of the others SQS tells
// nothing to those who do not try.
const (
	ActionAttributes = "sqs:GetQueueAttributes"
	ActionReceive    = "sqs:ReceiveMessage"
	ActionDelete     = "sqs:DeleteMessage"
	ActionVisibility = "sqs:ChangeMessageVisibility"
)

// Probe asks how a queue is set up, by one call that changes nothing. Of o it needs neither Budget nor NextKey. An error is a
// *collectors.Error, but for the end of ctx.
func Probe(ctx context.Context, o Options) (Queue, error) {
	c := Collector{name: o.Name, now: o.Now}
	if c.now == nil {
		c.now = time.Now
	}
	answer, err := newTransport(&o).client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &o.QueueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		return Queue{}, c.fault(ctx, "read the attributes of", err)
	}
	return queueOf(answer.Attributes), nil
}

// queueOf reads the attributes of a queue; one that is missing or makes no sense is left out.
func queueOf(attributes map[string]string) Queue {
	number := func(name types.QueueAttributeName) int64 {
		n, _ := strconv.ParseInt(attributes[string(name)], 10, 64)
		return min(max(n, 0), 1<<53)
	}
	seconds := func(name types.QueueAttributeName) time.Duration {
		return time.Duration(min(number(name), 1<<31)) * time.Second
	}
	q := Queue{
		ARN:        collectors.OneLine(attributes[string(types.QueueAttributeNameQueueArn)]),
		Visible:    number(types.QueueAttributeNameApproximateNumberOfMessages),
		InFlight:   number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		Delayed:    number(types.QueueAttributeNameApproximateNumberOfMessagesDelayed),
		Visibility: seconds(types.QueueAttributeNameVisibilityTimeout),
		Retention:  seconds(types.QueueAttributeNameMessageRetentionPeriod),
		Key:        collectors.OneLine(attributes[string(types.QueueAttributeNameKmsMasterKeyId)]),
	}
	var redrive struct {
		Target string `json:"deadLetterTargetArn"`
		// SQS writes it as it was set: a number, or a number in quotes.
		Max json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(attributes[string(types.QueueAttributeNameRedrivePolicy)]), &redrive) == nil {
		q.DeadLetters = collectors.OneLine(redrive.Target)
		text := string(redrive.Max)
		if unquoted, err := strconv.Unquote(text); err == nil {
			text = unquoted
		}
		q.MaxReceives, _ = strconv.Atoi(text)
	}
	return q
}
