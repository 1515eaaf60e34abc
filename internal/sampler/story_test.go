package sampler

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/account"
	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/view"
)

// anchor is a Monday, three days after flash-friday's last send.
var anchor = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

const (
	// storyDays is of how many days the mail is counted: it begins the day before the week's largest sends.
	storyDays = 5
	// storyWatched is how long before anchor the rules are first looked at.
	storyWatched = 27 * time.Hour
)

// story is the demo's sender, read as a daemon reads it, under a clock of its own.
type story struct {
	now        time.Time
	sim        *simulator.Simulator
	ledger     *sqlite.Ledger
	intake     *intake.Intake
	view       *view.View
	sampler    *Sampler
	collectors map[string]collectors.Collector
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newStory leaves out opens and clicks, which no rule is about, and has more people sign in: what Gmail says of mail in
// the hundreds moves no default rule.
func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{now: anchor.Add(-storyWatched)}
	clock := func() time.Time { return s.now }
	o := simulator.Demo(anchor, 1, 1)
	o.Now, o.Model.Since = clock, anchor.AddDate(0, 0, -storyDays)
	o.Story.RuleSets = o.Story.RuleSets[:1]
	for i := range o.Story.Campaigns {
		c := &o.Story.Campaigns[i]
		c.Rates.Open, c.Rates.Click, c.Rates.BotOpen, c.Rates.BotClick = 0, 0, 0, 0
		if c.Name == "otp-login" {
			c.PerDay = 4000
		}
	}
	var err error
	s.sim, err = simulator.Start(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { _ = s.sim.Close() })
	s.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: clock, Logger: slog.New(slog.DiscardHandler),
	})
	check(t, err)
	t.Cleanup(func() { check(t, s.ledger.Close()) })
	classifier, err := mailbox.New()
	check(t, err)
	s.intake, err = intake.New(t.Context(), intake.Options{Ledger: s.ledger, Now: clock, Settings: intake.Settings{
		Classifier: classifier,
		Identity: campaign.Spec{
			Identify: []campaign.Rule{{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {ConfigurationSet: "true"}},
			Rename:   []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}},
			Tenants:  []campaign.Rule{{ConfigurationSet: "^tenant-(.+)$"}},
		},
		Reporting: mailbox.DefaultReportingProviders(),
	}})
	check(t, err)
	growth, err := campaign.NewMatcher([]string{"*"})
	check(t, err)
	s.view = view.New(s.ledger, view.Options{Group: mailbox.Group, Settings: view.Settings{
		Owners: []view.Owner{{Match: growth, Owner: "growth"}},
		ReceiptPurposes: []view.ReceiptPurposes{{Region: "us-east-1", Rules: []view.ReceiptPurpose{
			{Match: regexp.MustCompile(`^unsub-(?P<campaign>.+)$`), Purpose: view.PurposeUnsubscribe},
		}}},
	}})
	s.sampler = New(Options{View: s.view, Now: clock})
	s.collect(t, clock)
	return s
}

// collect makes the collectors.
func (s *story) collect(t *testing.T, clock func() time.Time) {
	t.Helper()
	endpoint, file := s.sim.URL(), filepath.Join(t.TempDir(), "google.json")
	check(t, s.sim.WriteAuthorizedUser(file))
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(simulator.AccessKey, simulator.SecretKey, ""),
	}
	gmail, err := postmaster.New(postmaster.Options{
		Name: "gmail", CredentialsFile: file, Endpoint: endpoint, RequestsPerSecond: 1e6, Backfill: 14, Now: clock,
	})
	check(t, err)
	rules, err := receiptrules.New(receiptrules.Options{Name: "rules", AWS: cfg, Now: clock})
	check(t, err)
	ses, err := account.New(account.Options{Name: "account", AWS: cfg, RequestsPerSecond: 1e6, Now: clock})
	check(t, err)
	s.collectors = map[string]collectors.Collector{"gmail": gmail, "rules": rules, "account": ses}
}

// count replays what SES said in [from, to).
func (s *story) count(t *testing.T, from, to time.Time) {
	t.Helper()
	r, w := io.Pipe()
	go func() {
		for line := range s.sim.History(from, to) {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return
			}
		}
		w.Close()
	}()
	_, err := replay.Stream(t.Context(), r, replay.Options{Sink: s.intake, Name: "history", Region: "us-east-1"})
	check(t, err)
}

