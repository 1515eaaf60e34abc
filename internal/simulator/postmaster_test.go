package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// answer returns the body of an answer of status 200.
func answer(tb testing.TB, r *http.Request) []byte {
	tb.Helper()
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %d %s %v", r.URL.Path, got.StatusCode, text, err)
	}
	return text
}

// bearer gets an access token as a credentials file of the simulator says.
func bearer(tb testing.TB, s *simulator.Simulator) string {
	tb.Helper()
	var file map[string]string
	if err := json.Unmarshal(s.Postmaster().AuthorizedUser(s.URL()), &file); err != nil {
		tb.Fatal(err)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {file["client_id"]}, "client_secret": {file["client_secret"]},
		"refresh_token": {file["refresh_token"]}}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, file["token_uri"], strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer(tb, r), &token); err != nil {
		tb.Fatal(err)
	}
	return token.AccessToken
}

func TestCredentialsFileOpensPostmaster(t *testing.T) {
	o := simulator.Demo(now, 1, 1)
	o.Now = func() time.Time { return now } // Gmail forgets what is long ago
	s := start(t, o)
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := s.WriteAuthorizedUser(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode: %v %v", info, err)
	}
	var file map[string]string
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &file) != nil || file["type"] != "authorized_user" {
		t.Fatalf("%s %v", text, err)
	}
	if file["token_uri"] != s.URL()+postmaster.TokenPath {
		t.Errorf("token_uri is %s", file["token_uri"])
	}
	token := bearer(t, s)
	for path, body := range map[string]string{
		"/v2/domains": "", "/v1/domains": "",
		"/v2/domains/news.example.com/domainStats:query": `{"metricDefinitions":[{"name":"s","baseMetric":{"standardMetric":"SPAM_RATE"}}],` +
			`"timeQuery":{"dateList":{"dates":[{"year":2026,"month":11,"day":1}]}}}`,
	} {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if text := answer(t, r); len(text) < 10 {
			t.Errorf("%s says %s", path, text)
		}
	}
	if err := s.WriteServiceAccount(path); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"token_uri":"`+s.URL()+postmaster.TokenPath) {
		t.Errorf("a service account's file: %v", err)
	}
	if err := s.WriteAuthorizedUser(t.TempDir()); err == nil {
		t.Error("a folder was written")
	}
}

// TestDemoShowsAllOfGmailsWays holds on every day of the week, as a demo may be run on any.
func TestDemoShowsAllOfGmailsWays(t *testing.T) {
	const domain = "news.example.com"
	account := traffic.AccountValue(simulator.Account, "us-east-1")
	for weekday := range 7 {
		clock := &steps{at: now.AddDate(0, 0, weekday)}
		o := simulator.Demo(clock.now(), 1, 100)
		o.Now = clock.now
		s := start(t, o)
		daysAgo := func(n int) time.Time { return clock.now().Truncate(24*time.Hour).AddDate(0, 0, -n) }
		truth := func(domain string, n int, id string) postmaster.Truth {
			return s.Postmaster().Truth(domain, daysAgo(n), id)
		}
		reported := map[string][]string{}
		for n := 14; n > 1; n-- {
			for _, id := range []string{"flash-friday-" + daysAgo(n).Format("20060102"), "otp-login", "transactional", account, traffic.SenderValue, "autumn-mailing", "192.0.2.25"} {
				if got := truth(domain, n, id); got.Reported {
					var campaigns []string
					for campaign := range got.Campaigns {
						campaigns = append(campaigns, campaign)
					}
					slices.Sort(campaigns)
					reported[strings.TrimRight(id, "0123456789")] = campaigns
				}
			}
			if n != 4 && !truth(domain, n, "").Published {
				t.Errorf("%s: nothing about %s", clock.now().Weekday(), daysAgo(n))
			}
			if truth("mail.example.net", n, "").Published || truth("globex.example.org", n, "").Published {
				t.Errorf("%s: a silent domain speaks", clock.now().Weekday())
			}
		}
		if len(reported) != 7 || len(reported["otp-login"]) != 1 || len(reported["flash-friday-"]) != 1 || len(reported["transactional"]) != 3 || len(reported["autumn-mailing"]) != 0 {
			t.Errorf("%s: reported %v", clock.now().Weekday(), reported)
		}
		if !truth(domain, 2, "otp-login").Reported && !truth(domain, 3, "otp-login").Reported {
			t.Errorf("%s: nobody reports sign-in codes", clock.now().Weekday())
		}
		before := truth(domain, 4, "")
		if truth("acme.example.org", 3, "").Published || truth("acme.example.org", 5, "").Published || !truth("acme.example.org", 4, "").Published {
			t.Errorf("%s: the days of acme", clock.now().Weekday())
		}
		clock.mu.Lock()
		clock.at = clock.at.Add(3 * time.Minute)
		clock.mu.Unlock()
		if after := truth(domain, 4, ""); after.Reports == 0 || after.Rate <= before.Rate {
			t.Errorf("%s: revised from %v to %v", clock.now().Weekday(), before.Rate, after.Rate)
		}
		if !truth("acme.example.org", 3, "").Published || truth("acme.example.org", 5, "").Published {
			t.Errorf("%s: the late day of acme", clock.now().Weekday())
		}
	}
}

func TestGmailBenchReportsEverything(t *testing.T) {
	s := start(t, simulator.GmailBench(now, 3, 50))
	for _, domain := range []string{"d000.example.com", "d002.example.com"} {
		for n := 2; n < 16; n++ {
			at := now.AddDate(0, 0, -n)
			if got := s.Postmaster().Truth(domain, at, "campaign-049"); !got.Reported || got.Rate < 0.002 || got.Rate > 0.01 {
				t.Errorf("%s on %s: %+v", domain, at, got)
			}
		}
	}
}

// BenchmarkGmailBatch answers a batch of 50 identifiers of each of four domains for two weeks, page by page.
func BenchmarkGmailBatch(b *testing.B) {
	s, err := simulator.Start(b.Context(), simulator.GmailBench(now, 4, 50))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	token := bearer(b, s)
	var items []string
	for i := range 4 {
		var metrics []string
		for j := range 50 {
			metrics = append(metrics, fmt.Sprintf(`{"name":"m%d","baseMetric":{"standardMetric":"FEEDBACK_LOOP_SPAM_RATE"},"filter":"feedback_loop_id = \"campaign-%03d\""}`, j, j))
		}
		items = append(items, fmt.Sprintf(`{"parent":"domains/d%03d.example.com","metricDefinitions":[%s],"timeQuery":{"dateRanges":{"dateRanges":[`+
			`{"start":{"year":2026,"month":11,"day":7},"end":{"year":2026,"month":11,"day":20}}]}},"pageSize":200}`, i, strings.Join(metrics, ",")))
	}
	body := `{"requests":[` + strings.Join(items, ",") + `]}`
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.URL()+"/v2/domainStats:batchQuery", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if n := bytes.Count(answer(b, r), []byte(`"floatValue"`)); n != 4*200 {
			b.Fatalf("%d rows, want 800", n)
		}
	}
}
