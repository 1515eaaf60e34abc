package replay

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRedact shows a message inside of an SNS envelope, with a person's name, address and number all over it.
func TestRedact(t *testing.T) {
	event := `{"eventType":"Rendering Trouble","mail":{"destination":["Jane Doe <jane.doe@example.com>","jane.doe@example.com"],` +
		`"commonHeaders":{"subject":"Hello Jane Doe"},"tags":{"campaign":["sale"],"jane.doe@example.com":["x"]}},"bounce":{"diagnosticCode":` +
		`"smtp; 550 5.1.1 <jane.doe@example.com>: user unknown","n":4915112345678,"small":7,"ok":true,"none":null}}`
	text, err := json.Marshal(map[string]string{"Type": "Notification", "Message": event})
	if err != nil {
		t.Fatal(err)
	}
	got := Redact(string(text))
	for _, secret := range []string{"ane", "oe", "@example.com", "4915112345678"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q shows in:\n%s", secret, got)
		}
	}
	for _, kept := range []string{`"eventType": "Rendering Trouble"`, `"sale"`, "550 5.1.1", "user unknown", `"small": 7`, `"<14 characters>"`} {
		if !strings.Contains(got, kept) {
			t.Errorf("%q is missing in:\n%s", kept, got)
		}
	}
}

func TestRedactThatIsNoJSON(t *testing.T) {
	for _, body := range []string{"{\"a\": jane.doe@example.com", "mail to jane.doe@example.com", strings.Repeat("[", 100_000) + "jane.doe@example.com"} {
		if got := Redact(body); strings.Contains(got, "jane") || len(got) > 1000 {
			t.Errorf("%.20q shows as %q", body, got)
		}
	}
}
