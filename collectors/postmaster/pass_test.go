package postmaster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	postmaster "google.golang.org/api/gmailpostmastertools/v2"

	"github.com/mailvane/mailvane/collectors"
)

// listed is the row that lists identifiers of a day.
func listed(d day, aggregation string, ids ...string) row {
	quoted := make([]string, len(ids))
	for i, id := range ids {
		quoted[i] = fmt.Sprintf("%q", id)
	}
	return row{
		"FEEDBACK_LOOP_ID", condition("aggregation_key_type", aggregation), d,
		`{"stringList": {"values": [` + strings.Join(quoted, ",") + `]}}`,
	}
}

func rated(d day, aggregation, id, value string) row {
	return row{"FEEDBACK_LOOP_SPAM_RATE", condition("feedback_loop_id", id) + " AND " + condition("aggregation_key_type", aggregation), d, value}
}

func spam(d day, value string) row { return row{"SPAM_RATE", "", d, value} }

// steady gives a domain a spam rate on every day up to yesterday.
func (g *gmail) steady(domains ...string) {
	for _, name := range domains {
		for d := dayOf(today, time.UTC) - 130; d < dayOf(today, time.UTC); d++ {
			g.rows[name] = append(g.rows[name], spam(d, `{"floatValue": 0.001}`))
		}
	}
}

// arrived counts the days of a domain that are marked as arrived.
func (s *sink) arrived(domain string) (n int) {
	for key := range s.readings {
		if strings.Contains(key, " "+domain+" ") && strings.HasSuffix(key, " arrived") {
			n++
		}
	}
	return n
}

func TestZeroIsNotNone(t *testing.T) {
	r := newRig(t, nil)
	d := mustDay(t, "2026-11-18")
	r.rows["example.com"] = []row{
		spam(d, `{"floatValue": 0}`), spam(d-1, `{"doubleValue": 0}`), spam(d-2, `{"intValue": "0"}`),
		spam(d-3, `{}`), spam(d-4, `{"floatValue": "NaN"}`), spam(d-5, `null`),
	}
	r.passOK(t)
	for n, want := range []string{"0", "0", "0", "none", "none", "none", "absent"} {
		r.want(t, fmt.Sprintf("postmaster/v2 example.com %s spam_rate", d-day(n)), want)
	}
}

// TestWhatADayTells: a day that arrived without an identifier tells so, one that did not arrive tells nothing.
func TestWhatADayTells(t *testing.T) {
	r := newRig(t, nil)
	d := mustDay(t, "2026-11-18")
	r.rows["example.com"] = []row{
		spam(d, `{"floatValue": 0.002}`), listed(d, "FROM_HEADER", "sale", "a/b"), listed(d, "ALL_DKIM", "sale"),
		rated(d, "FROM_HEADER", "sale", `{"floatValue": 0}`), rated(d, "FROM_HEADER", "a/b", `{"floatValue": 0.01}`),
		rated(d, "ALL_DKIM", "sale", `{"floatValue": 0.5}`), spam(d-1, `{"floatValue": 0.001}`),
	}
	r.passOK(t)
	want := []string{
		"postmaster/v2 example.com 2026-11-17 arrived: 1",
		"postmaster/v2 example.com 2026-11-17 feedback_loop_ids ALL_DKIM: 0",
		"postmaster/v2 example.com 2026-11-17 feedback_loop_ids FROM_HEADER: 0",
		"postmaster/v2 example.com 2026-11-17 spam_rate: 0.001",
		"postmaster/v2 example.com 2026-11-18 arrived: 1",
		"postmaster/v2 example.com 2026-11-18 feedback_loop_ids ALL_DKIM: 1",
		"postmaster/v2 example.com 2026-11-18 feedback_loop_ids FROM_HEADER: 2",
		"postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate ALL_DKIM/sale: 0.5",
		"postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/a/b: 0.01",
		"postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/sale: 0",
		"postmaster/v2 example.com 2026-11-18 spam_rate: 0.002",
		"postmaster/v2 example.com 2026-11-20 access gmail: none ok",
	}
	if d := cmp.Diff(want, r.sink.lines()); d != "" {
		t.Errorf("readings (-want +got):\n%s", d)
	}
}

