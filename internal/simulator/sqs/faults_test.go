package sqs_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// ask receives without failing the test.
func (w *world) ask() error {
	_, err := w.client.ReceiveMessage(w.Context(), &client.ReceiveMessageInput{QueueUrl: &w.url})
	return err
}

func TestInjectedErrorsAreTyped(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	for name, want := range map[string]string{
		"RequestThrottled": "RequestThrottled", "KmsDisabled": "KMS.DisabledException", "KmsAccessDenied": "KMS.AccessDeniedException",
		"AccessDenied": "AccessDenied", "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "ExpiredToken": "ExpiredToken",
		"InternalFailure": "InternalFailure", "ServiceUnavailable": "ServiceUnavailable",
	} {
		remove := w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: name, Op: "ReceiveMessage"})
		if err := w.ask(); code(err) != want {
			t.Errorf("%s: %v, want code %s", name, err, want)
		}
		remove()
	}
	remove := w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "KmsDisabled"})
	var disabled *types.KmsDisabled
	if err := w.ask(); !errors.As(err, &disabled) {
		t.Errorf("%v is no *types.KmsDisabled", err)
	}
	remove()
	w.wantBodies("a") // nothing was executed
}

func TestStatusWithRetryAfter(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.server.Inject(sqs.Fault{Kind: sqs.FaultStatus, Status: http.StatusServiceUnavailable, RetryAfter: 1500 * time.Millisecond, Times: 1})
	err := w.ask()
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusServiceUnavailable || answer.Response.Header.Get("Retry-After") != "2" {
		t.Errorf("%v, want 503 with Retry-After 2", err)
	}
	if err := w.ask(); err != nil {
		t.Errorf("after the one time: %v", err)
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	remove := w.server.Inject(sqs.Fault{Kind: sqs.FaultHang})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-w.begun // the test makes no request before
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	_, err := w.client.ReceiveMessage(ctx, &client.ReceiveMessageInput{QueueUrl: &w.url})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the client has given up", err)
	}
	w.until(w.ended, receiveMessage)
	remove()
	w.wantBodies("a")
}

func TestReset(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	w.server.Inject(sqs.Fault{Kind: sqs.FaultReset, Times: 1})
	if err := w.ask(); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("%v, want a reset connection", err)
	}
	w.wantBodies("a")
}

func TestTruncatedReceiveHasHappened(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send(strings.Repeat("x", 1000))
	w.server.Inject(sqs.Fault{Kind: sqs.FaultTruncate, Times: 1})
	if err := w.ask(); err == nil {
		t.Error("a truncated answer was understood")
	}
	w.wantStats(0, 1)
	w.clock.add(30 * time.Second)
	w.wantStats(1, 0)
}

func TestLostAnswerHasHappened(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	handle := w.receive()[0].ReceiptHandle
	w.server.Inject(sqs.Fault{Kind: sqs.FaultLostAnswer, Op: "DeleteMessage", Times: 1})
	if err := w.delete(handle); code(err) != "InternalFailure" {
		t.Errorf("%v, want InternalFailure", err)
	}
	w.wantStats(0, 0)
}

func TestEntriesFail(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	var failed int
	w.server.Inject(sqs.Fault{Kind: sqs.FaultEntries, Op: "DeleteMessageBatch", EntryShare: 0.3})
	for range 20 {
		w.send("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
		in := &client.DeleteMessageBatchInput{QueueUrl: &w.url}
		for i, m := range w.receive() {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
		out, err := w.client.DeleteMessageBatch(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range out.Failed {
			if *f.Code != "InternalFailure" || f.SenderFault {
				t.Errorf("failed entry %+v", f)
			}
		}
		failed += len(out.Failed)
	}
	if failed < 30 || failed > 90 {
		t.Errorf("%d of 200 entries failed, want about 60", failed)
	}
	w.wantStats(0, failed)
}

func TestWrongMD5IsNoticed(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.send("a")
	w.server.Inject(sqs.Fault{Kind: sqs.FaultWrongMD5, Times: 1})
	if err := w.ask(); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("%v, want a complaint about the checksum", err)
	}
}

func TestOmittedMD5IsAccepted(t *testing.T) {
	w := start(t, sqs.QueueOptions{OmitMD5: true})
	w.send("a")
	w.wantBodies("a")
}

func TestDelaysAddToOtherFaults(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "RequestThrottled", Delay: 20 * time.Millisecond})
	w.server.Inject(sqs.Fault{Delay: 30 * time.Millisecond})
	begin := time.Now()
	if err := w.ask(); code(err) != "RequestThrottled" || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("%v after %s, want RequestThrottled after 50ms", err, time.Since(begin))
	}
}

func TestFaultsSelect(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	w.server.CreateQueue("others", sqs.QueueOptions{})
	w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "RequestThrottled", Op: "DeleteMessage"})
	w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "RequestThrottled", Queue: "others"})
	if err := w.ask(); err != nil {
		t.Errorf("faults of another operation and queue struck: %v", err)
	}
	w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "RequestThrottled", Share: 0.5})
	failed := 0
	for range 200 {
		if w.ask() != nil {
			failed++
		}
	}
	if failed < 60 || failed > 140 {
		t.Errorf("%d of 200 requests failed, want about half", failed)
	}
}
