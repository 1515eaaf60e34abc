// Package smtp plays a mail server that takes mails by SMTP and keeps them to be looked at: over TLS or not, with passwords
// or without, and with the faults that real servers have.
//
// A Server listens on loopback and is safe for concurrent use; its goroutines end in Close. The protocol is that of a library
// which real servers use.
package smtp
