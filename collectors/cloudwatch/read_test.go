package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }

// hour is the window of the tests.
func hour() Window { return Window{From: noon, To: at(60), Period: 5 * time.Minute} }

func sums(n int) []Query {
	q := make([]Query, n)
	for i := range q {
		q[i] = Query{Series: Series{Namespace: "AWS/SES", Metric: "Received", Dimensions: []Dimension{{"RuleName", strconv.Itoa(i)}}}, Stat: Sum}
	}
	return q
}

// result is one result of a page: minutes and values take turns.
func result(i int, status string, points ...float64) cbor.Value {
	times, values := cbor.List{}, cbor.List{}
	for j := 0; j < len(points); j += 2 {
		times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at(int(points[j])).Unix()))})
		values = append(values, cbor.Float64(points[j+1]))
	}
	return cbor.Map{
		"Id": cbor.String("m" + strconv.Itoa(i)), "StatusCode": cbor.String(status), "Timestamps": times, "Values": values,
	}
}

// pages answers one page after the other, each with a token for the next.
func (s *server) pages(pages ...cbor.List) {
	n := 0
	s.operations["GetMetricData"] = func(w http.ResponseWriter, in cbor.Map) {
		out := cbor.Map{"MetricDataResults": pages[n]}
		if n++; n < len(pages) {
			out["NextToken"] = cbor.String("page " + strconv.Itoa(n))
		}
		if got := in["NextToken"]; n > 1 && got != cbor.String("page "+strconv.Itoa(n-1)) {
			refuse(w, http.StatusBadRequest, "InvalidNextToken", fmt.Sprint(got))
			return
		}
		reply(w, http.StatusOK, out)
	}
}

