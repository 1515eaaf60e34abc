package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is a report as a mail: HTML with the images that it shows, and a text for those who see none.
type Message struct {
	// Subject is one line.
	Subject    string
	HTML, Text string
	Images     []Image
}

// Image is an image that the HTML names as cid:CID.
type Image struct {
	CID string
	Alt string
	PNG []byte
}

const (
	// maxMailRows is how many campaigns a mail shows, maxMailCards how many actions of a level: Gmail cuts mails at 102 kB.
	maxMailRows  = 25
	maxMailCards = 12
	// maxSubject bounds a subject, in characters.
	maxSubject = 150
)

//go:embed mail.html
var mailHTML string

// mailPage is a page as a mail lays it out.
type mailPage struct {
	*page
	Heads    []string
	Pictures []picture
}

type picture struct{ CID, Title, Alt string }

// mailCharts are the charts that a mail shows.
func mailCharts() []string { return []string{ChartCampaigns, ChartGmail, ChartMail} }

// Mail makes a mail of a report, in the HTML that mail clients show: tables, styles in place, images of its own.
func Mail(r *Report) (Message, error) {
	p := &mailPage{page: newPage(r, maxMailRows), Heads: mailHeads()}
	for _, cards := range []*[]card{&p.Urgent, &p.Act, &p.Watch} {
		*cards = (*cards)[:min(len(*cards), maxMailCards)]
	}
	m := Message{Subject: shown(p.Verdict+" · mail report of "+r.Period.String(), maxSubject)}
	pictures, err := charts(r, false, true)
	if err != nil {
		return m, err
	}
	for _, c := range pictures {
		if slices.Contains(mailCharts(), c.Name) {
			cid := c.Name + "@report.mailvane"
			m.Images = append(m.Images, Image{CID: cid, Alt: c.Alt, PNG: c.PNG})
			p.Pictures = append(p.Pictures, picture{cid, c.Title, c.Alt})
		}
	}
	t, err := template.New("mail").Funcs(template.FuncMap{
		"moment": func(t time.Time) string { return r.moment(t) }, "mailCells": mailCells, "next": func(i int) int { return i + 1 },
		// html/template knows no scheme cid, and would put another in its place.
		"cid": func(id string) template.URL { return template.URL("cid:" + id) }, //nolint:gosec // ids are made here
	}).Parse(mailHTML)
	if err != nil {
		return m, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return m, err
	}
	m.HTML, m.Text = b.String(), p.text()
	return m, nil
}

// mailColumns are the cells that a mail has room for: sent, delivered, hard bounces, blocked, complaints and spam at Gmail.
func mailColumns() []int { return []int{0, 1, 2, 4, 6, 7} }

func mailHeads() []string {
	heads := []string{columns()[0]}
	for _, i := range mailColumns() {
		heads = append(heads, columns()[i+1])
	}
	return heads
}

func mailCells(r row) []cell {
	var cells []cell
	for _, i := range mailColumns() {
		cells = append(cells, r.Cells[i])
	}
	return cells
}

// text is the mail for those who see no HTML.
func (p *mailPage) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	verdict := shown(p.Verdict, 200) // in its own letters: names differ by case
	line("Mail report: %s (%s)\n\n%s\n%s\n", p.Period.String(), shown(p.Scope, 200), verdict, strings.Repeat("=", min(utf8.RuneCountInString(verdict), 78)))
	for _, s := range p.Sentences {
		line("- %s", shown(s, 500))
	}
	for _, cards := range [][]card{p.Urgent, p.Act, p.Watch} {
		for _, c := range cards {
			line("\n%s: %s (%s)\n  %s. %s\n  Do this: %s\n  %s", strings.ToUpper(c.Badge), shown(c.Name, 200), c.Kind, c.Title, c.Why, c.Do, c.Sure)
			for _, also := range c.Also {
				line("  Also: %s.", also)
			}
		}
	}
	p.textTables(line)
	line("\nCoverage, and what is not known")
	for _, n := range p.Unknown {
		line("- %s: %s", n.Topic, shown(n.Text, 1000))
	}
	line("\nFigures are of the mail sent in this period, with what became of it up to %s. Made by Mailvane on %s.", p.moment(p.AsOf), p.Made)
	if p.Link != "" {
		line("%s", p.Link)
	}
	return b.String()
}

// textTables writes what changed, and the campaigns.
func (p *mailPage) textTables(line func(format string, args ...any)) {
	if p.Changes != nil && len(p.Changes.Lines) > 0 {
		line("\nWhat changed since the edition of %s", p.moment(p.Changes.MadeAt))
		for _, l := range p.Changes.Lines {
			line("- %s", shown(l, 500))
		}
	}
	line("\nCampaigns")
	for _, r := range p.Rows {
		var parts []string
		for i, c := range mailCells(r) {
			if c.Value != "" && c.Value != "–" {
				parts = append(parts, p.Heads[i+1]+" "+c.Value)
			}
		}
		name := shown(r.Name, 200)
		if r.Badge != "" {
			name = strings.ToUpper(r.Badge) + ": " + name
		}
		line("- %s: %s", name, strings.Join(parts, ", "))
	}
	if p.MoreRows > 0 {
		line("- and %d more", p.MoreRows)
	}
}
