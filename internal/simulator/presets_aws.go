package simulator

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/cloudwatch"
	"github.com/mailvane/mailvane/internal/simulator/sesapi"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// The second account of the demo's sender, with its region, and the role by which to read it.
const (
	AccountEU = "210987654321"
	RegionEU  = "eu-west-1"
	RoleEU    = "arn:aws:iam::" + AccountEU + ":role/mailvane"
)

// demoAccounts is what SES says about the demo's two accounts: tenant globex bounces too much and is near what SES puts up with,
// which it says in an open recommendation; in the second account there is nothing worse than a DMARC policy. The quotas leave
// room for the surge.
func demoAccounts(now time.Time, surge float64) sesapi.Options {
	us, eu := sesapi.Place{Account: Account, Region: "us-east-1"}, sesapi.Place{Account: AccountEU, Region: RegionEU}
	daysAgo := func(n int) time.Time { return now.UTC().Truncate(time.Hour).AddDate(0, 0, -n) }
	globex := "tenant/globex/" + traffic.TenantID(us.Account, us.Region, "globex")
	const exceeded = "The bounce rate exceeded 4.0% based on a representative volume of 1,312 emails."
	return sesapi.Options{
		Standings: []sesapi.Standing{
			{Place: us, Max24Hour: 20_000 * max(surge, 1), MaxRate: 14 * max(surge, 1)},
			{Place: eu, Max24Hour: 4_000 * max(surge, 1), MaxRate: 14 * max(surge, 1)},
		},
		Recommendations: []sesapi.Recommendation{
			{Place: us, Resource: globex, Type: "BOUNCE", Impact: "LOW", Description: exceeded, Created: daysAgo(2), Updated: daysAgo(1)},
			{Place: us, Resource: "identity/news.example.com", Type: "DKIM", Impact: "HIGH", Fixed: true,
				Description: "DKIM verification is not enabled.", Created: daysAgo(200), Updated: daysAgo(198)},
			{Place: eu, Resource: "identity/mail.example.net", Type: "DMARC", Impact: "LOW",
				Description: "DMARC policy was not found.", Created: daysAgo(40), Updated: daysAgo(40)},
		},
		Entities: []sesapi.Entity{
			{Place: us, Resource: globex, Impact: "LOW", Cause: exceeded, Updated: daysAgo(1)},
			{Place: us, Resource: "tenant/initech/" + traffic.TenantID(us.Account, us.Region, "initech"), Updated: daysAgo(90)},
			{Place: eu, Resource: "tenant/acme/" + traffic.TenantID(eu.Account, eu.Region, "acme"), Updated: daysAgo(90)},
		},
	}
}

// CloudWatchBench is an account with so many receipt rules, each with four series that have a point every minute.
func CloudWatchBench(now time.Time, rules int) Options {
	o := Options{Now: func() time.Time { return now }}
	source := make(everyMinute, 0, 4*rules)
	for _, name := range []string{"PublishExpired", "PublishFailure", "PublishSuccess", "Received"} {
		for i := range rules {
			source = append(source, traffic.ReceiptMetric(name, "inbound", fmt.Sprintf("rule-%04d", i)))
		}
	}
	o.CloudWatch.Source = source
	return o
}

// everyMinute is a source of metrics in which each minute of each series has as many samples as the minute of the hour says.
type everyMinute []traffic.Metric

var _ cloudwatch.Source = everyMinute(nil)

// Metrics implements cloudwatch.Source.
func (all everyMinute) Metrics(_, _ string, _, _ time.Time) []traffic.Metric { return all }

// Data implements cloudwatch.Source.
func (everyMinute) Data(_, _ string, _ traffic.Metric, from, to time.Time) (data []traffic.Datum) {
	for at := from.Truncate(time.Minute); at.Before(to); at = at.Add(time.Minute) {
		if n := at.Minute() + 1; !at.Before(from) {
			data = append(data, traffic.Datum{At: at, Samples: int64(n), Sum: float64(n), Min: 1, Max: 1})
		}
	}
	return data
}
