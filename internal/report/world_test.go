package report_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/view"
	"github.com/mailvane/mailvane/internal/watch"
)

// monday is the morning after the week that most tests report, 2026-W46.
var monday = time.Date(2026, 11, 16, 7, 0, 0, 0, time.UTC)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a ledger and what is sent in it.
type world struct {
	*testing.T
	*sqlite.Ledger
	now time.Time
	id  uint64
}

func newWorld(t *testing.T, now time.Time) *world {
	t.Helper()
	w := &world{T: t, now: now}
	l, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return w.now }})
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	w.Ledger = l
	check(t, l.AddVersion(t.Context(), ledger.VersionReporting, ledger.Version{Since: now.AddDate(0, 0, -60), Body: []byte(`["microsoft", "yahoo"]`)}))
	return w
}

// mail is what becomes of some mail.
type mail struct {
	tenant, name, send string
	provider           string
	at                 time.Time
	sent               int
	// The rest was delivered.
	bounced, blocked, delayed, complained, unsubscribed, opened int
	// value is that of field a of the Feedback-ID.
	value string
}

// mail counts mail that was sent within an hour.
func (w *world) mail(m mail) {
	w.Helper()
	origin := observation.Origin{Account: "123456789012", Region: "us-east-1", ConfigurationSet: "main"}
	var entries []ledger.Entry
	add := func(n int, o observation.Outcome, typ observation.EventType, reason string) {
		for i := range n {
			w.id++
			at := m.at.Add(time.Duration(i%55) * time.Minute)
			entries = append(entries, ledger.Entry{
				ID: w.id, Type: typ, SentAt: at, At: at, Cell: ledger.Cell{
					Origin: origin, Campaign: observation.Campaign{Tenant: m.tenant, Name: m.name, Send: m.send}, Provider: m.provider,
					Outcome: o, Reason: reason,
				},
				Stamp: observation.Stamp{FromDomain: "news.example.com", A: m.value},
			})
		}
	}
	add(m.sent, observation.Sent, observation.EventSend, "")
	add(m.sent-m.bounced-m.blocked, observation.Delivered, observation.EventDelivery, "")
	add(m.bounced, observation.HardBounced, observation.EventBounce, "bad_mailbox")
	add(m.blocked, observation.HardBounced, observation.EventBounce, "reputation_ip")
	add(m.delayed, observation.Delayed, observation.EventDeliveryDelay, "rate_limited")
	add(m.complained, observation.Complained, observation.EventComplaint, "")
	add(m.unsubscribed, observation.Unsubscribed, observation.EventSubscription, "")
	add(m.opened, observation.Opened, observation.EventOpen, "")
	_, err := w.Commit(w.Context(), ledger.Put{Source: "queue", Entries: entries})
	check(w.T, err)
}

// begin counts the events from which on types are known to be published.
func (w *world) begin(at time.Time) {
	w.mail(mail{name: "first", provider: "yahoo", at: at, sent: 5, bounced: 1, complained: 1, unsubscribed: 1, opened: 1})
}

func (w *world) readings(readings ...observation.Reading) {
	w.Helper()
	_, err := w.Commit(w.Context(), ledger.Put{Source: "readings", Readings: readings})
	check(w.T, err)
}

// gmailDay is a day that Gmail told of: the rates of the domain and of values of the Feedback-ID.
func (w *world) gmailDay(domain string, day time.Time, rate float64, values map[string]float64) {
	reading := func(metric, detail string, value *float64) observation.Reading {
		return observation.Reading{
			Key:   observation.ReadingKey{Source: observation.PostmasterV2, Subject: domain, Metric: metric, Detail: detail},
			Start: day, End: day.AddDate(0, 0, 1), Value: value,
		}
	}
	all := []observation.Reading{reading(observation.PostmasterArrived, "", new(1.0)), reading(observation.PostmasterSpamRate, "", &rate)}
	for value, rate := range values {
		all = append(all, reading(observation.PostmasterFeedbackLoopSpamRate, observation.FeedbackLoopDetail(observation.PostmasterFromHeader, value), &rate))
	}
	w.readings(all...)
}

// account tells of an account's rates, and of what CloudWatch counted, in an hour.
func (w *world) account(at time.Time, bounces, complaints float64) {
	var all []observation.Reading
	for metric, value := range map[string]float64{observation.AccountBounceRate: bounces, observation.AccountComplaintRate: complaints} {
		all = append(all, observation.Reading{
			Key: observation.ReadingKey{
				Source: observation.AccountCloudWatch, Subject: observation.AccountSubject("123456789012", "us-east-1"), Metric: metric,
			},
			Start: at, End: at.Add(time.Hour), Value: &value,
		})
	}
	w.readings(all...)
}

