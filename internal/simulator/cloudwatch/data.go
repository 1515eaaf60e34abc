package cloudwatch

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

const (
	maxQueries = 500
	maxPoints  = 100_800
)

// query is one query of GetMetricData.
type query struct {
	id, label, stat string
	// known is false of a metric of another namespace, or with more dimensions than any of SES has.
	metric  traffic.Metric
	known   bool
	period  time.Duration
	returns bool
	// math says that it is an expression.
	math bool
}

// request is a request for data.
type request struct {
	from, to  time.Time
	ascending bool
	queries   []query
	points    int
	// mark tells apart requests whose pages are not each other's.
	mark string
	next place
}

// place is where a page begins: at a query, and past a point of it unless that is zero.
type place struct {
	query int
	past  time.Time
}

// idForm is the form of an Id.
var idForm = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// getMetricData reads data
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
func (s *Server) getMetricData(caller gate.Caller, in *fields) (cbor.Value, *gate.Error) {
	r := readRequest(in)
	if in.wrong {
		return nil, nil
	}
	if e := r.check(); e != nil {
		return nil, e
	}
	if e := r.resume(in.text("NextToken")); e != nil {
		return nil, e
	}
	s.mu.Lock()
	s.queries += len(r.queries)
	s.mu.Unlock()
	out := cbor.Map{"Messages": cbor.List{}}
	results, left := cbor.List{}, r.points
	if s.options.PagePoints > 0 {
		left = min(left, s.options.PagePoints)
	}
	for i := r.next.query; i < len(r.queries); i++ {
		q := &r.queries[i]
		if !q.returns {
			continue
		}
		points, status := s.points(caller, r, q)
		if i == r.next.query && !r.next.past.IsZero() {
			points = slices.DeleteFunc(points, func(p point) bool {
				return p.at.Equal(r.next.past) || p.at.Before(r.next.past) == r.ascending
			})
		}
		if len(points) > left {
			points, status = points[:left], "PartialData"
			past := r.next.past
			if left > 0 {
				past = points[left-1].at
			} else if i != r.next.query {
				past = time.Time{}
			}
			out["NextToken"] = cbor.String(r.token(place{i, past}))
		}
		results = append(results, resultValue(q, points, status))
		if left -= len(points); out["NextToken"] != nil {
			break
		}
	}
	out["MetricDataResults"] = results
	return out, nil
}

// readRequest reads the request's fields.
func readRequest(in *fields) *request {
	r := &request{from: in.time("StartTime"), to: in.time("EndTime"), ascending: in.text("ScanBy") == "TimestampAscending",
		points: maxPoints}
	if n, ok := in.number("MaxDatapoints"); ok {
		r.points = int(n)
	}
	in.each("MetricDataQueries", func(f *fields) { r.queries = append(r.queries, readQuery(f)) })
	hash := fnv.New64a()
	fmt.Fprintln(hash, r.from, r.to, r.ascending, r.queries)
	r.mark = strconv.FormatUint(hash.Sum64(), 36)
	return r
}

func readQuery(f *fields) query {
	q := query{id: f.text("Id"), label: f.text("Label"), returns: f.yes("ReturnData", true), math: f.text("Expression") != ""}
	f.within("MetricStat", func(f *fields) {
		q.stat = f.text("Stat")
		seconds, _ := f.number("Period")
		q.period = time.Duration(seconds) * time.Second
		f.within("Metric", func(f *fields) {
			q.metric.Name = f.text("MetricName")
			q.known = f.text("Namespace") == namespace
			var dimensions []traffic.Dimension
			f.each("Dimensions", func(f *fields) {
				dimensions = append(dimensions, traffic.Dimension{Name: f.text("Name"), Value: f.text("Value")})
			})
			slices.SortFunc(dimensions, func(a, b traffic.Dimension) int { return strings.Compare(a.Name, b.Name) })
			q.known = q.known && copy(q.metric.Dimensions[:], dimensions) == len(dimensions)
		})
	})
	if q.label == "" {
		q.label = q.metric.Name
	}
	return q
}

// check refuses what CloudWatch refuses.
func (r *request) check() *gate.Error {
	invalid := func(format string, args ...any) *gate.Error { return gate.Errorf("ValidationError", format, args...) }
	switch {
	case r.from.IsZero() || r.to.IsZero():
		return invalid("The parameters StartTime and EndTime are required.")
	case !r.from.Before(r.to):
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	case len(r.queries) == 0:
		return invalid("The parameter MetricDataQueries is required.")
	case len(r.queries) > maxQueries:
		return invalid("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	case r.points < 1 || r.points > maxPoints:
		return invalid("The parameter MaxDatapoints must be between 1 and %d.", maxPoints)
	}
	ids := map[string]bool{}
	for i := range r.queries {
		q := &r.queries[i]
		switch {
		case !idForm.MatchString(q.id):
			return invalid("The value %s for parameter MetricDataQueries.member.%d.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", q.id, i+1)
		case ids[q.id]:
			return invalid("The values for parameter id in MetricDataQueries are not unique.")
		case q.math:
			return invalid("Error in expression '%s': expressions are not simulated.", q.id)
		case q.metric.Name == "":
			return invalid("The parameter MetricDataQueries.member.%d.MetricStat.Metric.MetricName is required.", i+1)
		case q.period < time.Minute || q.period%time.Minute != 0:
			return invalid("The parameter MetricDataQueries.member.%d.MetricStat.Period must be a multiple of 60.", i+1)
		case statistic(q.stat) == nil:
			return invalid("The value %s for parameter MetricDataQueries.member.%d.MetricStat.Stat is not a valid statistic.", q.stat, i+1)
		}
		ids[q.id] = true
	}
	return nil
}

const dataTokenPrefix = "data."

// token leads to a page.
func (r *request) token(p place) string {
	past := int64(0)
	if !p.past.IsZero() {
		past = p.past.Unix()
	}
	return dataTokenPrefix + strings.Join([]string{r.mark, strconv.Itoa(p.query), strconv.FormatInt(past, 10)}, ".")
}

// resume goes to the page of a token, which must be one of the same request.
func (r *request) resume(token string) *gate.Error {
	if token == "" {
		return nil
	}
	invalid := gate.Errorf("InvalidNextToken", "The next token specified is invalid.")
	text, ok := strings.CutPrefix(token, dataTokenPrefix)
	parts := strings.Split(text, ".")
	if !ok || len(parts) != 3 || parts[0] != r.mark {
		return invalid
	}
	at, err := strconv.Atoi(parts[1])
	past, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || err2 != nil || at < 0 || at >= len(r.queries) {
		return invalid
	}
	if r.next.query = at; past != 0 {
		r.next.past = time.Unix(past, 0).UTC()
	}
	return nil
}

// resultValue writes a result.
func resultValue(q *query, points []point, status string) cbor.Value {
	times, values := make(cbor.List, len(points)), make(cbor.List, len(points))
	for i, p := range points {
		times[i] = &cbor.Tag{ID: 1, Value: cbor.Float64(p.at.Unix())}
		values[i] = cbor.Float64(p.value)
	}
	return cbor.Map{"Id": cbor.String(q.id), "Label": cbor.String(q.label), "StatusCode": cbor.String(status),
		"Timestamps": times, "Values": values}
}
