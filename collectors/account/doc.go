// Package account reads how an SES account stands in a region: what CloudWatch counted of its mail, the rates by which SES
// judges it, its quota and status, and the tenants and resources that SES finds fault with.
//
// # A pass
//
// A pass asks SES how the account stands, and CloudWatch for the counts and rates of the account since the last pass, and
// once more for the three hours before it: points come late. An account that was never read is read two weeks back, two days
// at a time, the oldest first; so is what an outage left out, up to 60 days. About once an hour the pass also asks for what
// there may be much of: which series exist, the counts of configuration sets and tenants, and SES's lists. Reread makes the
// next pass ask for the lists at once.
//
// Each of the parts needs a permission of its own. A part without one is a state of that part, told by access, and the
// others are read all the same; only when nothing at all may be read does the pass fail. SES is asked no more than once a
// second, as it demands (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
//
// # Positions
//
//	metrics, configuration_sets, tenant_metrics   the hour, or day, up to which the counts were read
//	lists, details                                when the lists, and the counts beside the account's, were last asked for
//
// # Readings
//
// Subject is the account's number and the region. What they are called and what they hold is in internal/observation
// (AccountCloudWatch, AccountSES). Sources are told apart and never mixed.
//
// SES spells its metrics in several ways (Open and Opens, RenderingFailure and Rendering Failures). All spellings become one
// reading; where two exist the larger holds, because they count the same. A count without a point in an hour that was read is
// 0 there, and has no reading. Series with other dimensions than ses:configuration-set, or TenantId and TenantName, are those
// of somebody's own event destinations, and of receipt rules; they are left alone.
//
// An hour's counts are final when a reading read stands beside them. It is written when the hour had been over for 15
// minutes and CloudWatch's answer was whole.
//
// # Cost
//
// GetMetricData costs $0.01 for 1,000 metrics, whatever the window. An account has about 11 metrics, a configuration set with
// figures of its own the same, a tenant 3. docs/cloudwatch.md has the sum for a month.
//
// # Use
//
// A Collector makes one pass at a time and keeps nothing between passes but SES's pace and the list of series. It may be
// imported by internal/app and by tests. The APIs: https://docs.aws.amazon.com/ses/latest/APIReference-V2/,
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-cloudwatch.html.
package account
