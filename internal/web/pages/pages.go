package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/web"
)

// View is what the pages show of the ledger.
type View interface {
	web.View
	DomainDays(domain string) []view.ShownDay
	Brief(tenant, id string, w signal.Window) view.Detail
	Paces(names []campaign.Name) []view.Pace
	Story(tenant, id string, w signal.Window) *view.Story
	Timeline(ctx context.Context, tenant, id string, over time.Duration) (view.Timeline, error)
	Reasons(q view.ReasonQuery) []view.Reason
	Walk(by view.By, see func(*view.Subject) bool)
	WalkGmail(see func(*view.GmailSubject) bool)
	WalkGmailDays(metric string, see func(*view.GmailSeries) bool)
	Totals(w signal.Window) view.Totals
}

// Options are what the pages show.
type Options struct {
	View View
	// Sources says how what is read is.
	Sources func(ctx context.Context) (web.Sources, error)
	// Quarantine holds what was not understood; nil leaves it out.
	Quarantine Quarantine
	// Alerts tells of alerts, Reports of reports; nil leaves their pages out.
	Alerts  Alerts
	Reports web.Reports
	// Prefix is the path below which a proxy shows the pages, such as /mailvane; it may take that off or leave it. Empty means none.
	Prefix string
	// ReadOnly leaves out the forms by which something is changed. It is for whoever serves the pages to refuse the requests.
	ReadOnly bool
	// Rules are those in force, from which the pages take their lines; nil stands for the defaults.
	Rules func() []alerts.Rule
	// Version is the program's.
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

//go:embed assets templates
var files embed.FS

// Site is all pages.
type Site struct {
	Options
	templates map[string]*template.Template
	// release names the assets of this build in their address, so that browsers may keep them for ever.
	release string
	// names are those of providers for people.
	names map[string]string
}

// New prepares the pages. Its error is one of the program's own templates.
func New(o Options) (*Site, error) {
	if o.Rules == nil {
		o.Rules = alerts.Defaults
	}
	s := &Site{Options: o, templates: map[string]*template.Template{}, names: providerNames()}
	if err := s.fingerprint(); err != nil {
		return nil, err
	}
	base, err := template.New("layout.html").Funcs(functions()).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages' templates: %w", err)
	}
	for _, name := range []string{"overview", "campaign", "providers", "gmail", "inbound", "sources", "alerts", "alert", "reports", "quarantined", "replayed",
		"problem"} {
		one, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("read the pages' templates: %w", err)
		}
		if s.templates[name], err = one.ParseFS(files, "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("read the pages' templates: %w", err)
		}
	}
	return s, nil
}

// fingerprint names the assets by what they hold.
func (s *Site) fingerprint() error {
	sum := sha256.New()
	err := fs.WalkDir(files, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		sum.Write(body)
		return err
	})
	s.release = hex.EncodeToString(sum.Sum(nil))[:12]
	return err
}

// Register adds the pages to a mux.
func (s *Site) Register(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /{$}":                          s.overview,
		"GET /campaigns/{id}":               s.campaign,
		"GET /campaigns/{id}/timeline.json": s.timelineJSON,
		"GET /providers":                    s.providers,
		"GET /gmail":                        s.gmail,
		"GET /inbound":                      s.inbound,
		"GET /sources":                      s.sources,
		"GET /{page}":                       s.elsewhere,
	} {
		mux.Handle(pattern, guarded(handler))
	}
	if s.Alerts != nil {
		mux.Handle("GET /alerts", guarded(http.HandlerFunc(s.alerts)))
		mux.Handle("GET /alerts/{id}", guarded(http.HandlerFunc(s.alert)))
		mux.Handle("POST /silences", guarded(http.HandlerFunc(s.addSilence)))
		mux.Handle("POST /silences/{id}/end", guarded(http.HandlerFunc(s.endSilence)))
	}
	if s.Quarantine != nil {
		mux.Handle("GET /quarantine/{id}", guarded(http.HandlerFunc(s.quarantined)))
		mux.Handle("POST /quarantine/replay", guarded(http.HandlerFunc(s.replayQuarantine)))
	}
	if s.Reports != nil {
		mux.Handle("GET /reports", guarded(http.HandlerFunc(s.reports)))
	}
	if s.Prefix != "" {
		mux.Handle(s.Prefix+"/", http.StripPrefix(s.Prefix, mux))
	}
	mux.HandleFunc("GET /assets/{release}/{file...}", s.asset)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { s.lead(w, r, s.assetURL("icon.svg"), http.StatusFound) })
}

// policy lets a page load its own files and talk to its own origin, and nothing else: no inline script, no inline style, no
// frame, no plug-in.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// A page's address may hold a campaign's name: it is nobody else's business.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (s *Site) assetURL(file string) string { return "/assets/" + s.release + "/" + file }

