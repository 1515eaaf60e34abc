package ses

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// canned is an HTTP client that answers without a network, so that only this side's work is measured.
type canned struct{ receive, deleted []byte }

func (c canned) Do(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	body := c.deleted
	switch r.Header.Get("X-Amz-Target") {
	case "AmazonSQS.ReceiveMessage":
		body = c.receive
	case "AmazonSQS.GetQueueAttributes":
		body = []byte(`{"Attributes":{"VisibilityTimeout":"30"}}`)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// BenchmarkPass measures a full pass of ten SNS envelopes, decoding included, to a sink that does nothing.
func BenchmarkPass(b *testing.B) {
	body := sample(b, "sqs_body_sns_envelope_bounce.json")
	type message struct{ MessageId, ReceiptHandle, Body string }
	var answer struct{ Messages []message }
	var ids []string
	for i := range batchSize {
		answer.Messages = append(answer.Messages, message{strconv.Itoa(i), strings.Repeat("h", 160), body})
		ids = append(ids, `{"Id":"`+strconv.Itoa(i)+`"}`)
	}
	receive, err := json.Marshal(answer)
	if err != nil {
		b.Fatal(err)
	}
	deleted := `{"Successful":[` + strings.Join(ids, ",") + `]}`
	var keys atomic.Uint64
	c, err := New(Options{
		Name: "ses-events", QueueURL: "https://sqs.us-east-1.amazonaws.com/123456789012/q", Budget: NewBudget(64 << 20),
		AWS: aws.Config{
			Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
			HTTPClient:  canned{receive, []byte(deleted)},
		},
		NextKey: func() uint64 { return keys.Add(1) },
	})
	if err != nil {
		b.Fatal(err)
	}
	s := nothing{}
	b.ReportAllocs()
	b.SetBytes(int64(len(receive)))
	for b.Loop() {
		if full, err := c.Pass(b.Context(), s); err != nil || !full {
			b.Fatal(full, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*batchSize), "us/message")
}
