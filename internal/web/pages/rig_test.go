package pages

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/watch"
	"github.com/mailvane/mailvane/internal/web"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// records are what a view reads: the rows of mail that a test writes down.
type records struct {
	rows    []ledger.CohortRow
	samples []ledger.SampleRow
	// onCampaign is called before the rows of one campaign are read.
	onCampaign func(context.Context) error
}

var _ view.Reader = (*records)(nil)

var origin = observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"}

func (r *records) Status(context.Context) (ledger.Status, error) {
	return ledger.Status{AsOf: noon, Through: 1}, nil
}

func (r *records) Zone() *time.Location { return time.UTC }

func (r *records) Cohorts(ctx context.Context, q ledger.CohortQuery) (ledger.Cohorts, error) {
	c := ledger.Cohorts{Through: 1}
	if r.onCampaign != nil && q.Campaign != "" {
		if err := r.onCampaign(ctx); err != nil {
			return c, err
		}
	}
	for i := range r.rows {
		row := &r.rows[i]
		if !row.Start.Before(q.From) && row.Start.Before(q.To) &&
			(q.Campaign == "" || q.Campaign == row.Cell.Campaign.Name && q.Tenant == row.Cell.Campaign.Tenant) {
			c.Rows = append(c.Rows, *row)
		}
	}
	return c, nil
}

func (r *records) Changes(context.Context, ledger.Fold) (ledger.Changes, error) {
	return ledger.Changes{Through: 1}, nil
}

func (r *records) Published(context.Context) (all []ledger.Published, err error) {
	for _, t := range observation.EventTypes() {
		all = append(all, ledger.Published{Origin: origin, Type: t, First: noon.AddDate(0, -3, 0), Last: noon})
	}
	return all, nil
}

func (r *records) Versions(_ context.Context, kind string) ([]ledger.Version, error) {
	if kind != ledger.VersionReporting {
		return nil, nil
	}
	return []ledger.Version{{Since: noon.AddDate(0, -3, 0), Body: []byte(`["yahoo","microsoft"]`)}}, nil
}

func (r *records) Samples(context.Context, ledger.SampleQuery) ([]ledger.SampleRow, error) {
	return r.samples, nil
}

func (r *records) OwnTime(context.Context, time.Time, time.Time) ([]ledger.OwnTimeRow, error) {
	return nil, nil
}

func (r *records) Uses(context.Context, time.Time, time.Time) ([]ledger.UseRow, error) {
	return nil, nil
}

func (r *records) Readings(context.Context, ledger.ReadingQuery) ([]ledger.ReadingRow, error) {
	return nil, nil
}

// counts is what became of mail.
type counts map[observation.Outcome]int64

// send writes mail of a campaign to a provider down, sent so long ago.
func (r *records) send(tenant, name, provider string, ago time.Duration, of counts) {
	for outcome, n := range of {
		cell := ledger.Cell{Origin: origin, Campaign: observation.Campaign{Tenant: tenant, Name: name}, Provider: provider, Outcome: outcome}
		switch outcome {
		case observation.HardBounced:
			cell.Reason = "bad_mailbox"
		case observation.SoftBounced:
			cell.Reason = "reputation_ip"
		}
		r.rows = append(r.rows, ledger.CohortRow{Start: noon.Add(-ago).Truncate(5 * time.Minute), Width: 5 * time.Minute, Cell: cell, N: n})
	}
}

// Names that would do harm where they are not escaped.
const (
	scriptName  = `<script>alert("x")</script>`
	formulaName = `=HYPERLINK("http://evil.example","x")`
	pathName    = `a/b?c=d&e#f %2e "quoted"`
	tenantName  = `"><img src=x onerror=alert(1)>`
)

// story is a sender with one campaign of each kind.
func story() *records {
	r := &records{}
	r.send("", "bought-list", "gmail", 26*time.Hour, counts{observation.Sent: 4000, observation.Delivered: 3600, observation.HardBounced: 400})
	r.send("acme", "blocked", "microsoft", 3*time.Hour, counts{observation.Sent: 2000, observation.Delivered: 1200, observation.SoftBounced: 800})
	r.send("acme", "blocked", "gmail", 3*time.Hour, counts{observation.Sent: 2000, observation.Delivered: 2000})
	r.send("", "annoying", "yahoo", 30*time.Hour, counts{observation.Sent: 5000, observation.Delivered: 5000, observation.Complained: 60})
	r.send("", "only-at-gmail", "gmail", 2*time.Hour, counts{observation.Sent: 3000, observation.Delivered: 3000})
	r.send("", "only-deliveries", "yahoo", 5*time.Hour, counts{observation.Delivered: 50})
	r.send("", "long-ago", "yahoo", 10*24*time.Hour, counts{observation.Sent: 3000, observation.Delivered: 2000, observation.HardBounced: 1000})
	r.send("", scriptName, "yahoo", 5*time.Hour, counts{observation.Sent: 100, observation.Delivered: 100})
	r.send("", formulaName, "yahoo", 5*time.Hour, counts{observation.Sent: 90, observation.Delivered: 90})
	r.send(tenantName, pathName, "yahoo", 5*time.Hour, counts{observation.Sent: 80, observation.Delivered: 70, observation.HardBounced: 10})
	r.samples = []ledger.SampleRow{{
		Cell: ledger.Cell{Campaign: observation.Campaign{Tenant: tenantName, Name: pathName}, Provider: "yahoo",
			Outcome: observation.HardBounced, Reason: "bad_mailbox"},
		Text: "550 5.1.1 <script>alert(2)</script> unknown", N: 10, First: noon, Last: noon, MessageIDs: []string{"0100"},
	}}
	return r
}

