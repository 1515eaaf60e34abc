package campaign

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is the longest name, in bytes: what SES allows for a tag's value.
	maxName = 256
	// maxValue bounds the work on a value before its name is cut out of it.
	maxValue = 4 * maxName
)

// clean makes a value fit to be a name, or to be searched for one: valid UTF-8 without control characters (a folded
// header has some) or surrounding blanks, of at most maxName bytes. It does not allocate for a value that already is.
func clean(value string) string {
	value = cut(strings.TrimSpace(value), maxValue)
	if !fit(value) {
		value = strings.TrimSpace(strings.Map(printable, value))
	}
	return strings.TrimSpace(cut(value, maxName))
}

func fit(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] >= utf8.RuneSelf || value[i] == 0x7f {
			return utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl)
		}
	}
	return true
}

// printable maps control characters to blanks; strings.Map itself replaces what is no UTF-8.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// cut shortens a value to at most so many bytes without leaving part of a character.
func cut(value string, length int) string {
	if len(value) <= length {
		return value
	}
	for length > 0 && !utf8.RuneStart(value[length]) {
		length--
	}
	return value[:length]
}
