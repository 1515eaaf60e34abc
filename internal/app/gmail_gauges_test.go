package app

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/telemetry"
	"github.com/mailvane/mailvane/internal/view"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// today is noon of the day of the tests of what Gmail says.
var today = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// gauged is a ledger whose figures of Gmail are exported, at a time that the test sets.
type gauged struct {
	ledger *sqlite.Ledger
	view   *view.View
	tel    *telemetry.Telemetry
	now    time.Time
	nextID uint64
}

func newGauged(t *testing.T, maxCampaigns int) *gauged {
	t.Helper()
	g := &gauged{now: today}
	clock := func() time.Time { return g.now }
	var err error
	g.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: clock, RoutineIDs: 1 << 16, ExceptionalIDs: 1 << 12,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.ledger.Close() })
	g.view = view.New(g.ledger, view.Options{Group: func(string) string { return "" }})
	g.tel, err = telemetry.New(t.Context(), telemetry.Options{
		Prometheus: true, Env: func(string) string { return "" }, Now: clock, MaxCampaigns: maxCampaigns,
	})
	if err != nil {
		t.Fatal(err)
	}
	(&gmailGauges{g.view, g.tel, clock}).bind()
	g.send(t, 14, "before", observation.Stamp{}, 1)
	return g
}

func (g *gauged) commit(t *testing.T, put ledger.Put) {
	t.Helper()
	put.Source = "test"
	if _, err := g.ledger.Commit(t.Context(), put); err != nil {
		t.Fatal(err)
	}
}

func dayBefore(days int) time.Time { return today.Truncate(24*time.Hour).AddDate(0, 0, -days) }

// send delivers mail to so many people at Gmail so many days ago.
func (g *gauged) send(t *testing.T, days int, name string, s observation.Stamp, n int) {
	t.Helper()
	at := dayBefore(days).Add(9 * time.Hour)
	var put ledger.Put
	for range n {
		for outcome, event := range map[observation.Outcome]observation.EventType{
			observation.Sent: observation.EventSend, observation.Delivered: observation.EventDelivery,
		} {
			g.nextID++
			put.Entries = append(put.Entries, ledger.Entry{
				ID: g.nextID, Type: event, SentAt: at, At: at, Stamp: s,
				Cell: ledger.Cell{Campaign: observation.Campaign{Name: name}, Provider: "gmail", Outcome: outcome},
			})
		}
	}
	g.commit(t, put)
}

// reading is what Gmail says about a day.
func reading(source string, days int, domain, metric, detail string, value *float64, text string) observation.Reading {
	start := dayBefore(days)
	return observation.Reading{
		Key:   observation.ReadingKey{Source: source, Subject: domain, Metric: metric, Detail: detail},
		Start: start, End: start.AddDate(0, 0, 1), Value: value, Text: text,
	}
}

func (g *gauged) read(t *testing.T, readings ...observation.Reading) {
	t.Helper()
	g.commit(t, ledger.Put{Readings: readings})
}

