package postmaster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	postmaster "google.golang.org/api/gmailpostmastertools/v2"

	"github.com/mailvane/mailvane/collectors"
)

// detail is the body of an error with a reason.
func detail(code int, reason, message string) string {
	return fmt.Sprintf(`{"error": {"code": %d, "message": %q, "status": "S", "details": [{"reason": %q}]}}`, code, message, reason)
}

// TestRefusals: what ends a pass at once is told apart, explained, and asked no further.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name       string
		code       int
		body       string
		header     string
		reason     collectors.Reason
		says       string
		retryAfter time.Duration
	}{
		{"scope", 403, detail(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "no"), "", collectors.ReasonAuth, "postmaster.traffic.readonly", 0},
		{"not enabled", 403, detail(403, "SERVICE_DISABLED", "not used in project 4711 before"), "", collectors.ReasonConfig, "?project=4711", 0},
		{"not enabled, odd project", 403, detail(403, "SERVICE_DISABLED", "in project x&y=<b> before"), "", collectors.ReasonConfig, "gmailpostmastertools.googleapis.com)", 0},
		{"quota project", 403, detail(403, "USER_PROJECT_DENIED", "no"), "", collectors.ReasonConfig, "serviceusage.services.use", 0},
		{"quota by 403", 403, detail(403, "RATE_LIMIT_EXCEEDED", "no"), "", collectors.ReasonQuota, "raised", 0},
		{"quota", 429, detail(429, "RATE_LIMIT_EXCEEDED", "no"), "90", collectors.ReasonQuota, "status 429", 90 * time.Second},
		{"quota until", 429, "", "Fri, 20 Nov 2026 09:02:00 GMT", collectors.ReasonQuota, "status 429", 2 * time.Minute},
		{"another server", 404, "<html>no such page", "", collectors.ReasonNotFound, "check the endpoint", 0},
		{"a proxy", 403, "blocked by policy", "", collectors.ReasonAuth, "status 403", 0},
		{"a redirect", 302, "", "", collectors.ReasonConfig, "check the endpoint", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nil)
			r.steady("example.com")
			r.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Header().Set("Retry-After", tt.header)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.code)
				fmt.Fprint(w, tt.body)
				return true
			}
			e := r.failure(t)
			if e.Reason != tt.reason || e.RetryAfter != tt.retryAfter || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("got reason %s, retry after %s, %q; want %s, %s, %q", e.Reason, e.RetryAfter, e.Error(), tt.reason, tt.retryAfter, tt.says)
			}
			if len(r.calls) != 1 {
				t.Errorf("%d calls were made, want 1", len(r.calls))
			}
		})
	}
}

func TestListRefused(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Domains = nil })
	r.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		refuse(w, 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
		return true
	}
	if e := r.failure(t); e.Reason != collectors.ReasonAuth || !strings.Contains(e.Hint, "postmaster.domain") {
		t.Errorf("scope: %v", e)
	}
	r.api = V1
	r.before = nil
	if e := r.failure(t); e.Reason != collectors.ReasonNotFound || !strings.Contains(e.Hint, "v2") {
		t.Errorf("v1 switched off: %v", e)
	}
}

func TestTokenRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   int
		body   string
		reason collectors.Reason
		says   string
	}{
		{"revoked", 400, `{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}`, collectors.ReasonAuth, "7 days"},
		{"client", 401, `{"error": "invalid_client", "error_description": "The OAuth client was not found."}`, collectors.ReasonAuth, "OAuth client"},
		{"scope", 400, `{"error": "invalid_scope", "error_description": "x@example.com may not"}`, collectors.ReasonAuth, "postmaster.traffic.readonly"},
		{"server", 503, `busy`, collectors.ReasonUnavailable, "status 503"},
		{"quota", 429, `{"error": "rate_limit_exceeded"}`, collectors.ReasonQuota, "rate_limit_exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newGmail(t)
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(tt.code)
				fmt.Fprint(w, tt.body)
			})
			r := newRig(t, func(o *Options) { o.CredentialsFile = userFile(t, s.URL) })
			e := r.failure(t)
			if e.Reason != tt.reason || !strings.Contains(e.Error(), tt.says) || e.RetryAfter != 7*time.Second {
				t.Errorf("got reason %s, retry after %s: %v", e.Reason, e.RetryAfter, e)
			}
		})
	}
}

