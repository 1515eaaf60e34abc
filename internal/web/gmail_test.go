package web

import (
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/view"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// gmailLedger is a ledger on disk whose mail and readings tests write.
type gmailLedger struct {
	*sqlite.Ledger
	now    time.Time
	nextID uint64
}

func newGmailLedger(t *testing.T) *gmailLedger {
	t.Helper()
	l := &gmailLedger{now: noon}
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return l.now }, RoutineIDs: 1 << 16,
		ExceptionalIDs: 1 << 12, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	l.Ledger = store
	// Everything that Gmail may speak of is covered.
	l.send(t, 14, observation.Campaign{Name: "before"}, observation.Stamp{}, 1)
	return l
}

func (l *gmailLedger) commit(t *testing.T, put ledger.Put) {
	t.Helper()
	put.Source = "test"
	if _, err := l.Commit(t.Context(), put); err != nil {
		t.Fatal(err)
	}
}

// daysAgo is the start of a day.
func daysAgo(days int) time.Time { return noon.Truncate(24*time.Hour).AddDate(0, 0, -days) }

// send delivers mail to so many people at Gmail, in the morning so many days ago.
func (l *gmailLedger) send(t *testing.T, days int, c observation.Campaign, s observation.Stamp, n int) {
	t.Helper()
	at := daysAgo(days).Add(9 * time.Hour)
	var put ledger.Put
	for range n {
		for outcome, event := range map[observation.Outcome]observation.EventType{
			observation.Sent: observation.EventSend, observation.Delivered: observation.EventDelivery,
		} {
			l.nextID++
			put.Entries = append(put.Entries, ledger.Entry{
				ID: l.nextID, Type: event, SentAt: at, At: at, Stamp: s,
				Cell: ledger.Cell{
					Origin:   observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"},
					Campaign: c, Provider: "gmail", Outcome: outcome,
				},
			})
		}
	}
	l.commit(t, put)
}

// read stores what Gmail says about a day.
func (l *gmailLedger) read(t *testing.T, days int, domain, metric, detail string, value *float64, text string) {
	t.Helper()
	start := daysAgo(days)
	l.commit(t, ledger.Put{Readings: []observation.Reading{{
		Key:   observation.ReadingKey{Source: observation.PostmasterV2, Subject: domain, Metric: metric, Detail: detail},
		Start: start, End: start.AddDate(0, 0, 1), Value: value, Text: text,
	}}})
}

// arrive stores a day's rate, and those of some identifiers.
func (l *gmailLedger) arrive(t *testing.T, days int, domain string, rate float64, identifiers map[string]float64) {
	t.Helper()
	l.read(t, days, domain, observation.PostmasterArrived, "", new(1.0), "")
	l.read(t, days, domain, observation.PostmasterSpamRate, "", &rate, "")
	for id, rate := range identifiers {
		detail := observation.FeedbackLoopDetail(observation.PostmasterFromHeader, id)
		l.read(t, days, domain, observation.PostmasterFeedbackLoopSpamRate, detail, &rate, "")
	}
}

// show is what a daemon answers from the ledger.
func (l *gmailLedger) show(t *testing.T) http.Handler {
	t.Helper()
	return New(Options{View: l.view(t), Log: slog.New(slog.DiscardHandler)})
}

func (l *gmailLedger) view(t *testing.T) *view.View {
	t.Helper()
	v := view.New(l, view.Options{Group: func(string) string { return "" }})
	if err := l.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := v.RefreshGmail(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}

// ask gets an answer that keeps the contract.
func ask(t *testing.T, h http.Handler, target string, status int) []byte {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	if w.Code != status {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	body := w.Body.Bytes()
	keepsContract(t, contract(t), target, w)
	return body
}

// keepsContract holds an answer against the OpenAPI document.
func keepsContract(t *testing.T, router routers.Router, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route}
	if err := openapi3filter.ValidateRequest(t.Context(), request); (err == nil) != (w.Code != http.StatusBadRequest) {
		t.Errorf("%s: answered with %d, the document says: %v", target, w.Code, err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: w.Code, Header: w.Header(), Body: io.NopCloser(w.Body),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !strings.Contains(w.Header().Get("Content-Type"), "json")},
	})
	if err != nil {
		t.Errorf("%s: %v", target, err)
	}
}

