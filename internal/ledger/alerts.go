package ledger

import (
	"context"
	"errors"
	"time"
)

// Errors of alerts by which callers decide. Engines wrap them.
var (
	// ErrConflict: the ledger holds another version than the change was made of. Nothing of the step was stored.
	ErrConflict = errors.New("the ledger holds another version")
	// ErrTooLarge: a body is larger than MaxBody. Nothing of the step was stored.
	ErrTooLarge = errors.New("too large for the ledger")
)

// MaxBody bounds a body, in bytes.
const MaxBody = 4 << 20

// Bounds of what is kept of alerts that are over. Live notifications and what is remembered of alerts stay, whatever their
// age; there are as many as there are alerts.
const (
	// AlertKeep is how long the history of alerts, settled notifications and ended silences are kept.
	AlertKeep = 90 * 24 * time.Hour
	// MaxHistory is how many transitions are kept, MaxSettled how many settled notifications and MaxSettledSize how many
	// bytes of them. The oldest go first, at the next Maintain.
	MaxHistory     = 200_000
	MaxSettled     = 100_000
	MaxSettledSize = 256 << 20
)

// MaxPause is the longest time between two tries.
const MaxPause = time.Hour

// AlertWriter keeps alerts and what is to be told of them. What a ledger need not understand is a body: a text in the form
// of whoever wrote it, JSON where people are to read it.
type AlertWriter interface {
	// CommitAlerts stores all of a step in one transaction, or nothing of it. The error is ErrConflict when a version is not
	// the one that a change was made of.
	//
	// A notification overtakes the waiting ones before it of the same notifier and key; see Notification.
	CommitAlerts(ctx context.Context, s AlertStep) error
	// SettleNotification stores how a delivery stands. One that goes back to waiting is overtaken at once if a later one
	// would have overtaken it meanwhile. The error is ErrNotFound when it is not there or was settled before.
	SettleNotification(ctx context.Context, id string, d Delivery) error
	// PutSilence stores a silence; it replaces one of the same id.
	PutSilence(ctx context.Context, s Silence) error
}

// AlertReader reads what an AlertWriter stored. It is seen as soon as it is committed.
type AlertReader interface {
	// Alerts reads what is remembered of alerts and groups, as of one moment, in the order of their keys.
	Alerts(ctx context.Context) (Alerts, error)
	// AlertHistory lists transitions, the newest first.
	AlertHistory(ctx context.Context, q AlertQuery) ([]AlertEvent, error)
	// Silences lists those that end after a time, in the order of their ends.
	Silences(ctx context.Context, after time.Time) ([]Silence, error)
	// DueNotifications lists, of each notifier, up to limit notifications to be tried now, those first whose time came first:
	// of each key the first that is not settled, if it waits and its time has come, or if it is under way. Whoever is under
	// way with it knows that; after a crash nobody is.
	DueNotifications(ctx context.Context, now time.Time, limit int) ([]Notification, error)
	// StandingNotifications lists, of one notifier, the last delivered notification of each remembered group, unless that one
	// Closes or a later one that does or is not settled follows; in the order in which they were made.
	StandingNotifications(ctx context.Context, notifier string) ([]Notification, error)
	// Notifications lists notifications, the newest first.
	Notifications(ctx context.Context, q NotificationQuery) ([]Notification, error)
	// NotificationCounts counts the kept notifications by notifier and state, in that order.
	NotificationCounts(ctx context.Context) ([]NotificationCount, error)
}

// AlertStep is what one evaluation of the rules leads to.
type AlertStep struct {
	Alerts        []AlertChange
	Groups        []GroupChange
	History       []AlertEvent
	Notifications []Notification
}

// Empty says that there is nothing to store.
func (s *AlertStep) Empty() bool {
	return len(s.Alerts)+len(s.Groups)+len(s.History)+len(s.Notifications) == 0
}

// Swap is a change from one version to another.
type Swap struct {
	// From is the version that must be stored, 0 when nothing must be. To is the new one; 0 deletes.
	From, To int64
}

// AlertChange changes what is remembered of an alert.
type AlertChange struct {
	Swap
	Alert Alert
}

// GroupChange changes what is remembered of a group.
type GroupChange struct {
	Swap
	Group Group
}

// Alerts is what an evaluation goes on from.
type Alerts struct {
	Alerts []Alert
	Groups []Group
}

// Alert is what is remembered of one rule and one subject.
type Alert struct {
	ID string
	// Rule, Subject and Severity are for people who look into the ledger.
	Rule, Subject, Severity string
	Body                    string
}

// Group is what a notifier has been told under one key.
type Group struct {
	Notifier, Key string
	Body          string
}

// AlertEvent is something that happened to an alert.
type AlertEvent struct {
	// Number orders the history; the ledger gives it.
	Number int64
	At     time.Time
	Kind   string
	// Alert is the alert's id.
	Alert, Rule, Subject string
	// Severity and Was are those after and before; Reason says why it ended.
	Severity, Was, Reason string
	Body                  string
}

// AlertQuery selects transitions; empty fields select all. Limit 0 means 100.
type AlertQuery struct {
	// From and To bound the time, To excluded.
	From, To             time.Time
	Alert, Rule, Subject string
	// Before, when not 0, continues a listing: only numbers below it.
	Before int64
	Limit  int
}

// Silence keeps alerts from being sent until it ends.
type Silence struct {
	ID     string
	EndsAt time.Time
	Body   string
}

// NotificationState says where a notification stands.
type NotificationState string

// The states of notifications. The last three are settled: they never change again.
const (
	NotificationWaiting   NotificationState = "waiting"
	NotificationSending   NotificationState = "sending"
	NotificationDelivered NotificationState = "delivered"
	NotificationOvertaken NotificationState = "overtaken"
	NotificationDead      NotificationState = "dead"
)

// Settled says that nothing will be done about the notification any more.
func (s NotificationState) Settled() bool {
	return s == NotificationDelivered || s == NotificationOvertaken || s == NotificationDead
}

// Notification is a message to one notifier. Those of one notifier and key are delivered in the order in which they were
// committed.
//
// A later one overtakes those that still wait, so that after a long outage the latest is sent and not the history. One that
// is under way is left alone until it waits again. And one that Opens and was tried is not overtaken by one that Closes: the
// receiver may know of it, so it hears of both.
type Notification struct {
	// Number orders the notifications; the ledger gives it. ID is unique.
	Number        int64
	ID            string
	Notifier, Key string
	// Opens and Closes say that it is the first or the last of its group.
	Opens, Closes bool
	MadeAt        time.Time
	// SettledAt is zero until it is settled; the ledger sets it.
	SettledAt time.Time
	Delivery
	Body string
}

// Delivery is how the delivery of a notification stands.
type Delivery struct {
	State NotificationState
	// Attempts counts the tries; NextAt is when the next one is due. The first is due at once, and so is one that would be
	// due more than MaxPause from now: that was written by a clock that was wrong.
	Attempts int
	NextAt   time.Time
	// Reason and Error are those of the last try, empty when it succeeded.
	Reason, Error string
}

// NotificationQuery selects notifications; empty fields select all. Limit 0 means 100.
type NotificationQuery struct {
	Notifier, Key string
	State         NotificationState
	// Before, when not 0, continues a listing: only numbers below it.
	Before int64
	Limit  int
}

// NotificationCount counts the notifications of a notifier in a state. Oldest is when the oldest of them was made.
type NotificationCount struct {
	Notifier string
	State    NotificationState
	N        int64
	Oldest   time.Time
}
