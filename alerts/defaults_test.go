package alerts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// gmailDay is today for readings of Gmail in these tests.
var gmailDay = campaign.DayOf(noon, time.UTC)

// reading is a daily sample whose newest day is yesterday: one value for each day, the newest first; a negative one stands
// for a day without the figure.
func reading(s Signal, subject Subject, deliveries int64, values ...float64) Sample {
	sample := Sample{Series: Series{Signal: s, By: s.Definition().By[0]}, Subject: subject, Today: gmailDay, AsOf: noon.Add(-24 * time.Hour)}
	for i, v := range values {
		sample.Days = append(sample.Days, Day{
			Day: gmailDay - 1 - campaign.Day(i), Reported: v >= 0, Value: max(v, 0), Deliveries: deliveries,
		})
	}
	return sample
}

func gauge(s Signal, subject Subject, value float64) Sample {
	by := s.Definition().By[0]
	sample := Sample{Series: Series{Signal: s, By: by}, Subject: subject, Value: value, AsOf: noon}
	if s.Definition().Windowed {
		sample.Series.Window = signal.Hour
	}
	return sample
}

// defaultCase is what a default rule must fire on, as severely as that, and ordinary figures that it must not fire on.
type defaultCase struct {
	want     Severity
	bad      Sample
	ordinary []Sample
}

