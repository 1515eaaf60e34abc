// Package view turns rows of the ledger into figures. It is the one place that metrics, alerts, pages and reports read, so
// that they all say the same.
//
// A View keeps, for each campaign, sums over the mail of the last hour, day, three days and week, by provider, outcome,
// reason, what the origin published and whether the provider reports complaints. Refresh follows the ledger: what a fold
// added is added; buckets that have left a window are read once more, exactly as far as they had been added, and taken
// off. The sums therefore always equal those of the same cohorts read afresh. What is older than a week is read when it
// is asked for.
//
// A window of W holds the buckets that start at or after the as-of time, rounded down to the window's grain, less W. The
// grain is five minutes for 1h and 24h and an hour for 7d. Opens and clicks are kept by the hour, so the window of 1h
// holds those of mail sent since the last full hour only; no signal counts them.
//
// What Gmail reports is joined to what was sent by RefreshGmail, apart from that: Gmail is days late, and counts by days.
// Queries see the join of the last RefreshGmail.
//
// How SES accounts stand, and how much of what CloudWatch counts has reached the ledger, is worked out by RefreshAccounts, by
// the events' own time: SES and CloudWatch know no cohorts.
//
// What SES's receipt rules did is summed by RefreshInbound, by the periods in which CloudWatch counted it, up to when it was
// read: a rule is silent only where figures came and said so.
//
// Refresh is called by one loop, about once a second, RefreshGmail, RefreshAccounts and RefreshInbound by one, about once a
// minute; the queries may be called from any goroutine at the same time. A View has no goroutine and no clock: its time is
// the ledger's as-of time. It may be imported by whatever shows or judges figures, and imports no engine.
package view
