package replay

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type piece struct {
	Value string
	Line  int
	Err   error
}

// split cuts a text, read byte by byte if small is set.
func split(t *testing.T, text string, small bool) []piece {
	t.Helper()
	var r io.Reader = strings.NewReader(text)
	if small {
		r = iotest.OneByteReader(r)
	}
	s, err := newSplitter(r)
	if err != nil {
		t.Fatal(err)
	}
	var pieces []piece
	for {
		value, line, err := s.next()
		if errors.Is(err, io.EOF) {
			return pieces
		}
		if err != nil && !errors.Is(err, errTooLarge) {
			t.Fatal(err)
		}
		pieces = append(pieces, piece{string(value), line, err})
	}
}

func TestSplit(t *testing.T) {
	long := strings.Repeat("x", maxValue)
	for _, c := range []struct {
		name, text string
		want       []piece
	}{
		{"nothing", "", nil},
		{"a line each", "{\"a\":1}\n{\"b\":2}\n", []piece{{`{"a":1}`, 1, nil}, {`{"b":2}`, 2, nil}}},
		{"no last newline", `{"a":1}`, []piece{{`{"a":1}`, 1, nil}}},
		{"one after the other", `{"a":1}{"b":2}`, []piece{{`{"a":1}`, 1, nil}, {`{"b":2}`, 1, nil}}},
		{"over several lines", "{\n \"a\": [\n1]}\n\n{\"b\":2}", []piece{{"{\n \"a\": [\n1]}", 1, nil}, {`{"b":2}`, 5, nil}}},
		{"an array", "[{\"a\":1},\n {\"b\":2}]\n", []piece{{`{"a":1}`, 1, nil}, {`{"b":2}`, 2, nil}}},
		{"byte order mark", "\xEF\xBB\xBF{\"a\":1}", []piece{{`{"a":1}`, 1, nil}}},
		{"brackets and quotes in strings", `{"a":"}\"{[\\"}{"b":"\\\\\""}`, []piece{{`{"a":"}\"{[\\"}`, 1, nil}, {`{"b":"\\\\\""}`, 1, nil}}},
		{"text between", "{\"a\":1}\nnot json \r\n{\"b\":2}\n", []piece{{`{"a":1}`, 1, nil}, {"not json", 2, nil}, {`{"b":2}`, 3, nil}}},
		{"unfinished", "{\"a\":1}\n{\"b\":\n", []piece{{`{"a":1}`, 1, nil}, {"{\"b\":\n", 2, nil}}},
		{"too long", "{\"a\":\"" + long + "\"}\n{\"b\":2}\n", []piece{{"", 1, errTooLarge}, {`{"b":2}`, 2, nil}}},
		{"too long a text", long + "x\n{\"b\":2}\n", []piece{{"", 1, errTooLarge}, {`{"b":2}`, 2, nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, small := range []bool{false, true} {
				if diff := cmp.Diff(c.want, split(t, c.text, small), cmp.Comparer(errors.Is)); diff != "" {
					t.Errorf("byte by byte: %v\n%s", small, diff)
				}
			}
		})
	}
}

func TestSplitReadsGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, "{\"a\":1}\n{\"b\":2}\n")
	_ = z.Close()
	want := []piece{{`{"a":1}`, 1, nil}, {`{"b":2}`, 2, nil}}
	if diff := cmp.Diff(want, split(t, b.String(), false)); diff != "" {
		t.Error(diff)
	}
}

func TestSplitTellsOfATruncatedFile(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, strings.Repeat("{\"a\":1}\n", 1000))
	_ = z.Close()
	s, err := newSplitter(bytes.NewReader(b.Bytes()[:b.Len()-10]))
	for err == nil {
		_, _, err = s.next()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// FuzzSplit checks that what is cut out is what went in, whatever the chunks.
func FuzzSplit(f *testing.F) {
	f.Add("{\"a\":\"\\\\\\\"\"}\n[{},{}]\ntext\n{")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "\x1f\x8b") {
			return
		}
		if diff := cmp.Diff(split(t, text, true), split(t, text, false), cmp.Comparer(errors.Is)); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	line := `{"eventType":"Send","mail":{"headers":[` + strings.Repeat(`{"name":"X-Header","value":"some \"value\" of it"},`, 50) + `{}]}}` + "\n"
	text := strings.Repeat(line, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s, err := newSplitter(strings.NewReader(text))
		for err == nil {
			_, _, err = s.next()
		}
	}
}
