package ruletest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/alerts"
	"github.com/mailvane/mailvane/internal/signal"
)

var complaints = alerts.RateOf(signal.ComplaintRate)

func TestParseValues(t *testing.T) {
	good := func(s alerts.Signal, text string, want ...Value) {
		t.Helper()
		got, err := ParseValues(text, s)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	rate := func(k, n int64) Value { return Value{Numerator: k, Denominator: n} }
	number := func(v float64) Value { return Value{Number: v} }
	state := func(s signal.State) Value { return Value{State: s} }
	gone := Value{Missing: true}

	good(complaints, "30/100000", rate(30, 100000))
	good(complaints, " 1/2x2\n3/4 ", rate(1, 2), rate(1, 2), rate(1, 2), rate(3, 4))
	good(complaints, "10/1000+5/1000x2", rate(10, 1000), rate(15, 2000), rate(20, 3000))
	good(complaints, "10/1000-5/0x2", rate(10, 1000), rate(5, 1000), rate(0, 1000))
	good(complaints, "1/2 _ _x2 stale", rate(1, 2), gone, gone, gone, state(signal.Stale))
	good(complaints, "idlex1 no_data not_reported insufficient error", state(signal.Idle), state(signal.Idle), state(signal.NoData),
		state(signal.NotReported), state(signal.Insufficient), state(signal.Error))
	immature := Value{Numerator: 1, Denominator: 2, State: signal.Immature}
	good(complaints, "1/2:immaturex1", immature, immature)
	good(alerts.GmailSpamRate, "0.15%/40000 0.0005/10x1 _ 1%/5:late", Value{Number: 0.0015, Deliveries: 40000},
		Value{Number: 0.0005, Deliveries: 10}, Value{Number: 0.0005, Deliveries: 10}, gone, Value{Number: 0.01, Deliveries: 5, Late: true})
	good(alerts.QueueLag, "0s+15mx2 1h30m", number(0), number(900), number(1800), number(5400))
	good(alerts.QuarantineGrowth, "120-60x2 7:immature", number(120), number(60), number(0), Value{Number: 7, State: signal.Immature})
	good(alerts.AccountQuotaUsed, "80% 0.5", number(0.8), number(0.5))
}

func TestParseValuesRefuses(t *testing.T) {
	bad := func(s alerts.Signal, text, says string) {
		t.Helper()
		got, err := ParseValues(text, s)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v; want an error that says %q", text, got, err, says)
		}
	}
	bad(complaints, " ", "there is no value")
	bad(complaints, "5", "a rate is written as 30/100000")
	bad(complaints, "5/x", `"5/x"`)
	bad(complaints, "-5/10", "is not a count")
	bad(complaints, "5/4", "more than all")
	bad(complaints, "5/10+5/0x2", "more than all")
	bad(complaints, "0/0", "write idle")
	bad(complaints, "5/10-3/0x2", "less than 0")
	bad(complaints, "5/10+", "says not by how much")
	bad(complaints, "5/10+x3", "")
	bad(complaints, "1/10+1/1000000000000x9", "endless")
	bad(complaints, "5/1e9", "is not a count")
	bad(complaints, "5/10:late", "can be :immature, not :late")
	bad(complaints, "5/10:ok:ok", "is not of the form")
	bad(complaints, "_:immature", "nothing has no state")
	bad(complaints, "idle:immature", "has two states")
	bad(complaints, "ok", "a rate is written")
	bad(complaints, "idlex999999999", "more than 20000 values")
	bad(complaints, "idlex19998 idle idle", "more than 20000 values")
	bad(complaints, strings.Repeat("9", 500)+"/5", "…")
	bad(alerts.GmailSpamRate, "0.15%", "with its deliveries")
	bad(alerts.GmailSpamRate, "0.15%/5+1%/5x2", "days do not grow")
	bad(alerts.GmailSpamRate, "0.15%/5:immature", "can be :late, not :immature")
	bad(alerts.QueueLag, "15", "is not a length of time")
	bad(alerts.AccountQuotaUsed, "80", "more than 100%")
}

// FuzzParseValues holds that no text makes more values than it may, or one that a rule could not be held against.
func FuzzParseValues(f *testing.F) {
	for _, text := range []string{"10/1000+5/1000x2", "0.15%/40000:latex3 _x2", "0s+15mx2", "idlex3 stale", "5/10:immature"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range []alerts.Signal{complaints, alerts.GmailSpamRate, alerts.QueueLag, alerts.QuarantineUsed} {
			values, err := ParseValues(text, s)
			if err != nil {
				continue
			}
			if len(values) > MaxValues {
				t.Errorf("%q makes %d values", text, len(values))
			}
			for _, v := range values {
				if v.Numerator < 0 || v.Numerator > v.Denominator || v.Number < 0 {
					t.Errorf("%q makes %+v", text, v)
				}
			}
		}
	})
}
