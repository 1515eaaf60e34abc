// Package s3 puts files into a bucket of Amazon S3, or of a store that speaks its protocol.
//
// A Bucket keeps nothing between calls but connections and credentials, and may be used by several goroutines. It makes one
// attempt. No error repeats what a request holds.
//
// The SDK stays in this package. Reports use it by way of the composition root.
package s3