// TestSamples reads what the wire and its readable view hold, and keeps what is made of it.
func TestSamples(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	w := Window{From: from, To: from.Add(time.Hour), Period: 5 * time.Minute}
	queries := []Query{
		{Series{Namespace: "AWS/SES", Metric: "Send"}, Sum},
		{Series{Namespace: "AWS/SES", Metric: "Reputation.BounceRate"}, Average},
		{Series{"AWS/SES", "Reputation.ComplaintRate", []Dimension{{"ses:configuration-set", "transactional"}}}, Average},
		{Series{"AWS/SES", "PublishFailure", []Dimension{{"RuleSetName", "default-rule-set"}, {"RuleName", "dmarc-reports"}}}, Sum},
	}
	got := map[string][]Result{}
	for name, body := range map[string][]byte{
		"wire": sample(t, "getmetricdata_response.cbor"), "logical": encoded(t, sample(t, "getmetricdata_response_logical.json")),
	} {
		s := newServer(t)
		s.operations["GetMetricData"] = func(w http.ResponseWriter, _ cbor.Map) { replyBytes(w, http.StatusOK, body) }
		var err error
		if got[name], err = s.account(t).Read(t.Context(), queries, w); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "getmetricdata.golden.json")
	if *update {
		if err := os.WriteFile(golden, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// encoded is the readable view of an answer in the form of the wire.
func encoded(t *testing.T, text []byte) []byte {
	t.Helper()
	var logical any
	if err := json.Unmarshal(text, &logical); err != nil {
		t.Fatal(err)
	}
	var convert func(v any) cbor.Value
	convert = func(v any) cbor.Value {
		switch v := v.(type) {
		case map[string]any:
			m := cbor.Map{}
			for k, e := range v {
				m[k] = convert(e)
			}
			return m
		case []any:
			list := cbor.List{}
			for _, e := range v {
				list = append(list, convert(e))
			}
			return list
		case string:
			if at, err := time.Parse(time.RFC3339, v); err == nil {
				return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.Unix()))}
			}
			return cbor.String(v)
		default:
			return cbor.Float64(v.(float64))
		}
	}
	return cbor.Encode(convert(logical))
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.pages(
		cbor.List{result(0, "PartialData", 0, 1, 5, 2), result(1, "Complete", 0, 7)},
		cbor.List{result(0, "PartialData", 10, 3)},
		cbor.List{result(0, "Complete", 15, 4)},
	)
	got, err := s.account(t).Read(t.Context(), sums(2), hour())
	want := []Result{
		{StatusComplete, []Point{{at(0), 1}, {at(5), 2}, {at(10), 3}, {at(15), 4}}},
		{StatusComplete, []Point{{at(0), 7}}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("-want +got\n%s %v", diff, err)
	}
	if diff := cmp.Diff([]Call{{"GetMetricData", 2}, {"GetMetricData", 2}, {"GetMetricData", 2}}, s.seen); diff != "" {
		t.Errorf("calls: -want +got\n%s", diff)
	}
}

// TestWhatIsMissingIsTold holds that an incomplete result is never taken for one without data.
func TestWhatIsMissingIsTold(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.pages(cbor.List{
		result(0, "PartialData", 0, 1), result(1, "InternalError"), result(2, "Forbidden"), result(3, "Complete"), result(4, "Odd"),
	})
	got, err := s.account(t).Read(t.Context(), sums(6), hour())
	want := []Result{
		{StatusPartial, []Point{{at(0), 1}}},
		{Status: StatusFailed},
		{Status: StatusForbidden},
		{Status: StatusComplete},
		{Status: StatusFailed}, // with a code that is not known
		{Status: StatusFailed}, // not answered at all
	}
	if diff := cmp.Diff(want, got, cmp.Transformer("points", func(p []Point) int { return len(p) })); diff != "" || err != nil {
		t.Errorf("-want +got\n%s %v", diff, err)
	}
}

func TestPointsAreOrderedAndClean(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.pages(
		cbor.List{result(0, "PartialData", 20, 5, 10, 3, -5, 9, 60, 9, 30, math.NaN(), 35, math.Inf(1))},
		cbor.List{result(0, "Complete", 10, 4, 0, 1)},
	)
	got, err := s.account(t).Read(t.Context(), sums(1), hour())
	want := []Result{{StatusComplete, []Point{{at(0), 1}, {at(10), 4}, {at(20), 5}}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("-want +got\n%s %v", diff, err)
	}
}

func TestFewCalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.operations["GetMetricData"] = func(w http.ResponseWriter, in cbor.Map) {
		all := cbor.List{}
		for i := range in["MetricDataQueries"].(cbor.List) {
			all = append(all, result(i, "Complete", 0, float64(i)))
		}
		reply(w, http.StatusOK, cbor.Map{"MetricDataResults": all})
	}
	got, err := s.account(t).Read(t.Context(), sums(1201), hour())
	if err != nil || len(got) != 1201 || got[1200].Points[0].Value != 200 {
		t.Errorf("%d results, %v", len(got), err)
	}
	if diff := cmp.Diff([]Call{{"GetMetricData", 500}, {"GetMetricData", 500}, {"GetMetricData", 201}}, s.seen); diff != "" {
		t.Errorf("calls: -want +got\n%s", diff)
	}
	for _, call := range s.made() {
		if call["ScanBy"] != cbor.String("TimestampAscending") {
			t.Errorf("scan by %v", call["ScanBy"])
		}
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	metric := func(name string, dimensions ...string) cbor.Value {
		list := cbor.List{}
		for _, d := range dimensions {
			list = append(list, cbor.Map{"Name": cbor.String(d), "Value": cbor.String("v-" + d)})
		}
		return cbor.Map{"Namespace": cbor.String("AWS/SES"), "MetricName": cbor.String(name), "Dimensions": list}
	}
	s.operations["ListMetrics"] = func(w http.ResponseWriter, in cbor.Map) {
		if in["NextToken"] == nil {
			reply(w, http.StatusOK, cbor.Map{"Metrics": cbor.List{metric("Received", "RuleSetName", "RuleName")}, "NextToken": cbor.String("2")})
			return
		}
		reply(w, http.StatusOK, cbor.Map{"Metrics": cbor.List{metric("Send")}})
	}
	got, whole, err := s.account(t).List(t.Context(), "AWS/SES", "", "RuleName")
	want := []Series{
		{"AWS/SES", "Received", []Dimension{{"RuleName", "v-RuleName"}, {"RuleSetName", "v-RuleSetName"}}},
		{Namespace: "AWS/SES", Metric: "Send"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || !whole {
		t.Errorf("-want +got\n%s %v", diff, err)
	}
	if diff := cmp.Diff([]Call{{"ListMetrics", 0}, {"ListMetrics", 0}}, s.seen); diff != "" {
		t.Errorf("calls: -want +got\n%s", diff)
	}
}

// TestAccountIsAskedForOnce holds that STS is asked once, and not at all where the role says it.
func TestAccountIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s, asked := newServer(t), 0
	s.sts = func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}
	a := s.account(t)
	for range 2 {
		if id, err := a.ID(t.Context()); id != "123456789012" || err != nil {
			t.Errorf("account %q, %v", id, err)
		}
	}
	o := s.options()
	o.RoleARN = "arn:aws:iam::210987654321:role/reader"
	other, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := other.ID(t.Context()); id != "210987654321" || err != nil {
		t.Errorf("account of the role %q, %v", id, err)
	}
	if asked != 1 {
		t.Errorf("STS was asked %d times", asked)
	}
}

func TestOpenRefusesUnsoundOptions(t *testing.T) {
	t.Parallel()
	f := func(spoil func(*Options)) {
		t.Helper()
		o := Options{Source: "s", Region: "us-east-1"}
		if _, err := Open(o); err != nil {
			t.Fatal(err)
		}
		spoil(&o)
		if _, err := Open(o); err == nil {
			t.Errorf("accepted %+v", o)
		}
	}
	f(func(o *Options) { o.Source = "" })
	f(func(o *Options) { o.Region = "" })
	f(func(o *Options) { o.RoleARN = "arn:aws:sts::210987654321:assumed-role/reader/x" })
}

// TestCancelledCalls holds that the end of the pass is no fault of the source.
func TestCancelledCalls(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the daemon stops")
	s.operations["ListMetrics"] = func(w http.ResponseWriter, _ cbor.Map) {
		cancel(cause)
		<-ctx.Done()
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _, err := s.account(t).List(ctx, "AWS/SES", "")
	if want := "list the metrics of metrics/us-east-1: the daemon stops"; err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}
