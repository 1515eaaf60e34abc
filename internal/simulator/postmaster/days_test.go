package postmaster_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulator/postmaster"
)

func november(day int) time.Time { return time.Date(2026, time.November, day, 15, 0, 0, 0, time.UTC) }

var spamQuery = span(`,"pageSize":200`, metric("spam", "SPAM_RATE", ""))

func TestDaysAppearSomeTimeAfterTheirEnd(t *testing.T) {
	w := start(t)
	w.clock.add(-time.Hour - time.Second) // 26 hours after the end of the 18th, less a second
	if days := w.query(spamQuery).days(); slices.Contains(days, 18) {
		t.Errorf("the 18th is there too early: %v", days)
	}
	w.clock.add(time.Second)
	if days := w.query(spamQuery).days(); !slices.Contains(days, 18) {
		t.Errorf("the 18th is not there: %v", days)
	}
	w.clock.add(24 * time.Hour)
	if days := w.query(spamQuery).days(); !slices.Contains(days, 19) || slices.Contains(days, 20) {
		t.Errorf("a day later: %v, want up to the 19th", days)
	}
}

func TestDaysAreKeptForATime(t *testing.T) {
	w := start(t)
	w.clock.add(115 * 24 * time.Hour) // up to 15 March; 120 days before is 15 November
	if days := w.query(spamQuery).days(); !slices.Equal(days[:2], []int{15, 16}) {
		t.Errorf("days %v, want them from the 15th on", days)
	}
	fresh := start(t, func(o *postmaster.Options) { o.Domains[0].Created = november(14) })
	if days := fresh.query(spamQuery).days(); days[0] != 14 {
		t.Errorf("days %v of a domain added on the 14th", days)
	}
}

func TestQuirks(t *testing.T) {
	at := time.Date(2026, time.November, 20, 3, 0, 0, 0, time.UTC)
	w := start(t, func(o *postmaster.Options) {
		o.Quirks = []postmaster.Quirk{
			{Domain: "example.com", Day: november(15), Appears: at.Add(time.Hour)},
			{Domain: "example.com", Day: november(16), Never: true},
			{Domain: "example.com", Day: november(18), Revised: at.Add(2 * time.Hour), Draft: 0.4},
		}
	})
	rate := func() float64 {
		stats := w.query(spamQuery).DomainStats
		return *stats[len(stats)-1].Value.FloatValue
	}
	truth := func(day int, id string) postmaster.Truth { return w.server.Truth("example.com", november(day), id) }
	if days := w.query(spamQuery).days(); !slices.Equal(days, []int{10, 11, 12, 13, 14, 18}) || rate() != 0.0012 {
		t.Errorf("days %v, rate %v; want neither the 15th nor the 16th, and 12 of 31 reports", days, rate())
	}
	if d, v := truth(18, ""), truth(18, "welcome-series"); d.Reports != 31 || d.Rate != 0.0012 || v.Reported || v.Reports != 4 || truth(15, "").Published {
		t.Errorf("before the revision: %+v, %+v", d, v)
	}
	w.clock.add(time.Hour)
	if days := w.query(spamQuery).days(); !slices.Contains(days, 15) || !truth(15, "").Published {
		t.Errorf("days %v, want the late 15th", days)
	}
	w.clock.add(time.Hour)
	if v := truth(18, "welcome-series"); rate() != 0.0031 || !v.Reported || v.Rate != 0.004 {
		t.Errorf("after the revision: %v, %+v", rate(), v)
	}
	if truth(16, "").Published || slices.Contains(w.query(spamQuery).days(), 16) {
		t.Error("the 16th came")
	}
}

func TestTruthKnowsTheThresholds(t *testing.T) {
	w := start(t)
	for id, want := range map[string]bool{"welcome-series": true, "192.0.2.25": true, "small": false, "liked": false, "signed": false, "nobody": false} {
		if got := w.server.Truth("example.com", november(18), id); got.Reported != want || !got.Published {
			t.Errorf("%s: %+v, want reported %v", id, got, want)
		}
	}
	for _, name := range []string{"else.example.com", "example.com"} {
		if got := w.server.Truth(name, november(17), ""); got.Published || got.Inboxed != 174 {
			t.Errorf("the 17th of %s: %+v", name, got)
		}
	}
}

func TestVersionOne(t *testing.T) {
	w := start(t)
	type stats struct {
		Name                                                                                                     string
		UserReportedSpamRatio, UserReportedSpamRatioLowerBound, UserReportedSpamRatioUpperBound, SpfSuccessRatio float64
		DomainReputation                                                                                         string
		SpammyFeedbackLoops                                                                                      []struct {
			ID        string
			SpamRatio float64
		}
	}
	var day stats
	if err := json.Unmarshal(w.get("/v1/domains/example.com/trafficStats/20261118"), &day); err != nil {
		t.Fatal(err)
	}
	if day.UserReportedSpamRatio != 0.0031 || day.SpfSuccessRatio != 0.95 || day.DomainReputation != "LOW" || len(day.SpammyFeedbackLoops) != 5 ||
		math.Abs(day.UserReportedSpamRatioLowerBound-0.00218) > 0.0001 || math.Abs(day.UserReportedSpamRatioUpperBound-0.0044) > 0.0001 {
		t.Errorf("%+v", day)
	}
	list := func(parameters string) (names []string) {
		var answer struct{ TrafficStats []stats }
		if err := json.Unmarshal(w.get("/v1/domains/example.com/trafficStats?"+parameters), &answer); err != nil {
			t.Fatal(err)
		}
		for _, s := range answer.TrafficStats {
			names = append(names, s.Name[len("domains/example.com/trafficStats/"):])
		}
		return names
	}
	from := "startDate.year=2026&startDate.month=11&startDate.day=15"
	to := "&endDate.year=2026&endDate.month=11&endDate.day=18"
	// The newest first, and without the end.
	if diff := cmp.Diff([]string{"20261116", "20261115"}, list(from+to)); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if names := list(""); len(names) != 10 || names[0] != "20261118" {
		t.Errorf("the first page: %v", names)
	}
	for path, want := range map[string]string{"/20261117": "NOT_FOUND", "/20261119": "NOT_FOUND", "/2026-11-18": "INVALID_ARGUMENT", "?" + from: "INVALID_ARGUMENT",
		"?" + from + "&endDate.year=2026&endDate.month=11&endDate.day=14": "INVALID_ARGUMENT", "?" + from + "&endDate.year=x": "INVALID_ARGUMENT"} {
		if got := w.reason(w.ask("/v1/domains/example.com/trafficStats" + path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
