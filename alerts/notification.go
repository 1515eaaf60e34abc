package alerts

import (
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Change says why a notification is made.
type Change string

// The changes. Joined and Left tell of members of a group that fires on; a notifier to which that means nothing returns nil
// without sending.
const (
	Opened   Change = "opened"
	Worsened Change = "worsened"
	Eased    Change = "eased"
	Joined   Change = "joined"
	Left     Change = "left"
	Closed   Change = "closed"
)

// maxMembers bounds a list of alerts that people read, maxKept the one for a receiver that ends what it is not told of again,
// maxGone that of what is over.
const (
	maxMembers = 20
	maxKept    = 80
	maxGone    = 200
)

// Notification is one message about a group of alerts to one notifier: all that a person needs who reads nothing else. It
// holds no secret and no recipient's address. Names in it come from outside; notifiers escape them for their own markup.
type Notification struct {
	// ID is unique, and the same each time that delivery is tried. A receiver that has seen it can drop it.
	ID string `json:"id"`
	// Key is the same from the opening of a group to its end, and for its next firing: PagerDuty's dedup_key, at most 255
	// bytes. Sequence grows by one with each notification of the key.
	Key      string `json:"key"`
	Sequence int64  `json:"sequence"`
	// Notifier is to deliver it; empty for a dead letter, which no route takes.
	Notifier string `json:"notifier"`
	Change   Change `json:"change"`
	// Resolved is true of the last notification of a group, Reason says why it ended.
	Resolved bool   `json:"resolved"`
	Reason   Reason `json:"reason,omitempty"`
	// Severity is the worst of the members', of a group that ended the last one.
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Signal   Signal   `json:"signal"`
	By       By       `json:"by"`
	Cause    Cause    `json:"cause"`
	Owner    string   `json:"owner,omitempty"`
	// Group are the labels that all members share.
	Group []observation.Field `json:"group,omitempty"`
	// StartedAt is when the group opened; At is when the notification was made.
	StartedAt time.Time `json:"started_at"`
	At        time.Time `json:"at"`
	// Summary is one line of at most 1,000 bytes; Description a few more.
	Summary     string `json:"summary"`
	Description string `json:"description,omitempty"`
	Runbook     string `json:"runbook,omitempty"`
	Document    string `json:"document,omitempty"`
	// Members are the alerts of the group, the worst first, at most 20, for a Resender 80 in any order; More is how many are not
	// listed. Gone are those that the notifier is not to show any more, at most 200, with the severity and the labels under
	// which it was told of them; their Evidence and Summary may not be known. A closing lists none but those.
	Members []Member `json:"members,omitempty"`
	More    int      `json:"more,omitempty"`
	Gone    []Member `json:"gone,omitempty"`
	// Muted are alerts of the same cause that are not sent, because this one stands for them, at most 20; MoreMuted is how
	// many are not listed.
	Muted     []Member `json:"muted,omitempty"`
	MoreMuted int      `json:"more_muted,omitempty"`
	// Links lead to the page, the dashboard and the runbook; Commands are what a person can run, such as the one that pauses
	// a configuration set. The caller of Plan fills both in, and the Detail of members.
	Links    []Link    `json:"links,omitempty"`
	Commands []Command `json:"commands,omitempty"`
}

// Encode writes a notification as ledgers keep it.
func (n *Notification) Encode() ([]byte, error) { return encode(n) }

// DecodeNotification reads what Encode wrote. The error is ErrNewer for what a newer version wrote.
func DecodeNotification(data []byte) (Notification, error) {
	return decode[Notification](data, "notification")
}

// Link is an address for browsers and what it leads to.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Command is a line for a shell and what it does.
type Command struct {
	Text string `json:"text"`
	Line string `json:"line"`
}

// Member is one alert of a group.
type Member struct {
	// ID is the alert's; StartedAt tells its episodes apart.
	ID        string    `json:"id"`
	StartedAt time.Time `json:"started_at"`
	Severity  Severity  `json:"severity"`
	// Was is the severity under which the notifier was told of it before, None if it was not.
	Was     Severity `json:"was,omitempty"`
	Subject Subject  `json:"subject"`
	// Evidence has the value with its interval and n of N, the line, and as of when.
	Evidence Evidence            `json:"evidence,omitzero"`
	Owner    string              `json:"owner,omitempty"`
	Labels   []observation.Field `json:"labels,omitempty"`
	Summary  string              `json:"summary,omitempty"`
	// UpperBound says that the truth is at most the value.
	UpperBound bool    `json:"upper_bound,omitempty"`
	Detail     *Detail `json:"detail,omitempty"`
}

// Detail is what stands behind the figure of a member. What is not known is left out.
type Detail struct {
	// Notes are sentences about what it means and why it is so.
	Notes []string `json:"notes,omitempty"`
	// Providers, Campaigns, Identifiers and Reasons are the first few, the worst first: those that the figure is made of.
	Providers   []ProviderShare   `json:"providers,omitempty"`
	Campaigns   []CampaignShare   `json:"campaigns,omitempty"`
	Identifiers []IdentifierShare `json:"identifiers,omitempty"`
	Reasons     []ReasonShare     `json:"reasons,omitempty"`
	// SentLately counts recipients sent to in the last 15 minutes: whether it is still going on. Nil when not known.
	SentLately *int64 `json:"sent_last_15m,omitempty"`
	// Previous is the figure of the send before, nil when there is none.
	Previous *PreviousSend `json:"previous,omitempty"`
	// ConfigurationSets are those that the mail is sent with, by which it can be paused.
	ConfigurationSets []observation.Origin `json:"configuration_sets,omitempty"`
}

// ProviderShare is what a mailbox provider adds to a figure.
type ProviderShare struct {
	Provider    string `json:"provider"`
	Numerator   int64  `json:"numerator"`
	Denominator int64  `json:"denominator"`
}

// CampaignShare is what a campaign adds to a figure.
type CampaignShare struct {
	Tenant      string `json:"tenant,omitempty"`
	Campaign    string `json:"campaign"`
	Numerator   int64  `json:"numerator"`
	Denominator int64  `json:"denominator"`
}

// IdentifierShare is what Gmail last said of the mail with one value in its Feedback-ID. Campaign is the one that alone used
// it, empty when SharedBy several.
type IdentifierShare struct {
	Identifier string  `json:"identifier"`
	SpamRate   float64 `json:"spam_rate"`
	Day        Date    `json:"day"`
	Tenant     string  `json:"tenant,omitempty"`
	Campaign   string  `json:"campaign,omitempty"`
	SharedBy   int     `json:"shared_by,omitempty"`
}

// ReasonShare is how often a reason was given, with the SES ids of up to three messages, by which SES's support finds them.
type ReasonShare struct {
	Reason     string   `json:"reason"`
	Provider   string   `json:"provider,omitempty"`
	N          int64    `json:"n"`
	Reply      string   `json:"reply,omitempty"`
	MessageIDs []string `json:"message_ids,omitempty"`
}

// PreviousSend is the same figure of the campaign's send before. Send is its name before renaming, where it had one. A stream
// has no sends: Weeks then is in how many of the last four there was mail in the same hours, of which the figure is.
type PreviousSend struct {
	Send        string    `json:"send,omitempty"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	Weeks       int       `json:"weeks,omitempty"`
	Value       float64   `json:"value"`
	Numerator   int64     `json:"numerator"`
	Denominator int64     `json:"denominator"`
}
