package scan

import (
	"slices"
	"unsafe"
)

// keepBytes bounds what an Arena keeps for the next batch, so that one batch of giant messages does not hold its memory for
// ever.
const keepBytes = 512 << 10

// Arena holds the text of strings that could not be taken from the body as they are. It only ever writes behind what it
// has handed out. When it grows it moves on to a larger array; the strings handed out keep the old one alive.
type Arena struct{ buf []byte }

// reserve returns room for n more bytes behind what is in use. The caller writes there and tells commit how much of it.
func (a *Arena) reserve(n int) []byte {
	a.buf = slices.Grow(a.buf, n)
	return a.buf[len(a.buf) : len(a.buf)+n]
}

// commit takes the first n bytes of what reserve returned and hands them out as a string, valid until reset.
func (a *Arena) commit(n int) string {
	start := len(a.buf)
	a.buf = a.buf[:start+n]
	if n == 0 {
		return ""
	}
	return unsafe.String(&a.buf[start], n)
}

// Size is how much memory the arena holds, in bytes.
func (a *Arena) Size() int { return cap(a.buf) }

// Reset makes the room free for the next batch. Whatever was handed out before is invalid after it.
func (a *Arena) Reset() {
	if cap(a.buf) > keepBytes {
		a.buf = nil
	}
	a.buf = a.buf[:0]
}

// Lower returns s with its ASCII letters in lower case, which is how domain names compare (RFC 4343).
func (a *Arena) Lower(s string) string {
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
