// Package smtp hands mails to a server by SMTP (RFC 5321), over TLS unless told otherwise.
//
// A Server makes a connection for each mail and keeps nothing between them; it may be used by several goroutines. No error
// and no line of the log holds an address, a user or a password: of what a server replies only the code is sure to be
// repeated, its text without what names anybody.
//
// It speaks through the standard library's client. Notifiers and reports use it by way of the composition root.
package smtp
