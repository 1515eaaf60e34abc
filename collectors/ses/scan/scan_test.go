package scan_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/collectors/ses/scan"
)

// FuzzUnescape compares with the standard library, which replaces what the scanner leaves to the strict decoder.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{
		``, `plain`, `\n\t\r\b\f\/\\\"`, `\u00e9\u4e2d`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\ud83dx`, `\u12`, `\x`, "\x01",
		`é and 中 in the raw`, "\xff\xfe", `0123456\"`, `01234567`, `\\\\\\`, `ends with a backslash\`, "\xed\xa0\x80", `"000`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, inside string) {
		literal := `"` + inside + `"`
		var want string
		valid := json.Unmarshal([]byte(literal), &want) == nil
		nested := quote(literal)[1:] // up to the quote that ends the message
		for name, s := range map[string]scan.Scanner{
			"plain":  {Text: literal, Arena: new(scan.Arena)},
			"nested": {Text: nested, Nested: true, Arena: new(scan.Arena)},
		} {
			var got string
			end := len(s.Text)
			if s.Nested {
				end--
			}
			ok := s.Value(&got) && s.Pos == end
			if ok && (!valid || got != want) {
				t.Errorf("%s: %q is read as %q, want %q (valid: %v)", name, literal, got, want, valid)
			}
			// What is plainly valid must not be left to the strict decoder.
			if !ok && valid && !strings.Contains(want, "\uFFFD") {
				t.Errorf("%s: %q is not read", name, literal)
			}
		}
	})
}

// quote writes a JSON string, with bytes outside ASCII as they are.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c < ' ':
			out.WriteString(`\u00` + strconv.FormatInt(int64(c)+0x100, 16)[1:])
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
