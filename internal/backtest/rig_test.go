package backtest

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/ledger/sqlite"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// start is a Monday.
var start = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// rig is a ledger under a clock of its own.
type rig struct {
	t      testing.TB
	now    time.Time
	ledger *sqlite.Ledger
	ids    uint64
	put    ledger.Put
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, now: start}
	var err error
	r.ledger, err = sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "ledger.db"), Now: func() time.Time { return r.now },
		Logger: slog.New(slog.DiscardHandler),
	})
	check(t, err)
	t.Cleanup(func() { check(t, r.ledger.Close()) })
	return r
}

// mail adds so many recipients of mail that was sent at a time, and what became of them now.
func (r *rig) mail(campaign, provider string, sent time.Time, o observation.Outcome, t observation.EventType, n int) {
	for range n {
		r.ids++
		r.put.Entries = append(r.put.Entries, ledger.Entry{
			ID: r.ids, Type: t, SentAt: sent, At: r.now,
			Cell: ledger.Cell{
				Origin:   observation.Origin{Account: "123456789012", Region: "us-east-1", ConfigurationSet: "main"},
				Campaign: observation.Campaign{Name: campaign}, Provider: provider, Outcome: o,
			},
			Stamp: observation.Stamp{FromDomain: "news.example.com", A: campaign},
		})
	}
}

// sent is mail that was delivered but for some hard bounces.
func (r *rig) sent(campaign, provider string, at time.Time, n, bounced int) {
	r.mail(campaign, provider, at, observation.Sent, observation.EventSend, n)
	r.mail(campaign, provider, at, observation.Delivered, observation.EventDelivery, n-bounced)
	r.mail(campaign, provider, at, observation.HardBounced, observation.EventBounce, bounced)
}

// gmail tells of a day of a domain.
func (r *rig) gmail(day time.Time, rate float64) {
	one := 1.0
	for _, m := range []struct {
		metric, text string
		value        *float64
	}{
		{observation.PostmasterArrived, "", &one}, {observation.PostmasterSpamRate, "", &rate}, {observation.PostmasterAccess, "ok", nil},
	} {
		r.put.Readings = append(r.put.Readings, observation.Reading{
			Key:   observation.ReadingKey{Source: observation.PostmasterV2, Subject: "example.com", Metric: m.metric},
			Start: day, End: day.AddDate(0, 0, 1), Value: m.value, Text: m.text,
		})
	}
}

// commit stores what was added, and has it seen.
func (r *rig) commit() {
	r.t.Helper()
	r.put.Source = "queue"
	_, err := r.ledger.Commit(r.t.Context(), r.put)
	check(r.t, err)
	r.put = ledger.Put{}
	check(r.t, r.ledger.Fold(r.t.Context()))
}

// compact makes hours of what is older than two days.
func (r *rig) compact() {
	r.t.Helper()
	for more := true; more; {
		var err error
		more, err = r.ledger.Maintain(context.WithoutCancel(r.t.Context()))
		check(r.t, err)
	}
}

func above(at float64) *alerts.Line { return &alerts.Line{Above: &at} }

// hundred is a line above, of so many recipients at least.
func hundred(at float64) *alerts.Line {
	return &alerts.Line{Above: &at, AtLeast: alerts.Floors{Denominator: new(int64(100))}}
}

func hardBounces(by alerts.By, w signal.Window) alerts.Rule {
	return alerts.Rule{
		Name: "HardBounces-" + by.String() + "-" + w.String(), Signal: alerts.RateOf(signal.HardBounceRate), By: by, Window: &w,
		Warning: hundred(0.05), Critical: hundred(0.10),
	}
}

func versionOf(body []byte) ledger.Version { return ledger.Version{Since: start, Body: body} }
