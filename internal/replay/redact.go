package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mailvane/mailvane/internal/mailbox"
)

// maxInner is how many texts that are JSON themselves are opened inside each other: SNS puts an event into a text, and an
// envelope may stand around that.
const maxInner = 3

// Redact makes a message fit to be shown: JSON keeps its structure, and what may be personal is replaced. Of what is no
// JSON an extract is left.
func Redact(body string) string {
	value, ok := parseJSON(body)
	if !ok {
		return mailbox.Redact(body)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(redactValue("", value, maxInner)); err != nil {
		return mailbox.Redact(body)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func parseJSON(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return nil, false
	}
	_, err := d.Token()
	return value, err == io.EOF
}

// redactValue redacts what stands under a key.
func redactValue(key string, value any, inner int) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[mailbox.Redact(key)] = redactValue(key, item, inner)
		}
		return out
	case []any:
		for i := range v {
			v[i] = redactValue(key, v[i], inner)
		}
		return v
	case string:
		if strings.HasPrefix(strings.TrimSpace(v), "{") && inner > 0 {
			if parsed, ok := parseJSON(v); ok {
				return redactValue(key, parsed, inner-1)
			}
		}
		return redactText(key, v)
	case json.Number:
		if short := mailbox.Redact(v.String()); short != v.String() {
			return short
		}
		return v
	default:
		return v
	}
}

// told are the keys whose texts are written by machines: types and replies. Others, such as a subject, may hold a name.
var told = map[string]bool{
	"eventType": true, "notificationType": true, "Type": true, "detail-type": true,
	"diagnosticCode": true, "smtpResponse": true, "reason": true, "errorMessage": true,
}

// redactText leaves single words and what machines wrote, both without what identifies a person, and only the length of
// anything else.
func redactText(key, text string) string {
	if told[key] || !strings.ContainsAny(text, " \t\r\n") {
		return mailbox.Redact(text)
	}
	return fmt.Sprintf("<%d characters>", utf8.RuneCountInString(text))
}
