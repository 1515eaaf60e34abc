package postmaster_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// clock is a clock that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// source makes a Source of a function.
type source func(domain string, t time.Time) traffic.GmailDay

func (s source) Day(domain string, t time.Time) traffic.GmailDay { return s(domain, t) }

func count(inboxed, reports int64) traffic.GmailCount {
	return traffic.GmailCount{Delivered: inboxed * 10 / 9, Inboxed: inboxed, Reports: reports}
}

// account is a value as SES writes it.
const account = "1.us-east-1.AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK="

// week is the week of the samples: reports on the 15th, none on the 16th, no data on the 17th, trouble on the 18th.
func week(_ string, t time.Time) traffic.GmailDay {
	value := func(inboxed, reports int64) traffic.GmailValue {
		return traffic.GmailValue{GmailCount: count(inboxed, reports)}
	}
	switch t.Day() {
	case 17:
		return traffic.GmailDay{GmailCount: count(174, 50)}
	case 18:
		return traffic.GmailDay{GmailCount: count(10_000, 31), Foreign: 500,
			Values: map[string]traffic.GmailValue{
				"welcome-series": value(1000, 4), "onboarding": value(5000, 20), account: value(9000, 30), "AmazonSES": value(9000, 30),
				"192.0.2.25": value(500, 2), "small": value(399, 9), "liked": value(5000, 1), "signed": value(300, 1)},
			Signed: map[string]traffic.GmailValue{"signed": value(300, 1), "partner": value(600, 3), "onboarding": value(5000, 80)},
			Errors: map[traffic.GmailError]int64{{Type: "temp_fail", Reason: "other"}: 42, {Type: "reject", Reason: "spammy_content"}: 40,
				{Type: "temp_fail", Reason: "anomalous_traffic_pattern"}: 20}}
	case 16:
		return traffic.GmailDay{GmailCount: count(8000, 0)}
	default:
		return traffic.GmailDay{GmailCount: count(10_000, 9)}
	}
}

// world is a server on the wire and a token for it.
type world struct {
	*testing.T
	server *postmaster.Server
	http   *httptest.Server
	clock  *clock
	token  string
}

// start serves what change makes of the usual options. The newest day of the usual clock is the 18th.
func start(t *testing.T, change ...func(*postmaster.Options)) *world {
	t.Helper()
	w := &world{T: t, clock: &clock{at: time.Date(2026, time.November, 20, 3, 0, 0, 0, time.UTC)}}
	created := time.Date(2026, time.March, 1, 12, 0, 0, 123456000, time.UTC)
	o := postmaster.Options{Source: source(week), Now: w.clock.now, Seed: 1, TokenLife: 300 * 24 * time.Hour, Domains: []postmaster.Domain{
		{Name: "example.com", Created: created, Verified: time.Unix(0, 0)},
		{Name: "mail.example.com", Permission: "READER", Created: created, Deliverability: "SPAM_RATE_HIGH",
			NeedsWork: map[string]string{"ONE_CLICK_UNSUBSCRIBE": "NO_UNSUB_PROMO_SPAM_REPORTS"}},
		{Name: "none.example.org", Permission: "NONE"}, {Name: "unverified.example.org", Permission: "ADMIN", Unverified: true},
	}}
	for _, f := range change {
		f(&o)
	}
	w.server = postmaster.New(o)
	w.http = httptest.NewServer(w.server)
	t.Cleanup(func() {
		w.server.Close()
		w.http.Close()
	})
	w.login()
	return w
}

// login gets a token as the credentials file says.
func (w *world) login(scopes ...string) {
	w.Helper()
	status, body := w.refresh(w.server.AuthorizedUser(w.http.URL, scopes...))
	if status != http.StatusOK {
		w.Fatalf("no token: %d %s", status, body)
	}
	w.token = w.field(body, "access_token").(string)
}

