package observation

import "strings"

// The names under which readings of Gmail Postmaster Tools are kept
// (https://developers.google.com/workspace/gmail/postmaster). Subject is the domain, Start and End bound the day. Readings
// of v1 take the names of v2 where they mean the same; the source alone tells the two apart.
const (
	// PostmasterV2 and PostmasterV1 are the sources.
	PostmasterV2 = "postmaster/v2"
	PostmasterV1 = "postmaster/v1"

	// PostmasterSpamRate is a domain's rate of spam reports, between 0 and 1; it has no detail.
	PostmasterSpamRate = "SPAM_RATE"
	// PostmasterFeedbackLoopIDs says that the identifiers of a day have arrived. Its value is how many there are, its
	// detail the aggregation.
	PostmasterFeedbackLoopIDs = "FEEDBACK_LOOP_ID"
	// PostmasterFeedbackLoopSpamRate is an identifier's rate of spam reports, between 0 and 1, nil when Gmail lists the
	// identifier without one, or no longer lists it. Its detail is that of FeedbackLoopDetail.
	PostmasterFeedbackLoopSpamRate = "FEEDBACK_LOOP_SPAM_RATE"

	// PostmasterFromHeader and PostmasterAllDKIM are the aggregations: by the domain of the header From, or by every
	// domain that signed the mail.
	PostmasterFromHeader = "FROM_HEADER"
	PostmasterAllDKIM    = "ALL_DKIM"
)

// FeedbackLoopDetail is the detail of a reading about an identifier.
func FeedbackLoopDetail(aggregation, identifier string) string { return aggregation + "/" + identifier }

// CutFeedbackLoopDetail takes such a detail apart. The identifier may hold slashes.
func CutFeedbackLoopDetail(detail string) (aggregation, identifier string, ok bool) {
	return strings.Cut(detail, "/")
}
