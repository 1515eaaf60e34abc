// Package outlet holds the ways out that alerts and reports share, each in a package below it: Slack, signed webhooks, mails
// and how they leave by SMTP or through SES, folders and buckets. Each makes one attempt, and fails with an *alerts.DeliveryError that names no secret and
// nobody.
//
// They import alerts and alerts/delivery; notifiers, reports and the composition root import them.
package outlet
