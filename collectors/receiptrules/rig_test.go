package receiptrules

import (
	"cmp"
	"context"
	"errors"
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
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	account   = "123456789012"
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// start is the clock's first time: a few minutes after a full period.
var start = time.Date(2026, 11, 22, 10, 7, 0, 0, time.UTC)

// seriesKey names a series of the cloud; an empty name stands for a dimension that the series does not have.
type seriesKey struct{ metric, set, rule string }

// cloud answers as CloudWatch, SES and STS do, for one account and region.
type cloud struct {
	*httptest.Server

	mu sync.Mutex // protects all following fields
	// points are the sums of 5 minutes; series are listed for two weeks after their last.
	points map[seriesKey]map[time.Time]float64
	// pageSize is how many points a page of GetMetricData holds, 100,800 when 0.
	pageSize int
	// partial are rules of which something is left out.
	partial map[string]string
	// refused are the codes with which operations are refused.
	refused map[string]string
	// ruleSet is the body of the answer about the active rule set.
	ruleSet string
	// before, when not nil, is told of every operation.
	before func(operation string)
	calls  map[string]int
	spans  []time.Duration
	now    time.Time
}

func newCloud(t testing.TB) *cloud {
	t.Helper()
	c := &cloud{
		points: map[seriesKey]map[time.Time]float64{}, partial: map[string]string{}, refused: map[string]string{},
		calls: map[string]int{}, now: start,
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// add puts a point into the 5 minutes in which at lies.
func (c *cloud) add(metric, set, rule string, at time.Time, n float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := seriesKey{metric, set, rule}
	if c.points[k] == nil {
		c.points[k] = map[time.Time]float64{}
	}
	c.points[k][at.Truncate(period)] += n
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	operation := path.Base(r.URL.Path)
	if r.Header.Get("Smithy-Protocol") == "" {
		operation, _, _ = strings.Cut(strings.TrimPrefix(string(body), "Action="), "&")
	}
	c.calls[operation]++
	if c.before != nil {
		c.before(operation)
	}
	code, refused := c.refused[operation]
	switch {
	case operation == "GetMetricData" || operation == "ListMetrics":
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		if refused {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String("refused")}))
			return
		}
		in, err := cbor.Decode(body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		answer := c.list
		if operation == "GetMetricData" {
			answer = c.data
		}
		_, _ = w.Write(cbor.Encode(answer(in.(cbor.Map))))
	case refused:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>refused</Message></Error></ErrorResponse>", code)
	case operation == "GetCallerIdentity":
		fmt.Fprintf(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>%s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>", account)
	case operation == "DescribeActiveReceiptRuleSet":
		fmt.Fprintf(w, "<DescribeActiveReceiptRuleSetResponse><DescribeActiveReceiptRuleSetResult>%s</DescribeActiveReceiptRuleSetResult></DescribeActiveReceiptRuleSetResponse>", c.ruleSet)
	default:
		panic(http.ErrAbortHandler)
	}
}

func (c *cloud) list(in cbor.Map) cbor.Value {
	filter := string(in["Dimensions"].(cbor.List)[0].(cbor.Map)["Name"].(cbor.String))
	all := cbor.List{}
	keys := slices.SortedFunc(maps.Keys(c.points), func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.set, b.set), cmp.Compare(a.rule, b.rule), cmp.Compare(a.metric, b.metric))
	})
	for _, k := range keys {
		live := false
		for at := range c.points[k] {
			live = live || c.now.Sub(at) < 14*24*time.Hour
		}
		dimensions := cbor.List{}
		for _, d := range [][2]string{{ruleSetName, k.set}, {ruleName, k.rule}} {
			if d[1] != "" {
				dimensions = append(dimensions, cbor.Map{"Name": cbor.String(d[0]), "Value": cbor.String(d[1])})
			}
		}
		if live && (filter == ruleSetName && k.set != "" || filter == ruleName && k.rule != "") {
			all = append(all, cbor.Map{"Namespace": cbor.String(namespace), "MetricName": cbor.String(k.metric), "Dimensions": dimensions})
		}
	}
	from := 0
	if token, ok := in["NextToken"].(cbor.String); ok {
		from, _ = strconv.Atoi(string(token))
	}
	out := cbor.Map{"Metrics": all[from:min(from+500, len(all))]}
	if from+500 < len(all) {
		out["NextToken"] = cbor.String(strconv.Itoa(from + 500))
	}
	return out
}

// data answers a page: series after series, each cut where the page is full.
func (c *cloud) data(in cbor.Map) cbor.Value {
	from, to := timeOf(in["StartTime"]), timeOf(in["EndTime"])
	c.spans = append(c.spans, to.Sub(from))
	skip := 0
	if token, ok := in["NextToken"].(cbor.String); ok {
		skip, _ = strconv.Atoi(string(token))
	}
	room, seen := cmp.Or(c.pageSize, 100_800), 0
	results, more := cbor.List{}, false
	for _, q := range in["MetricDataQueries"].(cbor.List) {
		query := q.(cbor.Map)
		metric := query["MetricStat"].(cbor.Map)["Metric"].(cbor.Map)
		k := seriesKey{metric: string(metric["MetricName"].(cbor.String))}
		dimensions, _ := metric["Dimensions"].(cbor.List)
		for _, d := range dimensions {
			switch d.(cbor.Map)["Name"] {
			case cbor.String(ruleSetName):
				k.set = string(d.(cbor.Map)["Value"].(cbor.String))
			case cbor.String(ruleName):
				k.rule = string(d.(cbor.Map)["Value"].(cbor.String))
			}
		}
		status, times, values := "Complete", cbor.List{}, cbor.List{}
		for _, at := range slices.SortedFunc(maps.Keys(c.points[k]), time.Time.Compare) {
			if at.Before(from) || !at.Before(to) {
				continue
			}
			if seen++; seen <= skip {
				continue
			}
			if len(times) == 0 && room == 0 || room == 0 {
				status, more = "PartialData", true
				break
			}
			room--
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.Unix()))})
			values = append(values, cbor.Float64(c.points[k][at]))
		}
		if s, ok := c.partial[k.rule]; ok {
			status, times, values = s, nil, nil
		}
		results = append(results, cbor.Map{
			"Id": query["Id"], "StatusCode": cbor.String(status), "Timestamps": times, "Values": values,
		})
	}
	out := cbor.Map{"MetricDataResults": results}
	if more {
		out["NextToken"] = cbor.String(strconv.Itoa(skip + c.pageSize))
	}
	return out
}

