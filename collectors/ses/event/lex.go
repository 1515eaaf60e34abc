package event

import (
	"math/bits"
	"unicode/utf8"
)

// The words below hold 8 bytes of text, the first one lowest, and are looked at all at once.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// load reads the 8 bytes of s from i on; the compiler makes it one instruction.
func load(s string, i int) uint64 {
	_ = s[i+7]
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

// store is the opposite of load.
func store(b []byte, w uint64) {
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(w), byte(w>>8), byte(w>>16), byte(w>>24)
	b[4], b[5], b[6], b[7] = byte(w>>32), byte(w>>40), byte(w>>48), byte(w>>56)
}

// special marks the bytes of w that need a look inside a JSON string (quote, backslash, control character) with their
// highest bit. Bits above the first marked byte may be wrong.
func special(w uint64) uint64 {
	quote := w ^ lowBits*'"'
	slash := w ^ lowBits*'\\'
	return ((quote-lowBits)&^quote | (slash-lowBits)&^slash | (w-lowBits*' ')&^w) & highBits
}

// firstByte is the index of the first byte that special marked.
func firstByte(mark uint64) int { return bits.TrailingZeros64(mark) >> 3 }

// scanner reads JSON text in one pass. Every method returns false when it is not sure, and then the whole attempt is over:
// there is no error and nothing to undo, because the strict decoder starts from the beginning.
type scanner struct {
	text  string
	pos   int
	owner *Decoder
}

// peek skips white space and returns the byte behind it without taking it, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and then takes c.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c || s.peek() == c {
		s.pos++
		return true
	}
	return false
}

// more steps to the next member of an object, or element of an array, that close ends; first is true in front of the first
// one. It returns false when there is none, or on doubt, which it records in *ok.
func (s *scanner) more(closing byte, first bool, ok *bool) bool {
	switch c := s.peek(); {
	case c == closing:
		s.pos++
		return false
	case c == ',' && !first:
		s.pos++
		return true
	case c != 0 && first:
		return true
	default:
		*ok = false
		return false
	}
}

// members reads an object: it calls read for the value of each member. The functions handed to it do not outlive the call,
// so they cost no allocation.
func (s *scanner) members(read func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	ok := true
	for first := true; s.more('}', first, &ok); first = false {
		if name, named := s.name(); !named || !read(name) {
			return false
		}
	}
	return ok
}

// elements reads an array: it calls read for each element.
func (s *scanner) elements(read func() bool) bool {
	if !s.take('[') {
		return false
	}
	ok := true
	for first := true; s.more(']', first, &ok); first = false {
		if !read() {
			return false
		}
	}
	return ok
}

// name takes the name of a member and its colon. A name with an escape could spell a known one, hence the doubt.
func (s *scanner) name() (name string, ok bool) {
	if !s.take('"') {
		return "", false
	}
	start := s.pos
	if !s.toSpecial() || s.text[s.pos] != '"' {
		return "", false
	}
	name = s.text[start:s.pos]
	s.pos++
	return name, s.take(':')
}

// toSpecial moves to the next quote, backslash or control character.
func (s *scanner) toSpecial() bool {
	text, i := s.text, s.pos
	for i+8 <= len(text) {
		if stop := special(load(text, i)); stop != 0 {
			s.pos = i + firstByte(stop)
			return true
		}
		i += 8
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			s.pos = i
			return true
		}
	}
	return false
}

// rawString takes a string without checking that its bytes outside ASCII, if it has any (wide), are UTF-8.
func (s *scanner) rawString() (value string, wide, ok bool) {
	if !s.take('"') {
		return "", false, false
	}
	text, start := s.text, s.pos
	i := start
	var seen uint64
	for i+8 <= len(text) {
		w := load(text, i)
		stop := special(w)
		if stop == 0 {
			seen |= w
			i += 8
			continue
		}
		k := firstByte(stop)
		i += k
		if text[i] != '"' {
			break
		}
		seen |= w & (1<<(8*k) - 1)
		s.pos = i + 1
		return text[start:i], seen&highBits != 0, true
	}
	// An escape, or the last bytes of the text.
	value, s.pos, wide, ok = s.owner.text.unescape(text, start)
	return value, wide, ok
}

