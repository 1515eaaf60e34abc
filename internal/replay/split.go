package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxValue bounds one saved event: SQS's own limit of 1 MiB for a message, and room for white space.
const maxValue = 2 << 20

// errTooLarge marks a value longer than maxValue.
var errTooLarge = errors.New("longer than 2 MiB")

// splitter cuts a stream into JSON values without judging them: it only matches brackets and quotes. Text that does not
// begin with a bracket is cut at the end of its line.
type splitter struct {
	r    *bufio.Reader
	line int
	buf  []byte
}

// newSplitter reads plain or gzip-compressed text.
func newSplitter(r io.Reader) (*splitter, error) {
	b := bufio.NewReaderSize(r, 256<<10)
	magic, err := b.Peek(2)
	if err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("read gzip header: %w", err)
		}
		b = bufio.NewReaderSize(z, 256<<10)
	}
	return &splitter{r: b, line: 1}, nil
}

// next returns the next value and the line on which it begins. The value is valid until the following call. At the end it
// returns io.EOF; errTooLarge is about one value only, the next call goes on behind its line.
func (s *splitter) next() (value []byte, line int, err error) {
	s.buf = s.buf[:0]
	first, err := s.skip()
	if err != nil {
		return nil, s.line, err
	}
	line = s.line
	if first != '{' {
		err = s.restOfLine(first)
		return bytes.TrimSpace(s.buf), line, err
	}
	err = s.object()
	return s.buf, line, err
}

// skip passes over what may stand between values: white space, and the punctuation of an array of them.
func (s *splitter) skip() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r', '[', ']', ',', 0xEF, 0xBB, 0xBF: // the last three are a byte order mark
		default:
			return c, nil
		}
	}
}

// object reads to the bracket that closes the one already read.
func (s *splitter) object() error {
	s.buf = append(s.buf, '{')
	scan := nesting{depth: 1}
	for scan.depth > 0 {
		if _, err := s.r.Peek(1); err == io.EOF {
			return nil // an unfinished value: whoever decodes it says what is wrong
		} else if err != nil {
			return err
		}
		chunk, err := s.r.Peek(s.r.Buffered())
		if err != nil {
			return err
		}
		n := scan.over(chunk)
		if len(s.buf)+n > maxValue {
			return s.overlong()
		}
		s.buf = append(s.buf, chunk[:n]...)
		s.line += bytes.Count(chunk[:n], []byte{'\n'})
		if _, err := s.r.Discard(n); err != nil {
			return err
		}
	}
	return nil
}

// nesting follows brackets and quotes through a text that comes in chunks.
type nesting struct {
	depth             int
	inString, escaped bool
}

// over passes over a chunk and returns how many of its bytes belong to the value: all, unless its end is among them.
func (n *nesting) over(chunk []byte) int {
	for i := 0; i < len(chunk); i++ {
		if n.inString {
			i += n.inQuotes(chunk[i:])
			continue
		}
		switch chunk[i] {
		case '"':
			n.inString = true
		case '{', '[':
			n.depth++
		case '}', ']':
			if n.depth--; n.depth == 0 {
				return i + 1
			}
		}
	}
	return len(chunk)
}

// inQuotes passes over the rest of a string and returns the index of its closing quote, or len(chunk) when it goes on in
// the next chunk.
func (n *nesting) inQuotes(chunk []byte) int {
	for i := 0; i < len(chunk); i++ {
		if n.escaped {
			n.escaped = false
			continue
		}
		quote := bytes.IndexByte(chunk[i:], '"')
		if quote < 0 {
			quote = len(chunk) - i
		}
		if escape := bytes.IndexByte(chunk[i:i+quote], '\\'); escape >= 0 {
			n.escaped = true
			i += escape
			continue
		}
		if i += quote; i < len(chunk) {
			n.inString = false
		}
		return i
	}
	return len(chunk)
}

func (s *splitter) restOfLine(first byte) error {
	s.buf = append(s.buf, first)
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			s.line++
			return nil
		}
		if len(s.buf) >= maxValue {
			return s.overlong()
		}
		s.buf = append(s.buf, c)
	}
}

// overlong passes over the rest of the line, behind which a new value may begin.
func (s *splitter) overlong() error {
	s.buf = s.buf[:0]
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return errTooLarge
		}
		if err != nil {
			return err
		}
		if c == '\n' {
			s.line++
			return errTooLarge
		}
	}
}
