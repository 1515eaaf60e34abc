package view

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var home = observation.Origin{Account: "111122223333", Region: "eu-west-1", ConfigurationSet: "main"}

// full is a ledger whose origin home has published everything for months.
func full() *memory {
	m := &memory{asOf: noon.Add(17*time.Minute + 30*time.Second)}
	for _, t := range observation.EventTypes() {
		m.publish(home, t, noon.AddDate(0, -3, 0))
	}
	m.report(noon.AddDate(0, -3, 0), "yahoo")
	return m
}

type counts map[observation.Outcome]int64

// mail is what became of mail of a campaign sent at one time.
func mail(c observation.Campaign, provider string, ago time.Duration, of counts) []ledger.CohortRow {
	var rows []ledger.CohortRow
	for outcome, n := range of {
		row := ledger.CohortRow{
			Start: noon.Add(-ago).Truncate(fineGrain), Width: fineGrain, N: n,
			Cell: ledger.Cell{Origin: home, Campaign: c, Provider: provider, Outcome: outcome},
		}
		if outcome == observation.HardBounced {
			row.Cell.Reason = "bad_mailbox"
		}
		if outcome == observation.SoftBounced {
			row.Cell.Reason = "content_spam"
		}
		if outcome == observation.Complained {
			row.Possible = 3 * n
		}
		rows = append(rows, row)
	}
	return rows
}

func refreshed(t *testing.T, m *memory, s Settings) *View {
	t.Helper()
	v := New(m, Options{Group: group, Settings: s})
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}

func matcher(t *testing.T, globs ...string) *campaign.Matcher {
	t.Helper()
	m, err := campaign.NewMatcher(globs)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// season is a ledger with three sends of spring, the stream otp, a tenant's campaign, and some tests.
func season() *memory {
	m := full()
	send := func(day string) observation.Campaign {
		return observation.Campaign{Name: "spring", Send: "spring-" + day}
	}
	bulk := func(bounced int64) counts {
		return counts{observation.Sent: 20_000, observation.Delivered: 19_000 - bounced, observation.HardBounced: bounced,
			observation.SoftBounced: 100, observation.Delayed: 50, observation.Opened: 4000}
	}
	m.fold(mail(send("1"), "yahoo", 21*24*time.Hour, bulk(100))...)
	m.fold(mail(send("2"), "yahoo", 5*24*time.Hour, bulk(400))...)
	m.fold(mail(send("2"), "yahoo", 5*24*time.Hour-time.Hour, counts{observation.Complained: 31, observation.NotSpam: 2})...)
	m.fold(mail(send("3"), "gmail", 10*time.Minute, bulk(0))...)
	for week := range 5 {
		for _, ago := range []time.Duration{2 * time.Hour, 26 * time.Hour} {
			m.fold(mail(observation.Campaign{Name: "otp"}, "yahoo", time.Duration(week)*7*24*time.Hour+ago,
				counts{observation.Sent: 3000, observation.Delivered: 2900, observation.Delayed: int64(10 * (5 - week))})...)
		}
	}
	m.fold(mail(observation.Campaign{Tenant: "acme", Name: "spring"}, "gmail", 3*time.Hour,
		counts{observation.Sent: 500, observation.Delivered: 490})...)
	m.fold(mail(observation.Campaign{Name: "try"}, signal.Simulator, time.Hour,
		counts{observation.Sent: 2, observation.HardBounced: 1, observation.Complained: 1})...)
	m.samples = []ledger.SampleRow{{
		Cell: ledger.Cell{Campaign: send("2"), Provider: "yahoo", Outcome: observation.HardBounced, Reason: "bad_mailbox"},
		Text: "550 5.1.1 <…> unknown", N: 7, First: noon.Add(-time.Hour), Last: noon, MessageIDs: []string{"m1", "m2"},
	}}
	return m
}

func settings(t *testing.T) Settings {
	return Settings{
		Owners:  []Owner{{matcher(t, "spr*"), "growth"}, {matcher(t, "*"), "platform"}},
		Streams: matcher(t, "otp"),
	}
}

func golden(t *testing.T, file string, answer any) {
	t.Helper()
	got, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestAnswers(t *testing.T) {
	v := refreshed(t, season(), settings(t))
	golden(t, "campaigns.json", v.Campaigns(Query{Window: signal.Week}))
	golden(t, "providers.json", v.Providers(signal.Day, Sort{}))
	golden(t, "totals.json", v.Totals(signal.Hour))
	for file, id := range map[string]string{"sends.json": "spring", "stream.json": "otp"} {
		detail, err := v.Campaign(t.Context(), "", id, signal.Week)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, detail)
	}
	if _, err := v.Campaign(t.Context(), "acme", "none", signal.Week); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown campaign gives %v", err)
	}
}

