// Package s3 plays Amazon S3 on the wire, as much of it as putting and getting whole objects takes: buckets by path, owners,
// regions, checksums, and S3's errors.
//
// A Server is safe for concurrent use. Any credentials will do, but a request must be signed for its bucket's region, and what it
// says about its body must be true.
package s3
