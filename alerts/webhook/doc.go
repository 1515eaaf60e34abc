// Package webhook notifies a program of one's own: it posts signed JSON. The form, and how a receiver verifies it, are
// documented in docs/webhook.md.
//
// Every notification is sent, each as often as it takes until the receiver answers with a status from 200 to 299. The id stays
// the same, so that a receiver can drop what it has seen; the timestamp is that of the attempt. The signature is that of
// Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), for which
// there are libraries in most languages.
//
// A Notifier keeps nothing between calls and may be used by several goroutines. Address and keys are read at each delivery.
package webhook
