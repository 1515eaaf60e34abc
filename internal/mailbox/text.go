package mailbox

import "unicode/utf8"

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isAlnum(b byte) bool { return isDigit(b) || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }

// isLocal says whether b may stand in the unquoted local part of an address as replies print them. It leaves out '/', '='
// and '?', which rather belong to a path or a parameter before the address.
func isLocal(b byte) bool {
	return isAlnum(b) || b >= utf8.RuneSelf || b == '.' || b == '_' || b == '-' || b == '+' || b == '!' || b == '#' ||
		b == '$' || b == '%' || b == '&' || b == '*' || b == '^' || b == '{' || b == '|' || b == '}' || b == '~'
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// hasPrefixFold is strings.HasPrefix without case; prefix is in lower case.
func hasPrefixFold(text, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(text[i]) != prefix[i] {
			return false
		}
	}
	return true
}

// clip cuts text to at most n bytes, between runes.
func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

func clipBytes(text []byte, n int) []byte { return text[:min(n, len(text))] }
