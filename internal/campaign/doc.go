// Package campaign names the campaign, the tenant and the send that a mail belongs to, and what the mail told Gmail about
// itself.
//
// Names are found by rules, each of which reads one value of an event; the first rule that finds something decides.
// Rename rules then fold the names of single sends into one campaign. Rules are dated: History gives those in force when
// a mail was sent, so that all its events go to one cohort.
//
// A Join tells what Gmail's figures for a domain's Feedback-ID values say about campaigns: whose a value is, how many
// complaints there can have been at most, what is not known, and how Feedback-IDs could be used better.
//
// The package is pure: it reads no clock and does no I/O. Rules, History, Matcher and Join may be used by several goroutines;
// Rules keep bounded caches under locks of their own. Everything but observation, signal and mailbox may import it.
package campaign