// book is a list of alerts that remembers what it was asked to change.
type book struct {
	added []alerts.Silence
	ended []string
}

func (b *book) List(context.Context, web.AlertQuery) (web.AlertList, error) {
	value, n, of := 0.2, int64(800), int64(4000)
	return web.AlertList{AsOf: noon, Total: 5, Alerts: []web.StandingAlert{
		{
			Alert: web.Alert{
				ID: "a1", Rule: "CampaignBlockRate", By: alerts.ByCampaign, Subject: alerts.Subject{Tenant: "acme", Campaign: "blocked"},
				Unit: "ratio", Phase: "firing", Severity: "critical", Since: noon,
				Figure: &web.AlertFigure{Value: &value, Numerator: &n, Denominator: &of, State: "ok", Line: 0.1, Direction: "above", Window: "24h", AsOf: noon},
			},
			State: watch.Firing, Summary: "Mail of campaign blocked is refused", Description: "Stop it.",
		},
		{
			Alert: web.Alert{
				ID: "a2", Rule: "SourceFailing", By: alerts.BySource, Subject: alerts.Subject{Source: "ses/" + scriptName}, Unit: "seconds",
				Phase: "firing", Severity: "warning", Since: noon, Figure: &web.AlertFigure{State: "no_data", Line: 600, Direction: "above"},
			},
			State: watch.Firing, Summary: "ses/" + scriptName + " has not been read", Description: "Look.",
		},
		{
			Alert: web.Alert{ID: "a3", Rule: "ProviderComplaintRate", By: alerts.ByProvider, Subject: alerts.Subject{Provider: "yahoo"}, Unit: "ratio",
				Phase: "firing", Severity: "warning", Since: noon},
			State: watch.Firing, Summary: "Users of yahoo report mail",
		},
		{
			Alert: web.Alert{ID: "a4", Rule: "ProviderBlockRate", By: alerts.ByProvider, Subject: alerts.Subject{Provider: "yahoo"}, Unit: "ratio",
				Phase: "firing", Severity: "critical", Since: noon},
			State: watch.Firing, Summary: "Yahoo refuses mail",
		},
		{
			Alert: web.Alert{ID: "a5", Rule: "CampaignDelayRate", By: alerts.ByCampaign, Subject: alerts.Subject{Campaign: "only-deliveries"}, Unit: "ratio",
				Phase: "firing", Severity: "warning", Since: noon},
			State: watch.Firing, Summary: "Mail of campaign only-deliveries is late",
		},
	}}, nil
}

func (b *book) Detail(ctx context.Context, id string, _ int64, _ int) (web.AlertDetail, error) {
	list, err := b.List(ctx, web.AlertQuery{})
	for _, a := range list.Alerts {
		if a.ID == id {
			return web.AlertDetail{AsOf: noon, Alert: a, Explain: &web.AlertExplanation{Lines: []web.AlertLine{
				{Severity: "warning", Firing: true, Words: "warning above 2 %: 20 % (800 of 4000), surely at least 18 %; crossed; fires"},
				{Severity: "critical", Words: "critical above 5 %: " + scriptName + "; 7 more of the same mail would cross it"},
			}}}, err
		}
	}
	return web.AlertDetail{}, web.ErrNoAlert
}

func (b *book) History(context.Context, web.HistoryQuery) (web.AlertHistory, error) {
	return web.AlertHistory{}, nil
}

func (b *book) Silences(context.Context, bool, int) (web.SilenceList, error) {
	m, err := alerts.ParseMatcher("campaign=blocked")
	return web.SilenceList{Total: 1, Silences: []web.Silence{{
		ID: "s1", Matchers: []alerts.Matcher{m}, StartsAt: noon, EndsAt: noon.Add(time.Hour), CreatedBy: "ann", Comment: scriptName,
		State: web.SilenceActive, Alerts: 1,
	}}}, err
}

