// Package receiptrules collects what SES's receipt rules did with inbound mail: replies, unsubscribes and DMARC reports. SES
// tries for four hours to hand mail on, and then the mail is gone; CloudWatch's metrics are the only trace of it.
//
// # A pass
//
// A pass lists the rules that have figures (ListMetrics; a rule shows up to 15 minutes after its first mail and for two weeks
// after its last), asks SES for the active rule set, and reads four metrics of every listed rule in periods of 5 minutes,
// 125 rules a call. A rule that was never used has no figures, but is known from the rule set.
//
// What is read is decided by positions, not by the clock. The position of a rule is up to when it was read; a pass goes on
// from there to the last full period, 12 hours at a time and the rules that are furthest behind first, and each step is put
// before the next. So an outage of up to 34 days leaves no gap, a pass that is cut short goes on where it ended, and a rule of
// which CloudWatch did not give everything is behind until it does, without holding up others. Every pass begins 3 hours
// before the position, because CloudWatch's points are late, by minutes as a rule, and are corrected: a point counts once,
// as the sink knows what has changed. CloudWatch is paid by what is asked for, not by what it answers, so that this costs
// nothing.
//
// The first pass of a source reads 14 days back. A rule that shows up later is read from where the others stand. The
// position of the account and region itself, with neither rule set nor rule, is when it was first read: Batch.Since.
//
// # Readings
//
// Source and subjects are those of package observation, as are the names of metrics. CloudWatch may name a rule with its
// rule set, the rule alone or the rule set alone; each is a subject of its own, save that a rule alone is left out where it
// is also named with a rule set. Names that SES would not take, and rules beyond 2,000, are left out and returned as a
// failure.
//
// # Cost
//
// CloudWatch asks $0.01 for 1,000 metrics and a pass asks for 4 of every rule: every 5 minutes that is $0.35 a rule and
// month, $3.46 for 10 rules. ListMetrics, two calls or more a pass, is $0.01 for 1,000 calls, of which the first million a
// month is free.
//
// # Permissions
//
// cloudwatch:ListMetrics and cloudwatch:GetMetricData are needed, both on all resources: CloudWatch knows no narrower ones.
// Without ses:DescribeActiveReceiptRuleSet rules that were never used are not known, nor how near the quotas are; that is a
// state and no failure.
//
// # Use
//
// A Collector reads one account and region, makes one pass at a time, and keeps nothing between passes but the account's
// number. It may be imported by internal/app and by tests.
package receiptrules