func TestProvidersInAnOrder(t *testing.T) {
	v := refreshed(t, season(), settings(t))
	mail := v.Providers(signal.Week, Sort{}).Providers
	for name, less := range map[string]func(a, b *Provider) bool{
		"sent": func(a, b *Provider) bool { return a.mail() > b.mail() },
		"name": func(a, b *Provider) bool { return a.ID < b.ID },
		"hard_bounce_rate": func(a, b *Provider) bool {
			return a.Signals[signal.HardBounceRate].Low > b.Signals[signal.HardBounceRate].Low
		},
		"delivery_rate": func(a, b *Provider) bool {
			return a.Signals[signal.DeliveryRate].High < b.Signals[signal.DeliveryRate].High
		},
	} {
		sort, ok := ParseSort(name)
		if !ok || sort.OfCampaigns() {
			t.Fatalf("%s is no order of providers", name)
		}
		got := v.Providers(signal.Week, sort).Providers
		if len(got) != len(mail) || len(got) < 2 {
			t.Fatalf("by %s there are %d providers", name, len(got))
		}
		for i := range got[1:] {
			if less(&got[i+1], &got[i]) {
				t.Errorf("by %s, %s stands before %s", name, got[i].ID, got[i+1].ID)
			}
		}
	}
}

func TestQuery(t *testing.T) {
	v := refreshed(t, season(), settings(t))
	sorted := func(name string) Sort {
		s, ok := ParseSort(name)
		if !ok {
			t.Fatalf("%s is no order", name)
		}
		return s
	}
	for _, c := range []struct {
		name  string
		query Query
		want  []string
		total int
	}{
		{"all", Query{Window: signal.Week}, []string{"/spring", "/otp", "acme/spring", "/try"}, 4},
		{"an hour", Query{Window: signal.Hour}, []string{"/spring"}, 1},
		{"tenant", Query{Window: signal.Week, Tenant: "acme"}, []string{"acme/spring"}, 1},
		{"owner", Query{Window: signal.Week, Owner: "platform"}, []string{"/otp", "/try"}, 2},
		{"names", Query{Window: signal.Week, Match: matcher(t, "s*")}, []string{"/spring", "acme/spring"}, 2},
		{"provider", Query{Window: signal.Week, Provider: "yahoo"}, []string{"/spring", "/otp"}, 2},
		{"limit", Query{Window: signal.Week, Limit: 1, Offset: 1}, []string{"/otp"}, 4},
		{"beyond the end", Query{Window: signal.Week, Limit: 1, Offset: 9}, nil, 4},
		{"by name", Query{Window: signal.Week, Sort: sorted("name")}, []string{"/otp", "/spring", "acme/spring", "/try"}, 4},
		{"by bounces", Query{Window: signal.Week, Sort: sorted("hard_bounce_rate")},
			[]string{"/spring", "/otp", "acme/spring", "/try"}, 4},
		{"by delivery", Query{Window: signal.Week, Sort: sorted("delivery_rate")},
			[]string{"/spring", "/otp", "acme/spring", "/try"}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := v.Campaigns(c.query)
			var got []string
			for _, one := range answer.Campaigns {
				got = append(got, one.Tenant+"/"+one.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || answer.Total != c.total {
				t.Errorf("total %d, want %d; campaigns (-want +got):\n%s", answer.Total, c.total, diff)
			}
		})
	}
	if _, ok := ParseSort("nonsense"); ok {
		t.Error("nonsense is an order")
	}
}

// However mail is parted, the parts make up the whole.
func TestPartsMakeTheWhole(t *testing.T) {
	v := refreshed(t, season(), settings(t))
	whole := v.Totals(signal.Week).Recipients
	for _, by := range []By{ByNothing, ByCampaign, ByProvider, ByCampaignProvider, ByTenant} {
		var sum Recipients
		v.Walk(by, func(s *Subject) bool {
			for o, n := range s.Recipients(signal.Week) {
				sum[o] += n
			}
			return true
		})
		if sum != whole {
			t.Errorf("by %d: %v, want %v", by, sum, whole)
		}
	}
	seen := 0
	v.Walk(ByCampaignProvider, func(*Subject) bool { seen++; return false })
	if seen != 1 {
		t.Errorf("a stopped walk went on for %d", seen)
	}
}

func TestSettingsApplyAtOnce(t *testing.T) {
	v := refreshed(t, season(), Settings{})
	v.SetSettings(settings(t))
	v.Walk(ByCampaign, func(s *Subject) bool {
		if s.Owner == "" || s.Stream != (s.Campaign == "otp") {
			t.Errorf("%s: owner %q, stream %v", s.Campaign, s.Owner, s.Stream)
		}
		return true
	})
}

func TestStale(t *testing.T) {
	m := season()
	var since time.Time
	v := New(m, Options{Group: group, FailingSince: func() time.Time { return since }})
	state := func(failing time.Duration) signal.State {
		if since = m.asOf.Add(-failing); failing == 0 {
			since = time.Time{}
		}
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		totals := v.Totals(signal.Week)
		return totals.Signals[signal.HardBounceRate].State
	}
	for failing, want := range map[time.Duration]signal.State{
		0: signal.Immature, 10 * time.Minute: signal.Immature, 10*time.Minute + 1: signal.Stale, 3 * time.Hour: signal.Stale,
	} {
		if got := state(failing); got != want {
			t.Errorf("failing for %v: %v, want %v", failing, got, want)
		}
	}
}

// Mail sent before an origin's first whole hour of Send events is in no rate that needs them.
func TestCoverageIsDated(t *testing.T) {
	m := &memory{asOf: noon}
	m.publish(home, observation.EventSend, noon.Add(-5*time.Hour+time.Minute))
	for _, ago := range []time.Duration{6 * time.Hour, 5 * time.Hour, 4 * time.Hour} {
		m.fold(mail(observation.Campaign{Name: "c"}, "gmail", ago, counts{observation.Sent: 100, observation.HardBounced: 7})...)
	}
	v := refreshed(t, m, Settings{})
	answer := v.Campaigns(Query{Window: signal.Day}).Campaigns[0]
	f := answer.Signals[signal.HardBounceRate]
	if answer.Recipients[observation.Sent] != 300 || f.Numerator != 7 || f.Denominator != 100 {
		t.Errorf("sent %d, bounced %d of %d, want 300, and 7 of 100",
			answer.Recipients[observation.Sent], f.Numerator, f.Denominator)
	}
	if state := answer.Signals[signal.DeliveryRate].State; state != signal.NoData {
		t.Errorf("delivery_rate without Delivery events is %v", state)
	}
}

// A new list of reporting providers leaves mail that was sent before it alone.
func TestReportingProvidersAreDated(t *testing.T) {
	m := full()
	m.report(noon.Add(-3*time.Hour), "yahoo", "aol")
	for _, ago := range []time.Duration{5 * time.Hour, 3 * time.Hour} {
		m.fold(mail(observation.Campaign{Name: "c"}, "aol", ago, counts{observation.Delivered: 100, observation.Complained: 1})...)
	}
	f := refreshed(t, m, Settings{}).Totals(signal.Day).Signals[signal.ComplaintRate]
	if f.Numerator != 1 || f.Denominator != 100 || f.MeasuredShare != 0.5 {
		t.Errorf("got %+v, want 1 of 100 and a measured share of 0.5", f)
	}
}

func TestBrokenSettingIsAnError(t *testing.T) {
	m := full()
	m.versions = []ledger.Version{{Since: noon, Body: []byte("{")}}
	if err := New(m, Options{Group: group}).Refresh(t.Context()); err == nil {
		t.Error("a list of reporting providers that is no JSON is no error")
	}
}

func TestQueriesWhileRefreshing(t *testing.T) {
	m := season()
	v := New(m, Options{Group: group})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				v.Campaigns(Query{Window: signal.Week})
				v.Providers(signal.Hour, Sort{})
				v.SetSettings(Settings{})
			}
		})
	}
	for range 200 {
		m.asOf = m.asOf.Add(7 * time.Minute)
		m.fold(mail(observation.Campaign{Name: "new"}, "gmail", 0, counts{observation.Sent: 1})...)
		if err := v.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	readers.Wait()
}
