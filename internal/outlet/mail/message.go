package mail

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/observation"
)

// Message is one mail.
type Message struct {
	From mail.Address
	// To are its recipients, one at least, who see each other.
	To      []mail.Address
	Subject string
	// Text and HTML say the same. HTML must load nothing from elsewhere; what it shows as cid:name is the image of that name.
	Text, HTML string
	// Images are sent with the mail, in its multipart/related (RFC 2387).
	Images []Image
	// ID is the same each time that sending is tried, so that mailboxes can drop what they have: letters, digits, dots and
	// hyphens. Thread is what mails of one thread share, of the same characters; empty for a mail that stands alone.
	ID, Thread string
	Date       time.Time
	// Urgent marks it as important.
	Urgent bool
	// Fields are more header fields, for filters in mailboxes. Their values may come from outside, their names may not.
	Fields []observation.Field
}

// Image is a picture in the HTML of a mail.
type Image struct {
	// CID is the name by which the HTML shows it: letters, digits, dots and hyphens, with or without a domain after an @.
	CID string
	PNG []byte
}

// maxSubject bounds a subject in bytes, maxName the name beside an address; more than that no mailbox shows.
const (
	maxSubject = 250
	maxName    = 100
)

// Compose writes the mail as it is transported (RFC 5322, MIME). What comes from outside cannot add header fields: it is
// brought onto one line, and encoded where it is not plain ASCII (RFC 2047).
func (m *Message) Compose() ([]byte, error) {
	if len(m.To) == 0 {
		return nil, errors.New("a mail needs a recipient")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(person(m.From))
	to := make([]*mail.Address, len(m.To))
	for i := range m.To {
		to[i] = person(m.To[i])
	}
	msg.ToMailAddress(to...)
	msg.Subject(delivery.Shorten(delivery.Line(m.Subject), maxSubject))
	msg.SetDateWithValue(m.Date.UTC())
	msg.SetMessageIDWithValue(m.id(m.ID))
	if m.Thread != "" {
		// The root of the thread is never sent, so that a thread holds together although SES gives each mail an id of its own
		// (https://docs.aws.amazon.com/ses/latest/dg/header-fields.html).
		root := "<" + m.id(m.Thread) + ">"
		msg.SetGenHeader(gomail.HeaderInReplyTo, root)
		msg.SetGenHeader(gomail.HeaderReferences, root)
	}
	// RFC 3834, section 5; the second is how Exchange is told not to answer.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.Urgent {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	for _, f := range m.Fields {
		msg.SetGenHeader(gomail.Header(f.Name), delivery.Line(f.Value))
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	for i := range m.Images {
		image := &m.Images[i]
		if !cidForm.MatchString(image.CID) {
			return nil, fmt.Errorf("compose a mail: %q cannot name an image", image.CID)
		}
		name, _, _ := strings.Cut(image.CID, "@")
		err := msg.EmbedReader(name+".png", bytes.NewReader(image.PNG), gomail.WithFileContentID("<"+image.CID+">"),
			gomail.WithFileContentType("image/png"))
		if err != nil {
			return nil, fmt.Errorf("compose a mail: %w", err)
		}
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("compose a mail: %w", err)
	}
	return b.Bytes(), nil
}

// cidForm is what needs no quoting in a Content-ID nor in a URL that names it (RFC 2392).
var cidForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,99}(@[A-Za-z0-9.-]{1,100})?$`)

// person is an address whose name is on one line.
func person(a mail.Address) *mail.Address {
	return &mail.Address{Name: delivery.Shorten(delivery.Line(a.Name), maxName), Address: a.Address}
}

// id makes a unique id in the sender's domain.
func (m *Message) id(local string) string {
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return local + "@" + domain
}

// Addresses are those of the recipients, without names.
func (m *Message) Addresses() []string {
	all := make([]string, len(m.To))
	for i := range m.To {
		all[i] = m.To[i].Address
	}
	return all
}

// errAddress does not quote what it is about: an address is nobody's business but its owner's.
var errAddress = errors.New("is no address such as Mailvane <alerts@example.com>")

// ParseAddress reads an address with or without a name. The error continues a sentence that begins with what the address is
// for, and does not quote it.
func ParseAddress(text string) (mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(a.Address+a.Name, "\r\n\x00") {
		return mail.Address{}, errAddress
	}
	if local, domain, _ := strings.Cut(a.Address, "@"); local == "" || domain == "" || strings.ContainsAny(domain, "@ ") {
		return mail.Address{}, errAddress
	}
	return *a, nil
}
