package cloudwatch

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// list names what is listed.
func (w *world) list(in cloudwatch.ListMetricsInput) (names []string) {
	w.Helper()
	pages := cloudwatch.NewListMetricsPaginator(w.client(), &in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Metrics) > listPage {
			w.Errorf("%d series on a page", len(out.Metrics))
		}
		for _, m := range out.Metrics {
			name := *m.MetricName
			for _, d := range m.Dimensions {
				name += " " + *d.Value
			}
			names = append(names, name)
		}
	}
	return names
}

func TestListFilters(t *testing.T) {
	w := newWorld(t, Options{})
	at := now.Add(-time.Hour)
	w.source.put(sends, at, 1)
	w.source.put(received, at.Add(-3*time.Hour), 1)
	w.source.put(traffic.ReceiptMetric("Received", "inbound", "dmarc"), at, 1)
	w.source.put(traffic.SetMetric("Send", "marketing"), at, 1)
	w.source.putAt(account, "eu-west-1", traffic.ReceiptMetric("Received", "inbound", "replies-eu"), at, 1)
	f := func(in cloudwatch.ListMetricsInput, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, w.list(in)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	rule := func(name string, value *string) []types.DimensionFilter {
		return []types.DimensionFilter{{Name: &name, Value: value}}
	}
	all := []string{"Received dmarc inbound", "Received replies inbound", "Send", "Send marketing"}
	f(cloudwatch.ListMetricsInput{}, all...)
	f(cloudwatch.ListMetricsInput{Namespace: aws.String(namespace)}, all...)
	f(cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/SQS")})
	f(cloudwatch.ListMetricsInput{MetricName: aws.String("Received")}, all[:2]...)
	f(cloudwatch.ListMetricsInput{Dimensions: rule("RuleName", nil)}, all[:2]...)
	f(cloudwatch.ListMetricsInput{Dimensions: rule("RuleName", aws.String("replies"))}, all[1])
	f(cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}, all[0], all[2], all[3])
	w.config.Region = "eu-west-1"
	f(cloudwatch.ListMetricsInput{}, "Received replies-eu inbound")
	w.config.Region = "us-west-2"
	f(cloudwatch.ListMetricsInput{})
}

func TestSeriesComeAndGo(t *testing.T) {
	w := newWorld(t, Options{})
	w.source.put(sends, now, 1)
	f := func(after time.Duration, want int) {
		t.Helper()
		w.pass(now.Add(after).Sub(w.now()))
		if got := len(w.list(cloudwatch.ListMetricsInput{})); got != want {
			t.Errorf("%d series after %s, want %d", got, after, want)
		}
	}
	f(14*time.Minute, 0)
	f(16*time.Minute, 1)
	f(14*day, 1)
	f(14*day+time.Minute, 0)
	got := w.data(now, now.Add(time.Hour), ask("q", sends, time.Hour, "Sum")).MetricDataResults[0]
	if len(got.Values) != 1 {
		t.Error("a series that is not listed has lost its data")
	}
}

func TestListPages(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 2*listPage + 1 {
		w.source.put(traffic.SetMetric("Send", strconv.Itoa(i)), now.Add(-time.Hour), 1)
	}
	distinct := map[string]bool{}
	for _, name := range w.list(cloudwatch.ListMetricsInput{}) {
		distinct[name] = true
	}
	if len(distinct) != 2*listPage+1 || w.Requests()["ListMetrics"] != 3 {
		t.Errorf("%d series in %d pages", len(distinct), w.Requests()["ListMetrics"])
	}
	_, err := w.client().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{NextToken: aws.String("data.1.1.1")})
	if _, ok := errors.AsType[*types.InvalidNextToken](err); !ok && !strings.Contains(err.Error(), "InvalidNextToken") {
		t.Errorf("a strange token: %v", err)
	}
}

