package scan

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

// Scanner reads JSON text in one pass. Every method returns false when it is not sure, and then the whole attempt is over:
// there is no error and nothing to undo, because a strict decoder starts from the beginning. Strings that are read alias the
// text or the arena.
type Scanner struct {
	Text string
	// Pos is how much of Text has been read, in bytes.
	Pos int
	// Nested says that the text is read inside a JSON string as it is: see unescape.go. To unescape an event first and to
	// scan it then would take twice as long.
	Nested bool
	// Arena takes the strings that cannot be taken from Text as they are.
	Arena *Arena
}

// Inside returns a Scanner for the JSON text that is a string of this one, of which the opening quote has been read. Behind
// that text, Peek gives the closing quote.
func (s *Scanner) Inside() Scanner {
	return Scanner{Text: s.Text, Pos: s.Pos, Nested: true, Arena: s.Arena}
}

// Peek skips white space and returns the byte behind it without taking it, 0 at the end.
func (s *Scanner) Peek() byte {
	if s.Pos < len(s.Text) && s.Text[s.Pos] > ' ' && s.Text[s.Pos] != '\\' {
		return s.Text[s.Pos]
	}
	return s.peekBeyond()
}

func (s *Scanner) peekBeyond() byte {
	for s.Pos < len(s.Text) {
		switch c := s.Text[s.Pos]; {
		case c == ' ', !s.Nested && (c == '\n' || c == '\t' || c == '\r'):
			s.Pos++
		case s.Nested && c == '\\' && s.Pos+1 < len(s.Text) && isBlank(s.Text[s.Pos+1]):
			s.Pos += 2
		default:
			return c
		}
	}
	return 0
}

// isBlank says whether an escape with that letter stands for white space.
func isBlank(letter byte) bool { return letter == 'n' || letter == 't' || letter == 'r' }

// Take skips white space and then takes c, which is no quote. SES and AWS write none, so c is looked for at once.
func (s *Scanner) Take(c byte) bool {
	if s.Pos < len(s.Text) && s.Text[s.Pos] == c {
		s.Pos++
		return true
	}
	if s.Peek() != c {
		return false
	}
	s.Pos++
	return true
}

// Open skips white space and then takes the opening quote of a string; when there is none it takes nothing else.
func (s *Scanner) Open() bool {
	if s.atQuote() || s.Peek() != 0 && s.atQuote() {
		if s.Nested {
			s.Pos++
		}
		s.Pos++
		return true
	}
	return false
}

// atQuote says whether the next byte starts a quote.
func (s *Scanner) atQuote() bool {
	return s.Pos < len(s.Text) && closing(s.Text, s.Pos, s.Nested) > 0
}

// more steps to the next member of an object, or element of an array, which ends with end; first is true in front of the
// first one. It returns false when there is no other, or on doubt, which it records in *ok.
func (s *Scanner) more(end byte, first bool, ok *bool) bool {
	switch c := s.Peek(); {
	case c == ',' && !first:
		s.Pos++
		return true
	case c == end:
		s.Pos++
		return false
	case c != 0 && first:
		return true
	default:
		*ok = false
		return false
	}
}