// refresh asks for an access token by a credentials file.
func (w *world) refresh(file []byte, more ...string) (int, []byte) {
	w.Helper()
	var f map[string]string
	if err := json.Unmarshal(file, &f); err != nil {
		w.Fatal(err)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {f["client_id"]}, "client_secret": {f["client_secret"]},
		"refresh_token": {f["refresh_token"]}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return w.postForm(f["token_uri"], form)
}

func (w *world) postForm(address string, form url.Values) (int, []byte) {
	w.Helper()
	r, err := w.http.Client().PostForm(address, form)
	if err != nil {
		w.Fatal(err)
	}
	return w.read(r)
}

func (w *world) read(r *http.Response) (int, []byte) {
	w.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.Fatal(err)
	}
	return r.StatusCode, body
}

// send sends a request with the token; a body makes it a POST.
func (w *world) send(path string, body []byte) (*http.Response, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(w.Context(), method, w.http.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	return w.http.Client().Do(r)
}

func (w *world) ask(path string, body ...byte) (int, []byte) {
	w.Helper()
	r, err := w.send(path, body)
	if err != nil {
		w.Fatal(err)
	}
	return w.read(r)
}

// get asks and wants status 200.
func (w *world) get(path string, body ...byte) []byte {
	w.Helper()
	status, text := w.ask(path, body...)
	if status != http.StatusOK {
		w.Fatalf("%s: %d %s", path, status, text)
	}
	return text
}

// reason says why a request was refused: its status and the reason in the details.
func (w *world) reason(status int, body []byte) string {
	w.Helper()
	var e struct {
		Error struct {
			Code    int
			Status  string
			Details []struct{ Reason string }
		}
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Error.Code != status {
		w.Fatalf("no error of the API: %d %s", status, body)
	}
	if len(e.Error.Details) > 0 {
		return e.Error.Status + " " + e.Error.Details[0].Reason
	}
	return e.Error.Status
}

func (w *world) field(body []byte, name string) any {
	w.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		w.Fatalf("%v in %s", err, body)
	}
	return v[name]
}

// stat is a row of version 2.
type stat struct {
	Metric string
	Value  struct {
		DoubleValue, FloatValue *float64
		IntValue                string
		StringList              *struct{ Values []string }
	}
	Date *struct{ Year, Month, Day int }
}

// page is a page of them.
type page struct {
	DomainStats   []stat
	NextPageToken string
}

// metric writes a definition of a query.
func metric(name, standard, filter string) string {
	text, _ := json.Marshal(map[string]any{"name": name, "baseMetric": map[string]string{"standardMetric": standard}, "filter": filter})
	return string(text)
}

// span writes a query for the 10th to the 30th of the month.
func span(rest string, metrics ...string) []byte {
	return []byte(`{"metricDefinitions":[` + strings.Join(metrics, ",") + `],"timeQuery":{"dateRanges":{"dateRanges":[` +
		`{"start":{"year":2026,"month":11,"day":10},"end":{"year":2026,"month":11,"day":30}}]}}` + rest + `}`)
}

const queryPath = "/v2/domains/example.com/domainStats:query"

// query asks for stats of example.com.
func (w *world) query(body []byte) page {
	w.Helper()
	return parse(w.T, w.get(queryPath, body...))
}

func parse(t *testing.T, text []byte) (p page) {
	t.Helper()
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// days lists the days of a page's rows.
func (p page) days() (days []int) {
	for _, s := range p.DomainStats {
		days = append(days, s.Date.Day)
	}
	return days
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../testdata/postmaster", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// keysOf lists the paths of a JSON text's keys; the elements of arrays share one path.
func keysOf(t *testing.T, text []byte) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	var list []string
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				list = append(list, path+"."+k)
				walk(inner, path+"."+k)
			}
		case []any:
			for _, inner := range v {
				walk(inner, path+"[]")
			}
		}
	}
	walk(v, "")
	slices.Sort(list)
	return slices.Compact(list)
}
