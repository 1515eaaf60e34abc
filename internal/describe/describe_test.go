package describe

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/email"
	"github.com/mailvane/mailvane/alerts/pagerduty"
	"github.com/mailvane/mailvane/alerts/slack"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/outlet/mail"
	"github.com/mailvane/mailvane/internal/simulator/pager"
)

func settings() Settings {
	return Settings{Pages: "https://mailvane.example.com", ConfigFile: "/etc/mailvane/mailvane.yaml"}
}

// trouble says why the story's queue is not read.
func trouble(alerts.Subject) string { return "receive messages: the role may not sqs:ReceiveMessage" }

// postbox keeps the mail that it gets.
type postbox struct{ text string }

func (p *postbox) Send(_ context.Context, m *mail.Message) error {
	p.text = m.Subject + "\n\n" + m.Text
	return nil
}

// TestPages holds what people are told of the demo's sender: by mail, on PagerDuty and in Slack. The goldens are to be read.
func TestPages(t *testing.T) {
	s := newStory(t)
	var logged bytes.Buffer
	d := New(Options{View: s.view, Ledger: s.ledger, Trouble: trouble, Log: slog.New(slog.NewTextHandler(&logged, nil))}, settings())
	d.within = time.Hour // so that the goldens hold on a busy machine
	for _, n := range s.told {
		d.Describe(t.Context(), n)
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
	goldens := map[string]string{
		"bought_list":    "CampaignHardBounceRate: campaign winter-clearance",
		"complaints":     "CampaignComplaintRate: campaign flash-friday",
		"tenant_blocked": "CampaignBlockRate: campaign acme-news, tenant acme",
		"provider":       "ProviderBlockRate: provider microsoft",
		"account":        "AccountComplaintRate: account 123456789012, region us-east-1",
		"gmail":          "GmailSpamRate: domain example.com",
		"compliance":     "GmailCompliance: domain news.example.com, DELIVERABILITY_STATUS",
		"receipts":       "ReceiptExpired: receipt rule unsub-flash-friday, rule set inbound, account 123456789012, region us-east-1",
		"deaf":           "DeafLoop: account 123456789012, region us-east-1, delivery of configuration set survey-tool",
		"source":         "SourceFailing: source ses/events",
	}
	box := &postbox{}
	byMail, err := email.New(email.Options{Name: "oncall", From: "mailvane@example.com", To: []string{"oncall@example.com"}, Sender: box})
	check(t, err)
	for name, key := range goldens {
		n := s.told[key]
		if n == nil {
			t.Errorf("nothing was told of %s", key)
			continue
		}
		check(t, byMail.Notify(t.Context(), n))
		compare(t, name+".txt", box.text)
	}
	s.checkBoughtList(t, s.told[goldens["bought_list"]])
	s.checkTaken(t)
}

// checkBoughtList holds that who is paged for the bought list knows whose addresses failed, why, and what stops it.
func (s *story) checkBoughtList(t *testing.T, n *alerts.Notification) {
	t.Helper()
	d := n.Members[0].Detail
	if d == nil || len(d.Providers) != 3 || len(d.Reasons) != 3 || len(n.Commands) != 2 {
		t.Fatalf("detail %+v, commands %+v", d, n.Commands)
	}
	if !slices.IsSortedFunc(d.Providers, func(a, b alerts.ProviderShare) int { return int(b.Numerator - a.Numerator) }) {
		t.Errorf("providers are not in order: %+v", d.Providers)
	}
	for _, r := range d.Reasons {
		if r.Reason != "bad_mailbox" || r.N == 0 || r.Reply == "" || len(r.MessageIDs) != 3 {
			t.Errorf("reason %+v", r)
		}
	}
	if d.SentLately == nil || *d.SentLately != 0 {
		t.Errorf("sent lately %v, want a known 0", d.SentLately)
	}
	want := []observation.Origin{{Account: "123456789012", Region: "us-east-1", ConfigurationSet: "marketing"}}
	if diff := cmp.Diff(want, d.ConfigurationSets); diff != "" {
		t.Error(diff)
	}
	const pause = "aws sesv2 put-configuration-set-sending-options --region us-east-1 --configuration-set-name marketing --no-sending-enabled"
	if n.Commands[0].Line != pause {
		t.Errorf("the first command is %q", n.Commands[0].Line)
	}
	if n.Links[0].URL != "https://mailvane.example.com/campaigns/winter-clearance?window=24h" {
		t.Errorf("the first link is %q", n.Links[0].URL)
	}
}

// checkTaken holds that PagerDuty and Slack take all that is told, and how one of them looks there.
func (s *story) checkTaken(t *testing.T) {
	t.Helper()
	server := pager.New(pager.Options{Now: func() time.Time { return now }})
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	page, err := pagerduty.New(pagerduty.Options{
		Name: "oncall", URL: web.URL, RoutingKey: func() (string, error) { return strings.Repeat("a", 32), nil },
	})
	check(t, err)
	channel := slack.New(slack.Options{Name: "growth", URL: func() (string, error) { return web.URL + pager.SlackPath + "T0/B0/secret", nil }})
	for key, n := range s.told {
		check(t, page.Notify(t.Context(), n))
		check(t, channel.Notify(t.Context(), n))
		event := server.Events()[len(server.Events())-1]
		if address.Match(event.Details) {
			t.Errorf("%s: an address in %s", key, event.Details)
		}
		post := server.Posts()[len(server.Posts())-1]
		if n.Rule != "CampaignHardBounceRate" {
			continue
		}
		var details bytes.Buffer
		check(t, json.Indent(&details, event.Details, "", "  "))
		compare(t, "bought_list.pagerduty.txt", event.Summary+"\n"+details.String()+"\n")
		compare(t, "bought_list.slack.txt", post.Text+"\n\n"+strings.Join(post.Texts, "\n\n")+"\n")
	}
}

var address = regexp.MustCompile(`[\w.+-]+@[\w-]+\.`)

func compare(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		check(t, os.MkdirAll("testdata", 0o750))
		check(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	check(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
