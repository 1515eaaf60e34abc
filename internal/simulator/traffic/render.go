package traffic

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/observation"
)

// Envelope is what surrounds an SES event in a queue.
type Envelope uint8

// The envelopes.
const (
	// Raw is SNS raw delivery: the bare event.
	Raw Envelope = iota
	// SNS is the envelope of SNS without raw delivery: the event as a string within JSON.
	SNS
	// EventBridge is the envelope of an EventBridge rule without a transformer.
	EventBridge
)

// Renderer writes events as SES publishes them
// (https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html). It keeps what the mails of a
// send have in common.
type Renderer struct {
	templates map[templateKey][]segment
	inner     []byte
}

type templateKey struct {
	send    *Send
	flavour flavour
}

// NewRenderer makes a renderer.
func NewRenderer() *Renderer { return &Renderer{templates: map[templateKey][]segment{}} }

// Append appends an event in its envelope. An EventBridge rule carries no identity notifications, so a twin is raw there.
func (r *Renderer) Append(dst []byte, e *Event, envelope Envelope) []byte {
	switch {
	case envelope == SNS:
		return r.appendSNS(dst, e)
	case envelope == EventBridge && !e.Twin:
		return r.appendEventBridge(dst, e)
	default:
		return r.appendEvent(dst, e)
	}
}

// appendEvent appends the bare event.
func (r *Renderer) appendEvent(dst []byte, e *Event) []byte {
	if e.Twin {
		dst = append(append(append(dst, `{"notificationType":"`...), e.Type.String()...), `",`...)
		dst = appendPayload(dst, e)
		dst = append(dst, `,"mail":`...)
		return append(r.appendMail(dst, e), '}')
	}
	dst = append(append(append(dst, `{"eventType":"`...), e.Type.String()...), `","mail":`...)
	dst = append(r.appendMail(dst, e), ',')
	return append(appendPayload(dst, e), '}')
}

// appendMail appends the mail object from its template.
func (r *Renderer) appendMail(dst []byte, e *Event) []byte {
	key := templateKey{e.Mail.Send, flavourOf(e)}
	segments, ok := r.templates[key]
	if !ok {
		segments = mailTemplate(key.send, key.flavour)
		r.templates[key] = segments
	}
	for i := range segments {
		dst = append(dst, segments[i].text...)
		dst = e.Mail.appendPart(dst, segments[i].then)
	}
	return dst
}

// appendSNS appends the event in SNS's envelope. Identity notifications have no subject.
func (r *Renderer) appendSNS(dst []byte, e *Event) []byte {
	c := e.Mail.Send.Campaign
	dst = append(dst, `{"Type":"Notification","MessageId":"`...)
	dst = appendUUID(dst, mix(e.Mail.key^uint64(e.At.UnixMilli())), uint64(e.Type))
	topic := `","TopicArn":"arn:aws:sns:` + c.Region + ":" + c.Account + ":ses-events"
	if e.Twin {
		dst = append(append(dst, topic...), `-identity","Message":`...)
	} else {
		dst = append(append(dst, topic...), `","Subject":"Amazon SES Email Event Notification","Message":`...)
	}
	r.inner = append(r.appendEvent(r.inner[:0], e), '\n')
	// The only error is invalid UTF-8, which no story contains.
	dst, _ = jsontext.AppendQuote(dst, r.inner)
	dst = append(dst, `,"Timestamp":"`...)
	dst = appendTime(dst, e.At.Add(140*time.Millisecond))
	dst = append(dst, `","SignatureVersion":"1","Signature":"`...)
	dst = append(dst, signature...)
	dst = append(dst, `","SigningCertURL":"https://sns.`+c.Region+`.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem","UnsubscribeURL":"https://sns.`+c.Region+`.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:`+c.Region+":"+c.Account+`:ses-events:11111111-2222-3333-4444-555555555555"}`...)
	return dst
}

// signature has the length of an RSA-2048 signature in base64.
const signature = "U1lOVEhFVElDLVNJR05BVFVSRS1TWU5USEVUSUMtU0lHTkFUVVJFLVNZTlRIRVRJQy1TSUdOQVRVUkUtU1lOVEhFVElD" +
	"LVNJR05BVFVSRS1TWU5USEVUSUMtU0lHTkFUVVJFLVNZTlRIRVRJQy1TSUdOQVRVUkUtU1lOVEhFVElDLVNJR05BVFVS" +
	"RS1TWU5USEVUSUMtU0lHTkFUVVJFLVNZTlRIRVRJQy1TSUdOQVRVUkUtU1lOVEhFVElDLVNJR05BVFVSRS1TWU5USEVU" +
	"SUMtU0lHTkFUVVJFLVNZTlRIRVRJQy1TSUdOQVRVUkUtU1lOVEhFVA=="

