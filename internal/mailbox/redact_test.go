package mailbox

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestRedact(t *testing.T) {
	tests := []struct {
		name, text, want string
		recipients       []string
	}{
		{"bracketed", "smtp; 550 5.1.1 <jane@example.com>... User unknown", "smtp; 550 5.1.1 <@>... User unknown", nil},
		{"bare", "550 5.1.1 jane.doe+tag@mail.example.com: not here", "550 5.1.1 <@>: not here", nil},
		{"in parentheses", "550 No such user (jane@example.com)", "550 No such user (<@>)", nil},
		{"quoted local part", `550 "jane doe"@example.com unknown`, "550 <@> unknown", nil},
		{"address literal", "550 jane@[192.0.2.7] unknown", "550 <@> unknown", nil},
		{"return path", "550 bounces+jane=example.com@send.example.org rejected", "550 <@> rejected", nil},
		{"return path without its domain", "550 bounces+jane=example.com rejected", "550 <@> rejected", nil},
		{"tag validation", "550 prvs=0123abcdef=jane@example.com rejected", "550 <@> rejected", nil},
		{"quoted printable", "550 jane=3Dexample.com and jane=40example.com", "550 <@> and <@>", nil},
		{"percent", "550 see https://example.net/u/jane%40example.com", "550 see https:<@>", nil},
		{"wide at", "550 jane＠example.com", "550 <@>", nil},
		{"international", "550 жанна@пример.example gone", "550 <@> gone", nil},
		{"two", "550 jane@example.com,joe@example.org", "550 <@>,<@>", nil},
		{"recipient's local part alone", "550 Jane.Doe is not here; mailbox /var/jane.doe/new", "550 <@> is not here; mailbox /var/<@>/new", []string{"jane.doe@example.com"}},
		{"short local part stays", "550 jd is not here", "550 jd is not here", []string{"jd@example.com"}},
		{"several recipients", "550 jane and joe.s", "550 <@> and <@>", []string{"jane@example.com", "joe.s@example.com"}},
		{"codes stay", "421 4.7.28 [TSS04] (S3150) RP-001 5.7.606", "421 4.7.28 [TSS04] (S3150) RP-001 5.7.606", nil},
		{"IPv4", "550 5.7.1 [192.0.2.7] and 192.0.2.8: blocked.", "550 5.7.1 [<ip>] and <ip>: blocked.", nil},
		{"IPv4 and port", "450 192.0.2.7:25 refused", "450 <ip>:25 refused", nil},
		{"IPv6", "550 [IPv6:2001:db8::1] 2001:db8:0:0:0:0:0:2: no PTR", "550 [IPv6:<ip>] <ip>: no PTR", nil},
		{"query", "550 see https://example.com/help?p=NoSuchUser&e=jane@example.com now", "550 see https://example.com/help?<#> now", nil},
		{"question", "550 who are you? go away", "550 who are you? go away", nil},
		{"gmail ids", "550 5.1.1 gone d2e1a72fcca58-7aee1a2b3c4dmr8371.59.1763 - gsmtp", "550 5.1.1 gone <#>.59.<#> - gsmtp", nil},
		{"exchange", "550 5.7.1 Rejected. AS(201806281) [BN8NAM12FT046.eop-nam12.prod.protection.outlook.com 2026-11-22T10:00:00.123Z 08DD1A2B3C4D5E6F]",
			"550 5.7.1 Rejected. AS(<#>) [<#>.eop-nam12.prod.protection.outlook.com <#>:00:00.123Z <#>]", nil},
		{"controls and blanks", " 550\r\n5.1.1\t\x00user\u200bunknown \x1b[31m ", "550 5.1.1 userunknown [31m", nil},
		{"invalid UTF-8", "550 \xff\xfeno", "550 no", nil},
		{"long word", "550 " + strings.Repeat("x.", 60), "550 <#>", nil},
		{"empty", "", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Redact(tt.text, tt.recipients...); got != tt.want {
				t.Errorf("Redact(%q)\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestRedactCutsAtAWord(t *testing.T) {
	got := Redact("550 " + strings.Repeat("größer ", 100))
	if len(got) > maxRedacted || len(got) < maxRedacted-len("größer ") || !strings.HasSuffix(got, "größer") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// localAndAt finds an '@' with something before it that may be a local part.
var localAndAt = regexp.MustCompile(`[^\s<>()\[\],;:"]@|"@`)

func FuzzRedact(f *testing.F) {
	for _, text := range []string{
		"smtp; 550 5.1.1 <jane@example.com>... User unknown", `"jane doe"@example.com`, "jane=3Dexample.com",
		"https://example.com/?a=b&c=jane@example.com", "2001:db8::1 192.0.2.1.", "a=<b@c>=d.e", "1.2.3.4.5-12345.6",
	} {
		f.Add(text, "jane@example.com")
	}
	f.Fuzz(func(t *testing.T, text, recipient string) {
		got := Redact(text, recipient)
		if !utf8.ValidString(got) || len(got) > maxRedacted {
			t.Fatalf("%d bytes, valid %t", len(got), utf8.ValidString(got))
		}
		if strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(got, "  ") {
			t.Fatalf("control character or blanks in %q", got)
		}
		if at := localAndAt.FindString(got); at != "" {
			t.Fatalf("%q is left in %q", at, got)
		}
		local := plain(recipient)
		if at := strings.LastIndexByte(local, '@'); at >= 0 {
			local = strings.Trim(local[:at], `"`)
		}
		for _, secret := range []string{plain(recipient), local} {
			if len(secret) >= minLocal && !strings.ContainsAny(secret, `<>@"`) &&
				strings.Contains(strings.ToLower(got), strings.ToLower(secret)) {
				t.Fatalf("%q is left in %q", secret, got)
			}
		}
		if again := Redact(got, recipient); again != got {
			t.Fatalf("redacted twice:\n%q\n%q", got, again)
		}
	})
}
