package cloudwatch

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

var (
	sends    = traffic.AccountMetric("Send")
	received = traffic.ReceiptMetric("Received", "inbound", "replies")
)

// sample is one of the captured bodies.
func sample(t *testing.T, name string) cbor.Value {
	t.Helper()
	text, err := os.ReadFile("../../../testdata/cloudwatch/" + name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := cbor.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSampleIsAnswered answers the request that was captured from the SDK, and in the form of the answer that it accepted.
func TestSampleIsAnswered(t *testing.T) {
	s := New(Options{Account: account, Source: source{}, Now: func() time.Time { return now }})
	at := time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC)
	s.options.Source.(source).put(sends, at.Add(time.Minute), 100, 20, 0, 0, 98)
	in := &fields{all: sample(t, "getmetricdata_request.cbor").(cbor.Map)}
	// The captured answer is the one that this order would have.
	in.all["ScanBy"] = cbor.String("TimestampAscending")
	got, e := s.answer("GetMetricData", gate.Caller{Account: account, Region: region}, in)
	if e != nil {
		t.Fatal(e)
	}
	if diff := cmp.Diff(sample(t, "getmetricdata_response.cbor"), got); diff != "" {
		t.Errorf("the answer differs from the sample (-want +got):\n%s", diff)
	}
}

func TestPeriodsAndStatistics(t *testing.T) {
	w := newWorld(t, Options{})
	at := now.Add(-time.Hour)
	w.source.put(sends, at, 3, 0, 0, 0, 5, 7, 0, 0, 0, 0, 11)
	w.source[series{account, region, traffic.AccountMetric("Reputation.BounceRate")}] = []traffic.Datum{
		{At: at, Samples: 1, Sum: 0.02, Min: 0.02, Max: 0.02}, {At: at.Add(time.Minute), Samples: 1, Sum: 0.04, Min: 0.04, Max: 0.04}}
	rate := traffic.AccountMetric("Reputation.BounceRate")
	out := w.data(at, now, ask("sum", sends, 5*time.Minute, "Sum"), ask("n", sends, 10*time.Minute, "SampleCount"),
		ask("mean", rate, 5*time.Minute, "Average"), ask("max", rate, 5*time.Minute, "Maximum"), ask("min", rate, time.Hour, "Minimum"),
		ask("none", traffic.AccountMetric("Delivery"), time.Hour, "Sum"), ask("elsewhere", received, time.Hour, "Sum"))
	var got []shown
	for _, r := range out.MetricDataResults {
		got = append(got, show(r))
	}
	want := []shown{
		{[]any{"13:00", 8.0, "13:05", 7.0, "13:10", 11.0}, "Complete"}, {[]any{"13:00", 15.0, "13:10", 11.0}, "Complete"},
		{[]any{"13:00", 0.03}, "Complete"}, {[]any{"13:00", 0.04}, "Complete"}, {[]any{"13:00", 0.02}, "Complete"},
		{nil, "Complete"}, {nil, "Complete"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w.Queries() != 7 || w.Requests()["GetMetricData"] != 1 {
		t.Errorf("%d queries in %v", w.Queries(), w.Requests())
	}
}

func TestBoundsOfTheWindow(t *testing.T) {
	w := newWorld(t, Options{})
	at := now.Add(-time.Hour)
	w.source.put(sends, at, 1, 2, 4, 8, 16, 32)
	f := func(from, to time.Time, want ...any) {
		t.Helper()
		got := show(w.data(from, to, ask("q", sends, 2*time.Minute, "Sum")).MetricDataResults[0])
		if diff := cmp.Diff(shown{want, "Complete"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	f(at, at.Add(4*time.Minute), "13:00", 3.0, "13:02", 12.0)
	f(at, at.Add(3*time.Minute), "13:00", 3.0, "13:02", 4.0)
	f(at.Add(time.Minute), at.Add(5*time.Minute), "13:01", 6.0, "13:03", 24.0)
	f(at.Add(90*time.Second), at.Add(3*time.Minute), "13:01", 6.0)
	f(at.Add(5*time.Minute), now.Add(24*time.Hour), "13:05", 32.0)
}

func TestOldPointsLoseResolution(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(age, period time.Duration, want float64) {
		t.Helper()
		at := now.Add(-age).Truncate(time.Hour)
		w.source[series{account, region, sends}] = nil
		w.source.put(sends, at.Add(20*time.Minute), 1, 2)
		sum := 0.0
		for _, v := range w.data(at, at.Add(time.Hour), ask("q", sends, period, "Sum")).MetricDataResults[0].Values {
			sum += v
		}
		if sum != want {
			t.Errorf("periods of %s, %s ago: %v, want %v", period, age, sum, want)
		}
	}
	f(14*day, time.Minute, 3)
	f(16*day, time.Minute, 0)
	f(16*day, 5*time.Minute, 3)
	f(62*day, 5*time.Minute, 3)
	f(64*day, 5*time.Minute, 0)
	f(64*day, time.Hour, 3)
	f(460*day, time.Hour, 0)
}

func TestPagesGiveTheWhole(t *testing.T) {
	for _, order := range []types.ScanBy{"", types.ScanByTimestampAscending, types.ScanByTimestampDescending} {
		w := newWorld(t, Options{})
		at := now.Add(-30 * time.Minute)
		for i := range 4 {
			w.source.put(traffic.AccountMetric("M"+strconv.Itoa(i)), at, slices.Repeat([]int64{1, 2, 3}, 3*(i%3))...)
		}
		in := &cloudwatch.GetMetricDataInput{StartTime: &at, EndTime: aws.Time(now), ScanBy: order}
		for i := range 4 {
			in.MetricDataQueries = append(in.MetricDataQueries, ask("m"+strconv.Itoa(i), traffic.AccountMetric("M"+strconv.Itoa(i)), time.Minute, "Sum"))
		}
		read := func(most int32) (points map[string][]time.Time, last map[string]types.StatusCode, pages int) {
			points, last = map[string][]time.Time{}, map[string]types.StatusCode{}
			if in.NextToken = nil; most > 0 {
				in.MaxDatapoints = &most
			}
			for {
				out, err := w.client().GetMetricData(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, r := range out.MetricDataResults {
					points[*r.Id] = append(points[*r.Id], r.Timestamps...)
					last[*r.Id] = r.StatusCode
					n += len(r.Timestamps)
				}
				if most > 0 && n > int(most) {
					t.Errorf("%d points on a page of %d", n, most)
				}
				pages++
				if in.NextToken = out.NextToken; in.NextToken == nil {
					return points, last, pages
				}
			}
		}
		whole, _, pages := read(0)
		if pages != 1 || len(whole["m1"]) != 9 || len(whole["m2"]) != 18 {
			t.Fatalf("%s: %d pages, %v", order, pages, whole)
		}
		if ascending := whole["m1"][0].Before(whole["m1"][1]); ascending != (order == types.ScanByTimestampAscending) {
			t.Errorf("%q begins with %s", order, whole["m1"][:2])
		}
		for _, most := range []int32{1, 4, 9, 26, 27, 28} {
			parts, last, pages := read(most)
			if diff := cmp.Diff(whole, parts); diff != "" {
				t.Errorf("%q: pages of %d differ from the whole (-whole +parts):\n%s", order, most, diff)
			}
			if want := (27 + int(most) - 1) / int(most); pages < want || pages > want+1 {
				t.Errorf("%q: %d pages of %d points, want %d", order, pages, most, want)
			}
			for id, status := range last {
				if status != types.StatusCodeComplete {
					t.Errorf("%q: %s ends as %s", order, id, status)
				}
			}
		}
	}
}

func TestLatePoints(t *testing.T) {
	w := newWorld(t, Options{Late: []Late{{Name: "Send", Every: 10, By: 20 * time.Minute, Draft: 0.5},
		{Region: region, From: now.Add(2 * time.Minute), To: now.Add(3 * time.Minute), By: time.Hour}}})
	w.source.put(sends, now, 6, 7, 8)
	w.source.put(received, now, 6, 7, 8)
	f := func(after time.Duration, want ...any) {
		t.Helper()
		w.pass(now.Add(after).Sub(w.now()))
		out := w.data(now, now.Add(time.Hour), ask("a", sends, time.Minute, "Sum"), ask("b", received, time.Minute, "Sum"))
		got := slices.Concat(show(out.MetricDataResults[0]).Points, []any{"and"}, show(out.MetricDataResults[1]).Points)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
	f(179*time.Second, "and")
	f(3*time.Minute, "14:00", 3.0, "and", "14:00", 6.0)
	f(22*time.Minute, "14:00", 3.0, "14:01", 7.0, "and", "14:00", 6.0, "14:01", 7.0)
	f(23*time.Minute, "14:00", 6.0, "14:01", 7.0, "and", "14:00", 6.0, "14:01", 7.0)
	f(65*time.Minute, "14:00", 6.0, "14:01", 7.0, "14:02", 8.0, "and", "14:00", 6.0, "14:01", 7.0, "14:02", 8.0)
	if sum := w.Sum(account, region, sends, now, now.Add(2*time.Minute)); sum != 13 {
		t.Errorf("the truth is %v", sum)
	}
}

func TestSpoiledResults(t *testing.T) {
	w := newWorld(t, Options{})
	at := now.Add(-time.Hour)
	w.source.put(sends, at, 1, 2, 3, 4)
	w.source.put(received, at, 1, 2, 3, 4)
	f := func(p Spoil, sent, got int) {
		t.Helper()
		remove := w.Spoil(p)
		defer remove()
		out := w.data(at, now, ask("a", sends, time.Minute, "Sum"), ask("b", received, time.Minute, "Sum"))
		for i, want := range []int{sent, got} {
			r := out.MetricDataResults[i]
			if whole := r.StatusCode == types.StatusCodeComplete; len(r.Values) != want || whole != (want == 4) || !whole && string(r.StatusCode) != p.Status {
				t.Errorf("%+v: %+v, want %d points", p, show(r), want)
			}
		}
	}
	f(Spoil{Status: "PartialData"}, 2, 2)
	f(Spoil{Name: "Send", Status: "Forbidden"}, 0, 4)
	f(Spoil{Value: "replies", Status: "InternalError"}, 4, 0)
	f(Spoil{Region: "eu-west-1", Status: "InternalError"}, 4, 4)
}

func TestQueriesThatAreRefused(t *testing.T) {
	w := newWorld(t, Options{})
	at := now.Add(-time.Hour)
	good := ask("good", sends, time.Minute, "Sum")
	f := func(change func(*cloudwatch.GetMetricDataInput), want string) {
		t.Helper()
		in := &cloudwatch.GetMetricDataInput{StartTime: &at, EndTime: aws.Time(now), MetricDataQueries: []types.MetricDataQuery{good}}
		change(in)
		_, err := w.client().GetMetricData(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	with := func(q types.MetricDataQuery) func(*cloudwatch.GetMetricDataInput) {
		return func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = append(in.MetricDataQueries, q) }
	}
	f(func(in *cloudwatch.GetMetricDataInput) { in.EndTime = &at }, "StartTime must be less")
	f(func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(100_801) }, "MaxDatapoints must be between")
	f(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = []types.MetricDataQuery{} }, "MetricDataQueries is required")
	f(func(in *cloudwatch.GetMetricDataInput) { in.NextToken = aws.String("data.x.0.0") }, "InvalidNextToken")
	f(with(good), "not unique")
	f(with(ask("Upper", sends, time.Minute, "Sum")), "not matching the expected pattern")
	f(with(ask("m", sends, 90*time.Second, "Sum")), "multiple of 60")
	f(with(ask("m", sends, time.Minute, "p99")), "not a valid statistic")
	f(with(types.MetricDataQuery{Id: aws.String("m"), Expression: aws.String("good*2")}), "expressions are not simulated")
	f(func(in *cloudwatch.GetMetricDataInput) {
		for i := range maxQueries {
			with(ask("m"+strconv.Itoa(i), sends, time.Minute, "Sum"))(in)
		}
	}, "must not have a size greater than 500")
}
