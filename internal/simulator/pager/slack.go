package pager

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// SlackPath is where Slack's incoming webhooks are; what follows is the secret.
const SlackPath = "/services/"

// The limits of a message (https://docs.slack.dev/reference/block-kit/blocks). The last is not documented; it is what refusals show.
const (
	maxSlackBlocks = 50
	maxSlackText   = 3000
	maxSlackSize   = 13_000
)

// Post is a message that Slack took.
type Post struct {
	At   time.Time
	Path string
	// Text is the message's own; Texts are those of its blocks, in their order.
	Text  string
	Texts []string
	Color string
	Body  []byte
}

// Posts lists the messages that Slack took, the oldest first.
func (s *Server) Posts() []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// slackBlock is a block of a message.
type slackBlock struct {
	Type     string
	Text     *slackText
	Elements []slackText
}

type slackText struct{ Type, Text string }

// takeSlack checks a message as Slack does, and answers in its words
// (https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks).
func (s *Server) takeSlack(r *http.Request, body []byte) (status int, answer []byte) {
	if hooks := s.options.SlackHooks; len(hooks) > 0 && !slices.Contains(hooks, r.URL.Path) {
		return http.StatusNotFound, []byte("no_service")
	}
	var message struct {
		Text        string
		Attachments []struct {
			Color  string
			Blocks []slackBlock
		}
	}
	if json.Unmarshal(body, &message) != nil {
		return http.StatusBadRequest, []byte("invalid_payload")
	}
	p := Post{At: s.now(), Path: r.URL.Path, Text: message.Text, Body: bytes.Clone(body)}
	blocks, size := 0, 0
	for _, a := range message.Attachments {
		p.Color = a.Color
		blocks += len(a.Blocks)
		for _, b := range a.Blocks {
			text, ok := b.read()
			if !ok {
				return http.StatusBadRequest, []byte("invalid_blocks")
			}
			size += len(text)
			p.Texts = append(p.Texts, text)
		}
	}
	switch {
	case blocks > maxSlackBlocks:
		return http.StatusBadRequest, []byte("invalid_blocks")
	case size > maxSlackSize:
		return http.StatusBadRequest, []byte("msg_blocks_too_long")
	case message.Text == "" && blocks == 0:
		return http.StatusBadRequest, []byte("no_text")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = keep(s.posts, p)
	return http.StatusOK, []byte("ok")
}

// read is the block's text; ok is false for what Slack refuses.
func (b *slackBlock) read() (text string, ok bool) {
	switch {
	case b.Type == "section" && b.Text != nil:
		text = b.Text.Text
	case b.Type == "context" && len(b.Elements) == 1:
		text = b.Elements[0].Text
	}
	return text, text != "" && len([]rune(text)) <= maxSlackText
}
