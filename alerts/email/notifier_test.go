package email

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/outlet/smtp"
	server "github.com/mailvane/mailvane/internal/simulator/smtp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// box keeps mails, or fails.
type box struct {
	err   error
	mails []*mail.Message
}

func (b *box) Send(_ context.Context, m *mail.Message) error {
	b.mails = append(b.mails, m)
	return b.err
}

// read reads a notification of testdata.
func read(t testing.TB, name string) *alerts.Notification {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/notifications", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var n alerts.Notification
	if err := json.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	return &n
}

func newNotifier(t testing.TB, s Sender) *Notifier {
	t.Helper()
	e, err := New(Options{Name: "oncall", From: "Mailvane <alerts@example.com>", To: []string{"Ada <ada@example.org>", "grace@example.net"}, Sender: s})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func notify(t testing.TB, n *alerts.Notification) *mail.Message {
	t.Helper()
	var b box
	if err := newNotifier(t, &b).Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return b.mails[0]
}

// TestMails holds the parts of mails against the goldens, which a person can open and read.
func TestMails(t *testing.T) {
	for _, name := range []string{"opened", "worsened", "joined", "left", "closed", "daily"} {
		m := notify(t, read(t, name))
		for extension, got := range map[string]string{".txt": m.Text, ".html": m.HTML} {
			golden := filepath.Join("testdata", name+extension)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", name, extension, diff)
			}
		}
	}
}

// TestThread holds that the mails of one firing make one thread under one subject, that each has an id of its own, and that
// the next firing makes another.
func TestThread(t *testing.T) {
	opened, closed := notify(t, read(t, "opened")), notify(t, read(t, "closed"))
	again := read(t, "opened")
	again.ID, again.StartedAt = "other", again.StartedAt.Add(24*time.Hour)
	next := notify(t, again)
	if opened.Thread != closed.Thread || opened.Subject != closed.Subject || opened.ID == closed.ID {
		t.Errorf("opened %s %s %q, closed %s %s %q", opened.ID, opened.Thread, opened.Subject, closed.ID, closed.Thread, closed.Subject)
	}
	if next.Thread == opened.Thread || next.ID == opened.ID {
		t.Errorf("the next firing is in thread %s as %s", next.Thread, next.ID)
	}
	if same := notify(t, read(t, "opened")); same.ID != opened.ID {
		t.Errorf("tried again, the mail is %s and was %s", same.ID, opened.ID)
	}
	if opened.Subject != "[Mailvane] CampaignHardBounceRate: tenant acme" {
		t.Errorf("the subject is %q", opened.Subject)
	}
	if !notify(t, read(t, "worsened")).Urgent || opened.Urgent || closed.Urgent {
		t.Error("what is critical, and only that, is urgent")
	}
	if got := closed.Fields[0].Value; got != "resolved" {
		t.Errorf("the severity of the end is %q", got)
	}
}

// elements are those that the layout uses; attributes those that it needs. Nothing in them loads anything.
var (
	elements   = regexp.MustCompile(`^(html|head|meta|title|body|div|p|strong|em|span|br|ul|li|table|tbody|tr|td|pre|a)$`)
	attributes = regexp.MustCompile(`^(lang|charset|name|content|style|role|cellpadding|cellspacing|border|href)$`)
)

// check holds that a part is HTML of the layout's own making, and returns its text.
func check(t *testing.T, part string) (text string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			text += n.Data
		case html.CommentNode:
			t.Errorf("a comment: %q", n.Data)
		case html.ElementNode:
			if !elements.MatchString(n.Data) {
				t.Errorf("an element %s", n.Data)
			}
			for _, a := range n.Attr {
				if !attributes.MatchString(a.Key) || strings.Contains(a.Val, "url(") || a.Key == "href" && !strings.HasPrefix(a.Val, "http") {
					t.Errorf("an attribute %s=%q", a.Key, a.Val)
				}
			}
		}
	}
	return text
}

