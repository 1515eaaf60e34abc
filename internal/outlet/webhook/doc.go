// Package webhook posts signed JSON to an address of one's own. The signature is that of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), for which there are libraries in
// most languages; docs/webhook.md says how a receiver verifies it.
//
// An Endpoint keeps nothing between calls and may be used by several goroutines. Address and keys are read at each delivery, and
// are in no error.
//
// Notifiers and reports import it.
package webhook
