// Package campaign names the campaign, the tenant and the send that a mail belongs to, and what the mail told Gmail about
// itself.
//
// Names are found by rules, each of which reads one value of an event; the first rule that finds something decides.
// Rename rules then fold the names of single sends into one campaign. Rules are dated: History gives those in force when
// a mail was sent, so that all its events go to one cohort.
//
// The package is pure: it reads no clock and does no I/O. Rules, History and Matcher may be used by several goroutines;
// Rules keep bounded caches under locks of their own. Everything but observation, signal and mailbox may import it.
package campaign
