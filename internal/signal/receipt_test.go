package signal

import (
	"testing"
	"time"
)

// monday is the start of a week.
var monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

func TestFailingSince(t *testing.T) {
	t.Parallel()
	f := func(asOf int, wantSince, wantLasting int, minutes ...int) {
		t.Helper()
		var starts []time.Time
		for _, m := range minutes {
			starts = append(starts, monday.Add(time.Duration(m)*time.Minute))
		}
		since, lasting := FailingSince(starts, monday.Add(time.Duration(asOf)*time.Minute))
		want := time.Time{}
		if wantSince >= 0 {
			want = monday.Add(time.Duration(wantSince) * time.Minute)
		}
		if !since.Equal(want) || lasting != time.Duration(wantLasting)*time.Minute {
			t.Errorf("%v as of %d: since %s for %s, want %s for %d minutes", minutes, asOf, since, lasting, want, wantLasting)
		}
	}
	f(60, -1, 0)
	f(5, 0, 5, 0)
	f(35, 0, 5, 0)
	f(40, -1, 0, 0)
	f(20, 0, 20, 0, 5, 10, 15)
	f(60, 0, 60, 0, 35, 55)  // the attempts pause
	f(60, 40, 20, 0, 40, 55) // these have ended and begun again
	f(120, -1, 0, 0, 5, 10)  // over
	f(10, 0, 15, 0, 5, 10)   // a period that has not quite ended
	f(1000, 965, 10, 0, 965, 970)
}

func TestSilence(t *testing.T) {
	t.Parallel()
	// office is a rule with mail in each period from nine to five on weekdays, for two weeks.
	var office, steady []time.Time
	for day := range 14 {
		for period := range 24 * 12 {
			at := monday.AddDate(0, 0, day).Add(time.Duration(period) * ReceiptPeriod)
			if wd := at.Weekday(); wd != time.Saturday && wd != time.Sunday && at.Hour() >= 9 && at.Hour() < 17 {
				office = append(office, at)
			}
			steady = append(steady, at)
		}
	}
	f := func(name string, starts []time.Time, after time.Duration, state State, silent bool) {
		t.Helper()
		asOf := monday
		if len(starts) > 0 {
			asOf = starts[len(starts)-1].Add(ReceiptPeriod + after)
		}
		if got := SilenceOf(starts, asOf); got.State != state || got.Silent != silent {
			t.Errorf("%s, %s later: %s and silent %t with the limit %s, want %s and %t",
				name, after, got.State, got.Silent, got.Limit, state, silent)
		}
	}
	f("a rule without mail", nil, 0, Idle, false)
	f("a rule with one mail", steady[:1], 1000*time.Hour, Insufficient, false)
	f("a young rule", steady[:3*288], 100*time.Hour, Insufficient, false)
	f("a rule with little mail", []time.Time{monday, monday.AddDate(0, 0, 3), monday.AddDate(0, 0, 7)}, 1000*time.Hour, Insufficient, false)
	f("a steady rule", steady, time.Hour, OK, false)
	f("a steady rule", steady, time.Hour+time.Second, OK, true)
	f("an office's rule over the weekend", office, 64*time.Hour, OK, false)
	f("an office's rule the week after", office, 129*time.Hour, OK, true)

	recovered := append(append([]time.Time{}, steady[:288*7]...), steady[288*10:]...)
	f("a rule that was silent for three days", recovered, 140*time.Hour, OK, false)
}