// detailTypes are EventBridge's names of the event types
// (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ses.html).
var detailTypes = [...]string{
	observation.EventSend:             "Email Sent",
	observation.EventDelivery:         "Email Delivered",
	observation.EventBounce:           "Email Bounced",
	observation.EventComplaint:        "Email Complaint Received",
	observation.EventReject:           "Email Rejected",
	observation.EventOpen:             "Email Opened",
	observation.EventClick:            "Email Clicked",
	observation.EventRenderingFailure: "Email Rendering Failed",
	observation.EventDeliveryDelay:    "Email Delivery Delayed",
	observation.EventSubscription:     "Email Subscribed",
}

// appendEventBridge appends the event in EventBridge's envelope.
func (r *Renderer) appendEventBridge(dst []byte, e *Event) []byte {
	c := e.Mail.Send.Campaign
	dst = append(dst, `{"version":"0","id":"`...)
	dst = appendUUID(dst, mix(e.Mail.key^uint64(e.At.UnixMilli())), uint64(e.Type))
	dst = append(dst, `","detail-type":"`+detailTypes[e.Type]+`","source":"aws.ses","account":"`+c.Account+`","time":"`...)
	dst = e.At.UTC().AppendFormat(dst, "2006-01-02T15:04:05Z")
	dst = append(dst, `","region":"`+c.Region+`","resources":["arn:aws:ses:`+c.Region+":"+c.Account+`:configuration-set/`+c.ConfigurationSet+`"],"detail":`...)
	return append(r.appendEvent(dst, e), '}')
}

// appendTime appends a time as SES writes it.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// appendHex appends the last digits hexadecimal digits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&15])
	}
	return dst
}

// appendUUID appends 32 digits made of two numbers in the form of a UUID.
func appendUUID(dst []byte, a, b uint64) []byte {
	b = mix(a ^ b)
	dst = append(appendHex(dst, a>>32, 8), '-')
	dst = append(appendHex(dst, a>>16, 4), '-')
	dst = append(appendHex(dst, a, 4), '-')
	dst = append(appendHex(dst, b>>48, 4), '-')
	return appendHex(dst, b, 12)
}

// appendID appends an id in the form of SES's: a region's prefix, milliseconds and a UUID.
func (m *Mail) appendID(dst []byte, at time.Time, salt uint64) []byte {
	prefix := "0100"
	if m.Send.Campaign.Region == regionEU {
		prefix = "0102"
	}
	dst = append(appendHex(append(dst, prefix...), uint64(at.UnixMilli()), 12), '-')
	return append(appendUUID(dst, m.key, salt), "-000000"...)
}

// appendRecipient appends the address of the i-th recipient.
func (m *Mail) appendRecipient(dst []byte, i int) []byte {
	if m.at == &simulatorMailboxes {
		if m.key%4 == 0 {
			return append(dst, "bounce@simulator.amazonses.com"...)
		}
		return append(dst, "success@simulator.amazonses.com"...)
	}
	dst = appendHex(append(dst, "sim-"...), mix(m.key+uint64(i)), 12)
	return append(append(dst, '@'), m.domain...)
}

// appendRecipients appends the recipients' addresses as elements of a JSON array, each between before and after.
func (m *Mail) appendRecipients(dst []byte, before, after string) []byte {
	for i := range m.Recipients {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(m.appendRecipient(append(dst, before...), i), after...)
	}
	return dst
}

// part is a part of a mail object that differs from mail to mail.
type part uint8

const (
	partNone part = iota
	partTime
	partID
	partDate
	partRecipients // as elements of an array of strings
	partHeaderTo   // joined as in a header
	partToken
)

// segment is constant text and the part that follows it.
type segment struct {
	text string
	then part
}

// appendPart appends a part.
func (m *Mail) appendPart(dst []byte, p part) []byte {
	switch p {
	case partTime:
		return appendTime(dst, m.SentAt)
	case partID:
		return m.appendID(dst, m.SentAt, 0)
	case partDate:
		return m.SentAt.UTC().AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 +0000")
	case partRecipients:
		return m.appendRecipients(dst, `"`, `"`)
	case partHeaderTo:
		for i := range m.Recipients {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = m.appendRecipient(dst, i)
		}
		return dst
	case partToken:
		return appendHex(appendHex(dst, mix(m.key+101), 16), mix(m.key+102), 16)
	default:
		return dst
	}
}

// MessageID returns SES's id of the mail.
func (m *Mail) MessageID() string { return string(m.appendID(nil, m.SentAt, 0)) }

// appendInt appends a number.
func appendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }
