package ruletest

import (
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
)

// MaxRounds bounds the rounds of one test, so that every file ends.
const MaxRounds = 50_000

// Suite is one file of tests.
type Suite struct {
	Rules  *alerts.Rules
	Router *alerts.Router
	// Start is the time 0 of each test, Every the time between two rounds.
	Start time.Time
	Every time.Duration
	Tests []Test
}

// Test is a number of series and what is to follow from them.
type Test struct {
	// Name may be empty; Place says where the test stands, such as "rules.test.yaml:12".
	Name, Place string
	// Interval is the time between two values of a series. Those of daily readings are a day apart.
	Interval time.Duration
	Series   []Series
	// Alerts and Notifications are in any order.
	Alerts        []AlertCheck
	Notifications []NotificationCheck
}

// Series are the values of one figure about one subject. Its last value holds on.
type Series struct {
	alerts.Series
	Subject alerts.Subject
	// Labels are what else is known of the subject, as in alerts.Sample.
	Labels []observation.Field
	Values []Value
}

// AlertCheck says which alerts of a rule there are at a time, all of them.
type AlertCheck struct {
	At    time.Duration
	Rule  string
	Want  []WantAlert
	Place string
}

// WantAlert is an alert that is expected. It is pending when its severity is None.
type WantAlert struct {
	Severity alerts.Severity
	Subject  alerts.Subject
	// Summary is not looked at when it is empty.
	Summary string
}

// NotificationCheck says what has been told since the check before it, or since the start, in its order.
type NotificationCheck struct {
	At    time.Duration
	Want  []WantNotification
	Place string
}

// WantNotification is a notification that is expected.
type WantNotification struct {
	// To is the notifier; it is not looked at when it is empty.
	To       string
	Change   alerts.Change
	Rule     string
	Severity alerts.Severity
}

// Failure is a check that did not hold.
type Failure struct {
	// Test is the name of the test; About says what was checked, such as "CampaignComplaintRate at 30m".
	Test, Place, About string
	// Want and Got are lines, one for each alert or notification.
	Want, Got []string
	// Why explains, for each alert that is missing, how its figure stood.
	Why []alerts.Explanation
}
