// Package slack posts messages to Slack by incoming webhooks (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).
//
// A Channel is one webhook; it keeps nothing between messages and may be used by several goroutines. A Message is made of
// mrkdwn, in which Escape keeps names from outside from meaning anything. The address of a webhook is a secret: whoever has
// it can post.
//
// Notifiers and reports import it.
package slack