func defaultCases() map[string]defaultCase {
	rate := func(s signal.Signal, by By, w signal.Window, k, n int64) Sample {
		f := figure(k, n)
		sample := Sample{Series: Series{RateOf(s), by, w}, Figure: &f, AsOf: noon, Subject: Subject{Provider: "yahoo"}}
		if by == ByCampaign {
			sample.Subject = Subject{Tenant: "acme", Campaign: "spring-sale"}
		}
		return sample
	}
	domain := Subject{Domain: "example.com"}
	own := func(s Sample) Sample { return labelled(s, observation.Field{Name: "campaign", Value: "spring-sale"}) }
	identifier := Subject{Domain: "example.com", Identifier: "spring-sale"}
	dkim := Subject{Domain: "example.com", Detail: "dkim"}
	region := Subject{Account: "123456789012", Region: "eu-west-1"}
	loop := Subject{Account: "123456789012", Region: "eu-west-1", Detail: "delivery of configuration set marketing"}
	tenant := Subject{Tenant: "acme", Account: "123456789012", Region: "eu-west-1"}
	inbound := Subject{Account: "123456789012", Region: "us-west-2", RuleSet: "main", ReceiptRule: "unsubscribe"}
	queue := Subject{Source: "ses-events"}
	daemon := Subject{Detail: "routine"}
	week, day, hour := signal.Week, signal.Day, signal.Hour
	minutes := func(n float64) float64 { return n * 60 }
	return map[string]defaultCase{
		"GmailSpamRate": {Critical, reading(GmailSpamRate, domain, 50_000, 0.003, 0.0004, 0.0005), []Sample{
			reading(GmailSpamRate, domain, 50_000, 0.0009, 0.0005, 0.0005), reading(GmailSpamRate, domain, 50_000, 0.0025, 0.0005, 0.0005),
			reading(GmailSpamRate, domain, 400, 0.02, 0.02, 0.02), reading(GmailSpamRate, domain, 50_000, 0, 0, 0),
		}},
		"GmailIdentifierSpamRate": {Warning, own(reading(GmailIdentifierSpamRate, identifier, 9000, 0.02, 0.01)), []Sample{
			own(reading(GmailIdentifierSpamRate, identifier, 9000, 0.001, 0.002, -1)),
			reading(GmailIdentifierSpamRate, identifier, 9000, 0.02, 0.01), own(reading(GmailIdentifierSpamRate, identifier, 9000, 0.02)),
		}},
		"GmailAuthentication": {Critical, reading(GmailAuthRate, dkim, 9000, 0.4, 0.5, 1), []Sample{
			reading(GmailAuthRate, dkim, 9000, 0.99, 1, 0.97), reading(GmailAuthRate, dkim, 200, 0.4, 0.5, 1),
		}},
		"GmailCompliance":        {Warning, gauge(GmailCompliance, dkim, 0), []Sample{gauge(GmailCompliance, dkim, 1)}},
		"CampaignComplaintRate":  {Critical, rate(signal.ComplaintRate, ByCampaign, week, 90, 10_000), []Sample{rate(signal.ComplaintRate, ByCampaign, week, 12, 20_000), rate(signal.ComplaintRate, ByCampaign, week, 1, 50)}},
		"ProviderComplaintRate":  {Critical, rate(signal.ComplaintRate, ByProvider, week, 90, 10_000), []Sample{rate(signal.ComplaintRate, ByProvider, week, 9, 9000)}},
		"CampaignHardBounceRate": {Critical, rate(signal.HardBounceRate, ByCampaign, day, 300, 2000), []Sample{rate(signal.HardBounceRate, ByCampaign, day, 60, 3000), rate(signal.HardBounceRate, ByCampaign, day, 50, 60)}},
		"ProviderHardBounceRate": {Critical, rate(signal.HardBounceRate, ByProvider, day, 300, 2000), []Sample{rate(signal.HardBounceRate, ByProvider, day, 60, 3000)}},
		"CampaignBlockRate":      {Critical, rate(signal.BlockRate, ByCampaign, day, 300, 2000), []Sample{rate(signal.BlockRate, ByCampaign, day, 20, 3000)}},
		"ProviderBlockRate":      {Critical, rate(signal.BlockRate, ByProvider, day, 300, 2000), []Sample{rate(signal.BlockRate, ByProvider, day, 20, 3000)}},
		"ProviderDelays":         {Critical, rate(signal.DelayRate, ByProvider, hour, 1500, 2000), []Sample{rate(signal.DelayRate, ByProvider, hour, 300, 3000)}},
		"AccountBounceRate":      {Critical, gauge(AccountBounceRate, region, 0.085), []Sample{gauge(AccountBounceRate, region, 0.021)}},
		"AccountComplaintRate":   {Critical, gauge(AccountComplaintRate, region, 0.0042), []Sample{gauge(AccountComplaintRate, region, 0.0005)}},
		"AccountStatus":          {Critical, gauge(AccountEnforcement, region, 1), []Sample{gauge(AccountEnforcement, region, 0)}},
		"AccountSendingPaused":   {Critical, gauge(AccountSendingPaused, region, 1), []Sample{gauge(AccountSendingPaused, region, 0)}},
		"AccountQuota":           {Critical, gauge(AccountQuotaUsed, region, 0.96), []Sample{gauge(AccountQuotaUsed, region, 0.6)}},
		"TenantPaused":           {Critical, gauge(TenantPaused, tenant, 1), []Sample{gauge(TenantPaused, tenant, 0)}},
		"TenantFindings":         {Warning, gauge(TenantFindings, tenant, 2), []Sample{gauge(TenantFindings, tenant, 0)}},
		"ReceiptFailures":        {Warning, gauge(ReceiptFailures, inbound, 3), []Sample{gauge(ReceiptFailures, inbound, 0)}},
		"ReceiptExpired":         {Critical, gauge(ReceiptExpired, inbound, 1), []Sample{gauge(ReceiptExpired, inbound, 0)}},
		"CoverageLoss":           {Critical, gauge(EventCoverage, region, 0.3), []Sample{gauge(EventCoverage, region, 0.995)}},
		"DeafLoop":               {Critical, gauge(DeafLoop, loop, 1), []Sample{gauge(DeafLoop, loop, 0)}},
		"SourceFailing":          {Critical, gauge(SourceFailing, queue, minutes(90)), []Sample{gauge(SourceFailing, queue, minutes(3))}},
		"SourceStale":            {Warning, gauge(SourceStale, queue, minutes(90)), []Sample{gauge(SourceStale, queue, 0)}},
		"QueueLag":               {Critical, gauge(QueueLag, queue, minutes(200)), []Sample{gauge(QueueLag, queue, 40)}},
		"ReceivingStopped":       {Critical, gauge(ReceivingStopped, queue, 1), []Sample{gauge(ReceivingStopped, queue, 0)}},
		"DedupeHorizon":          {Warning, gauge(DedupeHorizon, daemon, minutes(40)), []Sample{gauge(DedupeHorizon, daemon, minutes(600))}},
		"QuarantineGrowth":       {Warning, gauge(QuarantineGrowth, queue, 5000), []Sample{gauge(QuarantineGrowth, queue, 3)}},
		"QuarantineFull":         {Critical, gauge(QuarantineUsed, daemon, 0.999), []Sample{gauge(QuarantineUsed, daemon, 0.2)}},
		"CampaignFlood":          {Warning, flood(4000), []Sample{flood(0)}},
		"NotifierFailing":        {Critical, gauge(NotifierFailing, Subject{Notifier: "oncall"}, minutes(70)), []Sample{gauge(NotifierFailing, Subject{Notifier: "oncall"}, 30)}},
	}
}