// TestNoMarkerBetweenTheRounds: what broke off before the rates came must not look as if identifiers were not reported.
func TestNoMarkerBetweenTheRounds(t *testing.T) {
	r := newRig(t, nil)
	d := mustDay(t, "2026-11-18")
	r.rows["example.com"] = []row{
		spam(d, `{"floatValue": 0.002}`), listed(d, "FROM_HEADER", "sale"), rated(d, "FROM_HEADER", "sale", `{"floatValue": 0.3}`),
	}
	broken := true
	r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
		if broken && strings.HasPrefix(q.MetricDefinitions[0].BaseMetric.StandardMetric, "FEEDBACK_LOOP_SPAM") {
			return rpcError(13)
		}
		return nil
	}
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable {
		t.Errorf("reason %s, want unavailable", e.Reason)
	}
	r.want(t, "postmaster/v2 example.com 2026-11-18 spam_rate", "0.002")
	r.want(t, "postmaster/v2 example.com 2026-11-18 arrived", "absent")
	broken = false
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-18 arrived", "1")
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/sale", "0.3")
}

func TestWindow(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	var seen []Progress
	r.observe = func(p Progress) { seen = append(seen, p) }

	r.passOK(t)
	if n := r.sink.arrived("example.com"); n != 120 {
		t.Errorf("the first pass read %d days, want 120", n)
	}
	if len(seen) != 4 || seen[0].Days != 30 || seen[3].Days != 120 || seen[3].Total != 120 || seen[3].Domains != 1 {
		t.Errorf("progress was %+v", seen)
	}
	if got := r.sink.positions["example.com"]; got != "v2/2026-11-19" {
		t.Errorf("position %q, want v2/2026-11-19", got)
	}

	pass := func(now time.Time) int {
		t.Helper()
		r.sink.readings = nil
		r.now = func() time.Time { return now }
		r.passOK(t)
		return r.sink.arrived("example.com")
	}
	if n := pass(today.Add(time.Hour)); n != 14 {
		t.Errorf("a later pass read %d days, want 14", n)
	}
	if n := pass(today.AddDate(0, 0, 40)); n != 14 { // what the outage may have hidden is asked for, what lies before is not
		t.Errorf("after an outage %d days came, want 14", n)
	}
	r.sink.positions["example.com"] = "v1/2026-11-19"
	if n := pass(today); n != 120 {
		t.Errorf("after the other version, %d days came, want 120", n)
	}
}

