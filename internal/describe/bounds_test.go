package describe

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
)

// rig is a ledger with mail that a test puts in.
type rig struct {
	*testing.T
	ledger *sqlite.Ledger
	view   *view.View
	lag    time.Duration
	id     uint64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t}
	var err error
	r.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return anchor }, Logger: slog.New(slog.DiscardHandler),
	})
	check(t, err)
	t.Cleanup(func() { check(t, r.ledger.Close()) })
	streams, err := campaign.NewMatcher([]string{"otp"})
	check(t, err)
	r.view = view.New(r.ledger, view.Options{
		Group: mailbox.Group, Lag: func() time.Duration { return r.lag }, Settings: view.Settings{Streams: streams},
	})
	r.send("first", anchor.AddDate(0, 0, -40), 1, 0, true) // rates begin with the hour after the first events
	return r
}

// send counts mail of a campaign with so many hard bounces, and publishes Send events or not.
func (r *rig) send(name string, at time.Time, mails, bounces int, published bool) {
	r.Helper()
	put := ledger.Put{Source: "test"}
	add := func(o observation.Outcome, of observation.EventType, reason string) {
		r.id++
		put.Entries = append(put.Entries, ledger.Entry{ID: r.id, Type: of, SentAt: at, At: at, Cell: ledger.Cell{
			Origin:   observation.Origin{Account: "123456789012", Region: "eu-west-1", ConfigurationSet: "marketing"},
			Campaign: observation.Campaign{Name: name}, Provider: "yahoo", Outcome: o, Reason: reason,
		}})
	}
	for i := range mails {
		if published {
			add(observation.Sent, observation.EventSend, "")
		}
		if i < bounces {
			add(observation.HardBounced, observation.EventBounce, "bad_mailbox")
		} else {
			add(observation.Delivered, observation.EventDelivery, "")
		}
	}
	_, err := r.ledger.Commit(r.Context(), put)
	check(r.T, err)
}

// describe describes an alert about a campaign's hard bounces.
func (r *rig) describe(ctx context.Context, from Ledger, name string) *alerts.Notification {
	r.Helper()
	check(r.T, r.ledger.Fold(r.Context()))
	check(r.T, r.view.Refresh(r.Context()))
	n := &alerts.Notification{
		Rule: "CampaignHardBounceRate", Signal: alerts.RateOf(signal.HardBounceRate), By: alerts.ByCampaign, Cause: alerts.CauseBounces,
		Members: []alerts.Member{{ID: "1", Subject: alerts.Subject{Campaign: name}, Evidence: alerts.Evidence{Window: "24h"}}},
	}
	d := New(Options{View: r.view, Ledger: from, Log: slog.New(slog.DiscardHandler)}, settings())
	d.within = time.Hour
	d.Describe(ctx, n)
	return n
}

// TestPrevious holds that a send is set beside the one before, and a stream beside the same hours of earlier weeks.
func TestPrevious(t *testing.T) {
	r := newRig(t)
	for week := range 4 {
		at := anchor.AddDate(0, 0, -7*week).Add(-time.Hour)
		r.send("news", at, 100, 40-10*week, true)
		r.send("otp", at, 100, 40-10*week, true)
	}
	got := r.describe(t.Context(), r.ledger, "news").Members[0].Detail.Previous
	want := &alerts.PreviousSend{StartedAt: anchor.AddDate(0, 0, -7).Add(-time.Hour), Value: 0.3, Numerator: 30, Denominator: 100}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	n := r.describe(t.Context(), r.ledger, "otp")
	want = &alerts.PreviousSend{Weeks: 3, Value: 0.2, Numerator: 60, Denominator: 300}
	if diff := cmp.Diff(want, n.Members[0].Detail.Previous); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(n.Commands[0].Text, "People wait for this mail") {
		t.Errorf("a stream is stopped without a warning: %s", n.Commands[0].Text)
	}
}