// TestDefaults holds of each default that it fires on its bad case, as severely as it can, and stays silent on the ordinary
// ones.
func TestDefaults(t *testing.T) {
	cases := defaultCases()
	for name := range cases {
		if !slices.ContainsFunc(Defaults(), func(r Rule) bool { return r.Name == name }) {
			t.Errorf("there is no default %s", name)
		}
	}
	for _, r := range Defaults() {
		c, ok := cases[r.Name]
		if !ok || len(c.ordinary) == 0 || c.want == None {
			t.Errorf("%s has no bad case, or no ordinary one", r.Name)
			continue
		}
		if c.want < Critical && r.Critical != nil {
			t.Errorf("no case of %s is critical", r.Name)
		}
		name := r.Name
		t.Run(name, func(t *testing.T) {
			for i, s := range c.ordinary {
				w := newWorld(t, Defaults()...)
				for range 20 {
					if got := kinds(w.round(s)); got != nil {
						t.Errorf("ordinary case %d: %q", i, got)
					}
					w.now = w.now.Add(10 * time.Minute)
				}
			}
			w := newWorld(t, Defaults()...)
			for range 20 {
				w.round(c.bad)
				w.now = w.now.Add(10 * time.Minute)
			}
			all := w.state.Alerts()
			if len(all) != 1 || all[0].Rule != name || all[0].Severity != c.want {
				t.Fatalf("the bad case raises %d alerts, want one %s of %s: %+v", len(all), c.want, name, all)
			}
			text := w.rules.Summary(all[0], "", w.now)
			if strings.Contains(text, "<") || strings.Contains(text, "  ") || strings.HasSuffix(text, " ") {
				t.Errorf("summary %q", text)
			}
		})
	}
}

// TestDefaultsInWords shows what people read first of each default: when it fires on its bad case, and when that has become
// the first of its ordinary ones. Who is woken by the end must not read that the trouble is there.
func TestDefaultsInWords(t *testing.T) {
	cases := defaultCases()
	var words strings.Builder
	for _, r := range Defaults() {
		c := cases[r.Name]
		w := newWorld(t, Defaults()...)
		for range 20 {
			w.round(c.bad)
			w.now = w.now.Add(10 * time.Minute)
		}
		a := *w.state.Alerts()[0]
		fmt.Fprintln(&words, w.rules.Summary(&a, "", w.now))
		rule, good := w.rules.byName[r.Name], &c.ordinary[0]
		line := rule.levels[rule.telling(a.Severity)]
		a.Evidence = rule.evidence(line, good, rule.judge(line, good, 0))
		fmt.Fprintf(&words, "%s\n\n", w.rules.Summary(&a, Cleared, w.now))
	}
	path := filepath.Join("testdata", "defaults.txt")
	if *update {
		if err := os.WriteFile(path, []byte(words.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), words.String()); diff != "" {
		t.Error(diff)
	}
}

func flood(n float64) Sample {
	s := gauge(CampaignFlood, Subject{Detail: "tag campaign"}, n)
	s.Series.Window = signal.Day
	return s
}

func TestMerge(t *testing.T) {
	own := bounceRule()
	own.Name = "CampaignHardBounceRate"
	all := Merge(Defaults(), []Rule{own, bounceRule()})
	if len(all) != len(Defaults())+1 || all[len(all)-2].Window != nil {
		t.Errorf("%d rules", len(all))
	}
	compile(t, all...)
}

// TestDefaultsAreSound holds what a reader of the defaults relies on.
func TestDefaultsAreSound(t *testing.T) {
	for _, r := range Defaults() {
		if r.Document == "" || r.Summary == "" || r.Description == "" {
			t.Errorf("%s names no document, or does not say what is the matter and what to do", r.Name)
		}
		if r.Signal == GmailIdentifierSpamRate && r.Critical != nil {
			t.Errorf("%s pages", r.Name)
		}
	}
	for _, s := range Signals() {
		d := s.Definition()
		if d.Name == "" || d.Description == "" || d.Document == "" || d.Cause == "" || len(d.By) == 0 {
			t.Errorf("signal %d (%s) is not told in full: %+v", s, d.Name, d)
		}
		if back, ok := ParseSignal(d.Name); !ok || back != s {
			t.Errorf("%s reads as %s", d.Name, back)
		}
	}
}

// TestAccountStatusInWords holds that whoever is woken up reads which of the two has happened.
func TestAccountStatusInWords(t *testing.T) {
	region := Subject{Account: "123456789012", Region: "eu-west-1"}
	for value, want := range map[float64]string{
		1: "SES has put account 123456789012 in eu-west-1 under review",
		2: "SES has shut down account 123456789012 in eu-west-1: no mail leaves",
	} {
		d := newDesk(t, to("oncall"), nil, Defaults()...)
		d.expectSent(d.step(gauge(AccountEnforcement, region, value)), "oncall opened critical 1")
		if got := d.last.Changes[0].Notification.Summary; got != want {
			t.Errorf("of %v people read %q, want %q", value, got, want)
		}
	}
}
