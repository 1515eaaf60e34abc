package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/report"
)

// refused is a report that cannot be delivered to a destination, now or ever.
func refused(err error) error {
	return &alerts.DeliveryError{Reason: alerts.DeliveryRefused, Err: err}
}

// Folder takes files.
type Folder interface {
	Write(ctx context.Context, name string, data []byte) error
}

// Bucket takes objects.
type Bucket interface {
	Put(ctx context.Context, key, contentType string, data []byte) error
}

// ToFolder writes reports into a folder, a file for each format.
func ToFolder(f Folder, formats []report.Format) Outlet {
	return files{formats, func(ctx context.Context, name string, _ report.Format, data []byte) error {
		return f.Write(ctx, name, data)
	}}
}

// ToBucket puts reports into a bucket, below a prefix, an object for each format.
func ToBucket(b Bucket, prefix string, formats []report.Format) Outlet {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return files{formats, func(ctx context.Context, name string, f report.Format, data []byte) error {
		return b.Put(ctx, prefix+name, f.MediaType(), data)
	}}
}

// files writes a file for each format. What was written before a failure is written again.
type files struct {
	formats []report.Format
	write   func(ctx context.Context, name string, f report.Format, data []byte) error
}

// Deliver implements Outlet.
func (o files) Deliver(ctx context.Context, i *Issue) error {
	for _, format := range o.formats {
		var data bytes.Buffer
		if err := report.Write(&data, i.Report, format); err != nil {
			return refused(err)
		}
		if err := o.write(ctx, fileName(i.Plan, i.Report.Owner, i.Report.Period.ID(), i.Edition, format), format, data.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// Sender sends mails.
type Sender interface {
	Send(ctx context.Context, m *mail.Message) error
}

// ToMail mails reports.
func ToMail(s Sender, from netmail.Address, to []netmail.Address) Outlet { return mails{s, from, to} }

type mails struct {
	sender Sender
	from   netmail.Address
	to     []netmail.Address
}

// Deliver implements Outlet.
func (o mails) Deliver(ctx context.Context, i *Issue) error {
	text, err := report.Mail(i.Report)
	if err != nil {
		return refused(err)
	}
	m := &mail.Message{
		From: o.from, To: o.to, Subject: text.Subject, Text: text.Text, HTML: text.HTML, Date: i.Report.MadeAt,
		ID:     "report." + i.id(),
		Thread: "report." + hash(i.Plan, i.Report.Owner, i.Report.Period.ID()),
		Fields: []observation.Field{{Name: "X-Mailvane-Report", Value: i.Plan}},
	}
	for _, image := range text.Images {
		m.Images = append(m.Images, mail.Image{CID: image.CID, PNG: image.PNG})
	}
	return o.sender.Send(ctx, m)
}

// Poster posts signed JSON.
type Poster interface {
	Post(ctx context.Context, id string, body []byte) error
}

// ToWebhook posts reports as JSON.
func ToWebhook(p Poster) Outlet { return webhooks{p} }

type webhooks struct{ poster Poster }

// hookVersion is that of the form. It grows when a receiver that reads the present one would misunderstand; new fields may come
// without that.
const hookVersion = 1

// maxHook bounds a request, in bytes: what many receivers take.
const maxHook = 1 << 20

// hook is what a webhook posts; docs/webhook.md tells what each field says.
type hook struct {
	Version int       `json:"version"`
	Type    string    `json:"type"`
	ID      string    `json:"id"`
	Number  int64     `json:"number"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner,omitempty"`
	Edition int       `json:"edition"`
	Due     time.Time `json:"due"`
	Link    string    `json:"link"`
	// Brief is the report in a few lines. Report is the whole of it, left out where the body would be too large.
	Brief  report.Brief    `json:"brief"`
	Report json.RawMessage `json:"report,omitempty"`
}

// Deliver implements Outlet.
func (o webhooks) Deliver(ctx context.Context, i *Issue) error {
	var whole bytes.Buffer
	if err := report.JSON(&whole, i.Report); err != nil {
		return refused(err)
	}
	h := hook{
		Version: hookVersion, Type: "report", ID: i.id(), Number: i.Number, Name: i.Plan, Owner: i.Report.Owner,
		Edition: i.Edition, Due: i.Due.UTC(), Link: i.Link, Brief: report.Summary(i.Report), Report: whole.Bytes(),
	}
	body, err := json.Marshal(h)
	if err == nil && len(body) > maxHook {
		h.Report = nil
		body, err = json.Marshal(h)
	}
	switch {
	case err != nil:
		return refused(fmt.Errorf("write a webhook: %w", err))
	case len(body) > maxHook:
		return refused(errors.New("the report in a few lines is larger than a webhook can be"))
	}
	return o.poster.Post(ctx, h.ID, body)
}
