package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// shown is a View with one campaign, which notes what it was asked.
type shown struct {
	query       view.Query
	domains     view.DomainQuery
	identifiers view.IdentifierQuery
	tenant      string
	id          string
	err         error
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func figures() view.Figures {
	var c signal.Counts
	all := signal.CoverageOf(observation.EventSend, observation.EventDelivery, observation.EventBounce, observation.EventSubscription)
	f := view.Figures{}
	for o, n := range map[observation.Outcome]int64{
		observation.Sent: 120_000, observation.Delivered: 118_200, observation.HardBounced: 900, observation.Complained: 31,
	} {
		c.Add(signal.Row{Provider: "yahoo", Outcome: o, Reporting: true, Coverage: all, N: n})
		f.Recipients[o] = n
	}
	for _, s := range signal.Signals() {
		f.Signals[s] = c.Figure(s, &signal.Counts{}, false)
	}
	return f
}

func (s *shown) Campaigns(q view.Query) view.Campaigns {
	s.query = q
	return view.Campaigns{
		Window: view.Window{Start: noon.Add(-time.Hour), End: noon, Basis: "sent", AsOf: noon}, Total: 1,
		Campaigns: []view.Campaign{{ID: "spring-sale", Owner: "growth", Figures: figures()}},
	}
}

func (s *shown) Campaign(_ context.Context, tenant, id string, _ signal.Window) (view.Detail, error) {
	s.tenant, s.id = tenant, id
	return view.Detail{
		Window:    view.Window{Start: noon.Add(-time.Hour), End: noon, Basis: "sent", AsOf: noon},
		Campaign:  view.Campaign{ID: id, Tenant: tenant, Figures: figures()},
		Providers: []view.Provider{{ID: "yahoo", Figures: figures()}},
		Reasons: []view.Reason{{Provider: "yahoo", Outcome: "hard_bounced", Reason: "bad_mailbox", Group: "recipient", N: 900,
			Samples: []view.Sample{{Text: "550 <@> unknown", N: 3, First: noon, Last: noon, MessageIDs: []string{"0100"}}}}},
		Sends: []view.Send{{Name: "spring-sale-20261120", Start: noon, End: noon, Figures: figures()}},
	}, s.err
}

func (s *shown) Providers(_ signal.Window, sort view.Sort) view.Providers {
	s.query.Sort = sort
	return view.Providers{Window: view.Window{Start: noon, End: noon, Basis: "sent", AsOf: noon},
		Providers: []view.Provider{{ID: "yahoo", Campaigns: 1, Figures: figures()}}}
}

func (s *shown) Domains(q view.DomainQuery) view.Domains {
	s.domains = q
	return view.Domains{Domains: []view.Domain{}}
}

func (s *shown) Identifiers(q view.IdentifierQuery) view.Identifiers {
	s.identifiers = q
	return view.Identifiers{}
}

func (s *shown) Inbound(w signal.Window) view.Inbound {
	s.query.Window = w
	return view.Inbound{Window: view.InboundWindow{Start: noon, End: noon, Basis: "handled", AsOf: noon}, Regions: []view.InboundRegion{}, Rules: []view.InboundRule{}}
}

func (s *shown) Accounts() view.Accounts {
	return view.Accounts{AsOf: noon, Accounts: []view.Account{}}
}

type site struct {
	view    *shown
	ready   error
	reload  error
	handler http.Handler
}

func newSite() *site {
	s := &site{view: &shown{}}
	depth := int64(3)
	s.handler = New(Options{
		View: s.view,
		Sources: func(context.Context) (Sources, error) {
			return Sources{
				AsOf: noon, Unclassified: []Unclassified{{Text: "451 <#>", Last: noon}}, Names: []Names{{Dimension: "campaign"}},
				Sources:   []Source{{Name: "ses/a", Kind: "ses", State: "ok", LastSuccess: &noon, Queue: &QueueInfo{Depth: &depth}}},
				Published: []Published{{Basis: "none", Types: map[string]PublishedDay{"Send": {First: noon, Last: noon}}}},
				Ledger:    LedgerInfo{Writable: true, Horizon: map[string]float64{"routine": 1}},
			}, nil
		},
		Ready:   func() error { return s.ready },
		Reload:  func(context.Context) error { return s.reload },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }),
		Log:     slog.New(slog.DiscardHandler),
	})
	return s
}

