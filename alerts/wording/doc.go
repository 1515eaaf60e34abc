// Package wording puts a notification into words for people: what happened, how sure it is, since when, what stands behind it
// and what can be done, in the order in which somebody who has just been woken wants to know. Notifiers for people lay a Page
// out in their own markup; machines take the notification itself. Explain does the same for how a figure stands against a rule.
//
// It is pure. All texts of a Page are on one line, but for Description; nothing in them is escaped for any markup. Of the
// module it imports alerts, alerts/delivery, signal and observation.
package wording
