package ses

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mailvane/mailvane/collectors/ses/scan"
)

// answer reads the messages out of what ReceiveMessage answered
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html) before the SDK would. The
// SDK's own decoder costs more than everything that is done with a message afterwards (docs/performance.md). This one takes
// what it is sure of and leaves everything else to the SDK. Its memory is used again: what it read is valid until reset.
type answer struct {
	body     []byte
	arena    scan.Arena
	messages []Message
}

const (
	// keepAnswer is the longest body whose memory is kept for the next answer.
	keepAnswer = 256 << 10
	// noMessages is the body that the SDK reads when the messages have been taken out.
	noMessages = "{}"
)

// take takes the messages out of a response whose length is known, and leaves an empty answer for the SDK. When it cannot,
// the response reads as it would have, up to the error that ended it.
func (a *answer) take(response *http.Response) {
	length := int(response.ContentLength)
	if cap(a.body) < length {
		a.body = make([]byte, length)
	}
	a.body = a.body[:length]
	n, err := io.ReadFull(response.Body, a.body)
	body := a.body[:n]
	if err == nil && a.scan(unsafe.String(unsafe.SliceData(body), n)) {
		response.ContentLength = int64(len(noMessages))
		response.Body = readCloser{strings.NewReader(noMessages), response.Body}
		return
	}
	a.messages = a.messages[:0]
	response.Body = readCloser{io.MultiReader(bytes.NewReader(body), failing{err}), response.Body}
}

// scan reads the messages of a whole body. It returns false when it is not sure.
func (a *answer) scan(body string) bool {
	s := scan.Scanner{Text: body, Arena: &a.arena}
	found := false
	ok := s.Members(func(name string) bool {
		if name != "Messages" {
			return s.Skip()
		}
		again := found
		found = true
		return !again && s.Elements(func() bool {
			a.messages = append(a.messages, Message{})
			return len(a.messages) <= batchSize && scanMessage(&s, &a.messages[len(a.messages)-1])
		})
	})
	return ok && found && s.Peek() == 0 && s.Pos == len(body)
}

func scanMessage(s *scan.Scanner, m *Message) bool {
	var sum string
	attributed := false
	return s.Members(func(name string) bool {
		switch name {
		case "MessageId":
			return s.Str(&m.ID)
		case "ReceiptHandle":
			return s.Str(&m.Handle)
		case "Body":
			return s.Str(&m.Body)
		case "MD5OfBody":
			return s.Str(&sum)
		case "Attributes":
			again := attributed
			attributed = true
			return !again && scanAttributes(s, m)
		default:
			return false // nothing else is asked for
		}
	})
}

func scanAttributes(s *scan.Scanner, m *Message) bool {
	var sent, receives, other string
	ok := s.Members(func(name string) bool {
		switch types.MessageSystemAttributeName(name) {
		case types.MessageSystemAttributeNameSentTimestamp:
			return s.Str(&sent)
		case types.MessageSystemAttributeNameApproximateReceiveCount:
			return s.Str(&receives)
		default:
			return s.Value(&other)
		}
	})
	m.setAttributes(sent, receives)
	return ok
}

// setAttributes takes over what the queue says about a message. Times and counts that are no numbers read as not told.
func (m *Message) setAttributes(sent, receives string) {
	if ms, err := strconv.ParseInt(sent, 10, 64); err == nil && ms > 0 {
		m.SentAt = time.UnixMilli(ms)
	}
	m.Receives, _ = strconv.Atoi(receives)
}

// reset makes the memory free for the next answer.
func (a *answer) reset() {
	if cap(a.body) > keepAnswer {
		a.body = nil
	}
	clear(a.messages)
	a.messages = a.messages[:0]
	a.arena.Reset()
}

// failing is a reader that has ended; a nil error is the ordinary end.
type failing struct{ err error }

// Read implements io.Reader.
func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
