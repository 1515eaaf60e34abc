package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The credentials of the test; fauxqs takes any.
const (
	accessKey = "test"
	secretKey = "test-secret"
	region    = "us-east-1"
)

// peer is a running fauxqs, an SQS and SNS server that Mailvane's authors did not write.
type peer struct {
	url string
	sqs *sqs.Client
}

// startPeer installs fauxqs if it is not there, and runs it until the test ends.
func startPeer(t *testing.T) *peer {
	t.Helper()
	install(t, "fauxqs")
	cmd := exec.CommandContext(t.Context(), "node", "serve.mjs")
	cmd.Dir = "fauxqs"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends when this end is closed, should the test be killed
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start fauxqs: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the test's context has killed it
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("fauxqs did not say where it listens: %v: %s", err, stderr.String())
	}
	p := &peer{url: strings.TrimSpace(line)}
	p.sqs = sqs.New(sqs.Options{
		Region: region, BaseEndpoint: &p.url,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")),
	})
	return p
}

// install brings a folder's node_modules up to date with its lock file.
func install(t *testing.T, dir string) {
	t.Helper()
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	installed, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	if err == nil && !installed.ModTime().Before(lock.ModTime()) {
		return
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatalf("this test uses a package from npm, so it needs Node.js 20 or newer and npm: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in %s: %v\n%s", filepath.Join("internal", "e2e", dir), err, out)
	}
}

// createQueue makes a queue and returns its URL.
func (p *peer) createQueue(t *testing.T, name string) string {
	t.Helper()
	out, err := p.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": "60"},
	})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	return *out.QueueUrl
}

// send puts a message on a queue as it is.
func (p *peer) send(t *testing.T, queue, body string) {
	t.Helper()
	if _, err := p.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
		t.Fatalf("send message: %v", err)
	}
}

// left is how many messages a queue holds, visible or not.
func (p *peer) left(t *testing.T, queue string) (visible, inFlight string) {
	t.Helper()
	out, err := p.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatalf("get queue attributes: %v", err)
	}
	return out.Attributes["ApproximateNumberOfMessages"], out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

// createTopic makes an SNS topic that delivers to a queue, raw or in SNS's envelope, and returns its ARN.
func (p *peer) createTopic(t *testing.T, name, queueARN string, raw bool) string {
	t.Helper()
	arn := p.sns(t, url.Values{"Action": {"CreateTopic"}, "Name": {name}})
	p.sns(t, url.Values{
		"Action": {"Subscribe"}, "TopicArn": {arn}, "Protocol": {"sqs"}, "Endpoint": {queueARN},
		"Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {fmt.Sprint(raw)},
	})
	return arn
}

// publish sends a message to the subscribers of a topic.
func (p *peer) publish(t *testing.T, topicARN, body string) {
	t.Helper()
	p.sns(t, url.Values{"Action": {"Publish"}, "TopicArn": {topicARN}, "Message": {body}})
}

// sns calls SNS by its query protocol, which needs no SDK, and returns the ARN of the topic if the answer names one.
func (p *peer) sns(t *testing.T, form url.Values) (topicARN string) {
	t.Helper()
	form.Set("Version", "2010-03-31")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("SNS %s: %s: %s", form.Get("Action"), resp.Status, text)
	}
	var answer struct {
		TopicARN string `xml:"CreateTopicResult>TopicArn"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		t.Fatalf("SNS %s answered %s: %v", form.Get("Action"), text, err)
	}
	return answer.TopicARN
}
