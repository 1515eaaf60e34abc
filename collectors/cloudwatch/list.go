package cloudwatch

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// MaxListed is how many series List reads at most.
const MaxListed = 20_000

// Series names a metric's series.
type Series struct {
	Namespace, Metric string
	// Dimensions tell apart several series of one metric; List sorts them by name.
	Dimensions []Dimension
}

// Dimension is one dimension of a series.
type Dimension struct{ Name, Value string }

// Dimension is the value of the dimension of that name; ok is false when the series does not have it.
func (s *Series) Dimension(name string) (value string, ok bool) {
	for _, d := range s.Dimensions {
		if d.Name == name {
			return d.Value, true
		}
	}
	return "", false
}

// List names the series of a namespace that had data in the last two weeks: those of one metric, or of all when metric is
// empty; with dimensions, only those that have dimensions of these names. Whole is false when there are more than MaxListed
// of them, so that some are missing.
func (a *Account) List(ctx context.Context, namespace, metric string, dimensions ...string) (all []Series, whole bool, err error) {
	in := &cloudwatch.ListMetricsInput{Namespace: &namespace}
	if metric != "" {
		in.MetricName = &metric
	}
	for _, d := range dimensions {
		in.Dimensions = append(in.Dimensions, types.DimensionFilter{Name: &d})
	}
	for {
		a.observe(Call{Operation: "ListMetrics"})
		out, err := Within(ctx, func(ctx context.Context) (*cloudwatch.ListMetricsOutput, error) {
			return a.client.ListMetrics(ctx, in)
		})
		if err != nil {
			return nil, false, a.Fault(ctx, "list the metrics of", "cloudwatch:ListMetrics", err)
		}
		for _, m := range out.Metrics {
			if len(all) == MaxListed {
				return all, false, nil
			}
			all = append(all, seriesOf(&m))
		}
		next := aws.ToString(out.NextToken)
		if next == "" {
			return all, true, nil
		}
		if len(out.Metrics) == 0 && next == aws.ToString(in.NextToken) {
			return nil, false, a.Fault(ctx, "list the metrics of", "", &oddError{"its pages have no end"})
		}
		in.NextToken = &next
	}
}

func seriesOf(m *types.Metric) Series {
	s := Series{Namespace: aws.ToString(m.Namespace), Metric: aws.ToString(m.MetricName)}
	for _, d := range m.Dimensions {
		s.Dimensions = append(s.Dimensions, Dimension{aws.ToString(d.Name), aws.ToString(d.Value)})
	}
	slices.SortFunc(s.Dimensions, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	return s
}
