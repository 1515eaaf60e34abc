package ses

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

// saying is an HTTP client that always answers the same.
type saying string

// Do implements sqs.HTTPClient.
func (c saying) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(c)), Body: io.NopCloser(strings.NewReader(string(c))),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}, nil
}

// bySDK is how the SDK reads an answer.
func bySDK(t testing.TB, body string) ([]Message, error) {
	t.Helper()
	client := sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: saying(body), Retryer: aws.NopRetryer{}, DisableMessageChecksumValidation: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.us-east-1.amazonaws.com/1/q")})
	if err != nil {
		return nil, err
	}
	return messagesOf(out.Messages), nil
}

// agrees compares what an answer takes with the SDK, and says whether it took anything.
func agrees(t testing.TB, body string) bool {
	t.Helper()
	var a answer
	if !a.scan(body) {
		return false
	}
	want, err := bySDK(t, body)
	if err != nil {
		t.Errorf("the SDK does not read %q: %v", body, err)
	}
	if diff := cmp.Diff(want, a.messages); diff != "" && len(want)+len(a.messages) > 0 {
		t.Errorf("%q (-SDK +scan):\n%s", body, diff)
	}
	return true
}

const oneMessage = `{"Messages":[{"MessageId":"5fea7756","ReceiptHandle":"AQEB+/=","MD5OfBody":"fafb00f5","Body":"{\"a\":\"\\\"é\u20ac\\n\"}",` +
	`"Attributes":{"SentTimestamp":"1763856000123","ApproximateReceiveCount":"2","SenderId":"AIDA"}}]}`

func TestAnswerIsReadAsTheSDKDoes(t *testing.T) {
	t.Parallel()
	f := func(body string, taken bool) {
		t.Helper()
		if got := agrees(t, body); got != taken {
			t.Errorf("%s: taken %v, want %v", body, got, taken)
		}
	}
	f(oneMessage, true)
	f(`{"Messages":[]}`, true)
	f(` { "Messages" : [ { "Body" : "x" } , { "Body" : null } ] , "Other" : {"deep":[1,{"a":null}]} } `, true)
	f(`{"Messages":[{"Attributes":{"SentTimestamp":"soon","ApproximateReceiveCount":""}}]}`, true)
	// What is left to the SDK.
	f(`{}`, false)
	f(`{"Messages":null}`, false)
	f(`{"Messages":[{"Body":"lone \ud800 surrogate"}]}`, false)
	f(`{"Messages":[{"Body":"a","Body":"b"}]}`, false)
	f(`{"Messages":[{"B\u006fdy":"a"}]}`, false)
	f(`{"Messages":[{"Body":7}]}`, false)
	f(`{"Messages":[{"Attributes":{"SenderId":{}}}]}`, false)
	f(`{"Messages":[{"MessageAttributes":{"x":{"StringValue":"1"}}}]}`, false)
	f(`{"Messages":[]} {}`, false)
	f(`{"Messages":[{"Body":"cut`, false)
	f(``, false)
	f(`{"Messages":[`+strings.Repeat(`{},`, batchSize)+`{}]}`, false)
}

func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		oneMessage, `{"Messages":[]}`, `{"Messages":[{"Body":null}]}`, `{"Messages":[{},{}]}`, `{"Messages":[{"Body":"\ud83d\ude00"}]}`,
		"{\"Messages\":[{\"Body\":\"\xff\"}]}", `{"Messages":[{"Attributes":{"SentTimestamp":"-1"}}],"Messages":[]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) { agrees(t, body) })
}

// TestAnswerThatCannotBeTakenReadsAsBefore: the SDK gets every byte, and the error behind them.
func TestAnswerThatCannotBeTakenReadsAsBefore(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, c := range []struct {
		body   string
		length int
		end    error
		want   error
	}{
		{body: `{"Messages":[{"Body":7}]}`, length: 25, end: io.EOF},
		{body: `{"Messages":[{"Bo`, length: 25, end: broken, want: broken},
		{body: `{"Messages":[{"Bo`, length: 25, end: io.ErrUnexpectedEOF, want: io.ErrUnexpectedEOF},
		{body: ``, length: 25, end: broken, want: broken},
	} {
		var a answer
		response := &http.Response{
			ContentLength: int64(c.length), Body: io.NopCloser(io.MultiReader(bytes.NewReader([]byte(c.body)), failing{c.end})),
		}
		a.take(response)
		got, err := io.ReadAll(response.Body)
		if string(got) != c.body || !errors.Is(err, c.want) || len(a.messages) != 0 {
			t.Errorf("%q and %v: read %q and %v, %d messages", c.body, c.end, got, err, len(a.messages))
		}
	}
}

// TestAnswerMemory: what was taken is gone after a reset, and a giant's memory is not kept.
func TestAnswerMemory(t *testing.T) {
	t.Parallel()
	var a answer
	take := func(body string) {
		t.Helper()
		response, _ := saying(body).Do(nil)
		a.take(response)
		if left, err := io.ReadAll(response.Body); err != nil || string(left) != noMessages {
			t.Fatalf("the SDK would read %.80q, %v", left, err)
		}
	}
	take(fmt.Sprintf(`{"Messages":[{"Body":"%s\n"}]}`, strings.Repeat("x", 1<<20)))
	if len(a.messages) != 1 || len(a.messages[0].Body) != 1<<20+1 {
		t.Fatalf("took %d messages", len(a.messages))
	}
	a.reset()
	if kept := cap(a.body) + a.arena.Size(); kept > 0 || len(a.messages) > 0 {
		t.Errorf("%d bytes and %d messages are kept", kept, len(a.messages))
	}
	take(oneMessage)
	first := &a.body[0]
	a.reset()
	take(oneMessage)
	if &a.body[0] != first {
		t.Error("the memory of a small answer is not used again")
	}
}

func BenchmarkAnswer(b *testing.B) {
	body := strings.Repeat(`,{"MessageId":"5fea7756-0ea4-451a-a703-a558b933e274","ReceiptHandle":"`+strings.Repeat("AQEB", 100)+
		`","Body":"`+strings.Repeat(`{\\\"name\\\":\\\"Subject\\\",\\\"value\\\":\\\"a value of no great length\\\"}`, 50)+`"}`, batchSize)
	body = `{"Messages":[` + body[1:] + `]}`
	b.Run("scan", func(b *testing.B) {
		var a answer
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if !a.scan(body) {
				b.Fatal("not taken")
			}
			a.reset()
		}
	})
	b.Run("SDK", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := bySDK(b, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