// look reads everything and brings the view up to date.
func (s *story) look(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for name, collector := range s.collectors {
		positions, err := s.ledger.Positions(ctx, name)
		check(t, err)
		check(t, collector.Collect(ctx, positions, s.intake))
	}
	check(t, s.ledger.Fold(ctx))
	for _, refresh := range []func(context.Context) error{
		s.view.Refresh, s.view.RefreshGmail, s.view.RefreshAccounts, s.view.RefreshInbound,
	} {
		check(t, refresh(ctx))
	}
	s.sampler.Observe(Daemon{
		Started: anchor.Add(-storyWatched), QuarantineLimit: 1 << 30,
		Sources: []Source{
			{Name: "ses/events", Kind: KindSES, Queue: &Queue{Lag: time.Second}},
			{Name: "postmaster/gmail", Kind: KindPostmaster, API: "postmaster/v2"},
			{Name: "receipt_rules/rules", Kind: KindReceiptRules},
			{Name: "account/account", Kind: KindAccount},
		},
		Horizons:  []Horizon{{"routine", 14 * 24 * time.Hour}, {"exceptional", 14 * 24 * time.Hour}},
		Floods:    []Flood{{Tag: "campaign"}},
		Notifiers: []Notifier{{Name: "oncall"}},
	})
}

// all are the samples of some series.
func all(t testing.TB, s *Sampler, series []alerts.Series) func(yield func(*alerts.Sample) bool) {
	return func(yield func(*alerts.Sample) bool) {
		for _, one := range series {
			samples, err := s.Samples(t.Context(), one)
			check(t, err)
			seen := map[alerts.Subject]bool{}
			for i := range samples {
				if seen[samples[i].Subject] {
					t.Errorf("%s by %s tells of %s twice", one.Signal, one.By, samples[i].Subject)
				}
				seen[samples[i].Subject] = true
				if !yield(&samples[i]) {
					return
				}
			}
		}
	}
}

// watch follows the sender up to anchor and says what was told, at its worst, with the labels of its subject. It looks when the
// bought list has had its mail, and then for as long as a line of coverage must be crossed.
func (s *story) watch(t *testing.T, rules *alerts.Rules) (fired map[string]string, labels map[string][]observation.Field) {
	t.Helper()
	worst := map[string]alerts.Severity{}
	fired, labels = map[string]string{}, map[string][]observation.Field{}
	state := &alerts.State{}
	round := func() {
		s.look(t)
		found := rules.Evaluate(state, alerts.Input{Now: s.now, Samples: all(t, s.sampler, rules.Series()), Absent: s.sampler.Absent})
		state = state.With(found)
		for i := range found.Transitions {
			if a := &found.Transitions[i].Alert; a.Firing() {
				key := a.Rule + ": " + a.Subject.String()
				worst[key] = max(worst[key], a.Severity)
				fired[key], labels[key] = worst[key].String(), a.Labels
				if a.Owner != "" {
					fired[key] += " for " + a.Owner
				}
			}
		}
	}
	round()
	for at := anchor.Add(-75 * time.Minute); !at.After(anchor); at = at.Add(15 * time.Minute) {
		from := s.now
		s.now = at
		s.count(t, from, s.now)
		round()
	}
	return fired, labels
}

