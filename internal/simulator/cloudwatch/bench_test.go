package cloudwatch

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// BenchmarkGetMetricData answers 500 queries for an hour in periods of five minutes, all of which have data.
func BenchmarkGetMetricData(b *testing.B) {
	s := source{}
	in := &fields{all: cbor.Map{"StartTime": &cbor.Tag{ID: 1, Value: cbor.Uint(now.Add(-time.Hour).Unix())},
		"EndTime": &cbor.Tag{ID: 1, Value: cbor.Uint(now.Unix())}}}
	var queries cbor.List
	for i := range maxQueries {
		m := traffic.SetMetric("Send", strconv.Itoa(i))
		for minute := range 60 {
			s.put(m, now.Add(-time.Hour+time.Duration(minute)*time.Minute), 3)
		}
		queries = append(queries, cbor.Map{"Id": cbor.String("m" + strconv.Itoa(i)), "MetricStat": cbor.Map{
			"Metric": metricValue(m), "Period": cbor.Uint(300), "Stat": cbor.String("Sum")}})
	}
	in.all["MetricDataQueries"] = queries
	server := New(Options{Account: account, Source: s, Now: func() time.Time { return now.Add(time.Hour) }})
	b.ReportAllocs()
	for b.Loop() {
		out, e := server.answer("GetMetricData", gate.Caller{Account: account, Region: region}, in)
		if e != nil || len(out.(cbor.Map)["MetricDataResults"].(cbor.List)) != maxQueries {
			b.Fatal(e)
		}
		cbor.Encode(out)
	}
}
