package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Notifier delivers notifications to one place: a PagerDuty service, a Slack channel, an address. Each kind is a package
// below this one. It keeps nothing between calls, and may be called from several goroutines; the caller never has two
// notifications of one Key under way at once, and calls in the order of their Sequence.
type Notifier interface {
	// Notify delivers one notification and returns nil once the receiver has taken it. The caller repeats it until then, so it
	// may arrive more than once, under the same ID and Key. It must return soon after ctx has ended. What it cannot send
	// because it is too large it shortens: details first, then members, never the key, the severity or the summary.
	//
	// An error is a *DeliveryError; any other counts as one that may pass. Neither it nor what it wraps may hold a secret.
	Notify(ctx context.Context, n *Notification) error
}

// Resender is a Notifier whose receiver forgets: Alertmanager ends an alert that it has not heard of for some minutes.
type Resender interface {
	// ResendEvery is after how long the last notification of each open group is to be delivered again.
	ResendEvery() time.Duration
}

// DeliveryReason says why a notification was not delivered: a bounded set that metrics carry.
type DeliveryReason string

// The reasons of a DeliveryError.
const (
	// DeliveryRefused: the receiver does not take this notification and never will. It becomes a dead letter at once.
	DeliveryRefused DeliveryReason = "refused"
	// DeliveryAuth: the key is missing, wrong or revoked. A person must act; it is tried on.
	DeliveryAuth DeliveryReason = "auth"
	// DeliveryQuota: the receiver asks to be asked less.
	DeliveryQuota DeliveryReason = "quota"
	// DeliveryUnavailable: the receiver fails, hangs or cannot be reached.
	DeliveryUnavailable DeliveryReason = "unavailable"
)

// DeliveryError is a notification that was not delivered.
type DeliveryError struct {
	Notifier string
	Reason   DeliveryReason
	// RetryAfter is how long the receiver asked to be left alone, 0 when it did not say.
	RetryAfter time.Duration
	// Err is the cause. It names no secret: neither a routing key nor the address of a webhook, which is one.
	Err error
}

// Error names the notifier, the reason and the cause.
func (e *DeliveryError) Error() string {
	return fmt.Sprintf("notify %s: %s: %v", e.Notifier, e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// Describer finds what stands behind an alert: what no rule needs and every reader wants.
type Describer interface {
	// Describe fills in the Detail of the members, and the links and commands of a notification. What it cannot find in time
	// it leaves out: a notification without details is better than a late one.
	Describe(ctx context.Context, n *Notification)
}

// ErrConflict says that a store holds another version than a change was made of: another process has written meanwhile. The
// caller loads again and goes on from there.
var ErrConflict = errors.New("changed by another process")

// Store keeps alerts, groups, silences and the outbox. The ledger's engines are stores, through a thin layer that knows how
// each is encoded.
type Store interface {
	// Load reads what a daemon starts from.
	Load(ctx context.Context) (Stored, error)
	// Commit stores all of a step in one transaction, or nothing of it. Alerts and groups are compared and swapped: where the
	// version is not the one a change was made of (0: where there is one) it returns ErrConflict. Alerts that are Gone and
	// groups to forget are deleted. Transitions go to the history as well, those that are merely Noted aside.
	Commit(ctx context.Context, s Step) error
	// Due returns the entries whose time has come, and those under way, of which the caller knows which are its own. There is
	// at most one for each notifier and key, the one with the lowest sequence, so that order is kept. Of each notifier there
	// are at most limit, those first whose time came first, so that one that fails holds up no other.
	Due(ctx context.Context, now time.Time, limit int) ([]Entry, error)
	// Settle stores what became of an entry. An entry that waits again is overtaken by then, if a later one would have done it.
	Settle(ctx context.Context, e Entry) error
}

// Step is what one evaluation leads to.
type Step struct {
	Transitions []Transition
	Groups      []GroupChange
	// Entries are the notifications of Groups, each with its details.
	Entries []Entry
}

// Stored is what a Store holds, history and delivered entries aside.
type Stored struct {
	Alerts   []Alert
	Groups   []Group
	Silences []Silence
}

// EntryState says where an entry of the outbox stands.
type EntryState string

// The states. An entry that waits is overtaken when a later one of its notifier and key is committed, unless it is under
// way: after a long outage the latest is sent, not the history. But one that opened a group and its closing both go, when
// the receiver may have taken the opening.
const (
	EntryWaiting   EntryState = "waiting"
	EntrySending   EntryState = "sending"
	EntryDelivered EntryState = "delivered"
	EntryOvertaken EntryState = "overtaken"
	// EntryDead: refused by its receiver, or no route takes it. It stays to be seen.
	EntryDead EntryState = "dead"
)

// Entry is a notification on its way. It is stored as Sending before it is tried, so that after a crash it is known which
// one may have arrived.
type Entry struct {
	Notification Notification `json:"notification"`
	State        EntryState   `json:"state"`
	// Attempts counts the tries; NextAt is when the next is due.
	Attempts int       `json:"attempts"`
	NextAt   time.Time `json:"next_at"`
	// LastReason and LastError are those of the last try, empty when there was none or it succeeded.
	LastReason DeliveryReason `json:"last_reason,omitempty"`
	LastError  string         `json:"last_error,omitempty"`
}

// NewEntry is a notification that has not been tried. A dead letter is dead from the start.
func NewEntry(n Notification) Entry {
	e := Entry{Notification: n, State: EntryWaiting, NextAt: n.At}
	if n.Notifier == "" {
		e.State = EntryDead
	}
	return e
}
