package postmaster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	postmaster "google.golang.org/api/gmailpostmastertools/v2"

	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/internal/observation"
)

const (
	refreshToken = "1//refresh-token-secret"
	clientSecret = "GOCSPX-client-secret"
	accessToken  = "ya29.access-token-"
)

// gmail is a server that answers as the API does: it holds rows, pages them, and counts the calls.
type gmail struct {
	*httptest.Server

	mu sync.Mutex // protects all following fields
	// rows are those of each domain; a domain without an entry is not the account's.
	rows  map[string][]row
	index map[rowsKey]map[string][]int
	// bodies are the answers to other calls, by path and page token.
	bodies map[string]string
	// before, when not nil, may answer call n, counted from 1; it says whether it did.
	before func(w http.ResponseWriter, r *http.Request, n int) bool
	// each, when not nil, may answer one query of a batch.
	each   func(q *postmaster.QueryDomainStatsRequest) map[string]any
	calls  []string
	sizes  []int // queries in each batch
	tokens int
	// lifetime is that of tokens in seconds, an hour when 0.
	lifetime int
	// revoked are access tokens that are no longer taken.
	revoked map[string]bool
}

// row is one value of a domain's day: what is asked, and the JSON of the answer.
type row struct {
	metric, filter string
	day            day
	value          string
}

func newGmail(t testing.TB) *gmail {
	t.Helper()
	g := &gmail{rows: make(map[string][]row), bodies: make(map[string]string), revoked: make(map[string]bool), index: make(map[rowsKey]map[string][]int)}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gmail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.URL.Path == "/token" {
		g.tokens++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": %d}`, accessToken+strconv.Itoa(g.tokens), cmp.Or(g.lifetime, 3600))
		return
	}
	g.calls = append(g.calls, r.URL.Path)
	if g.before != nil && g.before(w, r, len(g.calls)) {
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !strings.HasPrefix(bearer, accessToken) || g.revoked[bearer] {
		refuse(w, http.StatusUnauthorized, "ACCESS_TOKEN_EXPIRED")
		return
	}
	if r.URL.Path == "/v2/domainStats:batchQuery" {
		g.batch(w, r)
		return
	}
	key := r.URL.Path
	if token := r.URL.Query().Get("pageToken"); token != "" {
		key += "#" + token
	}
	body, ok := g.bodies[key]
	if !ok {
		refuse(w, http.StatusNotFound, "")
		return
	}
	fmt.Fprint(w, body)
}

// answer sets before, also while answers that were broken off are still being made.
func (g *gmail) answer(before func(http.ResponseWriter, *http.Request, int) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.before = before
}

// made is how many calls were made.
func (g *gmail) made() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}

