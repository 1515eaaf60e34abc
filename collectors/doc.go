// Package collectors is the contract between the sources of observations and what stores them. A collector knows its own
// source and this package; it knows no other collector, no configuration file, no ledger and no alert. The scheduler owns
// cadence, timeouts, back-off and panics; a collector makes one bounded pass each time it is asked.
package collectors