func (g *gauged) refresh(t *testing.T) {
	t.Helper()
	for _, do := range []func() error{
		func() error { return g.ledger.Fold(t.Context()) },
		func() error { return g.view.Refresh(t.Context()) },
		func() error { return g.view.RefreshGmail(t.Context()) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
}

// scrape returns the lines about Gmail of what Prometheus reads.
func (g *gauged) scrape(t *testing.T) (lines []string) {
	t.Helper()
	w := httptest.NewRecorder()
	g.tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body := w.Body.String()
	if w.Code != 200 {
		t.Fatalf("a scrape is answered with %d: %s", w.Code, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(body)); err != nil {
		t.Fatalf("Prometheus cannot read a scrape: %v\n%s", err, body)
	}
	for line := range strings.Lines(body) {
		if strings.Contains(line, "gmail") && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// names counts the lines of each metric.
func names(lines []string) map[string]int {
	n := map[string]int{}
	for _, line := range lines {
		name := line[:strings.IndexAny(line, "{ ")]
		n[strings.TrimPrefix(name, "mailvane_")]++
	}
	return n
}

// mailing has an identifier of its own, one that two share, one that nobody sent and that somebody chose to break what shows
// it, and a domain that two versions of the API tell about.
func mailing(t *testing.T, g *gauged) {
	t.Helper()
	const domain, v2, v1 = "news.example.com", observation.PostmasterV2, observation.PostmasterV1
	loop := func(source string, days int, aggregation, id string, rate float64) observation.Reading {
		return reading(source, days, domain, observation.PostmasterFeedbackLoopSpamRate, observation.FeedbackLoopDetail(aggregation, id), &rate, "")
	}
	g.send(t, 3, "spring", observation.Stamp{FromDomain: domain, A: "spring", B: "bulk"}, 1000)
	g.send(t, 3, "autumn", observation.Stamp{FromDomain: domain, A: "autumn", B: "bulk"}, 600)
	g.read(t,
		reading(v2, 3, domain, observation.PostmasterArrived, "", new(1.0), ""),
		reading(v2, 3, domain, observation.PostmasterSpamRate, "", new(0.0019), ""),
		reading(v1, 3, domain, observation.PostmasterArrived, "", new(1.0), ""),
		reading(v1, 3, domain, observation.PostmasterSpamRate, "", new(0.002), ""),
		loop(v2, 3, observation.PostmasterFromHeader, "spring", 0.0021),
		loop(v2, 3, observation.PostmasterAllDKIM, "spring", 0.0022),
		loop(v2, 3, observation.PostmasterFromHeader, "bulk", 0.0015),
		loop(v2, 3, observation.PostmasterFromHeader, "AmazonSES", 0.0019),
		loop(v2, 3, observation.PostmasterFromHeader, "1.us-east-1.aGFzaA==", 0.0019),
		loop(v2, 3, observation.PostmasterFromHeader, "a\"b\\c\nd{e=\"f\"} é 🎉", 0.004),
		loop(v2, 3, observation.PostmasterFromHeader, "not \xff text", 0.003),
		loop(v1, 3, observation.PostmasterUnstated, "spring", 0.005),
		reading(v2, 3, domain, "auth_success_rate", "dkim", new(0.998), ""),
		reading(v2, 3, domain, "tls_encryption_rate", "inbound", new(1.0), ""),
		reading(v2, 3, domain, "tls_encryption_rate", "outbound", nil, ""),
		reading(v2, 3, domain, "delivery_error_rate", "", new(0.01), ""),
		reading(v2, 3, domain, "delivery_error_rate", "reject", new(0.004), ""),
		reading(v2, 3, domain, "delivery_error_rate", "reject/spammy_content", new(0.004), ""),
		reading(v2, 1, domain, "compliance_domain", "domain", nil, "example.com"),
		reading(v2, 1, domain, "compliance", "domain/SPF", new(1.0), "COMPLIANT"),
		reading(v2, 1, domain, "compliance_domain", "subdomain", nil, domain),
		reading(v2, 1, domain, "compliance", "subdomain/ONE_CLICK_UNSUBSCRIBE", new(1.0), "COMPLIANT"),
		reading(v2, 1, domain, "compliance_verdict", "subdomain/ONE_CLICK_UNSUBSCRIBE", new(0.0), "NEEDS_WORK"),
		reading(v2, 1, domain, "compliance_reason", "subdomain/ONE_CLICK_UNSUBSCRIBE", nil, "NO_UNSUB_GENERAL"),
		reading(v2, 1, "closed.example.com", observation.PostmasterAccess, "", nil, "no_access"),
	)
}

func TestGmailGauges(t *testing.T) {
	g := newGauged(t, 10)
	mailing(t, g)
	if diff := cmp.Diff(map[string]int{"gmail_unexported": 3, "gmail_use_folded": 1}, names(g.scrape(t))); diff != "" {
		t.Errorf("before the first join (-want +got):\n%s", diff)
	}
	g.refresh(t)
	got := strings.Join(g.scrape(t), "\n") + "\n"
	const path = "testdata/gmail_gauges.txt"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// What was said about a day is exported for four days after it, whether the ledger still moves or not.
func TestGmailGaugesGrowOld(t *testing.T) {
	for _, moves := range []bool{true, false} {
		g := newGauged(t, 10)
		mailing(t, g)
		g.refresh(t)
		for _, step := range []struct {
			days int
			want map[string]int
		}{
			{0, map[string]int{
				"campaign_gmail_spam_rate_ratio": 1, "campaign_gmail_complaints_upper_bound": 2, "gmail_spam_rate_ratio": 2,
				"gmail_feedback_loop_spam_rate_ratio": 8, "gmail_identifier_info": 3, "gmail_auth_success_rate_ratio": 1,
				"gmail_tls_rate_ratio": 1, "gmail_delivery_error_rate_ratio": 3, "gmail_compliance": 2,
				"gmail_data_timestamp_seconds": 2, "gmail_unexported": 3, "gmail_use_folded": 1,
			}},
			{2, map[string]int{"gmail_compliance": 2, "gmail_data_timestamp_seconds": 2, "gmail_unexported": 3, "gmail_use_folded": 1}},
			{4, map[string]int{"gmail_data_timestamp_seconds": 2, "gmail_unexported": 3, "gmail_use_folded": 1}},
		} {
			// A moment before midnight everything is as it was.
			g.now = dayBefore(-step.days).Add(24*time.Hour - time.Second)
			if moves {
				g.refresh(t)
			}
			if diff := cmp.Diff(step.want, names(g.scrape(t))); diff != "" {
				t.Errorf("after %d days, the ledger moves: %v (-want +got):\n%s", step.days, moves, diff)
			}
		}
	}
}

// However much Gmail tells, what is exported is bounded, and what is left out is counted.
func TestGmailGaugesAreBounded(t *testing.T) {
	g := newGauged(t, 1)
	mailing(t, g)
	var many []observation.Reading
	for i := range telemetry.MaxGmailIdentifiers + 20 {
		detail := observation.FeedbackLoopDetail(observation.PostmasterFromHeader, fmt.Sprintf("x%03d", i))
		many = append(many, reading(observation.PostmasterV2, 3, "news.example.com", observation.PostmasterFeedbackLoopSpamRate, detail, new(0.5), ""))
	}
	for i := range telemetry.MaxGmailDomains {
		domain := fmt.Sprintf("d%03d.example.com", i)
		many = append(many, reading(observation.PostmasterV2, 3, domain, observation.PostmasterArrived, "", new(1.0), ""),
			reading(observation.PostmasterV2, 3, domain, observation.PostmasterSpamRate, "", new(0.0001), ""))
	}
	g.read(t, many...)
	g.refresh(t)
	lines := g.scrape(t)
	got := names(lines)
	if got["gmail_spam_rate_ratio"] != telemetry.MaxGmailDomains || got["gmail_feedback_loop_spam_rate_ratio"] != telemetry.MaxGmailIdentifiers+1 ||
		got["campaign_gmail_complaints_upper_bound"] != 1 {
		t.Errorf("exported: %v", got)
	}
	for _, want := range []string{
		`mailvane_gmail_unexported{dimension="domain"} 2`, `mailvane_gmail_unexported{dimension="identifier"} 27`,
		`mailvane_gmail_unexported{dimension="campaign"} 1`,
	} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("no %s", want)
		}
	}
}
