package ledgertest

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
)

// Factory makes an empty place for one ledger, which lasts as long as the test t.
type Factory func(t *testing.T) Place

// Place is where one ledger lives, and what may befall it there. Open and Crash are required.
type Place struct {
	// Open makes the ledger when the place is empty, else opens what is there. At most one ledger is open at a time.
	Open func(s Settings) (ledger.Ledger, error)
	// Crash drops l as a killed process would: nothing is folded or closed cleanly, and the next Open finds what was durable at
	// this moment. No call on l is under way, and none follows.
	Crash func(l ledger.Ledger)
	// OpenReader, when not nil, opens the place as another process would that only reads, whether or not a ledger is open. The
	// function that it returns closes the reader.
	OpenReader func() (ledger.Reader, func(), error)

	// FailCommit, when not nil, makes the next COMMIT of a group of Puts report an error that leaves open what happened;
	// applied says whether it took place nevertheless.
	FailCommit func(l ledger.Ledger, applied bool)
	// Refuse, when not nil, makes every transaction that tallies for this campaign fail, for a cause that no repetition cures,
	// until the ledger is opened again.
	Refuse func(l ledger.Ledger, campaign string)
	// DieAt, when not nil, makes l die at the given one, counted from 1, of the points at which its next calls can leave
	// something half done: nothing that comes after the point survives, whatever the calls answer. Crash follows; then reached
	// says whether the calls came that far.
	DieAt func(l ledger.Ledger, point int) (reached func() bool)
}

// Settings are what a ledger is opened with. Everything else is at the engine's defaults.
type Settings struct {
	Now  func() time.Time
	Zone *time.Location
	// RoutineIDs and ExceptionalIDs are how many ids of each class stay known.
	RoutineIDs, ExceptionalIDs int
	// QuarantineBytes is how many bytes of bodies quarantine keeps.
	QuarantineBytes int64
}
