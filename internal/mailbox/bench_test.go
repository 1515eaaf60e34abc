package mailbox

import (
	"strings"
	"testing"
)

func BenchmarkReason(b *testing.B) {
	c := newClassifier(b)
	all := replies(b)
	in := make([]Reply, len(all))
	for i, r := range all {
		in[i] = Reply{Provider: c.Provider(r.domain), Diagnostic: r.text, BounceType: "Permanent", BounceSubType: "General"}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Reason(in[i%len(in)])
		i++
	}
}

func BenchmarkReasonOfLongestText(b *testing.B) {
	c := newClassifier(b)
	r := Reply{Provider: "gmail", Diagnostic: "550 " + strings.Repeat("user unknown ", maxText/13)}
	b.ReportAllocs()
	for b.Loop() {
		c.Reason(r)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newClassifier(b)
	}
}

func BenchmarkProvider(b *testing.B) {
	c := newClassifier(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Provider("hotmail.co.uk")
	}
}

func BenchmarkPlatformOf(b *testing.B) {
	c := newClassifier(b)
	b.ReportAllocs()
	for b.Loop() {
		c.PlatformOf("shop.example", "250 2.0.0 Ok: queued as 4XyZ1234567890abcdef on mx1.shop.example")
	}
}

func BenchmarkRedact(b *testing.B) {
	const text = "smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated. 550-5.7.26 <jane@example.com> " +
		"550-5.7.26 [192.0.2.7] 550 5.7.26 https://support.google.com/mail/answer/81126?hl=en d2e1a72fcca58-7aee1a2b3c4dmr8371 - gsmtp"
	b.ReportAllocs()
	for b.Loop() {
		Redact(text, "jane@example.com")
	}
}
