// Package awsfault says what errors of the AWS SDK mean: for which reason a call failed, what a person can do about it, and
// how much of it may be told. It knows what all services and the SDK share (permissions, credentials, signatures,
// throttling, statuses, timeouts, the network); a collector adds its hints and the codes of its service as a Service. Config
// sets the SDK up so that errors come soon and say whose they are.
//
// What is told never holds anything of a request, because requests hold signatures and session tokens, and of an answer only
// what is known to be harmless.
//
// A Service is a value that is only read and may be used from several goroutines. Only collectors, what they share, and
// the outlet to S3 import this package.
package awsfault
