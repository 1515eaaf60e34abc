package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Errors by which callers decide. Engines wrap them.
var (
	// ErrCannotCommit: the store cannot take writes now (disk full or nearly, read-only, away). Receiving must stop;
	// nothing of the Put was stored.
	ErrCannotCommit = errors.New("the ledger cannot commit")
	// ErrCorrupt: the ledger's file is damaged or not a ledger. It is never overwritten.
	ErrCorrupt = errors.New("the ledger is damaged")
	// ErrNewer: the ledger was written by a newer version of this program.
	ErrNewer = errors.New("the ledger was written by a newer version")
	// ErrLocked: another process holds the ledger.
	ErrLocked = errors.New("the ledger is in use by another process")
	// ErrNotFound: no such thing in the ledger.
	ErrNotFound = errors.New("not in the ledger")
	// ErrClosed: the ledger has been closed.
	ErrClosed = errors.New("the ledger is closed")
)

// Ledger is a store of tallies.
type Ledger interface {
	Reader
	AlertWriter
	ReportWriter
	// Commit drops the entries whose id is known, then tallies the rest; that, the readings and the positions happen in
	// one transaction, or nothing does. It is durable when Commit returns nil. A cancelled context makes the caller stop
	// waiting, it does not undo: the outcome is then not known to the caller, and a repeated Commit is safe.
	Commit(ctx context.Context, p Put) (Result, error)
	// Release tallies the held entries whose time has come and returns those that came live, because a replay feeds no
	// counter; it is safe to call at any time. With an error come the entries that were tallied before it.
	Release(ctx context.Context) ([]Entry, error)
	// Fold moves what was committed into what Readers see. It is called about once a second.
	Fold(ctx context.Context) error
	// Maintain makes one step, of at most about 50 ms, of compaction, retention or checkpointing, and says whether there
	// is more to do at once.
	Maintain(ctx context.Context) (more bool, err error)
	// AddVersion stores a dated setting; mail sent at v.Since or later falls under it.
	AddVersion(ctx context.Context, kind string, v Version) error
	// DropQuarantined forgets quarantined messages and returns how many there were.
	DropQuarantined(ctx context.Context, ids []int64) (int, error)
	// Close folds what was committed and lets the store go.
	Close() error
}

// Reader reads a ledger. What it returns is folded: at most about 2 seconds old while a daemon runs, and stated by Through.
type Reader interface {
	AlertReader
	ReportReader
	Status(ctx context.Context) (Status, error)
	// HashKey is the key of the ids, made with the ledger.
	HashKey() [16]byte
	// Zone is the time zone in which days are cut, fixed when the ledger was made.
	Zone() *time.Location
	// Cohorts reads tallies by send time. One call is one short read transaction: callers cut long ranges.
	Cohorts(ctx context.Context, q CohortQuery) (Cohorts, error)
	// Changes reads what later folds added to the cohorts, in the order of the folds.
	Changes(ctx context.Context, after Fold) (Changes, error)
	// Published reads which event types each origin publishes, and since when.
	Published(ctx context.Context) ([]Published, error)
	// OwnTime reads tallies by the events' own time.
	OwnTime(ctx context.Context, from, to time.Time) ([]OwnTimeRow, error)
	// Uses reads which campaigns used which Feedback-ID values.
	Uses(ctx context.Context, from, to time.Time) ([]UseRow, error)
	// Samples reads examples of reasons, most frequent first.
	Samples(ctx context.Context, q SampleQuery) ([]SampleRow, error)
	// Campaigns lists the campaigns that the ledger knows, in no order.
	Campaigns(ctx context.Context) ([]CampaignUse, error)
	// Versions reads the dated settings of a kind, oldest first.
	Versions(ctx context.Context, kind string) ([]Version, error)
	LearnedDomains(ctx context.Context) ([]LearnedDomain, error)
	Positions(ctx context.Context, source string) (map[string]string, error)
	Readings(ctx context.Context, q ReadingQuery) ([]ReadingRow, error)
	// Statuses reads kept status events that happened at or after since, oldest first.
	Statuses(ctx context.Context, since time.Time) ([]observation.Status, error)
	// Quarantined lists messages in quarantine, newest first, with bodies only when q asks for them.
	Quarantined(ctx context.Context, q QuarantineQuery) ([]QuarantineRow, error)
}

// Fold numbers the folds of a ledger; 0 is before the first.
type Fold int64

