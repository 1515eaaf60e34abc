package intake

import (
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// Observer is told of what was counted live, after it was committed. It must be fast and safe for concurrent use. The
// strings that it is given are valid only during the call.
type Observer interface {
	// Counted: one recipient (or one open, click or complaint) was tallied in that cell.
	Counted(cell *ledger.Cell)
	// Delivered: a delivery took that long from SES's acceptance of the mail to the receiver's.
	Delivered(provider string, took time.Duration)
	// Entries: that many entries from a source had that fate.
	Entries(source string, fate ledger.Fate, n int)
	// Quarantined: a message from a source went to quarantine for that reason.
	Quarantined(source, reason string)
}

// noObserver is the Observer of an Intake that exports nothing.
type noObserver struct{}

func (noObserver) Counted(*ledger.Cell)             {}
func (noObserver) Delivered(string, time.Duration)  {}
func (noObserver) Entries(string, ledger.Fate, int) {}
func (noObserver) Quarantined(_, _ string)          {}
