// Package pagerduty notifies by PagerDuty's Events API v2.
//
// A group of alerts is one alert there, known by the notification's key. Whatever changes in a group that fires triggers it:
// PagerDuty adds that to the open alert, without a new page unless the severity, and with it the urgency, has risen; and
// opens a new alert only where a person has resolved the old by hand. Every change triggers, also one for the better,
// because it may be the first that arrives: one that waits is overtaken by the next. The end of the group resolves it.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. The routing key is read at each delivery.
//
// The form follows https://developer.pagerduty.com/docs/events-api-v2-overview; what a changed severity does is told in
// https://support.pagerduty.com/main/docs/dynamic-notifications.
package pagerduty