// TestDefaultRulesTellTheStory follows the demo's sender for a day: the default rules tell of the bought list, the campaign that
// people complain about, the tenant that Microsoft blocks, the sign-in codes that Gmail's users report, the receipt rule that
// fails, and the configuration set whose events are not published. Of the ordinary campaigns they say nothing.
func TestDefaultRulesTellTheStory(t *testing.T) {
	s := newStory(t)
	rules, err := alerts.Compile(alerts.Defaults())
	check(t, err)
	s.count(t, anchor.AddDate(0, 0, -storyDays), s.now)
	fired, labels := s.watch(t, rules)
	const us = "account 123456789012, region us-east-1"
	want := map[string]string{
		"CampaignHardBounceRate: campaign winter-clearance":                         "warning for growth",
		"CampaignComplaintRate: campaign flash-friday":                              "critical for growth",
		"CampaignBlockRate: campaign acme-news, tenant acme":                        "warning for growth",
		"ProviderBlockRate: provider microsoft":                                     "warning",
		"GmailIdentifierSpamRate: identifier otp-login, domain news.example.com":    "warning for growth",
		"GmailSpamRate: domain news.example.com":                                    "critical",
		"GmailSpamRate: domain example.com":                                         "critical",
		"GmailCompliance: domain news.example.com, DELIVERABILITY_STATUS":           "warning",
		"GmailCompliance: domain news.example.com, ONE_CLICK_UNSUBSCRIBE":           "warning",
		"GmailCompliance: domain news.example.com, USER_REPORTED_SPAM_RATE":         "warning",
		"AccountComplaintRate: " + us:                                               "warning",
		"ReceiptFailures: receipt rule unsub-flash-friday, rule set inbound, " + us: "warning",
		"ReceiptExpired: receipt rule unsub-flash-friday, rule set inbound, " + us:  "critical",
		"DeafLoop: " + us + ", send of configuration set survey-tool":               "critical",
		"DeafLoop: " + us + ", delivery of configuration set survey-tool":           "critical",
	}
	if diff := cmp.Diff(want, fired); diff != "" {
		t.Errorf("what was told (-want +got):\n%s", diff)
	}
	wantLabels := []observation.Field{
		{Name: "domain", Value: "news.example.com"}, {Name: "domain", Value: "example.com"},
		{Name: "account", Value: "123456789012"}, {Name: "region", Value: "us-east-1"},
	}
	if diff := cmp.Diff(wantLabels, labels["CampaignComplaintRate: campaign flash-friday"]); diff != "" {
		t.Errorf("labels of a campaign (-want +got):\n%s", diff)
	}
	wantLabels = append([]observation.Field{{Name: "campaign", Value: "otp-login"}}, wantLabels...)
	if diff := cmp.Diff(wantLabels, labels["GmailIdentifierSpamRate: identifier otp-login, domain news.example.com"]); diff != "" {
		t.Errorf("labels of an identifier (-want +got):\n%s", diff)
	}
	wantLabels = []observation.Field{{Name: "purpose", Value: "unsubscribe"}, {Name: "campaign", Value: "flash-friday"}}
	if diff := cmp.Diff(wantLabels, labels["ReceiptExpired: receipt rule unsub-flash-friday, rule set inbound, "+us]); diff != "" {
		t.Errorf("labels of a receipt rule (-want +got):\n%s", diff)
	}
	s.checkAll(t)
	s.checkDark(t)
}

// checkAll holds that there are samples of every signal in every way that rules may ask for it.
func (s *story) checkAll(t *testing.T) {
	t.Helper()
	for _, of := range alerts.Signals() {
		d := of.Definition()
		for _, by := range d.By {
			series := alerts.Series{Signal: of, By: by}
			if d.Kind == alerts.Rate || d.Windowed {
				series.Window = signal.Day
			}
			samples, err := s.sampler.Samples(t.Context(), series)
			check(t, err)
			if len(samples) == 0 {
				t.Errorf("no sample of %s by %s", of, by)
			}
			for i := range samples {
				if x := &samples[i]; x.Series != series || d.Kind == alerts.Rate && (x.Figure == nil || x.State != x.Figure.State) {
					t.Errorf("%s by %s: %+v", of, by, x)
				}
			}
			if got := s.sampler.Absent(series); got != signal.Idle {
				t.Errorf("%s by %s: what is absent is %s", of, by, got)
			}
		}
	}
}

// checkDark holds that nothing is taken for known, or for gone, when nothing was brought up to date for an hour.
func (s *story) checkDark(t *testing.T) {
	t.Helper()
	s.now = s.now.Add(time.Hour)
	for _, of := range alerts.Signals() {
		if f := feedOf(of); f == feedGmail || f == feedDaemon { // of which one is days old, and the other told afresh
			continue
		}
		d := of.Definition()
		series := alerts.Series{Signal: of, By: d.By[0]}
		for x := range all(t, s.sampler, []alerts.Series{series}) {
			if x.State != signal.Stale && x.State != signal.Error && x.State != signal.NoData {
				t.Errorf("%s of %s is %s", of, x.Subject, x.State)
			}
		}
		if got := s.sampler.Absent(series); got != signal.Stale {
			t.Errorf("%s: what is absent is %s", of, got)
		}
	}
}