// refuse answers with an error as the API writes it.
func refuse(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	e := map[string]any{"code": code, "message": "Refused.", "status": "SYNTHETIC"}
	if reason != "" {
		e["details"] = []any{map[string]any{"reason": reason, "metadata": map[string]string{"consumer": "projects/123"}}}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": e})
}

func (g *gmail) batch(w http.ResponseWriter, r *http.Request) {
	var asked postmaster.BatchQueryDomainStatsRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Requests) > 100 {
		refuse(w, http.StatusBadRequest, "")
		return
	}
	g.sizes = append(g.sizes, len(asked.Requests))
	var results []map[string]any
	for _, q := range asked.Requests {
		if g.each != nil {
			if answer := g.each(q); answer != nil {
				results = append(results, answer)
				continue
			}
		}
		results = append(results, g.query(q))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

func rpcError(code int) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": "Refused (synthetic)."}}
}

// query answers one query: rows by day and name, 10 to a page unless more are asked for.
func (g *gmail) query(q *postmaster.QueryDomainStatsRequest) map[string]any {
	all, ok := g.rows[strings.TrimPrefix(q.Parent, "domains/")]
	if !ok {
		return rpcError(7)
	}
	index := g.indexOf(all)
	span := q.TimeQuery.DateRanges.DateRanges[0]
	from, to := dayFrom(int(span.Start.Year), int(span.Start.Month), int(span.Start.Day)), dayFrom(int(span.End.Year), int(span.End.Month), int(span.End.Day))
	type found struct {
		name string
		*row
	}
	var rows []found
	for _, m := range q.MetricDefinitions {
		for _, i := range index[m.BaseMetric.StandardMetric+" "+plain(m.Filter)] {
			if r := &all[i]; r.day == 0 || r.day >= from && r.day <= to {
				rows = append(rows, found{m.Name, r})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b found) int { return cmp.Compare(a.day, b.day) })
	first, _ := strconv.Atoi(q.PageToken)
	last := min(first+int(min(cmp.Or(q.PageSize, 10), 200)), len(rows))
	text := []byte("[")
	for i, r := range rows[first:last] {
		if i > 0 {
			text = append(text, ',')
		}
		text = fmt.Appendf(text, `{"metric": %q, "value": %s`, r.name, r.value)
		if r.day != 0 {
			y, m, d := r.day.date()
			text = fmt.Appendf(text, `, "date": {"year": %d, "month": %d, "day": %d}`, y, m, d)
		}
		text = append(text, '}')
	}
	answer := map[string]any{"domainStats": json.RawMessage(append(text, ']'))}
	if last < len(rows) {
		answer["nextPageToken"] = strconv.Itoa(last)
	}
	return map[string]any{"response": answer}
}

// indexOf finds rows by what is asked.
func (g *gmail) indexOf(rows []row) map[string][]int {
	if len(rows) == 0 {
		return nil
	}
	key := rowsKey{&rows[0], len(rows)}
	if g.index[key] == nil {
		of := make(map[string][]int)
		for i := range rows {
			asked := rows[i].metric + " " + plain(rows[i].filter)
			of[asked] = append(of[asked], i)
		}
		g.index[key] = of
	}
	return g.index[key]
}

// rowsKey tells one list of rows from another.
type rowsKey struct {
	first *row
	n     int
}

// plain writes the default aggregation out, so that filters that mean the same look the same.
func plain(filter string) string {
	if filter == "" || strings.HasPrefix(filter, "feedback_loop_id") && !strings.Contains(filter, "aggregation_key_type") {
		filter = strings.TrimPrefix(filter+` AND aggregation_key_type = "FROM_HEADER"`, " AND ")
	}
	return filter
}

// today is the rig's clock: the samples are of the days before it.
var today = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// rig is a collector on a server, with a sink.
type rig struct {
	*Collector
	*gmail
	sink *sink
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	g := newGmail(t)
	o := Options{
		Name: "gmail", Endpoint: g.URL, CredentialsFile: userFile(t, g.URL), RequestsPerSecond: 10_000,
		Domains: []string{"example.com"}, Now: func() time.Time { return today },
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Collector: c, gmail: g, sink: &sink{positions: make(collectors.Positions)}}
}

// userFile writes credentials of a user whose tokens come from the server.
func userFile(t testing.TB, url string) string {
	t.Helper()
	return writeFile(t, fmt.Sprintf(`{"type": "authorized_user", "client_id": "id", "client_secret": %q, "refresh_token": %q, "token_uri": %q}`,
		clientSecret, refreshToken, url+"/token"))
}

func writeFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// pass makes a pass from what the sink knows.
func (r *rig) pass(t testing.TB) error {
	t.Helper()
	err := r.Collect(t.Context(), maps.Clone(r.sink.positions), r.sink)
	checkNoSecret(t, err)
	return err
}

// passOK makes a pass that must succeed.
func (r *rig) passOK(t testing.TB) {
	t.Helper()
	if err := r.pass(t); err != nil {
		t.Fatalf("pass: %v", err)
	}
}

// failure makes a pass that must fail with an error of a source.
func (r *rig) failure(t testing.TB) *collectors.Error {
	t.Helper()
	err := r.pass(t)
	e, ok := errors.AsType[*collectors.Error](err)
	if !ok {
		t.Fatalf("pass: got error %T %v, want a *collectors.Error", err, err)
	}
	return e
}

func checkNoSecret(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range []string{refreshToken, clientSecret, accessToken, "PRIVATE KEY", "@"} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("an error holds %q: %v", secret, err)
		}
	}
}

// sink is a ledger of readings.
type sink struct {
	positions collectors.Positions
	readings  map[string]string
	puts      int
	// do, when not nil, decides about each put.
	do func(ctx context.Context, b collectors.Batch) error
	// forget keeps the count of readings alone.
	forget bool
	count  int
}

func (s *sink) Put(ctx context.Context, b collectors.Batch) error {
	s.puts++
	if s.do != nil {
		if err := s.do(ctx, b); err != nil {
			return err
		}
	}
	if b.Source != "gmail" {
		return fmt.Errorf("batch of source %q", b.Source)
	}
	if s.readings == nil {
		s.readings = make(map[string]string)
	}
	s.count += len(b.Readings)
	for i := range b.Readings {
		if r := &b.Readings[i]; !s.forget {
			s.readings[keyOf(r)] = valueOf(r)
		}
	}
	maps.Copy(s.positions, b.Positions)
	return ctx.Err()
}

func keyOf(r *observation.Reading) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", r.Key.Source, r.Key.Subject, r.Start.Format(time.DateOnly), r.Key.Metric, r.Key.Detail))
}

func valueOf(r *observation.Reading) string {
	text := "none"
	if r.Value != nil {
		text = strconv.FormatFloat(*r.Value, 'g', -1, 64)
	}
	return strings.TrimSpace(text + " " + r.Text)
}

// lines are the readings in order.
func (s *sink) lines() (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(s.readings)) {
		lines = append(lines, key+": "+s.readings[key])
	}
	return lines
}

// want checks one reading; "absent" is none.
func (r *rig) want(t testing.TB, key, value string) {
	t.Helper()
	got, ok := r.sink.readings[key]
	if !ok {
		got = "absent"
	}
	if got != value {
		t.Errorf("reading %q: got %q, want %q", key, got, value)
	}
}

// sample reads a file of the corpus.
func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "postmaster", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func mustDay(t testing.TB, text string) day {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return dayOf(at, time.UTC)
}

// peek reads a batch and gives back what it read.
func peek(t *testing.T, r *http.Request) (io.ReadCloser, *postmaster.BatchQueryDomainStatsRequest) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	var asked postmaster.BatchQueryDomainStatsRequest
	if err := json.Unmarshal(text, &asked); err != nil {
		t.Error(err)
	}
	return io.NopCloser(bytes.NewReader(text)), &asked
}

// unjoin are the errors that were joined.
func unjoin(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, unjoin(e)...)
		}
		return all
	}
	return []error{err}
}
