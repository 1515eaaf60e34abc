package mail

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

func letter() *Message {
	return &Message{
		From: mail.Address{Name: "Mailvane", Address: "alerts@example.com"},
		To:   []mail.Address{{Name: "Zoë", Address: "zoe@example.org"}, {Address: "grace@example.net"}},
		Text: "Es ist\n.\nüber 0,3 %.\n", HTML: "<p>Es ist\n</p>", Subject: "CampaignComplaints", ID: "0123", Thread: "4567",
		Date: time.Date(2026, 11, 16, 13, 0, 0, 0, time.FixedZone("", 3600)), Urgent: true,
		Fields: []observation.Field{{Name: "X-Mailvane-Severity", Value: "critical"}},
	}
}

// read composes a mail and reads it as a mailbox would.
func read(t testing.TB, m *Message) (header mail.Header, parts map[string]string) {
	t.Helper()
	raw, err := m.Compose()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
			t.Errorf("%q is no line of a mail (RFC 5322, section 2.1.1)", line)
		}
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	parts = make(map[string]string)
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return msg.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Errorf("a part is encoded as %s", got)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		parts[p.Header.Get("Content-Type")] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// names lists the fields of a header.
func names(h mail.Header) (all []string) {
	for name := range h {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestCompose(t *testing.T) {
	m := letter()
	header, parts := read(t, m)
	if diff := cmp.Diff(map[string]string{"text/plain; charset=UTF-8": m.Text, "text/html; charset=UTF-8": m.HTML}, parts); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{
		"From": `"Mailvane" <alerts@example.com>`, "To": "=?utf-8?q?Zo=C3=AB?= <zoe@example.org>, <grace@example.net>",
		"Subject": "CampaignComplaints", "Date": "Mon, 16 Nov 2026 12:00:00 +0000", "Message-Id": "<0123@example.com>",
		"In-Reply-To": "<4567@example.com>", "References": "<4567@example.com>", "Auto-Submitted": "auto-generated",
		"X-Auto-Response-Suppress": "All", "X-Mailvane-Severity": "critical", "Importance": "high", "Mime-Version": "1.0",
		"User-Agent": "", "X-Mailer": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	m.Thread, m.Urgent = "", false
	if header, _ := read(t, m); header.Get("References")+header.Get("In-Reply-To")+header.Get("Importance") != "" {
		t.Errorf("a mail that stands alone has %v", header)
	}
}

func TestNobody(t *testing.T) {
	m := letter()
	m.To = nil
	if _, err := m.Compose(); err == nil {
		t.Error("a mail to nobody was composed")
	}
}

// TestInjection holds that names from outside cannot add fields, recipients or parts.
func TestInjection(t *testing.T) {
	want, _ := read(t, letter())
	for _, hostile := range []string{
		"x\r\nBcc: eve@example.org", "x\nBcc: eve@example.org\n\nhello", "x\r\n\r\n<script>", "\u2028Bcc: a", "=?utf-8?q?=0D=0ABcc:_eve?=",
		strings.Repeat("ж", 300), strings.Repeat("a", 3000), "\x00\x1b[31m", "\xff\xfe", "a\u202egnp", "",
	} {
		m := letter()
		m.Subject, m.Fields[0].Value = hostile, hostile
		m.Text, m.HTML = hostile+"\n--x\r\nContent-Type: text/html", hostile
		m.From.Name, m.To[1].Name = hostile, hostile
		header, parts := read(t, m)
		if diff := cmp.Diff(names(want), names(header)); diff != "" {
			t.Errorf("%q: %s", hostile, diff)
		}
		if len(parts) != 2 {
			t.Errorf("%q makes %d parts", hostile, len(parts))
		}
		to, err := header.AddressList("To")
		if err != nil || len(to) != 2 || to[1].Address != "grace@example.net" {
			t.Errorf("%q: goes to %v, %v", hostile, to, err)
		}
	}
}

// TestImages holds that a mail with images has them beside its text and HTML, under the names by which the HTML shows them.
func TestImages(t *testing.T) {
	m := letter()
	m.HTML = `<img src="cid:chart-1.a" alt="x"><img src="cid:chart-2@example.com">`
	m.Images = []Image{{CID: "chart-1.a", PNG: bytes.Repeat([]byte("\x89PNG\r\n"), 500)}, {CID: "chart-2@example.com", PNG: []byte{0}}}
	raw, err := m.Compose()
	if err != nil {
		t.Fatal(err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/related" {
		t.Fatalf("%s: %v", kind, err)
	}
	var got []string
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		got = append(got, kind+" "+p.Header.Get("Content-ID")+" "+p.Header.Get("Content-Disposition"))
		if kind == "multipart/alternative" {
			continue
		}
		png, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil || !bytes.Equal(png, m.Images[len(got)-2].PNG) {
			t.Errorf("%s has %d bytes, %v", got[len(got)-1], len(png), err)
		}
	}
	want := []string{
		"multipart/alternative  ", `image/png <chart-1.a> inline; filename="chart-1.a.png"`, `image/png <chart-2@example.com> inline; filename="chart-2.png"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, hostile := range []string{"", "a\r\nBcc: b", "a>b", "a@", "a@b@c", "@a", "a b", "ä", strings.Repeat("a", 101)} {
		m.Images = []Image{{CID: hostile}}
		if _, err := m.Compose(); err == nil {
			t.Errorf("an image is called %q", hostile)
		}
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("x\r\nBcc: eve@example.org", "text")
	want, _ := read(f, letter())
	f.Fuzz(func(t *testing.T, name, text string) {
		m := letter()
		m.Subject, m.Fields[0].Value, m.Text, m.HTML = name, name, text, text
		header, parts := read(t, m)
		if diff := cmp.Diff(names(want), names(header)); diff != "" || len(parts) != 2 {
			t.Errorf("%d parts, header %s", len(parts), diff)
		}
	})
}

func TestParseAddress(t *testing.T) {
	good := func(text, name, address string) {
		t.Helper()
		a, err := ParseAddress(text)
		if err != nil || a.Name != name || a.Address != address {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
	good("alerts@example.com", "", "alerts@example.com")
	good("Mailvane <alerts@example.com>", "Mailvane", "alerts@example.com")
	good(`"Mailvane, Inc." <alerts@example.com>`, "Mailvane, Inc.", "alerts@example.com")
	bad := func(text string) {
		t.Helper()
		if a, err := ParseAddress(text); err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
	bad("")
	bad("ada")
	bad("ada@example.com, grace@example.com")
	bad("ada@")
	bad("ada@example.com\r\nBcc: grace@example.com")
	bad(`"a@b"@`)
}
