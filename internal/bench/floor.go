package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/internal/simulator"
)

// The floor is what the SDK costs by itself on this machine, at this hour: a process that receives ten messages, has the SDK
// decode them, deletes them and does nothing else. It is a measure of the machine: the daemon's target was set where the
// floor, measured so, was 25.4 us.
const (
	floorEvents = 300_000
	floorPasses = 16
	// floorPercent is when garbage is collected, as where the target was set.
	floorPercent = 400
)

// floor measures the CPU that the SDK needs for an event, in microseconds.
func floor(ctx context.Context, s setup) (float64, error) {
	server, err := startServer(ctx, floorEvents, s.span)
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-empty", server.queueURL)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("empty a queue with the SDK alone: %w", err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not tell what a process used")
	}
	if _, err := server.stop(); err != nil {
		return 0, err
	}
	return float64(cpu(usage).Microseconds()) / floorEvents, nil
}

// emptyQueue receives and deletes until nothing comes.
func emptyQueue(ctx context.Context, queueURL string) error {
	debug.SetGCPercent(floorPercent)
	client := sqs.New(sqs.Options{
		Region: "us-east-1", DisableMessageChecksumValidation: true,
		BaseEndpoint: aws.String(queueURL[:strings.Index(queueURL[8:], "/")+8]),
		Credentials:  credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, ""),
	})
	errs := make([]error, floorPasses)
	var passes sync.WaitGroup
	for i := range errs {
		passes.Go(func() {
			for more := true; more && errs[i] == nil; {
				more, errs[i] = receiveAndDelete(ctx, client, queueURL)
			}
		})
	}
	passes.Wait()
	return errors.Join(errs...)
}

func receiveAndDelete(ctx context.Context, client *sqs.Client, queueURL string) (more bool, err error) {
	got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queueURL, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) == 0 {
		return false, err
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(got.Messages))
	for i, m := range got.Messages {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: m.MessageId, ReceiptHandle: m.ReceiptHandle}
	}
	_, err = client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &queueURL, Entries: entries})
	return true, err
}
