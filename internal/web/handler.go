package web

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// View is what the API shows of the ledger.
type View interface {
	Campaigns(q view.Query) view.Campaigns
	Campaign(ctx context.Context, tenant, id string, w signal.Window) (view.Detail, error)
	Providers(w signal.Window, sort view.Sort) view.Providers
	Domains(q view.DomainQuery) view.Domains
	Identifiers(q view.IdentifierQuery) view.Identifiers
	Inbound(w signal.Window) view.Inbound
	Accounts() view.Accounts
}

// Options are what a handler shows.
type Options struct {
	View View
	// Sources says how what is read is; what SES says is the View's.
	Sources func(ctx context.Context) (Sources, error)
	// Ready returns nil when the daemon can do its work, else why not.
	Ready func() error
	// Reload puts the configuration file in force again.
	Reload func(ctx context.Context) error
	// Metrics answers scrapes; nil when that is switched off.
	Metrics http.Handler
	// Alerts tells of alerts and silences; without it there are no such answers.
	Alerts *AlertBook
	// Pages adds the pages for people; without it there are none.
	Pages func(mux *http.ServeMux)
	// Reports are those that are kept; without them there are no such answers.
	Reports Reports
	// ReadOnly refuses requests that would change something.
	ReadOnly bool
	Log      *slog.Logger
}

//go:embed openapi.yaml
var openAPI []byte

// New returns the handler of everything.
func New(o Options) http.Handler {
	s := &server{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/openapi.yaml", static("application/yaml", openAPI))
	mux.HandleFunc("GET /api/v1/campaigns", s.campaigns)
	mux.HandleFunc("GET /api/v1/campaigns/{id}", s.campaign)
	mux.HandleFunc("GET /api/v1/providers", s.providers)
	mux.HandleFunc("GET /api/v1/domains", s.domains)
	mux.HandleFunc("GET /api/v1/identifiers", s.identifiers)
	mux.HandleFunc("GET /api/v1/inbound", s.inbound)
	mux.HandleFunc("GET /api/v1/sources", s.sources)
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("GET /-/ready", s.ready)
	mux.HandleFunc("POST /-/reload", s.reload)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	if o.Reports != nil {
		mux.HandleFunc("GET /api/v1/reports", s.reports)
		mux.HandleFunc("GET /api/v1/reports/{id}", s.report)
	}
	if o.Alerts != nil {
		mux.HandleFunc("GET /api/v1/alerts", s.alerts)
		mux.HandleFunc("GET /api/v1/alerts/{id}", s.alert)
		mux.HandleFunc("GET /api/v1/silences", s.silences)
		mux.HandleFunc("POST /api/v1/silences", s.addSilence)
		mux.HandleFunc("DELETE /api/v1/silences/{id}", s.endSilence)
	}
	if o.Pages != nil {
		o.Pages(mux)
	}
	return secured(s.guarded(mux))
}

// guarded refuses what would change something when another site has a browser ask for it, or when nothing may be changed.
func (s *server) guarded(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusForbidden, "another site asks for this: only pages of Mailvane's own, and programs, may change something")
	}))
	protected := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.ReadOnly && r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
			problem(w, http.StatusForbidden, "nothing can be changed here, because http.read_only is set; commands on the daemon's machine can")
			return
		}
		protected.ServeHTTP(w, r)
	})
}

// Unready answers while there is nothing to show yet or any more: the process is healthy, and why it is not ready.
func Unready(why string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { unready(w, why) })
	return secured(mux)
}

func healthy(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "healthy") }

func unready(w http.ResponseWriter, why string) {
	text(w, http.StatusServiceUnavailable, "not ready: "+why)
}

type server struct{ Options }

// secured sets what every answer should say to a browser.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func static(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // a client that is gone needs no answer
	}
}

func (s *server) campaigns(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	q := view.Query{
		Window:   p.window(),
		Tenant:   p.text("tenant"),
		Owner:    p.text("owner"),
		Provider: p.text("provider"),
		Sort:     p.sort(),
		Match:    p.match(),
		Limit:    p.number("limit", defaultLimit, 1, maxLimit),
		Offset:   p.number("offset", 0, 0, 1<<30),
	}
	if !p.done(w) {
		return
	}
	s.json(w, s.View.Campaigns(q))
}

