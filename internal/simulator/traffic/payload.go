package traffic

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/observation"
)

// The user agents of people's and of machines' requests.
const (
	humanAgent = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
	botAgent   = "ExampleGatewayScanner/1.0"
)

// appendPayload appends the event's own key and object.
func appendPayload(dst []byte, e *Event) []byte {
	m, c := e.Mail, e.Mail.Send.Campaign
	switch e.Type {
	case observation.EventSend:
		return append(dst, `"send":{}`...)
	case observation.EventReject:
		return append(dst, `"reject":{"reason":"Bad content"}`...)
	case observation.EventRenderingFailure:
		return append(dst, `"failure":{"errorMessage":"Attribute 'firstName' is not present in the rendering data.","templateName":"`+c.Name+`"}`...)
	case observation.EventDelivery:
		dst = appendTime(append(dst, `"delivery":{"timestamp":"`...), e.At)
		dst = appendInt(append(dst, `","processingTimeMillis":`...), e.At.Sub(m.SentAt).Milliseconds())
		dst = m.appendRecipients(append(dst, `,"recipients":[`...), `"`, `"`)
		return append(dst, `],"smtpResponse":"`+m.at.accept+`","remoteMtaIp":"198.51.100.26","reportingMTA":"a8-31.smtp-out.amazonses.com"}`...)
	case observation.EventDeliveryDelay:
		dst = appendTime(append(dst, `"deliveryDelay":{"timestamp":"`...), e.At)
		dst = appendTime(append(dst, `","delayType":"`+m.at.delay.kind+`","expirationTime":"`...), m.SentAt.Add(14*time.Hour))
		dst = append(dst, `","reportingMTA":"192.0.2.25","delayedRecipients":[`...)
		return append(m.appendReplies(dst, &m.at.delay, false), "]}"...)
	case observation.EventBounce:
		return appendBounce(dst, e)
	case observation.EventComplaint:
		return appendComplaint(dst, e)
	case observation.EventOpen, observation.EventClick:
		return appendTracking(dst, e)
	case observation.EventSubscription:
		dst = appendTime(append(dst, `"subscription":{"contactList":"ExampleContactList","timestamp":"`...), e.At)
		return append(dst, `","source":"UnsubscribeHeader","newTopicPreferences":{"unsubscribeAll":true,"topicSubscriptionStatus":[{"topicName":"newsletter","subscriptionStatus":"OptOut"}]},"oldTopicPreferences":{"unsubscribeAll":false,"topicSubscriptionStatus":[{"topicName":"newsletter","subscriptionStatus":"OptIn"}]}}`...)
	default:
		return dst
	}
}

// suppressions are the replies that SES itself makes up.
var (
	accountSuppression = reply{"5.1.1", "Amazon SES did not send the message to this address because it is on the suppression list for your account.", "suppressed", "OnAccountSuppressionList"}
	tenantSuppression  = reply{"5.1.1", "Amazon SES did not send the message to this address because it is on the suppression list for your tenant.", "suppressed", "OnTenantSuppressionList"}
)

// appendBounce appends a bounce; identity notifications name the remote server as well.
func appendBounce(dst []byte, e *Event) []byte {
	m := e.Mail
	bounceType, from := "Permanent", &reply{kind: "General"}
	mta := "dns; a8-31.smtp-out.amazonses.com"
	switch e.kind {
	case kindHard:
		from = &m.at.hard
	case kindSoft:
		bounceType, from = "Transient", &m.at.soft
	case kindBlock:
		bounceType, from = "Transient", &microsoftBlock
	case kindAccountSuppressed:
		from, mta = &accountSuppression, "dns; amazonses.com"
	case kindTenantSuppressed:
		from, mta = &tenantSuppression, "dns; amazonses.com"
	case kindUndetermined:
		bounceType, from = "Undetermined", &reply{kind: "Undetermined"}
	case kindAutoreply:
		bounceType = "Transient"
	}
	dst = m.appendID(append(dst, `"bounce":{"feedbackId":"`...), e.At, uint64(e.Type))
	dst = append(dst, `","bounceType":"`+bounceType+`","bounceSubType":"`+from.kind+`","bouncedRecipients":[`...)
	if from.text == "" {
		dst = m.appendRecipients(dst, `{"emailAddress":"`, `"}`)
	} else {
		dst = m.appendReplies(dst, from, true)
	}
	dst = appendTime(append(dst, `],"timestamp":"`...), e.At)
	if from.text != "" {
		dst = append(dst, `","reportingMTA":"`+mta...)
	}
	if e.Twin {
		dst = append(dst, `","remoteMtaIp":"198.51.100.26`...)
	}
	return append(dst, `"}`...)
}

// appendReplies appends the recipients with what was replied to each.
func (m *Mail) appendReplies(dst []byte, from *reply, failed bool) []byte {
	for i := range m.Recipients {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.appendRecipient(append(dst, `{"emailAddress":"`...), i)
		if failed {
			dst = append(dst, `","action":"failed`...)
		}
		text := from.text
		if strings.Contains(text, "%R") {
			text = strings.ReplaceAll(text, "%R", string(m.appendRecipient(nil, i)))
		}
		dst = append(append(append(dst, `","status":"`...), from.status...), `","diagnosticCode":`...)
		// The only error is invalid UTF-8; the replies are ASCII.
		dst, _ = jsontext.AppendQuote(dst, text)
		dst = append(dst, '}')
	}
	return dst
}

// appendComplaint appends a complaint: with its report, or listing everyone who may have complained.
func appendComplaint(dst []byte, e *Event) []byte {
	m := e.Mail
	dst = m.appendID(append(dst, `"complaint":{"feedbackId":"`...), e.At, uint64(e.Type))
	if e.kind == kindListed {
		dst = m.appendRecipients(append(dst, `","complainedRecipients":[`...), `{"emailAddress":"`, `"}`)
		return append(appendTime(append(dst, `],"timestamp":"`...), e.At), `"}`...)
	}
	dst = m.appendRecipients(append(dst, `","complaintSubType":null,"complainedRecipients":[`...), `{"emailAddress":"`, `"}`)
	dst = appendTime(append(dst, `],"timestamp":"`...), e.At)
	feedback := "abuse"
	if e.kind == kindNotSpam {
		feedback = "not-spam"
	}
	dst = append(dst, `","userAgent":"ExampleISP-FeedbackLoop/1.0","complaintFeedbackType":"`+feedback+`","arrivalDate":"`...)
	return append(appendTime(dst, e.At.Add(-2*time.Second)), `"}`...)
}

// appendTracking appends an open or a click.
func appendTracking(dst []byte, e *Event) []byte {
	agent, bot, links := humanAgent, "Unlikely", `{"samplekey0":["samplevalue0"],"samplekey1":["samplevalue1"]}`
	if e.kind == kindBot {
		agent, bot, links = botAgent, "Likely", "null"
	}
	if e.Type == observation.EventOpen {
		dst = appendTime(append(dst, `"open":{"timestamp":"`...), e.At)
		return append(dst, `","userAgent":"`+agent+`","ipAddress":"198.51.100.97","isBotEvent":"`+bot+`"}`...)
	}
	dst = appendTime(append(dst, `"click":{"timestamp":"`...), e.At)
	dst = append(dst, `","ipAddress":"198.51.100.97","userAgent":"`+agent+`","link":"https://`+e.Mail.Send.Campaign.FromDomain+`/offer?id=`...)
	dst = appendInt(dst, int64(e.Mail.key%9))
	return append(dst, `","linkTags":`+links+`,"isBotEvent":"`+bot+`"}`...)
}