// str takes a string, or null for none, into *dst, which must not have been set before.
func (s *scanner) str(dst *string) bool {
	if *dst != "" {
		return false
	}
	if s.peek() == 'n' {
		return s.literal("null")
	}
	return s.value(dst)
}

// value takes a string that is valid UTF-8.
func (s *scanner) value(dst *string) bool {
	value, wide, ok := s.rawString()
	*dst = value
	return ok && (!wide || utf8.ValidString(value))
}

// inner takes a string that is JSON itself. Its UTF-8 is checked where that JSON is read.
func (s *scanner) inner(dst *string) bool {
	if *dst != "" {
		return false
	}
	value, _, ok := s.rawString()
	*dst = value
	return ok
}

// literal takes one of the words null, true and false.
func (s *scanner) literal(word string) bool {
	if len(s.text)-s.pos < len(word) || s.text[s.pos:s.pos+len(word)] != word {
		return false
	}
	s.pos += len(word)
	return true
}

// boolean takes true or false.
func (s *scanner) boolean(dst *bool) bool {
	*dst = s.peek() == 't'
	if *dst {
		return s.literal("true")
	}
	return s.literal("false")
}

// maxDigits is how many digits a whole number may have to be taken here.
const maxDigits = 15

// integer takes a whole number that is not negative. A fraction or an exponent behind it stops whoever reads on.
func (s *scanner) integer(dst *int64) bool {
	first := s.peek()
	start := s.pos
	digits := s.skipDigits()
	if digits == 0 || digits > maxDigits || first == '0' && digits > 1 {
		return false
	}
	*dst = 0
	for _, c := range []byte(s.text[start:s.pos]) {
		*dst = *dst*10 + int64(c-'0')
	}
	return true
}

// maxSkip bounds how deep a value may nest that is not read. It stays far under maxDepth, wherever the value stands.
const maxSkip = 8

// skip takes a value of any type that is not read. It still checks its grammar, as the strict decoder would.
func (s *scanner) skip() bool { return s.skipDeep(maxSkip) }

func (s *scanner) skipDeep(depth int) bool {
	switch s.peek() {
	case '"':
		s.pos++
		return s.skipString()
	case '{':
		return depth > 0 && s.skipObject(depth-1)
	case '[':
		return depth > 0 && s.skipArray(depth-1)
	case 'n':
		return s.literal("null")
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	default:
		return s.skipNumber()
	}
}

func (s *scanner) skipObject(depth int) bool {
	s.pos++
	ok := true
	for first := true; s.more('}', first, &ok); first = false {
		if !s.take('"') || !s.skipString() || !s.take(':') || !s.skipDeep(depth) {
			return false
		}
	}
	return ok
}

func (s *scanner) skipArray(depth int) bool {
	s.pos++
	ok := true
	for first := true; s.more(']', first, &ok); first = false {
		if !s.skipDeep(depth) {
			return false
		}
	}
	return ok
}

// skipString takes the rest of a string behind its opening quote. Bytes outside ASCII and lone surrogates need no look:
// the strict decoder would replace them, and the string is not read.
func (s *scanner) skipString() bool {
	for s.toSpecial() {
		switch s.text[s.pos] {
		case '"':
			s.pos++
			return true
		case '\\':
			if !s.skipEscape() {
				return false
			}
		default:
			return false
		}
	}
	return false
}

func (s *scanner) skipEscape() bool {
	if s.pos+1 >= len(s.text) {
		return false
	}
	switch s.text[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		_, ok := hex4(s.text[s.pos:])
		s.pos += 6
		return ok
	default:
		return false
	}
}

// skipNumber takes a number (RFC 8259, section 6).
func (s *scanner) skipNumber() bool {
	if s.pos < len(s.text) && s.text[s.pos] == '-' {
		s.pos++
	}
	start := s.pos
	if digits := s.skipDigits(); digits == 0 || digits > 1 && s.text[start] == '0' {
		return false
	}
	if s.pos < len(s.text) && s.text[s.pos] == '.' {
		s.pos++
		if s.skipDigits() == 0 {
			return false
		}
	}
	if s.pos < len(s.text) && s.text[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.text) && (s.text[s.pos] == '+' || s.text[s.pos] == '-') {
			s.pos++
		}
		return s.skipDigits() > 0
	}
	return true
}

func (s *scanner) skipDigits() int {
	start := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}
