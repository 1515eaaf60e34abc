package intake

import (
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
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

// ReadingObserver is told of what grew in the ledger's readings, after it was committed. It must be fast and safe for
// concurrent use.
type ReadingObserver interface {
	// Grew: the number of a reading was new, or is larger by that much than it ever was. A number that shrank, or has only
	// come back to what it was, and one of a time before its source was first read, is not told. So what a source says of a
	// period counts once, however often it is read again and corrected. It is told of every number; the observer knows
	// which of them count something.
	Grew(key *observation.ReadingKey, by float64)
}

// noObserver is the Observer of an Intake that exports nothing.
type noObserver struct{}

func (noObserver) Counted(*ledger.Cell)             {}
func (noObserver) Delivered(string, time.Duration)  {}
func (noObserver) Entries(string, ledger.Fate, int) {}
func (noObserver) Quarantined(_, _ string)          {}

func (noObserver) Grew(*observation.ReadingKey, float64) {}
