// Package simulator plays the outside world on loopback: Amazon SQS, CloudWatch, SES, STS and S3, and Gmail Postmaster Tools on
// the real wire, fed by a traffic model that knows what it handed out, and those who take notifications: PagerDuty, Slack and
// webhooks. Tests, the benchmark and the demo run the real clients against it, at one address.
//
// A Simulator is safe for concurrent use. Its goroutines, of the HTTP server and of the live feed, end in Close.
// AWS's services accept any credentials, but a request must be signed; AccessKey and SecretKey are those to configure.
// Postmaster takes the credentials files that the Simulator writes.
//
// It may be imported by tests, the benchmark and the composition root for the demo.
package simulator
