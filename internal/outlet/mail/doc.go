// Package mail composes the e-mails that alerts and reports send: plain text and HTML, safe headers, one thread for what
// belongs together. How they leave is told by the packages smtp and sesmail beside it.
//
// A Message is plain data; composing it does no I/O and reads no clock. Notifiers and reports import it, and the two ways
// out.
package mail
