package awsfault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

var (
	errOwn = errors.New("more messages than were asked for")
	now    = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
)

// service is one with hints, codes and errors of its own.
func service() awsfault.Service {
	return awsfault.Service{
		Name: "Post", Prefix: "AWS.Post.",
		Access: "access", Signature: "signature", Endpoint: "endpoint", Permission: "post:Read",
		Own: func(err error) (awsfault.Finding, bool) {
			return awsfault.Finding{Reason: collectors.ReasonLedger, Hint: "own", Err: errOwn}, errors.Is(err, errOwn)
		},
		Known: func(code string) (f awsfault.Finding, quote, ok bool) {
			switch code {
			case "BoxIsGone":
				return awsfault.Finding{Reason: collectors.ReasonNotFound, Hint: "box"}, true, true
			case "SlowDown": // known to all services, and otherwise to this one
				return awsfault.Finding{Reason: collectors.ReasonConfig, Hint: "slow"}, false, true
			default:
				return awsfault.Finding{}, false, false
			}
		},
	}
}

// call makes an error as the SDK returns it.
func call(serviceID string, err error) error {
	return &smithy.OperationError{ServiceID: serviceID, OperationName: "Read", Err: err}
}

// answered makes an error of an answer.
func answered(status int, err error, header ...string) error {
	r := &http.Response{StatusCode: status, Header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return call("Post", &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: r}, Err: err})
}

func refused(code string) error {
	return answered(http.StatusBadRequest, &smithy.GenericAPIError{Code: code, Message: "User u may not\nsecret"})
}

// provided makes an error of the providers of credentials.
func provided(t *testing.T, err error) error {
	t.Helper()
	p := awsfault.Credentials(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, err
	}))
	_, err = p.Retrieve(t.Context())
	return call("Post", fmt.Errorf("sign: %w", err))
}

