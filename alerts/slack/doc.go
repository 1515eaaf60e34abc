// Package slack delivers notifications to a channel of Slack, by an incoming webhook: a line for the lock screen, then what
// stands behind it, what can be done, and the rest.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. Slack takes each message as a new one, so a
// notification that is tried again can appear twice; it shows its id. Names from outside are escaped; the address of the
// webhook is in no error.
package slack
