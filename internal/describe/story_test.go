package describe

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/collectors"
	"github.com/mailvane/mailvane/collectors/account"
	"github.com/mailvane/mailvane/collectors/postmaster"
	"github.com/mailvane/mailvane/collectors/receiptrules"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/intake"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/replay"
	"github.com/mailvane/mailvane/internal/sampler"
	"github.com/mailvane/mailvane/internal/simulator"
	"github.com/mailvane/mailvane/internal/view"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// anchor is a Monday. At now, shortly before, the demo's bought list has just had its mail.
var (
	anchor = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	now    = anchor.Add(-30 * time.Minute)
)

// storyDays is of how many days the mail is counted.
const storyDays = 4

// story is the demo's sender, read as a daemon reads it, with the notifications that the default rules make of it.
type story struct {
	ledger *sqlite.Ledger
	view   *view.View
	told   map[string]*alerts.Notification
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newStory(t *testing.T) *story {
	t.Helper()
	s := &story{told: map[string]*alerts.Notification{}}
	clock := func() time.Time { return now }
	o := simulator.Demo(anchor, 1, 1)
	o.Now, o.Model.Since = clock, anchor.AddDate(0, 0, -storyDays)
	o.Story.RuleSets = o.Story.RuleSets[:1]
	for i := range o.Story.Campaigns { // no rule is about opens and clicks
		c := &o.Story.Campaigns[i]
		c.Rates.Open, c.Rates.Click, c.Rates.BotOpen, c.Rates.BotClick = 0, 0, 0, 0
		if c.Name == "otp-login" { // what Gmail says of mail in the hundreds moves no default rule
			c.PerDay = 4000
		}
	}
	sim, err := simulator.Start(t.Context(), o)
	check(t, err)
	t.Cleanup(func() { _ = sim.Close() })
	s.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: clock, Logger: slog.New(slog.DiscardHandler),
	})
	check(t, err)
	t.Cleanup(func() { check(t, s.ledger.Close()) })
	s.count(t, sim, clock)
	s.read(t)
	s.tell(t, clock)
	return s
}

// count counts the sender's mail, and what Gmail and AWS say of it.
func (s *story) count(t *testing.T, sim *simulator.Simulator, clock func() time.Time) {
	t.Helper()
	classifier, err := mailbox.New()
	check(t, err)
	in, err := intake.New(t.Context(), intake.Options{Ledger: s.ledger, Now: clock, Settings: intake.Settings{
		Classifier: classifier,
		Identity: campaign.Spec{
			Identify: []campaign.Rule{{Tag: "ses:feedback-id-a"}, {Tag: "campaign"}, {ConfigurationSet: "true"}},
			Rename:   []campaign.Rename{{Match: `^(.+)-\d{8}$`, To: "$1"}},
			Tenants:  []campaign.Rule{{ConfigurationSet: "^tenant-(.+)$"}},
		},
		Reporting: mailbox.DefaultReportingProviders(),
	}})
	check(t, err)
	r, w := io.Pipe()
	go func() {
		for line := range sim.History(anchor.AddDate(0, 0, -storyDays), now) {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return
			}
		}
		w.Close()
	}()
	_, err = replay.Stream(t.Context(), r, replay.Options{Sink: in, Name: "history", Region: "us-east-1"})
	check(t, err)
	endpoint, file := sim.URL(), filepath.Join(t.TempDir(), "google.json")
	check(t, sim.WriteAuthorizedUser(file))
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
	for _, collector := range []collectors.Collector{gmail, rules, ses} {
		check(t, collector.Collect(t.Context(), nil, in))
	}
}

// read brings the view up to date.
func (s *story) read(t *testing.T) {
	t.Helper()
	growth, err := campaign.NewMatcher([]string{"*"})
	check(t, err)
	streams, err := campaign.NewMatcher([]string{"otp-*", "receipts"})
	check(t, err)
	s.view = view.New(s.ledger, view.Options{Group: mailbox.Group, Settings: view.Settings{
		Owners: []view.Owner{{Match: growth, Owner: "growth"}}, Streams: streams,
		ReceiptPurposes: []view.ReceiptPurposes{{Region: "us-east-1", Rules: []view.ReceiptPurpose{
			{Match: regexp.MustCompile(`^unsub-(?P<campaign>.+)$`), Purpose: view.PurposeUnsubscribe},
		}}},
	}})
	check(t, s.ledger.Fold(t.Context()))
	for _, refresh := range []func(context.Context) error{
		s.view.Refresh, s.view.RefreshGmail, s.view.RefreshAccounts, s.view.RefreshInbound,
	} {
		check(t, refresh(t.Context()))
	}
}

// tell makes the notifications of the default rules, which fire at once.
func (s *story) tell(t *testing.T, clock func() time.Time) {
	t.Helper()
	all := alerts.Defaults()
	for i := range all {
		all[i].For = 0
	}
	rules, err := alerts.Compile(all)
	check(t, err)
	of := sampler.New(sampler.Options{View: s.view, Now: clock})
	of.Observe(sampler.Daemon{
		Started: anchor.AddDate(0, 0, -2),
		Sources: []sampler.Source{{Name: "ses/events", Kind: sampler.KindSES, FailingSince: now.Add(-time.Hour), Queue: &sampler.Queue{}}},
	})
	found := rules.Evaluate(&alerts.State{}, alerts.Input{Now: now, Absent: of.Absent, Samples: func(yield func(*alerts.Sample) bool) {
		for _, series := range rules.Series() {
			samples, err := of.Samples(t.Context(), series)
			check(t, err)
			for i := range samples {
				if !yield(&samples[i]) {
					return
				}
			}
		}
	}})
	router, err := alerts.NewRouter(nil, []string{"oncall"}, []string{"oncall"})
	check(t, err)
	planner := alerts.Planner{Rules: rules, Router: router}
	for _, c := range planner.Plan((&alerts.State{}).With(found), &alerts.Groups{}, found).Changes {
		s.told[fmt.Sprintf("%s: %s", c.Notification.Rule, c.Notification.Members[0].Subject)] = c.Notification
	}
}