func TestFirstDay(t *testing.T) {
	c := &Collector{window: 14, backfill: 120}
	last := mustDay(t, "2026-11-19")
	for _, tt := range []struct {
		name  string
		read  day
		known bool
		want  day
	}{
		{"never read", 0, false, last - 119},
		{"read up to date", last, true, last - 13},
		{"after an outage", last - 20, true, last - 33},
		{"after a year", last - 365, true, last - 119},
		{"clock was ahead", last + 1000, true, last - 13},
	} {
		if got := c.firstDay(tt.read, tt.known, last); got != tt.want {
			t.Errorf("%s: from %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestClockChange: a clock that jumps ahead and back leaves no gap, and nothing is kept of days that are not there yet.
func TestClockChange(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.passOK(t)
	for _, now := range []time.Time{today.AddDate(10, 0, 0), today.AddDate(0, 0, 1), today.AddDate(-1, 0, 0), today.AddDate(0, 0, 2)} {
		r.now = func() time.Time { return now }
		r.passOK(t)
	}
	r.rows["example.com"] = append(r.rows["example.com"], spam(dayOf(today, time.UTC), `{"floatValue": 0.7}`))
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-20 spam_rate", "0.7")
	if n := r.sink.arrived("example.com"); n != 121 {
		t.Errorf("%d days arrived, want 121", n)
	}
	if got := r.sink.positions["example.com"]; got != "v2/2026-11-21" {
		t.Errorf("position %q, want v2/2026-11-21", got)
	}
}

func TestRevisedAndLateDays(t *testing.T) {
	r := newRig(t, nil)
	d := mustDay(t, "2026-11-18")
	r.rows["example.com"] = []row{spam(d-1, `{"floatValue": 0.001}`)}
	r.passOK(t)
	r.rows["example.com"] = []row{spam(d-1, `{"floatValue": 0.004}`), spam(d, `{"floatValue": 0.002}`)}
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-17 spam_rate", "0.004")
	r.want(t, "postmaster/v2 example.com 2026-11-18 spam_rate", "0.002")
}

func TestDayZone(t *testing.T) {
	zone := time.FixedZone("PST", -8*3600)
	r := newRig(t, func(o *Options) { o.Zone = zone; o.Backfill = 14 })
	r.now = func() time.Time { return time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC) } // still the 19th there
	d := mustDay(t, "2026-11-18")
	r.rows["example.com"] = []row{spam(d, `{"floatValue": 0.1}`), spam(d+1, `{"floatValue": 0.2}`)}
	r.sink.do = func(_ context.Context, b collectors.Batch) error {
		for _, v := range b.Readings {
			if v.Key.Metric == MetricSpamRate && (!v.Start.Equal(time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)) || v.End.Sub(v.Start) != 24*time.Hour) {
				t.Errorf("period %s to %s", v.Start, v.End)
			}
		}
		return nil
	}
	r.passOK(t)
	if got := r.sink.positions["example.com"]; got != "v2/2026-11-18" {
		t.Errorf("position %q, want v2/2026-11-18", got)
	}
}

func TestComplianceIsAskedOnceADay(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.bodies["/v2/domains/example.com/complianceStatus"] = sample(t, "v2_compliance_status.json")
	asked := func() (n int) {
		for _, c := range r.calls {
			if strings.HasSuffix(c, "/complianceStatus") {
				n++
			}
		}
		return n
	}
	for n, now := range []time.Time{today, today.Add(time.Hour), today.AddDate(0, 0, 1)} {
		r.now = func() time.Time { return now }
		r.passOK(t)
		if want := []int{1, 1, 2}[n]; asked() != want {
			t.Errorf("after pass %d: asked %d times, want %d", n+1, asked(), want)
		}
	}
}

// TestComplianceFails: the figures of a domain do not wait for its compliance, which the next pass asks for again.
func TestComplianceFails(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.before = func(w http.ResponseWriter, req *http.Request, _ int) bool {
		if strings.HasSuffix(req.URL.Path, "/complianceStatus") {
			w.WriteHeader(500)
			return true
		}
		return false
	}
	if e := r.failure(t); e.Reason != collectors.ReasonUnavailable {
		t.Errorf("error: %v", e)
	}
	if n := r.sink.arrived("example.com"); n != 120 || r.sink.positions["example.com"] != "v2/2026-11-18" {
		t.Errorf("%d days arrived up to %s", n, r.sink.positions["example.com"])
	}
	r.before = nil
	r.bodies["/v2/domains/example.com/complianceStatus"] = sample(t, "v2_compliance_status.json")
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-20 compliance domain/SPF", "1 COMPLIANT")
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Backfill = 30 })
	r.steady("example.com")
	r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
		if q.PageSize != 200 {
			t.Errorf("asked for pages of %d, want 200", q.PageSize)
		}
		q.PageSize = 0 // the server's default, which is 10, may be its limit one day
		return r.query(q)
	}
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-19 spam_rate", "0.001")
	if n := r.sink.arrived("example.com"); n != 30 {
		t.Errorf("%d days arrived, want 30", n)
	}
	if len(r.sizes) != 3 {
		t.Errorf("%d batches, want 3", len(r.sizes))
	}

	r.each = func(*postmaster.QueryDomainStatsRequest) map[string]any {
		return map[string]any{"response": map[string]any{"nextPageToken": "again"}}
	}
	if e := r.failure(t); e.Reason != collectors.ReasonMalformed || !strings.Contains(e.Error(), "pages do not end") {
		t.Errorf("endless pages: %v", e)
	}
}

