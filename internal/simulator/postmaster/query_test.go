package postmaster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersAreCheckedToTheLetter(t *testing.T) {
	w := start(t)
	for _, c := range []struct {
		standard  string
		good, bad []string
	}{
		{"SPAM_RATE", []string{""}, []string{`auth_type = "spf"`}},
		{"FEEDBACK_LOOP_ID", []string{"", `aggregation_key_type = "FROM_HEADER"`, `aggregation_key_type="ALL_DKIM"`},
			[]string{`aggregation_key_type = "OTHER"`, `aggregation_key_type = ALL_DKIM`, `feedback_loop_id = "a"`}},
		{"FEEDBACK_LOOP_SPAM_RATE", []string{`feedback_loop_id = "a"`, `feedback_loop_id="1.us-east-1.a+/b="`,
			`feedback_loop_id = "a AND b" AND aggregation_key_type = "ALL_DKIM"`, `feedback_loop_id = "say \"a\""`},
			[]string{"", `feedback_loop_id = ""`, `feedback_loop_id = 'a'`, `feedback_loop_id = "a`, `feedback_loop_id = "a" AND`,
				`feedback_loop_id = "a"AND aggregation_key_type = "ALL_DKIM"`, `feedback_loop_id = "a" aggregation_key_type = "ALL_DKIM"`,
				`aggregation_key_type = "ALL_DKIM"`, `feedback_loop_id = "a" AND feedback_loop_id = "b"`, `feedback_loop_id = "a" OR auth_type = "spf"`}},
		{"AUTH_SUCCESS_RATE", []string{`auth_type = "spf"`, `auth_type="dkim"`, `auth_type = "dmarc"`},
			[]string{"", `auth_type = "SPF"`, `auth_type = "arc"`, `auth_type = "spf" AND auth_type = "dkim"`, "nonsense"}},
		{"TLS_ENCRYPTION_RATE", []string{`traffic_direction = "inbound"`, `traffic_direction = "outbound"`}, []string{"", `traffic_direction = "both"`}},
		{"TLS_ENCRYPTION_MESSAGE_COUNT", []string{`traffic_direction = "outbound"`}, []string{""}},
		{"DELIVERY_ERROR_RATE", []string{"", `error_type = "reject"`, `error_type = "temp_fail" AND error_reason = "anomalous_traffic_pattern"`},
			[]string{`error_reason = "other"`, `error_type = "temp_fail" AND error_reason = "spammy_content"`, `error_type = "other"`}},
		{"DELIVERY_ERROR_COUNT", []string{"", `error_type = "reject" AND error_reason = "stamp_policy_error"`}, []string{`error_type = ""`}},
		{"STANDARD_METRIC_UNSPECIFIED", nil, []string{""}},
	} {
		for _, filter := range c.good {
			w.query(span("", metric("m", c.standard, filter)))
		}
		for _, filter := range c.bad {
			if got := w.reason(w.ask(queryPath, span("", metric("m", c.standard, filter))...)); got != "INVALID_ARGUMENT" {
				t.Errorf("%s with %s: %s, want INVALID_ARGUMENT", c.standard, filter, got)
			}
		}
	}
}

func TestMalformedQueriesAreRefused(t *testing.T) {
	w := start(t)
	spam := metric("m", "SPAM_RATE", "")
	dates := `"timeQuery":{"dateList":{"dates":[{"year":2026,"month":11,"day":18}]}}`
	for _, body := range []string{
		`{`, `[]`, `{} {}`, `{}`,
		`{"metricDefinitions":[` + spam + `]}`,
		`{` + dates + `}`,
		`{"metricDefinitions":[` + spam + "," + spam + `],` + dates + `}`,
		`{"metricDefinitions":[` + metric("", "SPAM_RATE", "") + `],` + dates + `}`,
		`{"metricDefinitions":[` + spam + `],"timeQuery":{}}`,
		`{"metricDefinitions":[` + spam + `],"timeQuery":{"dateList":{"dates":[]}}}`,
		`{"metricDefinitions":[` + spam + `],"timeQuery":{"dateList":{"dates":[{"year":2026,"month":11,"day":31}]}}}`,
		// What public guides show is not in the API.
		`{"metricDefinitions":[` + spam + `],"timeQuery":{"dateRanges":{"dateRanges":[{"startDate":{"year":2026,"month":11,"day":1},"endDate":{"year":2026,"month":11,"day":2}}]}}}`,
		`{"metricDefinitions":[` + spam + `],"timeQuery":{"dateRanges":{"dateRanges":[{"start":{"year":2026,"month":11,"day":2},"end":{"year":2026,"month":11,"day":1}}]}}}`,
		`{"metricDefinitions":[` + spam + `],` + dates + `,"aggregationGranularity":"WEEKLY"}`,
		`{"metricDefinitions":[` + spam + `],` + dates + `,"pageSize":-1}`,
		`{"metricDefinitions":[` + spam + `],` + dates + `,"parent":"domains/else.example.com"}`,
	} {
		if got := w.reason(w.ask(queryPath, []byte(body)...)); got != "INVALID_ARGUMENT" {
			t.Errorf("%s: %s, want INVALID_ARGUMENT", body, got)
		}
	}
}

