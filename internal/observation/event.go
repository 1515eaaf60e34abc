package observation

import "time"

// EventType is the kind of an SES event, under the name that SES event publishing uses in eventType.
type EventType uint8

// The event types of SES event publishing
// (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html).
const (
	EventSend EventType = iota + 1
	EventDelivery
	EventBounce
	EventComplaint
	EventReject
	EventOpen
	EventClick
	EventRenderingFailure
	EventDeliveryDelay
	EventSubscription
)

var eventTypeNames = [...]string{
	EventSend:             "Send",
	EventDelivery:         "Delivery",
	EventBounce:           "Bounce",
	EventComplaint:        "Complaint",
	EventReject:           "Reject",
	EventOpen:             "Open",
	EventClick:            "Click",
	EventRenderingFailure: "Rendering Failure",
	EventDeliveryDelay:    "DeliveryDelay",
	EventSubscription:     "Subscription",
}

// EventTypes lists every event type in a fixed order.
func EventTypes() []EventType {
	types := make([]EventType, 0, len(eventTypeNames)-1)
	for t := EventSend; int(t) < len(eventTypeNames); t++ {
		types = append(types, t)
	}
	return types
}

// ParseEventType reads SES's own spelling; ok is false for a type that SES introduced after this was written.
func ParseEventType(name string) (t EventType, ok bool) {
	for t := EventSend; int(t) < len(eventTypeNames); t++ {
		if eventTypeNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// String returns SES's own spelling of the type.
func (t EventType) String() string {
	if int(t) < len(eventTypeNames) && t != 0 {
		return eventTypeNames[t]
	}
	return "unknown"
}

// Event is one SES event about the recipients of one message, in SES's own terms: what it means (its outcomes, its
// campaign) is decided later.
//
// The strings of an event may share memory with the message that it was read from. They are valid until the Put that
// carries the event has returned; whoever keeps one longer clones it.
type Event struct {
	Type EventType
	// Message is the index, in the batch's Messages, of the message that carried the event.
	Message int
	// MessageID is the id that SES gave to the mail (mail.messageId), not its Message-ID header.
	MessageID string
	// SentAt is when SES took the mail (mail.timestamp): the time of its cohort.
	SentAt time.Time
	// At is the event's own time. It equals SentAt for types that carry none (Send, Reject, Rendering Failure).
	At time.Time
	// Account is the sending AWS account, 12 digits; Region is the AWS region; either is empty when not known.
	Account, Region string
	// ConfigurationSet is the first value of the tag ses:configuration-set, empty when there was none.
	ConfigurationSet string
	// FromDomain is the lower-case domain of the header From: the tag ses:from-domain, else commonHeaders.from, else
	// mail.source.
	FromDomain string
	// Tags are the message tags, automatic and own, one Field per value; nil for identity notifications.
	Tags []Field
	// Headers are the original mail headers as far as SES handed them over.
	Headers []Field
	// Identity says that this came in the older format of identity ("feedback") notifications, which has no tags.
	Identity bool
	// Recipients are those that the event is about. For Send, Reject, Rendering Failure, Open, Click and Subscription
	// SES names none in the payload, so they are the mail's destinations.
	Recipients []Recipient

	// BounceType and BounceSubType are set for bounces; DelayType for delays.
	BounceType, BounceSubType, DelayType string
	// FeedbackID is the id of a bounce or complaint report, not the Feedback-ID header.
	FeedbackID string
	// ComplaintSubType is empty for an ordinary complaint; FeedbackType is the report's type (abuse, not-spam, …).
	ComplaintSubType, FeedbackType string
	// SMTPResponse is the receiver's reply to an accepted mail; ProcessingTime is how long SES took to hand it over,
	// negative when not told. Both of Delivery.
	SMTPResponse   string
	ProcessingTime time.Duration
	// RejectReason is SES's reason for a Reject.
	RejectReason string
	// Bot is SES's judgement of an Open or a Click; Link is the clicked link.
	Bot  Bot
	Link string
	// OptOut says that a Subscription event took the recipient off a list or topic.
	OptOut bool
}

// Recipient is one recipient that an event speaks of. The address is never kept: it is only hashed and classified.
type Recipient struct {
	Address string
	// Status is the enhanced status code (RFC 3463), Diagnostic the receiver's reply; either may be empty.
	Status, Diagnostic string
}

// Field is a named value: a message tag or a mail header.
type Field struct{ Name, Value string }

// Bot is SES's judgement whether an open or a click came from a machine (isBotEvent, since August 2026).
type Bot uint8

// The three judgements: absent on older events.
const (
	BotUnknown Bot = iota
	BotUnlikely
	BotLikely
)

// Tag returns the first value of the message tag with that name.
func (e *Event) Tag(name string) (string, bool) {
	for i := range e.Tags {
		if e.Tags[i].Name == name {
			return e.Tags[i].Value, true
		}
	}
	return "", false
}

// Status is an account or tenant status event of EventBridge (sending status, advisor recommendation): understood, about
// no recipient, and kept for the account collector.
type Status struct {
	// Message is the index, in the batch's Messages, of the message that carried it.
	Message int
	// DetailType is EventBridge's detail-type, for example "Sending Status Disabled".
	DetailType string
	// ID is EventBridge's event id.
	ID string
	// Account and Region are those of the envelope; Resource is the first resource ARN.
	Account, Region, Resource string
	At                        time.Time
	// Detail is the event's detail object as JSON.
	Detail []byte
}
