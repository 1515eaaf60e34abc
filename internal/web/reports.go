package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/mailvane/mailvane/internal/publish"
	"github.com/mailvane/mailvane/internal/report"
)

const (
	defaultReports = 100
	maxReports     = 1000
)

// Reports are the reports that are kept.
type Reports interface {
	List(ctx context.Context, q publish.Query) ([]publish.Kept, error)
	// Open reads one. The error is publish.ErrNotFound when it is not there.
	Open(ctx context.Context, number int64) (publish.Kept, *report.Report, error)
}

func (s *server) reports(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	q := publish.Query{
		Name: p.text("name"), Period: p.text("period"),
		Before: int64(p.number("before", 0, 1, 1<<62)), Limit: p.number("limit", defaultReports, 1, maxReports),
	}
	if owner := p.text("owner"); p.values.Has("owner") {
		q.Owner = &owner
	}
	if !p.done(w) {
		return
	}
	list, err := s.Reports.List(r.Context(), q)
	if err != nil {
		s.fault(w, err)
		return
	}
	s.json(w, map[string]any{"reports": list})
}

// reportPolicy lets a report show itself and nothing else: no script, nothing from elsewhere, and, being in a sandbox, nothing in
// the name of these pages.
const reportPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

func (s *server) report(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query()}
	format := choice(&p, "format", report.Formats()...)
	if format == "" {
		format = report.FormatJSON
	}
	if !p.done(w) {
		return
	}
	number, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || number < 1 {
		problem(w, http.StatusNotFound, publish.ErrNotFound.Error())
		return
	}
	kept, opened, err := s.Reports.Open(r.Context(), number)
	switch {
	case errors.Is(err, publish.ErrNotFound):
		problem(w, http.StatusNotFound, err.Error())
		return
	case err != nil:
		s.fault(w, err)
		return
	}
	var body bytes.Buffer
	if err := report.Write(&body, opened, format); err != nil {
		s.fault(w, fmt.Errorf("write report %d: %w", number, err))
		return
	}
	// What browsers show they show; the rest they save.
	disposition := "attachment"
	if format == report.FormatHTML || format == report.FormatJSON {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", format.MediaType())
	h.Set("Content-Disposition", fmt.Sprintf("%s; filename=%q", disposition, publish.FileName(&kept, format)))
	h.Set("Content-Security-Policy", reportPolicy)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body.Bytes()) // a client that is gone needs no answer
}
