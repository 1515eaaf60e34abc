package pager_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/pager"
)

const routingKey = "0123456789abcdef0123456789abcdef"

// world is a server with a clock.
type world struct {
	testing.TB
	*pager.Server
	url string
	now time.Time
}

func start(t *testing.T, o pager.Options) *world {
	t.Helper()
	w := &world{TB: t, now: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return w.now }
	w.Server = pager.New(o)
	server := httptest.NewServer(w.Server)
	w.url = server.URL
	t.Cleanup(func() {
		w.Close()
		server.Close()
	})
	return w
}

// post sends a body and returns status and answer, 0 when there is no whole answer.
func (w *world) post(path string, body []byte, header ...string) (int, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.url+path, bytes.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

func (w *world) expect(wantStatus int, wantText string, status int, text string) {
	w.Helper()
	if status != wantStatus || !strings.Contains(text, wantText) {
		w.Errorf("%d %s, want %d with %q", status, text, wantStatus, wantText)
	}
}

func event(action, key, dedup, severity string) []byte {
	body, err := json.Marshal(map[string]any{
		"routing_key": key, "event_action": action, "dedup_key": dedup,
		"payload": map[string]any{"summary": "it burns", "source": "house", "severity": severity},
	})
	if err != nil {
		panic(err)
	}
	return body
}

// TestSamples holds the answers against those that were seen of the real one.
func TestSamples(t *testing.T) {
	w := start(t, pager.Options{})
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("../../../testdata/pagerduty", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	same := func(name string, wantStatus, status int, text string) {
		t.Helper()
		var want, got any
		if json.Unmarshal(read(name), &want) != nil || json.Unmarshal([]byte(text), &got) != nil || status != wantStatus {
			t.Fatalf("%d %s", status, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	status, text := w.post(pager.EventsPath, read("pagerduty_v2_trigger_request"))
	same("pagerduty_v2_response_202", http.StatusAccepted, status, text)
	status, text = w.post(pager.EventsPath, read("pagerduty_v2_resolve_request"))
	same("pagerduty_v2_response_202", http.StatusAccepted, status, text)
	status, text = w.post(pager.EventsPath, event("trigger", "short", "d", "critical"))
	same("pagerduty_v2_response_400", http.StatusBadRequest, status, text)
	if a := w.Alerts(); len(a) != 1 || a[0].Status != "resolved" {
		t.Errorf("%+v", a)
	}
}

// TestAlerts holds what events do to alerts.
func TestAlerts(t *testing.T) {
	w := start(t, pager.Options{})
	for _, c := range []struct{ action, key, dedup, severity, effect string }{
		{"resolve", routingKey, "a", "critical", "dropped"},
		{"trigger", routingKey, "a", "warning", "opened"},
		{"trigger", routingKey, "a", "critical", "updated"},
		{"acknowledge", routingKey, "a", "critical", "acknowledged"},
		{"resolve", strings.Repeat("1", 32), "a", "critical", "dropped"},
		{"trigger", routingKey, "b", "critical", "opened"},
		{"resolve", routingKey, "a", "critical", "resolved"},
		{"trigger", routingKey, "a", "warning", "opened"},
	} {
		status, text := w.post(pager.EventsPath, event(c.action, c.key, c.dedup, c.severity))
		w.expect(http.StatusAccepted, `"dedup_key":"`+c.dedup+`"`, status, text)
		all := w.Events()
		if e := all[len(all)-1]; e.Effect != c.effect || strings.Contains(e.String(), routingKey) {
			t.Errorf("%v: %s", c, &e)
		}
	}
	want := []pager.Alert{
		{RoutingKey: routingKey, DedupKey: "a", Status: "resolved", Severity: "critical", Triggers: 2},
		{RoutingKey: routingKey, DedupKey: "b", Status: "triggered", Severity: "critical", Triggers: 1},
		{RoutingKey: routingKey, DedupKey: "a", Status: "triggered", Severity: "warning", Triggers: 1},
	}
	if diff := cmp.Diff(want, w.Alerts()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	w := start(t, pager.Options{RoutingKeys: []string{routingKey}, PerMinute: 2})
	f := func(status int, words string, body []byte) {
		t.Helper()
		got, text := w.post(pager.EventsPath, body)
		w.expect(status, words, got, text)
	}
	f(400, "Invalid JSON", []byte("{"))
	f(400, "routing_key", event("trigger", "", "a", "critical"))
	f(400, "Invalid routing key", event("trigger", strings.Repeat("1", 32), "a", "critical"))
	f(400, "event_action", event("open", routingKey, "a", "critical"))
	f(400, "payload.severity", event("trigger", routingKey, "a", "Critical"))
	f(400, "dedup_key", event("trigger", routingKey, strings.Repeat("k", 256), "critical"))
	f(400, "payload.summary", bytes.Replace(event("trigger", routingKey, "a", "critical"), []byte("it burns"), bytes.Repeat([]byte("b"), 1025), 1))
	f(400, "'payload' is missing", []byte(`{"routing_key":"`+routingKey+`","event_action":"trigger"}`))
	f(400, "timestamp", bytes.Replace(event("trigger", routingKey, "a", "critical"), []byte(`"source"`), []byte(`"timestamp":"now","source"`), 1))
	f(413, "", append(event("trigger", routingKey, "a", "critical"), bytes.Repeat([]byte(" "), 512<<10)...))
	f(202, "success", event("trigger", routingKey, "a", "critical"))
	f(202, "success", event("trigger", routingKey, "", "critical"))
	f(429, "throttle", event("trigger", routingKey, "a", "critical"))
	w.now = w.now.Add(time.Minute)
	f(202, "success", event("trigger", routingKey, "a", "critical"))
	if n := len(w.Events()); n != 3 || w.Requests() != 14 {
		t.Errorf("%d events of %d requests", n, w.Requests())
	}
	status, text := w.post("/v2/other", nil)
	w.expect(404, "", status, text)
}

// TestWebhooks verifies as the specification says.
func TestWebhooks(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	w := start(t, pager.Options{WebhookKeys: [][]byte{key}})
	sign := func(key []byte, id, at, body string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "." + body))
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	f := func(want int, id string, age time.Duration, signature string) {
		t.Helper()
		at := strconv.FormatInt(w.now.Add(-age).Unix(), 10)
		if signature == "" {
			signature = sign(key, id, at, "{}")
		}
		status, text := w.post(pager.WebhookPath+"x", []byte("{}"), "webhook-id", id, "webhook-timestamp", at, "webhook-signature", signature)
		w.expect(want, "", status, text)
	}
	at := strconv.FormatInt(w.now.Unix(), 10)
	f(200, "a", 0, "")
	f(200, "a", time.Minute, "")
	f(200, "b", 0, sign(other, "b", at, "{}")+" "+sign(key, "b", at, "{}"))
	f(401, "c", 0, sign(other, "c", at, "{}"))
	f(401, "c", 0, sign(key, "c", at, "{ }"))
	f(401, "c", 0, "v2,"+sign(key, "c", at, "{}")[3:])
	f(401, "c", 6*time.Minute, "")
	f(401, "c", -6*time.Minute, "")
	f(400, "", 0, "")
	var got []string
	for _, d := range w.Deliveries() {
		got = append(got, d.ID+" "+strconv.FormatBool(d.Repeated)+" "+string(d.Body))
	}
	if diff := cmp.Diff([]string{"a false {}", "a true {}", "b false {}"}, got); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
}

func TestFaults(t *testing.T) {
	w := start(t, pager.Options{})
	body := event("trigger", routingKey, "a", "critical")
	post := func() (int, string) { return w.post(pager.EventsPath, body) }
	remove := w.Inject(pager.Fault{Kind: pager.FaultStatus, Status: 503, Body: "later", Path: pager.EventsPath, Skip: 1, Times: 2})
	for _, want := range []int{202, 503, 503, 202} {
		status, text := post()
		w.expect(want, "", status, text)
	}
	remove()
	for _, c := range []struct {
		fault  pager.Fault
		status int
		text   string
	}{
		{pager.Fault{Kind: pager.FaultEcho, Status: 400}, 400, routingKey},
		{pager.Fault{Kind: pager.FaultRedirect, Status: 302, Location: "/"}, 302, ""},
		{pager.Fault{Kind: pager.FaultReset}, 0, ""},
		{pager.Fault{Kind: pager.FaultTruncate}, 0, ""},
		{pager.Fault{Path: pager.WebhookPath, Kind: pager.FaultReset}, 202, ""},
		{pager.Fault{Kind: pager.FaultDelay, Delay: time.Millisecond}, 202, ""},
	} {
		remove := w.Inject(c.fault)
		status, text := post()
		w.expect(c.status, c.text, status, text)
		remove()
	}
	// What hangs ends with the server.
	w.Inject(pager.Fault{Kind: pager.FaultHang})
	time.AfterFunc(20*time.Millisecond, w.Close)
	status, text := post()
	w.expect(0, "", status, text)
	if n := len(w.Events()); n != 5 { // the truncated was taken too
		t.Errorf("%d events, want 5", n)
	}
}
