// Package webhook notifies a program of one's own: it posts signed JSON. The form, and how a receiver verifies it, are
// documented in docs/webhook.md.
//
// Every notification is sent, each as often as it takes until the receiver answers with a status from 200 to 299. The id stays
// the same, so that a receiver can drop what it has seen. internal/outlet/webhook signs and posts.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. Address and keys are read at each delivery.
package webhook
