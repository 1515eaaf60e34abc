package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/report"
	"github.com/mailvane/mailvane/internal/signal"
	"github.com/mailvane/mailvane/internal/watch"
)

// says holds the pages of a report against what they must say and must not say.
func says(t *testing.T, r *report.Report, want, unwanted []string) {
	t.Helper()
	for _, f := range []report.Format{report.FormatMarkdown, report.FormatHTML} {
		page := strings.ReplaceAll(string(written(t, r, f)), "\u00a0", " ")
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not say %q:\n%s", f, text, page)
			}
		}
		for _, text := range unwanted {
			if strings.Contains(page, text) {
				t.Errorf("%s says %q:\n%s", f, text, page)
			}
		}
	}
}

// A week that is not over is held against no whole week, and Gmail misses no day that is to come.
func TestWeekNotOver(t *testing.T) {
	w := newWorld(t, monday.AddDate(0, 0, -4)) // a Thursday
	w.begin(monday.AddDate(0, 0, -40))
	for n := range 5 {
		w.mail(mail{name: "news", provider: "gmail", at: time.Date(2026, 10, 13+7*n, 9, 0, 0, 0, time.UTC), sent: 1000 - 150*n, value: "news"})
	}
	w.gmailDay("news.example.com", time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC), 0.004, map[string]float64{"news": 0.004})
	r := w.build(w.options(week(t, "2026-W46", "UTC")))
	says(t, r, []string{"sent 400 mails so far, of which", "not yet", "Gmail told nothing of Mon 9 Nov and Wed 11 Nov for"},
		[]string{"average week", "Sun 15 Nov for", "Of 1 day"})
	for _, d := range r.Domains[0].Days {
		if d.Day.String() == "2026-11-12" && d.SpamRate != nil {
			t.Error("the day of making has a rate")
		}
	}
}

// Of a time before the first event nobody says that no mail was sent.
func TestBeforeFirstEvent(t *testing.T) {
	for _, c := range []struct {
		name  string
		world func(*world)
	}{
		{"before the ledger", func(w *world) { w.begin(monday.AddDate(0, 0, -3)) }},
		{"an empty ledger", func(*world) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, monday)
			c.world(w)
			r := w.build(w.options(week(t, "2026-W45", "UTC")))
			says(t, r, []string{"No mail was counted yet", "How much was sent is not known"},
				[]string{"No mail was sent", "is not read", "neither is read"})
			if got := report.Summary(r).Figures[0].Value; got != "not known" {
				t.Errorf("sent: %s", got)
			}
		})
	}
}

// The figures of alerts have the units of what their rules watch; that of a condition is no figure for people.
func TestAlertFigures(t *testing.T) {
	w := newWorld(t, monday)
	w.begin(monday.AddDate(0, 0, -40))
	store := watch.NewStore(w.Ledger, func() time.Time { return w.now })
	at := time.Date(2026, 11, 12, 8, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		signal      alerts.Signal
		value, line float64
	}{
		{alerts.SourceFailing, 5400, 3600}, {alerts.GmailCompliance, 0, 1}, {alerts.ReceiptExpired, 13, 0},
		{alerts.RateOf(signal.BlockRate), 0.07, 0.02},
	} {
		check(t, store.Commit(t.Context(), alerts.Step{Transitions: []alerts.Transition{{
			Kind: alerts.Triggered, At: at, Alert: alerts.Alert{
				Rule: c.signal.String(), Signal: c.signal, By: alerts.BySource, Subject: alerts.Subject{Source: string(rune('a' + i))},
				Version: 1, Severity: alerts.Critical, StartedAt: at, Since: at,
				Evidence: alerts.Evidence{Known: true, Value: c.value, Line: c.line},
			},
		}}}))
	}
	says(t, w.build(w.options(week(t, "2026-W46", "UTC"))), []string{"1h 30m, line 1h", "13, line 0", "7 %, line 2 %"},
		[]string{"5400", "0, line 1", "0 %, line"})
}
