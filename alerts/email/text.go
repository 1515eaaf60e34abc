package email

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mailvane/mailvane/alerts/wording"
)

// plain is a page as plain text. What somebody must know stands first, because mailboxes show the beginning beside the
// subject.
func plain(p *wording.Page) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.Standing, p.Headline)
	paragraph(&b, p.News)
	paragraph(&b, p.Description)
	for i := range p.Alerts {
		a := &p.Alerts[i]
		if a.Headline != "" {
			paragraph(&b, a.Standing+": "+a.Headline)
		} else {
			b.WriteByte('\n')
		}
		facts(&b, a.Facts)
		for _, r := range a.Reasons {
			fmt.Fprintf(&b, "- %s\n", r.Text)
			if r.Reply != "" {
				fmt.Fprintf(&b, "  %s\n", r.Reply)
			}
			for _, id := range r.MessageIDs {
				fmt.Fprintf(&b, "  SES message id %s\n", id)
			}
		}
		if i == 0 {
			steps(&b, p)
		}
	}
	if len(p.Alerts) == 0 {
		steps(&b, p)
	}
	paragraph(&b, p.More)
	list(&b, "Ended:", p.Ended)
	list(&b, "Muted, because this stands for them:", p.Muted)
	if len(p.Facts) > 0 {
		b.WriteByte('\n')
		facts(&b, p.Facts)
	}
	fmt.Fprintf(&b, "\n-- \n%s\n", p.Footer)
	return b.String()
}

func paragraph(b *strings.Builder, text string) {
	if text != "" {
		fmt.Fprintf(b, "\n%s\n", text)
	}
}

// steps are what can be done and where to look.
func steps(b *strings.Builder, p *wording.Page) {
	for _, c := range p.Commands {
		fmt.Fprintf(b, "\n%s:\n\n    %s\n", c.Text, c.Line)
	}
	if len(p.Links) > 0 {
		b.WriteByte('\n')
	}
	for _, l := range p.Links {
		fmt.Fprintf(b, "%s: %s\n", l.Text, l.URL)
	}
}

func list(b *strings.Builder, name string, texts []string) {
	if len(texts) == 0 {
		return
	}
	paragraph(b, name)
	for _, text := range texts {
		fmt.Fprintf(b, "- %s\n", text)
	}
}

// facts are a table.
func facts(b *strings.Builder, all []wording.Fact) {
	width := 0
	for _, f := range all {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	for _, f := range all {
		fmt.Fprintf(b, "%-*s  %s\n", width, f.Name, f.Text)
	}
}
