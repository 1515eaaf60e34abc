package main

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/backtest"
	"github.com/mailvane/mailvane/internal/signal"
)

var monday = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func TestPrintExplained(t *testing.T) {
	a := &app.RuleAnswer{
		Rule: "GmailSpamRate", Signal: alerts.GmailSpamRate, By: alerts.ByDomain, AsOf: monday, Daemon: true, Total: 3,
		Subjects: []app.RuleSubject{{
			Explanation: alerts.Explanation{
				Rule: "GmailSpamRate", Signal: alerts.GmailSpamRate, Subject: alerts.Subject{Domain: "example.com"}, Selected: true, Phase: "firing",
				Severity: alerts.Critical, Since: monday.Add(-time.Hour), Lines: []alerts.LineState{{
					Severity: alerts.Critical, Verdict: "hold", Level: alerts.Level{On: true}, EndsAfter: new(time.Duration(0)),
					Evidence: alerts.Evidence{Known: true, State: "ok", Value: 0.004, Line: 0.003, Day: 20771, Days: "1 of 1", Denominator: 9000, AsOf: monday},
				}},
			},
			MutedBy: "Other of domain example.org", Silence: "abc",
		}, {Explanation: alerts.Explanation{Signal: alerts.GmailSpamRate, Subject: alerts.Subject{Domain: "example.net"}, Phase: "inactive", Lines: []alerts.LineState{
			{Severity: alerts.Warning, Verdict: "unknown", Evidence: alerts.Evidence{State: "no_data"}},
		}}}},
	}
	var b strings.Builder
	if err := printExplained(&b, a, true); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `GmailSpamRate: gmail_spam_rate by domain, as of 2026-11-16T12:00:00Z

domain example.com: firing critical since 2026-11-16T11:00:00Z
  critical above 0.3 %: 0.4 % on 2026-11-14 (9000 deliveries), beyond on 1 of 1 days; no newer day to judge; fires until it is clear of the line for two reported days in a row
  data: ok, as of 2026-11-16T12:00:00Z
  nobody is told: Other of domain example.org stands for it
  nobody is told: silence abc covers it

domain example.net: inactive
  warning above 0 %: no data; the rule leaves this out (where)
  data: no data

… and 1 more; --limit shows more, --subject those that you name
`)
	b.Reset()
	if err := printExplained(&b, a, false); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `GmailSpamRate: gmail_spam_rate by domain, as of 2026-11-16T12:00:00Z

SUBJECT             STATE                VALUE  OF                       DATA     WARNING   CRITICAL
domain example.com  critical (silenced)  0.4 %  2026-11-14, 1 of 1 days  ok       -         hold
domain example.net  inactive             -      -                        no data  left out  -

… and 1 more; --limit shows more, --subject those that you name
`)
}

func TestPrintBacktest(t *testing.T) {
	r := &backtest.Result{
		From: monday, To: monday.Add(2 * time.Hour), AsOf: monday.Add(3 * time.Hour), Rounds: 9,
		Rules: []backtest.RuleResult{
			{Rule: "Complaints", Signal: alerts.RateOf(signal.ComplaintRate), Episodes: 3, Critical: 1, Muted: 1, Told: 2, Firing: 5400},
			{Rule: "Quiet", Signal: alerts.GmailSpamRate},
		},
		Notifiers: []backtest.NotifierResult{{Notifier: "oncall", Opened: 2, Worsened: 1}, {Notifier: "anybody", Opened: 1}},
		Episodes: []*backtest.Episode{
			{Rule: "Complaints", Subject: alerts.Subject{Campaign: "a"}, Severity: alerts.Critical, From: monday, Before: true,
				Until: monday.Add(time.Hour), Reason: alerts.Cleared,
				Peak: alerts.Evidence{Known: true, Interval: true, Value: 0.004, Numerator: 40, Denominator: 10000}},
			{Rule: "Complaints", Subject: alerts.Subject{Campaign: "b"}, Severity: alerts.Warning, From: monday, Muted: true},
			{Rule: "Complaints", Subject: alerts.Subject{Campaign: "c"}, Severity: alerts.Warning, From: monday},
		},
		NotTested: []backtest.NotTested{
			{Rule: "Lag", Signal: alerts.QueueLag, Why: "it is not stored"}, {Rule: "Full", Signal: alerts.QuarantineUsed},
			{Rule: strings.Repeat("Long", 16), Signal: alerts.SourceFailing},
		},
		Limits: []string{"so much for that"},
	}
	var b strings.Builder
	if err := printBacktest(&b, r, 2); err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), `From 2026-11-16T12:00:00Z to 2026-11-16T14:00:00Z, 9 rounds of 2 rules, by what the ledger knew at 2026-11-16T15:00:00Z.

RULE        EPISODES  CRITICAL  MUTED  TOLD  FIRING FOR
Complaints  3         1         1      2     1h 30m

1 rule would not have fired.
oncall would have been told 2 times, and once that it became critical.
Notifiers, of which none is configured, would have been told once.

FROM                UNTIL             SEVERITY         RULE        SUBJECT     PEAK                 ENDED
≤ 2026-11-16 12:00  2026-11-16 13:00  critical         Complaints  campaign a  0.4 % (40 of 10000)  cleared
2026-11-16 12:00    still             warning (muted)  Complaints  campaign b  -                    -
… and 1 more; --episodes shows more

Not tried, because the ledger does not hold what they watch:
  Lag (queue_lag), Full (quarantine_used)
  LongLongLongLongLongLongLongLongLongLongLongLongLongLongLongLong (source_failing)

What to keep in mind:
  - so much for that
`)
}

func TestParseMoment(t *testing.T) {
	for text, want := range map[string]time.Time{
		"": {}, "2026-11-01": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "2026-11-01T10:00:00Z": time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC),
		"30d": monday.AddDate(0, 0, -30), "90m": monday.Add(-90 * time.Minute), "0s": monday,
	} {
		if got, err := parseMoment("--from", text, monday); err != nil || !got.Equal(want) {
			t.Errorf("%q is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-3h", "-3d", "99999999d", "2026-13-01"} {
		if got, err := parseMoment("--from", text, monday); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
