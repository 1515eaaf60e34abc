package publish

import (
	"context"
	"fmt"

	"github.com/mailvane/mailvane/internal/outlet/slack"
	"github.com/mailvane/mailvane/internal/report"
)

// Channel posts messages.
type Channel interface {
	Post(ctx context.Context, m *slack.Message) error
}

// ToSlack posts reports in a few lines, with a link to the whole.
func ToSlack(c Channel) Outlet { return chats{c} }

type chats struct{ channel Channel }

// Deliver implements Outlet.
func (o chats) Deliver(ctx context.Context, i *Issue) error {
	return o.channel.Post(ctx, newMessage(i))
}

// The colours of the bar, by what is to be done.
const (
	red    = "#c62828"
	orange = "#ef8a00"
	green  = "#2e7d32"
)

// The most bytes of texts, so that a message stays within what Slack takes.
const (
	maxTitle = 300
	maxLine  = 600
)

// newMessage lays a report out. The link stands before the list of what to do: Slack folds long messages.
func newMessage(i *Issue) *slack.Message {
	brief := report.Summary(i.Report)
	m := &slack.Message{Text: slack.Bold(slack.Escape(brief.Verdict, maxTitle)) + "\n" + slack.Escape(brief.Title, maxTitle), Color: colorOf(&brief)}
	var lines []string
	for _, sentence := range brief.Sentences {
		lines = append(lines, slack.Escape(sentence, maxLine))
	}
	m.Blocks = slack.Sections(append(lines, slack.Link(i.Link, "The whole report"))...)
	lines = nil
	for _, a := range brief.Actions {
		lines = append(lines,
			slack.Bold(slack.Escape(a.Badge+": "+a.Name, maxTitle))+" – "+slack.Escape(a.Title, maxTitle),
			slack.Escape(a.Do, maxLine))
	}
	if brief.MoreActions > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more in the report", brief.MoreActions))
	}
	m.Blocks = append(m.Blocks, slack.Sections(lines...)...)
	lines = nil
	for _, f := range brief.Figures {
		line := slack.Bold(slack.Escape(f.Name, maxTitle)+":") + " " + slack.Escape(f.Value, maxTitle)
		if f.Note != "" {
			line += " (" + slack.Escape(f.Note, maxTitle) + ")"
		}
		lines = append(lines, line)
	}
	m.Blocks = append(m.Blocks, slack.Sections(lines...)...)
	return m
}

// colorOf is that of the worst thing that is to be done.
func colorOf(b *report.Brief) string {
	switch {
	case b.Urgent:
		return red
	case len(b.Actions) > 0:
		return orange
	default:
		return green
	}
}
