// Package cloudwatch is Amazon CloudWatch on the wire, for the metrics of SES that a Source knows: ListMetrics and
// GetMetricData by the protocol Smithy RPC v2 CBOR, which is the only one that current SDKs speak
// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html). An account and region is that of a request's
// signature. Points appear some minutes after their time, can come late and in parts, lose resolution as they age, and series
// without data are no longer listed after two weeks.
//
// Not simulated are metric math, Metrics Insights, percentiles, periods under a minute, and prices. SES's documents do not say
// by which dimensions it parts the metrics of receiving; here a series has the rule set and the rule.
//
// A Server is safe for concurrent use. Tests and the simulator import it.
package cloudwatch