// TestFaults shows what each fault looks like to the SDK.
func TestFaults(t *testing.T) {
	w := newWorld(t, Options{})
	w.source.put(sends, now.Add(-time.Hour), 1)
	f := func(fault gate.Fault, code, want string) {
		t.Helper()
		remove := w.Inject(fault)
		defer remove()
		_, err := w.client().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		e, _ := errors.AsType[smithy.APIError](err)
		switch {
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("%+v: %v, want %s", fault, err, want)
		case code != "" && (e == nil || e.ErrorCode() != code):
			t.Errorf("%+v: code of %v, want %s", fault, err, code)
		}
		if _, err := w.client().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); fault.Times == 1 && err != nil {
			t.Errorf("%+v strikes again: %v", fault, err)
		}
	}
	f(gate.Fault{Kind: gate.FaultError, Error: "Throttling"}, "Throttling", "StatusCode: 400")
	f(gate.Fault{Kind: gate.FaultError, Error: "AccessDenied", Op: "ListMetrics"}, "AccessDenied",
		"arn:aws:iam::123456789012:user/simulator is not authorized to perform: cloudwatch:ListMetrics")
	f(gate.Fault{Kind: gate.FaultError, Times: 1}, "InternalFailure", "StatusCode: 500")
	f(gate.Fault{Kind: gate.FaultError, Error: "ExpiredToken"}, "ExpiredToken", "StatusCode: 403")
	f(gate.Fault{Kind: gate.FaultStatus, Status: http.StatusBadGateway, RetryAfter: 3 * time.Second}, "", "StatusCode: 502")
	f(gate.Fault{Kind: gate.FaultTruncate}, "", "unexpected EOF")
	f(gate.Fault{Kind: gate.FaultReset, Account: account, Region: region}, "", "connection reset")
	patient := w.config.HTTPClient
	w.config.HTTPClient = &http.Client{Timeout: 50 * time.Millisecond}
	f(gate.Fault{Kind: gate.FaultHang}, "", "Client.Timeout exceeded")
	f(gate.Fault{Delay: time.Minute}, "", "Client.Timeout exceeded")
	w.config.HTTPClient = patient
	for _, other := range []gate.Fault{{Kind: gate.FaultHang, Op: "GetMetricData"}, {Kind: gate.FaultHang, Region: "eu-west-1"},
		{Kind: gate.FaultHang, Account: "210987654321"}, {Kind: gate.FaultHang, Skip: 1}} {
		remove := w.Inject(other)
		if _, err := w.client().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); err != nil {
			t.Errorf("%+v strikes others: %v", other, err)
		}
		remove()
	}
}

// TestSessionsAreOfTheirAccount asks with the credentials of an assumed role.
func TestSessionsAreOfTheirAccount(t *testing.T) {
	w := newWorld(t, Options{})
	w.source.putAt("210987654321", region, sends, now.Add(-time.Hour), 1)
	session := gate.Session{Role: "arn:aws:iam::210987654321:role/mailvane", Name: "test", Expires: now.Add(time.Hour)}
	if got := w.list(cloudwatch.ListMetricsInput{}); len(got) != 0 {
		t.Errorf("without the role: %v", got)
	}
	w.config.Credentials = credentials.NewStaticCredentialsProvider("ASIA210987654321", "simulated", session.Token())
	if got := w.list(cloudwatch.ListMetricsInput{}); len(got) != 1 {
		t.Errorf("with the role: %v", got)
	}
	w.pass(time.Hour)
	_, err := w.client().ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "ExpiredToken" {
		t.Errorf("after its end: %v", err)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	w := newWorld(t, Options{})
	signed := "AWS4-HMAC-SHA256 Credential=k/20261122/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
	f := func(op, authorization, body string, status int, code string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *w.config.BaseEndpoint+PathPrefix+op, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		r.Header.Set("Authorization", authorization)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		if name, _, _ := strings.Cut(got.Header.Get("X-Amzn-Query-Error"), ";"); got.StatusCode != status || name != code {
			t.Errorf("%s %q: %d %s, want %d %s", op, body, got.StatusCode, name, status, code)
		}
	}
	f("ListMetrics", signed, "", http.StatusOK, "")
	f("ListMetrics", "", "", http.StatusForbidden, "MissingAuthenticationToken")
	f("ListMetrics", strings.Replace(signed, "monitoring", "sqs", 1), "", http.StatusForbidden, "SignatureDoesNotMatch")
	f("ListMetrics", "AWS4-HMAC-SHA256 Credential=k", "", http.StatusBadRequest, "IncompleteSignature")
	f("PutMetricData", signed, "\xa0", http.StatusBadRequest, "UnknownOperation")
	for _, body := range []string{"\xff", "{}", "\x80", "\xa1\x69NextToken\x01", "\xa1\x6aDimensions\xa0", "\xa1\x6aDimensions\x81\x01"} {
		f("ListMetrics", signed, body, http.StatusBadRequest, "SerializationException")
	}
	for _, body := range []string{"\xa1\x69StartTime\x61x", "\xa1\x69StartTime\xc1\x61x", "\xa1\x6dMaxDatapoints\x61x", "\xa1\x71MetricDataQueries\x81\xa1\x6aReturnData\x01"} {
		f("GetMetricData", signed, body, http.StatusBadRequest, "SerializationException")
	}
	f("GetMetricData", signed, "\xa1\x69StartTime\xf6", http.StatusBadRequest, "ValidationError")
}
