package cloudwatch

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

const (
	// MaxQueries is how many queries one call takes.
	MaxQueries = 500
	// maxPoints is how many points a page holds unless less are asked for.
	maxPoints = 100_800
)

// The statistics of a period that are asked for.
const (
	Sum     = "Sum"
	Average = "Average"
)

// Query asks for one statistic of a series.
type Query struct {
	Series Series
	Stat   string
}

// Window is the time that is asked for, in steps of Period. From is inclusive, To exclusive; both are best multiples of
// Period. Points of 5 minutes are kept for 63 days, of an hour for 455; shorter periods for 15 days.
type Window struct {
	From, To time.Time
	Period   time.Duration
}

// points is how many points a series can have in the window.
func (w Window) points() int { return int(w.To.Sub(w.From)/w.Period) + 1 }

// Point is the value of the period that begins At.
type Point struct {
	At    time.Time
	Value float64
}

// Result is what came for a query, oldest point first. Periods without data have no point.
type Result struct {
	Status Status
	Points []Point
}

// Status says whether a result is whole.
type Status string

// The statuses of a Result. Those other than StatusComplete may have some of the points.
const (
	// StatusComplete: all points that CloudWatch has are there.
	StatusComplete Status = "complete"
	// StatusPartial: some points are missing; asking again later may bring them.
	StatusPartial Status = "partial"
	// StatusFailed: CloudWatch failed, or did not answer the query.
	StatusFailed Status = "failed"
	// StatusForbidden: the caller may not read this metric.
	StatusForbidden Status = "forbidden"
)

// Read asks for the queries in as few calls as can be, and returns one Result for each, in their order. With an error there
// are none. The caller bounds what it holds: about 32 bytes a point, and no more than one point for each period of the window
// and query.
func (a *Account) Read(ctx context.Context, queries []Query, w Window) ([]Result, error) {
	results := make([]Result, 0, len(queries))
	for chunk := range slices.Chunk(queries, MaxQueries) {
		some, err := a.read(ctx, chunk, w)
		if err != nil {
			return nil, err
		}
		results = append(results, some...)
	}
	return results, nil
}

// read reads all pages of one call's queries.
func (a *Account) read(ctx context.Context, queries []Query, w Window) ([]Result, error) {
	const op, action = "read the metrics of", "cloudwatch:GetMetricData"
	in := &cloudwatch.GetMetricDataInput{
		StartTime: &w.From, EndTime: &w.To, ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: dataQueries(queries, w.Period),
	}
	results := make([]Result, len(queries))
	for i := range results {
		results[i].Status = StatusFailed
	}
	// A page may end early, but not so often that this many are needed.
	for range 8 + 4*len(queries)*w.points()/maxPoints {
		a.observe(Call{Operation: "GetMetricData", Metrics: len(queries)})
		out, err := Within(ctx, func(ctx context.Context) (*cloudwatch.GetMetricDataOutput, error) {
			return a.client.GetMetricData(ctx, in)
		})
		if err != nil {
			return nil, a.Fault(ctx, op, action, err)
		}
		for i := range out.MetricDataResults {
			if err := take(results, &out.MetricDataResults[i], w); err != nil {
				return nil, a.Fault(ctx, op, "", err)
			}
		}
		in.NextToken = out.NextToken
		if aws.ToString(in.NextToken) == "" {
			for i := range results {
				results[i].Points = inOrder(results[i].Points)
			}
			return results, nil
		}
	}
	return nil, a.Fault(ctx, op, "", &oddError{"its pages have no end"})
}

func dataQueries(queries []Query, period time.Duration) []types.MetricDataQuery {
	asked := make([]types.MetricDataQuery, len(queries))
	for i := range queries {
		s := &queries[i].Series
		var dimensions []types.Dimension
		for j := range s.Dimensions {
			dimensions = append(dimensions, types.Dimension{Name: &s.Dimensions[j].Name, Value: &s.Dimensions[j].Value})
		}
		asked[i] = types.MetricDataQuery{
			Id: aws.String("m" + strconv.Itoa(i)),
			MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: &s.Namespace, MetricName: &s.Metric, Dimensions: dimensions},
				Period: aws.Int32(int32(period / time.Second)),
				Stat:   &queries[i].Stat,
			},
		}
	}
	return asked
}

// take adds one result of a page. The status that comes last holds: a page says PartialData of a series that goes on in the
// next.
func take(results []Result, r *types.MetricDataResult, w Window) error {
	i, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(r.Id), "m"))
	if err != nil || i < 0 || i >= len(results) {
		return &oddError{"it answers what was not asked"}
	}
	if len(r.Timestamps) != len(r.Values) {
		return &oddError{"it has not as many values as times"}
	}
	result := &results[i]
	result.Status = statusOf(r.StatusCode)
	for j, at := range r.Timestamps {
		v := r.Values[j]
		if at.Before(w.From) || !at.Before(w.To) || math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		result.Points = append(result.Points, Point{at.UTC(), v})
	}
	if len(result.Points) > 2*w.points() {
		return &oddError{"it has more points than the window has periods"}
	}
	return nil
}

func statusOf(code types.StatusCode) Status {
	switch code {
	case types.StatusCodeComplete:
		return StatusComplete
	case types.StatusCodePartialData:
		return StatusPartial
	case types.StatusCodeForbidden:
		return StatusForbidden
	case types.StatusCodeInternalError:
		return StatusFailed
	default:
		return StatusFailed
	}
}

// inOrder sorts points by time; of several of one time the one that came last stays.
func inOrder(points []Point) []Point {
	slices.SortStableFunc(points, func(a, b Point) int { return a.At.Compare(b.At) })
	kept := points[:0]
	for i, p := range points {
		if i+1 == len(points) || !points[i+1].At.Equal(p.At) {
			kept = append(kept, p)
		}
	}
	return kept
}
