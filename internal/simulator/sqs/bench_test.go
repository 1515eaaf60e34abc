package sqs_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// BenchmarkServe measures what the server costs a message, received and deleted in tens over a kept connection, when it
// was sent before and when it is drawn from a source. The client does little, but its CPU time counts too.
func BenchmarkServe(b *testing.B) {
	body := strings.Repeat(`{"name":"value, as long as usual"},`, 107)
	b.Run("sent", func(b *testing.B) {
		serve(b, sqs.QueueOptions{}, func(q *sqs.Queue) {
			for range 10 * 10_000 {
				if err := q.Send(body[:len(body)-10]); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("drawn", func(b *testing.B) {
		serve(b, sqs.QueueOptions{OmitMD5: true}, func(q *sqs.Queue) {
			q.Fill(func(dst []byte) ([]byte, bool) { return append(dst, body...), true }, 1)
		})
	})
}

func serve(b *testing.B, o sqs.QueueOptions, fill func(*sqs.Queue)) {
	server := sqs.New(sqs.Options{Account: account, Region: "us-east-1", Seed: 1})
	fill(server.CreateQueue("events", o))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: server}
	go func() { _ = web.Serve(listener) }()
	defer func() { _ = web.Close() }()
	ask := func(op, body string) []byte {
		r, err := http.NewRequest(http.MethodPost, "http://"+listener.Addr().String(), strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AmazonSQS."+op)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20261120/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatalf("%d %s %v", answer.StatusCode, text, err)
		}
		return text
	}
	url := `{"QueueUrl":"http://host` + server.QueuePath("events") + `"`
	begin, messages := cpu(), 0
	for b.Loop() {
		answer := ask("ReceiveMessage", url+`,"MaxNumberOfMessages":10}`)
		var entries strings.Builder
		for i := 0; ; i++ {
			_, after, ok := bytes.Cut(answer, []byte(`"ReceiptHandle":"`))
			if !ok {
				break
			}
			handle, rest, _ := bytes.Cut(after, []byte(`"`))
			if i > 0 {
				entries.WriteByte(',')
			}
			fmt.Fprintf(&entries, `{"Id":"%d","ReceiptHandle":"%s"}`, i, handle)
			answer = rest
			messages++
		}
		ask("DeleteMessageBatch", url+`,"Entries":[`+entries.String()+`]}`)
	}
	b.ReportMetric(float64(messages)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64((cpu()-begin).Microseconds())/float64(messages), "cpu-us/message")
}

// cpu is the CPU time that this process has used.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
