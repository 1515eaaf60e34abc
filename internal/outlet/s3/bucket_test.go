package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/simulator/gate"
	simulated "github.com/mailvane/mailvane/internal/simulator/s3"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
)

const (
	account = "123456789012"
	other   = "210987654321"
	secret  = "SECRETKEY0123456789"
)

// start starts S3 and STS, and makes the configuration of a client.
func start(t *testing.T) (*simulated.Server, aws.Config) {
	t.Helper()
	server := simulated.New(simulated.Options{Account: account, Buckets: []simulated.Bucket{
		{Name: "reports"}, {Name: "far", Region: "eu-west-1"}, {Name: "theirs", Account: other},
	}})
	sts := sesapi.New(sesapi.Options{Account: account})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			sts.ServeHTTP(w, r)
			return
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		endpoint.Close()
	})
	return server, aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", secret, ""),
	}
}

func bucket(t *testing.T, o Options) *Bucket {
	t.Helper()
	o.Notifier = "weekly"
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPut(t *testing.T) {
	server, cfg := start(t)
	b := bucket(t, Options{AWS: cfg, Bucket: "reports"})
	for _, key := range []string{"a.html", "2026/a b+c.html", "..%2f/ä.html"} {
		for range 2 {
			if err := b.Put(t.Context(), key, "text/html; charset=utf-8", []byte("<p>"+key)); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
		}
		o := server.Object("reports", key)
		if string(o.Data) != "<p>"+key || o.ContentType != "text/html; charset=utf-8" || o.Puts != 2 {
			t.Errorf("%s: %d bytes of %s, put %d times", key, len(o.Data), o.ContentType, o.Puts)
		}
	}
	// Others read what was put, with the SDK as it comes.
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("reports"), Key: aws.String("a.html")})
	if err != nil || *got.ContentLength != int64(len("<p>a.html")) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("reports"), Key: aws.String("b"), Body: strings.NewReader("checked")}); err != nil {
		t.Errorf("with the newer checksums: %v", err)
	}
	if err := bucket(t, Options{AWS: cfg, Bucket: "far", Region: "eu-west-1"}).Put(t.Context(), "a", "text/csv", nil); err != nil {
		t.Errorf("in another region: %v", err)
	}
	role := "arn:aws:iam::" + other + ":role/mailvane"
	if err := bucket(t, Options{AWS: cfg, Bucket: "theirs", RoleARN: role}).Put(t.Context(), "a", "text/csv", nil); err != nil {
		t.Errorf("with a role of another account: %v", err)
	}
}

// TestFaults holds what is made of errors, and that none shows a key.
func TestFaults(t *testing.T) {
	server, cfg := start(t)
	f := func(name string, fault *gate.Fault, change func(*Options), want alerts.DeliveryReason, text string, after time.Duration) {
		t.Run(name, func(t *testing.T) {
			if fault != nil {
				defer server.Inject(*fault)()
			}
			o := Options{AWS: cfg, Bucket: "reports"}
			if change != nil {
				change(&o)
			}
			err := bucket(t, o).Put(t.Context(), "a", "text/csv", []byte("x"))
			e, ok := errors.AsType[*alerts.DeliveryError](err)
			if !ok || e.Reason != want || !strings.Contains(err.Error(), text) || e.RetryAfter != after || e.Notifier != "weekly" {
				t.Errorf("%v, want %s with %q after %s", err, want, text, after)
			}
			if all := fmt.Sprintf("%v %+v", err, err); strings.Contains(all, secret) || strings.Contains(all, "AKIDEXAMPLE") || strings.Contains(all, "Signature=") {
				t.Errorf("the error tells a secret: %s", all)
			}
		})
	}
	injected := func(code string) *gate.Fault { return &gate.Fault{Kind: gate.FaultError, Error: code} }
	f("denied", injected("AccessDenied"), nil, alerts.DeliveryAuth, "must allow s3:PutObject", 0)
	f("expired", injected("ExpiredToken"), nil, alerts.DeliveryAuth, "renew", 0)
	f("signature", injected("SignatureDoesNotMatch"), nil, alerts.DeliveryAuth, "check the secret key", 0)
	f("slow down", &gate.Fault{Kind: gate.FaultError, Error: "Throttling", RetryAfter: 7 * time.Second}, nil, alerts.DeliveryQuota, "SlowDown", 7*time.Second)
	f("internal", injected("InternalFailure"), nil, alerts.DeliveryUnavailable, "InternalError", 0)
	f("unavailable", &gate.Fault{Kind: gate.FaultStatus, Status: 503}, nil, alerts.DeliveryUnavailable, "status 503", 0)
	f("reset", &gate.Fault{Kind: gate.FaultReset}, nil, alerts.DeliveryUnavailable, "", 0)
	f("hang", &gate.Fault{Kind: gate.FaultHang}, func(o *Options) { o.Timeout = 50 * time.Millisecond }, alerts.DeliveryUnavailable, "no whole answer within 50ms", 0)
	f("no bucket", nil, func(o *Options) { o.Bucket = "none" }, alerts.DeliveryAuth, "check the name of the bucket", 0)
	f("another region", nil, func(o *Options) { o.Bucket = "far" }, alerts.DeliveryAuth, "the bucket is in another region", 0)
	f("another account", nil, func(o *Options) { o.Bucket = "theirs" }, alerts.DeliveryAuth, "AccessDenied", 0)
	f("no credentials", nil, func(o *Options) {
		o.AWS.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })
	}, alerts.DeliveryAuth, "get AWS credentials", 0)
}

func TestBounds(t *testing.T) {
	server, cfg := start(t)
	err := bucket(t, Options{AWS: cfg, Bucket: "reports"}).Put(t.Context(), "a", "text/csv", make([]byte, MaxSize+1))
	if e, ok := errors.AsType[*alerts.DeliveryError](err); !ok || e.Reason != alerts.DeliveryRefused || len(server.Requests()) > 0 {
		t.Errorf("a file too large: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the daemon stops")
	cancel(stop)
	if err := bucket(t, Options{AWS: cfg, Bucket: "reports"}).Put(ctx, "a", "text/csv", nil); !errors.Is(err, stop) {
		t.Errorf("%v, want the cause", err)
	}
	for _, o := range []Options{{Bucket: "a"}, {Region: "us-east-1"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
