package mailbox

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Redact puts in the place of what it takes out. They hold no word, so that they hold nobody's local part either.
const (
	markAddress = "<@>"
	markID      = "<#>"
	markIP      = "<ip>"
)

// maxRedacted is the length of a redacted text, and maxWord that of one word in it, in bytes.
const (
	maxRedacted = 300
	maxWord     = 100
)

// minLocal is the least length of a recipient's local part that is looked for by itself.
const minLocal = 3

// Redact returns a reply in a form that may be kept and shown, and in which replies that differ only in whom and what they
// speak of are the same. It replaces addresses (also in angle brackets, quoted, or encoded in another address), IP
// addresses, identifiers, numbers of four digits and more, the query of URLs, and the local parts of the recipients
// wherever they stand; it removes control characters, collapses blanks, and cuts at 300 bytes.
//
// Of a text it looks at the first 4 kB. Redacting twice gives the same as redacting once.
func Redact(text string, recipients ...string) string {
	text = plain(clip(text, maxText))
	text = redactQueries(text)
	text = redactAddresses(text)
	for _, recipient := range recipients {
		text = redactRecipient(text, plain(recipient))
	}
	text = redactTokens(text)
	return shorten(text)
}

// plain drops what does not show (control and format characters, invalid bytes) and collapses blanks.
func plain(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	blank := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case r == utf8.RuneError || !unicode.IsGraphic(r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// redactQueries replaces what follows a '?' up to the next blank or bracket, when it holds parameters.
func redactQueries(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '?')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i+1])
		text = text[i+1:]
		end := strings.IndexAny(text, " <>\"")
		if end < 0 {
			end = len(text)
		}
		if strings.ContainsAny(text[:end], "=%&") {
			b.WriteString(markID)
			text = text[end:]
		}
	}
}

// redactAddresses replaces whatever is joined by an '@', or by what stands for one inside another address: its quoted
// printable or percent encoding, or the '=' of a variable envelope return path (jane=example.com).
func redactAddresses(text string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		n := atSign(text, i)
		if n == 0 {
			continue
		}
		start := localStart(text[:i], done)
		if start == i || text[i] == '=' && n == 1 && i-start < minLocal {
			continue
		}
		end := i + n
		for end < len(text) && !isStop(text[end]) {
			end++
		}
		if end < len(text) && text[end] == '[' { // An address literal, jane@[192.0.2.1].
			if closing := strings.IndexByte(text[end:], ']'); closing >= 0 && closing < 64 {
				end += closing + 1
			}
		}
		if start > done && text[start-1] == '<' && end < len(text) && text[end] == '>' {
			start, end = start-1, end+1
		}
		b.WriteString(text[done:start])
		b.WriteString(markAddress)
		done, i = end, end-1
	}
	b.WriteString(text[done:])
	return b.String()
}

// atSign returns the length of what joins a local part to a domain at i, 0 when nothing there does.
func atSign(text string, i int) int {
	switch rest := text[i:]; {
	case rest[0] == '@' || strings.HasPrefix(rest, "＠"):
		_, n := utf8.DecodeRuneInString(rest)
		return n
	case rest[0] != '=' && rest[0] != '%':
		return 0
	case len(rest) > 3 && (hasPrefixFold(rest[1:], "40") || rest[0] == '=' && hasPrefixFold(rest[1:], "3d")) && !isDigit(rest[3]):
		return 3
	case rest[0] == '=' && startsWithDomain(rest[1:]):
		return 1
	}
	return 0
}

// startsWithDomain says whether text starts with a name of two labels or more whose last is no number.
func startsWithDomain(text string) bool {
	end, dot := 0, -1
	for end < len(text) && (isAlnum(text[end]) || text[end] == '-' || text[end] == '.' || text[end] >= utf8.RuneSelf) {
		if text[end] == '.' && end+1 < len(text) && (isAlnum(text[end+1]) || text[end+1] >= utf8.RuneSelf) {
			dot = end
		}
		end++
	}
	return dot > 0 && !isDigit(text[dot+1])
}

// localStart returns where the local part that ends text starts, not before least.
func localStart(text string, least int) int {
	i := len(text)
	for i > least {
		if text[i-1] == '"' {
			opening := strings.LastIndexByte(text[least:i-1], '"')
			if opening < 0 {
				return i - 1
			}
			i = least + opening
			continue
		}
		if isStop(text[i-1]) {
			break
		}
		i--
	}
	return i
}

// isStop says whether b ends an address to the left and to the right.
func isStop(b byte) bool { return strings.IndexByte(" <>()[],;:\"", b) >= 0 }

