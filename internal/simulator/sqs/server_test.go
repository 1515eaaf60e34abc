package sqs_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

func TestReceiveHidesUntilTheVisibilityTimeoutEnds(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a", "b")
	w.wantBodies("a", "b")
	w.wantStats(0, 2)
	w.wantBodies()
	w.clock.add(30 * time.Second)
	w.wantStats(2, 0)
	w.wantBodies("a", "b")
}

func TestBodiesSurviveTheWire(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	body := "quoted \"text\" \\ with\ttabs\n and ünïcödé ⚡   <&>"
	if _, err := w.client.SendMessage(t.Context(), &client.SendMessageInput{QueueUrl: &w.url, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
	w.wantBodies(body) // the SDK checks the MD5 both ways
}

func TestReceiveTakesItsVisibilityFromTheRequest(t *testing.T) {
	w := start(t, sqs.QueueOptions{VisibilityTimeout: time.Minute})
	w.send("a")
	_, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url, VisibilityTimeout: 5})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(5 * time.Second)
	w.wantBodies("a")
	w.clock.add(59 * time.Second)
	w.wantBodies()
	w.clock.add(time.Second)
	w.wantBodies("a")
}

func TestDeleteForgets(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a", "b")
	got := w.receive()
	if err := w.delete(got[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	if err := w.delete(got[0].ReceiptHandle); err != nil {
		t.Errorf("deleting twice: %v, want no error", err)
	}
	w.clock.add(time.Minute)
	w.wantBodies(*got[1].Body)
}

func TestOutdatedHandleSucceedsWithoutDeleting(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	old := w.receive()[0].ReceiptHandle
	w.clock.add(30 * time.Second)
	w.wantBodies("a")
	if err := w.delete(old); err != nil {
		t.Errorf("outdated handle: %v, want no error", err)
	}
	w.wantStats(0, 1)
	w.clock.add(30 * time.Second)
	w.wantBodies("a")
}

func TestHandleOutlivesTheVisibilityTimeout(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	handle := w.receive()[0].ReceiptHandle
	w.clock.add(time.Hour)
	w.wantStats(1, 0)
	if err := w.delete(handle); err != nil {
		t.Fatal(err)
	}
	w.wantStats(0, 0)
}

func TestForeignHandleIsInvalid(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	handle := *w.receive()[0].ReceiptHandle
	w.server.CreateQueue("others", sqs.QueueOptions{})
	for _, bad := range []string{"nonsense", handle[:len(handle)-1], "AQEB" + strings.Repeat("0", len(handle)-4)} {
		var invalid *types.ReceiptHandleIsInvalid
		if err := w.delete(&bad); !errors.As(err, &invalid) {
			t.Errorf("handle %.20q…: %v, want ReceiptHandleIsInvalid", bad, err)
		}
	}
	url := w.http.URL + w.server.QueuePath("others")
	_, err := w.client.DeleteMessage(t.Context(), &client.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &handle})
	if _, ok := errors.AsType[*types.ReceiptHandleIsInvalid](err); !ok {
		t.Errorf("another queue's handle: %v, want ReceiptHandleIsInvalid", err)
	}
}

func TestDeleteBatch(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a", "b", "c")
	got := w.receive()
	out, err := w.client.DeleteMessageBatch(t.Context(), &client.DeleteMessageBatchInput{QueueUrl: &w.url,
		Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("0"), ReceiptHandle: got[0].ReceiptHandle},
			{Id: aws.String("1"), ReceiptHandle: aws.String("nonsense")},
			{Id: aws.String("2"), ReceiptHandle: got[2].ReceiptHandle},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || *out.Successful[1].Id != "2" || len(out.Failed) != 1 || *out.Failed[0].Id != "1" ||
		*out.Failed[0].Code != "ReceiptHandleIsInvalid" || !out.Failed[0].SenderFault {
		t.Errorf("answer %+v, %+v", out.Successful, out.Failed)
	}
	w.wantStats(0, 1)
}

func TestAttributesComeWhenAskedFor(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	w.clock.add(2 * time.Second)
	if got := w.receive(); len(got[0].Attributes) != 0 {
		t.Errorf("attributes nobody asked for: %v", got[0].Attributes)
	}
	w.clock.add(time.Minute)
	out, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	sent := time.Date(2026, time.November, 20, 10, 0, 0, 0, time.UTC).UnixMilli()
	want := map[string]string{"SenderId": "AIDAEXAMPLE", "ApproximateReceiveCount": "2",
		"SentTimestamp": strconv.FormatInt(sent, 10), "ApproximateFirstReceiveTimestamp": strconv.FormatInt(sent+2000, 10)}
	if diff := cmp.Diff(want, out.Messages[0].Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

const receiveMessage = "ReceiveMessage"

func TestLongPollWakesWhenAMessageComes(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	var got sync.WaitGroup
	received := make(chan string, 3)
	for range 3 {
		got.Go(func() {
			out, err := w.client.ReceiveMessage(context.Background(), &client.ReceiveMessageInput{QueueUrl: &w.url, WaitTimeSeconds: 20})
			if err != nil || len(out.Messages) != 1 {
				t.Errorf("received %v, %v", out, err)
				return
			}
			received <- *out.Messages[0].Body
		})
	}
	for range 3 {
		w.until(w.begun, receiveMessage)
	}
	begin := time.Now()
	for _, body := range []string{"a", "b", "c"} {
		time.Sleep(20 * time.Millisecond)
		w.send(body)
	}
	got.Wait()
	close(received)
	var bodies []string
	for b := range received {
		bodies = append(bodies, b)
	}
	slices.Sort(bodies)
	if diff := cmp.Diff([]string{"a", "b", "c"}, bodies); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(begin); took > 19*time.Second { // by themselves they end after 20
		t.Errorf("the polls took %s", took)
	}
}

func TestLongPollEndsEmpty(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	begin := time.Now()
	out, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url, WaitTimeSeconds: 1})
	if err != nil || len(out.Messages) != 0 || time.Since(begin) < 900*time.Millisecond {
		t.Errorf("%v, %v after %s; want nothing after a second", out, err, time.Since(begin))
	}
}

func TestLongPollWakesWhenAMessageComesBack(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	handle := w.receive()[0].ReceiptHandle
	done := make(chan int, 1)
	go func() {
		out, err := w.client.ReceiveMessage(context.Background(), &client.ReceiveMessageInput{QueueUrl: &w.url, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			done <- 0
			return
		}
		done <- len(out.Messages)
	}()
	w.until(w.begun, receiveMessage) // the first
	w.until(w.begun, receiveMessage)
	time.Sleep(50 * time.Millisecond)
	_, err := w.client.ChangeMessageVisibility(t.Context(), &client.ChangeMessageVisibilityInput{QueueUrl: &w.url, ReceiptHandle: handle})
	if err != nil {
		t.Fatal(err)
	}
	if n := <-done; n != 1 {
		t.Errorf("the poll got %d messages, want 1", n)
	}
}

func TestAbandonedPollDoesNotSwallowAMessage(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = w.client.ReceiveMessage(ctx, &client.ReceiveMessageInput{QueueUrl: &w.url, WaitTimeSeconds: 20})
	}()
	w.until(w.begun, receiveMessage)
	time.Sleep(50 * time.Millisecond)
	cancel()
	<-done
	w.until(w.ended, receiveMessage)
	w.send("a")
	w.wantBodies("a")
}

func TestChangeVisibility(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	change := func(handle *string, seconds int32) error {
		_, err := w.client.ChangeMessageVisibility(w.Context(),
			&client.ChangeMessageVisibilityInput{QueueUrl: &w.url, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	w.send("a")
	handle := w.receive()[0].ReceiptHandle
	w.clock.add(20 * time.Second)
	if err := change(handle, 60); err != nil {
		t.Fatal(err)
	}
	w.clock.add(59 * time.Second)
	w.wantBodies()
	if err := change(handle, 43_200); code(err) != "InvalidParameterValue" {
		t.Errorf("beyond 12 hours since the receive: %v, want InvalidParameterValue", err)
	}
	w.clock.add(time.Second)
	w.wantBodies("a")
	if err := change(handle, 60); code(err) != "AWS.SimpleQueueService.MessageNotInflight" {
		t.Errorf("by an outdated handle: %v, want MessageNotInflight", err)
	}
}

func TestChangeVisibilityBatch(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a", "b")
	got := w.receive()
	out, err := w.client.ChangeMessageVisibilityBatch(t.Context(), &client.ChangeMessageVisibilityBatchInput{QueueUrl: &w.url,
		Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("0"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 0},
			{Id: aws.String("1"), ReceiptHandle: aws.String("nonsense"), VisibilityTimeout: 30},
		}})
	if err != nil || len(out.Successful) != 1 || len(out.Failed) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	w.wantStats(1, 1)
}

func TestTooManyInFlight(t *testing.T) {
	w := start(t, sqs.QueueOptions{MaxInFlight: 3})
	w.send("a", "b", "c", "d")
	w.wantBodies("a", "b", "c")
	_, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url})
	if _, ok := errors.AsType[*types.OverLimit](err); !ok {
		t.Errorf("a short poll: %v, want OverLimit", err)
	}
	out, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url, WaitTimeSeconds: 1})
	if err != nil || len(out.Messages) != 0 {
		t.Errorf("a long poll: %v, %v; want an empty answer", out, err)
	}
}

