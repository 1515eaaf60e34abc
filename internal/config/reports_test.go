package config_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/config"
)

// TestReports loads reports: what is not said follows, and files of secrets are found beside the configuration.
func TestReports(t *testing.T) {
	c := loadCorpus(t, "reports.good.yaml")
	beside := func(name string) string { return filepath.Join(corpus, name) }
	secret := func(name string) config.SecretFile { return config.SecretFile(beside(filepath.Join("secrets", name))) }
	html := config.Formats{"html"}
	want := []config.Report{
		{Name: "weekly", Schedule: "Mon 08:00", Zone: "Europe/Berlin", To: []config.ReportDestination{
			{Name: "dir", Dir: config.Folder(beside("reports")), Formats: config.Formats{"html", "csv"}},
			{Name: "web", Dir: "/srv/www/reports", Formats: html},
			{Name: "s3", Formats: config.Formats{"json"}, S3: &config.S3{
				Bucket: "example-reports", Prefix: "mailvane/weekly", Region: "eu-central-1", RoleARN: "arn:aws:iam::123456789012:role/mailvane",
			}},
			{Name: "email", Email: &config.Email{
				From: "Mailvane <mailvane@example.com>", To: config.MailAddresses{"grace@example.com"},
				SMTP: &config.SMTP{Server: "smtp.example.com:587", Security: "starttls", User: "mailvane", PasswordFile: secret("smtp")},
			}},
			{Name: "slack", Slack: &config.Slack{URLFile: secret("slack.url")}},
			{Name: "webhook", Webhook: &config.Webhook{URLEnv: "REPORTS_URL", KeyFile: secret("reports.key")}},
		}},
		{Name: "by-owner", Schedule: "08:00", PerOwner: true, To: []config.ReportDestination{{Name: "dir", Dir: config.Folder(beside("reports")), Formats: html}}},
		{Name: "promotions", Schedule: "0 8 1 * *", Owner: "growth", Campaign: "promo-*", To: []config.ReportDestination{{Name: "email", Email: &config.Email{
			From: "mailvane@example.com", To: config.MailAddresses{"growth@example.com"}, SES: &config.SESMail{Region: "us-east-1"},
		}}}},
		{Name: "default", Schedule: "Mon 08:00", To: []config.ReportDestination{{Name: "dir", Dir: config.Folder(corpus), Formats: html}}},
	}
	if diff := cmp.Diff(want, c.Reports); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, want := range [][]string{{""}, {"growth", "editorial"}, {"growth"}, {""}} {
		if got := c.ReportOwners(&c.Reports[i]); !slices.Equal(got, want) {
			t.Errorf("%s is made of %q, want %q", c.Reports[i].Name, got, want)
		}
	}
	thursday := time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)
	for i, want := range []string{"2026-11-23T08:00:00+01:00", "2026-11-20T08:00:00Z", "2026-12-01T08:00:00Z", "2026-11-23T08:00:00Z"} {
		s, err := c.ReportSchedule(&c.Reports[i])
		if got := s.Next(thursday).Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%s is due at %s, want %s; %v", c.Reports[i].Name, got, want, err)
		}
	}
}

// TestReportBounds gives one more of everything than there may be.
func TestReportBounds(t *testing.T) {
	bad := func(text, says string) {
		t.Helper()
		_, problems := config.Load("a.yaml", []byte("http: {external_url: 'https://mailvane.example.com'}\n"+text+"\n"+queue))
		only(t, problems, says)
	}
	bad("reports: ["+numbered(101, "{name: r%d, to: [{dir: a}]},")+"]", "reports: has more than 100 reports")
	bad("reports: [{to: ["+numbered(51, "{name: d%d, dir: a},")+"]}]", "reports[0].to: has more than 50 destinations")
	bad("campaigns: {owners: ["+numbered(101, "{match: '*', owner: o%d},")+"]}\nreports: [{per_owner: true, to: [{dir: a}]}]",
		"campaigns.owners names more than 100 owners")
	bad("reports: [{to: [{s3: {bucket: bucket, region: us-east-1, prefix: "+strings.Repeat("x", 801)+"}}]}]", "is longer than 800 bytes")
}
