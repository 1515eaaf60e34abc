package cloudwatch

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// now is what the clock of most tests says.
var now = time.Date(2026, time.November, 22, 14, 0, 0, 0, time.UTC)

// place is an account's region with a metric.
type series struct {
	account, region string
	metric          traffic.Metric
}

// source has some data.
type source map[series][]traffic.Datum

// put adds samples of value 1 to the minutes from at on.
func (s source) put(m traffic.Metric, at time.Time, samples ...int64) {
	s.putAt(account, region, m, at, samples...)
}

func (s source) putAt(account, region string, m traffic.Metric, at time.Time, samples ...int64) {
	key := series{account, region, m}
	for i, n := range samples {
		if n > 0 {
			s[key] = append(s[key], traffic.Datum{At: at.Add(time.Duration(i) * time.Minute), Samples: n, Sum: float64(n), Min: 1, Max: 1})
		}
	}
}

func (s source) Metrics(account, region string, from, to time.Time) (all []traffic.Metric) {
	for key := range s {
		if key.account == account && key.region == region && len(s.Data(account, region, key.metric, from, to)) > 0 {
			all = append(all, key.metric)
		}
	}
	slices.SortFunc(all, func(a, b traffic.Metric) int {
		return strings.Compare(a.Name+a.Dimensions[0].Value, b.Name+b.Dimensions[0].Value)
	})
	return all
}

func (s source) Data(account, region string, m traffic.Metric, from, to time.Time) (data []traffic.Datum) {
	for _, d := range s[series{account, region, m}] {
		if !d.At.Before(from) && d.At.Before(to) {
			data = append(data, d)
		}
	}
	return data
}

// world is a server with the SDK's client.
type world struct {
	*testing.T
	*Server
	source source
	config aws.Config

	mu    sync.Mutex // protects clock
	clock time.Time
}

// newWorld starts a server. The options' source, account and clock are the world's.
func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{T: t, source: source{}, clock: now}
	o.Source, o.Account, o.Now = w.source, account, w.now
	w.Server = New(o)
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	w.config = aws.Config{Region: region, BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("simulator", "simulator", ""),
		HTTPClient:  &http.Client{Transport: plainBodies{http.DefaultTransport}}}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) client() *cloudwatch.Client { return cloudwatch.NewFromConfig(w.config) }

// plainBodies hides the WriteTo of request bodies; the tests of package simulator say why.
type plainBodies struct{ http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.RoundTripper.RoundTrip(r)
}

// ask is a query for a metric.
func ask(id string, m traffic.Metric, period time.Duration, stat string) types.MetricDataQuery {
	metric := &types.Metric{Namespace: aws.String(namespace), MetricName: &m.Name}
	for _, d := range slices.Backward(m.Dimensions[:]) {
		if d.Name != "" {
			metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: &d.Name, Value: &d.Value})
		}
	}
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(int32(period / time.Second)), Stat: &stat}}
}

// data asks for data, oldest first unless the input says otherwise.
func (w *world) data(from, to time.Time, queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
	w.Helper()
	out, err := w.client().GetMetricData(w.Context(), &cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to,
		ScanBy: types.ScanByTimestampAscending, MetricDataQueries: queries})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// shown is a result in a form to compare: each point as its minute of the hour and its value, and the status.
type shown struct {
	Points []any
	Status types.StatusCode
}

func show(r types.MetricDataResult) (s shown) {
	for i, at := range r.Timestamps {
		s.Points = append(s.Points, at.UTC().Format("15:04"), r.Values[i])
	}
	s.Status = r.StatusCode
	return s
}
