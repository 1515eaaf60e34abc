package sesmail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/simulator/wire"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func letter() *mail.Message {
	return &mail.Message{
		From: netmail.Address{Name: "Mailvane", Address: "alerts@example.com"},
		To:   []netmail.Address{{Name: "Ada", Address: "ada.byron@example.org"}, {Address: "grace@example.net"}},
		Text: "It is.", HTML: "<p>It is.</p>", Subject: "CampaignComplaints", ID: "0123", Thread: "4567",
		Date: time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC),
	}
}

func options(url string) Options {
	return Options{
		Notifier: "oncall", Region: "us-east-1", ConfigurationSet: "internal", Timeout: time.Minute,
		AWS: aws.Config{BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")},
	}
}

// send sends a letter to a server that answers as told, and holds that the error names nobody.
func send(t *testing.T, answer http.HandlerFunc, change ...func(*Options)) error {
	t.Helper()
	server := httptest.NewServer(answer)
	defer server.Close()
	o := options(server.URL)
	for _, c := range change {
		c(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Send(t.Context(), letter())
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok || e.Notifier != "oncall" {
		t.Fatalf("%v is no error of the notifier", err)
	}
	text := fmt.Sprintf("%v %#v", err, e.Err)
	for _, secret := range []string{accessKey, secretKey, "ada", "grace", "alerts@", "Signature="} {
		if strings.Contains(text, secret) {
			t.Errorf("%s reveals %s", text, secret)
		}
	}
	return err
}

func TestSend(t *testing.T) {
	var got struct {
		ConfigurationSetName string
		Destination          struct{ ToAddresses []string }
		Content              struct{ Raw struct{ Data []byte } }
	}
	err := send(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/email/outbound-emails" || !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/ses/") {
			t.Errorf("called %s as %s", r.URL, r.Header.Get("Authorization"))
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprint(w, `{"MessageId": "0100019a2b3c4d5e"}`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ada.byron@example.org", "grace@example.net"}, got.Destination.ToAddresses); diff != "" || got.ConfigurationSetName != "internal" {
		t.Errorf("set %s, recipients %s", got.ConfigurationSetName, diff)
	}
	if raw := string(got.Content.Raw.Data); !strings.Contains(raw, "Subject: CampaignComplaints\r\n") || !strings.Contains(raw, "It is.") {
		t.Errorf("sent %s", raw)
	}
}

func TestAnswers(t *testing.T) {
	fail := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if code != "" {
				w.Header().Set("X-Amzn-Errortype", code)
			}
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"message": "alerts@example.com, ada.byron@example.org: %s"}`, accessKey)
		}
	}
	for _, tt := range []struct {
		status int
		code   string
		want   alerts.DeliveryReason
	}{
		{400, "MessageRejected", alerts.DeliveryRefused},
		{400, "BadRequestException", alerts.DeliveryRefused},
		{400, "MailFromDomainNotVerifiedException", alerts.DeliveryAuth},
		{400, "AccountSuspendedException", alerts.DeliveryAuth},
		{400, "SendingPausedException", alerts.DeliveryAuth},
		{404, "NotFoundException", alerts.DeliveryAuth},
		{403, "AccessDeniedException", alerts.DeliveryAuth},
		{403, "ExpiredTokenException", alerts.DeliveryAuth},
		{403, "SignatureDoesNotMatch", alerts.DeliveryAuth},
		{429, "TooManyRequestsException", alerts.DeliveryQuota},
		{400, "LimitExceededException", alerts.DeliveryQuota},
		{400, "ThrottlingException", alerts.DeliveryQuota},
		{500, "InternalFailure", alerts.DeliveryUnavailable},
		{503, "", alerts.DeliveryUnavailable},
		{429, "", alerts.DeliveryQuota},
		{403, "", alerts.DeliveryAuth},
	} {
		t.Run(fmt.Sprint(tt.status, tt.code), func(t *testing.T) {
			err := send(t, fail(tt.status, tt.code))
			if e, _ := errors.AsType[*alerts.DeliveryError](err); e == nil || e.Reason != tt.want || !strings.Contains(err.Error(), tt.code) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	err := send(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		fail(429, "TooManyRequestsException")(w, r)
	})
	if e, _ := errors.AsType[*alerts.DeliveryError](err); e == nil || e.RetryAfter != 30*time.Second {
		t.Errorf("%v does not ask for half a minute", err)
	}
}

func TestFaults(t *testing.T) {
	unavailable := func(name, says string, answer http.HandlerFunc) {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			err := send(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body) // a server notices that its client has gone only after that
				answer(w, r)
			}, func(o *Options) { o.Timeout = 300 * time.Millisecond })
			if e, _ := errors.AsType[*alerts.DeliveryError](err); e == nil || e.Reason != alerts.DeliveryUnavailable || !strings.Contains(err.Error(), says) {
				t.Error(err)
			}
			if n := calls.Load(); n != 1 {
				t.Errorf("%d attempts, want one: a mail that was taken must not go out twice", n)
			}
		})
	}
	unavailable("hang", "no answer within 300ms", func(w http.ResponseWriter, r *http.Request) { wire.Hang(w, r, nil) })
	unavailable("reset", "", func(w http.ResponseWriter, _ *http.Request) { wire.Reset(w) })
	unavailable("not SES", "", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>ada.byron@example.org") })
	unavailable("cut", "", func(w http.ResponseWriter, _ *http.Request) {
		wire.Truncate(w, "application/json", []byte(`{"MessageId": "0100019a2b3c4d5e"}`))
	})
}

func TestCredentials(t *testing.T) {
	never := func(http.ResponseWriter, *http.Request) { t.Error("SES was called") }
	reason := func(err error, says string) {
		t.Helper()
		if e, _ := errors.AsType[*alerts.DeliveryError](err); e == nil || e.Reason != alerts.DeliveryAuth || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no profile of " + accessKey)
	})
	reason(send(t, never, func(o *Options) { o.AWS.Credentials = none }), "get AWS credentials: there are none")
	denied := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			t.Errorf("called %s without a role", r.URL)
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>`+accessKey+`</Message></Error></ErrorResponse>`)
	}
	role := func(o *Options) { o.RoleARN = "arn:aws:iam::123456789012:role/mailvane" }
	reason(send(t, denied, role), "get AWS credentials: the answer was AccessDenied")
}

func TestNew(t *testing.T) {
	bad := func(says string, change func(*Options)) {
		t.Helper()
		o := options("http://127.0.0.1:1")
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	bad("a region", func(o *Options) { o.Region = "" })
	bad("is not the ARN of a role", func(o *Options) { o.RoleARN = "mailvane" })
}