// TestSentLately holds that nothing is only said to be nothing when that is known.
func TestSentLately(t *testing.T) {
	r := newRig(t)
	r.send("over", anchor.Add(-time.Hour), 20, 10, true)
	r.send("going-on", anchor.Add(-time.Hour), 20, 10, true)
	r.send("going-on", anchor.Add(-14*time.Minute), 7, 0, true)
	r.send("unpublished", anchor.Add(-4*time.Minute), 20, 10, false)
	lately := func(name string) *int64 { return r.describe(t.Context(), r.ledger, name).Members[0].Detail.SentLately }
	if n := lately("over"); n == nil || *n != 0 {
		t.Errorf("over: %v", n)
	}
	if n := lately("going-on"); n == nil || *n != 7 {
		t.Errorf("going on: %v", n)
	}
	if n := lately("unpublished"); n != nil {
		t.Errorf("without Send events: %d", *n)
	}
	r.lag = 20 * time.Minute
	if n := lately("over"); n != nil {
		t.Errorf("with events on their way: %d", *n)
	}
	if n := lately("going-on"); n == nil || *n != 7 {
		t.Errorf("going on, with events on their way: %v", n)
	}
}

// TestUnknown holds that what is not known is left out: no campaign, no mail, no pages, an alert that ended.
func TestUnknown(t *testing.T) {
	r := newRig(t)
	n := r.describe(t.Context(), r.ledger, "nobody")
	if n.Members[0].Detail != nil {
		t.Errorf("detail %+v", n.Members[0].Detail)
	}
	if len(n.Commands) != 1 || !strings.HasPrefix(n.Commands[0].Line, "mailvane silence add ") {
		t.Errorf("commands %+v", n.Commands)
	}
	ended := &alerts.Notification{Resolved: true, Signal: n.Signal, By: n.By, Cause: n.Cause, Gone: n.Members, Runbook: "https://run.example.com/"}
	d := New(Options{View: r.view, Ledger: r.ledger, Log: slog.New(slog.DiscardHandler)}, Settings{})
	d.Describe(t.Context(), ended)
	if diff := cmp.Diff([]alerts.Link{{Text: "Runbook", URL: "https://run.example.com/"}}, ended.Links); diff != "" || len(ended.Commands) > 0 {
		t.Errorf("%s, commands %+v", diff, ended.Commands)
	}
	New(Options{View: r.view, Ledger: r.ledger, Log: slog.New(slog.DiscardHandler)}, settings()).Describe(t.Context(), ended)
	if ended.Links[0].URL != "https://mailvane.example.com/campaigns/nobody?window=24h" {
		t.Errorf("links %+v", ended.Links)
	}
}

// late is a ledger that is asked and has not answered when the time is over.
type late struct{ over context.CancelFunc }

func (l late) Cohorts(ctx context.Context, _ ledger.CohortQuery) (ledger.Cohorts, error) {
	l.over()
	<-ctx.Done()
	return ledger.Cohorts{}, ctx.Err()
}

