package email

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/alerts/wording"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/outlet/mail"
)

// Sender makes one attempt to send a mail. Its error is an *alerts.DeliveryError that names nobody.
type Sender interface {
	Send(ctx context.Context, m *mail.Message) error
}

// Options says who writes to whom.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// From and To are addresses with or without names. Recipients see each other.
	From string
	To   []string
	// Sender is the way out.
	Sender Sender
}

// Notifier sends to some people.
type Notifier struct {
	name   string
	from   netmail.Address
	to     []netmail.Address
	sender Sender
}

var _ alerts.Notifier = (*Notifier)(nil)

// maxRecipients bounds those of one mail: SES takes 50
// (https://docs.aws.amazon.com/ses/latest/dg/quotas.html).
const maxRecipients = 50

// New makes a notifier. The error is about the addresses, without naming one.
func New(o Options) (*Notifier, error) {
	e := &Notifier{name: o.Name, sender: o.Sender}
	var err error
	if e.from, err = mail.ParseAddress(o.From); err != nil {
		return nil, fmt.Errorf("the sender %w", err)
	}
	if len(o.To) == 0 || len(o.To) > maxRecipients {
		return nil, fmt.Errorf("one to %d recipients are needed", maxRecipients)
	}
	for i, text := range o.To {
		to, err := mail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("recipient %d %w", i+1, err)
		}
		e.to = append(e.to, to)
	}
	return e, nil
}

// Notify implements alerts.Notifier.
func (e *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	m, err := e.compose(n)
	if err != nil {
		return &alerts.DeliveryError{Notifier: e.name, Reason: alerts.DeliveryRefused, Err: err}
	}
	return e.sender.Send(ctx, m)
}

// maxHTML bounds the HTML part: Gmail cuts a mail that is larger than 102 kB.
const maxHTML = 80 << 10

// compose makes the mail of a notification. Its subject stays the same from the opening to the end, because mailboxes take a
// mail with another subject out of its thread (https://support.google.com/mail/answer/5900); how bad it is stands first in the
// text, which they show beside the subject, and in a header field for filters.
func (e *Notifier) compose(n *alerts.Notification) (*mail.Message, error) {
	m := &mail.Message{
		From: e.from, To: e.to, Subject: "[Mailvane] " + wording.Topic(n), ID: id(n), Thread: thread(n), Date: n.At,
		Urgent: n.Severity == alerts.Critical && !n.Resolved,
		Fields: []observation.Field{
			{Name: "X-Mailvane-Severity", Value: strings.ToLower(wording.Standing(n.Severity, n.Resolved))},
			{Name: "X-Mailvane-Rule", Value: n.Rule},
		},
	}
	html, err := delivery.Fit(n, maxHTML, func(short *alerts.Notification) ([]byte, error) {
		p := wording.NewPage(short)
		m.Text = plain(p)
		return rich(p, m.Subject)
	})
	m.HTML = string(html)
	return m, err
}

// hash makes an id of letters and digits, whatever stands in its parts.
func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// thread names the thread of a group, from its opening to its end; the next firing has another.
func thread(n *alerts.Notification) string {
	return hash("thread", n.Key, n.StartedAt.UTC().Format(time.RFC3339Nano)) + ".mailvane"
}

// id names one mail.
func id(n *alerts.Notification) string { return hash("mail", n.Notifier, n.ID) + ".mailvane" }
