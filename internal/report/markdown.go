package report

import (
	"fmt"
	"io"
	"strings"
)

// maxTextRows is how many campaigns a text shows.
const maxTextRows = 100

// Markdown writes the report as text that is read as it is, and by whatever shows Markdown.
func Markdown(w io.Writer, r *Report) error {
	m := &markdown{page: newPage(r, maxTextRows)}
	m.first()
	m.campaigns()
	m.gmail()
	m.rest()
	_, err := io.WriteString(w, m.String())
	return err
}

// markdown writes a page as Markdown. Whatever comes from outside goes through plain.
type markdown struct {
	*page
	strings.Builder
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.Builder, format+"\n", args...) }

// String is what was written.
func (m *markdown) String() string { return m.Builder.String() }

// plain makes a text mean nothing in Markdown: a name is neither a link nor HTML nor a new line. GitHub and others take bare
// addresses for links.
func plain(text string) string {
	text = shown(text, 1000)
	var b strings.Builder
	for i, c := range text {
		before := strings.ToLower(text[max(i-3, 0):i])
		switch {
		case c == '<':
			b.WriteString("&lt;")
			continue
		case c == '>':
			b.WriteString("&gt;")
			continue
		case c == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]|#!~", c), c == '/' && strings.HasSuffix(before, ":"), c == '.' && before == "www":
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// first is what the first screen of the page has, and all actions.
func (m *markdown) first() {
	m.line("# Mail report: %s", plain(m.Period.String()))
	m.line("\n**%s** (%s)\n", plain(m.Verdict), plain(m.Scope))
	for _, s := range m.Sentences {
		m.line("- %s", plain(s))
	}
	m.line("")
	for _, t := range m.Tiles {
		note := ""
		if t.Note != "" {
			note = " (" + t.Note + ")"
		}
		m.line("- %s: **%s**%s", t.Name, t.Value, plain(note))
	}
	if c := m.Changes; c != nil {
		m.line("\n## What changed since the edition of %s\n", m.moment(c.MadeAt))
		for _, l := range c.Lines {
			m.line("- %s", plain(l))
		}
		switch {
		case c.More > 0:
			m.line("- and %d more", c.More)
		case len(c.Lines) == 0:
			m.line("Nothing.")
		}
	}
	if len(m.Actions) == 0 {
		return
	}
	m.line("\n## What needs action")
	for _, cards := range [][]card{m.Urgent, m.Act, m.Watch} {
		for i := range cards {
			m.card(&cards[i])
		}
	}
}

func (m *markdown) card(c *card) {
	of := ""
	if c.Owner != "" {
		of = " of " + plain(c.Owner)
	}
	m.line("\n### %s %s: %s (%s%s)\n", c.Mark, c.Badge, plain(c.Name), c.Kind, of)
	m.line("**%s.** %s", plain(c.Title), plain(c.Why))
	m.line("\n- Do this: %s", plain(c.Do))
	m.line("- %s", plain(c.Sure))
	for _, also := range c.Also {
		m.line("- Also: %s.", plain(also))
	}
}

// table writes a table of plain cells.
func (m *markdown) table(head []string, rows [][]string) {
	line := func(cells []string) {
		for i := range cells {
			cells[i] = plain(cells[i])
		}
		m.line("| %s |", strings.Join(cells, " | "))
	}
	line(head)
	m.line("|%s", strings.Repeat(" --- |", len(head)))
	for _, row := range rows {
		line(row)
	}
}

func (m *markdown) campaigns() {
	m.line("\n## Campaigns\n")
	if len(m.Rows) == 0 {
		m.line("%s", m.Empty)
		return
	}
	var rows [][]string
	for _, r := range m.Rows {
		name := r.Name
		if r.Badge != "" {
			name = r.Badge + ": " + name
		}
		row := []string{name}
		for _, c := range r.Cells {
			row = append(row, c.text())
		}
		rows = append(rows, row)
	}
	m.table(m.Columns, rows)
	if m.MoreRows > 0 {
		m.line("\n%d more campaigns are in the CSV and JSON forms of this report.", m.MoreRows)
	}
	m.line("\nIn brackets: the range in which the true rate lies (99 %% to either side). ° may still grow; ▲ and ▼ are surely higher or lower than before.")
}

// text is a cell on one line.
func (c *cell) text() string {
	text := c.Value
	if c.Range != "" && text != "" {
		text += " (" + c.Range + ")"
	} else if c.Range != "" {
		text = c.Range
	}
	if c.Before != "" {
		text += ", " + c.Before
	}
	return text
}

func (m *markdown) gmail() {
	m.line("\n## Gmail, day by day\n")
	if len(m.Gmail.Rows) == 0 {
		m.line("Gmail Postmaster Tools tell nothing of these days.")
		return
	}
	var rows [][]string
	for _, r := range m.Gmail.Rows {
		row := []string{r.Name}
		for _, c := range r.Cells {
			row = append(row, c.Value)
		}
		rows = append(rows, row)
	}
	m.table(append([]string{"Domain or campaign"}, m.Gmail.Days...), rows)
}

// rest is the standing, what was lost, the alerts, and what is not known.
func (m *markdown) rest() {
	if len(m.Accounts) > 0 {
		m.line("\n## SES accounts\n")
		var rows [][]string
		for _, a := range m.Accounts {
			rows = append(rows, []string{a.Name, a.Standing, a.Bounce, a.Complaint, a.Quota, a.Coverage})
		}
		m.table([]string{"Account", "SES says", "Bounce rate", "Complaint rate", "Quota", "Coverage"}, rows)
	}
	if len(m.Losses) > 0 {
		m.line("\n## Incoming mail that was lost\n")
		var rows [][]string
		for _, l := range m.Losses {
			rows = append(rows, []string{l.Rule, l.Purpose, l.Campaigns, l.Received, l.Failed, l.Lost, l.Problem})
		}
		m.table([]string{"Receipt rule", "For", "Campaigns", "Received", "Failed attempts", "Lost", "Problem"}, rows)
	}
	if len(m.Alerts) > 0 {
		m.line("\n## Alerts\n")
		var rows [][]string
		for _, a := range m.Alerts {
			rows = append(rows, []string{a.Severity, a.Rule, a.Subject, a.Figure, a.When})
		}
		m.table([]string{"Severity", "Rule", "About", "Figure", "When"}, rows)
	}
	m.line("\n## Coverage, and what is not known\n")
	for _, n := range m.Unknown {
		m.line("- **%s.** %s", n.Topic, plain(n.Text))
	}
	m.line("\nFigures are of the mail sent in this period, with what became of it up to %s. Days are those of %s, %s and %s included. Made by "+
		"Mailvane on %s.", m.moment(m.AsOf), m.Period.Zone, m.Period.From, m.Period.To, m.Made)
}
