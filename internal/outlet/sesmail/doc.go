// Package sesmail sends mails through SES's API (v2, SendEmail), with the credentials of a role instead of a password.
//
// A Sender keeps nothing between mails but connections and credentials, and may be used by several goroutines. It makes one
// attempt. No error repeats what SES says of a mail, because that names addresses; the code says enough.
//
// The SDK stays in this package. Notifiers and reports use it by way of the composition root.
package sesmail
