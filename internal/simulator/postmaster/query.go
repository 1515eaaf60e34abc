package postmaster

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// date is google.type.Date.
type date struct {
	Year  int `json:"year"`
	Month int `json:"month"`
	Day   int `json:"day"`
}

func dateOf(t time.Time) *date { return &date{t.Year(), int(t.Month()), t.Day()} }

// start is the start of the day in UTC; ok is false for a date that does not exist.
func (d date) start() (start time.Time, ok bool) {
	start = time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	return start, *dateOf(start) == d && d.Year > 0
}

// request is a QueryDomainStatsRequest.
type request struct {
	// Parent is in the items of a batch; otherwise the path has it, and a body may repeat it.
	Parent            string `json:"parent"`
	MetricDefinitions []struct {
		Name       string `json:"name"`
		BaseMetric struct {
			StandardMetric string `json:"standardMetric"`
		} `json:"baseMetric"`
		Filter string `json:"filter"`
	} `json:"metricDefinitions"`
	TimeQuery struct {
		DateRanges *struct {
			DateRanges []struct {
				Start date `json:"start"`
				End   date `json:"end"`
			} `json:"dateRanges"`
		} `json:"dateRanges"`
		DateList *struct {
			Dates []date `json:"dates"`
		} `json:"dateList"`
	} `json:"timeQuery"`
	AggregationGranularity string `json:"aggregationGranularity"`
	PageSize               int    `json:"pageSize"`
	PageToken              string `json:"pageToken"`
}

// row is a DomainStat.
type row struct {
	Name   string `json:"name"`
	Metric string `json:"metric"`
	Value  value  `json:"value"`
	Date   *date  `json:"date,omitempty"`
}

// response is a QueryDomainStatsResponse.
type response struct {
	DomainStats   []row  `json:"domainStats,omitempty"`
	NextPageToken string `json:"nextPageToken,omitempty"`
}

// readBody reads the body of a call.
func (c *call) readBody(w http.ResponseWriter) *apiError {
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxRequest)); err != nil {
		return newError("INVALID_ARGUMENT")
	}
	return nil
}

// decode reads JSON as the API does: a name that it does not know is refused.
func decode(body []byte, into any) *apiError {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return invalid("Invalid JSON payload received.")
}

// queryOne answers domains.domainStats.query.
func (s *Server) queryOne(c *call) (any, *apiError) {
	var in request
	if e := decode(c.body, &in); e != nil {
		return nil, e
	}
	if in.Parent != "" && in.Parent != "domains/"+c.domain {
		return nil, newError("INVALID_ARGUMENT")
	}
	return s.query(c.domain, &in, c.access)
}

// maxBatch is the most that a batch may hold.
const maxBatch = 100

// batchQuery answers domainStats.batchQuery.
func (s *Server) batchQuery(c *call) (any, *apiError) {
	var in struct {
		Requests []request `json:"requests"`
	}
	if e := decode(c.body, &in); e != nil {
		return nil, e
	}
	if len(in.Requests) == 0 || len(in.Requests) > maxBatch {
		return nil, invalid(fmt.Sprintf("A batch has 1 to %d requests.", maxBatch))
	}
	type result struct {
		Response *response  `json:"response,omitempty"`
		Error    *rpcStatus `json:"error,omitempty"`
	}
	results := make([]result, len(in.Requests))
	for i := range in.Requests {
		domain, ok := strings.CutPrefix(in.Requests[i].Parent, "domains/")
		var e *apiError
		switch fault := s.pick(OpBatchQuery, domain, true); {
		case fault != nil:
			e = newError(fault.Error)
		case !ok:
			e = newError("INVALID_ARGUMENT")
		default:
			results[i].Response, e = s.query(domain, &in.Requests[i], c.access)
		}
		if e != nil {
			results[i].Error = e.item()
		}
	}
	return map[string]any{"results": results}, nil
}

