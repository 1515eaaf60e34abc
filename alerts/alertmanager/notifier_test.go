package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
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
	"github.com/mailvane/mailvane/internal/observation"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const password = "password-0123456789"

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

// receiver stands where an Alertmanager would.
type receiver struct {
	*httptest.Server
	mu            sync.Mutex
	bodies        [][]byte
	path          string
	authorization string
}

// newReceiver takes all, unless answer does something else.
func newReceiver(t testing.TB, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.bodies = append(r.bodies, body)
		r.path, r.authorization = request.URL.Path, request.Header.Get("Authorization")
		r.mu.Unlock()
		if answer != nil {
			request.Body = io.NopCloser(bytes.NewReader(body))
			answer(w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) last(t testing.TB) []alert {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) == 0 {
		t.Fatal("nothing was sent")
	}
	var all []alert
	if err := json.Unmarshal(r.bodies[len(r.bodies)-1], &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func secretly(text string) delivery.Secret { return func() (string, error) { return text, nil } }

func newNotifier(t testing.TB, o Options) *Notifier {
	t.Helper()
	o.Name = "am"
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAlerts holds what is sent a minute after the notification was made against the goldens.
func TestAlerts(t *testing.T) {
	for _, name := range []string{"opened", "worsened", "joined", "left", "closed", "daily"} {
		n := read(t, name)
		body, err := json.MarshalIndent(newAlerts(n, n.At.Add(time.Minute)), "", "  ")
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
	}
}

// TestEndsFit holds that what ends an alert names it by the very labels under which it was sent.
func TestEndsFit(t *testing.T) {
	opened, worsened, closed := read(t, "opened"), read(t, "worsened"), read(t, "closed")
	was := newAlerts(opened, opened.At)[0]
	changed := newAlerts(worsened, worsened.At)
	if len(changed) != 2 || changed[0].Labels["severity"] != "critical" {
		t.Fatalf("%d alerts, want the critical one and the end of the warning", len(changed))
	}
	if diff := cmp.Diff(was.Labels, changed[1].Labels); diff != "" || changed[1].EndsAt != delivery.Time(worsened.At) {
		t.Errorf("the warning ends at %s as another (-was +ends):\n%s", changed[1].EndsAt, diff)
	}
	end := newAlerts(closed, closed.At)
	if diff := cmp.Diff(changed[0].Labels, end[0].Labels); len(end) != 1 || diff != "" || end[0].EndsAt != delivery.Time(closed.At) {
		t.Errorf("%d ends, at %s, as another (-was +ends):\n%s", len(end), end[0].EndsAt, diff)
	}
}

// TestResend holds that an alert stands for four resends from each delivery, and that ends are not told for ever.
func TestResend(t *testing.T) {
	am := newReceiver(t, nil)
	var now time.Time
	a := newNotifier(t, Options{URLs: []string{am.URL + "/prefix/"}, Now: func() time.Time { return now }})
	n := read(t, "left")
	for _, c := range []struct {
		after time.Duration
		sent  int
	}{{0, 2}, {a.ResendEvery(), 2}, {time.Hour, 1}} {
		now = n.At.Add(c.after)
		if err := a.Notify(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		all := am.last(t)
		if want := delivery.Time(now.Add(4 * a.ResendEvery())); len(all) != c.sent || all[0].EndsAt != want {
			t.Errorf("after %s %d alerts until %s, want %d until %s", c.after, len(all), all[0].EndsAt, c.sent, want)
		}
	}
	if am.path != "/prefix/api/v2/alerts" {
		t.Errorf("sent to %s", am.path)
	}
	// What has ended by itself needs no call.
	calls := len(am.bodies)
	if err := a.Notify(t.Context(), read(t, "opened")); err != nil || len(am.bodies) != calls+1 {
		t.Errorf("%d calls, %v", len(am.bodies)-calls, err)
	}
	closed := read(t, "closed")
	now = closed.At.Add(time.Hour)
	if err := a.Notify(t.Context(), closed); err != nil || len(am.bodies) != calls+1 {
		t.Errorf("%d calls, %v", len(am.bodies)-calls, err)
	}
}

// TestLabels holds that labels are such as Alertmanager takes, and that nobody's can pass for another.
func TestLabels(t *testing.T) {
	n := read(t, "opened")
	m := &n.Members[0]
	m.Labels = []observation.Field{
		{Name: "severity", Value: "none"}, {Name: "alertname", Value: "Other"}, {Name: "__x", Value: "1"}, {Name: "a-b", Value: "1"},
		{Name: "ok_1", Value: "a\nb"}, {Name: "empty", Value: ""}, {Name: "_x", Value: "1"},
	}
	m.Subject.Campaign = "sale\x00\u202e\xff"
	n.Links = []alerts.Link{{Text: "bad", URL: "no address"}, {Text: "bad", URL: "%zz"}}
	a := newAlerts(n, n.At)[0]
	want := map[string]string{
		"alertname": "CampaignHardBounceRate", "severity": "warning", "signal": "hard_bounce_rate", "by": "campaign", "cause": "bounces",
		"owner": "growth", "tenant": "acme", "campaign": "sale  \uFFFD", "ok_1": "a b", "_x": "1",
	}
	if diff := cmp.Diff(want, a.Labels); diff != "" || a.GeneratorURL != "" {
		t.Errorf("generator %q, labels (-want +got):\n%s", a.GeneratorURL, diff)
	}
}

// TestAnswers holds what becomes of a notification by the answer, and that no error shows the credentials.
func TestAnswers(t *testing.T) {
	status := func(code int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode("sent: " + r.Header.Get("Authorization"))
	}
	cut := func(how string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = conn.Write([]byte(how))
			_ = conn.Close()
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   alerts.DeliveryReason
		text   string
		after  time.Duration
	}{
		{name: "taken", answer: status(200, "")},
		{name: "taken, the answer broke off", answer: cut("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")},
		{name: "204 by something else", answer: status(204, ""), want: alerts.DeliveryUnavailable, text: "status 204, not 200"},
		{name: "redirect", answer: status(308, "", "Location", "http://127.0.0.1:1/"), want: alerts.DeliveryAuth, text: "leads elsewhere"},
		{name: "400", answer: status(400, `"start time must be before end time"`), want: alerts.DeliveryRefused, text: "status 400: start time must be before end time"},
		{name: "422", answer: status(422, `{"code":601,"message":"parsing alerts body from \"\" failed"}`), want: alerts.DeliveryRefused, text: "status 422: parsing alerts"},
		{name: "401", answer: status(401, "Unauthorized"), want: alerts.DeliveryAuth, text: "status 401"},
		{name: "403", answer: status(403, ""), want: alerts.DeliveryAuth},
		{name: "404", answer: status(404, "404 page not found"), want: alerts.DeliveryAuth},
		{name: "413", answer: status(413, ""), want: alerts.DeliveryRefused},
		{name: "429", answer: status(429, "", "Retry-After", "20"), want: alerts.DeliveryQuota, after: 20 * time.Second},
		{name: "500", answer: status(500, `"out of memory"`), want: alerts.DeliveryUnavailable, text: "out of memory"},
		{name: "503", answer: status(503, "", "Retry-After", "120"), want: alerts.DeliveryUnavailable, after: 2 * time.Minute},
		{name: "reset", answer: cut(""), want: alerts.DeliveryUnavailable},
		{name: "truncated", answer: cut("HTTP/1.1 20"), want: alerts.DeliveryUnavailable},
		{name: "hang", answer: hang, want: alerts.DeliveryUnavailable, text: "deadline exceeded"},
		{name: "echo", answer: echo, want: alerts.DeliveryRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []Options{{User: "mailvane", Password: secretly(password)}, {Token: secretly(password)}} {
				o.URLs = []string{newReceiver(t, c.answer).URL}
				a := newNotifier(t, o)
				ctx := t.Context()
				if c.name == "hang" {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
					defer cancel()
				}
				expect(t, a.Notify(ctx, read(t, "opened")), c.want, c.text, c.after)
			}
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
	if !ok || e.Notifier != "am" || e.Reason != want || e.RetryAfter != after || !strings.Contains(err.Error(), text) {
		t.Fatalf("%v (%+v), want %s with %q after %s", err, e, want, text, after)
	}
	all := fmt.Sprintf("%v %+v %#v", err, err, e.Err)
	for _, s := range []string{password[:9], "bWFpbHZhbmU6", "OnBhc3N3"} {
		if strings.Contains(all, s) {
			t.Errorf("the error shows %s: %s", s, all)
		}
	}
}

// TestPair holds that all Alertmanagers of a cluster get everything, that one will do, and that what the others said is
// logged.
func TestPair(t *testing.T) {
	fails := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	var log bytes.Buffer
	one, other, down, refuses := newReceiver(t, nil), newReceiver(t, nil), newReceiver(t, fails(503)), newReceiver(t, fails(400))
	notify := func(all ...*receiver) error {
		o := Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Token: secretly(password)}
		for _, r := range all {
			o.URLs = append(o.URLs, r.URL)
		}
		return newNotifier(t, o).Notify(t.Context(), read(t, "opened"))
	}
	expect(t, notify(one, other), "", "", 0)
	if diff := cmp.Diff(one.last(t)[0].Labels, other.last(t)[0].Labels); diff != "" || log.Len() > 0 || one.authorization != "Bearer "+password {
		t.Errorf("the two got other alerts, or no token (%s):\n%s", log.String(), diff)
	}
	expect(t, notify(down, one), "", "", 0)
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "status 503") || strings.Contains(text, password[:9]) {
		t.Errorf("log %q", text)
	}
	expect(t, notify(refuses, down), alerts.DeliveryUnavailable, "status 503", 0)
	expect(t, notify(refuses, refuses), alerts.DeliveryRefused, "status 400", 0)
}

func TestSettings(t *testing.T) {
	bad := func(o Options) {
		t.Helper()
		if _, err := New(o); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	bad(Options{})
	bad(Options{URLs: []string{"alertmanager:9093"}})
	bad(Options{URLs: []string{"http://u:" + password + "@alertmanager:9093"}})
	bad(Options{URLs: []string{"http://alertmanager:9093"}, Token: secretly(password)})
	newNotifier(t, Options{URLs: []string{"http://alertmanager:9093"}})
	newNotifier(t, Options{URLs: []string{"http://alertmanager:9093"}, Token: secretly(password), AllowHTTP: true})

	am := newReceiver(t, nil)
	a := newNotifier(t, Options{URLs: []string{am.URL}, Token: func() (string, error) { return "", os.ErrNotExist }})
	expect(t, a.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "read the credentials: file does not exist", 0)
	a = newNotifier(t, Options{URLs: []string{am.URL}, Token: secretly(password + "\n" + password)})
	expect(t, a.Notify(t.Context(), read(t, "opened")), alerts.DeliveryAuth, "more than one word", 0)
}
