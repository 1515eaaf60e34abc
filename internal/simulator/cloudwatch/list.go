package cloudwatch

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/mailvane/mailvane/internal/simulator/gate"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// namespace is the only one that is simulated.
const namespace = "AWS/SES"

const (
	// listPage is how many series a page of ListMetrics holds.
	listPage = 500
	// listed is how long a series is listed after its last data.
	listed = 14 * 24 * time.Hour
	// maxFilters is how many dimensions ListMetrics takes.
	maxFilters = 10
)

// filter is a dimension that series must have; an empty value is any.
type filter traffic.Dimension

// listMetrics lists series
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html).
func (s *Server) listMetrics(caller gate.Caller, in *fields) (cbor.Value, *gate.Error) {
	var filters []filter
	in.each("Dimensions", func(d *fields) { filters = append(filters, filter{d.text("Name"), d.text("Value")}) })
	name, space, recent := in.text("MetricName"), in.text("Namespace"), in.text("RecentlyActive")
	if len(filters) > maxFilters {
		return nil, gate.Errorf("InvalidParameterValue", "The collection Dimensions must not have a size greater than %d.", maxFilters)
	}
	from, to := s.now().Add(-listed), s.now().Add(-s.options.ListDelay)
	if recent != "" {
		if recent != "PT3H" {
			return nil, gate.Errorf("ValidationError", "Value '%s' at 'recentlyActive' failed to satisfy constraint: Member must "+
				"satisfy enum value set: [PT3H]", recent)
		}
		from, to = s.now().Add(-3*time.Hour), s.now()
	}
	var all []traffic.Metric
	if space == "" || space == namespace {
		for _, m := range s.options.Source.Metrics(caller.Account, caller.Region, from, to) {
			if (name == "" || m.Name == name) && matches(m, filters) {
				all = append(all, m)
			}
		}
	}
	first, e := listToken(in.text("NextToken"), len(all))
	if e != nil {
		return nil, e
	}
	out := cbor.Map{}
	if first+listPage < len(all) {
		out["NextToken"] = cbor.String(listTokenPrefix + strconv.Itoa(first+listPage))
		all = all[:first+listPage]
	}
	metrics := cbor.List{}
	for _, m := range all[first:] {
		metrics = append(metrics, metricValue(m))
	}
	out["Metrics"] = metrics
	return out, nil
}

const listTokenPrefix = "list."

// listToken reads where a page begins.
func listToken(token string, n int) (first int, e *gate.Error) {
	if token == "" {
		return 0, nil
	}
	text, ok := strings.CutPrefix(token, listTokenPrefix)
	first, err := strconv.Atoi(text)
	if !ok || err != nil || first < 0 {
		return 0, gate.Errorf("InvalidNextToken", "The next token specified is invalid.")
	}
	return min(first, n), nil
}

func matches(m traffic.Metric, filters []filter) bool {
	for _, f := range filters {
		has := false
		for _, d := range m.Dimensions {
			has = has || d.Name == f.Name && f.Name != "" && (f.Value == "" || d.Value == f.Value)
		}
		if !has {
			return false
		}
	}
	return true
}

func metricValue(m traffic.Metric) cbor.Value {
	dimensions := cbor.List{}
	for _, d := range m.Dimensions {
		if d.Name != "" {
			dimensions = append(dimensions, cbor.Map{"Name": cbor.String(d.Name), "Value": cbor.String(d.Value)})
		}
	}
	return cbor.Map{"Namespace": cbor.String(namespace), "MetricName": cbor.String(m.Name), "Dimensions": dimensions}
}
