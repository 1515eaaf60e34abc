package traffic

import (
	"encoding/json"
	"mime"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

// flavour is a form of the mail object: SES leaves out and adds fields by event type.
type flavour uint8

const (
	flavourFull flavour = iota
	// flavourOutgoing knows the address that the mail left from.
	flavourOutgoing
	// flavourTracked is of Open and Click: without sourceArn.
	flavourTracked
	// flavourShort is of DeliveryDelay and Rendering Failure: without headers.
	flavourShort
	// flavourIdentity is of identity notifications: without tags.
	flavourIdentity
)

func flavourOf(e *Event) flavour {
	switch {
	case e.Twin:
		return flavourIdentity
	case e.Type == observation.EventDelivery, e.kind == kindHard, e.kind == kindSoft, e.kind == kindBlock:
		return flavourOutgoing
	case e.Type == observation.EventOpen, e.Type == observation.EventClick:
		return flavourTracked
	case e.Type == observation.EventDeliveryDelay, e.Type == observation.EventRenderingFailure:
		return flavourShort
	default:
		return flavourFull
	}
}

// In a template's text a byte that JSON never holds marks the place of each part.
const (
	markTime       = "\x01"
	markID         = "\x02"
	markDate       = "\x03"
	markRecipients = "\x04"
	markHeaderTo   = "\x05"
	markToken      = "\x06"
)

var marks = map[byte]part{1: partTime, 2: partID, 3: partDate, 4: partRecipients, 5: partHeaderTo, 6: partToken}

// mailTemplate makes the mail object of a send in a flavour.
func mailTemplate(send *Send, f flavour) []segment {
	c := send.Campaign
	var b strings.Builder
	from := c.FromName + " <hello@" + c.FromDomain + ">"
	b.WriteString(`{"timestamp":"` + markTime + `","source":` + quote(from))
	if f != flavourTracked {
		b.WriteString(`,"sourceArn":"arn:aws:ses:` + c.Region + ":" + c.Account + ":identity/" + c.FromDomain + `"`)
	}
	if f == flavourIdentity {
		b.WriteString(`,"sourceIp":"192.0.2.10","callerIdentity":"mailer-role"`)
	}
	b.WriteString(`,"sendingAccountId":"` + c.Account + `","messageId":"` + markID + `","destination":[` + markRecipients +
		`],"headersTruncated":false`)
	if f != flavourShort {
		writeHeaders(&b, send, from, f == flavourIdentity)
	}
	if f != flavourIdentity {
		writeTags(&b, send, f)
	}
	b.WriteByte('}')
	return split(b.String())
}

// writeHeaders writes the original headers and the common ones.
func writeHeaders(b *strings.Builder, send *Send, from string, identity bool) {
	c := send.Campaign
	headers := [][2]string{
		{"Received", "from app-7.internal.example.com (app-7.internal.example.com [192.0.2.10]) by email-smtp.amazonaws.com with SMTP (SimpleEmailService-d-0000000) id 7Jd2kVqX; " + markDate},
		{"Date", markDate},
		{"From", from},
		{"To", markHeaderTo},
		{"Reply-To", "support@" + c.FromDomain},
		{"Message-ID", "<" + markToken + "@" + c.FromDomain + ">"},
		{"Subject", mime.QEncoding.Encode("UTF-8", c.Subject)},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="----=_Part_11_1893749822"`},
		{"List-Id", `"` + send.Name + `" <` + c.Name + "." + c.FromDomain + ">"},
		{"List-Unsubscribe", "<https://" + c.FromDomain + "/u/" + markToken + ">, <mailto:unsubscribe@" + c.FromDomain + "?subject=" + markToken + ">"},
		{"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"},
		{"Precedence", "bulk"},
		{"X-Mailer", "ExampleMailer/4.2"},
		{"X-Entity-Ref-ID", markToken},
	}
	b.WriteString(`,"headers":[`)
	for i, h := range headers {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"name":` + quote(h[0]) + `,"value":` + quote(h[1]) + `}`)
	}
	b.WriteString(`],"commonHeaders":{"from":[` + quote(from) + `]`)
	if identity {
		// Identity notifications join the recipients in one string, and carry the sender's own Message-ID.
		b.WriteString(`,"date":"` + markDate + `","to":["` + markHeaderTo + `"],"messageId":"<` + markToken + "@" + c.FromDomain + `>"`)
	} else {
		b.WriteString(`,"to":[` + markRecipients + `],"messageId":"` + markID + `"`)
	}
	b.WriteString(`,"subject":` + quote(c.Subject) + `}`)
}

// writeTags writes the automatic tags and the campaign's own.
func writeTags(b *strings.Builder, send *Send, f flavour) {
	c := send.Campaign
	tags := [][2]string{
		{"ses:source-tls-version", "TLSv1.3"},
		{"ses:operation", "SendEmail"},
		{"ses:configuration-set", c.ConfigurationSet},
		{"ses:source-ip", "192.0.2.10"},
		{"ses:from-domain", c.FromDomain},
		{"ses:caller-identity", "mailer-role"},
	}
	if c.Tagging == TagFeedback {
		tags = append(tags, [2]string{"ses:feedback-id-a", send.Name}, [2]string{"ses:feedback-id-b", c.Group})
	}
	if c.Tagging != TagNone {
		tags = append(tags, [2]string{"campaign", send.Name}, [2]string{"stream", c.Group})
	}
	if f == flavourOutgoing {
		tags = append(tags, [2]string{"ses:outgoing-ip", "192.0.2.25"}, [2]string{"ses:outgoing-tls-version", "TLSv1.3"})
	}
	b.WriteString(`,"tags":{`)
	for i, t := range tags {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(t[0]) + ":[" + quote(t[1]) + "]")
	}
	b.WriteByte('}')
}

// quote makes a JSON string; the marks of parts stay as they are.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	quoted := string(text)
	for mark := range marks {
		quoted = strings.ReplaceAll(quoted, "\\u000"+string('0'+mark), string(mark))
	}
	return quoted
}

// split cuts a template's text at its marks.
func split(text string) []segment {
	var segments []segment
	for start, i := 0, 0; ; i++ {
		if i == len(text) {
			return append(segments, segment{text: text[start:]})
		}
		if p, ok := marks[text[i]]; ok {
			segments = append(segments, segment{text: text[start:i], then: p})
			start = i + 1
		}
	}
}
