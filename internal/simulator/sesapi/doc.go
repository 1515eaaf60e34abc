// Package sesapi is what an AWS account says about its sending and receiving, on the wire: the questions of SES's version 2 API
// (REST with JSON), of its older API (Query with XML) and of STS that a collector asks. Who is asked about is decided by a
// request's signature, its region and, where a role was assumed, the role's account.
//
// A Server is safe for concurrent use. Tests and the simulator import it.
package sesapi
