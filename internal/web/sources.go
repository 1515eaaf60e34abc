package web

import (
	"time"

	"github.com/mailvane/mailvane/internal/view"
)

// Sources says how far the figures can be trusted: what is read, how that goes, and what is missing.
type Sources struct {
	AsOf    time.Time  `json:"as_of"`
	Sources []Source   `json:"sources"`
	Ledger  LedgerInfo `json:"ledger"`
	// Published says which event types arrive from where: a rate is known only where its denominator is published.
	Published []Published `json:"published"`
	// SES says how the SES accounts stand, and what share of their mail is covered.
	SES view.Accounts `json:"ses"`
	// Names says how many names are counted on their own, and how many events lost theirs because a cap was reached.
	Names      []Names        `json:"names"`
	Quarantine QuarantineInfo `json:"quarantine"`
	// Unclassified are the replies of the last 14 days for which no rule knew the reason, the most frequent first.
	Unclassified []Unclassified `json:"unclassified_replies"`
	// Held is how many untagged identity notifications wait for their tagged copy.
	Held int64 `json:"held"`
}

// Source is one thing that is read.
type Source struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// State is ok, no_data (nothing was read yet), stale (no pass has succeeded for long) or error.
	State       string     `json:"state"`
	Error       string     `json:"error,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastFailure *time.Time `json:"last_failure,omitempty"`
	NextPass    *time.Time `json:"next_pass,omitempty"`
	Passes      Passes     `json:"passes"`
	Queue       *QueueInfo `json:"queue,omitempty"`
	// CloudWatch is left out for sources that ask nothing of it.
	CloudWatch *CloudWatchUse `json:"cloudwatch,omitempty"`
	// Unreadable are the domains of a Google account that Gmail shows it nothing about.
	Unreadable []UnreadableDomain `json:"unreadable_domains,omitempty"`
}

// CloudWatchUse is what a source has asked of CloudWatch since the daemon started.
type CloudWatchUse struct {
	Requests int64 `json:"requests"`
	// Metrics is how many metrics were asked for in them, which is what is paid for. Dollars is by list price; AWS may give
	// a discount.
	Metrics int64   `json:"metrics"`
	Dollars float64 `json:"dollars"`
}

// UnreadableDomain is a domain and why it cannot be read: unverified, no_access or not_found.
type UnreadableDomain struct {
	Domain string `json:"domain"`
	Access string `json:"access"`
}

// Passes counts passes since the daemon started.
type Passes struct {
	Running   int   `json:"running"`
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
}

// QueueInfo is about a source that is a queue.
type QueueInfo struct {
	URL    string `json:"url"`
	Region string `json:"region"`
	// Depth is how many messages wait or are in flight, absent when SQS did not tell.
	Depth *int64 `json:"depth,omitempty"`
	// LagSeconds is the age of the oldest message of the newest receive that brought any.
	LagSeconds float64 `json:"lag_seconds"`
	// UnconfirmedIDs stay known because the queue has not confirmed that their messages are gone.
	UnconfirmedIDs int64 `json:"unconfirmed_ids"`
}

// LedgerInfo is how the ledger is.
type LedgerInfo struct {
	Writable bool   `json:"writable"`
	Error    string `json:"error,omitempty"`
	Bytes    int64  `json:"bytes"`
	WALBytes int64  `json:"wal_bytes"`
	// Horizon is, by class of ids, how many seconds back a repeated event is recognised.
	Horizon map[string]float64 `json:"dedupe_horizon_seconds"`
}

// Published is what one configuration set publishes.
type Published struct {
	Account          string `json:"account"`
	Region           string `json:"region"`
	ConfigurationSet string `json:"configuration_set"`
	// Basis is what rates of bounces rest on: attempted, settled (no Send events arrive), or none.
	Basis string                  `json:"basis"`
	Types map[string]PublishedDay `json:"types"`
}

// PublishedDay is when mail was sent of which such events are known: the earliest and the latest.
type PublishedDay struct {
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Names is a dimension that is capped.
type Names struct {
	Dimension string `json:"dimension"`
	Tracked   int64  `json:"tracked"`
	Folded    int64  `json:"folded_events"`
}

// Unclassified is a reply, with everything personal replaced, whose reason is not known.
type Unclassified struct {
	Provider string    `json:"provider"`
	Outcome  string    `json:"outcome"`
	Text     string    `json:"text"`
	N        int64     `json:"n"`
	Last     time.Time `json:"last"`
}

// QuarantineInfo is what quarantine holds.
type QuarantineInfo struct {
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
}