// Members reads an object: it calls read for the value of each member. The functions handed to it do not outlive the call,
// so they cost no allocation.
func (s *Scanner) Members(read func(name string) bool) bool {
	if !s.Take('{') {
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

// Elements reads an array: it calls read for each element.
func (s *Scanner) Elements(read func() bool) bool {
	if !s.Take('[') {
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
func (s *Scanner) name() (name string, ok bool) {
	if !s.Open() {
		return "", false
	}
	start := s.Pos
	if !s.toSpecial() {
		return "", false
	}
	name = s.Text[start:s.Pos]
	size := closing(s.Text, s.Pos, s.Nested)
	s.Pos += size
	return name, size > 0 && s.Take(':')
}

// toSpecial moves to the next quote, backslash or control character.
func (s *Scanner) toSpecial() bool {
	text, i := s.Text, s.Pos
	for i+8 <= len(text) {
		if stop := special(load(text, i)); stop != 0 {
			s.Pos = i + firstByte(stop)
			return true
		}
		i += 8
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			s.Pos = i
			return true
		}
	}
	return false
}

// Rest takes the rest of a string, behind its opening quote, into *dst.
func (s *Scanner) Rest(dst *string) bool {
	text, start := s.Text, s.Pos
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
		size := closing(text, i, s.Nested)
		if size == 0 {
			break
		}
		seen |= w & (1<<(8*k) - 1)
		s.Pos = i + size
		*dst = text[start:i]
		return seen&highBits == 0 || utf8.ValidString(*dst)
	}
	// An escape, or the last bytes of the text.
	value, end, wide, ok := s.Arena.unescape(text, start, s.Nested)
	s.Pos, *dst = end, value
	return ok && (!wide || utf8.ValidString(value))
}

// Str takes a string, or null for none, into *dst, which must not have been set before.
func (s *Scanner) Str(dst *string) bool {
	if *dst != "" {
		return false
	}
	if s.Open() {
		return s.Rest(dst)
	}
	return s.Literal("null")
}

// Value takes a string into *dst.
func (s *Scanner) Value(dst *string) bool { return s.Open() && s.Rest(dst) }

// Literal takes a text that must be there as it is, such as null, true or false.
func (s *Scanner) Literal(word string) bool {
	if len(s.Text)-s.Pos < len(word) || s.Text[s.Pos:s.Pos+len(word)] != word {
		return false
	}
	s.Pos += len(word)
	return true
}

// Boolean takes true or false.
func (s *Scanner) Boolean(dst *bool) bool {
	*dst = s.Peek() == 't'
	if *dst {
		return s.Literal("true")
	}
	return s.Literal("false")
}

// maxDigits is how many digits a whole number may have to be taken here.
const maxDigits = 15

// Integer takes a whole number that is not negative. A fraction or an exponent behind it stops whoever reads on.
func (s *Scanner) Integer(dst *int64) bool {
	first := s.Peek()
	start := s.Pos
	digits := s.skipDigits()
	if digits == 0 || digits > maxDigits || first == '0' && digits > 1 {
		return false
	}
	*dst = 0
	for _, c := range []byte(s.Text[start:s.Pos]) {
		*dst = *dst*10 + int64(c-'0')
	}
	return true
}

// maxSkip bounds how deep a value may nest that is not read. It stays far under maxDepth, wherever the value stands.
const maxSkip = 8

// Skip takes a value of any type that is not read. It still checks its grammar, as the strict decoder would.
func (s *Scanner) Skip() bool { return s.skipDeep(maxSkip) }

func (s *Scanner) skipDeep(depth int) bool {
	switch s.Peek() {
	case '"', '\\':
		return s.skipString()
	case '{':
		return depth > 0 && s.skipObject(depth-1)
	case '[':
		return depth > 0 && s.skipArray(depth-1)
	case 'n':
		return s.Literal("null")
	case 't':
		return s.Literal("true")
	case 'f':
		return s.Literal("false")
	default:
		return s.skipNumber()
	}
}

func (s *Scanner) skipObject(depth int) bool {
	s.Pos++
	ok := true
	for first := true; s.more('}', first, &ok); first = false {
		if !s.skipString() || !s.Take(':') || !s.skipDeep(depth) {
			return false
		}
	}
	return ok
}

func (s *Scanner) skipArray(depth int) bool {
	s.Pos++
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
func (s *Scanner) skipString() bool {
	if !s.Open() {
		return false
	}
	for s.toSpecial() {
		if size := closing(s.Text, s.Pos, s.Nested); size > 0 {
			s.Pos += size
			return true
		}
		if !s.skipEscape() {
			return false
		}
	}
	return false
}

func (s *Scanner) skipEscape() bool {
	letter, used := escapeLetter(s.Text[s.Pos:], s.Nested)
	switch letter {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		_, used = hex4(s.Text[s.Pos:], s.Nested)
	default:
		return false
	}
	s.Pos += used
	return used > 0
}

// skipNumber takes a number (RFC 8259, section 6).
func (s *Scanner) skipNumber() bool {
	if s.Pos < len(s.Text) && s.Text[s.Pos] == '-' {
		s.Pos++
	}
	start := s.Pos
	if digits := s.skipDigits(); digits == 0 || digits > 1 && s.Text[start] == '0' {
		return false
	}
	if s.Pos < len(s.Text) && s.Text[s.Pos] == '.' {
		s.Pos++
		if s.skipDigits() == 0 {
			return false
		}
	}
	if s.Pos < len(s.Text) && s.Text[s.Pos]|0x20 == 'e' {
		s.Pos++
		if s.Pos < len(s.Text) && (s.Text[s.Pos] == '+' || s.Text[s.Pos] == '-') {
			s.Pos++
		}
		return s.skipDigits() > 0
	}
	return true
}

func (s *Scanner) skipDigits() int {
	start := s.Pos
	for s.Pos < len(s.Text) && '0' <= s.Text[s.Pos] && s.Text[s.Pos] <= '9' {
		s.Pos++
	}
	return s.Pos - start
}
