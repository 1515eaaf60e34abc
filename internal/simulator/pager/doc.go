// Package pager plays those who take notifications: PagerDuty's Events API v2 on the real wire, with the alerts that follow
// from its events, a receiver of signed webhooks that verifies as docs/webhook.md asks, and Slack's incoming webhooks. It is
// meant to be no easier than the real ones: keys, events and messages are checked, calls of a key are limited, a resolve of
// what is not open is taken and dropped. Faults can be injected while it runs.
//
// A Server is safe for concurrent use. It starts no goroutine and keeps at most 10,000 events, deliveries and posts, the
// newest. Time follows Options.Now. Tests and the demo import this package; nothing that runs against the real service does.
//
// The wire form follows https://developer.pagerduty.com/docs/events-api-v2-overview and
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
package pager
