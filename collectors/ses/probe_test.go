package ses

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// probe probes the queue of a rig.
func (r *rig) probe(ctx context.Context) (Queue, error) {
	base := r.url[:len(r.url)-len(r.server.QueuePath("ses-events"))]
	return Probe(ctx, Options{
		Name: "ses-events", QueueURL: r.url, Region: "us-east-1",
		AWS: aws.Config{BaseEndpoint: &base, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, sessionToken)},
	})
}

func TestProbe(t *testing.T) {
	r := newRig(t, sqs.QueueOptions{VisibilityTimeout: time.Minute, Retention: 14 * 24 * time.Hour, DeadLetterQueue: "dead", MaxReceiveCount: 5})
	r.server.CreateQueue("dead", sqs.QueueOptions{})
	r.send(t, 3)
	got, err := r.probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Queue{
		ARN: "arn:aws:sqs:us-east-1:123456789012:ses-events", Visible: 3, Visibility: time.Minute, Retention: 14 * 24 * time.Hour,
		DeadLetters: "arn:aws:sqs:us-east-1:123456789012:dead", MaxReceives: 5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.wantQueue(t, 3, 0, 0)
}

func TestProbeFailures(t *testing.T) {
	for name, reason := range map[string]collectors.Reason{
		"AccessDenied": collectors.ReasonAuth, "QueueDoesNotExist": collectors.ReasonNotFound, "ExpiredToken": collectors.ReasonAuth,
		"KmsAccessDenied": collectors.ReasonAuth, "ServiceUnavailable": collectors.ReasonUnavailable,
	} {
		r := newRig(t, sqs.QueueOptions{})
		r.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: name})
		_, err := r.probe(t.Context())
		if e, ok := errors.AsType[*collectors.Error](err); !ok || e.Reason != reason {
			t.Errorf("%s: got %v", name, err)
		}
		checkNoSecret(t, err)
	}
	r := newRig(t, sqs.QueueOptions{})
	r.server.Inject(sqs.Fault{Kind: sqs.FaultHang})
	late := errors.New("it took too long")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, late)
	defer cancel()
	if _, err := r.probe(ctx); !errors.Is(err, late) {
		t.Errorf("a queue that hangs: %v", err)
	}
}

// TestQueueOf: what SQS tells is not trusted.
func TestQueueOf(t *testing.T) {
	got := queueOf(map[string]string{
		"QueueArn": "arn:\x1b[31m", "ApproximateNumberOfMessages": "-1", "VisibilityTimeout": "99999999999999", "MessageRetentionPeriod": "x",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:dead","maxReceiveCount":"7"}`, "KmsMasterKeyId": "alias/mail",
	})
	want := Queue{ARN: "arn:[31m", Visibility: 1 << 31 * time.Second, DeadLetters: "arn:dead", MaxReceives: 7, Key: "alias/mail"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := queueOf(map[string]string{"RedrivePolicy": "{"}); got != (Queue{}) {
		t.Errorf("%+v", got)
	}
}
