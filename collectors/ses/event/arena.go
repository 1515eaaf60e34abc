package event

import (
	"slices"
	"unicode/utf8"
	"unsafe"
)

// keepBytes and keepItems bound what a Decoder keeps for the next batch, so that one batch of giant messages does not hold
// its memory for ever.
const (
	keepBytes = 512 << 10
	keepItems = 8 << 10
)

// arena holds the text of strings that could not be taken from the body as they are. It only ever writes behind what it
// has handed out. When it grows it moves on to a larger array; the strings handed out keep the old one alive.
type arena struct{ buf []byte }

// reserve returns room for n more bytes behind what is in use. The caller writes there and tells commit how much of it.
func (a *arena) reserve(n int) []byte {
	a.buf = slices.Grow(a.buf, n)
	return a.buf[len(a.buf) : len(a.buf)+n]
}

// commit takes the first n bytes of what reserve returned and hands them out as a string, valid until reset.
func (a *arena) commit(n int) string {
	start := len(a.buf)
	a.buf = a.buf[:start+n]
	if n == 0 {
		return ""
	}
	return unsafe.String(&a.buf[start], n)
}

func (a *arena) reset() {
	if cap(a.buf) > keepBytes {
		a.buf = nil
	}
	a.buf = a.buf[:0]
}

// lower returns s with its ASCII letters in lower case, which is how domain names compare (RFC 4343).
func (a *arena) lower(s string) string {
	i := 0
	for i < len(s) && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	room := a.reserve(len(s))
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		room[i] = c
	}
	return a.commit(len(s))
}

// recycle empties a buffer for the next batch. It clears what was used, so that no body outlives its batch.
func recycle[T any](s []T) []T {
	if cap(s) > keepItems {
		return nil
	}
	clear(s)
	return s[:0]
}

// unescape reads the rest of a JSON string from text[start:], behind its opening quote, up to its closing quote, which is
// at end-1. It writes the string's value into the arena. wide says that the value holds bytes outside ASCII that were not
// escaped and are not checked. ok is false for what is no valid string, and for a lone surrogate.
func (a *arena) unescape(text string, start int) (value string, end int, wide, ok bool) {
	// No escape is shorter than what it stands for; the store of a whole word may run 7 bytes past the value.
	out := a.reserve(len(text) - start + 8)
	var seen uint64
	i, n := start, 0
	for {
		for i+8 <= len(text) {
			w := load(text, i)
			store(out[n:], w)
			stop := special(w)
			if stop == 0 {
				seen |= w
				i += 8
				n += 8
				continue
			}
			k := firstByte(stop)
			seen |= w & (1<<(8*k) - 1)
			i += k
			n += k
			break
		}
		if i >= len(text) {
			return "", 0, false, false
		}
		switch c := text[i]; {
		case c == '\\':
			size, used := unescapeOne(text[i:], out[n:])
			if used == 0 {
				return "", 0, false, false
			}
			i += used
			n += size
		case c == '"':
			return a.commit(n), i + 1, seen&highBits != 0, true
		case c < ' ':
			return "", 0, false, false
		default: // one of the last bytes of the text
			seen |= uint64(c)
			out[n] = c
			i++
			n++
		}
	}
}

// unescapeOne writes what the escape at the start of text stands for into out and returns how many bytes it wrote and how
// many of text they took; used is 0 for what is no escape or a lone surrogate.
func unescapeOne(text string, out []byte) (size, used int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch c := text[1]; c {
	case '"', '\\', '/':
		out[0] = c
	case 'n':
		out[0] = '\n'
	case 't':
		out[0] = '\t'
	case 'r':
		out[0] = '\r'
	case 'b':
		out[0] = '\b'
	case 'f':
		out[0] = '\f'
	case 'u':
		return unescapeRune(text, out)
	default:
		return 0, 0
	}
	return 1, 2
}

// unescapeRune does the same for an escape by number, or the two of a surrogate pair.
func unescapeRune(text string, out []byte) (size, used int) {
	r, ok := hex4(text)
	if !ok {
		return 0, 0
	}
	if r < 0xD800 || r > 0xDFFF {
		return utf8.EncodeRune(out, r), 6
	}
	low, ok := hex4(text[6:])
	if !ok || r >= 0xDC00 || low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return utf8.EncodeRune(out, (r-0xD800)<<10+(low-0xDC00)+0x10000), 12
}

// hex4 reads an escape by number (\u and four digits) at the start of text.
func hex4(text string) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(text[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 + rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 + rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 + rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