func TestFault(t *testing.T) {
	t.Parallel()
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "not you"}
	refusedDial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		name       string
		err        error
		reason     collectors.Reason
		hint       string
		permission string
		text       string
	}{
		{"permission", refused("AccessDeniedException"), collectors.ReasonAuth, "access", "post:Read", "the answer was AccessDeniedException (status 400): User u may not"},
		{"permission by status", answered(403, errors.New("x")), collectors.ReasonAuth, "access", "post:Read", "the answer had status 403"},
		{"unheard of, by status", answered(401, &smithy.GenericAPIError{Code: "New", Message: "x"}), collectors.ReasonAuth, "access", "post:Read", "the answer was New (status 401)"},
		{"unheard of", refused("New"), collectors.ReasonConfig, "endpoint", "", "the answer was New (status 400)"},
		{"no status", call("Post", denied), collectors.ReasonAuth, "access", "post:Read", "the answer was AccessDenied: not you"},
		{"token", refused("ExpiredToken"), collectors.ReasonAuth, awsfault.HintCredentials, "", "the answer was ExpiredToken (status 400)"},
		{"signature", refused("SignatureDoesNotMatch"), collectors.ReasonAuth, "signature", "", "the answer was SignatureDoesNotMatch (status 400)"},
		{"throttling", refused("ThrottlingException"), collectors.ReasonQuota, "", "", "the answer was ThrottlingException (status 400)"},
		{"throttling by status", answered(429, errors.New("x")), collectors.ReasonQuota, "", "", "the answer had status 429"},
		{"code of the service", refused("AWS.Post.BoxIsGone"), collectors.ReasonNotFound, "box", "", "the answer was BoxIsGone (status 400): User u may not"},
		{"the service's word goes first", refused("SlowDown"), collectors.ReasonConfig, "slow", "", "the answer was SlowDown (status 400)"},
		{"not found", answered(404, errors.New("x")), collectors.ReasonNotFound, "endpoint", "", "the answer had status 404"},
		{"redirected", answered(301, errors.New("x")), collectors.ReasonConfig, "endpoint", "", "the answer had status 301"},
		{"unavailable", answered(503, errors.New("x")), collectors.ReasonUnavailable, "", "", "the answer had status 503"},
		{"time-out at the service", answered(408, errors.New("x")), collectors.ReasonUnavailable, "", "", "the answer had status 408"},
		{"broken off", answered(200, io.ErrUnexpectedEOF), collectors.ReasonUnavailable, "", "", "the answer broke off"},
		{"reset under the answer", answered(200, refusedDial), collectors.ReasonUnavailable, "", "", "the answer broke off"},
		{"not understood", call("Post", &smithy.DeserializationError{Err: errors.New("secret")}), collectors.ReasonMalformed, "endpoint", "", "the answer is not one of Post"},
		{"another protocol", answered(200, errors.New("secret")), collectors.ReasonMalformed, "endpoint", "", "the answer is not one of Post"},
		{"own", call("Post", fmt.Errorf("read: %w", errOwn)), collectors.ReasonLedger, "own", "", errOwn.Error()},
		{"no such host", &url.Error{Op: "Post", URL: "https://secret/", Err: &net.DNSError{Err: "no such host", Name: "post.example.com", IsNotFound: true}}, collectors.ReasonUnavailable, "endpoint", "", "lookup post.example.com: no such host"},
		{"refused", &url.Error{Op: "Post", URL: "https://secret/", Err: refusedDial}, collectors.ReasonUnavailable, "", "", "dial tcp: connection refused"},
		{"hung up", call("Post", io.EOF), collectors.ReasonUnavailable, "", "", "operation error Post: Read, EOF"},
		{"not foreseen", errors.New("odd\nsecret"), collectors.ReasonInternal, "", "", "odd"},
		{"no credentials", provided(t, errors.New("none in the chain")), collectors.ReasonAuth, awsfault.HintNoCredentials, "", "get AWS credentials: none in the chain"},
		{"role", provided(t, call("STS", denied)), collectors.ReasonAuth, awsfault.HintRole, "", "get AWS credentials from STS: the answer was AccessDenied: not you"},
		{"STS is away", provided(t, call("STS", refusedDial)), collectors.ReasonUnavailable, "", "", "get AWS credentials from STS: operation error STS: Read, dial tcp: connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := service().Fault(t.Context(), "box", "read from", c.err, now)
			e, ok := errors.AsType[*collectors.Error](err)
			if !ok {
				t.Fatalf("%v is no *collectors.Error", err)
			}
			got := []string{e.Source, e.Op, string(e.Reason), e.Hint, e.Permission, e.Err.Error()}
			if diff := cmp.Diff([]string{"box", "read from", string(c.reason), c.hint, c.permission, c.text}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		want   time.Duration
	}{
		{"120", 2 * time.Minute}, {"Fri, 20 Nov 2026 10:00:30 GMT", 30 * time.Second}, {"Fri, 20 Nov 2026 09:00:00 GMT", 0}, {"soon", 0},
	} {
		for _, err := range []error{
			answered(503, errors.New("x"), "Retry-After", c.header),
			answered(400, &smithy.GenericAPIError{Code: "Throttling"}, "Retry-After", c.header),
		} {
			e, ok := errors.AsType[*collectors.Error](service().Fault(t.Context(), "box", "read", err, now))
			if !ok || e.RetryAfter != c.want {
				t.Errorf("%s: %v, retry after %s, want %s", c.header, e, e.RetryAfter, c.want)
			}
		}
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	denied := &smithy.GenericAPIError{Code: "AccessDenied"}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{call("Post", denied), true},
		{refused("NotAuthorized"), true},
		{refused("ExpiredToken"), false},
		{answered(http.StatusForbidden, errors.New("x")), false}, // a proxy may say so
		{provided(t, call("STS", denied)), false},
		{nil, false},
	} {
		if got := awsfault.Denied(c.err); got != c.want {
			t.Errorf("Denied(%v) = %t", c.err, got)
		}
	}
}

// TestSilence holds that a call which gets no answer is the source's fault, and the end of a pass is not.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := awsfault.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := awsfault.Cause(ctx, errOwn); !errors.Is(err, errOwn) {
			t.Errorf("before the end: %v", err)
		}
		<-ctx.Done()
		err := awsfault.Cause(ctx, ctx.Err())
		e, ok := errors.AsType[*collectors.Error](service().Fault(t.Context(), "box", "read", err, now))
		if !ok || e.Reason != collectors.ReasonUnavailable || e.Err.Error() != "no whole answer within 30s" {
			t.Errorf("%v", e)
		}
		if timeout, ok := errors.AsType[interface {
			error
			Timeout() bool
		}](err); !ok || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}

		over, stop := context.WithCancelCause(t.Context())
		stop(errors.New("told to end"))
		err = service().Fault(over, "box", "read", context.Canceled, now)
		if _, ok := errors.AsType[*collectors.Error](err); ok || err.Error() != "read box: told to end" {
			t.Errorf("at the end of a pass: %v", err)
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	if awsfault.Credentials(nil) != nil {
		t.Error("no provider became one")
	}
	want := aws.Credentials{AccessKeyID: "AKIAEXAMPLE"}
	p := awsfault.Credentials(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return want, nil }))
	if got, err := p.Retrieve(t.Context()); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
}
