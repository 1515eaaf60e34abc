package ledger

import (
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Put is what one step of one source asks to have stored: all of it in one transaction, or nothing.
type Put struct {
	// Source names the source for unconfirmed ids, positions and quarantine.
	Source  string
	Entries []Entry
	// Readings replace earlier ones of the same key and period; Positions replace those of the same source and subject.
	// Readings of a period shorter than an hour are kept for 35 days after it began, others for 25 months.
	Readings  []observation.Reading
	Positions map[string]string
	Statuses  []observation.Status
	// Quarantine lists messages that were not understood.
	Quarantine []Quarantined
	Learned    []LearnedDomain
	// Key, when not 0, says that the source will report, by a Confirm, what it has forgotten of this Put. Until then all
	// ids of the Put's entries stay known, whatever the budgets say.
	Key      uint64
	Confirms []Confirm
	// Replay marks saved events: they do not cover hours, and entries of hours covered live are refused unless AssumeNew.
	// Hours are covered by origin, and each configuration set's with those of its account's mail without one.
	Replay, AssumeNew bool
}

// Entry is one thing that became of one recipient, and where it is tallied.
type Entry struct {
	// ID is the keyed hash of what was said; ids of the two classes have budgets of their own but share one space.
	ID uint64
	// Message is the index of the queue's message within the Put, for Confirm.
	Message int
	// Type is the SES event that said it; the ledger learns from it what each origin publishes.
	Type observation.EventType
	// SentAt is the cohort's time, At the event's own.
	SentAt, At time.Time
	Cell       Cell
	// Possible is, for complained recipients, how many the complaint listed.
	Possible int
	// Stamp is what the mail told Gmail, for identifier use; it is tallied for Sent, and for Delivered at Gmail.
	Stamp observation.Stamp
	// Hold, when not zero, keeps an entry that has no tags of its own until that time, or until a tagged copy of the same
	// id arrives and takes its place.
	Hold time.Time
	// Sample, when not nil, is an example of the reason.
	Sample *Sample
}

// Cell is where an entry is tallied, apart from time.
type Cell struct {
	Origin   observation.Origin
	Campaign observation.Campaign
	// Provider and Reason are ids of the classification data; Reason is empty for outcomes that have none.
	Provider string
	Outcome  observation.Outcome
	Reason   string
}

// Sample is an example of a diagnostic with everything personal replaced.
type Sample struct {
	// Text is the redacted diagnostic; equal texts are counted together.
	Text string
	// MessageID is SES's id of the mail that it was about; the ledger keeps up to three a text.
	MessageID string
}

// Fate is what a Commit did with an entry.
type Fate uint8

// The fates of an entry.
const (
	// Counted entries were tallied now.
	Counted Fate = iota + 1
	// Duplicate entries had a known id.
	Duplicate
	// Held entries wait for a tagged copy.
	Held
	// Refused entries were replayed for an hour that was covered live.
	Refused
)

// Result is what a Commit did: Fates has one element for each of the Put's entries, in their order.
type Result struct {
	Fates []Fate
	// Readings lists those of the Put's readings that were new or said something else than what was stored, in their
	// order. What grows with them grows exactly once, however often a source is read again.
	Readings []ReadingChange
	// QuarantineFull lists the indexes, in the Put's Quarantine, of messages that were not kept because quarantine is
	// full. Their source must keep them.
	QuarantineFull []int
}

// ReadingChange is a reading that was stored and what it took the place of.
type ReadingChange struct {
	// Index is its place in the Put's Readings.
	Index int
	// New says that no reading of the same key and period was stored. Previous is the value that was, nil when it had
	// none. Highest is the highest that it ever had until then, so that one that shrinks and grows again does not grow by
	// what it had before; nil when it never had any.
	New               bool
	Previous, Highest *float64
}

// Confirm tells what a source has forgotten of an earlier Put. It may be durable no sooner than the next Fold: a crash
// before only keeps ids known for longer.
type Confirm struct {
	// Key is the earlier Put's Key; Kept lists the messages (Entry.Message) whose deletion is not certain.
	Key  uint64
	Kept []int
}

// Quarantined is a message that was not understood.
type Quarantined struct {
	// Message is its index in the batch that it came in, MessageID the queue's id: a redelivered one is kept once.
	Message   int
	MessageID string
	At        time.Time
	// Reason is from a closed list, Detail says what is wrong and where.
	Reason, Detail string
	// Body is the raw body; empty when the configuration keeps none. Size is its length in bytes in either case.
	Body string
	Size int
}

// LearnedDomain is a recipient domain whose platform an SMTP reply gave away. It applies to mail sent at Since or later.
type LearnedDomain struct {
	Domain, Provider string
	Since            time.Time
}

// Version is a dated setting that decides how mail is counted, such as the identity rules: mail sent at Since or later
// falls under it.
type Version struct {
	Since time.Time
	// Body is the setting in the form of whoever wrote it.
	Body []byte
}

// The kinds of dated settings.
const (
	// VersionIdentity is the identity rules, VersionReporting the list of reporting providers.
	VersionIdentity  = "identity"
	VersionReporting = "reporting_providers"
)
