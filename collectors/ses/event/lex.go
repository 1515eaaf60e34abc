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
	text string
	pos  int
	// nested says that the text is read inside a JSON string as it is: see unescape.go. To unescape an event first and to
	// scan it then would take twice as long.
	nested bool
	owner  *Decoder
}

// peek skips white space and returns the byte behind it without taking it, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) && s.text[s.pos] > ' ' && s.text[s.pos] != '\\' {
		return s.text[s.pos]
	}
	return s.peekBeyond()
}

func (s *scanner) peekBeyond() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == ' ', !s.nested && (c == '\n' || c == '\t' || c == '\r'):
			s.pos++
		case s.nested && c == '\\' && s.pos+1 < len(s.text) && isBlank(s.text[s.pos+1]):
			s.pos += 2
		default:
			return c
		}
	}
	return 0
}

// isBlank says whether an escape with that letter stands for white space.
func isBlank(letter byte) bool { return letter == 'n' || letter == 't' || letter == 'r' }

// take skips white space and then takes c, which is no quote. SES and AWS write none, so c is looked for at once.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// open skips white space and then takes the opening quote of a string; when there is none it takes nothing else.
func (s *scanner) open() bool {
	if s.atQuote() || s.peek() != 0 && s.atQuote() {
		if s.nested {
			s.pos++
		}
		s.pos++
		return true
	}
	return false
}

// atQuote says whether the next byte starts a quote.
func (s *scanner) atQuote() bool {
	return s.pos < len(s.text) && closing(s.text, s.pos, s.nested) > 0
}

// more steps to the next member of an object, or element of an array, which ends with end; first is true in front of the
// first one. It returns false when there is no other, or on doubt, which it records in *ok.
func (s *scanner) more(end byte, first bool, ok *bool) bool {
	switch c := s.peek(); {
	case c == ',' && !first:
		s.pos++
		return true
	case c == end:
		s.pos++
		return false
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
	if !s.open() {
		return "", false
	}
	start := s.pos
	if !s.toSpecial() {
		return "", false
	}
	name = s.text[start:s.pos]
	size := closing(s.text, s.pos, s.nested)
	s.pos += size
	return name, size > 0 && s.take(':')
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

// rest takes the rest of a string, behind its opening quote, into *dst.
func (s *scanner) rest(dst *string) bool {
	text, start := s.text, s.pos
	var seen uint64
	for i := start; i+8 <= len(text); i += 8 {
		w := load(text, i)
		stop := special(w)
		if stop == 0 {
			seen |= w
			continue
		}
		k := firstByte(stop)
		i += k
		size := closing(text, i, s.nested)
		if size == 0 {
			break
		}
		seen |= w & (1<<(8*k) - 1)
		s.pos = i + size
		*dst = text[start:i]
		return seen&highBits == 0 || utf8.ValidString(*dst)
	}
	// An escape, or the last bytes of the text.
	value, end, wide, ok := s.owner.text.unescape(text, start, s.nested)
	s.pos, *dst = end, value
	return ok && (!wide || utf8.ValidString(value))
}

// str takes a string, or null for none, into *dst, which must not have been set before.
func (s *scanner) str(dst *string) bool {
	if *dst != "" {
		return false
	}
	if s.open() {
		return s.rest(dst)
	}
	return s.literal("null")
}

// value takes a string into *dst.
func (s *scanner) value(dst *string) bool { return s.open() && s.rest(dst) }

// literal takes a text that must be there as it is, such as null, true or false.
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
	case '"', '\\':
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
		if !s.skipString() || !s.take(':') || !s.skipDeep(depth) {
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

// skipString takes a string that is not read. Bytes outside ASCII and lone surrogates need no look: the strict decoder would
// replace them.
func (s *scanner) skipString() bool {
	if !s.open() {
		return false
	}
	for s.toSpecial() {
		if size := closing(s.text, s.pos, s.nested); size > 0 {
			s.pos += size
			return true
		}
		if !s.skipEscape() {
			return false
		}
	}
	return false
}

func (s *scanner) skipEscape() bool {
	letter, used := escapeLetter(s.text[s.pos:], s.nested)
	switch letter {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		_, used = hex4(s.text[s.pos:], s.nested)
	default:
		return false
	}
	s.pos += used
	return used > 0
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
