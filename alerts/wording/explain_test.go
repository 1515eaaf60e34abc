package wording

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

// TestExplain reads aloud how figures stand.
func TestExplain(t *testing.T) {
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
		{
			&alerts.Explanation{Signal: alerts.GmailCompliance, Selected: true, Lines: []alerts.LineState{
				{Severity: alerts.Warning, Verdict: "crossed", Evidence: alerts.Evidence{Known: true, Line: 1, Below: true}, FiresIn: new(time.Hour)},
			}}, "warning: crossed; fires in 1h if it stays so",
		},
	} {
		if got := Explain(c.x); len(got) != 1 || got[0].String() != c.want {
			t.Errorf("%v, want %s", got, c.want)
		}
	}
}
