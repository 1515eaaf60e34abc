package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/simulator/pager"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const hook = pager.SlackPath + "T00000000/B00000000/abcdefSECRETabcdefSECRET"

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

// start starts Slack and a notifier that posts there, with the path of the webhook after the host.
func start(t testing.TB, path string) (*pager.Server, *Notifier) {
	t.Helper()
	server := pager.New(pager.Options{SlackHooks: []string{hook}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		endpoint.Close()
	})
	return server, New(Options{Name: "growth", URL: func() (string, error) { return endpoint.URL + path, nil }})
}

// TestMessages holds what is posted against the goldens, and that Slack takes it.
func TestMessages(t *testing.T) {
	server, s := start(t, hook)
	for i, name := range []string{"opened", "worsened", "joined", "left", "closed", "daily"} {
		if err := s.Notify(t.Context(), read(t, name)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		if err := json.Indent(&b, server.Posts()[i].Body, "", "  "); err != nil {
			t.Fatal(err)
		}
		got := b.String() + "\n"
		golden := filepath.Join("testdata", name+".json")
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
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAnswers holds what becomes of a notification by the answer, and that no error shows the address.
func TestAnswers(t *testing.T) {
	says := func(status int, body string) pager.Fault {
		return pager.Fault{Kind: pager.FaultStatus, Status: status, Body: body}
	}
	for _, c := range []struct {
		fault pager.Fault
		want  alerts.DeliveryReason
		text  string
		after time.Duration
	}{
		{fault: says(400, "invalid_payload"), want: alerts.DeliveryRefused, text: "status 400: invalid_payload"},
		{fault: says(400, "invalid_blocks"), want: alerts.DeliveryRefused, text: "invalid_blocks"},
		{fault: says(400, "user_not_found"), want: alerts.DeliveryAuth, text: "user_not_found"},
		{fault: says(403, "action_prohibited"), want: alerts.DeliveryAuth, text: "action_prohibited"},
		{fault: says(403, "invalid_token"), want: alerts.DeliveryAuth, text: "invalid_token"},
		{fault: says(404, "no_service"), want: alerts.DeliveryAuth, text: "no_service"},
		{fault: says(404, "channel_not_found"), want: alerts.DeliveryAuth, text: "channel_not_found"},
		{fault: says(410, "channel_is_archived"), want: alerts.DeliveryAuth, text: "channel_is_archived"},
		{fault: says(413, ""), want: alerts.DeliveryRefused},
		{fault: pager.Fault{Kind: pager.FaultStatus, Status: 429, Body: "rate_limited", RetryAfter: 30 * time.Second}, want: alerts.DeliveryQuota, text: "rate_limited", after: 30 * time.Second},
		{fault: says(500, "rollup_error"), want: alerts.DeliveryUnavailable, text: "rollup_error"},
		{fault: says(503, "<html>"), want: alerts.DeliveryUnavailable, text: "status 503"},
		{fault: says(204, ""), want: alerts.DeliveryUnavailable, text: "status 204, not 200"},
		{fault: pager.Fault{Kind: pager.FaultRedirect, Status: 302, Location: "http://127.0.0.1:1" + hook}, want: alerts.DeliveryAuth, text: "leads elsewhere"},
		{fault: pager.Fault{Kind: pager.FaultEcho, Status: 400}, want: alerts.DeliveryRefused, text: "status 400"},
		{fault: pager.Fault{Kind: pager.FaultHang}, want: alerts.DeliveryUnavailable, text: "deadline exceeded"},
		{fault: pager.Fault{Kind: pager.FaultReset}, want: alerts.DeliveryUnavailable},
	} {
		t.Run(fmt.Sprint(c.fault.Kind, c.fault.Status, c.fault.Body), func(t *testing.T) {
			t.Parallel()
			server, s := start(t, hook)
			server.Inject(c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if c.fault.Kind == pager.FaultHang {
				ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
			}
			defer cancel()
			fails(t, s.Notify(ctx, read(t, "opened")), c.want, c.text, c.after)
			if len(server.Posts()) != 0 {
				t.Error("a message was taken")
			}
		})
	}
}

// fails holds what an error says, and that it keeps the secret.
func fails(t *testing.T, err error, want alerts.DeliveryReason, text string, after time.Duration) {
	t.Helper()
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok || e.Notifier != "growth" || e.Reason != want || e.RetryAfter != after || !strings.Contains(err.Error(), text) {
		t.Fatalf("%v (%+v), want %s with %q after %s", err, e, want, text, after)
	}
	if all := fmt.Sprintf("%v %+v %#v", err, err, e.Err); strings.Contains(all, "SECRET") || strings.Contains(all, "B0000") {
		t.Errorf("the error shows the address: %s", all)
	}
}

func TestAddress(t *testing.T) {
	bad := func(url delivery.Secret, text string) {
		t.Helper()
		fails(t, New(Options{Name: "growth", URL: url}).Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, text, 0)
	}
	is := func(text string) delivery.Secret { return func() (string, error) { return text, nil } }
	bad(is("hooks.slack.com/services/T/B/SECRET"), "is no address")
	bad(is("http://hooks.slack.com/services/T/B/SECRET"), "must begin with https")
	bad(delivery.SecretFile(filepath.Join(t.TempDir(), "none")), "read the address of the webhook")
	_, s := start(t, pager.SlackPath+"T00000000/B00000000/gone")
	fails(t, s.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "404: no_service", 0)
}

// TestSizes holds that Slack takes any notification, with the summary and, while there is room, the details of the worst.
func TestSizes(t *testing.T) {
	server, s := start(t, hook)
	for _, name := range []string{strings.Repeat("<", 200), strings.Repeat("é", 100), "x", strings.Repeat("`", 200)} {
		for _, members := range []int{1, 2, 20} {
			n := read(t, "joined")
			n.Summary = strings.Repeat(name, 1000/len(name))
			n.Description = strings.Repeat(name+"\n", 8000/(len(name)+1))
			m := n.Members[0]
			m.Subject.Campaign, m.Summary = name, n.Summary
			m.Detail = &alerts.Detail{Reasons: make([]alerts.ReasonShare, 5)}
			for i := range m.Detail.Reasons {
				m.Detail.Reasons[i] = alerts.ReasonShare{Reason: "other", Reply: strings.Repeat(name, 300/len(name)), MessageIDs: []string{name, name, name}}
			}
			n.Members, n.Muted, n.Gone = nil, nil, nil
			for range members {
				n.Members, n.Muted = append(n.Members, m), append(n.Muted, m)
			}
			for range 200 {
				n.Gone = append(n.Gone, m)
			}
			if err := s.Notify(t.Context(), n); err != nil {
				t.Fatalf("%d members named %.10q: %v", members, name, err)
			}
			posts := server.Posts()
			if text := posts[len(posts)-1].Text; !strings.HasPrefix(text, "*Critical:* ") || len(text) < 900 {
				t.Errorf("%d members named %.10q: the text is %q", members, name, text)
			}
		}
	}
}

// TestHostile holds that names from outside are neither mentions nor links nor markup.
func TestHostile(t *testing.T) {
	server, s := start(t, hook)
	n := read(t, "opened")
	name := "<!channel> <@U1> <https://evil.example.com|ok> & *b* _i_ ~s~ `c`"
	n.Summary, n.Description, n.Owner, n.Rule = name, name, name, name
	m := &n.Members[0]
	m.Summary, m.Evidence.Window = name, name
	d := m.Detail
	d.Providers[0].Provider, d.Reasons[0].Reason, d.Reasons[0].Reply, d.Reasons[0].MessageIDs[0] = name, name, name, name
	d.Previous.Send, d.ConfigurationSets[0].ConfigurationSet = name, name
	n.Links = append(n.Links, alerts.Link{Text: name, URL: "https://mailvane.example.com/?a=1&b=2"})
	n.Commands = append(n.Commands, alerts.Command{Text: name, Line: "echo '<!channel>' && true"}, alerts.Command{Text: "no", Line: "`reboot`"})
	if err := s.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	p := server.Posts()[0]
	all := strings.Join(append(p.Texts, p.Text), "\n")
	for _, bad := range []string{"<!", "<@", "<https://evil", "*b*", "_i_", "~s~", "`c`", "& ", "reboot"} {
		if strings.Contains(all, bad) {
			t.Errorf("%q stands in\n%s", bad, all)
		}
	}
	for _, good := range []string{"<https://mailvane.example.com/?a=1&amp;b=2|", "`echo '&lt;!channel&gt;' &amp;&amp; true`"} {
		if !strings.Contains(all, good) {
			t.Errorf("%q does not stand in\n%s", good, all)
		}
	}
	for line := range strings.Lines(all) {
		if link := strings.TrimSpace(line); strings.Contains(link, "<") && (link[0] != '<' || strings.Count(link, "<")+strings.Count(link, "|") != 2 || strings.Index(link, ">") != len(link)-1) {
			t.Errorf("%q is no link", link)
		}
	}
}
