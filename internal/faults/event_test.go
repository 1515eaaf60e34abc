package faults

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// mail is a mail of which a test makes events. It was sent to one recipient, at example.com's provider, "other", unless the
// address says otherwise.
type mail struct {
	id, campaign string
	to           []string
	sentAt       time.Time
}

// newMail is the n-th mail of a campaign, sent an hour ago.
func newMail(campaign string, n int) mail {
	return mail{
		id:       fmt.Sprintf("0100%s-%08d", campaign, n),
		campaign: campaign, to: []string{fmt.Sprintf("jane-%d@example.com", n)}, sentAt: time.Now().Add(-time.Hour),
	}
}

const sesTime = "2006-01-02T15:04:05.000Z"

type object = map[string]any

// mail is the object that SES repeats in every event.
func (m *mail) object(tagged bool) object {
	o := object{
		"timestamp": m.sentAt.UTC().Format(sesTime), "messageId": m.id, "source": "hello@news.example.com",
		"sourceArn":        "arn:aws:ses:us-east-1:123456789012:identity/news.example.com",
		"sendingAccountId": "123456789012", "destination": m.to, "headersTruncated": false,
	}
	if tagged {
		o["tags"] = object{"ses:configuration-set": []string{"set"}, "campaign": []string{m.campaign}}
	}
	return o
}

func (m *mail) event(t *testing.T, name, key string, detail object) string {
	t.Helper()
	return encode(t, object{"eventType": name, "mail": m.object(true), key: detail})
}

func encode(t *testing.T, o object) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (m *mail) sent(t *testing.T) string { return m.event(t, "Send", "send", object{}) }

func (m *mail) delivered(t *testing.T) string {
	return m.event(t, "Delivery", "delivery", object{
		"timestamp": m.sentAt.Add(2 * time.Second).UTC().Format(sesTime), "processingTimeMillis": 2000, "recipients": m.to,
		"smtpResponse": "250 ok",
	})
}

// bounce is what both formats say of a hard bounce of these recipients, at that time after the mail.
func (m *mail) bounce(after time.Duration, recipients ...string) object {
	list := make([]object, 0, len(recipients))
	for _, r := range recipients {
		list = append(list, object{"emailAddress": r, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"})
	}
	return object{
		"feedbackId": m.id + after.String(), "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": list,
		"timestamp": m.sentAt.Add(after).UTC().Format(sesTime),
	}
}

func (m *mail) bounced(t *testing.T) string {
	return m.event(t, "Bounce", "bounce", m.bounce(time.Second, m.to...))
}

// twin is the identity notification of a bounce of one recipient: the older format, without tags.
func (m *mail) twin(t *testing.T, after time.Duration, recipient string) string {
	t.Helper()
	return encode(t, object{"notificationType": "Bounce", "bounce": m.bounce(after, recipient), "mail": m.object(false)})
}

func (m *mail) complained(t *testing.T) string {
	return m.event(t, "Complaint", "complaint", object{
		"feedbackId": m.id + "-c", "complainedRecipients": []object{{"emailAddress": m.to[0]}},
		"complaintFeedbackType": "abuse", "timestamp": time.Now().UTC().Format(sesTime),
	})
}

// sentMails are the Send events of n mails of a campaign, and want what they count.
func sentMails(t *testing.T, campaign string, n int) (bodies []string) {
	t.Helper()
	for i := range n {
		m := newMail(campaign, i)
		bodies = append(bodies, m.sent(t))
	}
	return bodies
}
