// Package email delivers notifications as mails: plain text, and HTML that shows the same in mail programs, light or dark,
// without loading anything. All mails of one firing of a group make one thread.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. How a mail leaves is up to its Sender. A mail
// that is sent again has the same Message-ID, by which many mailboxes drop it. Names from outside cannot add header fields or
// markup; recipients are in no error.
package email