func TestRetention(t *testing.T) {
	w := start(t, sqs.QueueOptions{Retention: time.Hour})
	w.send("old")
	w.clock.add(59 * time.Minute)
	w.send("new")
	w.clock.add(time.Minute)
	w.wantBodies("new")
}

func TestRedrive(t *testing.T) {
	w := start(t, sqs.QueueOptions{DeadLetterQueue: "dead", MaxReceiveCount: 2})
	dead := w.server.CreateQueue("dead", sqs.QueueOptions{})
	sent := strconv.FormatInt(w.clock.now().UnixMilli(), 10)
	w.send("poison")
	for range 2 {
		w.wantBodies("poison")
		w.clock.add(30 * time.Second)
	}
	w.wantBodies()
	if s := w.queue.Stats(); s.DeadLettered != 1 || dead.Stats().Visible != 1 {
		t.Fatalf("%+v, dead-letter queue %+v", s, dead.Stats())
	}
	url := w.http.URL + w.server.QueuePath("dead")
	out, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &url,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"DeadLetterQueueSourceArn", "SentTimestamp", "ApproximateReceiveCount"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"DeadLetterQueueSourceArn": w.queue.ARN(), "SentTimestamp": sent, "ApproximateReceiveCount": "1"}
	if diff := cmp.Diff(want, out.Messages[0].Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestDuplicatesComeBackAfterTheirDeletion(t *testing.T) {
	w := start(t, sqs.QueueOptions{Duplicates: 0.5})
	for i := range 200 {
		w.send(strconv.Itoa(i))
	}
	times := map[string]int{}
	for {
		got := w.receive()
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			times[*m.MessageId]++
			if err := w.delete(m.ReceiptHandle); err != nil {
				t.Fatal(err)
			}
		}
	}
	twice := 0
	for _, n := range times {
		if n == 2 {
			twice++
		} else if n != 1 {
			t.Errorf("a message came %d times", n)
		}
	}
	if len(times) != 200 || twice < 70 || twice > 130 {
		t.Errorf("%d messages, %d of them twice; want 200 and about 100", len(times), twice)
	}
}

