package event

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// corpus makes n raw events as a busy sender has them: the mix of types, the number of headers and tags, the subjects
// outside ASCII; about 2.5 kB each. The same n gives the same events.
func corpus(n int) []string {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	events := make([]string, n)
	for i := range events {
		events[i] = g.event(i)
	}
	return events
}

type generator struct{ *rand.Rand }

var (
	subjects = []string{
		"Your weekly digest", "Frühlingsangebote für Sie: bis zu 40 % günstiger", `He said "buy now" and we did`,
		"春のセール開催中", "Soldes d’été 🎉 jusqu’à −50 %", "Re: your order",
	}
	providers = []string{"gmail.com", "yahoo.co.jp", "hotmail.com", "example.com", "web.de", "company.example.org"}
)

func (g generator) event(i int) string {
	sent := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Add(time.Duration(i) * 37 * time.Millisecond)
	at := stamp(sent.Add(1234 * time.Millisecond))
	to := fmt.Sprintf("user.%d@%s", g.IntN(1_000_000), providers[g.IntN(len(providers))])
	id := fmt.Sprintf("0100019a%08x-%08x-4718-8293-%012x-000000", i, g.Uint32(), g.Uint64N(1<<48))
	kind, payload := g.payload(at, to, id)
	return fmt.Sprintf(`{"eventType":%q,"mail":%s,%s}`, kind, g.mail(stamp(sent), to, id), payload)
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }

// payload draws the type: Send 40 %, Delivery 38 %, Open 15 %, Click 4 %, Bounce 2 %, Complaint 1 %.
func (g generator) payload(at, to, id string) (kind, payload string) {
	const agent = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
	switch p := g.IntN(100); {
	case p < 40:
		return "Send", `"send":{}`
	case p < 78:
		return "Delivery", fmt.Sprintf(`"delivery":{"timestamp":%q,"processingTimeMillis":%d,"recipients":[%q],`+
			`"smtpResponse":"250 2.0.0 OK  %d d2e1a72fcca58-7f0 - gsmtp","remoteMtaIp":"198.51.100.26",`+
			`"reportingMTA":"a8-31.smtp-out.amazonses.com"}`, at, g.IntN(5000), to, g.Uint32())
	case p < 93:
		return "Open", fmt.Sprintf(`"open":{"timestamp":%q,"userAgent":%q,"ipAddress":"198.51.100.97","isBotEvent":"Unlikely"}`,
			at, agent)
	case p < 97:
		return "Click", fmt.Sprintf(`"click":{"timestamp":%q,"ipAddress":"198.51.100.97","userAgent":%q,`+
			`"link":"https://www.example.com/offer?id=%d&x=1","linkTags":{"samplekey0":["samplevalue0"]},"isBotEvent":"Likely"}`,
			at, agent, g.IntN(1000))
	case p < 99:
		return "Bounce", fmt.Sprintf(`"bounce":{"feedbackId":"f%s","bounceType":"Permanent","bounceSubType":"General",`+
			`"bouncedRecipients":[{"emailAddress":%q,"action":"failed","status":"5.1.1",`+
			`"diagnosticCode":"smtp; 550-5.1.1 The email account that you tried to reach does not exist. \"%d\""}],`+
			`"timestamp":%q,"reportingMTA":"dns; a8-31.smtp-out.amazonses.com"}`, id, to, g.Uint32(), at)
	default:
		return "Complaint", fmt.Sprintf(`"complaint":{"feedbackId":"f%s","complaintSubType":null,`+
			`"complainedRecipients":[{"emailAddress":%q}],"timestamp":%q,"userAgent":"ExampleISP-FeedbackLoop/1.0",`+
			`"complaintFeedbackType":"abuse","arrivalDate":"2026-11-20T13:00:00-05:00"}`, id, to, at)
	}
}

func (g generator) mail(sent, to, id string) string {
	campaign := fmt.Sprintf("campaign-%d", g.IntN(300))
	subject := quote(subjects[g.IntN(len(subjects))])
	var headers []string
	add := func(name, value string) {
		headers = append(headers, fmt.Sprintf(`{"name":%q,"value":%s}`, name, value))
	}
	add("Received", quote(fmt.Sprintf("from mailer.example.com (ec2-192-0-2-10.compute-1.amazonaws.com [192.0.2.10]) "+
		"by email-smtp.amazonaws.com with SMTP (SimpleEmailService-d-%08X) id %x", g.Uint32(), g.Uint64())))
	add("Date", `"Fri, 20 Nov 2026 10:15:30 +0000"`)
	add("From", `"\"News, Example\" <news@news.example.com>"`)
	add("Reply-To", `"support@example.com"`)
	add("To", quote(to))
	add("Message-ID", quote(fmt.Sprintf("<%x.%x@mailer.example.com>", g.Uint64(), g.Uint64())))
	add("Subject", subject)
	add("MIME-Version", `"1.0"`)
	add("Content-Type", `"multipart/alternative; boundary=\"----=_Part_1234_567890\""`)
	add("List-Unsubscribe", quote(fmt.Sprintf("<https://example.com/u/%x>, <mailto:u@example.com>", g.Uint64())))
	add("List-Unsubscribe-Post", `"List-Unsubscribe=One-Click"`)
	add("Feedback-ID", quote(campaign+":news:mail:example"))
	add("X-SES-CONFIGURATION-SET", `"marketing"`)
	add("X-SES-MESSAGE-TAGS", quote("campaign="+campaign+", stream=news"))
	add("X-Mailer", `"Example Mailer 4.2"`)
	const tags = `{"ses:source-tls-version":["TLSv1.3"],"ses:operation":["SendRawEmail"],"ses:configuration-set":["marketing"],` +
		`"ses:source-ip":["192.0.2.10"],"ses:from-domain":["news.example.com"],"ses:caller-identity":["mailer-role"],` +
		`"ses:outgoing-ip":["192.0.2.25"],"ses:feedback-id-a":[%q],"campaign":[%q],"stream":["news"]}`
	return fmt.Sprintf(`{"timestamp":%q,"source":"\"News, Example\" <bounces@news.example.com>",`+
		`"sourceArn":"arn:aws:ses:us-east-1:123456789012:identity/example.com","sendingAccountId":"123456789012",`+
		`"messageId":%q,"destination":[%q],"headersTruncated":false,"headers":[%s],"commonHeaders":{`+
		`"from":["\"News, Example\" <news@news.example.com>"],"date":"Fri, 20 Nov 2026 10:15:30 +0000","to":[%q],`+
		`"messageId":%q,"subject":%s},"tags":%s}`,
		sent, id, to, strings.Join(headers, ","), to, id, subject, fmt.Sprintf(tags, campaign, campaign))
}
