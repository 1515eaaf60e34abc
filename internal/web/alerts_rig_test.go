package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
)

// alarm is an alarm that a test lets fire.
type alarm struct {
	*watch.Alarm
	trouble error
}

// office is what watches, over a ledger on disk, with figures that a test sets, and the API over real HTTP.
type office struct {
	*testing.T
	ledger   *sqlite.Ledger
	store    *watch.Store
	watcher  *watch.Watcher
	silences *watch.Silences
	alarm    *alarm
	samples  map[alerts.Signal][]alerts.Sample
	options  Options
	url      string
	ids      int

	mu  sync.Mutex // protects now, which requests read
	now time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, now: noon, samples: make(map[alerts.Signal][]alerts.Sample), alarm: &alarm{}}
	l, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: o.clock, RoutineIDs: 1 << 16, ExceptionalIDs: 1 << 12,
		Logger: slog.New(slog.DiscardHandler), FreeDisk: func(string) (uint64, error) { return 1 << 40, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	o.ledger, o.store = l, watch.NewStore(l, o.clock)
	o.silences = watch.NewSilences(l, o.clock, func() string {
		o.ids++
		return fmt.Sprintf("silence%d", o.ids)
	})
	rules, router := policyOfTests(t)
	o.watcher = watch.NewWatcher(watch.WatcherOptions{
		Store: o.store, Sampler: o, Silences: o.silences, Now: o.clock, Log: slog.New(slog.DiscardHandler),
	}, rules, router)
	o.alarm.Alarm, err = watch.NewAlarm(watch.AlarmOptions{
		Trouble: func() error { return o.alarm.trouble }, Store: o.store, Now: o.clock, Random: func() float64 { return 0 },
		Log: slog.New(slog.DiscardHandler),
	}, router, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.options = Options{Log: slog.New(slog.DiscardHandler), Reload: func(context.Context) error { return nil }, Alerts: NewAlertBook(AlertOptions{
		Watcher: o.watcher, Alarm: o.alarm, Records: o.store.Records, Silences: o.silences, Explain: o.explain, Now: o.clock,
	})}
	o.serve()
	return o
}

// explain holds the figures of now against a rule.
func (o *office) explain(_ context.Context, rule string, s alerts.Subject) (*alerts.Explanation, error) {
	rules := o.watcher.Rules()
	series, _ := rules.SeriesOf(rule)
	state := &alerts.State{}
	if standing := o.watcher.Standing(); standing != nil {
		var held []alerts.Alert
		for _, a := range standing.Alerts {
			held = append(held, *a)
		}
		state = alerts.NewState(held)
	}
	for i := range o.samples[series.Signal] {
		sample := o.samples[series.Signal][i]
		sample.Series = series
		if sample.Subject != s {
			continue
		}
		if x, ok := rules.Explain(rule, state, &sample, o.clock()); ok {
			return &x, nil
		}
	}
	return nil, nil
}

// serve answers with the options as they are now.
func (o *office) serve() {
	server := httptest.NewServer(New(o.options))
	o.Cleanup(server.Close)
	o.url = server.URL
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func policyOfTests(t *testing.T) (*alerts.Rules, *alerts.Router) {
	t.Helper()
	atOnce := time.Duration(0)
	rules, err := alerts.Compile([]alerts.Rule{
		{
			Name: "CampaignBounces", Signal: alerts.RateOf(signal.HardBounceRate), KeepFiringFor: &atOnce,
			Warning: &alerts.Line{Above: new(0.02)}, Critical: &alerts.Line{Above: new(0.05)},
			Labels: []observation.Field{{Name: "team", Value: "lifecycle"}}, Runbook: "https://runbooks.example.com/bounces",
			Document: "https://docs.example.com/lines",
		},
		{Name: "AccountBounces", Signal: alerts.AccountBounceRate, Critical: &alerts.Line{Above: new(0.05)}, KeepFiringFor: &atOnce},
		{Name: "Lag", Signal: alerts.QueueLag, Warning: &alerts.Line{Above: new(600.0)}, For: 10 * time.Minute, KeepFiringFor: &atOnce},
		{Name: "GmailSpam", Signal: alerts.GmailSpamRate, Warning: &alerts.Line{Above: new(0.001)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	pager := alerts.Matcher{Name: "signal", Globs: []string{"gmail*"}, Not: true}
	router, err := alerts.NewRouter([]alerts.Route{{Match: []alerts.Matcher{pager}, To: []string{"oncall", "chat"}}}, nil, []string{"oncall", "chat"})
	if err != nil {
		t.Fatal(err)
	}
	return rules, router
}

// Samples implements watch.Sampler.
func (o *office) Samples(_ context.Context, series alerts.Series) ([]alerts.Sample, error) {
	all := o.samples[series.Signal]
	for i := range all {
		all[i].Series, all[i].AsOf = series, o.clock().Add(-time.Minute)
	}
	return all, nil
}

// Absent implements watch.Sampler.
func (o *office) Absent(alerts.Series) signal.State { return signal.Idle }

// bounces is a campaign of which so many in ten thousand bounce, sent from an account.
func bounces(name, tenant, owner, account string, n int64) alerts.Sample {
	return alerts.Sample{
		Subject: alerts.Subject{Tenant: tenant, Campaign: name}, State: signal.OK,
		Figure: &signal.Figure{
			Part: signal.Part{Numerator: n, Denominator: 10_000, Known: true, Value: float64(n) / 10_000}, State: signal.OK,
		},
		Labels: func() []observation.Field {
			return []observation.Field{
				{Name: "owner", Value: owner}, {Name: "account", Value: account}, {Name: "region", Value: awsRegion},
				{Name: "domain", Value: "news.example.com"}, {Name: "domain", Value: "shop.example.com"},
			}
		},
	}
}

// number is a figure without an interval.
func number(subject alerts.Subject, v float64) alerts.Sample {
	return alerts.Sample{Subject: subject, Value: v, State: signal.OK}
}

// round evaluates the rules, some time after the last round.
func (o *office) round(later time.Duration) {
	o.Helper()
	o.mu.Lock()
	o.now = o.now.Add(later)
	o.mu.Unlock()
	if err := o.watcher.Round(o.Context()); err != nil {
		o.Fatal(err)
	}
}

// deliver tells the notifiers what waits for them: one takes it and one does not.
func (o *office) deliver() {
	o.Helper()
	due, err := o.store.Due(o.Context(), o.clock(), 100)
	if err != nil {
		o.Fatal(err)
	}
	for _, e := range due {
		e.State, e.Attempts = alerts.EntryDelivered, e.Attempts+1
		if e.Notification.Notifier == "chat" {
			e.State, e.NextAt = alerts.EntryWaiting, o.clock().Add(time.Minute)
			e.LastReason, e.LastError = alerts.DeliveryUnavailable, "503 Service Unavailable"
		}
		if err := o.store.Settle(o.Context(), e); err != nil {
			o.Fatal(err)
		}
	}
}

// trouble has one of everything: an alert that people are told of, one that is muted, one that is silenced, one that is pending,
// one that nobody is told of because no route takes it, and one that is over.
func (o *office) trouble() {
	o.Helper()
	o.samples[alerts.RateOf(signal.HardBounceRate)] = []alerts.Sample{
		bounces("spring-sale", "acme", "growth", "444455556666", 310), bounces("receipts", "", "shop", awsAccount, 700),
		bounces("promo-1", "", "growth", "444455556666", 900), bounces("over", "", "shop", "444455556666", 300),
	}
	o.samples[alerts.AccountBounceRate] = []alerts.Sample{number(alerts.Subject{Account: awsAccount, Region: awsRegion}, 0.0612)}
	o.samples[alerts.QueueLag] = []alerts.Sample{number(alerts.Subject{Source: "ses/events"}, 900)}
	today := noon.Unix() / 86400
	o.samples[alerts.GmailSpamRate] = []alerts.Sample{{
		Subject: alerts.Subject{Domain: "news.example.com"}, State: signal.OK, Today: day(today),
		Days: []alerts.Day{{Day: day(today - 1), Reported: true, Value: 0.0021, Deliveries: 42_000}},
	}}
	o.add(http.StatusCreated, `{"matchers": ["campaign=promo-*"], "duration": "2h", "created_by": "ann", "comment": "the list is cleaned"}`)
	o.round(30 * time.Second)
	o.deliver()
	o.samples[alerts.RateOf(signal.HardBounceRate)] = []alerts.Sample{
		bounces("spring-sale", "acme", "growth", "444455556666", 620), bounces("receipts", "", "shop", awsAccount, 700),
		bounces("promo-1", "", "growth", "444455556666", 900), bounces("over", "", "shop", "444455556666", 3),
	}
	o.round(30 * time.Second)
	o.deliver()
}

// ask gets an answer.
func (o *office) ask(status int, target string) []byte {
	o.Helper()
	return o.do(status, http.MethodGet, target, "", nil)
}

func (o *office) add(status int, body string) []byte {
	o.Helper()
	return o.do(status, http.MethodPost, "/api/v1/silences", body, map[string]string{"Content-Type": "application/json"})
}

// do asks over HTTP and holds the question and the answer against the contract.
func (o *office) do(status int, method, target, body string, headers map[string]string) []byte {
	o.Helper()
	build := func(to string) *http.Request {
		r, err := http.NewRequestWithContext(o.Context(), method, to, strings.NewReader(body))
		if err != nil {
			o.Fatal(err)
		}
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		return r
	}
	resp, err := http.DefaultClient.Do(build(o.url + target))
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	if resp.StatusCode != status {
		o.Fatalf("%s %s %.300s: %d, want %d: %s", method, target, body, resp.StatusCode, status, got)
	}
	asked := build(target)
	route, path, err := contract(o.T).FindRoute(asked)
	if err != nil {
		o.Fatalf("%s: %v", target, err)
	}
	request := &openapi3filter.RequestValidationInput{Request: asked, PathParams: path, Route: route}
	if err := openapi3filter.ValidateRequest(o.Context(), request); err != nil && status < http.StatusBadRequest {
		o.Errorf("%s %s %s: answered with %d, the document says: %v", method, target, body, status, err)
	}
	err = openapi3filter.ValidateResponse(o.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: status, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(got)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		o.Errorf("%s %s: %v", method, target, err)
	}
	return got
}

// decode reads an answer.
func decode[T any](o *office, body []byte) (v T) {
	o.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		o.Fatal(err)
	}
	return v
}

// refused is why a request was refused.
func (o *office) refused(body []byte) string {
	o.Helper()
	return decode[struct{ Detail string }](o, body).Detail
}

var errDisk = errors.New("disk full")
