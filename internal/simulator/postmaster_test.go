package simulator_test

import (
	"bytes"
	"encoding/json"
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

func TestCredentialsFileOpensPostmaster(t *testing.T) {
	s := start(t, simulator.Demo(now, 1, 1))
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
	answer := func(r *http.Response, err error) (v map[string]any) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK || json.Unmarshal(text, &v) != nil {
			t.Fatalf("%d %s %v", r.StatusCode, text, err)
		}
		return v
	}
	token := answer(http.PostForm(file["token_uri"], url.Values{"grant_type": {"refresh_token"}, "client_id": {file["client_id"]},
		"client_secret": {file["client_secret"]}, "refresh_token": {file["refresh_token"]}}))["access_token"].(string)
	for path, body := range map[string]string{
		"/v2/domains": "", "/v1/domains": "",
		"/v2/domains/news.example.com/domainStats:query": `{"metricDefinitions":[{"name":"s","baseMetric":{"standardMetric":"SPAM_RATE"}}],` +
			`"timeQuery":{"dateList":{"dates":[{"year":2026,"month":11,"day":1}]}}}`,
	} {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if len(answer(http.DefaultClient.Do(r))) == 0 {
			t.Errorf("%s says nothing", path)
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
			for _, id := range []string{"flash-friday-" + daysAgo(n).Format("20060102"), "transactional", account, traffic.SenderValue, "autumn-mailing", "192.0.2.25"} {
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
		if len(reported) != 6 || len(reported["flash-friday-"]) != 1 || len(reported["transactional"]) != 3 || len(reported["autumn-mailing"]) != 0 {
			t.Errorf("%s: reported %v", clock.now().Weekday(), reported)
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
