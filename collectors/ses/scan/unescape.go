package scan

import (
	"strings"
	"unicode/utf8"
)

// The functions of this file read a JSON string with escapes. When nested is true, the text is JSON inside a JSON string,
// not unescaped yet, as SNS hands over an event: there a quote is written \" and a backslash \\, so that an escape starts
// with two backslashes. Whatever else may be written in two ways there, such as a letter by its number, is left to the
// strict decoder.

// unescape reads the rest of a string from text[start:], behind its opening quote, to end, behind its closing quote. It
// writes the value into the arena. wide says that the value holds bytes outside ASCII that were not escaped and are not
// checked. ok is false for what is no valid string, and for a lone surrogate.
func (a *Arena) unescape(text string, start int, nested bool) (value string, end int, wide, ok bool) {
	// No escape is shorter than what it stands for. The store of a whole word may run 7 bytes past the value.
	out := a.reserve(len(text) - start + 8)
	var seen uint64
	i, n := start, 0
	for i < len(text) {
		if i+8 <= len(text) {
			w := load(text, i)
			store(out[n:], w)
			stop := special(w)
			if stop == 0 {
				seen |= w
				i, n = i+8, n+8
				continue
			}
			k := firstByte(stop)
			seen |= w & (1<<(8*k) - 1)
			i, n = i+k, n+k
		} else if c := text[i]; c != '"' && c != '\\' && c >= ' ' { // one of the last bytes
			seen |= uint64(c)
			out[n] = c
			i, n = i+1, n+1
			continue
		}
		if size := closing(text, i, nested); size > 0 {
			return a.commit(n), i + size, seen&highBits != 0, true
		}
		if !nested {
			// JSON inside a string is full of \\\", and short of other escapes.
			begin := i
			for i+1 < len(text) && text[i] == '\\' && (text[i+1] == '"' || text[i+1] == '\\') {
				out[n] = text[i+1]
				i, n = i+2, n+1
			}
			if i > begin {
				continue
			}
		}
		size, used := unescapeOne(text[i:], out[n:], nested)
		if used == 0 {
			break
		}
		i, n = i+used, n+size
	}
	return "", 0, false, false
}

// closing is the length of the quote that ends a string at text[i], 0 when there is none.
func closing(text string, i int, nested bool) int {
	switch {
	case !nested && text[i] == '"':
		return 1
	case nested && text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
		return 2
	default:
		return 0
	}
}

// escapeLetter reads the start of an escape at the start of text: its letter, and how many bytes that took. used is 0 when
// there is no escape, or not one that is sure.
func escapeLetter(text string, nested bool) (letter byte, used int) {
	if nested {
		if len(text) < 4 || text[0] != '\\' || text[1] != '\\' {
			return 0, 0
		}
		// The letters that must be escaped again; a lone quote would have ended the message.
		if text[2] == '\\' && (text[3] == '"' || text[3] == '\\') {
			return text[3], 4
		}
		if text[2] == '"' || text[2] == '\\' {
			return 0, 0
		}
		return text[2], 3
	}
	if len(text) < 2 || text[0] != '\\' {
		return 0, 0
	}
	return text[1], 2
}

// unescapeOne writes what the escape at the start of text stands for into out, and returns how many bytes it wrote and how
// many of text they took; used is 0 for what is no escape, or a lone surrogate.
func unescapeOne(text string, out []byte, nested bool) (size, used int) {
	c, used := escapeLetter(text, nested)
	switch c {
	case '"', '\\', '/':
	case 'n':
		c = '\n'
	case 't':
		c = '\t'
	case 'r':
		c = '\r'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'u':
		return unescapeRune(text, out, nested)
	default:
		return 0, 0
	}
	out[0] = c
	return 1, used
}

// unescapeRune does the same for an escape by number, or the two of a surrogate pair.
func unescapeRune(text string, out []byte, nested bool) (size, used int) {
	r, used := hex4(text, nested)
	if used == 0 {
		return 0, 0
	}
	if r < 0xD800 || r > 0xDFFF {
		return utf8.EncodeRune(out, r), used
	}
	low, more := hex4(text[used:], nested)
	if more == 0 || r >= 0xDC00 || low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return utf8.EncodeRune(out, (r-0xD800)<<10+(low-0xDC00)+0x10000), used + more
}

// hex4 reads an escape by number: \u and four digits.
func hex4(text string, nested bool) (r rune, used int) {
	start := `\u`
	if nested {
		start = `\\u`
	}
	digits, ok := strings.CutPrefix(text, start)
	if !ok || len(digits) < 4 {
		return 0, 0
	}
	for _, c := range []byte(digits[:4]) {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 + rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 + rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 + rune(c-'A'+10)
		default:
			return 0, 0
		}
	}
	return r, len(start) + 4
}
