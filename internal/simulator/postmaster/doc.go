// Package postmaster serves the Gmail Postmaster Tools API over HTTP, version 2 and the older version 1, and of Google's
// accounts the token endpoint and the page on which a user gives consent. It is meant to be no easier than the real service: pages have ten rows unless more are
// asked for, filters are required and checked to the letter, a day without data has no row, a day appears some 26 hours
// after its end, and identifiers appear only on days on which they were reported. Access tokens expire, scopes are checked.
// Faults can be injected while it runs.
//
// What Gmail saw comes from a Source; the traffic model has one. Server.Truth tells a test what must have been read.
//
// A Server is safe for concurrent use and stands for one Google account. It starts no goroutine. Time follows Options.Now.
// Tests, the benchmark and the demo import this package; nothing that runs against the real service does.
//
// The wire form follows the discovery document of version 2, revision 20260623
// (https://gmailpostmastertools.googleapis.com/$discovery/rest?version=v2), and the reference of version 1
// (https://developers.google.com/gmail/postmaster/reference/rest/v1/domains.trafficStats/list).
package postmaster
