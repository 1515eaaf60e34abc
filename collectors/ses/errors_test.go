package ses

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
)

// checkNoSecret fails when an error says what only the request may know.
func checkNoSecret(t testing.TB, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e)} {
			for _, secret := range []string{secretKey, sessionToken, "AWS4-HMAC-SHA256", "Signature="} {
				if strings.Contains(text, secret) {
					t.Errorf("an error holds %q: %s", secret, text)
				}
			}
		}
	}
}

func TestFaultsOfTheQueueAreNamed(t *testing.T) {
	t.Parallel()
	answer := func(code string) sqs.Fault { return sqs.Fault{Kind: sqs.FaultError, Error: code} }
	for _, c := range []struct {
		name   string
		fault  sqs.Fault
		reason collectors.Reason
		// says must be in the error's text, hint included.
		says       string
		retryAfter time.Duration
	}{
		{"no queue", answer("QueueDoesNotExist"), collectors.ReasonNotFound, "NonExistentQueue", 0},
		{"access", answer("AccessDenied"), collectors.ReasonAuth, "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes", 0},
		{"token", answer("ExpiredToken"), collectors.ReasonAuth, "ExpiredToken", 0},
		{"signature", answer("SignatureDoesNotMatch"), collectors.ReasonAuth, "clock", 0},
		{"key access", answer("KmsAccessDenied"), collectors.ReasonAuth, "kms:Decrypt", 0},
		{"key disabled", answer("KmsDisabled"), collectors.ReasonConfig, "KMS.DisabledException", 0},
		{"key gone", answer("KmsNotFound"), collectors.ReasonConfig, "KMS key", 0},
		{"key state", answer("KmsInvalidState"), collectors.ReasonConfig, "KMS key", 0},
		{"key throttled", answer("KmsThrottled"), collectors.ReasonQuota, "KMS.ThrottlingException", 0},
		{"throttled", answer("RequestThrottled"), collectors.ReasonQuota, "RequestThrottled", 0},
		{"over limit", answer("OverLimit"), collectors.ReasonQuota, "in flight", 0},
		{"internal failure", answer("InternalFailure"), collectors.ReasonUnavailable, "InternalFailure (status 500)", 0},
		{"unheard of", answer("BrandNewError"), collectors.ReasonConfig, "BrandNewError (status 400)", 0},
		{"503", sqs.Fault{Kind: sqs.FaultStatus, Status: 503, RetryAfter: 7 * time.Second}, collectors.ReasonUnavailable, "status 503", 7 * time.Second},
		{"429", sqs.Fault{Kind: sqs.FaultStatus, Status: 429, RetryAfter: time.Minute}, collectors.ReasonQuota, "status 429", time.Minute},
		{"403", sqs.Fault{Kind: sqs.FaultStatus, Status: 403}, collectors.ReasonAuth, "status 403", 0},
		{"404", sqs.Fault{Kind: sqs.FaultStatus, Status: 404}, collectors.ReasonNotFound, "queue's URL", 0},
		{"hang", sqs.Fault{Kind: sqs.FaultHang}, collectors.ReasonUnavailable, "no whole answer within 300ms", 0},
		{"reset", sqs.Fault{Kind: sqs.FaultReset}, collectors.ReasonUnavailable, "reset", 0},
		{"truncated", sqs.Fault{Kind: sqs.FaultTruncate}, collectors.ReasonUnavailable, "broke off", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sqs.QueueOptions{})
			r.send(t, 1)
			c.fault.Op = "ReceiveMessage"
			remove := r.server.Inject(c.fault)
			if c.fault.Kind == sqs.FaultHang {
				r.transport.receiveTimeout = 300 * time.Millisecond
			}
			e := r.failure(t)
			if e.Reason != c.reason || !strings.Contains(e.Error(), c.says) || e.RetryAfter != c.retryAfter {
				t.Errorf("reason %s, retry after %s, %v\nwant %s, %s, saying %q", e.Reason, e.RetryAfter, e, c.reason, c.retryAfter, c.says)
			}
			if !strings.HasPrefix(e.Error(), "receive from ses-events: ") {
				t.Errorf("the error does not begin with what was attempted: %v", e)
			}
			r.wantBudgetFree(t)
			if c.fault.Kind == sqs.FaultTruncate {
				return // its message was delivered, and comes back later
			}
			remove()
			r.transport.receiveTimeout = patience
			r.pass(t)
			r.wantQueue(t, 0, 0, 1)
		})
	}
}

func TestQueueThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := sqs.New(sqs.Options{Account: "123456789012", Region: "us-east-1"})
	r := newRigOn(t, server, server.QueuePath("elsewhere"))
	e := r.failure(t)
	if e.Reason != collectors.ReasonNotFound || e.Op != "read the attributes of" || e.Hint == "" {
		t.Errorf("%s, %s, hint %q", e.Op, e.Reason, e.Hint)
	}
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	r.transport.http = refusing{}
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable || strings.Contains(e.Error(), "http://") {
		t.Errorf("%s: %v", e.Reason, e)
	}
}

// handler answers SQS's operations as a test says.
type handler map[string]http.HandlerFunc

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if f := h[op]; f != nil {
		f(w, r)
		return
	}
	if op == "GetQueueAttributes" {
		_, _ = io.WriteString(w, `{"Attributes":{"VisibilityTimeout":"30"}}`)
		return
	}
	http.Error(w, "unexpected operation "+op, http.StatusInternalServerError)
}

