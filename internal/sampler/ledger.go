package sampler

import "github.com/mailvane/mailvane/alerts"

// OfLedger says whether a ledger holds all that the figures of a signal are made of, so that a view is enough to tell them. The
// others need a daemon that tells of itself.
func OfLedger(s alerts.Signal) bool { return feedOf(s) != feedDaemon }