func (b *book) AddSilence(_ context.Context, s alerts.Silence) (web.Silence, error) {
	b.added = append(b.added, s)
	return web.Silence{ID: "s2"}, s.Check()
}

func (b *book) EndSilence(_ context.Context, id string) (web.Silence, error) {
	if id != "s1" {
		return web.Silence{}, watch.ErrNoSilence
	}
	b.ended = append(b.ended, id)
	return web.Silence{ID: id}, nil
}

// shelf is a quarantine that remembers what was to be tried again. Message 7 is understood by then, message 8 is not.
type shelf struct{ asked []replay.Selection }

func (q *shelf) List(context.Context, int) ([]Quarantined, error) {
	return []Quarantined{
		{ID: 8, Source: "ses/events", At: noon, Reason: "unknown_type", Detail: "Teleported", Bytes: 100_000},
		{ID: 7, Source: "ses/events", At: noon, Reason: "not_json", Detail: scriptName, Bytes: 12},
	}, nil
}

func (q *shelf) Show(ctx context.Context, id int64) (Quarantined, error) {
	list, err := q.List(ctx, 2)
	for _, m := range list {
		if m.ID == id {
			m.Redacted = scriptName
			if m.Bytes > bodyShown {
				m.Redacted = strings.Repeat("é", bodyShown)
			}
			return m, err
		}
	}
	return Quarantined{}, ErrNotQuarantined
}

func (q *shelf) Replay(ctx context.Context, s replay.Selection) (replay.Summary, error) {
	q.asked = append(q.asked, s)
	if len(s.IDs) > 0 {
		if _, err := q.Show(ctx, s.IDs[0]); err != nil {
			return replay.Summary{}, fmt.Errorf("message %d of quarantine: %w", s.IDs[0], err)
		}
	}
	if s.Reason == "unknown_type" {
		return replay.Summary{Values: 1, Unreadable: 1, Problems: []replay.Problem{{Line: 8, Reason: "unknown_type", Detail: scriptName}}}, nil
	}
	return replay.Summary{Values: 1, Counted: 2, Duplicate: 1}, nil
}

// site is the whole of what is answered, over HTTP.
type site struct {
	*httptest.Server
	pages *Site
	book  *book
	shelf *shelf
}

func newSite(tb testing.TB, r *records, readOnly bool) *site {
	tb.Helper()
	v := view.New(r, view.Options{Group: mailbox.Group})
	if err := v.Refresh(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := v.RefreshGmail(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	sources := func(context.Context) (web.Sources, error) {
		return web.Sources{AsOf: noon, Ledger: web.LedgerInfo{Writable: true}, Sources: []web.Source{
			{Name: "ses/events", Kind: "ses", State: "ok", LastSuccess: &noon, Queue: &web.QueueInfo{URL: "https://sqs/q"}},
			{Name: "ses/" + scriptName, Kind: "ses", State: "error", Reason: "auth", Error: "denied " + scriptName},
		}, Unclassified: []web.Unclassified{{Provider: "yahoo", Outcome: "soft_bounced", Text: scriptName, N: 3, Last: noon}}}, nil
	}
	s := &site{book: &book{}, shelf: &shelf{}}
	p, err := New(Options{
		View: v, Sources: sources, Alerts: s.book, ReadOnly: readOnly, Version: "1.2.3", Now: func() time.Time { return noon }, Log: log,
		Quarantine: s.shelf,
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.pages = p
	s.Server = httptest.NewServer(web.New(web.Options{View: v, Sources: sources, Pages: p.Register, ReadOnly: readOnly, Log: log}))
	tb.Cleanup(s.Close)
	return s
}

// get asks for a page.
func (s *site) get(tb testing.TB, path string) (*http.Response, string) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	return s.send(tb, r)
}

func (s *site) post(tb testing.TB, path, form, from string) (*http.Response, string) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.URL+path, strings.NewReader(form))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", from)
	return s.send(tb, r)
}

func (s *site) send(tb testing.TB, r *http.Request) (*http.Response, string) {
	tb.Helper()
	client := *s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer, string(body)
}

// crowd is a sender of so many campaigns, each with mail at ten providers.
func crowd(campaigns int) *records {
	r := &records{}
	for i := range campaigns {
		for p := range 10 {
			of := counts{observation.Sent: 200, observation.Delivered: 190, observation.HardBounced: int64(i % 7), observation.Complained: int64(i % 3), observation.Delayed: 2}
			r.send(fmt.Sprintf("tenant-%d", i%40), fmt.Sprintf("campaign-%d", i), []string{"gmail", "yahoo", "microsoft", "apple", "gmx", "webde", "aol", "orange", "free", "other"}[p],
				time.Duration(1+i%150)*time.Hour, of)
		}
	}
	return r
}
