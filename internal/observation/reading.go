package observation

import "time"

// Reading is a value that somebody else measured over a period. A later reading of the same Key and period replaces the
// earlier one; the ledger keeps when it was first seen and when it last changed.
type Reading struct {
	Key ReadingKey
	// Start and End bound the period, End exclusive.
	Start, End time.Time
	// Value is nil when the source said that it has none; 0 is a measured zero.
	Value *float64
	// Text holds a value that is no number (a verdict, a status), else it is empty.
	Text string
}

// ReadingKey names a series of readings.
type ReadingKey struct {
	// Source is the collector and its variant, for example "postmaster/v2": series of two sources are never mixed.
	Source string
	// Subject is what was measured: a domain, an account and region, a receipt rule.
	Subject string
	// Metric is the source's own name of the value; Detail tells apart several of one metric (an identifier, an error
	// class), empty when there is one.
	Metric, Detail string
}
