package pagerduty

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
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/alerts/delivery"
	"github.com/mailvane/mailvane/internal/simulator/pager"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const routingKey = "R0123456789abcdefSECRET9abcdef01"

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

// start starts PagerDuty and a notifier that sends there.
func start(t testing.TB, change ...func(*Options)) (*pager.Server, *Notifier) {
	t.Helper()
	server := pager.New(pager.Options{RoutingKeys: []string{routingKey}})
	endpoint := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close()
		endpoint.Close()
	})
	o := Options{Name: "oncall", URL: endpoint.URL, RoutingKey: func() (string, error) { return routingKey, nil }}
	for _, c := range change {
		c(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}

// TestEvents holds what is sent against the goldens, and that PagerDuty makes one alert of it.
func TestEvents(t *testing.T) {
	server, p := start(t)
	for _, name := range []string{"opened", "worsened", "joined", "left", "closed", "daily"} {
		n := read(t, name)
		body, err := json.MarshalIndent(newEvent(n, routingKey), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, append(body, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(body)+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := p.Notify(t.Context(), n); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var effects []string
	for _, e := range server.Events() {
		effects = append(effects, e.Action+" "+e.Severity+" "+e.Effect)
	}
	if diff := cmp.Diff([]string{
		"trigger warning opened", "trigger critical updated", "trigger critical updated", "trigger critical updated",
		"resolve critical resolved", "trigger critical opened",
	}, effects); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

// TestAnswers holds what becomes of a notification by the answer, and that no error shows the key.
func TestAnswers(t *testing.T) {
	fault := func(f pager.Fault) []pager.Fault { return []pager.Fault{f} }
	status := func(code int) []pager.Fault { return fault(pager.Fault{Kind: pager.FaultStatus, Status: code}) }
	for _, c := range []struct {
		name   string
		faults []pager.Fault
		key    string
		want   alerts.DeliveryReason
		text   string
		after  time.Duration
	}{
		{name: "taken"},
		{name: "taken, the answer broke off", faults: fault(pager.Fault{Kind: pager.FaultTruncate})},
		{name: "200 by something else", faults: status(200), want: alerts.DeliveryUnavailable, text: "status 200, not 202"},
		{name: "redirect", faults: fault(pager.Fault{Kind: pager.FaultRedirect, Status: 308, Location: "http://127.0.0.1:1/?" + routingKey}), want: alerts.DeliveryAuth, text: "status 308, which leads elsewhere"},
		{name: "bad event", faults: fault(pager.Fault{Kind: pager.FaultStatus, Status: 400, Body: `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'payload.summary' is too long (max 1024)"]}`}), want: alerts.DeliveryRefused, text: "status 400: Event object is invalid: Length of 'payload.summary'"},
		{name: "unknown key", key: "R9999999999999999999999999999999", want: alerts.DeliveryAuth, text: "status 400: Invalid routing key"},
		{name: "malformed key", key: "u+short", want: alerts.DeliveryAuth, text: "not 32 letters and digits"},
		{name: "no words", faults: status(400), want: alerts.DeliveryRefused, text: "status 400"},
		{name: "401", faults: status(401), want: alerts.DeliveryAuth},
		{name: "403", faults: status(403), want: alerts.DeliveryAuth},
		{name: "404", faults: status(404), want: alerts.DeliveryAuth},
		{name: "413", faults: status(413), want: alerts.DeliveryRefused},
		{name: "429", faults: fault(pager.Fault{Kind: pager.FaultStatus, Status: 429, RetryAfter: 30 * time.Second}), want: alerts.DeliveryQuota, after: 30 * time.Second},
		{name: "429 for ever", faults: fault(pager.Fault{Kind: pager.FaultStatus, Status: 429, RetryAfter: 1e6 * time.Hour / 1e3}), want: alerts.DeliveryQuota, after: time.Hour},
		{name: "500", faults: status(500), want: alerts.DeliveryUnavailable},
		{name: "503", faults: fault(pager.Fault{Kind: pager.FaultStatus, Status: 503, RetryAfter: time.Minute}), want: alerts.DeliveryUnavailable, after: time.Minute},
		{name: "reset", faults: fault(pager.Fault{Kind: pager.FaultReset}), want: alerts.DeliveryUnavailable},
		{name: "hang", faults: fault(pager.Fault{Kind: pager.FaultHang}), want: alerts.DeliveryUnavailable, text: "deadline exceeded"},
		{name: "echo of 400", faults: fault(pager.Fault{Kind: pager.FaultEcho, Status: 400}), want: alerts.DeliveryAuth, text: "status 400"},
		{name: "echo of 500", faults: fault(pager.Fault{Kind: pager.FaultEcho, Status: 500}), want: alerts.DeliveryUnavailable, text: "status 500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key := routingKey
			if c.key != "" {
				key = c.key
			}
			server, p := start(t, func(o *Options) { o.RoutingKey = func() (string, error) { return key, nil } })
			for _, f := range c.faults {
				server.Inject(f)
			}
			ctx := t.Context()
			if c.name == "hang" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			err := p.Notify(ctx, read(t, "opened"))
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e, ok := errors.AsType[*alerts.DeliveryError](err)
			if !ok || e.Notifier != "oncall" || e.Reason != c.want || e.RetryAfter != c.after || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%v (%+v), want %s with %q after %s", err, e, c.want, c.text, c.after)
			}
			if text := fmt.Sprintf("%v %+v %#v", err, err, e.Err); strings.Contains(text, key) || strings.Contains(text, key[3:]) {
				t.Errorf("the error shows the key: %s", text)
			}
		})
	}
}

// TestKeyIsReadAfresh holds that a key is used as it is in its file when a notification goes out.
func TestKeyIsReadAfresh(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server, p := start(t, func(o *Options) { o.RoutingKey = delivery.SecretFile(file) })
	for _, c := range []struct {
		text string
		want alerts.DeliveryReason
	}{{"", alerts.DeliveryAuth}, {"R9999999999999999999999999999999", alerts.DeliveryAuth}, {routingKey + "\n", ""}} {
		write(c.text)
		err := p.Notify(t.Context(), read(t, "opened"))
		if e, ok := errors.AsType[*alerts.DeliveryError](err); ok != (c.want != "") || ok && e.Reason != c.want {
			t.Errorf("with %q: %v", c.text, err)
		}
	}
	if n := len(server.Events()); n != 1 {
		t.Errorf("%d events were taken, want 1", n)
	}
}

func TestSizes(t *testing.T) {
	server, p := start(t)
	n := read(t, "joined")
	n.Summary = strings.Repeat("é", 1000)
	m := n.Members[0]
	m.Detail = &alerts.Detail{Reasons: make([]alerts.ReasonShare, 50)}
	for i := range m.Detail.Reasons {
		m.Detail.Reasons[i] = alerts.ReasonShare{Reason: "other", Reply: strings.Repeat("<", 400)}
	}
	for range 30 {
		n.Members = append(n.Members, m)
	}
	if err := p.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	e := server.Events()[0]
	if e.Size > maxEvent || e.DedupKey != n.Key || e.Severity != "critical" || len(e.Summary) > maxSummary || !strings.HasPrefix(n.Summary, e.Summary[:1000]) {
		t.Errorf("event of %d bytes: %+v", e.Size, e)
	}
	var details struct{ Alerts []map[string]string }
	if err := json.Unmarshal(e.Details, &details); err != nil {
		t.Fatal(err)
	}
	if len(details.Alerts) != len(n.Members) || bytes.Count(e.Details, []byte(`"reason_1"`)) == 0 {
		t.Errorf("%d alerts, %d with reasons: shortened by more than needed", len(details.Alerts), bytes.Count(e.Details, []byte(`"reason_1"`)))
	}
}

func TestAddress(t *testing.T) {
	good := func(url, want string) {
		t.Helper()
		p, err := New(Options{URL: url})
		if err != nil || p.url.String() != want {
			t.Errorf("%q: %v, want %s", url, err, want)
		}
	}
	bad := func(url string) {
		t.Helper()
		if _, err := New(Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	good("", "https://events.pagerduty.com/v2/enqueue")
	good("https://events.eu.pagerduty.com", "https://events.eu.pagerduty.com/v2/enqueue")
	good("https://events.eu.pagerduty.com/v2/enqueue/", "https://events.eu.pagerduty.com/v2/enqueue")
	good("http://[::1]:8080/pager", "http://[::1]:8080/pager/v2/enqueue")
	bad("http://events.pagerduty.com")
	bad("https://user:secret@events.pagerduty.com")
	bad("events.pagerduty.com/secret")
	bad("ftp://events.pagerduty.com/secret")
	bad("https://events.pagerduty.com:secret/")
}

// TestTogether holds that a notifier is safe for several goroutines.
func TestTogether(t *testing.T) {
	server, p := start(t)
	n := read(t, "opened")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := p.Notify(t.Context(), n); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a := server.Alerts(); len(a) != 1 || a[0].Triggers != 8 {
		t.Errorf("alerts %+v", a)
	}
}

// TestSource holds that the field that PagerDuty cannot do without names what is affected, this program included.
func TestSource(t *testing.T) {
	n := read(t, "opened")
	if got := newEvent(n, routingKey).Payload.Source; got != n.Members[0].Subject.String() {
		t.Errorf("source %q", got)
	}
	n.By, n.Members[0].Subject = alerts.ByDaemon, alerts.Subject{}
	if got := newEvent(n, routingKey).Payload.Source; got != "mailvane" {
		t.Errorf("source of an alert about this program: %q", got)
	}
}
