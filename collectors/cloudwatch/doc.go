// Package cloudwatch reads metrics of one AWS account and region for the collectors that need them. It is no collector: it
// knows no source, stores nothing and decides nothing about time. What such a collector needs beside metrics stands here
// too: the account's number, the SDK's configuration with the role assumed, and the errors of calls to its services.
//
// # Requests
//
// GetMetricData takes 500 queries a call and is priced by query ($0.01 for 1,000), not by the points that come back, so that
// long windows cost nothing. Pages are always read to the end, oldest points first. ListMetrics gives 500 series a page; a
// series is listed up to 15 minutes after its first point, and no longer two weeks after its last.
//
// # What is not said
//
// CloudWatch has no point for a period in which nothing was measured. A Result with StatusComplete and no points says that
// nothing was; one with any other status says nothing about the points that are missing.
//
// # Use
//
// An Account may be used from several goroutines. It may be imported by collectors, and by tests. Calls are described in
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/.
package cloudwatch
