// Package describe finds what stands behind an alert, so that whoever gets a notification knows what to do without opening
// anything else: the providers, campaigns, identifiers and replies that the figure is made of, whether it is still going on,
// how the send before did, where to read more, and the commands that stop it.
//
// It decides nothing and is never sure to find anything: what is not known, or not in time, is left out, and is no zero. Its
// figures are those of view, over the window that the alert was judged by but as of now, so that they may be some minutes
// newer than the alert's own. A notification costs a walk over the view's sums and, for each of its first members, a few
// short reads of the ledger, all within a deadline. It tells no recipient's address and no secret.
//
// A Describer may be used from several goroutines. It may be imported by internal/app.
package describe
