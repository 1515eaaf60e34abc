// Package postmaster collects the figures of Gmail Postmaster Tools: the only view that a sender has of what Gmail's users
// report as spam, because Gmail sends no complaint to anyone.
//
// # A pass
//
// A pass asks for the last 14 days of every domain, up to yesterday, and puts all of it: days arrive late and are revised,
// and the sink knows what has changed. A domain that was never read is read 120 days back, 30 days at a time, the oldest
// first; a pass that is cut short goes on where it ended. Its position, per domain, is the version of the API and the day up
// to which everything was put, for example "v2/2026-11-22". Domains that were read longest ago come first.
//
// Version 2 is asked in batches of up to 100 queries, each with many metrics, in two rounds: first what every domain has,
// then the spam rate of each identifier that was listed. Queries are cut so that a batch brings as many full pages as it
// can. Pages are of 200 rows and always read to the end, because the newest days are on the last. Compliance has no batch; it is asked once a day per domain, in the first pass of the day; until
// it was, the position stays a day behind.
// Version 1 needs a call per domain.
//
// # Readings
//
// Source is "postmaster/v2" or "postmaster/v1"; the two measure differently and are never mixed. Subject is the domain. The
// period is one day in Options.Zone. The first group is about the day of the figures, the second about the day of asking.
//
//	Metric                        Detail                          Value, Text
//	arrived                                                       1: something came for this day and all of it was put
//	spam_rate                                                     share of inboxed mail that users reported
//	feedback_loop_ids             <aggregation>                   how many identifiers this day lists, 0 too
//	feedback_loop_spam_rate       <aggregation>/<identifier>      as spam_rate; no Value: listed without a rate
//	auth_success_rate             spf, dkim, dmarc                share
//	tls_encryption_rate           inbound, outbound               share
//	tls_encryption_message_count  inbound, outbound               messages
//	delivery_error_rate           "", reject, reject/other, …     share; "" is all errors, a type alone all its reasons
//	delivery_error_count          as delivery_error_rate          errors
//	spam_rate_lower, _upper                                       v1: the bounds of spam_rate
//	domain_reputation                                             v1: Text HIGH, MEDIUM, LOW or BAD
//	ip_reputation                 HIGH, MEDIUM, LOW, BAD          v1: number of addresses; Text: some of them
//
//	access                        the name of the source          Text ok, unverified, no_access or not_found
//	compliance                    domain/SPF, subdomain/SPF, …    1 and Text COMPLIANT, 0 and NEEDS_WORK, else only Text
//	compliance_verdict            domain/HONOR_UNSUBSCRIBE, …     as compliance
//	compliance_reason             as compliance_verdict           Text: the reason, empty when none was given
//	compliance_domain             domain, subdomain               Text: the domain that is judged
//
// An aggregation is FROM_HEADER (mail whose From has the domain) or ALL_DKIM (mail that the domain signed); v1 does not say,
// which is UNSTATED. Identifiers are single fields of a Feedback-ID, without their place in it; they may hold slashes.
// Delivery errors of v1 are in its own words, for example PERMANENT_ERROR/BAD_PTR_RECORD.
//
// A day that has not arrived has no reading at all. On a day with arrived, an identifier without a reading was not reported.
// As the marker comes with the batch that ends the day, a pass that broke off between the rounds claims nothing about
// identifiers. A row without a value is a reading without Value; a Value of 0 was measured. Version 1 leaves zeros out of
// its answers, so that there a zero and an unknown value are alike: what it leaves out has no Value, or no reading.
//
// Identifiers over 256 bytes, and those of a domain beyond the first 10,000 per aggregation, are counted in
// feedback_loop_ids and have no reading of their own. An identifier that a revision takes away keeps its last reading. Rates
// outside 0 to 1 and counts below 0 are left out and returned as a failure.
//
// # Failures
//
// A domain that cannot be read is a state of that domain, told by access, and no error. What goes wrong with one domain
// leaves the others alone: when a batch fails as a whole it is halved until the domain, or the metric, that makes it fail
// stands alone. Such failures are returned at the end of the pass, as one *collectors.Error for each reason, joined.
// Wrong credentials, a quota that is used up and a server that cannot be reached end the pass at once; what was put stays.
//
// A call that failed by chance, or whose token was refused, is made once more, when its turn comes. One that is not answered
// within a minute is not; it is taken for the fault of what was asked, until ten calls in a row have failed. All else about
// time belongs to the scheduler, which is told what Retry-After said.
//
// # Use
//
// A Collector makes one pass at a time and keeps nothing between passes but its pace. The package alone knows the API, whose
// descriptions are https://gmailpostmastertools.googleapis.com/$discovery/rest?version=v2 and …?version=v1. It may be
// imported by internal/app and by tests.
package postmaster
