package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
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
	"github.com/mailvane/mailvane/internal/simulator/pager"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// pathSecret and querySecret are what others could post with.
const (
	pathSecret  = "T0123-path-secret-9876"
	querySecret = "Q0123-query-secret-9876"
)

func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

func keyText(fill byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key(fill)) }

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

// start starts a receiver that knows the key of ones, and a notifier that sends there.
func start(t testing.TB, change ...func(*Options)) (*pager.Server, *Notifier) {
	t.Helper()
	server := pager.New(pager.Options{WebhookKeys: [][]byte{key(1)}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		endpoint.Close()
	})
	o := Options{
		Name: "hook", Key: func() (string, error) { return keyText(1), nil },
		URL: func() (string, error) {
			return endpoint.URL + pager.WebhookPath + pathSecret + "?token=" + querySecret, nil
		},
	}
	for _, c := range change {
		c(&o)
	}
	return server, New(o)
}

// TestBodies holds what is sent against the goldens, and that a receiver that knows the key takes it.
func TestBodies(t *testing.T) {
	server, w := start(t)
	names := []string{"opened", "worsened", "joined", "left", "closed", "daily"}
	for _, name := range names {
		n := read(t, name)
		if err := w.Notify(t.Context(), n); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all := server.Deliveries()
		d := all[len(all)-1]
		if d.ID != n.ID || d.Repeated {
			t.Errorf("%s: id %q, repeated %t", name, d.ID, d.Repeated)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, d.Body, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if err := w.Notify(t.Context(), read(t, "opened")); err != nil {
		t.Fatal(err)
	}
	if all := server.Deliveries(); !all[len(all)-1].Repeated {
		t.Error("a repeated notification has another id")
	}
}

// TestAnswers holds what becomes of a notification by the answer, and that no error shows the address or the key.
func TestAnswers(t *testing.T) {
	status := func(code int) pager.Fault { return pager.Fault{Kind: pager.FaultStatus, Status: code} }
	for _, c := range []struct {
		name  string
		fault pager.Fault
		want  alerts.DeliveryReason
		text  string
		after time.Duration
	}{
		{name: "taken"},
		{name: "taken, the answer broke off", fault: pager.Fault{Kind: pager.FaultTruncate}},
		{name: "202", fault: status(202)},
		{name: "204", fault: status(204)},
		{name: "redirect", fault: pager.Fault{Kind: pager.FaultRedirect, Status: 307, Location: "http://127.0.0.1:1/" + pathSecret}, want: alerts.DeliveryAuth, text: "leads elsewhere"},
		{name: "400", fault: status(400), want: alerts.DeliveryRefused, text: "status 400"},
		{name: "401", fault: status(401), want: alerts.DeliveryAuth},
		{name: "403", fault: status(403), want: alerts.DeliveryAuth},
		{name: "404", fault: status(404), want: alerts.DeliveryAuth},
		{name: "410", fault: status(410), want: alerts.DeliveryAuth},
		{name: "413", fault: status(413), want: alerts.DeliveryRefused},
		{name: "429", fault: pager.Fault{Kind: pager.FaultStatus, Status: 429, RetryAfter: 90 * time.Second}, want: alerts.DeliveryQuota, after: 90 * time.Second},
		{name: "500", fault: status(500), want: alerts.DeliveryUnavailable},
		{name: "503", fault: pager.Fault{Kind: pager.FaultStatus, Status: 503, RetryAfter: time.Second}, want: alerts.DeliveryUnavailable, after: time.Second},
		{name: "reset", fault: pager.Fault{Kind: pager.FaultReset}, want: alerts.DeliveryUnavailable},
		{name: "hang", fault: pager.Fault{Kind: pager.FaultHang}, want: alerts.DeliveryUnavailable, text: "deadline exceeded"},
		{name: "echo", fault: pager.Fault{Kind: pager.FaultEcho, Status: 400}, want: alerts.DeliveryRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, w := start(t)
			server.Inject(c.fault)
			ctx := t.Context()
			if c.name == "hang" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			expect(t, w.Notify(ctx, read(t, "opened")), c.want, c.text, c.after)
		})
	}
}

func expect(t *testing.T, err error, want alerts.DeliveryReason, text string, after time.Duration) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	e, ok := errors.AsType[*alerts.DeliveryError](err)
	if !ok || e.Notifier != "hook" || e.Reason != want || e.RetryAfter != after || !strings.Contains(err.Error(), text) {
		t.Fatalf("%v (%+v), want %s with %q after %s", err, e, want, text, after)
	}
	all := fmt.Sprintf("%v %+v %#v", err, err, e.Err)
	for _, s := range []string{pathSecret[:8], pathSecret[10:], querySecret[:8], querySecret[10:], keyText(1)[6:20], keyText(2)[6:20]} {
		if strings.Contains(all, s) {
			t.Errorf("the error shows %s: %s", s, all)
		}
	}
}

