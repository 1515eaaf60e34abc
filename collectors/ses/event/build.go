package event

import (
	"cmp"
	"time"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

// build checks d.document and makes it the event e, whose Message is already set.
func (d *Decoder) build(around envelope, e *observation.Event) fault {
	doc := &d.document
	kind, f := doc.kind()
	if f.bad() {
		return f
	}
	e.Type = kind
	if e.MessageID = doc.Mail.MessageID; e.MessageID == "" {
		return badField("mail.messageId", "is missing")
	}
	if e.SentAt, f = timeOf("mail.timestamp", doc.Mail.Timestamp); f.bad() {
		return f
	}
	e.Headers = keep(doc.Mail.Headers)
	if doc.EventType != "" {
		e.Tags = keep(doc.Mail.Tags)
		e.ConfigurationSet, _ = e.Tag("ses:configuration-set")
	} else {
		e.Identity = true
	}
	e.Region, e.Account = doc.Mail.place(around)
	e.Region = cmp.Or(e.Region, d.Region)
	e.FromDomain = d.text.Lower(doc.Mail.fromDomain(e))
	return d.buildPayload(e)
}

// kind is the event's type. Identity notifications know three of the types, under the same names.
func (doc *document) kind() (observation.EventType, fault) {
	if doc.EventType != "" {
		if t, ok := observation.ParseEventType(doc.EventType); ok {
			return t, fault{}
		}
		return 0, fault{collectors.ReasonUnknownType, "eventType is not one that is known"}
	}
	switch doc.NotificationType {
	case "Bounce":
		return observation.EventBounce, fault{}
	case "Complaint":
		return observation.EventComplaint, fault{}
	case "Delivery":
		return observation.EventDelivery, fault{}
	case "":
		return 0, fault{collectors.ReasonUnknownType, "the object is neither an event nor an envelope of one"}
	default:
		return 0, fault{collectors.ReasonUnknownType, "notificationType is not one that is known"}
	}
}

// buildPayload fills what the object named after the type says.
func (d *Decoder) buildPayload(e *observation.Event) fault {
	doc := &d.document
	switch e.Type {
	case observation.EventBounce:
		return d.buildBounce(e, &doc.Bounce)
	case observation.EventComplaint:
		return d.buildComplaint(e, &doc.Complaint)
	case observation.EventDelivery:
		return d.buildDelivery(e, &doc.Delivery)
	case observation.EventDeliveryDelay:
		e.DelayType = doc.DeliveryDelay.DelayType
		return d.happened(e, "deliveryDelay.timestamp", doc.DeliveryDelay.Timestamp,
			"deliveryDelay.delayedRecipients", doc.DeliveryDelay.DelayedRecipients)
	case observation.EventOpen:
		e.Bot = botOf(doc.Open.IsBotEvent)
		return d.happenedToAll(e, "open.timestamp", doc.Open.Timestamp)
	case observation.EventClick:
		e.Bot = botOf(doc.Click.IsBotEvent)
		e.Link = doc.Click.Link
		return d.happenedToAll(e, "click.timestamp", doc.Click.Timestamp)
	case observation.EventSubscription:
		e.OptOut = doc.Subscription.optOut()
		return d.happenedToAll(e, "subscription.timestamp", doc.Subscription.Timestamp)
	case observation.EventReject:
		e.RejectReason = doc.Reject.Reason
	}
	e.At = e.SentAt
	return d.setAddresses(e, "mail.destination", doc.Mail.Destination)
}

func (d *Decoder) buildBounce(e *observation.Event, b *bounce) fault {
	if b.BounceType == "" {
		return badField("bounce.bounceType", "is missing")
	}
	e.BounceType, e.BounceSubType, e.FeedbackID = b.BounceType, b.BounceSubType, b.FeedbackID
	return d.happened(e, "bounce.timestamp", b.Timestamp, "bounce.bouncedRecipients", b.BouncedRecipients)
}

// buildComplaint takes the time at which SES had the report, not arrivalDate, which the reporting provider wrote.
func (d *Decoder) buildComplaint(e *observation.Event, c *complaint) fault {
	e.ComplaintSubType, e.FeedbackType, e.FeedbackID = c.ComplaintSubType, c.ComplaintFeedbackType, c.FeedbackID
	return d.happened(e, "complaint.timestamp", c.Timestamp, "complaint.complainedRecipients", c.ComplainedRecipients)
}

// maxProcessing is the longest processing time that is believed: SES keeps trying for 14 hours, a queue holds 14 days.
const maxProcessing = 60 * 24 * time.Hour

func (d *Decoder) buildDelivery(e *observation.Event, v *delivery) fault {
	e.SMTPResponse = v.SMTPResponse
	if ms := v.ProcessingTimeMillis; ms != nil && *ms >= 0 && *ms <= maxProcessing.Milliseconds() {
		e.ProcessingTime = time.Duration(*ms) * time.Millisecond
	}
	var f fault
	if e.At, f = timeOf("delivery.timestamp", v.Timestamp); f.bad() {
		return f
	}
	return d.setAddresses(e, "delivery.recipients", v.Recipients)
}

// happened sets the event's own time and the recipients that the payload lists.
func (d *Decoder) happened(e *observation.Event, timePath, timestamp, listPath string, list []recipient) fault {
	var f fault
	if e.At, f = timeOf(timePath, timestamp); f.bad() {
		return f
	}
	if f = countOf(listPath, len(list)); f.bad() {
		return f
	}
	start := len(d.recipients)
	for i := range list {
		if list[i].Address == "" {
			return badField(listPath, "has an entry without an address")
		}
		d.recipients = append(d.recipients, observation.Recipient(list[i]))
	}
	e.Recipients = d.recipients[start:len(d.recipients):len(d.recipients)]
	return fault{}
}

// happenedToAll sets the event's own time and, because the payload names nobody, the mail's destinations.
func (d *Decoder) happenedToAll(e *observation.Event, timePath, timestamp string) fault {
	var f fault
	if e.At, f = timeOf(timePath, timestamp); f.bad() {
		return f
	}
	return d.setAddresses(e, "mail.destination", d.document.Mail.Destination)
}

func (d *Decoder) setAddresses(e *observation.Event, path string, list []string) fault {
	if f := countOf(path, len(list)); f.bad() {
		return f
	}
	start := len(d.recipients)
	for _, address := range list {
		if address == "" {
			return badField(path, "has an empty entry")
		}
		d.recipients = append(d.recipients, observation.Recipient{Address: address})
	}
	e.Recipients = d.recipients[start:len(d.recipients):len(d.recipients)]
	return fault{}
}

func countOf(path string, n int) fault {
	switch {
	case n == 0:
		return badField(path, "is missing or empty")
	case n > maxRecipients:
		return badField(path, "has more than 100 entries")
	default:
		return fault{}
	}
}

func timeOf(path, s string) (time.Time, fault) {
	if s == "" {
		return time.Time{}, badField(path, "is missing")
	}
	t, ok := parseTime(s)
	if !ok {
		return time.Time{}, badField(path, "is not a time")
	}
	return t, fault{}
}

// keep bounds the tags or headers of an event; nil when there are none, however that was written.
func keep[L ~[]observation.Field](list L) []observation.Field {
	if len(list) == 0 {
		return nil
	}
	return list[:min(len(list), maxFields)]
}

// place finds where the mail was sent from: the mail's own word first, then that of the layers around it. SES leaves
// sourceArn out of some Opens and Clicks, and no region is told elsewhere in a mail.
func (m *mail) place(around envelope) (region, account string) {
	region, account = placeOf(m.SourceARN)
	topicRegion, _ := placeOf(around.topicARN)
	region = cmp.Or(region, asRegion(around.region), topicRegion)
	return region, cmp.Or(asAccount(m.SendingAccountID), account, asAccount(around.account))
}

// fromDomain finds the domain of the header From. SES's own tag is surest; commonHeaders may be missing; mail.source is the
// envelope sender, whose domain is mostly the same.
func (m *mail) fromDomain(e *observation.Event) string {
	if domain, ok := e.Tag("ses:from-domain"); ok && isDomain(domain) {
		return domain
	}
	for _, from := range m.CommonHeaders.From {
		if domain := domainOf(from); domain != "" {
			return domain
		}
	}
	return domainOf(m.Source)
}

// botOf reads isBotEvent, a string although it sounds like a boolean; absent before August 2026.
func botOf(s string) observation.Bot {
	switch s {
	case "Likely":
		return observation.BotLikely
	case "Unlikely":
		return observation.BotUnlikely
	default:
		return observation.BotUnknown
	}
}

// optOut says whether the change took the recipient off something that the recipient was on: everything, or a topic. Old
// preferences that are not told count as "was on", since SES publishes changes only. A topic that the old preferences do
// not list has the status of the contact list's default. Who was off everything before cannot be taken off a topic.
func (s *subscription) optOut() bool {
	if s.Old.UnsubscribeAll {
		return false
	}
	if s.New.UnsubscribeAll {
		return true
	}
	for _, t := range s.New.Topics[:min(len(s.New.Topics), maxTopics)] {
		if t.Status == "OptOut" && s.Old.statusOf(t.Name) != "OptOut" {
			return true
		}
	}
	return false
}

func (p *preferences) statusOf(name string) string {
	for _, list := range [...][]topic{p.Topics, p.Defaults} {
		for _, t := range list[:min(len(list), maxTopics)] {
			if t.Name == name {
				return t.Status
			}
		}
	}
	return ""
}