func TestValues(t *testing.T) {
	w := start(t)
	got := w.query(span(`,"pageSize":200`,
		metric("spam", "SPAM_RATE", ""), metric("spf", "AUTH_SUCCESS_RATE", `auth_type = "spf"`), metric("dkim", "AUTH_SUCCESS_RATE", `auth_type = "dkim"`),
		metric("in", "TLS_ENCRYPTION_MESSAGE_COUNT", `traffic_direction = "inbound"`), metric("out", "TLS_ENCRYPTION_MESSAGE_COUNT", `traffic_direction = "outbound"`),
		metric("errors", "DELIVERY_ERROR_COUNT", ""), metric("slow", "DELIVERY_ERROR_COUNT", `error_type = "temp_fail"`),
		metric("rate", "DELIVERY_ERROR_RATE", `error_type = "reject" AND error_reason = "spammy_content"`),
		metric("ids", "FEEDBACK_LOOP_ID", ""), metric("signed", "FEEDBACK_LOOP_ID", `aggregation_key_type = "ALL_DKIM"`),
		metric("own", "FEEDBACK_LOOP_SPAM_RATE", `feedback_loop_id = "onboarding"`),
		metric("ownSigned", "FEEDBACK_LOOP_SPAM_RATE", `feedback_loop_id = "onboarding" AND aggregation_key_type = "ALL_DKIM"`),
		metric("small", "FEEDBACK_LOOP_SPAM_RATE", `feedback_loop_id = "small"`), metric("liked", "FEEDBACK_LOOP_SPAM_RATE", `feedback_loop_id = "liked"`)))
	seen := map[string]string{}
	for _, s := range got.DomainStats {
		if s.Date.Day != 18 && s.Date.Day != 16 {
			continue
		}
		text := s.Value.IntValue
		switch {
		case s.Value.FloatValue != nil:
			text = fmt.Sprint(*s.Value.FloatValue)
		case s.Value.StringList != nil:
			text = strings.Join(s.Value.StringList.Values, " ")
		}
		seen[fmt.Sprint(s.Date.Day, " ", s.Metric)] = text
	}
	want := map[string]string{
		"16 spam": "0", "16 spf": "1", "16 dkim": "1", "16 in": "8888", "16 out": "177", "16 errors": "0",
		"18 spam": "0.0031", "18 spf": "0.95", "18 dkim": "1", "18 in": "11111", "18 out": "222", "18 errors": "102", "18 slow": "62",
		"18 rate": fmt.Sprint(float32(40) / 11213), "18 ids": account + " 192.0.2.25 AmazonSES onboarding welcome-series",
		"18 signed": account + " 192.0.2.25 AmazonSES onboarding partner signed welcome-series", "18 own": "0.004", "18 ownSigned": "0.01",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestDaysWithoutDataHaveNoRow(t *testing.T) {
	w := start(t)
	got := w.query(span(`,"pageSize":500`, metric("spam", "SPAM_RATE", "")))
	if diff := cmp.Diff([]int{10, 11, 12, 13, 14, 15, 16, 18}, got.days()); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	list := w.query([]byte(`{"metricDefinitions":[` + metric("spam", "SPAM_RATE", "") + `],"timeQuery":{"dateList":{"dates":[` +
		`{"year":2026,"month":11,"day":18},{"year":2026,"month":11,"day":15},{"year":2026,"month":11,"day":18},{"year":2026,"month":11,"day":17}]}}}`))
	if diff := cmp.Diff([]int{15, 18}, list.days()); diff != "" {
		t.Errorf("days of a list (-want +got):\n%s", diff)
	}
	overall := w.query(span(`,"aggregationGranularity":"OVERALL"`, metric("spam", "SPAM_RATE", ""), metric("ids", "FEEDBACK_LOOP_ID", "")))
	if s := overall.DomainStats; len(s) != 2 || s[0].Date != nil || float32(*s[0].Value.FloatValue) != float32(85.0/78_000) || len(s[1].Value.StringList.Values) != 5 {
		t.Errorf("overall: %+v", s)
	}
}

func TestPagesAreTenRowsUnlessMoreAreAsked(t *testing.T) {
	w := start(t)
	metrics := make([]string, 60)
	for i := range metrics {
		metrics[i] = metric(fmt.Sprint("m", i), "SPAM_RATE", "")
	}
	for asked, want := range map[string]int{"": 10, `,"pageSize":0`: 10, `,"pageSize":7`: 7, `,"pageSize":200`: 200, `,"pageSize":1000`: 200} {
		if got := w.query(span(asked, metrics...)); len(got.DomainStats) != want || got.NextPageToken == "" {
			t.Errorf("asked %q: %d rows, token %q; want %d rows", asked, len(got.DomainStats), got.NextPageToken, want)
		}
	}
	rows, token, pages := map[string]bool{}, "", 0
	for {
		got := w.query(span(`,"pageSize":200,"pageToken":"`+token+`"`, metrics...))
		for _, s := range got.DomainStats {
			rows[fmt.Sprint(s.Date.Day, s.Metric)] = true
		}
		pages++
		if token = got.NextPageToken; token == "" {
			break
		}
	}
	if len(rows) != 8*60 || pages != 3 {
		t.Errorf("%d rows on %d pages, want 480 on 3", len(rows), pages)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	w := start(t)
	item := `{"parent":"domains/example.com",` + string(span("", metric("m", "SPAM_RATE", "")))[1:]
	batch := func(items ...string) []byte { return []byte(`{"requests":[` + strings.Join(items, ",") + `]}`) }
	const path = "/v2/domainStats:batchQuery"
	w.get(path, batch(slices.Repeat([]string{item}, 100)...)...)
	for _, n := range []int{0, 101} {
		if got := w.reason(w.ask(path, batch(slices.Repeat([]string{item}, n)...)...)); got != "INVALID_ARGUMENT" {
			t.Errorf("a batch of %d: %s", n, got)
		}
	}
	bad := strings.Replace(item, `"SPAM_RATE"`, `"AUTH_SUCCESS_RATE"`, 1)
	body := w.get(path, batch(strings.Replace(item, "example.com", "none.example.org", 1), item, bad, strings.Replace(item, "domains/", "", 1), item)...)
	var answer struct {
		Results []struct {
			Response *page
			Error    struct{ Code int }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	var codes []int
	for _, r := range answer.Results {
		codes = append(codes, r.Error.Code)
		if (r.Response == nil) != (r.Error.Code != 0) {
			t.Errorf("neither or both: %s", body)
		}
	}
	if diff := cmp.Diff([]int{7, 0, 3, 3, 0}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if got := w.server.Requests(); got["BatchQuery"] != 4 || got["Token"] != 1 {
		t.Errorf("requests %v, want four batches and a token", got)
	}
}

func TestDomains(t *testing.T) {
	w := start(t)
	type domain struct{ Name, Permission, VerificationState, LastVerifyTime string }
	var got []domain
	path := "/v2/domains?pageSize=3"
	for range 2 {
		var answer struct {
			Domains       []domain
			NextPageToken string
		}
		if err := json.Unmarshal(w.get(path), &answer); err != nil {
			t.Fatal(err)
		}
		got = append(got, answer.Domains...)
		path = "/v2/domains?pageSize=3&pageToken=" + answer.NextPageToken
	}
	want := []domain{{"domains/example.com", "OWNER", "VERIFIED", "1970-01-01T00:00:00Z"}, {"domains/mail.example.com", "READER", "VERIFIED", ""},
		{"domains/none.example.org", "NONE", "VERIFIED", ""}, {"domains/unverified.example.org", "ADMIN", "UNVERIFIED", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	var one domain
	if err := json.Unmarshal(w.get("/v2/domains/mail.example.com"), &one); err != nil || one != want[1] {
		t.Errorf("one domain: %+v %v", one, err)
	}
	if text := string(w.get("/v1/domains/unverified.example.org")); strings.Contains(text, "verificationState") || strings.Contains(text, "ADMIN") {
		t.Errorf("version 1 knows words of version 2: %s", text)
	}
	for path, want := range map[string]string{"/v2/domains/else.example.com": "NOT_FOUND", "/v1/domains/else.example.com": "NOT_FOUND",
		"/v2/domains?pageToken=x": "INVALID_ARGUMENT", "/v2/domains?pageSize=x": "INVALID_ARGUMENT", "/v2/nothing": "NOT_FOUND", "/v3/domains": "NOT_FOUND"} {
		if got := w.reason(w.ask(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestFiguresNeedAccess(t *testing.T) {
	w := start(t)
	for _, name := range []string{"none.example.org", "unverified.example.org", "else.example.com"} {
		for _, path := range []string{"/v2/domains/%s/complianceStatus", "/v1/domains/%s/trafficStats", "/v1/domains/%s/trafficStats/20261118", "/v2/domains/%s/domainStats:query"} {
			var body []byte
			if strings.HasSuffix(path, ":query") {
				body = span("", metric("m", "SPAM_RATE", ""))
			}
			status, text := w.ask(fmt.Sprintf(path, name), body...)
			if got := w.reason(status, text); status != http.StatusForbidden || got != "PERMISSION_DENIED" {
				t.Errorf(path+": %d %s, want 403 without a reason", name, status, got)
			}
		}
	}
}