func TestErrorWithoutTheQueryHeader(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`)
	}}, "/123456789012/q")
	if e := r.failure(t); e.Reason != collectors.ReasonNotFound {
		t.Errorf("%s: %v", e.Reason, e)
	}
}

func TestAnswerThatStallsHalfWay(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"Messages":[`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}}, "/123456789012/q")
	r.transport.receiveTimeout = 300 * time.Millisecond
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable || !strings.Contains(e.Error(), "no whole answer within 300ms") {
		t.Errorf("%s: %v", e.Reason, e)
	}
	r.wantBudgetFree(t)
}

// A server may answer with the whole request, as AWS does to explain signatures.
func TestNoSecretComesBackInAnError(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"SignatureDoesNotMatch", "InvalidSignatureException", "ExpiredToken", "InvalidAddress", "Unheard"} {
		r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Amz-Security-Token") != sessionToken {
				t.Error("the request holds no session token, so the test shows nothing")
			}
			message := r.Header.Get("Authorization") + " x-amz-security-token:" + r.Header.Get("X-Amz-Security-Token")
			body, _ := json.Marshal(map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": message})
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write(body)
		}}, "/123456789012/q")
		if e := r.failure(t); e.Reason != collectors.ReasonAuth && code != "Unheard" && code != "InvalidAddress" {
			t.Errorf("%s: %v", e.Reason, e)
		}
	}
}

func TestWhoLacksWhatIsRepeated(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"__type":"com.amazon.coral.service#AccessDeniedException",`+
			`"Message":"User: arn:aws:iam::123456789012:user/x is not authorized to perform: sqs:receivemessage\nsecond \u0007line"}`)
	}}, "/123456789012/q")
	e := r.failure(t)
	if !strings.Contains(e.Error(), "user/x is not authorized to perform: sqs:receivemessage") || strings.Contains(e.Error(), "second") {
		t.Errorf("error %q", e.Error())
	}
}

func TestAnswersThatAreNotOfSQS(t *testing.T) {
	t.Parallel()
	f := func(answer string, reason collectors.Reason) {
		t.Helper()
		r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }}, "/1/q")
		if e := r.failure(t); e.Reason != reason || strings.Contains(e.Error(), "html") {
			t.Errorf("%q: %s, %v", answer, e.Reason, e)
		}
		r.wantBudgetFree(t)
	}
	f("<html>Welcome to our proxy</html>", collectors.ReasonMalformed)
	f(`{"Messages": 7}`, collectors.ReasonMalformed)
	f(`{"Messages":[`+strings.Repeat(`{},`, 10)+`{}]}`, collectors.ReasonMalformed)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqs.QueueOptions{})
	o := Options{
		Name: "ses-events", QueueURL: r.url, Region: "us-east-1", Budget: r.transport.budget, NextKey: func() uint64 { return 1 },
		AWS: aws.Config{BaseEndpoint: r.transport.client.Options().BaseEndpoint, Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("no EC2 IMDS role found")
			})},
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Pass(t.Context(), r.sink)
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok || e.Reason != collectors.ReasonAuth || !strings.Contains(e.Error(), "no EC2 IMDS role found") || e.Hint != awsfault.HintNoCredentials {
		t.Errorf("%v", err)
	}
}

func TestRoleIsAssumed(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/events"
	status, answer := http.StatusOK, ""
	sts := func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "AssumeRole" || r.FormValue("RoleArn") != role {
			t.Errorf("request to STS: %v", r.Form)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}
	var receivedAs string
	h := handler{"": sts, "ReceiveMessage": func(w http.ResponseWriter, r *http.Request) {
		receivedAs = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, "{}")
	}}
	r := newRigOn(t, h, "/123456789012/q")
	pass := func() error {
		c, err := New(Options{
			Name: "ses-events", QueueURL: r.url, RoleARN: role, Budget: r.transport.budget, NextKey: r.nextKey,
			AWS: aws.Config{Region: "eu-west-1", BaseEndpoint: r.transport.client.Options().BaseEndpoint, Credentials: r.transport.client.Options().Credentials},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Pass(t.Context(), r.sink)
		return err
	}
	answer = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
		`<AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>` +
		`<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	if err := pass(); err != nil || !strings.Contains(receivedAs, "ASIAASSUMED") || !strings.Contains(receivedAs, "/eu-west-1/sqs/") {
		t.Errorf("error %v, received as %q", err, receivedAs)
	}
	refuse := func(code string, with int, reason collectors.Reason, hint string) {
		t.Helper()
		status, answer = with, `<ErrorResponse><Error><Type>Sender</Type><Code>`+code+`</Code><Message>User x may not `+role+`</Message></Error></ErrorResponse>`
		err := pass()
		e, ok := errors.AsType[*collectors.Error](err)
		if !ok || e.Reason != reason || e.Hint != hint || !strings.Contains(e.Error(), "from STS") {
			t.Errorf("%v", err)
		}
	}
	refuse("AccessDenied", http.StatusForbidden, collectors.ReasonAuth, awsfault.HintRole)
	refuse("ServiceUnavailable", http.StatusServiceUnavailable, collectors.ReasonUnavailable, "")
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	f := func(header string, want time.Duration) {
		t.Helper()
		now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		r := newRigOn(t, handler{"ReceiveMessage": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"OverLimit"}`)
		}}, "/123456789012/q")
		r.now = func() time.Time { return now }
		if e := r.failure(t); e.RetryAfter != want {
			t.Errorf("Retry-After: %s gives %s, want %s", header, e.RetryAfter, want)
		}
	}
	f("120", 2*time.Minute)
	f("Fri, 20 Nov 2026 10:00:30 GMT", 30*time.Second)
	f("Fri, 20 Nov 2026 09:00:00 GMT", 0)
	f("-5", 0)
	f("soon", 0)
}
