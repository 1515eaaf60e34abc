package account

import (
	"cmp"
	"context"
	"slices"

	"github.com/mailvane/mailvane/collectors/cloudwatch"
	"github.com/mailvane/mailvane/internal/observation"
)

// namespace is that of all metrics of SES.
const namespace = "AWS/SES"

// The dimensions by which SES parts its metrics. The first is there where a configuration set has an event destination
// CloudWatch with it, or keeps reputation metrics of its own; the others where there are tenants.
const (
	dimensionSet        = "ses:configuration-set"
	dimensionTenantID   = "TenantId"
	dimensionTenantName = "TenantName"
)

// metricOf is the reading that a metric becomes. SES's documents, its console's and its tenants' metrics spell the same
// thing in different ways, and CloudWatch tells spellings apart.
func metricOf(name string) string {
	switch name {
	case "Send", "Sends":
		return observation.AccountSend
	case "Delivery", "Deliveries":
		return observation.AccountDelivery
	case "Bounce", "Bounces":
		return observation.AccountBounce
	case "Complaint", "Complaints":
		return observation.AccountComplaint
	case "Reject", "Rejects":
		return observation.AccountReject
	case "Open", "Opens":
		return observation.AccountOpen
	case "Click", "Clicks":
		return observation.AccountClick
	case "RenderingFailure", "RenderingFailures", "Rendering Failure", "Rendering Failures":
		return observation.AccountRenderingFailure
	case "DeliveryDelay", "DeliveryDelays", "Delivery Delay", "Delivery Delays":
		return observation.AccountDeliveryDelay
	case "Reputation.BounceRate":
		return observation.AccountBounceRate
	case "Reputation.ComplaintRate":
		return observation.AccountComplaintRate
	default:
		return ""
	}
}

// accountNames are the spellings that are seen of the account's own metrics, for where the series may not be listed.
func accountNames() []string {
	return []string{
		"Send", "Delivery", "Bounce", "Complaint", "Reject", "Open", "Opens", "Click", "Clicks", "Rendering Failures",
		"RenderingFailure", "DeliveryDelay", "Reputation.BounceRate", "Reputation.ComplaintRate",
	}
}

// tenantMetricOf is the reading that a metric of a tenant becomes.
func tenantMetricOf(name string) string {
	switch metricOf(name) {
	case observation.AccountSend:
		return observation.AccountTenantSend
	case observation.AccountBounce:
		return observation.AccountTenantBounce
	case observation.AccountComplaint:
		return observation.AccountTenantComplaint
	default:
		return ""
	}
}

// counter is a series and the reading that it becomes.
type counter struct {
	query          cloudwatch.Query
	metric, detail string
}

func newCounter(s cloudwatch.Series, metric, detail string) counter {
	stat := cloudwatch.Sum
	if metric == observation.AccountBounceRate || metric == observation.AccountComplaintRate {
		stat = cloudwatch.Average
	}
	return counter{query: cloudwatch.Query{Series: s, Stat: stat}, metric: metric, detail: detail}
}

// series are those of SES's metrics that are read.
type series struct {
	account, sets, tenants []counter
	// ignored say nothing here, folded are beyond what may be read.
	ignored, folded int
}

// list finds out which series there are.
func (c *Collector) list(ctx context.Context) (*series, error) {
	all, whole, err := c.account.List(ctx, namespace, "")
	if err != nil {
		return nil, err
	}
	s := sortSeries(all)
	if !whole {
		// The account's own may be among those that were left out.
		s.account = blindCounters()
	}
	s.folded += bound(&s.sets, c.maxSets) + bound(&s.tenants, c.maxTenants)
	return s, nil
}

// blindCounters are the account's own, for where nothing is known.
func blindCounters() (counters []counter) {
	for _, name := range accountNames() {
		counters = append(counters, newCounter(cloudwatch.Series{Namespace: namespace, Metric: name}, metricOf(name), ""))
	}
	return counters
}

// sortSeries says what the series are. Names come from outside: one that cannot be that of a set or tenant is ignored.
func sortSeries(all []cloudwatch.Series) *series {
	s := &series{}
	for i := range all {
		one := all[i]
		set, hasSet := one.Dimension(dimensionSet)
		tenant, hasTenant := one.Dimension(dimensionTenantName)
		id, hasID := one.Dimension(dimensionTenantID)
		switch n := len(one.Dimensions); {
		case n == 0 && metricOf(one.Metric) != "":
			s.account = append(s.account, newCounter(one, metricOf(one.Metric), ""))
		case n == 1 && hasSet && set != "" && metricOf(one.Metric) != "":
			s.sets = append(s.sets, newCounter(one, metricOf(one.Metric), set))
		case n == 2 && hasTenant && hasID && tenant != "" && tenantMetricOf(one.Metric) != "":
			s.tenants = append(s.tenants, newCounter(one, tenantMetricOf(one.Metric), observation.TenantDetail(tenant, id)))
		default:
			s.ignored++
		}
	}
	return s
}

// bound keeps the counters of so many sets or tenants and returns how many counters went.
func bound(counters *[]counter, limit int) (folded int) {
	slices.SortFunc(*counters, func(a, b counter) int {
		return cmp.Or(cmp.Compare(a.detail, b.detail), cmp.Compare(a.query.Series.Metric, b.query.Series.Metric))
	})
	details := 0
	for i, c := range *counters {
		if i == 0 || (*counters)[i-1].detail != c.detail {
			details++
		}
		if details > limit {
			folded = len(*counters) - i
			*counters = (*counters)[:i]
			break
		}
	}
	return folded
}
