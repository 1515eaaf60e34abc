package cloudwatch

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/awsfault"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	const denied = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: cloudwatch:GetMetricData"
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		reason collectors.Reason
		text   string
	}{
		{"access denied names the action", func(w http.ResponseWriter) {
			refuse(w, http.StatusForbidden, "AccessDenied", denied)
		}, collectors.ReasonAuth, "(the policy of the role or user must allow cloudwatch:GetMetricData)"},
		{"access denied by a proxy", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusForbidden)
		}, collectors.ReasonAuth, "cloudwatch:GetMetricData"},
		{"expired token", func(w http.ResponseWriter) {
			refuse(w, http.StatusBadRequest, "ExpiredToken", "The security token is expired")
		}, collectors.ReasonAuth, "renew"},
		{"bad signature", func(w http.ResponseWriter) {
			refuse(w, http.StatusForbidden, "SignatureDoesNotMatch", "secret request")
		}, collectors.ReasonAuth, "clock"},
		{"throttling", func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "17")
			refuse(w, http.StatusBadRequest, "Throttling", "Rate exceeded")
		}, collectors.ReasonQuota, "Throttling"},
		{"throttling as its status alone", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusTooManyRequests)
		}, collectors.ReasonQuota, "429"},
		{"wrong question", func(w http.ResponseWriter) {
			refuse(w, http.StatusBadRequest, "InvalidParameterValue", "The value is odd")
		}, collectors.ReasonConfig, "The value is odd"},
		{"service fault", func(w http.ResponseWriter) {
			refuse(w, http.StatusInternalServerError, "InternalServiceFault", "")
		}, collectors.ReasonUnavailable, "500"},
		{"unavailable", func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, collectors.ReasonUnavailable, "503"},
		{"no CBOR", func(w http.ResponseWriter) {
			replyBytes(w, http.StatusOK, []byte("<html>"))
		}, collectors.ReasonMalformed, "not one of the service"},
		{"another protocol", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "<html>")
		}, collectors.ReasonMalformed, "not one of the service"},
		{"broken off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			replyBytes(w, http.StatusOK, []byte{0xa1})
		}, collectors.ReasonUnavailable, "broke off"},
		{"hang-up", func(w http.ResponseWriter) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
		}, collectors.ReasonUnavailable, ""},
		{"endless pages", func(w http.ResponseWriter) {
			reply(w, http.StatusOK, cbor.Map{"NextToken": cbor.String("again")})
		}, collectors.ReasonMalformed, "its pages have no end"},
		{"answers what was not asked", func(w http.ResponseWriter) {
			reply(w, http.StatusOK, cbor.Map{"MetricDataResults": cbor.List{result(7, "Complete")}})
		}, collectors.ReasonMalformed, "not asked"},
		{"more points than periods", func(w http.ResponseWriter) {
			reply(w, http.StatusOK, cbor.Map{"MetricDataResults": cbor.List{result(0, "Complete", make([]float64, 200)...)}})
		}, collectors.ReasonMalformed, "more points"},
		{"too long", func(w http.ResponseWriter) {
			replyBytes(w, http.StatusOK, cbor.Encode(cbor.Map{"Messages": cbor.String(strings.Repeat("x", maxAnswer))}))
		}, collectors.ReasonMalformed, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.operations["GetMetricData"] = func(w http.ResponseWriter, _ cbor.Map) { c.answer(w) }
			_, err := s.account(t).Read(t.Context(), sums(1), hour())
			e := failure(t, err)
			if e.Reason != c.reason || !strings.Contains(e.Error(), c.text) {
				t.Errorf("%s: %v", e.Reason, e)
			}
			if c.reason == collectors.ReasonQuota && c.name == "throttling" && e.RetryAfter != 17*time.Second {
				t.Errorf("retry after %s", e.RetryAfter)
			}
			for _, secret := range []string{secretKey, accessKey, "secret request", s.URL} {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("the error tells %q: %v", secret, e)
				}
			}
			if n := len(s.made()); n > 20 {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// TestRoles holds that a role that cannot be assumed is told as such.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.sts = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: `+
			`sts:AssumeRole on resource: r</Message></Error></ErrorResponse>`)
	}
	o := s.options()
	o.RoleARN = "arn:aws:iam::210987654321:role/reader"
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.List(t.Context(), "AWS/SES", "")
	e := failure(t, err)
	if e.Reason != collectors.ReasonAuth || !strings.Contains(e.Error(), "trust policy") || awsfault.Denied(err) {
		t.Errorf("%s: %v", e.Reason, e)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	o := s.options()
	o.AWS.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no providers in the chain")
	})
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = a.List(t.Context(), "AWS/SES", "")
	if e := failure(t, err); e.Reason != collectors.ReasonAuth || !strings.Contains(e.Error(), awsfault.HintNoCredentials) {
		t.Errorf("%s: %v", e.Reason, e)
	}
}
