package publish

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/outlet/folder"
	"github.com/mailvane/mailvane/internal/outlet/s3"
	"github.com/mailvane/mailvane/internal/outlet/slack"
	"github.com/mailvane/mailvane/internal/outlet/smtp"
	"github.com/mailvane/mailvane/internal/outlet/webhook"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/simulator/pager"
	simulateds3 "github.com/mailvane/mailvane/internal/simulator/s3"
	simulatedsmtp "github.com/mailvane/mailvane/internal/simulator/smtp"
)

// hostile is a name that somebody chose to break what shows it.
const hostile = "=cmd|' /C calc'!A0 <!channel> *b* \"'><script>alert(1)</script>\r\nBcc: eve@example.org"

// issued is a report of an owner with a hostile name, and about a campaign of that name.
func issued(name string) *Issue {
	return &Issue{
		Number: 7, Plan: "weekly", Due: monday, Edition: 2, Link: "https://mailvane.example.com" + reportPath(7),
		Report: &report.Report{
			Format: 1, Period: report.Week(monday, time.UTC).Previous(), Owner: name, MadeAt: monday, AsOf: monday,
			Sentences: []string{"The campaign " + name + " was reported by 1 in 100.", "All else went well."},
			Actions: []report.Action{{
				Level: report.LevelUrgent, About: report.AboutCampaign, Subject: name, Tenant: name, Owner: name, Stop: true,
				Title: "It is " + name, Why: "Because of " + name + ".", Sure: "It is.", Do: "Stop it.",
			}},
		},
	}
}

// receivers are Slack and a receiver of webhooks.
func receivers(t *testing.T) (server *pager.Server, address string) {
	t.Helper()
	server = pager.New(pager.Options{WebhookKeys: [][]byte{bytes.Repeat([]byte{1}, 32)}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		endpoint.Close()
	})
	return server, endpoint.URL
}

func secret(text string) func() (string, error) { return func() (string, error) { return text, nil } }

func TestToFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reports")
	i := issued(hostile)
	formats := report.Formats()
	for range 2 { // a repeated delivery leaves the same files
		if err := ToFolder(folder.New("dir", path), formats).Deliver(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != len(formats) {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, f := range formats {
		var want bytes.Buffer
		if err := report.Write(&want, i.Report, f); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(path, fileName("weekly", hostile, "2026-W46", 2, f)))
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, %v", f, len(got), err)
		}
	}
}