func (s *site) do(method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

// contract reads the OpenAPI document that the site serves.
func contract(t *testing.T) routers.Router {
	t.Helper()
	router, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// readContract reads the OpenAPI document as the handler serves it, once: it is long.
var readContract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(newSite().do("GET", "/api/v1/openapi.yaml").Body.Bytes())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

func TestAnswersKeepTheContract(t *testing.T) {
	s := newSite()
	router := contract(t)
	for _, target := range []string{
		"/api/v1/campaigns?window=1h&tenant=acme&owner=growth&provider=yahoo&match=spring-*&sort=complaint_rate&limit=5&offset=1",
		"/api/v1/campaigns/spring-sale?window=24h&tenant=acme",
		"/api/v1/providers",
		"/api/v1/sources",
		"/api/v1/campaigns?window=1y",
		"/-/healthy",
	} {
		keepsContract(t, router, target, s.do("GET", target))
	}
}

func TestCampaignsPassesTheQueryOn(t *testing.T) {
	s := newSite()
	if w := s.do("GET", "/api/v1/campaigns?window=24h&tenant=acme&limit=5&offset=2&match=otp-*"); w.Code != 200 {
		t.Fatal(w.Body)
	}
	q := s.view.query
	if q.Window != signal.Day || q.Tenant != "acme" || q.Limit != 5 || q.Offset != 2 || !q.Match.Match("otp-login") {
		t.Errorf("the view was asked %+v", q)
	}
	s.do("GET", "/api/v1/campaigns")
	if s.view.query.Window != signal.Week || s.view.query.Limit != defaultLimit {
		t.Errorf("by default the view was asked %+v", s.view.query)
	}
}

func TestQueriesAboutGmailArePassedOn(t *testing.T) {
	s := newSite()
	for _, target := range []string{
		"/api/v1/domains?window=24h&domain=News.Example.com.&state=not_reported&sort=spam_rate&limit=3&offset=4",
		"/api/v1/identifiers?window=24h&domain=News.Example.com&state=ok&match=own&sort=name&limit=3&offset=4",
		"/api/v1/providers?sort=hard_bounce_rate",
	} {
		if w := s.do("GET", target); w.Code != 200 {
			t.Fatalf("%s: %s", target, w.Body)
		}
	}
	wantDomains := view.DomainQuery{
		Window: signal.Day, Domain: "news.example.com", State: campaign.ReportNotReported, BySpamRate: true, Limit: 3, Offset: 4,
	}
	wantIdentifiers := view.IdentifierQuery{
		Window: signal.Day, Domain: "news.example.com", State: campaign.ReportOK, Match: campaign.MatchOwn, ByName: true, Limit: 3,
		Offset: 4,
	}
	if s.view.domains != wantDomains || s.view.identifiers != wantIdentifiers {
		t.Errorf("the view was asked %+v and %+v", s.view.domains, s.view.identifiers)
	}
	if want, _ := view.ParseSort("hard_bounce_rate"); s.view.query.Sort != want {
		t.Errorf("providers come in the order %+v", s.view.query.Sort)
	}
	for target, want := range map[string]string{
		"/api/v1/providers?sort=gmail_spam_rate":    "sort: providers have no such order",
		"/api/v1/domains?sort=sent":                 "sort must be name or spam_rate",
		"/api/v1/domains?match=own":                 `there is no parameter \"match\" here`,
		"/api/v1/identifiers?state=0&match=perhaps": "match must be own, shared, account, sender, ip, unknown, earlier, not_covered or not_joined; state must be",
		"/api/v1/identifiers?limit=100000":          "limit must be a whole number from 1 to 20000",
	} {
		if w := s.do("GET", target); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestCampaignNamesMayHoldAnything(t *testing.T) {
	s := newSite()
	id := "50 % off / \"now\" <b>"
	if w := s.do("GET", "/api/v1/campaigns/"+url.PathEscape(id)+"?tenant=a%26b"); w.Code != 200 {
		t.Fatal(w.Body)
	}
	if s.view.id != id || s.view.tenant != "a&b" {
		t.Errorf("asked for %q of %q", s.view.id, s.view.tenant)
	}
}

func TestBadQueriesSayEverythingThatIsWrong(t *testing.T) {
	s := newSite()
	w := s.do("GET", "/api/v1/campaigns?window=life&limit=0&sort=worst&tennant=acme")
	var got struct {
		Status int
		Detail string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := `limit must be a whole number from 1 to 50000; sort must be sent, name, gmail_spam_rate or the name of a signal; ` +
		`there is no parameter "tennant" here; window must be 1h, 24h or 7d`
	if diff := cmp.Diff(want, got.Detail); diff != "" || got.Status != 400 || w.Code != 400 {
		t.Errorf("status %d\n%s", w.Code, diff)
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	s := newSite()
	s.view.err = view.ErrNotFound
	if w := s.do("GET", "/api/v1/campaigns/x"); w.Code != 404 || !strings.Contains(w.Body.String(), view.ErrNotFound.Error()) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.view.err = errors.New("open /secret/path: denied")
	if w := s.do("GET", "/api/v1/campaigns/x"); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestHealthReadyAndReload(t *testing.T) {
	s := newSite()
	for _, c := range []struct {
		method, target string
		ready, reload  error
		status         int
		body           string
	}{
		{"GET", "/-/healthy", errors.New("disk full"), nil, 200, "healthy\n"},
		{"GET", "/-/ready", nil, nil, 200, "ready\n"},
		{"GET", "/-/ready", errors.New("disk full"), nil, 503, "not ready: disk full\n"},
		{"POST", "/-/reload", nil, nil, 200, "reloaded\n"},
		{"POST", "/-/reload", nil, errors.New("a.yaml:1:2: bad"), 422, "the old configuration stays in force:\na.yaml:1:2: bad\n"},
		{"GET", "/-/reload", nil, nil, 405, "Method Not Allowed\n"},
		{"GET", "/metrics", nil, nil, 200, "metrics"},
		{"GET", "/nowhere", nil, nil, 404, "404 page not found\n"},
	} {
		s.ready, s.reload = c.ready, c.reload
		w := s.do(c.method, c.target)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: got %d %q", c.method, c.target, w.Code, w.Body)
		}
	}
}

func TestUnready(t *testing.T) {
	h := Unready("the ledger is being opened")
	for target, want := range map[string]int{"/-/healthy": 200, "/-/ready": 503, "/api/v1/campaigns": 503, "/metrics": 503} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != want {
			t.Errorf("%s: %d", target, w.Code)
		}
		if want == 503 && w.Body.String() != "not ready: the ledger is being opened\n" {
			t.Errorf("%s: %q", target, w.Body)
		}
	}
}

func TestAnotherSiteCannotReload(t *testing.T) {
	s := newSite()
	r := httptest.NewRequest("POST", "/-/reload", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("got %d", w.Code)
	}
}

func TestEveryAnswerIsSecured(t *testing.T) {
	h := newSite().do("GET", "/").Header()
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("Content-Security-Policy is %q", h.Get("Content-Security-Policy"))
	}
}
