package slack

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/alerts/wording"
	"github.com/mailvane/mailvane/internal/outlet/slack"
)

// Options says where to send.
type Options struct {
	// Name is the notifier's, for errors.
	Name string
	// URL is the address of the webhook.
	URL delivery.Secret
	// Transport and Now are those of delivery.Options.
	Transport http.RoundTripper
	Now       func() time.Time
}

// Notifier sends to one channel.
type Notifier struct {
	name    string
	channel *slack.Channel
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier. It makes no call.
func New(o Options) *Notifier {
	return &Notifier{o.Name, slack.New(slack.Options{Notifier: o.Name, URL: o.URL, Transport: o.Transport, Now: o.Now})}
}

// Notify implements alerts.Notifier.
func (s *Notifier) Notify(ctx context.Context, n *alerts.Notification) error {
	var m *slack.Message
	_, err := delivery.Fit(n, slack.MaxSize, func(n *alerts.Notification) ([]byte, error) {
		m = newMessage(n)
		return m.Encode()
	})
	if err != nil {
		return &alerts.DeliveryError{Notifier: s.name, Reason: alerts.DeliveryRefused, Err: err}
	}
	return s.channel.Post(ctx, m)
}

// The colours of the bar.
const (
	red    = "#c62828"
	orange = "#ef8a00"
	green  = "#2e7d32"
)

func color(n *alerts.Notification) string {
	switch {
	case n.Resolved:
		return green
	case n.Severity == alerts.Critical:
		return red
	default:
		return orange
	}
}

// The most bytes of texts, so that a whole message stays within what Slack takes.
const (
	maxHeadline = 2000
	maxLine     = 1000
	maxReply    = 400
)

// newMessage lays a notification out. What somebody must know and can do stands first: Slack folds long messages.
func newMessage(n *alerts.Notification) *slack.Message {
	p := wording.NewPage(n)
	m := &slack.Message{Text: slack.Bold(p.Standing+":") + " " + slack.Escape(p.Headline, maxHeadline), Color: color(n)}
	add := func(lines ...string) { m.Blocks = append(m.Blocks, slack.Sections(lines...)...) }
	var lines []string
	if p.News != "" {
		lines = append(lines, slack.Bold(p.News))
	}
	for line := range strings.SplitSeq(p.Description, "\n") {
		lines = append(lines, slack.Escape(line, maxLine))
	}
	add(lines...)
	for i := range p.Alerts[:min(len(p.Alerts), 1)] {
		add(whole(&p.Alerts[i])...)
	}
	for _, c := range p.Commands {
		if line := slack.Code(c.Line); line != "" {
			add(slack.Bold(slack.Escape(c.Text, maxLine)+":"), line)
		}
	}
	lines = nil
	for _, l := range p.Links {
		lines = append(lines, slack.Link(l.URL, l.Text))
	}
	add(lines...)
	add(rest(p)...)
	lines = nil
	for _, f := range p.Facts {
		lines = append(lines, fact(f))
	}
	if text := strings.Join(append(lines, slack.Escape(p.Footer, maxLine)), "\n"); len(text) <= slack.MaxText {
		m.Blocks = append(m.Blocks, slack.Context(text))
	}
	return m
}

// whole is all about an alert.
func whole(a *wording.Alert) (lines []string) {
	if a.Headline != "" {
		lines = append(lines, headline(a))
	}
	for _, f := range a.Facts {
		lines = append(lines, fact(f))
	}
	for _, r := range a.Reasons {
		line := "• " + slack.Escape(r.Text, maxLine)
		if r.Reply != "" {
			line += ": " + slack.Escape(r.Reply, maxReply)
		}
		lines = append(lines, line)
		if len(r.MessageIDs) > 0 {
			lines = append(lines, "   SES message ids "+slack.Escape(strings.Join(r.MessageIDs, ", "), maxLine))
		}
	}
	return lines
}

func headline(a *wording.Alert) string {
	return slack.Bold(a.Standing+":") + " " + slack.Escape(a.Headline, maxHeadline)
}

func fact(f wording.Fact) string {
	return slack.Bold(f.Name+":") + " " + slack.Escape(f.Text, maxLine)
}

// rest are the alerts after the first, with their first fact, the value, and lists of others.
func rest(p *wording.Page) (lines []string) {
	for i := 1; i < len(p.Alerts); i++ {
		a := &p.Alerts[i]
		line := headline(a)
		if len(a.Facts) > 0 {
			line += "; " + slack.Escape(a.Facts[0].Text, maxReply)
		}
		lines = append(lines, line)
	}
	if p.More != "" {
		lines = append(lines, p.More)
	}
	for _, list := range []struct {
		name  string
		texts []string
	}{{"Ended:", p.Ended}, {"Muted, because this stands for them:", p.Muted}} {
		if len(list.texts) == 0 {
			continue
		}
		lines = append(lines, slack.Bold(list.name))
		for _, text := range list.texts {
			lines = append(lines, "• "+slack.Escape(text, maxLine))
		}
	}
	return lines
}