// redactRecipient replaces the address of a recipient and its local part. Parts shorter than minLocal stay: they are no
// names, and too many words hold them.
func redactRecipient(text, recipient string) string {
	local := recipient
	if at := strings.LastIndexByte(recipient, '@'); at >= 0 {
		local = strings.Trim(recipient[:at], `"`)
	}
	if len(local) < minLocal || strings.ContainsAny(local, "<>") {
		return text
	}
	var b strings.Builder
	for text != "" {
		if n := prefixFold(text, local); n > 0 {
			b.WriteString(markAddress)
			text = text[n:]
			continue
		}
		_, n := utf8.DecodeRuneInString(text)
		b.WriteString(text[:n])
		text = text[n:]
	}
	return b.String()
}

// prefixFold returns the length of text's prefix that equals prefix without case, 0 when there is none.
func prefixFold(text, prefix string) int {
	n := 0
	for _, want := range prefix {
		got, size := utf8.DecodeRuneInString(text[n:])
		if size == 0 || unicode.ToLower(got) != unicode.ToLower(want) {
			return 0
		}
		n += size
	}
	return n
}

// redactTokens replaces IP addresses and identifiers.
func redactTokens(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		if !isToken(c) && c != ':' {
			b.WriteByte(c)
			i++
			continue
		}
		if n := ipLength(text, i); n > 0 {
			b.WriteString(markIP)
			i += n
			continue
		}
		if c == ':' {
			b.WriteByte(c)
			i++
			continue
		}
		end := i
		for end < len(text) && (isToken(text[end]) || end+1 < len(text) && isJoint(text[end]) && isToken(text[end+1])) {
			end++
		}
		if isIdentifier(text[i:end]) {
			b.WriteString(markID)
		} else {
			b.WriteString(text[i:end])
		}
		i = end
	}
	return b.String()
}

func isToken(b byte) bool { return isAlnum(b) || b >= utf8.RuneSelf }

// isJoint says whether b joins the pieces of one identifier.
func isJoint(b byte) bool { return b == '-' || b == '_' || b == '=' || b == '+' }

// ipLength returns the length of the IP address that starts at i, 0 when none does. An IPv6 address begins a word or
// follows the tag of an address literal (RFC 5321 section 4.1.3).
func ipLength(text string, i int) int {
	inWord := i > 0 && (isToken(text[i-1]) || text[i-1] == '.' || text[i-1] == '>' && text[i] == ':')
	afterColon := i > 0 && text[i-1] == ':' && !(i >= 5 && hasPrefixFold(text[i-5:], "ipv6:"))
	if inWord {
		return 0
	}
	n, colons, digits := 0, 0, 0
	for i+n < len(text) && n < 46 && isAddressByte(text[i+n]) {
		if text[i+n] == ':' {
			colons++
		} else if text[i+n] != '.' {
			digits++
		}
		n++
	}
	rest := text[i+n:]
	if digits == 0 || rest != "" && isToken(rest[0]) || colons > 1 && afterColon {
		return 0
	}
	candidate := strings.TrimRight(text[i:i+n], ".")
	if colons == 1 {
		candidate, _, _ = strings.Cut(candidate, ":") // A port, or the end of a clause.
	} else if !strings.HasSuffix(candidate, "::") {
		candidate = strings.TrimSuffix(candidate, ":")
	}
	// What leads on to something replaced was the start of something longer.
	if strings.HasPrefix(rest, "<") && (text[i+n-1] == '.' || text[i+n-1] == ':' && colons > 1) {
		return 0
	}
	if _, err := netip.ParseAddr(candidate); err != nil {
		return 0
	}
	return len(candidate)
}

// isAddressByte says whether b may stand in an IP address.
func isAddressByte(b byte) bool {
	return isDigit(b) || b == '.' || b == ':' || 'a' <= lower(b) && lower(b) <= 'f'
}

// isIdentifier says whether a token is one that changes from reply to reply: one of its pieces is a number of four digits
// or more, or letters and digits mixed as no word does, or longer than any word. Reply codes, enhanced statuses and the
// short codes of providers (TSS04, S3150, RP-001) are none.
func isIdentifier(token string) bool {
	for len(token) > 0 {
		end := strings.IndexAny(token, "-_=+")
		if end < 0 {
			end = len(token)
		}
		if isOpaque(token[:end]) {
			return true
		}
		token = token[min(end+1, len(token)):]
	}
	return false
}

func isOpaque(piece string) bool {
	digits, changes := 0, 0
	for i := range len(piece) {
		if isDigit(piece[i]) {
			digits++
		}
		if i > 0 && isDigit(piece[i]) != isDigit(piece[i-1]) {
			changes++
		}
	}
	switch {
	case digits == 0:
		return len(piece) >= 32
	case digits == len(piece):
		return digits >= 4
	default:
		return len(piece) >= 8 && (digits >= 4 || changes >= 2) || len(piece) >= 12
	}
}

// shorten replaces words that are too long to be any, and cuts the text after the last whole word that fits, so that no
// half of a word is left to be understood as something else.
func shorten(text string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(text, " ") {
		if len(word) > maxWord {
			word = markID
		}
		if b.Len()+1+len(word) > maxRedacted {
			break
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}
