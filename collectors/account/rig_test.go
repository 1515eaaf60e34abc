package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	number    = "123456789012"
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

var update = flag.Bool("update", false, "write the golden files")

// start is the clock's first time: 20 minutes past a full hour.
var start = time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)

// cloud answers as CloudWatch, SES and STS do, for one account and region.
type cloud struct {
	*httptest.Server

	mu sync.Mutex // protects all following fields
	// points are sums of an hour, or a rate's averages, by metric and dimensions ("Name=value,…").
	points map[[2]string]map[time.Time]float64
	// unlisted series have points and are not listed; statuses are those of results that are not whole, by metric.
	statuses map[string]string
	// answers are those of SES by path; a list is answered a page at a time, pages parted by a line with ---.
	answers map[string]string
	// refused are the codes with which operations (or paths of SES) are refused; a code before a slash is the status.
	refused map[string]string
	// data, when not nil, is the answer to GetMetricData.
	data   []byte
	before func(operation string)
	calls  map[string]int
	// at are the times of the calls to SES.
	at    []time.Time
	clock time.Time
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	c := &cloud{
		points: map[[2]string]map[time.Time]float64{}, statuses: map[string]string{}, refused: map[string]string{},
		calls: map[string]int{}, clock: start,
		answers: map[string]string{
			"/v2/email/account": `{"EnforcementStatus": "HEALTHY", "SendingEnabled": true, "ProductionAccessEnabled": true,
				"SendQuota": {"Max24HourSend": 50000, "MaxSendRate": 14, "SentLast24Hours": 12345}}`,
			"/v2/email/tenants/list":        `{"Tenants": []}`,
			"/v2/email/vdm/recommendations": `{"Recommendations": []}`,
			"/v2/email/reputation/entities": `{"ReputationEntities": []}`,
		},
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// add puts a point at an hour.
func (c *cloud) add(metric, dimensions string, at time.Time, v float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := [2]string{metric, dimensions}
	if c.points[k] == nil {
		c.points[k] = map[time.Time]float64{}
	}
	c.points[k][at.Truncate(time.Hour)] = v
}

// change changes the cloud between passes.
func (c *cloud) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	operation := r.URL.Path
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		operation = path.Base(operation)
	case !strings.HasPrefix(operation, "/v2/"):
		operation = "GetCallerIdentity"
	default:
		c.at = append(c.at, time.Now())
	}
	c.calls[operation]++
	if c.before != nil {
		c.before(operation)
	}
	code, refused := c.refused[operation]
	status, rest, found := strings.Cut(code, "/")
	n, _ := strconv.Atoi(status)
	if n = cmp.Or(n, http.StatusBadRequest); found {
		code = rest
	}
	switch {
	case operation == "GetCallerIdentity":
		fmt.Fprintf(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>", number)
	case strings.HasPrefix(operation, "/v2/") && refused:
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(n)
		fmt.Fprint(w, `{"message": "refused"}`)
	case strings.HasPrefix(operation, "/v2/"):
		c.answer(w, operation, body)
	default:
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		if refused {
			w.WriteHeader(n)
			_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String("refused")}))
			return
		}
		in, err := cbor.Decode(body)
		switch {
		case err != nil:
			panic(http.ErrAbortHandler)
		case operation == "ListMetrics":
			_, _ = w.Write(cbor.Encode(c.listMetrics()))
		case c.data != nil:
			_, _ = w.Write(c.data)
		default:
			_, _ = w.Write(cbor.Encode(c.read(in.(cbor.Map))))
		}
	}
}

// answer gives the page of a list that is asked for.
func (c *cloud) answer(w http.ResponseWriter, operation string, body []byte) {
	pages := strings.Split(c.answers[operation], "\n---\n")
	var in struct{ NextToken string }
	_ = json.Unmarshal(body, &in)
	page, _ := strconv.Atoi(in.NextToken)
	fmt.Fprint(w, pages[min(page, len(pages)-1)])
}

func (c *cloud) listMetrics() cbor.Value {
	out := cbor.List{}
	for _, k := range slices.SortedFunc(maps.Keys(c.points), func(a, b [2]string) int { return cmp.Compare(a[0]+a[1], b[0]+b[1]) }) {
		dimensions := cbor.List{}
		for d := range strings.SplitSeq(k[1], ",") {
			if name, value, ok := strings.Cut(d, "="); ok {
				dimensions = append(dimensions, cbor.Map{"Name": cbor.String(name), "Value": cbor.String(value)})
			}
		}
		out = append(out, cbor.Map{"Namespace": cbor.String("AWS/SES"), "MetricName": cbor.String(k[0]), "Dimensions": dimensions})
	}
	return cbor.Map{"Metrics": out}
}

