package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/mailvane/mailvane/internal/config"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// run is a daemon that runs in the test, against a simulator.
type run struct {
	daemon *Daemon
	sim    *simulator.Simulator
	file   string
	url    string
	// now is the daemon's clock.
	now func() time.Time
	// stop ends it and returns what it returned.
	stop func() error
}

// morning is when the tests begin, a Wednesday, so that what they find depends neither on the hour nor on the weekday at which
// they run. It is long past: passes are timed by the machine's clock, and what was read before morning would be stale.
var morning = time.Date(2026, time.January, 21, 10, 20, 0, 0, time.UTC)

// standing is a clock that stays where it is.
func standing(at time.Time) func() time.Time { return func() time.Time { return at } }

// since is a clock that begins at a time and then goes as fast as the machine's.
func since(at time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return at.Add(time.Since(began)) }
}

// environmentOf leads to the simulator.
func environmentOf(sim *simulator.Simulator, now func() time.Time) Environment {
	return Environment{
		Log: slog.New(slog.DiscardHandler), Now: now, Env: func(string) string { return "" },
		AWS: simulatorAWS(sim.URL()), Version: "test",
	}
}

// command is what a command is run with beside the daemon.
func (r *run) command() CommandOptions {
	return CommandOptions{Environment: environmentOf(r.sim, r.now), ConfigFile: r.file}
}

// start starts a simulator and a daemon that reads all of its queues and its Google account.
func start(t *testing.T, o simulator.Options) *run {
	t.Helper()
	return startWith(t, o, func(text string) string { return without(text, "  receipt_rules:", "") })
}

// without is a configuration without what stands between two texts, the first of which goes too, or from the first on where the
// second is empty.
func without(text, from, to string) string {
	before, rest, _ := strings.Cut(text, from)
	if to == "" {
		return before
	}
	_, after, _ := strings.Cut(rest, to)
	return before + to + after
}

// startWith starts a daemon with what is made of the demo's configuration.
func startWith(t *testing.T, o simulator.Options, edit func(text string) string) *run {
	t.Helper()
	for i := range o.Postmaster.Domains { // a week of mail takes the simulator a fifth of what five take
		o.Postmaster.Domains[i].Created = morning.AddDate(0, 0, -7)
	}
	if o.Now == nil {
		o.Now = since(morning)
	}
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	r := &run{sim: sim, now: o.Now}
	if r.file, err = writeDemo(t.TempDir(), "127.0.0.1:0", sim); err != nil {
		t.Fatal(err)
	}
	r.write(t, edit(r.text(t)))
	r.restart(t)
	return r
}

func (r *run) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *run) load() (*config.Config, []config.Problem) { return config.LoadFile(r.file) }

func (r *run) restart(t *testing.T) {
	t.Helper()
	c, problems := r.load()
	if config.Failed(problems) {
		t.Fatal(problems)
	}
	d, err := newDaemon(t.Context(), environmentOf(r.sim, r.now), c, setup{load: r.load, file: r.file})
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.undo { // a busy machine needs longer for a step than a stop has for it
		d.undo[i].within = stopTimeout
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	stopped := false
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = r.stop() })
	r.daemon, r.url = d, "http://"+d.listener.Addr().String()
	r.until(t, "ready", func() bool { return r.status(t, "/-/ready") == http.StatusOK })
}

func (r *run) get(t *testing.T, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body) // to the end, so that the next request goes over the same connection
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp
}

func (r *run) status(t *testing.T, path string) int { return r.get(t, path).StatusCode }

// patience is how long a condition is waited for: much longer than it takes, because machines differ.
const patience = 3 * time.Minute

func (r *run) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s have passed and it is not %s", patience, what)
		}
	}
}

