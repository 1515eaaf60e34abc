package observation

import "strings"

// The names under which readings of Gmail Postmaster Tools are kept, as far as others than their collector need them
// (https://developers.google.com/workspace/gmail/postmaster). Subject is the domain, in lower case; Start and End bound the
// day.
const (
	// PostmasterV2 and PostmasterV1 are the sources, one for each version of the API. Their figures are never mixed.
	PostmasterV2 = "postmaster/v2"
	PostmasterV1 = "postmaster/v1"

	// PostmasterArrived says that something about the day came; its value is then 1. It has no detail.
	PostmasterArrived = "arrived"
	// PostmasterAccess says in its text whether the domain can be read ("ok"), or why not. Its detail is the name of the source,
	// because one Google account may read what another may not.
	PostmasterAccess = "access"
	// PostmasterSpamRate is a domain's rate of spam reports, between 0 and 1. It has no detail.
	PostmasterSpamRate = "spam_rate"
	// PostmasterFeedbackLoopIDs is how many identifiers Gmail lists for the day; its detail is the aggregation.
	PostmasterFeedbackLoopIDs = "feedback_loop_ids"
	// PostmasterFeedbackLoopSpamRate is an identifier's rate of spam reports, between 0 and 1, nil when Gmail lists the
	// identifier without one, or no longer lists it. Its detail is that of FeedbackLoopDetail.
	PostmasterFeedbackLoopSpamRate = "feedback_loop_spam_rate"
	// PostmasterAuthRate, PostmasterTLSRate and PostmasterErrorRate are shares of a day's mail: what passed the check that is
	// their detail, what went encrypted in that direction, and what was refused or put off in that way.
	PostmasterAuthRate  = "auth_success_rate"
	PostmasterTLSRate   = "tls_encryption_rate"
	PostmasterErrorRate = "delivery_error_rate"
	// PostmasterCompliance and PostmasterVerdict are 1 where a requirement is met and 0 where the domain needs work, without
	// a value when Gmail says neither. Their detail is a level and the requirement, "domain/SPF"; PostmasterJudged has that
	// level as its detail, and the domain that is judged as its text. All three are of the day of asking.
	PostmasterCompliance = "compliance"
	PostmasterVerdict    = "compliance_verdict"
	PostmasterJudged     = "compliance_domain"

	// PostmasterFromHeader and PostmasterAllDKIM are the aggregations of v2: by the domain of the header From, or by every
	// domain that signed the mail. PostmasterUnstated is that of v1, which does not say.
	PostmasterFromHeader = "FROM_HEADER"
	PostmasterAllDKIM    = "ALL_DKIM"
	PostmasterUnstated   = "UNSTATED"
)

// FeedbackLoopDetail is the detail of a reading about an identifier.
func FeedbackLoopDetail(aggregation, identifier string) string { return aggregation + "/" + identifier }

// CutFeedbackLoopDetail takes such a detail apart. The identifier may hold slashes.
func CutFeedbackLoopDetail(detail string) (aggregation, identifier string, ok bool) {
	return strings.Cut(detail, "/")
}
