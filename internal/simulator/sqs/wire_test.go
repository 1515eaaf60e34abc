package sqs_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

func TestSignatures(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	in := &client.ReceiveMessageInput{QueueUrl: &w.url}
	_, err := w.clientFor("us-east-1", aws.AnonymousCredentials{}).ReceiveMessage(t.Context(), in)
	if code(err) != "AccessDenied" {
		t.Errorf("unsigned: %v, want AccessDenied", err)
	}
	any := credentials.NewStaticCredentialsProvider("whoever", "whatever", "token")
	if _, err := w.clientFor("us-east-1", any).ReceiveMessage(t.Context(), in); err != nil {
		t.Errorf("other credentials: %v", err)
	}
	if _, err := w.clientFor("eu-west-1", any).ReceiveMessage(t.Context(), in); code(err) != "SignatureDoesNotMatch" {
		t.Errorf("another region: %v, want SignatureDoesNotMatch", err)
	}
	w.server.CreateQueue("eu", sqs.QueueOptions{Region: "eu-west-1"})
	url := w.http.URL + w.server.QueuePath("eu")
	if _, err := w.clientFor("eu-west-1", any).ReceiveMessage(t.Context(), &client.ReceiveMessageInput{QueueUrl: &url}); err != nil {
		t.Errorf("the queue's own region: %v", err)
	}
}

// post sends a request as it is, with a signature that nobody checks.
func (w *world) post(op, body string) *http.Response {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.http.URL, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+op)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=simulator/20261120/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := w.http.Client().Do(r)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// sample reads a sample of the wire.
func sample(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../testdata/transport", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, r *http.Response) (v map[string]any) {
	t.Helper()
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestErrorsOnTheWireAreThoseOfTheSamples(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	for name, ask := range map[string]func() *http.Response{
		"sqs_http_error_queue_does_not_exist.json": func() *http.Response {
			return w.post("ReceiveMessage", `{"QueueUrl":"`+w.url+`-missing"}`)
		},
		"sqs_http_error_request_throttled.json": func() *http.Response {
			defer w.server.Inject(sqs.Fault{Kind: sqs.FaultError, Error: "RequestThrottled"})()
			return w.post("ReceiveMessage", `{"QueueUrl":"`+w.url+`"}`)
		},
	} {
		var want struct {
			Status  int               `json:"_status"`
			Headers map[string]string `json:"_headers"`
			Body    map[string]any    `json:"_body"`
		}
		sample(t, name, &want)
		got := ask()
		if got.StatusCode != want.Status {
			t.Errorf("%s: status %d, want %d", name, got.StatusCode, want.Status)
		}
		for header, value := range want.Headers {
			if got.Header.Get(header) != value {
				t.Errorf("%s: header %s is %q, want %q", name, header, got.Header.Get(header), value)
			}
		}
		if diff := cmp.Diff(want.Body, decode(t, got)); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnswersOnTheWireAreThoseOfTheSamples(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	var empty, full, partial map[string]any
	sample(t, "sqs_http_receive_message_empty.json", &empty)
	sample(t, "sqs_http_receive_message_response.json", &full)
	sample(t, "sqs_http_delete_batch_partial.json", &partial)
	ask := `{"QueueUrl":"` + w.url + `","MessageSystemAttributeNames":["All"]}`
	if diff := cmp.Diff(empty, decode(t, w.post("ReceiveMessage", ask))); diff != "" {
		t.Errorf("empty receive (-want +got):\n%s", diff)
	}
	want := full["Messages"].([]any)[0].(map[string]any)
	w.send(want["Body"].(string))
	got := decode(t, w.post("ReceiveMessage", ask))["Messages"].([]any)[0].(map[string]any)
	handle := got["ReceiptHandle"].(string)
	for _, m := range []map[string]any{want, got} {
		for _, varies := range []string{"MessageId", "ReceiptHandle", "MD5OfBody"} {
			if m[varies] == "" {
				t.Errorf("%s is empty", varies)
			}
			delete(m, varies)
		}
		for name := range m["Attributes"].(map[string]any) {
			if strings.HasSuffix(name, "Timestamp") {
				m["Attributes"].(map[string]any)[name] = "a time"
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("receive (-want +got):\n%s", diff)
	}
	answer := w.post("DeleteMessageBatch", `{"QueueUrl":"`+w.url+`","Entries":[{"Id":"0","ReceiptHandle":"`+handle+`"},{"Id":"1","ReceiptHandle":"x"}]}`)
	if diff := cmp.Diff(partial, decode(t, answer)); diff != "" {
		t.Errorf("delete batch (-want +got):\n%s", diff)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	w := start(t, sqs.QueueOptions{})
	for _, c := range []struct{ op, body, want string }{
		{"DropEverything", `{"QueueUrl":"` + w.url + `"}`, "InvalidAction;Sender"},
		{"ReceiveMessage", `{"QueueUrl":`, "MalformedInput;Sender"},
		{"ReceiveMessage", `{}`, "AWS.SimpleQueueService.NonExistentQueue;Sender"},
	} {
		if got := w.post(c.op, c.body); got.StatusCode != http.StatusBadRequest || got.Header.Get("X-Amzn-Query-Error") != c.want {
			t.Errorf("%s %s: %d %q, want 400 %q", c.op, c.body, got.StatusCode, got.Header.Get("X-Amzn-Query-Error"), c.want)
		}
	}
}
