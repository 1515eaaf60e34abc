package event

import (
	"unicode/utf8"

	"github.com/mailvane/mailvane/collectors/ses/scan"
	"github.com/mailvane/mailvane/internal/observation"
)

// scanner reads an event into a Decoder's buffers.
type scanner struct {
	scan.Scanner
	owner *Decoder
}

// scratch holds the lists of one event that are copied when it is built.
type scratch struct {
	strings    []string
	recipients []recipient
	topics     []topic
	millis     int64
}

func (s *scratch) reset() {
	s.strings = recycle(s.strings)
	s.recipients = recycle(s.recipients)
	s.topics = recycle(s.topics)
}

// layers notes which shapes the names of one object speak for, and what envelopes say. The scanner goes on only when all
// of them speak for one shape.
type layers struct {
	kind, topicARN              string
	detailType, account, region string
	message, detail, event      bool
}

func (l *layers) sns() bool { return l.kind != "" || l.topicARN != "" || l.message }

func (l *layers) bridge() bool {
	return l.detailType != "" || l.account != "" || l.region != "" || l.detail
}

// whole says that what was found is one event, bare or in an EventBridge envelope that lacks nothing.
func (l *layers) whole() bool {
	if l.event {
		return !l.bridge()
	}
	return l.detailType != "" && l.detail
}

// body reads a whole body of any shape that holds an event.
func (s *scanner) body(doc *document, around *envelope) bool {
	var outer, inner layers
	if !s.outermost(doc, &outer, &inner) || s.Peek() != 0 || s.Pos != len(s.Text) {
		return false
	}
	if !outer.sns() {
		*around = envelope{account: outer.account, region: outer.region}
		return outer.whole()
	}
	*around = envelope{account: inner.account, region: inner.region, topicARN: outer.topicARN}
	return outer.kind == "Notification" && outer.message && !outer.event && !outer.bridge() &&
		!inner.sns() && inner.whole()
}

// outermost reads the object that a body or the message of SNS is: an envelope or a bare event. inner is for the message;
// it is nil inside one, where there is no other.
func (s *scanner) outermost(doc *document, found, inner *layers) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "Type":
			return s.Str(&found.kind)
		case "Message":
			again := found.message
			found.message = true
			return !again && inner != nil && s.message(doc, inner)
		case "TopicArn":
			return s.Str(&found.topicARN)
		case "detail-type":
			return s.Str(&found.detailType)
		case "account":
			return s.Str(&found.account)
		case "region":
			return s.Str(&found.region)
		case "detail":
			again := found.detail
			found.detail = true
			return !again && s.event(doc)
		}
		known, ok := s.eventField(name, doc)
		found.event = found.event || known
		return ok
	})
}

// message reads the string that is an SNS message, in place.
func (s *scanner) message(doc *document, found *layers) bool {
	if !s.Open() {
		return false
	}
	in := scanner{s.Inside(), s.owner}
	if !in.outermost(doc, found, nil) || in.Peek() != '"' {
		return false
	}
	s.Pos = in.Pos + 1
	return true
}

// event reads a bare event.
func (s *scanner) event(doc *document) bool {
	return s.Members(func(name string) bool {
		_, ok := s.eventField(name, doc)
		return ok
	})
}

// eventField reads the value of one member of an event; known says that only events have a member of that name.
func (s *scanner) eventField(name string, doc *document) (known, ok bool) {
	switch name {
	case "eventType":
		return true, s.Str(&doc.EventType)
	case "notificationType":
		return true, s.Str(&doc.NotificationType)
	case "mail":
		return true, s.mail(&doc.Mail)
	case "bounce":
		return true, s.bounce(&doc.Bounce)
	case "complaint":
		return true, s.complaint(&doc.Complaint)
	case "delivery":
		return true, s.delivery(&doc.Delivery)
	case "reject":
		return true, s.reject(&doc.Reject)
	case "open":
		return true, s.interaction(&doc.Open)
	case "click":
		return true, s.interaction(&doc.Click)
	case "deliveryDelay":
		return true, s.deliveryDelay(&doc.DeliveryDelay)
	case "subscription":
		return true, s.subscription(&doc.Subscription)
	default:
		return false, s.Skip()
	}
}

func (s *scanner) mail(m *mail) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.Str(&m.Timestamp)
		case "messageId":
			return s.Str(&m.MessageID)
		case "source":
			return s.Str(&m.Source)
		case "sourceArn":
			return s.Str(&m.SourceARN)
		case "sendingAccountId":
			return s.Str(&m.SendingAccountID)
		case "destination":
			return s.list(&m.Destination)
		case "headers":
			return s.headers(&m.Headers)
		case "commonHeaders":
			return s.commonHeaders(&m.CommonHeaders)
		case "tags":
			return s.tags(&m.Tags)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) commonHeaders(c *commonHeaders) bool {
	return s.Members(func(name string) bool {
		if name == "from" {
			return s.list(&c.From)
		}
		return s.Skip()
	})
}

func (s *scanner) headers(dst *headers) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.fields
	start := len(*pool)
	ok := s.Elements(func() bool {
		var h observation.Field
		if len(*pool)-start == maxFields || !s.header(&h) {
			return false
		}
		*pool = append(*pool, h)
		return true
	})
	*dst = headers((*pool)[start:len(*pool):len(*pool)])
	return ok
}

// header reads an object with name and value. Headers are half of an event, and SES writes all of them in one form, which
// is therefore tried first.
func (s *scanner) header(h *observation.Field) bool {
	start := s.Pos
	name, value := `{"name":"`, `,"value":"`
	if s.Nested {
		name, value = `{\"name\":\"`, `,\"value\":\"`
	}
	if s.Literal(name) && s.Rest(&h.Name) && s.Literal(value) && s.Rest(&h.Value) && s.Take('}') {
		return true
	}
	s.Pos, *h = start, observation.Field{}
	return s.Members(func(name string) bool {
		switch name {
		case "name":
			return s.Str(&h.Name)
		case "value":
			return s.Str(&h.Value)
		default:
			return s.Skip()
		}
	})
}

// tags reads an object of arrays of strings.
func (s *scanner) tags(dst *tags) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.fields
	start := len(*pool)
	ok := s.Members(func(name string) bool {
		return utf8.ValidString(name) && s.Elements(func() bool {
			tag := observation.Field{Name: name}
			if len(*pool)-start == maxFields || !s.Value(&tag.Value) {
				return false
			}
			*pool = append(*pool, tag)
			return true
		})
	})
	*dst = tags((*pool)[start:len(*pool):len(*pool)])
	return ok
}

// list reads an array of strings.
func (s *scanner) list(dst *[]string) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.scratch.strings
	start := len(*pool)
	ok := s.Elements(func() bool {
		var value string
		if len(*pool)-start == maxRecipients || !s.Value(&value) {
			return false
		}
		*pool = append(*pool, value)
		return true
	})
	*dst = (*pool)[start:len(*pool):len(*pool)]
	return ok
}
