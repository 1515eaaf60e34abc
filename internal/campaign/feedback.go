package campaign

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/internal/observation"
)

// The tags by which SES fills the first two fields of the Feedback-ID that it writes.
const (
	tagFeedbackA = "ses:feedback-id-a"
	tagFeedbackB = "ses:feedback-id-b"
)

const (
	headerFeedbackID = "Feedback-ID"
	// headerTags is how mail handed in by SMTP carries its message tags, as "name=value, name=value"; headerSet how it
	// names its configuration set. (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html)
	headerTags = "X-SES-MESSAGE-TAGS"
	headerSet  = "X-SES-CONFIGURATION-SET"
)

// The places of the fields of a Feedback-ID, counted from the right, as Gmail counts them
// (https://support.google.com/mail/answer/6254652).
const (
	placeSender = iota
	placeC
	placeB
	placeA
)

func feedbackPlace(field string) (place int, ok bool) {
	switch field {
	case "a":
		return placeA, true
	case "b":
		return placeB, true
	case "c":
		return placeC, true
	case "sender":
		return placeSender, true
	default:
		return 0, false
	}
}

// feedbackField takes the field so many places from the right; it is empty when the Feedback-ID is shorter.
func feedbackField(id string, place int) string {
	for ; ; place-- {
		colon := strings.LastIndexByte(id, ':')
		if place == 0 {
			return strings.TrimSpace(id[colon+1:])
		}
		if colon < 0 {
			return ""
		}
		id = id[:colon]
	}
}

// StampOf returns what the mail of the event told Gmail about itself. Fields a and b come from the tags from which SES
// makes its own Feedback-ID, else from a Feedback-ID header of the sender; c and the sender from the header only, as SES
// does not tell which it wrote. A value that cannot be a field is left out. The strings alias those of the event.
func StampOf(e *observation.Event) observation.Stamp {
	stamp := observation.Stamp{FromDomain: identifier(e.FromDomain)}
	if id, ok := header(e, headerFeedbackID); ok {
		stamp.A = identifier(feedbackField(id, placeA))
		stamp.B = identifier(feedbackField(id, placeB))
		stamp.C = identifier(feedbackField(id, placeC))
		stamp.FeedbackFrom = identifier(feedbackField(id, placeSender))
	}
	if a, ok := tag(e, tagFeedbackA); ok {
		stamp.A = identifier(a)
	}
	if b, ok := tag(e, tagFeedbackB); ok {
		stamp.B = identifier(b)
	}
	return stamp
}

// identifier returns the value if Gmail could report it, else nothing: a colon would shift the fields, blanks and
// control characters do not survive a header.
func identifier(value string) string {
	value = strings.TrimSpace(value)
	if len(value) > maxName || !utf8.ValidString(value) {
		return ""
	}
	for _, r := range value {
		if r == ':' || unicode.IsSpace(r) || unicode.IsControl(r) {
			return ""
		}
	}
	return value
}

// tag returns the first value of a message tag. Identity notifications have no tags, but may have the header that set
// them.
func tag(e *observation.Event, name string) (string, bool) {
	if !e.Identity {
		return e.Tag(name)
	}
	for i := range e.Headers {
		if !strings.EqualFold(e.Headers[i].Name, headerTags) {
			continue
		}
		for pair := range strings.SplitSeq(e.Headers[i].Value, ",") {
			key, value, ok := strings.Cut(pair, "=")
			if ok && strings.TrimSpace(key) == name {
				return strings.TrimSpace(value), true
			}
		}
	}
	return "", false
}

// configurationSet returns the name of the event's configuration set.
func configurationSet(e *observation.Event) (string, bool) {
	if e.ConfigurationSet != "" || !e.Identity {
		return e.ConfigurationSet, e.ConfigurationSet != ""
	}
	return header(e, headerSet)
}

// header returns the first value of an original header, whatever its case.
func header(e *observation.Event, name string) (string, bool) {
	for i := range e.Headers {
		if strings.EqualFold(e.Headers[i].Name, name) {
			return e.Headers[i].Value, true
		}
	}
	return "", false
}