// counts reads all cohorts of the ledger by the cells of the truth; origins of opens and clicks are not told in history.
func (r *run) counts(t *testing.T) map[traffic.Cell]traffic.Tally {
	t.Helper()
	if err := r.daemon.ledger.Fold(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := make(map[traffic.Cell]traffic.Tally)
	now := r.now()
	for from := now.Add(-40 * 24 * time.Hour); from.Before(now.Add(time.Hour)); from = from.Add(24 * time.Hour) {
		c, err := r.daemon.ledger.Cohorts(t.Context(), ledger.CohortQuery{From: from, To: from.Add(24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range c.Rows {
			cell := traffic.Cell{
				Tenant: row.Cell.Campaign.Tenant, Campaign: row.Cell.Campaign.Name, Send: row.Cell.Campaign.Send,
				Provider: row.Cell.Provider, Outcome: row.Cell.Outcome, Reason: row.Cell.Reason,
			}
			sum := got[cell]
			got[cell] = traffic.Tally{N: sum.N + row.N, Possible: sum.Possible + row.Possible}
		}
	}
	return got
}

func handedOut(s *simulator.Simulator) map[traffic.Cell]traffic.Tally {
	want := make(map[traffic.Cell]traffic.Tally)
	for cell, tally := range s.Truth().Counts() {
		cell.Account, cell.Region, cell.ConfigurationSet, cell.Start = "", "", "", time.Time{}
		sum := want[cell]
		want[cell] = traffic.Tally{N: sum.N + tally.N, Possible: sum.Possible + tally.Possible}
	}
	return want
}

// waiting is how many messages the queues hold.
func (r *run) waiting() (n int) {
	for _, name := range []string{simulator.EventsQueue, simulator.EventsQueueEU, simulator.IdentityQueue} {
		s := r.sim.SQS().Queue(name).Stats()
		n += s.Visible + s.InFlight
	}
	return n
}

// TestTheDemo follows the demo's way: history by replay, then live mail from three queues in two formats, with
// twins and duplicates: that of a quarter of an hour, which goes by at once and after which the clock stands still. What is
// counted then, reported and answered is held against the truth and against the contract.
func TestTheDemo(t *testing.T) {
	var ahead atomic.Int64
	o := simulator.Demo(morning, 7, 8)
	o.Now = func() time.Time { return morning.Add(time.Duration(ahead.Load())) }
	r := start(t, o)
	if _, err := r.daemon.readHistory(t.Context(), r.sim.History(morning.Add(-3*24*time.Hour), morning)); err != nil {
		t.Fatal(err)
	}
	before := r.sim.Truth().Totals().Events
	ahead.Store(int64(15 * time.Minute))
	r.sim.Feed(morning)
	live := func() int64 { return r.sim.Truth().Totals().Events - before }
	var diff string
	defer func() {
		if t.Failed() {
			t.Logf("after %d live events, -truth +counted\n%s", live(), diff)
		}
	}()
	r.until(t, "counted", func() bool {
		if live() < 500 || r.waiting() > 0 {
			return false
		}
		want := handedOut(r.sim)
		diff = cmp.Diff(want, r.counts(t))
		return diff == ""
	})
	r.daemon.joinSoon()
	r.until(t, "joined", func() bool { return len(r.gmailOf("otp-login").Identifiers) > 0 })
	t.Run("the report is the truth", r.reportsTheTruth)
	t.Run("the API keeps its contract", r.answersByContract)
}

// answersByContract holds real answers against the OpenAPI document.
func (r *run) answersByContract(t *testing.T) {
	r.keepsContract(t,
		"/api/v1/campaigns?window=24h", "/api/v1/campaigns/winter-clearance", "/api/v1/campaigns/otp-login?window=1h",
		"/api/v1/campaigns/acme-news?tenant=acme", "/api/v1/campaigns/nothing", "/api/v1/providers?window=7d", "/api/v1/sources",
		"/api/v1/campaigns?window=7d&match=otp-*", "/api/v1/domains?window=7d", "/api/v1/identifiers?window=7d",
		"/campaigns/winter-clearance/timeline.json?range=24h", "/campaigns/otp-login/timeline.json", "/campaigns/nothing/timeline.json",
		"/campaigns/otp-login/timeline.json?range=1y",
	)
}

// TestAQueueIsCountedExactly drains a queue with duplicates, and compares every cell, and what is told of it in several ways.
func TestAQueueIsCountedExactly(t *testing.T) {
	o := simulator.Bench(morning, 3, 3000, 3*time.Hour) // so that there is a whole hour, without which no rate is known
	o.Now = standing(morning)                           // rates change as mail grows old
	o.Queues = append(o.Queues, simulator.Queue{Name: simulator.EventsQueueEU}, simulator.Queue{Name: simulator.IdentityQueue})
	r := start(t, o)
	r.until(t, "empty", func() bool { return r.waiting() == 0 })
	if diff := cmp.Diff(handedOut(r.sim), r.counts(t)); diff != "" {
		t.Fatalf("-truth +counted\n%s", diff)
	}
	t.Run("the report is the metrics", r.reportsTheMetrics)
	if err := r.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// keepsContract holds answers against the OpenAPI document.
func (r *run) keepsContract(t *testing.T, paths ...string) {
	t.Helper()
	body, err := io.ReadAll(r.get(t, "/api/v1/openapi.yaml").Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(body)
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		req := httptest.NewRequest(http.MethodGet, path, nil)
		route, params, err := router.FindRoute(req)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		resp := r.get(t, path)
		err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
			Status:                 resp.StatusCode, Header: resp.Header, Body: resp.Body,
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestReplayWithAndWithoutADaemon counts a file through the daemon, and again, when it has stopped, on the ledger itself.
func TestReplayWithAndWithoutADaemon(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	file := filepath.Join(t.TempDir(), "events.ndjson")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range r.sim.History(morning.Add(-3*time.Hour), morning) {
		if _, err := f.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
		lines++
	}
	_, _ = io.WriteString(f, "not an event\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	read := int64(0)
	o := ReplayOptions{
		CommandOptions: r.command(), Files: []string{file},
		Progress: func(_ string, n, size int64) {
			if read = n; n > size {
				t.Errorf("%d of %d bytes", n, size)
			}
		},
	}
	first, err := Replay(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if first.Values != lines+1 || first.Counted == 0 || first.Unreadable != 1 || read == 0 {
		t.Errorf("%d lines, %d bytes: %+v", lines, read, first)
	}
	want := fmt.Sprintf("%s:%d: not_json: ", file, lines+1)
	if got := first.Problems[0].String(); !strings.HasPrefix(got, want) {
		t.Errorf("the problem is %q, want %s…", got, want)
	}
	if diff := cmp.Diff(handedOut(r.sim), r.counts(t)); diff != "" {
		t.Errorf("-truth +counted\n%s", diff)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again, err := Replay(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if again.Counted != 0 || again.Duplicate+again.Held < first.Counted {
		t.Errorf("again: %+v, first: %+v", again, first)
	}
}

// TestQuarantineBesideADaemon puts a poisoned message through list, replay and drop.
func TestQuarantineBesideADaemon(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	if err := r.sim.SQS().Queue(simulator.EventsQueue).Send(`{"eventType":"Teleported","mail":{}}`); err != nil {
		t.Fatal(err)
	}
	o := r.command()
	var rows []ledger.QuarantineRow
	r.until(t, "in quarantine", func() bool {
		var err error
		if rows, err = QuarantineList(t.Context(), o, ledger.QuarantineQuery{Bodies: true}); err != nil {
			t.Fatal(err)
		}
		return len(rows) == 1
	})
	if rows[0].Reason != "unknown_type" || !strings.Contains(rows[0].Body, "Teleported") {
		t.Errorf("%+v", rows[0])
	}
	sum, err := QuarantineReplay(t.Context(), o, replay.Selection{IDs: []int64{rows[0].ID}})
	if err != nil || sum.Unreadable != 1 || sum.Counted != 0 {
		t.Errorf("replay: %+v, %v", sum, err)
	}
	if _, err := QuarantineDrop(t.Context(), o, replay.Selection{IDs: []int64{rows[0].ID + 1}}); err == nil {
		t.Error("a message that is not there was dropped")
	}
	if n, err := QuarantineDrop(t.Context(), o, replay.Selection{Reason: "unknown_type"}); err != nil || n != 1 {
		t.Errorf("drop: %d, %v", n, err)
	}
}

func TestQuarantineMakesNoLedger(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	c, _ := r.load()
	if err := os.Remove(string(c.Ledger.Path)); err != nil {
		t.Fatal(err)
	}
	o := r.command()
	for _, err := range []error{
		func() error { _, err := QuarantineDrop(t.Context(), o, replay.Selection{}); return err }(),
		func() error { _, err := QuarantineReplay(t.Context(), o, replay.Selection{}); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), "there is no ledger at "+string(c.Ledger.Path)) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := os.Stat(string(c.Ledger.Path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a ledger was made: %v", err)
	}
}

func TestReload(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	good, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	post := func() (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/-/reload", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	queues := func() (names []string) {
		var s struct{ Sources []struct{ Name string } }
		if err := json.NewDecoder(r.get(t, "/api/v1/sources").Body).Decode(&s); err != nil {
			t.Fatal(err)
		}
		for _, q := range s.Sources {
			names = append(names, q.Name)
		}
		return names
	}
	all := []string{"postmaster/postmaster", "ses/ses-events", "ses/ses-events-eu", "ses/ses-identity"}
	for _, c := range []struct {
		name, text string
		status     int
		says       string
		queues     []string
	}{
		{"nothing changed", string(good), 200, "reloaded", all},
		{"broken", strings.Replace(string(good), "streams", "steams", 1), 422, "demo.yaml:6:3: campaigns.steams: ", all},
		{"moved ledger", strings.Replace(string(good), "ledger.db", "other.db", 1), 422, "ledger cannot change while the daemon runs", all},
		{"a queue less", strings.Replace(string(good), "    - {queue_url: \""+r.sim.QueueURL(simulator.EventsQueueEU)+"\", region: eu-west-1}\n", "", 1),
			200, "reloaded", []string{"postmaster/postmaster", "ses/ses-events", "ses/ses-identity"}},
		{"and back", string(good), 200, "reloaded", all},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.write(t, c.text)
			status, body := post()
			if status != c.status || !strings.Contains(body, c.says) {
				t.Errorf("got %d %q, want %d with %q", status, body, c.status, c.says)
			}
			if diff := cmp.Diff(c.queues, queues()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnclassifiedRepliesAreShown sends the same unheard-of reply for two campaigns.
func TestUnclassifiedRepliesAreShown(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	sample, err := os.ReadFile(filepath.Join("..", "..", "testdata", "ses", "bounce_permanent_general.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "two"} {
		body := strings.ReplaceAll(string(sample), "smtp; 550 5.1.1 user unknown", "smtp; 599 the moon is full")
		body = strings.ReplaceAll(strings.ReplaceAll(body, "5.1.1", "5.9.9"), "welcome-series", name)
		body = strings.ReplaceAll(body, "0100019a7c3d5e6f", name)
		body = strings.ReplaceAll(body, "2026-11-20T10", morning.Format("2006-01-02T09")) // an hour ago
		if err := r.sim.SQS().Queue(simulator.EventsQueue).Send(body); err != nil {
			t.Fatal(err)
		}
	}
	var got struct {
		Unclassified []struct {
			Text string
			N    int
		} `json:"unclassified_replies"`
	}
	r.until(t, "shown", func() bool {
		if err := json.NewDecoder(r.get(t, "/api/v1/sources").Body).Decode(&got); err != nil {
			t.Fatal(err)
		}
		return len(got.Unclassified) == 1 && got.Unclassified[0].N == 2
	})
	if text := got.Unclassified[0].Text; text != "smtp; 599 the moon is full" {
		t.Errorf("the reply is shown as %q", text)
	}
}

// TestTLSAndPasswords serves by the toolkit's web configuration file.
func TestTLSAndPasswords(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	certificate := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("wind"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "web.yaml")
	text := fmt.Sprintf("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {vane: %q}\n", hash)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _ := r.load()
	d, err := newDaemon(t.Context(), environmentOf(r.sim, r.now), c, setup{r.load, r.file, file})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.stop() }()
	for password, want := range map[string]int{"wind": http.StatusOK, "rain": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+d.listener.Addr().String()+"/-/healthy", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("vane", password)
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("password %s: %s", password, resp.Status)
		}
	}
	if _, err := newDaemon(t.Context(), environmentOf(r.sim, r.now), c, setup{r.load, r.file, filepath.Join(dir, "missing.yaml")}); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("a missing web configuration file: %v", err)
	}
}

func TestASecondDaemonIsRefused(t *testing.T) {
	r := start(t, simulator.Demo(morning, 1, 1))
	c, _ := r.load()
	_, err := newDaemon(t.Context(), environmentOf(r.sim, r.now), c, setup{load: r.load, file: r.file})
	if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), "ledger.db") {
		t.Errorf("got %v", err)
	}
}