func TestToBucket(t *testing.T) {
	server := simulateds3.New(simulateds3.Options{Account: "123456789012", Buckets: []simulateds3.Bucket{{Name: "reports"}}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(endpoint.Close)
	b, err := s3.New(s3.Options{Notifier: "s3", Bucket: "reports", AWS: aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, key := range map[string]string{"": "", "mail": "mail/", "mail/x/": "mail/x/"} {
		if err := ToBucket(b, prefix, []report.Format{report.FormatJSON}).Deliver(t.Context(), issued("growth")); err != nil {
			t.Fatal(err)
		}
		o := server.Object("reports", key+"weekly_2026-W46.2_growth.json")
		if r, err := report.Parse(bytes.NewReader(o.Data)); err != nil || r.Owner != "growth" || o.ContentType != "application/json" {
			t.Errorf("%q: %d bytes of %s, %v", prefix, len(o.Data), o.ContentType, err)
		}
	}
	if err := ToBucket(b, "", []report.Format{report.FormatCSV}).Deliver(t.Context(), issued(hostile)); err != nil {
		t.Error(err)
	}
}

func TestToSlack(t *testing.T) {
	server, address := receivers(t)
	out := ToSlack(slack.New(slack.Options{Notifier: "slack", URL: secret(address + pager.SlackPath + "T0/B0/secret")}))
	if err := out.Deliver(t.Context(), issued(hostile)); err != nil {
		t.Fatal(err)
	}
	post := server.Posts()[0]
	all := post.Text + "\n" + strings.Join(post.Texts, "\n")
	if !strings.Contains(all, "<https://mailvane.example.com/api/v1/reports/7?format=html|The whole report>") || !strings.Contains(all, "All else went well.") {
		t.Errorf("posted:\n%s", all)
	}
	for _, markup := range []string{"<!channel>", "*b*", "<script>"} {
		if strings.Contains(all, markup) {
			t.Errorf("a name is taken for markup:\n%s", all)
		}
	}
}

func TestToWebhook(t *testing.T) {
	server, address := receivers(t)
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	out := ToWebhook(webhook.New(webhook.Options{Notifier: "hook", URL: secret(address + pager.WebhookPath), Key: secret(key)}))
	i := issued("growth")
	for range 2 {
		if err := out.Deliver(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	first, second := server.Deliveries()[0], server.Deliveries()[1]
	if first.Repeated || !second.Repeated || first.ID != i.id() {
		t.Errorf("a repeated delivery has the ids %s and %s", first.ID, second.ID)
	}
	var got hook
	if err := json.Unmarshal(first.Body, &got); err != nil {
		t.Fatal(err)
	}
	whole, err := report.Parse(bytes.NewReader(got.Report))
	if err != nil || whole.Owner != "growth" || got.Type != "report" || got.Edition != 2 || got.Number != 7 || got.Brief.Title == "" {
		t.Errorf("%s, %v", first.Body, err)
	}
	// What is too large leaves the report out, and is found by its link.
	i = issued("editorial")
	for range maxHook / 20 {
		i.Report.Unknown = append(i.Report.Unknown, report.Note{})
	}
	if err := out.Deliver(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	got = hook{}
	if err := json.Unmarshal(server.Deliveries()[2].Body, &got); err != nil || got.Report != nil || got.Link == "" || got.ID == first.ID {
		t.Errorf("%d bytes, %v", len(server.Deliveries()[2].Body), err)
	}
}

// part is a part of a mail.
type part struct {
	kind, cid string
	body      []byte
}

// parts takes a mail apart as a mailbox would.
func parts(t *testing.T, contentType, encoding, cid string, body io.Reader) (all []part) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		switch encoding {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return []part{{kind, strings.Trim(cid, "<>"), data}}
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parts(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Id"), p)...)
	}
}

var cidForm = regexp.MustCompile(`cid:([A-Za-z0-9.@-]+)`)

// TestToMail has a mail server take a report, and reads it as a mailbox does.
func TestToMail(t *testing.T) {
	server, err := simulatedsmtp.Start(t.Context(), simulatedsmtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	sender, err := smtp.New(smtp.Options{Notifier: "email", Address: server.Address(), Security: smtp.NoTLS})
	if err != nil {
		t.Fatal(err)
	}
	out := ToMail(sender, netmail.Address{Name: "Mailvane", Address: "mailvane@example.com"}, []netmail.Address{{Address: "grace@example.com"}})
	for range 2 {
		if err := out.Deliver(t.Context(), issued(hostile)); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, m := range server.Mails() {
		msg, err := netmail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, msg.Header.Get("Message-Id"))
		subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || !strings.HasPrefix(subject, "Stop =cmd|' /C calc'!A0 <!channel>") || strings.ContainsAny(subject, "\r\n") {
			t.Errorf("the subject is %q, %v", subject, err)
		}
		if msg.Header.Get("Bcc") != "" || !strings.Contains(msg.Header.Get("Date"), "16 Nov 2026 08:00:00") || len(m.To) != 1 {
			t.Errorf("to %v with %v", m.To, msg.Header)
		}
		checkImages(t, parts(t, msg.Header.Get("Content-Type"), "", "", msg.Body))
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("a repeated delivery has the ids %q", ids)
	}
}

// checkImages holds that a mail has a text, HTML that loads nothing, and exactly the images that the HTML shows.
func checkImages(t *testing.T, all []part) {
	t.Helper()
	images := make(map[string]bool)
	var html, text string
	for _, p := range all {
		switch p.kind {
		case "text/html":
			html = string(p.body)
		case "text/plain":
			text = string(p.body)
		case "image/png":
			if !bytes.HasPrefix(p.body, []byte("\x89PNG\r\n\x1a\n")) {
				t.Errorf("%s is no PNG", p.cid)
			}
			images[p.cid] = true
		default:
			t.Errorf("a part is %s", p.kind)
		}
	}
	shown := make(map[string]bool)
	for _, m := range cidForm.FindAllStringSubmatch(html, -1) {
		shown[m[1]] = true
		if !images[m[1]] {
			t.Errorf("the HTML shows %s, which is not there", m[1])
		}
	}
	if strings.Contains(text, "\nBcc:") {
		t.Errorf("a name begins a line of its own:\n%s", text)
	}
	if len(shown) != len(images) || len(text) < 20 || strings.Contains(html, "src=\"http") || strings.Contains(html, "<script>alert") {
		t.Errorf("%d images, of which %d are shown; text %q", len(images), len(shown), text)
	}
}

// TestNothingIsSecret holds that errors of destinations go to the ledger in one line of bounded length.
func TestNothingIsSecret(t *testing.T) {
	got := inShort(&alerts.DeliveryError{Notifier: "x", Err: os.ErrPermission})
	if got != "notify x: : permission denied" {
		t.Errorf("%q", got)
	}
	long := inShort(errText(strings.Repeat("ä\n\x00", 1000)))
	if len(long) > maxError+len("…") || strings.ContainsAny(long, "\n") || inShort(nil) != "" {
		t.Errorf("%q", long)
	}
}

type errText string

func (e errText) Error() string { return string(e) }
