package sesapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/internal/simulator/gate"
)

func TestWhoAsks(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(c aws.Config, account, arn string) {
		t.Helper()
		got, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil || *got.Account != account || *got.Arn != arn {
			t.Errorf("%+v %v, want %s", got, err, arn)
		}
	}
	f(w.config, us.Account, "arn:aws:iam::123456789012:user/simulator")
	c := w.in(roleEU)
	kept, err := c.Credentials.Retrieve(t.Context())
	if err != nil || !kept.Expires.Equal(now.Add(15*time.Minute)) {
		t.Fatal(kept.Expires, err)
	}
	c.Credentials = credentials.NewStaticCredentialsProvider(kept.AccessKeyID, kept.SecretAccessKey, kept.SessionToken)
	f(c, eu.Account, "arn:aws:sts::210987654321:assumed-role/mailvane/test")
	remove := w.Inject(gate.Fault{Kind: gate.FaultError, Error: "AccessDenied", Op: "AssumeRole"})
	_, err = w.in(roleEU).Credentials.Retrieve(t.Context())
	if code(err) != "AccessDenied" || !strings.Contains(err.Error(), "not authorized to perform: sts:AssumeRole") {
		t.Errorf("a role that does not trust: %v", err)
	}
	remove()
	for _, role := range []string{"arn:aws:iam::1:role/x", "role"} {
		if _, err := w.in(role).Credentials.Retrieve(t.Context()); code(err) != "ValidationError" {
			t.Errorf("%s: %v", role, err)
		}
	}
	_, err = sts.NewFromConfig(w.config).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(roleEU), RoleSessionName: aws.String("test"), DurationSeconds: aws.Int32(60)})
	if code(err) != "ValidationError" {
		t.Errorf("a minute of a role: %v", err)
	}
	w.pass(15 * time.Minute)
	if _, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); code(err) != "ExpiredToken" {
		t.Errorf("a session that is over: %v", err)
	}
}

func TestOneRequestASecond(t *testing.T) {
	w := newWorld(t, Options{Limited: true})
	v2, v1 := sesv2.NewFromConfig(w.config), ses.NewFromConfig(w.config)
	v2eu := sesv2.NewFromConfig(w.in(roleEU))
	f := func(want string, ask func() error) {
		t.Helper()
		if err := ask(); code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	account := func() error { _, err := v2.GetAccount(t.Context(), &sesv2.GetAccountInput{}); return err }
	rules := func() error {
		_, err := v1.DescribeActiveReceiptRuleSet(t.Context(), &ses.DescribeActiveReceiptRuleSetInput{})
		return err
	}
	f("", account)
	f("TooManyRequestsException", account)
	f("", func() error { _, err := v2eu.GetAccount(t.Context(), &sesv2.GetAccountInput{}); return err })
	f("", func() error { _, err := v2.ListTenants(t.Context(), &sesv2.ListTenantsInput{}); return err })
	f("", rules)
	f("Throttling", rules)
	w.pass(time.Second)
	f("", account)
	f("", rules)
	if got := w.Requests(); got["GetAccount"] != 4 || got["DescribeActiveReceiptRuleSet"] != 3 {
		t.Errorf("requests: %v", got)
	}
}

// TestFaults shows what faults look like to the SDK's clients of the two protocols.
func TestFaults(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(fault gate.Fault, codeV2, wantV2, codeV1, wantV1 string) {
		t.Helper()
		remove := w.Inject(fault)
		defer remove()
		_, err := sesv2.NewFromConfig(w.config).GetAccount(t.Context(), &sesv2.GetAccountInput{})
		if err == nil || code(err) != codeV2 || !strings.Contains(err.Error(), wantV2) {
			t.Errorf("%+v: version 2: %v, want %s", fault, err, wantV2)
		}
		_, err = ses.NewFromConfig(w.config).DescribeActiveReceiptRuleSet(t.Context(), &ses.DescribeActiveReceiptRuleSetInput{})
		if err == nil || code(err) != codeV1 || !strings.Contains(err.Error(), wantV1) {
			t.Errorf("%+v: version 1: %v, want %s", fault, err, wantV1)
		}
	}
	f(gate.Fault{Kind: gate.FaultError, Error: "AccessDenied"}, "AccessDeniedException", "not authorized to perform: ses:GetAccount",
		"AccessDenied", "not authorized to perform: ses:DescribeActiveReceiptRuleSet")
	f(gate.Fault{Kind: gate.FaultError, Error: "Throttling"}, "TooManyRequestsException", "StatusCode: 429", "Throttling", "StatusCode: 400")
	f(gate.Fault{Kind: gate.FaultError, Error: "ExpiredToken"}, "ExpiredTokenException", "403", "ExpiredToken", "403")
	f(gate.Fault{Kind: gate.FaultError}, "InternalServiceErrorException", "500", "InternalFailure", "500")
	f(gate.Fault{Kind: gate.FaultError, Error: "ServiceUnavailable"}, "ServiceUnavailableException", "503", "ServiceUnavailable", "503")
	f(gate.Fault{Kind: gate.FaultReset}, "", "connection reset", "", "connection reset")
	f(gate.Fault{Kind: gate.FaultTruncate}, "", "EOF", "", "")
	w.config.Credentials = credentials.NewStaticCredentialsProvider("k", "s", "")
	c := sesv2.NewFromConfig(w.config, func(o *sesv2.Options) { o.Credentials = aws.AnonymousCredentials{} })
	if _, err := c.GetAccount(t.Context(), &sesv2.GetAccountInput{}); code(err) != "MissingAuthenticationTokenException" {
		t.Errorf("without a signature: %v", err)
	}
	for _, path := range []string{PathPrefix + "identities", PathPrefix + "configuration-sets/", PathPrefix + "configuration-sets/x/y"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20261122/us-east-1/ses/aws4_request, SignedHeaders=host, Signature=0")
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, r)
		if answer.Code != http.StatusBadRequest || answer.Header().Get("X-Amzn-ErrorType") != "BadRequestException" {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	if _, err := ses.NewFromConfig(w.config).GetSendQuota(t.Context(), &ses.GetSendQuotaInput{}); code(err) != "InvalidAction" {
		t.Errorf("an action that is not simulated: %v", err)
	}
}