func (l late) Samples(ctx context.Context, _ ledger.SampleQuery) ([]ledger.SampleRow, error) {
	l.over()
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLate holds that what the view knows is told although the ledger does not answer, and that links and commands come
// whatever the time is.
func TestLate(t *testing.T) {
	r := newRig(t)
	r.send("news", anchor.Add(-time.Hour), 100, 40, true)
	ctx, cancel := context.WithCancel(t.Context())
	d := r.describe(ctx, late{cancel}, "news").Members[0].Detail
	want := &alerts.Detail{
		Providers: []alerts.ProviderShare{{Provider: "yahoo", Numerator: 40, Denominator: 100}},
		Reasons:   []alerts.ReasonShare{{Reason: "bad_mailbox", Provider: "yahoo", N: 40}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if ctx.Err() == nil {
		t.Error("nothing was asked of the ledger")
	}
	n := r.describe(ctx, late{cancel}, "news")
	if n.Members[0].Detail != nil || len(n.Links) != 2 || len(n.Commands) != 1 {
		t.Errorf("without any time: detail %+v, links %v, commands %v", n.Members[0].Detail, n.Links, n.Commands)
	}
}

// TestHostileNames holds that a shell takes every command as the words that it was made of, whatever names it holds, and that
// names which cannot be shown, or would be options, make none.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{
		"$(reboot)", "`reboot`", "a'; reboot; '", "a b", `\`, `"`, "*", "~root", "#", "!!", "ж", strings.Repeat("'", 50), "=", "a=b", "<@U1>",
		"a\nreboot", "\x00", "\x1b[31m", "\u202e", "\xff", "-x", "--no-cli-pager", strings.Repeat("a", 300), "",
	} {
		n := &alerts.Notification{
			Rule: "R", Signal: alerts.RateOf(signal.HardBounceRate), By: alerts.ByCampaign, Cause: alerts.CauseBounces,
			Members: []alerts.Member{{Subject: alerts.Subject{Campaign: name, Tenant: name}}},
		}
		s := settings()
		blamed := &suspect{Name: campaign.Name{Campaign: name}, sets: []observation.Origin{{Region: name, Account: name, ConfigurationSet: name}}}
		for _, c := range s.commands(n, []*suspect{blamed}) {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\\n' "+c.Line).CombinedOutput()
			check(t, err)
			words := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			at := map[string]int{"aws": 6, "mailvane": 8}[words[0]]
			if name == "" && words[0] == "mailvane" { // what is empty is not asked for
				continue
			}
			if got := strings.TrimPrefix(words[at], "tenant="); got != name || strings.HasPrefix(got, "-") && words[0] == "aws" {
				t.Errorf("%q became %q in %s", name, got, c.Line)
			}
			if words[0] == "aws" && words[4] != "REGION" {
				t.Errorf("region %q", words[4])
			}
		}
	}
}

// TestSilenceOfAGroup holds that what silences a group leaves the alerts of the rule alone that are other owners' or tenants'.
func TestSilenceOfAGroup(t *testing.T) {
	n := &alerts.Notification{
		Rule: "CampaignHardBounceRate", Signal: alerts.RateOf(signal.HardBounceRate), By: alerts.ByCampaign, Owner: "growth",
		Group:   []observation.Field{{Name: "tenant", Value: "acme"}},
		Members: []alerts.Member{{Subject: alerts.Subject{Campaign: "a"}}, {Subject: alerts.Subject{Campaign: "b"}}},
	}
	all := new(Settings).commands(n, nil)
	want := "mailvane silence add --match rule=CampaignHardBounceRate --match owner=growth --match tenant=acme --for 2h --comment 'being looked at'"
	if len(all) != 1 || all[0].Line != want {
		t.Errorf("commands %q, want %s", all, want)
	}
	n.Owner, n.Group = "", nil
	all = new(Settings).commands(n, nil)
	want = "mailvane silence add --match rule=CampaignHardBounceRate --match 'owner!=*' --match 'tenant!=*' --for 2h --comment 'being looked at'"
	if len(all) != 1 || all[0].Line != want {
		t.Errorf("commands %q, want %s", all, want)
	}
}

// TestEveryRule holds that every default rule leads somewhere, and can be silenced.
func TestEveryRule(t *testing.T) {
	r := newRig(t)
	d := New(Options{View: r.view, Ledger: r.ledger, Log: slog.New(slog.DiscardHandler)}, settings())
	for _, rule := range alerts.Defaults() {
		n := &alerts.Notification{
			Rule: rule.Name, Signal: rule.Signal, By: rule.By, Cause: rule.Signal.Definition().Cause, Document: rule.Document,
			Members: []alerts.Member{{ID: "1", Subject: alerts.Subject{Account: "123456789012", Region: "eu-west-1", Tenant: "acme", Campaign: "news"}}},
		}
		d.Describe(t.Context(), n)
		if len(n.Links) < 2 || !strings.HasPrefix(n.Links[0].URL, "https://mailvane.example.com/") || !strings.HasSuffix(n.Links[1].URL, "/alerts/1") {
			t.Errorf("%s: links %+v", rule.Name, n.Links)
		}
		last := n.Commands[len(n.Commands)-1].Line
		if want := "mailvane silence add --config /etc/mailvane/mailvane.yaml --match rule=" + rule.Name + " "; !strings.HasPrefix(last, want) {
			t.Errorf("%s: the last command is %q", rule.Name, last)
		}
	}
}