const (
	defaultLimit = 1000
	maxLimit     = 50_000
)

func (s *server) campaign(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	window, tenant := p.window(), p.text("tenant")
	if !p.done(w) {
		return
	}
	detail, err := s.View.Campaign(r.Context(), tenant, r.PathValue("id"), window)
	switch {
	case errors.Is(err, view.ErrNotFound):
		problem(w, http.StatusNotFound, err.Error())
	case err != nil:
		s.fault(w, err)
	default:
		s.json(w, detail)
	}
}

func (s *server) providers(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	window, sort := p.window(), p.sort()
	if sort.OfCampaigns() {
		p.faults = append(p.faults, "sort: providers have no such order")
	}
	if !p.done(w) {
		return
	}
	s.json(w, s.View.Providers(window, sort))
}

func (s *server) sources(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	if !p.done(w) {
		return
	}
	sources, err := s.Sources(r.Context())
	if err != nil {
		s.fault(w, err)
		return
	}
	sources.SES = s.View.Accounts()
	s.json(w, sources)
}

func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		unready(w, err.Error())
		return
	}
	text(w, http.StatusOK, "ready")
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.Reload(r.Context()); err != nil {
		text(w, http.StatusUnprocessableEntity, "the old configuration stays in force:\n"+err.Error())
		return
	}
	text(w, http.StatusOK, "reloaded")
}

// fault answers for an error of ours. What it says stays in the log.
func (s *server) fault(w http.ResponseWriter, err error) {
	s.Log.Error("request not answered", "err", err)
	problem(w, http.StatusInternalServerError, "this could not be read; the log says why")
}

func (s *server) json(w http.ResponseWriter, v any) { s.jsonStatus(w, http.StatusOK, v) }

func (s *server) jsonStatus(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.fault(w, fmt.Errorf("encode an answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(layout(body)) // a client that is gone needs no answer
}

// problem answers with an error as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, body)
}

// params reads the query of a request and remembers what is wrong with it.
type params struct {
	values url.Values
	known  []string
	faults []string
}

func (p *params) text(name string) string {
	p.known = append(p.known, name)
	return p.values.Get(name)
}

func (p *params) window() signal.Window {
	name := p.text("window")
	if name == "" {
		return signal.Week
	}
	w, ok := signal.ParseWindow(name)
	if !ok || w == signal.Life {
		p.faults = append(p.faults, "window must be 1h, 24h or 7d")
	}
	return w
}

func (p *params) sort() view.Sort {
	name := p.text("sort")
	if name == "" {
		return view.Sort{}
	}
	sort, ok := view.ParseSort(name)
	if !ok {
		p.faults = append(p.faults, "sort must be sent, name, gmail_spam_rate or the name of a signal")
	}
	return sort
}

func (p *params) match() *campaign.Matcher {
	glob := p.text("match")
	if glob == "" {
		return nil
	}
	m, err := campaign.NewMatcher([]string{glob})
	if err != nil {
		p.faults = append(p.faults, "match: "+err.Error())
	}
	return m
}

func (p *params) number(name string, otherwise, low, high int) int {
	text := p.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.faults = append(p.faults, fmt.Sprintf("%s must be a whole number from %d to %d", name, low, high))
	}
	return n
}

// done answers with what is wrong, if anything, and says whether to go on. An unknown parameter is wrong: a filter with a
// typing error would otherwise show everything.
func (p *params) done(w http.ResponseWriter) bool {
	for name := range p.values {
		if !slices.Contains(p.known, name) {
			p.faults = append(p.faults, fmt.Sprintf("there is no parameter %q here", name))
		}
	}
	if len(p.faults) == 0 {
		return true
	}
	slices.Sort(p.faults)
	problem(w, http.StatusBadRequest, strings.Join(p.faults, "; "))
	return false
}