// alert tells of an alert that fired for some time.
func (w *world) alert(rule, name string, from, to time.Time) {
	a := alerts.Alert{
		Rule: rule, Signal: alerts.RateOf(signal.ComplaintRate), By: alerts.ByCampaign, Subject: alerts.Subject{Campaign: name}, Version: 1, Severity: alerts.Critical, StartedAt: from, Since: from,
		Owner: "growth", Evidence: alerts.Evidence{Known: true, Value: 0.012, Line: 0.003},
	}
	store := watch.NewStore(w.Ledger, func() time.Time { return w.now })
	check(w.T, store.Commit(w.Context(), alerts.Step{Transitions: []alerts.Transition{{Kind: alerts.Triggered, At: from, Alert: a}}}))
	a.Version, a.Severity = 2, alerts.None
	check(w.T, store.Commit(w.Context(), alerts.Step{Transitions: []alerts.Transition{
		{Kind: alerts.Resolved, At: to, From: 1, Alert: a, Was: alerts.Critical, Reason: alerts.Cleared},
	}}))
}

// options are those of a report of the week.
func (w *world) options(period report.Period) report.Options {
	match := func(glob string) *campaign.Matcher {
		m, err := campaign.NewMatcher([]string{glob})
		check(w.T, err)
		return m
	}
	return report.Options{
		Period: period, Now: w.now, Group: mailbox.Group, Link: "https://mailvane.example.com/", Settings: view.Settings{
			Streams: match("receipts"), Owners: []view.Owner{{Match: match("receipts"), Owner: "shop"}, {Match: match("*"), Owner: "growth"}},
		},
	}
}

func (w *world) build(o report.Options) *report.Report {
	w.Helper()
	check(w.T, w.Fold(w.Context()))
	r, err := report.Build(w.Context(), w.Ledger, o)
	check(w.T, err)
	return r
}

func week(t testing.TB, text, zone string) report.Period {
	t.Helper()
	in, err := time.LoadLocation(zone)
	check(t, err)
	p, err := report.ParseWeek(text, in)
	check(t, err)
	return p
}

// story is five weeks of a sender with trouble in the last: a campaign that people report, a bought list, a tenant that Microsoft
// blocks, and a stream that does well.
func story(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, monday)
	w.begin(monday.AddDate(0, 0, -40))
	for n := range 5 {
		start := time.Date(2026, 10, 12+7*n, 9, 0, 0, 0, time.UTC)
		for day := range 7 {
			w.mail(mail{name: "receipts", provider: "gmail", at: start.AddDate(0, 0, day), sent: 60, opened: 40, value: "receipts"})
			w.mail(mail{name: "receipts", provider: "yahoo", at: start.AddDate(0, 0, day), sent: 40, delayed: 1})
		}
		w.mail(mail{name: "newsletter", provider: "yahoo", at: start.AddDate(0, 0, 1), sent: 800, bounced: 4, unsubscribed: 3, opened: 200})
		w.mail(mail{name: "newsletter", provider: "gmail", at: start.AddDate(0, 0, 1), sent: 700, bounced: 2, value: "newsletter"})
		complained := 1
		if n == 4 {
			complained = 14
		}
		send := start.AddDate(0, 0, 2).Format("promo-20060102")
		w.mail(mail{name: "promo", send: send, provider: "yahoo", at: start.AddDate(0, 0, 2), sent: 1500, bounced: 5, complained: complained, delayed: 9})
		w.mail(mail{name: "promo", send: send, provider: "gmail", at: start.AddDate(0, 0, 2), sent: 900, value: "promo"})
		blocked := 0
		if n == 4 {
			blocked = 90
		}
		w.mail(mail{tenant: "acme", name: "acme-news", provider: "microsoft", at: start.AddDate(0, 0, 3), sent: 700, blocked: blocked})
		w.mail(mail{tenant: "acme", name: "acme-news", provider: "gmail", at: start.AddDate(0, 0, 3), sent: 500, value: "acme-news"})
	}
	w.mail(mail{name: "bought-list", provider: "other", at: time.Date(2026, 11, 14, 10, 0, 0, 0, time.UTC), sent: 1400, bounced: 260})
	for day := range 21 {
		at := time.Date(2026, 10, 25+day, 0, 0, 0, 0, time.UTC)
		values := map[string]float64{"receipts": 0}
		rate := 0.0004
		if at.Weekday() == time.Wednesday {
			values["promo"], rate = 0.0035, 0.0021
		}
		if at.Day() != 13 && at.Day() != 15 {
			w.gmailDay("news.example.com", at, rate, values)
		}
	}
	for day := range 28 {
		at := time.Date(2026, 10, 19+day, 22, 0, 0, 0, time.UTC)
		w.account(at, 0.01+0.001*float64(day), 0.0002+0.00002*float64(day))
	}
	w.alert("CampaignComplaintRate", "promo", time.Date(2026, 11, 12, 8, 0, 0, 0, time.UTC), time.Date(2026, 11, 13, 9, 0, 0, 0, time.UTC))
	return w
}
