package web

import (
	"io"
	"log/slog"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
	simulated "github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
	"github.com/mailvane/mailvane/internal/view"
)

// sender is the demo's sender: its mail of the last days was counted, and its Google account is read.
type sender struct {
	*gmailLedger
	sim       *simulator.Simulator
	intake    *intake.Intake
	collector *postmaster.Collector
}

// countedDays is the week of the answers, and what its first hours need.
const countedDays = 8

// newSender counts everything but opens and clicks, of which Gmail says nothing. It sends a third of the demo's mail, of
// which more is reported, and this Gmail tells of little mail, too, so that the test is quick.
func newSender(t *testing.T) *sender {
	t.Helper()
	s := &sender{gmailLedger: newGmailLedger(t)}
	clock := func() time.Time { return s.now }
	o := simulator.Demo(s.now, 1, 1)
	o.Now, o.Model.Scale = clock, 0.3
	o.Postmaster.MinInboxed, o.Postmaster.MinValueInboxed, o.Postmaster.MinReports = 20, 60, 1
	for i := range o.Story.Campaigns {
		r := &o.Story.Campaigns[i].Rates
		r.Open, r.Click, r.BotOpen, r.BotClick = 0, 0, 0, 0
		r.GmailReport *= 10
	}
	for i := range o.Story.Annoyances {
		o.Story.Annoyances[i].Report *= 5
	}
	var err error
	if s.sim, err = simulator.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.sim.Close() })
	classifier, err := mailbox.New()
	if err != nil {
		t.Fatal(err)
	}
	s.intake, err = intake.New(t.Context(), intake.Options{Ledger: s.Ledger, Now: clock, Settings: intake.Settings{
		Classifier: classifier,
		Identity: campaign.Spec{
			Identify: []campaign.Rule{{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {ConfigurationSet: "true"}},
			Rename:   []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}},
			Tenants:  []campaign.Rule{{ConfigurationSet: "^tenant-(.+)$"}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	credentials := filepath.Join(t.TempDir(), "google.json")
	if err := s.sim.WriteAuthorizedUser(credentials); err != nil {
		t.Fatal(err)
	}
	s.collector, err = postmaster.New(postmaster.Options{
		Name: "gmail", CredentialsFile: credentials, Endpoint: s.sim.URL(), RequestsPerSecond: 1e6, Backfill: 14, Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.count(t)
	return s
}

// count replays what SES said.
func (s *sender) count(t *testing.T) {
	t.Helper()
	r, w := io.Pipe()
	go func() {
		for line := range s.sim.History(s.now.AddDate(0, 0, -countedDays), s.now) {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return
			}
		}
		w.Close()
	}()
	if _, err := replay.Stream(t.Context(), r, replay.Options{Sink: s.intake, Name: "history", Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
}

func (s *sender) pass(t *testing.T) {
	t.Helper()
	positions, err := s.Positions(t.Context(), "gmail")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.collector.Collect(t.Context(), positions, s.intake); err != nil {
		t.Fatal(err)
	}
}

// truth is what Gmail's own side knows about a day.
func (s *sender) truth(domain string, day campaign.Day, identifier string) simulated.Truth {
	return s.sim.Postmaster().Truth(domain, day.Start(time.UTC), identifier)
}

// TestGmailTellsTheTruth follows Gmail's figures from the wire to the answers, and holds them against what the simulator knows:
// the mail, its reports, and what Gmail makes of them. The API's rates are of single precision.
func TestGmailTellsTheTruth(t *testing.T) {
	s := newSender(t)
	s.pass(t)
	v := s.view(t)
	today := campaign.DayOf(s.now, time.UTC)
	s.checkDomains(t, v, today)
	s.checkIdentifiers(t, v, today)
	s.checkCampaigns(t, v, today)
	h := New(Options{View: v, Log: slog.New(slog.DiscardHandler)})
	for _, target := range []string{
		"/api/v1/campaigns?sort=gmail_spam_rate", "/api/v1/campaigns/otp-login", "/api/v1/domains", "/api/v1/identifiers?limit=20000",
	} {
		ask(t, h, target, http.StatusOK)
	}

	// Some minutes later a day is revised, and another arrives late.
	before, late := s.rateOf(t, "news.example.com", today-4), domainOf(t, v, "acme.example.org").DaysReported
	s.now = s.now.Add(5 * time.Minute)
	s.pass(t)
	after := s.rateOf(t, "news.example.com", today-4)
	if *after.Value <= *before.Value || !after.LastChanged.After(after.FirstSeen) {
		t.Errorf("the revised rate went from %v to %v, last changed %v", *before.Value, *after.Value, after.LastChanged)
	}
	v = s.view(t)
	if days := domainOf(t, v, "acme.example.org").DaysReported; days != late+1 {
		t.Errorf("%d days of acme.example.org were reported, then %d, want one more", late, days)
	}
	s.checkDomains(t, v, today)
	s.checkIdentifiers(t, v, today)
	s.checkCampaigns(t, v, today)
}

// rateOf is the spam rate that the ledger has of a domain's day.
func (s *sender) rateOf(t *testing.T, domain string, day campaign.Day) ledger.ReadingRow {
	t.Helper()
	rows, err := s.Readings(t.Context(), ledger.ReadingQuery{
		Subject: domain, Metric: observation.PostmasterSpamRate, From: day.Start(time.UTC), To: (day + 1).Start(time.UTC),
	})
	if err != nil || len(rows) != 1 || rows[0].Value == nil {
		t.Fatalf("the rate of %s on %s is %+v, %v", domain, day, rows, err)
	}
	return rows[0]
}

func same(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func domainOf(t *testing.T, v *view.View, name string) view.Domain {
	t.Helper()
	domains := v.Domains(view.DomainQuery{Window: signal.Week, Domain: name}).Domains
	if len(domains) != 1 {
		t.Fatalf("%s is listed %d times", name, len(domains))
	}
	return domains[0]
}

func (s *sender) checkDomains(t *testing.T, v *view.View, today campaign.Day) {
	t.Helper()
	for name, access := range map[string]string{
		"example.com": "", "news.example.com": "", "acme.example.org": "", "mail.example.net": "", "globex.example.org": "unverified",
		"initech.example.org": "no_access",
	} {
		d := domainOf(t, v, name)
		var newest campaign.Day
		days := 0
		for day := today - 6; day <= today; day++ {
			if s.truth(name, day, "").Published {
				newest = day
				days++
			}
		}
		if access != "" {
			newest, days = 0, 0
		}
		if d.Access != access || d.Newest != newest || d.DaysReported != days || (d.Spam == nil) != (days == 0) {
			t.Errorf("%s: access %q, newest %s, %d days reported; want %q, %s, %d", name, d.Access, d.Newest, d.DaysReported, access, newest, days)
			continue
		}
		if d.Spam != nil && !same(d.Spam.Rate, s.truth(name, newest, "").Rate) {
			t.Errorf("%s has %v, the truth is %+v", name, d.Spam.Rate, s.truth(name, newest, ""))
		}
	}
}

// checkIdentifiers holds that everything reported, and nothing else, is told, and whose mail it was.
func (s *sender) checkIdentifiers(t *testing.T, v *view.View, today campaign.Day) {
	t.Helper()
	matches := map[campaign.Match]int{}
	told := map[string]map[string]bool{}
	for _, id := range v.Identifiers(view.IdentifierQuery{Window: signal.Week}).Identifiers {
		if id.Aggregation != observation.PostmasterFromHeader {
			continue
		}
		if told[id.Domain] == nil {
			told[id.Domain] = map[string]bool{}
		}
		told[id.Domain][id.Value] = true
		matches[id.Match]++
		truth := s.truth(id.Domain, id.Day, id.Value)
		if !truth.Reported || id.SpamRate == nil || !same(*id.SpamRate, truth.Rate) {
			t.Errorf("%s of %s on %s: %v, the truth is %+v", id.Value, id.Domain, id.Day, id.SpamRate, truth)
		}
		if id.Match == campaign.MatchOwn || id.Match == campaign.MatchShared {
			s.checkUsers(t, &id)
		}
	}
	for _, match := range []campaign.Match{campaign.MatchOwn, campaign.MatchShared, campaign.MatchAccount, campaign.MatchSender} {
		if matches[match] == 0 {
			t.Errorf("no identifier is %s", match)
		}
	}
	for day := today - 6; day <= today; day++ {
		for _, domain := range []string{"news.example.com", "acme.example.org"} {
			for _, value := range []string{"otp-login", "transactional", "promotions", "acme-news", traffic.SenderValue} {
				if s.truth(domain, day, value).Reported && !told[domain][value] {
					t.Errorf("%s of %s was reported on %s, which is not told", value, domain, day)
				}
			}
		}
	}
}

// checkUsers holds that the mail of an identifier is said to be of those whose it was. We count it by the day on which it was
// sent, Gmail by that of its delivery, which is seldom another one.
func (s *sender) checkUsers(t *testing.T, id *view.DomainIdentifier) {
	t.Helper()
	delivered, whole := map[string]float64{}, 0.0
	for day := id.Day - 2; day <= id.Day; day++ {
		for name, n := range s.truth(id.Domain, day, id.Value).Campaigns {
			delivered[name], whole = delivered[name]+float64(n), whole+float64(n)
		}
	}
	sum, most := 0.0, 0.0
	for _, c := range id.Campaigns {
		share := delivered[c.Tenant+"/"+c.ID] / whole
		if math.Abs(share-c.Share) > 0.05 {
			t.Errorf("%s has %v of %s on %s, the truth is %v", c.ID, c.Share, id.Value, id.Day, share)
		}
		sum, most = sum+c.Share, max(most, c.Share)
	}
	if len(id.Campaigns) != id.SharedBy || math.Abs(sum-1) > 1e-5 || (most >= 0.9) != (id.Match == campaign.MatchOwn) {
		t.Errorf("%s is %s, shared by %d, shares sum to %v: %+v", id.Value, id.Match, id.SharedBy, sum, id.Campaigns)
	}
	day := s.truth(id.Domain, id.Day, id.Value).Delivered
	if math.Abs(float64(*id.Delivered-day)) > 0.02*float64(day)+3 {
		t.Errorf("%s of %s: %d delivered on %s, the truth is %d", id.Value, id.Domain, *id.Delivered, id.Day, day)
	}
}

// checkCampaigns holds that a campaign's rate is that of mail which is its own, and that its bound is one.
func (s *sender) checkCampaigns(t *testing.T, v *view.View, today campaign.Day) {
	t.Helper()
	sort, _ := view.ParseSort("gmail_spam_rate")
	campaigns := v.Campaigns(view.Query{Window: signal.Week, Sort: sort}).Campaigns
	own := 0
	for _, c := range campaigns {
		if c.Gmail == nil || c.Gmail.SpamRate == nil {
			continue
		}
		own++
		i := slices.IndexFunc(c.Gmail.Identifiers, func(i view.GmailIdentifier) bool {
			return i.Day == c.Gmail.Day && i.SpamRate != nil && *i.SpamRate == *c.Gmail.SpamRate && i.Share >= 0.9
		})
		if i < 0 {
			t.Errorf("%s: %v is of none of its identifiers", c.ID, *c.Gmail.SpamRate)
			continue
		}
		id := c.Gmail.Identifiers[i]
		if truth := s.truth(id.Domain, id.Day, id.Value); !truth.Reported || !same(truth.Rate, *id.SpamRate) {
			t.Errorf("%s: %v on %s, the truth is %+v", c.ID, *id.SpamRate, id.Day, truth)
		}
	}
	if own == 0 || own == len(campaigns) {
		t.Errorf("%d of %d campaigns have a rate of their own", own, len(campaigns))
	}
	// Sign-in codes were annoying some days ago; they have one value, so that all reports about it are about them.
	for _, c := range campaigns {
		if c.ID != "otp-login" {
			continue
		}
		reports, delivered, days := 0.0, 0.0, 0
		for day := today - 6; day <= today; day++ {
			if truth := s.truth("news.example.com", day, "otp-login"); truth.Reported { // by the rate, as some may not be told yet
				reports, delivered, days = reports+truth.Rate*float64(truth.Inboxed), delivered+float64(truth.Delivered), days+1
			}
		}
		if c.Gmail.ComplaintsUpperBound == nil {
			t.Fatalf("otp-login has no bound: %+v", c.Gmail)
		}
		bound := *c.Gmail.ComplaintsUpperBound
		if c.Gmail.DaysReported != days || bound < 0.99*reports || bound > 1.2*reports || bound > delivered {
			t.Errorf("otp-login: at most %v on %d days; the truth is %v reports of %v on %d", bound, c.Gmail.DaysReported, reports, delivered, days)
		}
		return
	}
	t.Error("otp-login is not listed")
}