// hostile is an identifier that somebody chose to break what shows it.
const hostile = "50 % \"off\" \\ <b>\n§ 🎉"

// shopLedger has a campaign that Gmail users report, one that it shares an identifier with, one of which Gmail is silent, a
// value that nobody sent, and domains that are silent, closed or late.
func shopLedger(t *testing.T) *gmailLedger {
	l := newGmailLedger(t)
	const domain = "news.example.com"
	stamp := func(a string) observation.Stamp {
		return observation.Stamp{FromDomain: domain, A: a, B: "promotions"}
	}
	l.send(t, 3, observation.Campaign{Name: "spring-sale", Send: "spring-sale-1117"}, stamp("spring-sale"), 1500)
	l.send(t, 2, observation.Campaign{Name: "autumn-sale", Tenant: "acme"}, stamp("autumn-sale"), 1100)
	l.send(t, 2, observation.Campaign{Name: "otp"}, observation.Stamp{FromDomain: domain}, 60)
	l.arrive(t, 3, domain, 0.0018, map[string]float64{"spring-sale": 0.0021, "promotions": 0.0019, "1.eu-west-1.aGFzaA==": 0.0018, "AmazonSES": 0.0018})
	l.arrive(t, 2, domain, 0.0004, map[string]float64{"promotions": 0.0002, hostile: 0.004})
	l.read(t, 2, domain, "auth_success_rate", "dkim", new(0.998), "")
	l.read(t, 0, domain, "compliance", "domain/ONE_CLICK_UNSUBSCRIBE", new(0.0), "NEEDS_WORK")
	l.arrive(t, 7, "silent.example.org", 0.0001, nil)
	l.read(t, 0, "closed.example.org", observation.PostmasterAccess, "", nil, "no_access")
	l.now = noon.Add(time.Hour)
	l.arrive(t, 3, domain, 0.0020, nil) // revised
	return l
}

func TestGmailAnswers(t *testing.T) {
	h := shopLedger(t).show(t)
	for file, target := range map[string]string{
		"gmail_campaigns.json":    "/api/v1/campaigns?sort=gmail_spam_rate",
		"gmail_campaign.json":     "/api/v1/campaigns/autumn-sale?tenant=acme&window=24h",
		"gmail_domains.json":      "/api/v1/domains",
		"gmail_identifiers.json":  "/api/v1/identifiers",
		"gmail_unknown.json":      "/api/v1/identifiers?match=unknown&domain=news.example.com&sort=name&state=ok",
		"gmail_worst_domain.json": "/api/v1/domains?sort=spam_rate&limit=1&window=24h",
	} {
		got := ask(t, h, target, http.StatusOK)
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

// Before anything is known, answers are empty and keep the contract, too.
func TestGmailAnswersOfAnEmptyLedger(t *testing.T) {
	l := newGmailLedger(t)
	for _, h := range []http.Handler{l.show(t), New(Options{View: view.New(l, view.Options{}), Log: slog.New(slog.DiscardHandler)})} {
		for _, target := range []string{"/api/v1/domains", "/api/v1/identifiers", "/api/v1/campaigns?sort=gmail_spam_rate", "/api/v1/providers?sort=name"} {
			ask(t, h, target, http.StatusOK)
		}
		for _, target := range []string{"/api/v1/domains?state=perhaps", "/api/v1/domains?limit=0", "/api/v1/identifiers?match=none", "/api/v1/identifiers?sort=sent"} {
			ask(t, h, target, http.StatusBadRequest)
		}
	}
}