// CohortQuery selects cohorts of mail sent in [From, To). Buckets wider than the range's ends are taken whole when they
// start inside it.
type CohortQuery struct {
	From, To time.Time
	// Tenant and Campaign, when Campaign is not empty, select one campaign with all its sends.
	Tenant, Campaign string
	// Sum adds the buckets up: there is one row of each cell, which begins at From and ends at To. Of long ranges that is much
	// less to be read.
	Sum bool
}

// Cohorts is the answer to a CohortQuery, as of fold Through.
type Cohorts struct {
	Rows    []CohortRow
	Through Fold
}

// CohortRow is a tally of one cell in one bucket of send time. Width is 5 minutes, an hour, or a day (in the ledger's
// zone, so it may be 23 or 25 hours). N and Possible may be deltas in Changes.
type CohortRow struct {
	Start time.Time
	Width time.Duration
	Cell  Cell
	N     int64
	// Possible sums, over complaints, how many recipients were listed.
	Possible int64
}

// Changes is what the folds after a given one added. Reset says that they are no longer known one by one and the caller
// must read the cohorts afresh.
type Changes struct {
	Folds   []FoldChange
	Through Fold
	Reset   bool
}

// FoldChange is what one fold added to the cohorts; buckets are as wide as Cohorts has them for mail of that age.
type FoldChange struct {
	Fold Fold
	Rows []CohortRow
}

// Published says that an origin publishes an event type: First and Last are the earliest and latest send times of mail for
// which such an event was counted.
type Published struct {
	Origin      observation.Origin
	Type        observation.EventType
	First, Last time.Time
}

// OwnTimeRow is a tally by the hour in which events happened.
type OwnTimeRow struct {
	Start   time.Time
	Width   time.Duration
	Origin  observation.Origin
	Outcome observation.Outcome
	N       int64
}

// UseRow says how many recipients a campaign sent to, and delivered to at personal Gmail addresses, in an hour of send
// time under one set of Feedback-ID values.
type UseRow struct {
	Hour           time.Time
	Account        string
	Region         string
	Campaign       observation.Campaign
	Stamp          observation.Stamp
	Sent           int64
	GmailDelivered int64
}

// CampaignUse is a campaign and when, to the day, something was last tallied for it.
type CampaignUse struct {
	Campaign observation.Campaign
	LastUsed time.Time
}

// SampleQuery selects samples; empty fields select all. Limit 0 means 100.
type SampleQuery struct {
	Tenant, Campaign string
	Provider, Reason string
	Limit            int
}

// SampleRow is an example of a reason with how often its text was seen and where. Its Cell has no Origin: equal texts of
// several origins are one.
type SampleRow struct {
	Cell        Cell
	Text        string
	N           int64
	First, Last time.Time
	// MessageIDs are up to three SES message ids, newest last.
	MessageIDs []string
}

// ReadingQuery selects readings whose period starts in [From, To); empty strings select all.
type ReadingQuery struct {
	Source, Subject, Metric string
	From, To                time.Time
}

// ReadingRow is a reading with when it was first stored and when its value last changed.
type ReadingRow struct {
	observation.Reading
	FirstSeen, LastChanged time.Time
}

// QuarantineQuery selects quarantined messages; empty fields select all. Limit 0 means 100.
type QuarantineQuery struct {
	ID     int64
	Source string
	Reason string
	Bodies bool
	Limit  int
	// Before, when not 0, continues a listing: only ids below it.
	Before int64
}

// QuarantineRow is a quarantined message.
type QuarantineRow struct {
	ID     int64
	Source string
	Quarantined
}

// Status is how a ledger is.
type Status struct {
	// AsOf is the time through which commits are folded; Through is that fold.
	AsOf    time.Time
	Through Fold
	// Size and WALSize are in bytes.
	Size, WALSize int64
	// RoutineHorizon and ExceptionalHorizon are how far back ids of each class are still known; 14 days at most.
	RoutineHorizon, ExceptionalHorizon time.Duration
	RoutineIDs, ExceptionalIDs         int64
	// Unconfirmed is, by source, how many ids stay known because their messages may still be in the queue. The process
	// that commits knows it best: it alone knows the Puts that are under way.
	Unconfirmed map[string]int64
	Held        int64
	Quarantined int64
	// QuarantineBytes is the size of the quarantined bodies.
	QuarantineBytes int64
	// CommitErr is why the ledger cannot commit now, nil when it can.
	CommitErr error
}