func timeOf(v cbor.Value) time.Time {
	seconds, err := cbor.AsFloat64(v.(*cbor.Tag).Value)
	if err != nil {
		n, _ := cbor.AsInt64(v.(*cbor.Tag).Value)
		seconds = float64(n)
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// rig is a collector of a cloud, with a sink that keeps what a ledger would.
type rig struct {
	*cloud
	collector *Collector
	positions collectors.Positions
	stored    map[observation.ReadingKey]map[time.Time]observation.Reading
	puts      int
	// fail, when not nil, may refuse a Put, counted from 1.
	fail  func(n int) error
	since time.Time
	// grown is what counters show: what was stored first or changed since the source was first read.
	grown map[string]float64
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{cloud: newCloud(t), positions: collectors.Positions{}, grown: map[string]float64{}}
	r.stored = map[observation.ReadingKey]map[time.Time]observation.Reading{}
	r.collector = r.cloud.collector(t, "us-east-1")
	return r
}

func (c *cloud) collector(t testing.TB, region string) *Collector {
	t.Helper()
	collector, err := New(Options{
		Name: "receipt_rules/" + region, Region: region,
		AWS: aws.Config{
			BaseEndpoint: &c.URL,
			Credentials:  credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
		},
		Now: func() time.Time { return c.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return collector
}

// Put implements collectors.Sink.
func (r *rig) Put(_ context.Context, b collectors.Batch) error {
	r.puts++
	if r.fail != nil {
		if err := r.fail(r.puts); err != nil {
			return err
		}
	}
	r.since = b.Since
	for _, v := range b.Readings {
		if r.stored[v.Key] == nil {
			r.stored[v.Key] = map[time.Time]observation.Reading{}
		}
		if v.End.Sub(v.Start) == period && !v.Start.Before(b.Since) {
			was := 0.0
			if before, ok := r.stored[v.Key][v.Start]; ok {
				was = *before.Value
			}
			rule, _ := observation.CutReceiptRule(v.Key.Subject)
			r.grown[rule.Rule+" "+v.Key.Metric] += *v.Value - was
		}
		r.stored[v.Key][v.Start] = v
	}
	maps.Copy(r.positions, b.Positions)
	return nil
}

func (r *rig) pass(t testing.TB) {
	t.Helper()
	if err := r.collector.Collect(t.Context(), maps.Clone(r.positions), r); err != nil {
		t.Fatal(err)
	}
}

// failure is the typed error with which a pass fails.
func (r *rig) failure(t testing.TB) *collectors.Error {
	t.Helper()
	err := r.collector.Collect(t.Context(), maps.Clone(r.positions), r)
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok {
		t.Fatalf("%v is no *collectors.Error", err)
	}
	for _, secret := range []string{accessKey, secretKey, r.URL} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells %q: %v", secret, err)
		}
	}
	return e
}

// advance moves the clock.
func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// total sums what is stored of a rule's metric.
func (r *rig) total(set, rule, metric string) (sum float64) {
	id := observation.ReceiptRule{Account: account, Region: "us-east-1", RuleSet: set, Rule: rule}
	key := observation.ReadingKey{Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: metric}
	for _, v := range r.stored[key] {
		sum += *v.Value
	}
	return sum
}

func (r *rig) wantTotal(t testing.TB, rule, metric string, want float64) {
	t.Helper()
	if got := r.total("main", rule, metric); got != want {
		t.Errorf("%s of %s: %v, want %v", metric, rule, got, want)
	}
}

// wantAll checks that every point of the cloud between two times is stored, once.
func (r *rig) wantAll(t testing.TB, from, to time.Time) {
	t.Helper()
	for k, points := range r.points {
		want := 0.0
		for at, n := range points {
			if !at.Before(from) && at.Before(to) {
				want += n
			}
		}
		metric := observation.ReceiptResults()[slices.Index(metrics(), k.metric)]
		if got := r.total(k.set, k.rule, metric); got != want {
			t.Errorf("%s of %s/%s: %v, want %v", metric, k.set, k.rule, got, want)
		}
	}
}

// through is up to when all rules were read.
func (r *rig) through(t testing.TB) time.Time {
	t.Helper()
	id := observation.ReceiptRule{Account: account, Region: "us-east-1"}
	key := observation.ReadingKey{Source: observation.ReceiptRules, Subject: observation.JoinReceiptRule(id), Metric: observation.ReceiptThrough}
	v, ok := r.stored[key][r.now.Truncate(24*time.Hour)]
	if !ok {
		t.Fatal("no reading tells how far was read")
	}
	return time.Unix(int64(*v.Value), 0).UTC()
}
