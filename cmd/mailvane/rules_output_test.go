package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/app"
	"github.com/mailvane/mailvane/internal/backtest"
	"github.com/mailvane/mailvane/internal/signal"
)

var monday = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// TestLineWords reads aloud how figures stand.
func TestLineWords(t *testing.T) {
	rate := func(verdict string, k, n int64, edit func(*alerts.LineState)) *alerts.Explanation {
		l := alerts.LineState{
			Severity: alerts.Warning, Verdict: verdict, MinDenominator: 1000, MinNumerator: 10,
			Evidence: alerts.Evidence{
				State: "ok", Known: true, Interval: true, Value: float64(k) / float64(n), Low: 0.001, High: 0.99, Numerator: k, Denominator: n, Line: 0.002,
			},
		}
		if edit != nil {
			edit(&l)
		}
		return &alerts.Explanation{Signal: alerts.RateOf(signal.ComplaintRate), Selected: true, Lines: []alerts.LineState{l}}
	}
	number := func(verdict string, e alerts.Evidence, l alerts.LineState) *alerts.Explanation {
		l.Severity, l.Verdict, l.Evidence = alerts.Critical, verdict, e
		return &alerts.Explanation{Signal: alerts.QueueLag, Selected: true, Lines: []alerts.LineState{l}}
	}
	left := rate("crossed", 30, 10000, nil)
	left.Selected = false
	for _, c := range []struct {
		x    *alerts.Explanation
		want string
	}{
		{rate("crossed", 30, 10000, func(l *alerts.LineState) { l.FiresIn = new(90 * time.Second) }),
			"warning above 0.2 %: 0.3 % (30 of 10000), surely at least 0.1 %; crossed; fires in 1m 30s if it stays so"},
		{rate("near", 30, 10000, func(l *alerts.LineState) { l.Needed = new(int64(7)) }),
			"warning above 0.2 %: 0.3 % (30 of 10000), surely at least 0.1 %; beyond the line, but perhaps by chance; 7 more of the same mail would cross it"},
		{rate("weak", 30, 900, nil), "warning above 0.2 %: 3.33 % (30 of 900), surely at least 0.1 %; too little mail: 1000 are needed"},
		{rate("weak", 9, 3000, nil), "warning above 0.2 %: 0.3 % (9 of 3000), surely at least 0.1 %; too few: 10 are needed"},
		{rate("clear", 1, 10000, func(l *alerts.LineState) { l.Level.On, l.EndsIn = true, new(50*time.Hour) }),
			"warning above 0.2 %: 0.01 % (1 of 10000), surely at least 0.1 %; not crossed; fires, and ends in 2d 2h if it stays so"},
		{rate("crossed", 900, 1000, func(l *alerts.LineState) {
			l.Evidence.Below, l.Evidence.Line, l.Level.On, l.Needed = true, 0.95, true, new(int64(3))
			l.EndsAfter, l.Relief = new(24*time.Hour), new(int64(1000))
		}), "warning below 95 %: 90 % (900 of 1000), surely at most 99 %; crossed; 3 fewer of the same mail would cross it; " +
			"fires until it has been back for 1d; 1000 more mails without it would bring it back"},
		{left, "warning above 0.2 %: 0.3 % (30 of 10000), surely at least 0.1 %; the rule leaves this out (where)"},
		{number("unknown", alerts.Evidence{State: "no_data", Line: 900}, alerts.LineState{EndsIn: new(time.Duration(0))}),
			"critical above 15m: no data; nothing can be judged; fires, and ends with the next round"},
		{number("absent", alerts.Evidence{State: "idle", Line: 900}, alerts.LineState{}), "critical above 15m: idle; nothing to judge"},
		{number("expired", alerts.Evidence{State: "not_reported", Line: 900}, alerts.LineState{}),
			"critical above 15m: not reported; not reported for too long"},
		{number("crossed", alerts.Evidence{Known: true, Value: 3600, Line: 900}, alerts.LineState{FiresIn: new(time.Duration(0))}),
			"critical above 15m: 1h; crossed; fires with the next round"},
		{number("weak", alerts.Evidence{State: "insufficient", Line: 900}, alerts.LineState{}), "critical above 15m: insufficient; too little to tell"},
		{number("near", alerts.Evidence{Known: true, Value: 1800, Line: 900, Day: 20773, Days: "1 of 3", Denominator: 400}, alerts.LineState{}),
			"critical above 15m: 30m on 2026-11-16 (400 deliveries), beyond on 1 of 3 days; not on enough days, or not on the last two clear of it"},
		{number("hold", alerts.Evidence{Known: true, Value: 1800, Line: 900, Day: 20773, Days: "2 of 3", Denominator: 400}, alerts.LineState{EndsAfter: new(time.Duration(0))}),
			"critical above 15m: 30m on 2026-11-16 (400 deliveries), beyond on 2 of 3 days; no newer day to judge; fires until it is clear of the " +
				"line for two reported days in a row"},
		{number("crossed", alerts.Evidence{Known: true, Value: 3600, Line: 900}, alerts.LineState{EndsAfter: new(15 * time.Minute)}),
			"critical above 15m: 1h; crossed; fires until it has been back for 15m"},
		{number("crossed", alerts.Evidence{Known: true, Value: 3600, Line: 900}, alerts.LineState{EndsAfter: new(time.Duration(0))}),
			"critical above 15m: 1h; crossed; fires until it is back"},
	} {
		if diff := cmp.Diff([]string{c.want}, lineWords(c.x)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

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
