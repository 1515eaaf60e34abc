package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/publish"
	"github.com/mailvane/mailvane/internal/report"
)

// shelf has one report, which notes what it was asked.
type shelf struct {
	query publish.Query
	err   error
}

func (s *shelf) kept() publish.Kept {
	return publish.Kept{
		Number: 7, Name: "weekly", Owner: "growth", Edition: 2, Period: "2026-W46", Start: noon, End: noon, Due: noon, MadeAt: noon, Bytes: 100,
		Deliveries: []publish.Delivery{
			{Destination: "archive", Kind: "s3", State: "delivered", Attempts: 1, SettledAt: noon},
			{Destination: "email", Kind: "email", State: "waiting", Attempts: 2, NextTry: noon, Reason: "unavailable", Error: "connection refused"},
		},
	}
}

func (s *shelf) List(_ context.Context, q publish.Query) ([]publish.Kept, error) {
	s.query = q
	return []publish.Kept{s.kept()}, s.err
}

func (s *shelf) Open(_ context.Context, number int64) (publish.Kept, *report.Report, error) {
	if number != 7 {
		return publish.Kept{}, nil, publish.ErrNotFound
	}
	return s.kept(), &report.Report{Format: 1, Period: report.Week(noon, noon.Location()), Owner: "growth", MadeAt: noon, AsOf: noon}, s.err
}

func newShelf() (*shelf, func(target string) *httptest.ResponseRecorder) {
	s := new(shelf)
	h := New(Options{Reports: s, Log: slog.New(slog.DiscardHandler)})
	return s, func(target string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w
	}
}

func TestReportsKeepTheContract(t *testing.T) {
	s, get := newShelf()
	router := contract(t)
	for _, target := range []string{
		"/api/v1/reports", "/api/v1/reports?name=weekly&owner=growth&period=2026-W46&limit=5&before=9", "/api/v1/reports?limit=0",
		"/api/v1/reports/7", "/api/v1/reports/7?format=json", "/api/v1/reports/7?format=html", "/api/v1/reports/7?format=md",
		"/api/v1/reports/7?format=csv", "/api/v1/reports/7?format=pdf", "/api/v1/reports/8", "/api/v1/reports/x",
	} {
		keepsContract(t, router, target, get(target))
	}
	f := func(target string, want publish.Query) {
		t.Helper()
		get(target)
		if diff := cmp.Diff(want, s.query); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
	f("/api/v1/reports", publish.Query{Limit: defaultReports})
	f("/api/v1/reports?owner=", publish.Query{Owner: new(""), Limit: defaultReports})
	f("/api/v1/reports?name=a&owner=b&period=c&limit=5&before=9", publish.Query{Name: "a", Owner: new("b"), Period: "c", Before: 9, Limit: 5})
}

// TestReportsAreSafe holds what a browser is told of a report that is opened or saved.
func TestReportsAreSafe(t *testing.T) {
	_, get := newShelf()
	for format, want := range map[string][2]string{
		"html": {"text/html; charset=utf-8", `inline; filename="weekly_2026-W46.2_growth.html"`},
		"json": {"application/json", `inline; filename="weekly_2026-W46.2_growth.json"`},
		"md":   {"text/markdown; charset=utf-8", `attachment; filename="weekly_2026-W46.2_growth.md"`},
		"csv":  {"text/csv; charset=utf-8", `attachment; filename="weekly_2026-W46.2_growth.csv"`},
	} {
		w := get("/api/v1/reports/7?format=" + format)
		h := w.Header()
		if got := [2]string{h.Get("Content-Type"), h.Get("Content-Disposition")}; got != want || w.Code != http.StatusOK {
			t.Errorf("%s: %d %q, want %q", format, w.Code, got, want)
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "sandbox; default-src 'none'") || strings.Contains(policy, "allow-scripts") || len(h.Values("Content-Security-Policy")) != 1 ||
			h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", format, h)
		}
	}
}

func TestReportsThatAreNone(t *testing.T) {
	s, get := newShelf()
	for target, want := range map[string]int{
		"/api/v1/reports/8": 404, "/api/v1/reports/0": 404, "/api/v1/reports/-7": 404, "/api/v1/reports/7x": 404,
		"/api/v1/reports/99999999999999999999": 404, "/api/v1/reports/7?format=exe": 400, "/api/v1/reports/7?raw=1": 400,
	} {
		if w := get(target); w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	s.err = errors.New("open /secret/path: denied")
	for _, target := range []string{"/api/v1/reports", "/api/v1/reports/7"} {
		if w := get(target); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	if w := newSite().do("GET", "/api/v1/reports"); w.Code != 404 {
		t.Errorf("without reports: %d", w.Code)
	}
}
