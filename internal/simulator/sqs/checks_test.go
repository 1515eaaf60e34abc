package sqs_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

func TestBatchesAreChecked(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	remove := func(ids ...string) error {
		in := &client.DeleteMessageBatchInput{QueueUrl: &w.url, Entries: []types.DeleteMessageBatchRequestEntry{}}
		for _, id := range ids {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(id), ReceiptHandle: aws.String("x")})
		}
		_, err := w.client.DeleteMessageBatch(w.Context(), in)
		return err
	}
	eleven := make([]string, 11)
	for i := range eleven {
		eleven[i] = strconv.Itoa(i)
	}
	for want, err := range map[string]error{
		"AWS.SimpleQueueService.EmptyBatchRequest":            remove(),
		"AWS.SimpleQueueService.BatchEntryIdsNotDistinct":     remove("a", "b", "a"),
		"AWS.SimpleQueueService.TooManyEntriesInBatchRequest": remove(eleven...),
		"AWS.SimpleQueueService.InvalidBatchEntryId":          remove("not allowed"),
	} {
		if got := code(err); got != want {
			t.Errorf("code %q (%v), want %q", got, err, want)
		}
	}
	half := strings.Repeat("x", sqs.MaxMessageBytes/2+1)
	_, err := w.client.SendMessageBatch(t.Context(), &client.SendMessageBatchInput{QueueUrl: &w.url,
		Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("0"), MessageBody: &half}, {Id: aws.String("1"), MessageBody: &half}}})
	if _, ok := errors.AsType[*types.BatchRequestTooLong](err); !ok {
		t.Errorf("a batch over 1 MiB: %v, want BatchRequestTooLong", err)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send(strings.Repeat("x", sqs.MaxMessageBytes))
	for name, body := range map[string]string{
		"InvalidParameterValue": strings.Repeat("x", sqs.MaxMessageBytes+1), "InvalidMessageContents": "a\x00b", "MissingParameter": "",
	} {
		_, err := w.client.SendMessage(t.Context(), &client.SendMessageInput{QueueUrl: &w.url, MessageBody: &body})
		if code(err) != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	if got := w.receive(); len(*got[0].Body) != sqs.MaxMessageBytes {
		t.Errorf("the largest message came back with %d bytes", len(*got[0].Body))
	}
}

func TestReceiveIsChecked(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	for _, in := range []*client.ReceiveMessageInput{{MaxNumberOfMessages: 11}, {WaitTimeSeconds: 21}, {VisibilityTimeout: 43_201}} {
		in.QueueUrl = &w.url
		if _, err := w.client.ReceiveMessage(t.Context(), in); code(err) != "InvalidParameterValue" {
			t.Errorf("%+v: %v, want InvalidParameterValue", in, err)
		}
	}
}