func TestListedDomains(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Domains = nil })
	r.bodies["/v2/domains"] = `{"domains": [{"name": "domains/example.com", "permission": "OWNER", "verificationState": "VERIFIED"},
		{"name": "domains/none.example.com", "permission": "NONE", "verificationState": "VERIFIED"},
		{"name": "domains/../../secrets", "permission": "OWNER"}], "nextPageToken": "p2"}`
	r.bodies["/v2/domains#p2"] = `{"domains": [{"name": "domains/new.example.com", "permission": "READER", "verificationState": "UNVERIFIED"}]}`
	r.steady("example.com")
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-20 access gmail", "none ok")
	r.want(t, "postmaster/v2 none.example.com 2026-11-20 access gmail", "none no_access")
	r.want(t, "postmaster/v2 new.example.com 2026-11-20 access gmail", "none unverified")
	if n := r.sink.arrived("example.com"); n != 120 {
		t.Errorf("%d days arrived, want 120", n)
	}
	got, err := r.Domains(t.Context())
	want := []Domain{{"example.com", "ok", "OWNER"}, {"none.example.com", "no_access", "NONE"}, {"new.example.com", "unverified", "READER"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("Domains: %v (-want +got):\n%s", err, d)
	}

	r.bodies["/v2/domains"] = `{}`
	if e := r.failure(t); e.Reason != collectors.ReasonNotFound {
		t.Errorf("no domain: %v", e)
	}
}

// TestOddIdentifiers: what Google refuses to filter by costs no other identifier its rate.
func TestOddIdentifiers(t *testing.T) {
	r := newRig(t, nil)
	d := mustDay(t, "2026-11-18")
	long := strings.Repeat("x", 300)
	r.rows["example.com"] = []row{spam(d, `{"floatValue": 0}`), listed(d, "FROM_HEADER", "sale", `quo"te`, "b", "c", long, "")}
	for _, id := range []string{"sale", "b", "c"} {
		r.rows["example.com"] = append(r.rows["example.com"], rated(d, "FROM_HEADER", id, `{"floatValue": 0.25}`))
	}
	r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
		for _, m := range q.MetricDefinitions {
			if strings.Contains(m.Filter, "quo") {
				return rpcError(3)
			}
		}
		return nil
	}
	r.passOK(t)
	for _, id := range []string{"sale", "b", "c"} {
		r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/"+id, "0.25")
	}
	r.want(t, `postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/quo"te`, "none")
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_spam_rate FROM_HEADER/"+long, "absent")
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_ids FROM_HEADER", "6")
}

// TestMetricThatIsGone: what the API no longer knows is a fault, and everything else is read.
func TestMetricThatIsGone(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	r.each = func(q *postmaster.QueryDomainStatsRequest) map[string]any {
		for _, m := range q.MetricDefinitions {
			if strings.Contains(m.Filter, "ALL_DKIM") {
				return rpcError(3)
			}
		}
		return nil
	}
	e := r.failure(t)
	if e.Reason != collectors.ReasonConfig || strings.Count(e.Error(), "ALL_DKIM") != 1 {
		t.Errorf("error: %v", e)
	}
	if n := r.sink.arrived("example.com"); n != 120 || r.sink.positions["example.com"] != "v2/2026-11-19" {
		t.Errorf("%d days arrived up to %s", n, r.sink.positions["example.com"])
	}
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_ids FROM_HEADER", "0")
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_ids ALL_DKIM", "absent")
	if len(r.sizes) > 20 {
		t.Errorf("%d batches to find one metric", len(r.sizes))
	}
}

func TestBoundsOfIdentifiers(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Backfill = 14 })
	d := mustDay(t, "2026-11-18")
	ids := make([]string, maxPerDomain+5)
	for i := range ids {
		ids[i] = fmt.Sprintf("id-%05d", i)
	}
	r.rows["example.com"] = []row{listed(d, "FROM_HEADER", ids...)}
	r.passOK(t)
	r.want(t, "postmaster/v2 example.com 2026-11-18 feedback_loop_ids FROM_HEADER", "10005")
	n := 0
	for key := range r.sink.readings {
		if strings.Contains(key, MetricFeedbackLoopSpamRate) {
			n++
		}
	}
	if n != maxPerDomain {
		t.Errorf("%d identifiers have a reading, want %d", n, maxPerDomain)
	}
}

