package ses

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

const (
	// batchSize is the most that one receive gives and one batch takes.
	batchSize = 10
	// longPoll is the longest wait that SQS allows.
	longPoll = 20 * time.Second
)

// Transport is the two calls that are made for every message. Everything else is rare and goes through control.
// Implementations are safe for concurrent use.
type Transport interface {
	// Receive waits for messages and makes them invisible to others for that long. No messages is no error.
	Receive(ctx context.Context, visibility time.Duration) (Received, error)
	// Delete deletes up to ten messages. kept are the indexes of those whose deletion failed or is not certain; err is
	// nil exactly when there are none. An entriesError says that the queue answered and each of kept may be tried again;
	// after any other error kept are all.
	Delete(ctx context.Context, messages []Message) (kept []int, err error)
}

// control is the calls that are rare.
type control interface {
	// extend makes the messages invisible for that long from now. An error says that some may not be.
	extend(ctx context.Context, messages []Message, visibility time.Duration) error
	// attributes asks how the queue is set up and how full it is.
	attributes(ctx context.Context) (attributes, error)
}

// attributes is how a queue is set up and how full it is.
type attributes struct {
	visibility time.Duration
	// visible and inFlight count messages, about.
	visible, inFlight int64
}

// Received is what one receive brought.
type Received struct {
	Messages []Message
	// At is when the answer began to arrive: the messages have been invisible since shortly before.
	At time.Time
	// Release gives back the memory that the messages were allowed, and the messages with it; it is never nil and called
	// once.
	Release func()
}

// Message is a received message.
type Message struct {
	ID, Handle, Body string
	// SentAt is when the queue took the message, zero when it did not say.
	SentAt time.Time
	// Receives counts the receives of the message, this one included, about.
	Receives int
}

// entriesError says that single entries of a batch failed.
type entriesError struct {
	failed, of int
	// code is the queue's reason for the first that failed, empty when it said nothing of it.
	code string
}

func (e *entriesError) Error() string {
	code := e.code
	if code == "" {
		code = "not mentioned in the answer"
	}
	return fmt.Sprintf("%d of %d messages: %s", e.failed, e.of, code)
}

// extraMessagesError is an answer with more messages than were asked for.
type extraMessagesError struct{ n int }

func (e *extraMessagesError) Error() string {
	return fmt.Sprintf("the answer holds %d messages, %d were asked for", e.n, batchSize)
}

// sqsTransport makes the calls with the AWS SDK.
type sqsTransport struct {
	client   *sqs.Client
	http     sqs.HTTPClient
	queueURL string
	budget   *Budget
	now      func() time.Time
	// answers holds *answer.
	answers sync.Pool
	// wait is the long poll; receiveTimeout bounds a receive with it, callTimeout any other call. Both hold for all
	// attempts together.
	wait, receiveTimeout, callTimeout time.Duration
}

// Receive implements Transport.
func (t *sqsTransport) Receive(ctx context.Context, visibility time.Duration) (Received, error) {
	ctx, cancel := awsfault.WithTimeout(ctx, t.receiveTimeout)
	defer cancel()
	a := t.answers.Get().(*answer)
	r := &reservation{budget: t.budget, client: t.http, now: t.now, patience: visibility / 2, answer: a}
	release := func() {
		r.release()
		t.answers.Put(a)
	}
	decoded, err := t.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &t.queueURL,
		MaxNumberOfMessages: batchSize,
		WaitTimeSeconds:     seconds(t.wait),
		VisibilityTimeout:   seconds(visibility),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameSentTimestamp,
			types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	}, func(o *sqs.Options) { o.HTTPClient = r })
	if err == nil && len(decoded.Messages) > batchSize {
		err = &extraMessagesError{len(decoded.Messages)}
	}
	if err != nil {
		release()
		return Received{}, awsfault.Cause(ctx, err)
	}
	messages := a.messages
	if len(messages) == 0 {
		messages = messagesOf(decoded.Messages)
	}
	return Received{Messages: messages, At: r.answered, Release: release}, nil
}

