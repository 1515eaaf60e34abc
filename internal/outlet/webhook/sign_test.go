package webhook

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestSignature holds the signature against the example of the specification
// (https://github.com/standard-webhooks/standard-webhooks, libraries/go, TestWebhookSign).
func TestSignature(t *testing.T) {
	keys, err := parseKeys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParseKeys(t *testing.T) {
	key := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	f := func(text string, want int) {
		t.Helper()
		if keys, err := parseKeys(text); len(keys) != want || (err == nil) != (want > 0) || err != nil && !strings.Contains(err.Error(), "openssl rand") {
			t.Errorf("%q: %d keys, %v", text, len(keys), err)
		}
	}
	f(key(24), 1)
	f(keyPrefix+key(64)+"\n"+key(32), 2)
	f("", 0)
	f(key(23), 0)
	f(key(65), 0)
	f("no base64", 0)
	f(strings.Repeat(key(24)+" ", maxKeys+1), 0)
}