// TestCancel: a pass that is cut short keeps what it put, and the next goes on from there.
func TestCancel(t *testing.T) {
	r := newRig(t, nil)
	r.steady("example.com")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("the daemon stops")
	r.before = func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 3 {
			cancel(stop)
		}
		return false
	}
	err := r.Collect(ctx, nil, r.sink)
	if _, typed := errors.AsType[*collectors.Error](err); typed || !errors.Is(err, stop) {
		t.Errorf("got %v, want the cause of the end", err)
	}
	if got := r.sink.positions["example.com"]; got != "v2/2026-09-20" {
		t.Errorf("position %q, want two strides, v2/2026-09-20", got)
	}
	calls := len(r.calls)
	r.passOK(t)
	if n := r.sink.arrived("example.com"); n != 120 {
		t.Errorf("%d days arrived, want 120", n)
	}
	if n := len(r.calls) - calls; n != 4 { // from 13 days before the position: three strides, and compliance
		t.Errorf("the next pass made %d calls, want 4", n)
	}
}

// TestKill: whatever put is the last to be stored, the next pass leaves the ledger as if there had been no kill.
func TestKill(t *testing.T) {
	fill := func(r *rig) {
		r.steady("example.com", "b.example.com")
		d := mustDay(t, "2026-11-18")
		r.rows["example.com"] = append(r.rows["example.com"], listed(d, "FROM_HEADER", "sale"), rated(d, "FROM_HEADER", "sale", `{"floatValue": 0.3}`))
	}
	change := func(o *Options) { o.Domains = []string{"example.com", "b.example.com"} }
	whole := newRig(t, change)
	fill(whole)
	whole.passOK(t)

	for last := range whole.sink.puts {
		r := newRig(t, change)
		fill(r)
		killed := errors.New("killed")
		r.sink.do = func(context.Context, collectors.Batch) error {
			if r.sink.puts > last {
				return killed
			}
			return nil
		}
		if e := r.failure(t); e.Reason != collectors.ReasonLedger || !errors.Is(e, killed) {
			t.Fatalf("after put %d: %v", last, e)
		}
		r.sink.do = nil
		r.passOK(t)
		if d := cmp.Diff(whole.sink.lines(), r.sink.lines()); d != "" || !maps.Equal(whole.sink.positions, r.sink.positions) {
			t.Errorf("killed after put %d (-want +got):\n%s", last, d)
		}
	}
}

func TestLongestUnreadFirst(t *testing.T) {
	r := newRig(t, func(o *Options) { o.API = V1; o.Domains = []string{"a.example", "b.example", "c.example"} })
	for _, d := range r.domains {
		r.bodies["/v1/domains/"+d+"/trafficStats"] = `{}`
	}
	r.sink.positions = collectors.Positions{"a.example": "v1/2026-11-19", "b.example": "v1/2026-11-10", "c.example": "v1/2026-11-15"}
	r.passOK(t)
	want := []string{"/v1/domains/b.example/trafficStats", "/v1/domains/c.example/trafficStats", "/v1/domains/a.example/trafficStats"}
	if !slices.Equal(r.calls, want) {
		t.Errorf("calls %v, want %v", r.calls, want)
	}
}

func TestV1Dates(t *testing.T) {
	r := newRig(t, func(o *Options) { o.API = V1; o.Backfill = 14 })
	r.before = func(w http.ResponseWriter, req *http.Request, _ int) bool {
		q := req.URL.Query()
		got := []string{q.Get("startDate.year"), q.Get("startDate.month"), q.Get("startDate.day"), q.Get("endDate.month"), q.Get("endDate.day"), q.Get("pageSize")}
		if want := []string{"2026", "11", "6", "11", "20", "200"}; !slices.Equal(got, want) {
			t.Errorf("asked for %v, want %v", got, want)
		}
		fmt.Fprint(w, `{"trafficStats": [{"name": "domains/example.com/trafficStats/20261120", "dkimSuccessRatio": 1}]}`)
		return true
	}
	r.passOK(t)
	if n := r.sink.arrived("example.com"); n != 0 {
		t.Errorf("a day that was not asked for was taken")
	}
}