// TestTokenIsRenewed: one that is refused in the midst of a pass is replaced, once.
func TestTokenIsRenewed(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.before = func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 2 {
			r.revoked[accessToken+"1"] = true
		}
		return false
	}
	r.passOK(t)
	if r.tokens != 2 || r.sink.arrived("example.com") != 120 {
		t.Errorf("%d tokens, %d days", r.tokens, r.sink.arrived("example.com"))
	}

	r.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool { refuse(w, 401, ""); return true }
	calls := len(r.calls)
	if e := r.failure(t); e.Reason != collectors.ReasonAuth || len(r.calls)-calls != 2 {
		t.Errorf("after %d calls: %v", len(r.calls)-calls, e)
	}
}

func TestTokenRunsOut(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.lifetime = 5 // less than what the library keeps in hand, so that every call needs a new one
	r.passOK(t)
	if r.tokens != len(r.calls) {
		t.Errorf("%d tokens for %d calls", r.tokens, len(r.calls))
	}
}

// TestOneDomainStopsNoOther: each way in which one domain can fail leaves the others whole.
func TestOneDomainStopsNoOther(t *testing.T) {
	bad := func(q *postmaster.QueryDomainStatsRequest) bool { return q.Parent == "domains/bad.example.com" }
	for _, tt := range []struct {
		name   string
		item   map[string]any // answers its queries
		status int            // answers every batch that has it
		body   string
		reason collectors.Reason // of the error, empty for none
		access string
	}{
		{name: "no access", item: rpcError(7), access: "none no_access"},
		{name: "unknown", item: rpcError(5), access: "none not_found"},
		{name: "internal", item: rpcError(13), reason: collectors.ReasonUnavailable, access: "absent"},
		{name: "invalid", item: rpcError(3), reason: collectors.ReasonConfig, access: "absent"},
		{name: "impossible day", item: stats(`{"metric": "m0", "date": {"year": 2026, "month": 2, "day": 31}, "value": {"floatValue": 1}}`), reason: collectors.ReasonMalformed, access: "none ok"},
		{name: "impossible rate", item: stats(`{"metric": "m0", "date": {"year": 2026, "month": 11, "day": 18}, "value": {"floatValue": 17}}`), reason: collectors.ReasonMalformed, access: "none ok"},
		{name: "500", status: 500, reason: collectors.ReasonUnavailable, access: "absent"},
		{name: "whole 403", status: 403, body: `{"error": {"code": 403}}`, access: "none no_access"},
		{name: "not JSON", status: 200, body: `{"results": [`, reason: collectors.ReasonMalformed, access: "absent"},
		{name: "too few answers", status: 200, body: `{"results": []}`, reason: collectors.ReasonMalformed, access: "absent"},
		{name: "too many rows", status: 200, body: `{"results": [{"response": {"domainStats": [` + strings.Repeat("{},", maxRows) + `{}]}}]}`, reason: collectors.ReasonMalformed, access: "absent"},
		{name: "too large", status: 200, body: `{"results": [` + strings.Repeat(" ", maxAnswer) + `]}`, reason: collectors.ReasonMalformed, access: "absent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Backfill = 14; o.Domains = []string{"bad.example.com"} })
			for n := range 120 {
				name := fmt.Sprintf("d%03d.example.com", n)
				r.domains = append(r.domains, name)
				d := mustDay(t, "2026-11-18")
				r.rows[name] = []row{spam(d, `{"floatValue": 0.1}`), listed(d, "FROM_HEADER", "sale"), rated(d, "FROM_HEADER", "sale", `{"floatValue": 0.2}`)}
			}
			r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
				if bad(q) {
					return tt.item
				}
				return nil
			}
			if tt.status != 0 {
				r.before = failBatches(t, bad, tt.status, tt.body)
			}
			err := r.pass(t)
			if (err != nil) != (tt.reason != "") {
				t.Errorf("error: %v", err)
			}
			if err != nil && (reasonOf(err) != tt.reason || !strings.Contains(err.Error(), "bad.example.com")) {
				t.Errorf("got reason %s: %v", reasonOf(err), err)
			}
			r.want(t, "postmaster/v2 bad.example.com 2026-11-20 access gmail", tt.access)
			for n := range 120 {
				name := fmt.Sprintf("d%03d.example.com", n)
				r.want(t, "postmaster/v2 "+name+" 2026-11-18 feedback_loop_spam_rate FROM_HEADER/sale", "0.2")
				if r.sink.positions[name] != "v2/2026-11-19" {
					t.Errorf("position of %s: %q", name, r.sink.positions[name])
				}
			}
			if _, ok := r.sink.positions["bad.example.com"]; ok != (tt.access == "none ok") {
				t.Errorf("the domain that failed has a position: %t", ok)
			}
			if n := len(r.calls) - 120; n > 40 { // the others are one call for compliance each
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

func stats(row string) map[string]any {
	return map[string]any{"response": map[string]any{"domainStats": []any{json.RawMessage(row)}}}
}

// failBatches answers every batch that asks for what is bad.
func failBatches(t *testing.T, bad func(*postmaster.QueryDomainStatsRequest) bool, status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method != http.MethodPost {
			return false
		}
		text, asked := peek(t, r)
		if slices.ContainsFunc(asked.Requests, bad) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
		r.Body = text
		return false
	}
}

func reasonOf(err error) collectors.Reason {
	for _, e := range unjoin(err) {
		if c, ok := errors.AsType[*collectors.Error](e); ok {
			return c.Reason
		}
	}
	return ""
}

// TestTransientFailures: one that passes is not noticed, one that stays ends the pass after a few calls.
func TestTransientFailures(t *testing.T) {
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"results": [{"response"`)
	}
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		says   string
		most   int // calls until the pass gives up
	}{
		{"503", func(w http.ResponseWriter) { w.WriteHeader(503) }, "status 503", 2 * maxFailedCalls},
		{"truncated", cut, "the answer broke off", 2 * maxFailedCalls},
		{"hung up", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "read gmail: ", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, nil)
			names := make([]string, 40)
			for i := range names {
				names[i] = fmt.Sprintf("d%d.example.com", i)
			}
			r.domains = names
			r.steady(names...)
			r.answer(func(w http.ResponseWriter, _ *http.Request, n int) bool {
				if n%2 == 1 && n < 9 {
					r.mu.Unlock() // the answer may panic
					defer r.mu.Lock()
					tt.answer(w)
					return true
				}
				return false
			})
			r.passOK(t)
			if n := r.sink.arrived("d7.example.com"); n != 120 {
				t.Errorf("%d days arrived, want 120", n)
			}
			r.answer(func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				r.mu.Unlock()
				defer r.mu.Lock()
				tt.answer(w)
				return true
			})
			calls := r.made()
			e := r.failure(t)
			if e.Reason != collectors.ReasonUnavailable || !strings.Contains(e.Error(), tt.says) {
				t.Errorf("error: %v", e)
			}
			if n := r.made() - calls; n > tt.most {
				t.Errorf("%d calls were made, want %d at most", n, tt.most)
			}
		})
	}
}

// TestQuotaStorm: however early each pass is stopped, all domains are read in the end.
func TestQuotaStorm(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Backfill = 14 })
	r.domains = nil
	for n := range 130 {
		r.domains = append(r.domains, fmt.Sprintf("d%03d.example.com", n))
	}
	r.steady(r.domains...)
	passes, allowed := 0, 0
	r.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		if allowed--; allowed >= 0 {
			return false
		}
		w.Header().Set("Retry-After", "30")
		refuse(w, 429, "RATE_LIMIT_EXCEEDED")
		return true
	}
	for len(r.sink.positions) < len(r.domains) && passes < 100 {
		allowed = 12
		passes++
		if err := r.pass(t); err == nil {
			continue
		} else if reasonOf(err) != collectors.ReasonQuota {
			t.Fatal(err)
		}
	}
	if passes > 13 {
		t.Errorf("took %d passes of 12 calls to read %d of 130 domains", passes, len(r.sink.positions))
	}
}

// TestItemQuota: a quota that ends within a batch ends the pass; what came with it is kept.
func TestItemQuota(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Domains = []string{"a.example.com", "b.example.com"}; o.Backfill = 14 })
	r.steady("a.example.com", "b.example.com")
	r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
		if q.Parent == "domains/b.example.com" {
			return rpcError(8)
		}
		return nil
	}
	if e := r.failure(t); e.Reason != collectors.ReasonQuota {
		t.Errorf("error: %v", e)
	}
	r.want(t, "postmaster/v2 a.example.com 2026-11-18 spam_rate", "0.001")
}