// read sums the points of the asked periods.
func (c *cloud) read(in cbor.Map) cbor.Value {
	from, to := timeOfCBOR(in["StartTime"]), timeOfCBOR(in["EndTime"])
	results := cbor.List{}
	for _, q := range in["MetricDataQueries"].(cbor.List) {
		query := q.(cbor.Map)
		stat := query["MetricStat"].(cbor.Map)
		metric := stat["Metric"].(cbor.Map)
		name := string(metric["MetricName"].(cbor.String))
		var dimensions []string
		if list, ok := metric["Dimensions"].(cbor.List); ok {
			for _, d := range list {
				dimensions = append(dimensions, string(d.(cbor.Map)["Name"].(cbor.String))+"="+string(d.(cbor.Map)["Value"].(cbor.String)))
			}
		}
		period := time.Duration(stat["Period"].(cbor.Uint)) * time.Second
		sums := map[time.Time]float64{}
		for at, v := range c.points[[2]string{name, strings.Join(dimensions, ",")}] {
			// What happens in an hour is there when it is over half.
			if !at.Before(from) && at.Before(to) && !at.Add(30*time.Minute).After(c.clock) {
				sums[at.Truncate(period)] += v
			}
		}
		times, values := cbor.List{}, cbor.List{}
		for _, at := range slices.SortedFunc(maps.Keys(sums), time.Time.Compare) {
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.Unix()))})
			values = append(values, cbor.Float64(sums[at]))
		}
		results = append(results, cbor.Map{
			"Id": query["Id"], "StatusCode": cbor.String(cmp.Or(c.statuses[name], "Complete")), "Timestamps": times, "Values": values,
		})
	}
	return cbor.Map{"MetricDataResults": results}
}

func timeOfCBOR(v cbor.Value) time.Time {
	switch n := v.(*cbor.Tag).Value.(type) {
	case cbor.Float64:
		return time.Unix(int64(n), 0).UTC()
	case cbor.Uint:
		return time.Unix(int64(n), 0).UTC()
	default:
		panic(fmt.Sprintf("time %T", n))
	}
}

// rig is a collector on a cloud, with a sink.
type rig struct {
	*Collector
	*cloud
	sink     *sink
	requests map[string]int
	metrics  int
	progress Progress
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	r := &rig{cloud: newCloud(t), sink: &sink{positions: collectors.Positions{}, readings: map[string]string{}}, requests: map[string]int{}}
	o := Options{
		Name: "account/us-east-1", Region: "us-east-1", RequestsPerSecond: 10_000,
		AWS: aws.Config{BaseEndpoint: &r.URL, Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")},
		Calls: func(c cloudwatch.Call) {
			r.requests[c.Operation]++
			r.metrics += c.Metrics
		},
		Observe: func(p Progress) { r.progress = p },
		Now: func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.clock
		},
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Collector = c
	return r
}

// pass makes a pass from what the sink knows.
func (r *rig) pass(t testing.TB) error {
	t.Helper()
	err := r.Collect(t.Context(), maps.Clone(r.sink.positions), r.sink)
	if text := fmt.Sprintf("%v %+v", err, err); strings.Contains(text, secretKey) || strings.Contains(text, accessKey) {
		t.Errorf("an error holds a credential: %v", err)
	}
	return err
}

func (r *rig) passOK(t testing.TB) {
	t.Helper()
	if err := r.pass(t); err != nil {
		t.Fatalf("pass: %v", err)
	}
}

// failure makes a pass that must fail with an error of a source.
func (r *rig) failure(t testing.TB) *collectors.Error {
	t.Helper()
	err := r.pass(t)
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok {
		t.Fatalf("pass: got error %T %v, want a *collectors.Error", err, err)
	}
	return e
}

// after moves the clock.
func (r *rig) after(d time.Duration) { r.change(func() { r.clock = r.clock.Add(d) }) }

// sink is a ledger of readings.
type sink struct {
	positions collectors.Positions
	readings  map[string]string
	puts      int
	fail      error
}

func (s *sink) Put(ctx context.Context, b collectors.Batch) error {
	s.puts++
	if s.fail != nil {
		return s.fail
	}
	for i := range b.Readings {
		r := &b.Readings[i]
		s.readings[keyOf(r)] = valueOf(r)
	}
	maps.Copy(s.positions, b.Positions)
	return ctx.Err()
}

func keyOf(r *observation.Reading) string {
	width := ""
	if r.End.Sub(r.Start) != time.Hour {
		width = "+" + r.End.Sub(r.Start).String()
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s %s", r.Key.Source, r.Key.Subject, r.Start.Format("01-02T15"), width, r.Key.Metric, r.Key.Detail))
}

func valueOf(r *observation.Reading) string {
	text := "none"
	if r.Value != nil {
		text = strconv.FormatFloat(*r.Value, 'g', -1, 64)
	}
	return strings.TrimSpace(text + " " + r.Text)
}

// lines are the readings in order.
func (s *sink) lines() (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(s.readings)) {
		lines = append(lines, key+": "+s.readings[key])
	}
	return lines
}

// metric is the key of an hour's reading of CloudWatch.
func metric(hour int, metric, detail string) string {
	at := start.Truncate(time.Hour).Add(-time.Duration(hour) * time.Hour)
	return strings.TrimSpace(fmt.Sprintf("account/cloudwatch %s/us-east-1 %s %s %s", number, at.Format("01-02T15"), metric, detail))
}

// want checks one reading; "absent" is none.
func (r *rig) want(t testing.TB, key, value string) {
	t.Helper()
	got, ok := r.sink.readings[key]
	if !ok {
		got = "absent"
	}
	if got != value {
		t.Errorf("reading %q: got %q, want %q", key, got, value)
	}
}
