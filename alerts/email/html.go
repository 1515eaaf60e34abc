package email

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/mailvane/mailvane/alerts/wording"
)

//go:embed mail.html
var layout string

// page is the layout of the HTML part. Its styles stand in the elements, since mail programs drop others; it has no colours
// but those that can be read on white and on black, so that either reader's choice is right.
var page = template.Must(template.New("mail").Parse(layout))

// rich is a page as HTML.
func rich(p *wording.Page, subject string) ([]byte, error) {
	data := struct {
		*wording.Page
		Subject string
		// Lines are those of the description: not every mail program keeps its line breaks.
		Lines []string
	}{Page: p, Subject: subject}
	if p.Description != "" {
		data.Lines = strings.Split(p.Description, "\n")
	}
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("lay out a mail: %w", err)
	}
	return b.Bytes(), nil
}
