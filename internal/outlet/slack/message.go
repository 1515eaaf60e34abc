package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of Slack: characters of a text (https://docs.slack.dev/reference/block-kit/composition-objects/text-object) and
// blocks of a message (https://docs.slack.dev/reference/block-kit/blocks). What counts here is bytes, which are never fewer.
const (
	MaxText   = 3000
	maxBlocks = 50
	// MaxSize bounds a message as it is posted. Slack refuses blocks of more than about 13,000 characters in all
	// (msg_blocks_too_long).
	MaxSize = 12_000
)

// Message is what is posted: a text, and blocks beside a bar of colour.
type Message struct {
	// Text is mrkdwn; it is also what a notification on a phone shows.
	Text  string
	Color string // of the bar, such as #c62828
	// Blocks are shown up to the fiftieth.
	Blocks []Block
}

// Block is a part of a message: a text of 1 to MaxText bytes.
type Block struct{ kind, text string }

// Section is a paragraph of mrkdwn.
func Section(mrkdwn string) Block { return Block{"section", mrkdwn} }

// Context is a paragraph of mrkdwn in smaller letters.
func Context(mrkdwn string) Block { return Block{"context", mrkdwn} }

// Sections puts lines of mrkdwn into as few sections as their size allows. A line that is too long for one is left out:
// cutting it could cut its markup.
func Sections(lines ...string) (blocks []Block) {
	part := ""
	for _, line := range lines {
		switch {
		case line == "" || len(line) > MaxText:
		case part == "":
			part = line
		case len(part)+1+len(line) > MaxText:
			blocks = append(blocks, Section(part))
			part = line
		default:
			part += "\n" + line
		}
	}
	if part != "" {
		blocks = append(blocks, Section(part))
	}
	return blocks
}

// text is a text object. Verbatim keeps Slack from making links of what looks like one, or like a name.
type text struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

// block is a Block on the wire.
type block struct {
	Type     string `json:"type"`
	Text     *text  `json:"text,omitempty"`
	Elements []text `json:"elements,omitempty"`
}

// payload is a message on the wire. Blocks stand in an attachment, because only those have a colour; nothing is fetched from
// the links in it.
type payload struct {
	Text        string       `json:"text"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
	Attachments []attachment `json:"attachments,omitempty"`
}

type attachment struct {
	Color  string  `json:"color,omitempty"`
	Blocks []block `json:"blocks"`
}

// Encode writes the message as it is posted, however large.
func (m *Message) Encode() ([]byte, error) {
	p := payload{Text: m.Text}
	if len(m.Blocks) > 0 {
		p.Attachments = []attachment{{Color: m.Color}}
	}
	for _, b := range m.Blocks[:min(len(m.Blocks), maxBlocks)] {
		body := text{"mrkdwn", b.text, true}
		on := block{Type: b.kind, Text: &body}
		if b.kind == "context" {
			on = block{Type: b.kind, Elements: []text{body}}
		}
		p.Attachments[0].Blocks = append(p.Attachments[0].Blocks, on)
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // entities are ASCII, and six times as long when escaped again
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// Escape makes a text from outside plain mrkdwn of at most limit bytes. &, < and > become entities, by which mentions, links
// and dates begin and end (https://docs.slack.dev/messaging/formatting-message-text#escaping). The marks of bold, italic, struck
// and code have no escape; they are replaced by characters that look like them.
func Escape(name string, limit int) string {
	var b strings.Builder
	const more = "…"
	at := 0 // the length up to which there is room for more
	for i, r := range name {
		b.WriteString(escapeRune(name, i, r))
		if b.Len() > limit {
			return b.String()[:at] + more
		}
		if b.Len() <= limit-len(more) {
			at = b.Len()
		}
	}
	return b.String()
}

func escapeRune(name string, i int, r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '*':
		return "∗"
	case '~':
		return "∼"
	case '`':
		return "ˋ"
	case '_': // within a word it means nothing
		before, _ := utf8.DecodeLastRuneInString(name[:i])
		after, _ := utf8.DecodeRuneInString(name[i+1:])
		if !isWord(before) || !isWord(after) {
			return "ˍ"
		}
	}
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return " "
	}
	return string(r)
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// Bold makes escaped text bold.
func Bold(escaped string) string { return "*" + escaped + "*" }

// Code shows a text as it is, to be copied. It is empty when the text is too long for a block, because a part of a command is
// none, or when it holds what code cannot show.
func Code(name string) string {
	entities := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(name)
	if name == "" || len(entities)+2 > MaxText || strings.ContainsFunc(name, func(r rune) bool { return r == '`' || !unicode.IsPrint(r) }) {
		return ""
	}
	return "`" + entities + "`"
}

// maxLabel bounds the text of a link.
const maxLabel = 200

// Link is a link with a text, or the text alone where the address is none for browsers.
func Link(address, name string) string {
	label := Escape(strings.ReplaceAll(name, "|", "/"), maxLabel)
	u, err := url.Parse(address)
	link := "<" + strings.ReplaceAll(address, "&", "&amp;") + "|" + label + ">"
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(address, "<>| \"`") || len(link) > MaxText {
		return label
	}
	return link
}
