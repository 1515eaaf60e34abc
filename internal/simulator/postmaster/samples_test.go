package postmaster_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

// shape lists the rows of a page with the variants of their values, those of a day in no order.
func shape(p page) (rows []string) {
	for _, s := range p.DomainStats {
		day, variant := 0, "none"
		if s.Date != nil {
			day = s.Date.Day
		}
		switch v := s.Value; {
		case v.FloatValue != nil:
			variant = "float"
		case v.DoubleValue != nil:
			variant = "double"
		case v.IntValue != "":
			variant = "int"
		case v.StringList != nil:
			variant = "list"
		}
		rows = append(rows, fmt.Sprintf("%02d %s %s", day, s.Metric, variant))
	}
	if !slices.IsSortedFunc(p.DomainStats, func(a, b stat) int {
		if a.Date == nil {
			return 0
		}
		return a.Date.Day - b.Date.Day
	}) {
		rows = append(rows, "out of order")
	}
	slices.Sort(rows)
	return rows
}

func TestQueriesAreAnsweredLikeTheSamples(t *testing.T) {
	w := start(t)
	request := sample(t, "v2_query_request_core")
	for name, in := range map[string][]byte{
		"v2_query_response_core":          request,
		"v2_query_response_fbl_spam_rate": sample(t, "v2_query_request_fbl_spam_rate"),
		"v2_query_response_overall":       span(`,"aggregationGranularity":"OVERALL"`, metric("spam_rate", "SPAM_RATE", "")),
	} {
		got, want := w.get(queryPath, in...), sample(t, name)
		if diff := cmp.Diff(keysOf(t, want), keysOf(t, got)); diff != "" {
			t.Errorf("keys of %s (-sample +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(shape(parse(t, want)), shape(parse(t, got))); diff != "" {
			t.Errorf("rows of %s (-sample +got):\n%s", name, diff)
		}
	}
}

func TestPagesAreThoseOfTheSamples(t *testing.T) {
	w := start(t)
	var request map[string]any
	if err := json.Unmarshal(sample(t, "v2_query_request_core"), &request); err != nil {
		t.Fatal(err)
	}
	delete(request, "pageSize") // the default is 10
	for _, name := range []string{"v2_query_response_page1", "v2_query_response_page2"} {
		body, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		got, want := w.query(body), parse(t, sample(t, name))
		if diff := cmp.Diff(shape(want), shape(got)); diff != "" {
			t.Errorf("rows of %s (-sample +got):\n%s", name, diff)
		}
		// As documented, the token is the encoded date and metric.
		token, err := base64.RawStdEncoding.DecodeString(got.NextPageToken)
		if err != nil || name == "v2_query_response_page1" && string(token) != "2026-11-16/auth_dmarc" {
			t.Errorf("the token says %q: %v", token, err)
		}
		request["pageToken"], request["pageSize"] = got.NextPageToken, 200
	}
	request["pageToken"] = "bm90aGluZw"
	body, _ := json.Marshal(request)
	if got := w.reason(w.ask(queryPath, body...)); got != "INVALID_ARGUMENT" {
		t.Errorf("an invented token: %s", got)
	}
}

func TestBatchIsAnsweredLikeTheSample(t *testing.T) {
	w := start(t)
	got := w.get("/v2/domainStats:batchQuery", sample(t, "v2_batchquery_request")...)
	if diff := cmp.Diff(keysOf(t, sample(t, "v2_batchquery_response")), keysOf(t, got)); diff != "" {
		t.Errorf("keys (-sample +got):\n%s", diff)
	}
	var answer struct {
		Results []struct {
			Response *page
			Error    *struct{ Code int }
		}
	}
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatal(err)
	}
	if r := answer.Results; len(r) != 2 || r[0].Response == nil || r[1].Error == nil || r[1].Error.Code != 7 {
		t.Errorf("want a response and an error of code 7: %s", got)
	}
}

func TestOtherAnswersHaveTheKeysOfTheSamples(t *testing.T) {
	w := start(t)
	for name, path := range map[string]string{
		"v2_domains_list":                "/v2/domains?pageSize=3",
		"v2_compliance_status":           "/v2/domains/example.com/complianceStatus",
		"v2_compliance_status_subdomain": "/v2/domains/mail.example.com/complianceStatus",
		"v1_domains_list":                "/v1/domains",
		"v1_trafficstats_get":            "/v1/domains/example.com/trafficStats/20261118",
		"v1_trafficstats_list":           "/v1/domains/example.com/trafficStats?pageSize=3",
		"v1_trafficstats_list_empty":     "/v1/domains/example.com/trafficStats?startDate.year=2026&startDate.month=11&startDate.day=17&endDate.year=2026&endDate.month=11&endDate.day=18",
	} {
		if diff := cmp.Diff(keysOf(t, sample(t, name)), keysOf(t, w.get(path))); diff != "" {
			t.Errorf("keys of %s (-sample +got):\n%s", name, diff)
		}
	}
	if got := w.get(queryPath, span("", metric("a", "FEEDBACK_LOOP_SPAM_RATE", `feedback_loop_id = "nobody"`))...); string(got) != string(sample(t, "v2_query_response_empty"))[:2] {
		t.Errorf("nothing to tell: %s", got)
	}
}

func TestComplianceIsThatOfTheSample(t *testing.T) {
	w := start(t)
	var got, want any
	if err := json.Unmarshal(w.get("/v2/domains/mail.example.com/complianceStatus"), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(sample(t, "v2_compliance_status_subdomain"), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-sample +got):\n%s", diff)
	}
}

func TestErrorsAreThoseOfTheSamples(t *testing.T) {
	w := start(t)
	inject := func(name string) func() {
		remove := w.server.Inject(postmaster.Fault{Kind: postmaster.FaultError, Error: name})
		t.Cleanup(remove)
		return remove
	}
	for _, c := range []struct {
		name, fault, path string
		body              []byte
		status            int
	}{
		{"error_400_bad_filter", "", queryPath, span("", metric("a", "AUTH_SUCCESS_RATE", "")), http.StatusBadRequest},
		{"error_404_not_found", "", "/v2/domains/else.example.com", nil, http.StatusNotFound},
		{"error_401_unauthenticated", "ACCESS_TOKEN_EXPIRED", "/v2/domains", nil, http.StatusUnauthorized},
		{"error_403_scope_insufficient", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "/v2/domains", nil, http.StatusForbidden},
		{"error_403_service_disabled", "SERVICE_DISABLED", "/v2/domains", nil, http.StatusForbidden},
		{"error_429_rate_limit", "RATE_LIMIT_EXCEEDED", "/v2/domains", nil, http.StatusTooManyRequests},
	} {
		remove := func() {}
		if c.fault != "" {
			remove = inject(c.fault)
		}
		status, got := w.ask(c.path, c.body...)
		remove()
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal(sample(t, c.name), &b) != nil || status != c.status || !cmp.Equal(a, b) {
			t.Errorf("%s: %d %s", c.name, status, cmp.Diff(b, a))
		}
	}
	w.server.Revoke()
	status, got := w.refresh(w.server.AuthorizedUser(w.http.URL), "refresh_token", "1//0unknown")
	if want := sample(t, "oauth_token_invalid_grant"); status != http.StatusBadRequest || !cmp.Equal(keysOf(t, want), keysOf(t, got)) ||
		w.field(got, "error") != "invalid_grant" {
		t.Errorf("an unknown refresh token: %d %s", status, got)
	}
}
