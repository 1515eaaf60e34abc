package sampler

import (
	"testing"

	"github.com/mailvane/mailvane/alerts"
)

// TestOfLedger holds that without a daemon there are samples of no other signals.
func TestOfLedger(t *testing.T) {
	want := map[alerts.Signal]bool{
		alerts.SourceFailing: true, alerts.SourceStale: true, alerts.QueueLag: true, alerts.ReceivingStopped: true,
		alerts.DedupeHorizon: true, alerts.QuarantineGrowth: true, alerts.QuarantineUsed: true, alerts.CampaignFlood: true,
		alerts.NotifierFailing: true,
	}
	for _, s := range alerts.Signals() {
		if OfLedger(s) == want[s] {
			t.Errorf("%s: of the ledger is %t", s, OfLedger(s))
		}
	}
}