// TestHostile holds that names from outside are text, in the header, in HTML and in plain text.
func TestHostile(t *testing.T) {
	for _, name := range []string{
		`<script>alert(1)</script>`, `"><img src=https://evil.example.com/x.png>`, `</title><style>*{background:url(//evil)}</style>`,
		`{{.}}`, `<!-- `, `&lt;b&gt;`, "' onclick='x", "x\r\nBcc: eve@example.org",
	} {
		n := read(t, "opened")
		n.Summary, n.Description, n.Owner, n.Rule, n.ID = name, name, name, name, name
		n.Group[0].Value = name
		m := &n.Members[0]
		m.Summary, m.Evidence.Window = name, name
		d := m.Detail
		d.Providers[0].Provider, d.Reasons[0].Reason, d.Reasons[0].Reply, d.Reasons[0].MessageIDs[0] = name, name, name, name
		d.Previous.Send, d.ConfigurationSets[0].ConfigurationSet = name, name
		n.Links = append(n.Links, alerts.Link{Text: name, URL: "https://mailvane.example.com/?a=1&b=2"}, alerts.Link{Text: "no", URL: "javascript:alert(1)"})
		n.Commands = append(n.Commands, alerts.Command{Text: name, Line: name})
		mail := notify(t, n)
		shown := strings.NewReplacer("\r", " ", "\n", " ").Replace(name)
		if text := check(t, mail.HTML); strings.Count(text, shown) < 10 {
			t.Errorf("%q is shown as\n%s", name, text)
		}
		if strings.Contains(mail.HTML, "javascript") || strings.Contains(mail.Text, "\r") {
			t.Errorf("%q makes\n%s", name, mail.Text)
		}
		raw, err := mail.Compose()
		if err != nil {
			t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if msg.Header.Get("Bcc") != "" || len(msg.Header) != 13 {
			t.Errorf("%q makes the header %v", name, msg.Header)
		}
	}
}

// TestSizes holds that no mail is cut by Gmail, and that what it loses are details.
func TestSizes(t *testing.T) {
	for _, name := range []string{strings.Repeat("<", 300), strings.Repeat("é", 150), "x"} {
		n := read(t, "joined")
		n.Summary, n.Description = strings.Repeat(name, 1000/len(name)), strings.Repeat(name, 8000/len(name))
		m := n.Members[0]
		m.Summary = n.Summary
		m.Detail = &alerts.Detail{Reasons: make([]alerts.ReasonShare, 10)}
		for i := range m.Detail.Reasons {
			m.Detail.Reasons[i] = alerts.ReasonShare{Reason: "other", Reply: name, MessageIDs: []string{name, name, name}}
		}
		n.Members, n.Muted, n.Gone = nil, nil, nil
		for range 20 {
			n.Members, n.Muted = append(n.Members, m), append(n.Muted, m)
		}
		for range 200 {
			n.Gone = append(n.Gone, m)
		}
		mail := notify(t, n)
		if len(mail.HTML) > maxHTML || !strings.HasPrefix(mail.Text, "Critical: "+n.Summary[:500]) || len(mail.Text) > maxHTML {
			t.Errorf("%.10q: %d bytes of HTML, %d of text: %.100s", name, len(mail.HTML), len(mail.Text), mail.Text)
		}
		check(t, mail.HTML)
		if !strings.Contains(mail.Text, n.Commands[0].Line) {
			t.Errorf("%.10q: what can be done is lost", name)
		}
	}
}

func TestNew(t *testing.T) {
	bad := func(from string, to []string, says string) {
		t.Helper()
		_, err := New(Options{From: from, To: to})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "ada") {
			t.Errorf("%v, want %s", err, says)
		}
	}
	good := "alerts@example.com"
	bad("ada", []string{good}, "the sender is no address")
	bad(good, nil, "one to 50 recipients")
	bad(good, make([]string, 51), "one to 50 recipients")
	bad(good, []string{good, "ada@"}, "recipient 2 is no address")
	bad(good, []string{"ada@example.org\r\nBcc: x@example.org"}, "recipient 1 is no address")
}

// TestSender holds that what becomes of a mail is told as the way out tells it.
func TestSender(t *testing.T) {
	want := &alerts.DeliveryError{Notifier: "oncall", Reason: alerts.DeliveryQuota, RetryAfter: time.Minute, Err: errors.New("slow down")}
	if err := newNotifier(t, &box{err: want}).Notify(t.Context(), read(t, "opened")); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

// TestBySMTP sends through a real server and holds what arrives, and that a refusal names nobody.
func TestBySMTP(t *testing.T) {
	s, err := server.Start(t.Context(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := smtp.New(smtp.Options{Notifier: "oncall", Address: s.Address(), Security: smtp.NoTLS, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	e := newNotifier(t, out)
	if err := e.Notify(t.Context(), read(t, "worsened")); err != nil {
		t.Fatal(err)
	}
	mails := s.Mails()
	if len(mails) != 1 || !cmp.Equal(mails[0].To, []string{"ada@example.org", "grace@example.net"}) {
		t.Fatalf("arrived: %+v", mails)
	}
	msg, err := netmail.ReadMessage(strings.NewReader(string(mails[0].Data)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "X-Mailvane-Severity": "critical", "X-Mailvane-Rule": "CampaignHardBounceRate",
		"Importance": "high", "Date": "Fri, 20 Nov 2026 10:35:32 +0000",
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if body, err := io.ReadAll(msg.Body); err != nil || !strings.Contains(string(body), "Critical: hard_bounce_rate of campaign spring-sale") {
		t.Errorf("%v: the body is\n%s", err, body)
	}
	s.Inject(server.Fault{Stage: server.StageRcpt, Code: 550, Enhanced: [3]int{5, 1, 1}, Text: "ada@example.org and grace are unknown"})
	err = e.Notify(t.Context(), read(t, "opened"))
	d, ok := errors.AsType[*alerts.DeliveryError](err)
	if text := fmt.Sprintf("%v %#v", err, d); !ok || d.Reason != alerts.DeliveryRefused || strings.Contains(text, "ada") || strings.Contains(text, "grace") {
		t.Errorf("%s", text)
	}
}