func TestShuffleChangesTheOrder(t *testing.T) {
	order := func(o sqs.QueueOptions) (bodies []string) {
		w := start(t, o)
		for i := range 10 {
			w.send(strconv.Itoa(i))
		}
		for _, m := range w.receive() {
			bodies = append(bodies, *m.Body)
		}
		return bodies
	}
	if got := order(sqs.QueueOptions{}); !slices.IsSorted(got) {
		t.Errorf("order %v without shuffling", got)
	}
	if got := order(sqs.QueueOptions{Shuffle: 5}); slices.IsSorted(got) {
		t.Errorf("order %v with shuffling", got)
	}
}

func TestSourceIsDrawnOnDemand(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	made := 0
	w.queue.Fill(func(dst []byte) ([]byte, bool) {
		if made == 25 {
			return dst, false
		}
		made++
		return strconv.AppendInt(dst, int64(made), 10), true
	}, 25)
	w.wantStats(25, 0)
	if got := w.receive(); len(got) != 10 || made != 10 {
		t.Errorf("received %d, made %d; want 10 and 10", len(got), made)
	}
	w.wantStats(15, 10)
	if n := len(w.receive()) + len(w.receive()); n != 15 {
		t.Errorf("the rest are %d messages, want 15", n)
	}
	w.wantBodies()
}

func TestQueueAttributes(t *testing.T) {
	w := start(t, sqs.QueueOptions{VisibilityTimeout: time.Minute, DeadLetterQueue: "dead", MaxReceiveCount: 5})
	w.send("a", "b", "c")
	_, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.client.GetQueueAttributes(t.Context(), &client.GetQueueAttributesInput{QueueUrl: &w.url,
		AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
			"VisibilityTimeout", "RedrivePolicy", "KmsMasterKeyId"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"ApproximateNumberOfMessages": "2", "ApproximateNumberOfMessagesNotVisible": "1", "VisibilityTimeout": "60",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":5}`}
	if diff := cmp.Diff(want, out.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	_, err = w.client.GetQueueAttributes(t.Context(), &client.GetQueueAttributesInput{QueueUrl: &w.url, AttributeNames: []types.QueueAttributeName{"Nonsense"}})
	if code(err) != "InvalidAttributeName" {
		t.Errorf("unknown attribute: %v", err)
	}
}

func TestQueuesAreFound(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.server.CreateQueue("other", sqs.QueueOptions{})
	out, err := w.client.GetQueueUrl(t.Context(), &client.GetQueueUrlInput{QueueName: aws.String("events")})
	if err != nil || *out.QueueUrl != w.url {
		t.Errorf("%v, %v; want %s", out, err, w.url)
	}
	list, err := w.client.ListQueues(t.Context(), &client.ListQueuesInput{QueueNamePrefix: aws.String("e")})
	if err != nil || !slices.Equal(list.QueueUrls, []string{w.url}) {
		t.Errorf("%v, %v", list, err)
	}
	missing := w.http.URL + w.server.QueuePath("missing")
	for _, err := range []error{
		func() error {
			_, err := w.client.GetQueueUrl(t.Context(), &client.GetQueueUrlInput{QueueName: aws.String("missing")})
			return err
		}(),
		func() error {
			_, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &missing})
			return err
		}(),
	} {
		var none *types.QueueDoesNotExist
		if !errors.As(err, &none) || none.ErrorCode() != "AWS.SimpleQueueService.NonExistentQueue" {
			t.Errorf("%v, want QueueDoesNotExist", err)
		}
	}
}

func TestOtherAccountsQueueDoesNotExist(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	url := w.http.URL + "/999999999999/events"
	_, err := w.client.ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &url})
	if _, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
		t.Errorf("%v, want QueueDoesNotExist", err)
	}
}