// Delete implements Transport.
func (t *sqsTransport) Delete(ctx context.Context, messages []Message) ([]int, error) {
	ctx, cancel := awsfault.WithTimeout(ctx, t.callTimeout)
	defer cancel()
	entries := make([]types.DeleteMessageBatchRequestEntry, len(messages))
	for i := range messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &messages[i].Handle}
	}
	answer, err := t.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &t.queueURL, Entries: entries})
	if err != nil {
		return all(len(messages)), awsfault.Cause(ctx, err)
	}
	done := make([]bool, len(messages))
	for i := range answer.Successful {
		if n, err := strconv.Atoi(aws.ToString(answer.Successful[i].Id)); err == nil && n >= 0 && n < len(done) {
			done[n] = true
		}
	}
	return unfinished(done, answer.Failed)
}

// extend implements control.
func (t *sqsTransport) extend(ctx context.Context, messages []Message, visibility time.Duration) error {
	ctx, cancel := awsfault.WithTimeout(ctx, t.callTimeout)
	defer cancel()
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(messages))
	for i := range messages {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: entryID(i), ReceiptHandle: &messages[i].Handle, VisibilityTimeout: seconds(visibility),
		}
	}
	answer, err := t.client.ChangeMessageVisibilityBatch(ctx,
		&sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &t.queueURL, Entries: entries})
	if err != nil {
		return awsfault.Cause(ctx, err)
	}
	if missing := len(messages) - len(answer.Successful); missing > 0 {
		return &entriesError{failed: missing, of: len(messages), code: firstCode(answer.Failed)}
	}
	return nil
}

// attributes implements control.
func (t *sqsTransport) attributes(ctx context.Context) (attributes, error) {
	ctx, cancel := awsfault.WithTimeout(ctx, t.callTimeout)
	defer cancel()
	answer, err := t.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &t.queueURL,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameVisibilityTimeout,
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		},
	})
	if err != nil {
		return attributes{}, awsfault.Cause(ctx, err)
	}
	// The queue answers with numbers as strings; one that is missing or no number reads as 0.
	number := func(name types.QueueAttributeName) int64 {
		n, _ := strconv.ParseInt(answer.Attributes[string(name)], 10, 64)
		return max(n, 0)
	}
	return attributes{
		visibility: time.Duration(min(number(types.QueueAttributeNameVisibilityTimeout), 43_200)) * time.Second,
		visible:    number(types.QueueAttributeNameApproximateNumberOfMessages),
		inFlight:   number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
	}, nil
}

// messagesOf takes over what the SDK decoded.
func messagesOf(answer []types.Message) []Message {
	messages := make([]Message, len(answer))
	for i := range answer {
		m := &answer[i]
		messages[i] = Message{ID: aws.ToString(m.MessageId), Handle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body)}
		messages[i].setAttributes(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)],
			m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	}
	return messages
}

// unfinished lists what is not done, and why.
func unfinished(done []bool, failed []types.BatchResultErrorEntry) ([]int, error) {
	var kept []int
	for i, ok := range done {
		if !ok {
			kept = append(kept, i)
		}
	}
	if kept == nil {
		return nil, nil
	}
	return kept, &entriesError{failed: len(kept), of: len(done), code: firstCode(failed)}
}

func firstCode(failed []types.BatchResultErrorEntry) string {
	if len(failed) == 0 {
		return ""
	}
	return collectors.OneLine(aws.ToString(failed[0].Code))
}

func all(n int) []int {
	indexes := make([]int, n)
	for i := range indexes {
		indexes[i] = i
	}
	return indexes
}

func entryID(i int) *string { return aws.String(strconv.Itoa(i)) }

func seconds(d time.Duration) int32 { return int32(d / time.Second) }