func (s *Site) asset(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	body, err := files.ReadFile("assets/" + file)
	if err != nil || r.PathValue("release") != s.release {
		http.NotFound(w, r)
		return
	}
	kind := mime.TypeByExtension(path.Ext(file))
	switch path.Ext(file) { // a machine's own table of types may say otherwise
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case "":
		kind = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// render lays a page out. It is written at once or not at all, so that a fault shows as one.
func (s *Site) render(w http.ResponseWriter, status int, name string, page any) {
	s.open(w, status).write(name, page)
}

// answer is a page on its way. What is laid out is sent when all is, or when the template comes to something that takes time.
type answer struct {
	site   *Site
	to     http.ResponseWriter
	status int
	begun  bool
	body   bytes.Buffer
}

func (s *Site) open(w http.ResponseWriter, status int) *answer {
	return &answer{site: s, to: w, status: status}
}

func (a *answer) write(name string, page any) {
	if err := a.site.templates[name].Execute(&a.body, page); err != nil {
		a.site.Log.Error("page not shown", "page", name, "err", err)
		if !a.begun {
			http.Error(a.to, "This page could not be shown; the log says why.", http.StatusInternalServerError)
			return
		}
		a.body.WriteString("<p>The rest of this page could not be shown; the log says why.</p>")
	}
	a.send()
}

// flush sends what is laid out so far.
func (a *answer) flush() {
	a.send()
	_ = http.NewResponseController(a.to).Flush() // a client that is gone needs no answer, and without it all comes later
}

func (a *answer) send() {
	if !a.begun {
		a.to.Header().Set("Content-Type", "text/html; charset=utf-8")
		a.to.WriteHeader(a.status)
		a.begun = true
	}
	_, _ = a.to.Write(a.site.prefixed(a.body.Bytes()))
	a.body.Reset()
}

// prefixed leads the addresses of a page through the proxy. Templates write a quotation mark of anybody's text as an entity, so
// what looks like an attribute is one.
func (s *Site) prefixed(page []byte) []byte {
	if s.Prefix == "" {
		return page
	}
	for _, attribute := range []string{"href", "src", "action", "data-chart"} {
		page = bytes.ReplaceAll(page, []byte(" "+attribute+`="/`), []byte(" "+attribute+`="`+template.HTMLEscapeString(s.Prefix)+"/"))
	}
	return page
}

// elsewhere leads to the list that holds the things of an address that was cut short. Of other addresses it says that there
// is no such page.
func (s *Site) elsewhere(w http.ResponseWriter, r *http.Request) {
	lists := map[string]string{"campaigns": "/#campaigns", "quarantine": "/sources#quarantine", "silences": "/alerts#silences"}
	page := r.PathValue("page")
	if to, ok := lists[page]; ok {
		s.lead(w, r, to, http.StatusFound)
		return
	}
	s.fault(w, r, errNoPage)
}

// lead sends the browser on to another page.
func (s *Site) lead(w http.ResponseWriter, r *http.Request, to string, status int) {
	http.Redirect(w, r, s.Prefix+to, status)
}

var errNoPage = errors.New("no such page")

// fault answers for an error. What an error of ours says stays in the log.
func (s *Site) fault(w http.ResponseWriter, r *http.Request, err error) {
	p := problemPage{frame: s.frame("", "Something went wrong"), Text: "This could not be read. The log says why."}
	status := http.StatusInternalServerError
	var wrong *badQuery
	switch {
	case errors.Is(err, view.ErrNotFound):
		status, p.Title, p.Text = http.StatusNotFound, "Not found", "There was "+err.Error()+"."
	case errors.Is(err, web.ErrNoAlert):
		status, p.Title, p.Text = http.StatusNotFound, "Not found", "There is no such alert, and there was none in the last 90 days."
	case errors.Is(err, ErrNotQuarantined):
		status, p.Title, p.Text = http.StatusNotFound, "Not found", "This message is not in quarantine, or not any more."
	case errors.Is(err, errNoPage):
		status, p.Title, p.Text = http.StatusNotFound, "Not found", "There is no such page."
	case errors.As(err, &wrong):
		status, p.Title, p.Text = http.StatusBadRequest, "This cannot be done", wrong.Error()
	case errors.Is(err, context.Canceled):
		return // the reader went away
	default:
		s.Log.Error("page not shown", "page", r.URL.Path, "err", err)
	}
	s.render(w, status, "problem", p)
}

// problemPage says why there is no page.
type problemPage struct {
	frame
	Text string
}

// frame is what surrounds every page.
type frame struct {
	Title   string
	Section string
	Nav     []link
	Windows []link
	// Assets leads to the files of the pages.
	Assets  string
	Version string
	AsOf    time.Time
}

// link is a link to a page or to a state of one.
type link struct {
	Text, Href string
	Current    bool
}

func (s *Site) frame(section, title string) frame {
	f := frame{Title: title, Section: section, Assets: strings.TrimSuffix(s.assetURL(""), "/"), Version: s.Version}
	for _, n := range []link{
		{Text: "Overview", Href: "/"}, {Text: "Providers", Href: "/providers"}, {Text: "Gmail", Href: "/gmail"},
		{Text: "Inbound", Href: "/inbound"}, {Text: "Alerts", Href: "/alerts"}, {Text: "Reports", Href: "/reports"},
		{Text: "Sources", Href: "/sources"},
	} {
		if n.Text == "Alerts" && s.Alerts == nil || n.Text == "Reports" && s.Reports == nil {
			continue
		}
		n.Current = n.Text == section
		f.Nav = append(f.Nav, n)
	}
	return f
}

// windows offers the windows of a page that has one, with the rest of its address as it is.
func (f *frame) windows(r *http.Request, current signal.Window) {
	for _, w := range signal.Windows() {
		f.Windows = append(f.Windows, link{
			Text: windowWords[w], Href: with(r.URL, "window", w.String(), "page", ""), Current: w == current,
		})
	}
}