// TestSettings holds what is said when address or key are not as they should be, and that both are read afresh.
func TestSettings(t *testing.T) {
	server, _ := start(t)
	endpoint := httptest.NewServer(server)
	t.Cleanup(endpoint.Close)
	here := endpoint.URL + pager.WebhookPath + pathSecret
	var address, keys string
	w := New(Options{
		Name: "hook", URL: func() (string, error) { return address, nil }, Key: func() (string, error) { return keys, nil },
	})
	for _, c := range []struct {
		address, keys string
		want          alerts.DeliveryReason
		text          string
	}{
		{here, keyText(1), "", ""},
		{here, strings.TrimPrefix(keyText(1), "whsec_"), "", ""},
		{here, keyText(2) + "\n" + keyText(1), "", ""},
		{here, keyText(2), alerts.DeliveryAuth, "status 401"},
		{here, "whsec_c2hvcnQ=", alerts.DeliveryAuth, "openssl rand"},
		{here, "not base64: " + keyText(2), alerts.DeliveryAuth, "openssl rand"},
		{here, strings.Repeat(keyText(1)+" ", 5), alerts.DeliveryAuth, "openssl rand"},
		{here, "", alerts.DeliveryAuth, "openssl rand"},
		{"http://hooks.example.com/" + pathSecret, keyText(1), alerts.DeliveryAuth, "the address must begin with https"},
		{pathSecret, keyText(1), alerts.DeliveryAuth, "the address is no address"},
	} {
		address, keys = c.address, c.keys
		expect(t, w.Notify(t.Context(), read(t, "opened")), c.want, c.text, 0)
	}
	w = New(Options{Name: "hook", URL: func() (string, error) { return "", os.ErrNotExist }})
	expect(t, w.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "read the address: file does not exist", 0)
	w = New(Options{
		Name: "hook", URL: func() (string, error) { return here, nil }, Key: func() (string, error) { return "", os.ErrPermission },
	})
	expect(t, w.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "read the key: permission denied", 0)
}

// TestReplay holds that the signature covers the time of the attempt, so that a receiver can refuse what is old.
func TestReplay(t *testing.T) {
	_, w := start(t, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(-6 * time.Minute) } })
	expect(t, w.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "status 401", 0)
}

func TestSize(t *testing.T) {
	server, w := start(t)
	n := read(t, "joined")
	for range 200 {
		m := n.Members[0]
		m.Summary = strings.Repeat("<", 1000)
		n.Gone = append(n.Gone, m)
	}
	if err := w.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	var got body
	if err := json.Unmarshal(server.Deliveries()[0].Body, &got); err != nil {
		t.Fatal(err)
	}
	if len(server.Deliveries()[0].Body) > maxBody || len(got.Alerts) != 2 || got.Key != n.Key || got.Summary != n.Summary || len(got.Ended) == 0 {
		t.Errorf("%d bytes, %d alerts, %d ended", len(server.Deliveries()[0].Body), len(got.Alerts), len(got.Ended))
	}
}

// TestDocument holds that the example in docs/webhook.md is what is sent.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/webhook.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/opened.json")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	if diff := cmp.Diff(string(want), example); diff != "" {
		t.Errorf("docs/webhook.md (-sent +documented):\n%s", diff)
	}
}