// query answers one request.
func (s *Server) query(domain string, in *request, a *access) (*response, *apiError) {
	metrics, e := in.metrics()
	if e != nil {
		return nil, e
	}
	starts, e := s.starts(in)
	if e != nil {
		return nil, e
	}
	size, e := pageSize(in.PageSize)
	if e != nil {
		return nil, e
	}
	d, e := s.open(domain, a)
	if e != nil {
		return nil, e
	}
	var days []figures
	for _, start := range starts {
		if f, ok := s.figures(d, start); ok {
			days = append(days, f)
		}
	}
	var rows []row
	switch in.AggregationGranularity {
	case "", "AGGREGATION_GRANULARITY_UNSPECIFIED", "DAILY":
		for i := range days {
			rows = s.appendRows(rows, domain, metrics, days[i:i+1], dateOf(days[i].start))
		}
	case "OVERALL":
		if len(days) > 0 {
			rows = s.appendRows(rows, domain, metrics, days, nil)
		}
	default:
		return nil, newError("INVALID_ARGUMENT")
	}
	return cutRows(rows, size, in.PageToken)
}

// metrics checks the definitions. Names are keys, so they differ.
func (in *request) metrics() ([]metric, *apiError) {
	if len(in.MetricDefinitions) == 0 {
		return nil, invalid("At least one metric definition is required.")
	}
	metrics, names := make([]metric, 0, len(in.MetricDefinitions)), map[string]bool{}
	for _, m := range in.MetricDefinitions {
		if m.Name == "" || names[m.Name] {
			return nil, invalid("Metric definitions need different names.")
		}
		names[m.Name] = true
		filter, e := checkFilter(m.BaseMetric.StandardMetric, m.Filter)
		if e != nil {
			return nil, e
		}
		metrics = append(metrics, metric{m.Name, m.BaseMetric.StandardMetric, filter})
	}
	return metrics, nil
}

// starts lists the days asked for that may have data, oldest first, each once. Both ends of a range belong to it.
func (s *Server) starts(in *request) (starts []time.Time, e *apiError) {
	ranges, list := in.TimeQuery.DateRanges, in.TimeQuery.DateList
	switch {
	case (ranges == nil) == (list == nil), ranges != nil && len(ranges.DateRanges) == 0, list != nil && len(list.Dates) == 0:
		return nil, newError("INVALID_ARGUMENT")
	case list != nil:
		for _, d := range list.Dates {
			start, ok := d.start()
			if !ok {
				return nil, newError("INVALID_ARGUMENT")
			}
			starts = append(starts, start)
		}
	default:
		for _, r := range ranges.DateRanges {
			from, ok1 := r.Start.start()
			to, ok2 := r.End.start()
			if !ok1 || !ok2 || to.Before(from) {
				return nil, newError("INVALID_ARGUMENT")
			}
			starts = append(starts, s.daysWithin(from, to)...)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	return slices.Compact(starts), nil
}

// daysWithin lists the days from one to another, both included, that are kept and begun.
func (s *Server) daysWithin(from, to time.Time) (starts []time.Time) {
	if oldest := s.oldest(); from.Before(oldest) {
		from = oldest
	}
	for now := s.now(); !from.After(to) && from.Before(now); from = from.AddDate(0, 0, 1) {
		starts = append(starts, from)
	}
	return starts
}

// appendRows appends a row for each metric that has a value.
func (s *Server) appendRows(rows []row, domain string, metrics []metric, days []figures, on *date) []row {
	for i := range metrics {
		v, ok := s.measure(&metrics[i], days)
		if !ok {
			continue
		}
		r := row{Metric: metrics[i].name, Value: v, Date: on}
		id := fnv.New64a()
		fmt.Fprint(id, domain, r.key())
		r.Name = fmt.Sprintf("domains/%s/domainStats/%016x", domain, id.Sum64())
		rows = append(rows, r)
	}
	return rows
}

// key is what a page token names: the date and the metric, or the metric alone.
func (r *row) key() string {
	if r.Date == nil {
		return r.Metric
	}
	return fmt.Sprintf("%04d-%02d-%02d/%s", r.Date.Year, r.Date.Month, r.Date.Day, r.Metric)
}

// cutRows cuts a page. As documented, a token is the encoded date and metric of the last row before.
func cutRows(rows []row, size int, token string) (*response, *apiError) {
	if token != "" {
		last, err := base64.RawStdEncoding.DecodeString(token)
		at := slices.IndexFunc(rows, func(r row) bool { return r.key() == string(last) })
		if err != nil || at < 0 {
			return nil, newError("INVALID_ARGUMENT")
		}
		rows = rows[at+1:]
	}
	if len(rows) <= size {
		return &response{DomainStats: rows}, nil
	}
	next := base64.RawStdEncoding.EncodeToString([]byte(rows[size-1].key()))
	return &response{rows[:size], next}, nil
}
