package view

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// dayText is what is told of a day so many days ago.
type dayText struct {
	Ago        int
	Value      float64 // -1 for none
	Deliveries int64
	Late       bool
}

// daysOf is what is told of a metric day by day, by what it is about.
func daysOf(v *View, metric string) map[string][]dayText {
	all := map[string][]dayText{}
	today := campaign.DayOf(noon, time.UTC)
	v.WalkGmailDays(metric, func(s *GmailSeries) bool {
		name := s.Domain + "|" + s.Identifier + s.Detail + "|" + s.State.String()
		if s.Own != nil {
			name += "|" + s.Own.Campaign
		}
		days := []dayText{}
		for _, d := range s.Days {
			text := dayText{int(today - d.Day), -1, d.Deliveries, d.Late}
			if d.Value != nil {
				text.Value = *d.Value
			}
			days = append(days, text)
		}
		all[name] = days
		return true
	})
	return all
}

func TestGmailDays(t *testing.T) {
	m := postbag()
	m.read(4, shop, observation.PostmasterArrived, "", 1).FirstSeen = noon // back-filled
	m.arrive(5, shop, 0.004)
	for i := range m.readings {
		if r := &m.readings[i]; r.Start.Equal(noon.AddDate(0, 0, -5).Truncate(24 * time.Hour)) {
			r.FirstSeen = noon // read four days and a half after its end
		}
	}
	v := joined(t, m, Settings{})
	f := func(metric string, want map[string][]dayText) {
		t.Helper()
		if diff := cmp.Diff(want, daysOf(v, metric)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", metric, diff)
		}
	}
	f(observation.PostmasterSpamRate, map[string][]dayText{
		shop + "||ok":           {{2, 0.0009, 300, false}, {3, 0.0031, 8000, false}, {4, -1, 0, false}, {5, 0.004, 0, true}},
		"silent.example||error": {{6, 0.0002, 0, false}},
	})
	f(observation.PostmasterAuthRate, map[string][]dayText{
		shop + "|dkim|ok": {{2, 0.99, 300, false}, {3, 0.5, 8000, false}, {4, -1, 0, false}, {5, -1, 0, true}},
	})
	// The rate of the day before yesterday's few mails speaks of those of the day before.
	f(observation.PostmasterFeedbackLoopSpamRate, map[string][]dayText{
		shop + "|spring|ok|spring": {{2, -1, 0, false}, {3, 0.0021, 6000, false}, {4, -1, 0, false}, {5, -1, 0, true}},
		shop + "|bulk|ok":          {{2, -1, 0, false}, {3, 0.0016, 8000, false}, {4, -1, 0, false}, {5, -1, 0, true}},
	})
}

// Where a domain stands that tells nothing new depends on whether it was asked, and whether there was mail.
func TestGmailDomainStates(t *testing.T) {
	f := func(want signal.State, arrived, asked int, mail ...int) {
		t.Helper()
		m := season()
		if arrived > 0 {
			m.arrive(arrived, shop, 0.001)
		}
		m.read(asked, shop, observation.PostmasterAccess, "", 0).Text = accessOK
		for _, days := range mail {
			m.use(days, observation.Campaign{Name: "spring"}, observation.Stamp{FromDomain: "news." + shop}, 100)
		}
		v := joined(t, m, Settings{})
		n := 0
		v.WalkGmailDays(observation.PostmasterSpamRate, func(s *GmailSeries) bool {
			if n++; s.State != want || s.Domain != shop {
				t.Errorf("arrived %d, asked %d, mail %v: %s of %s, want %s", arrived, asked, mail, s.State, s.Domain, want)
			}
			return true
		})
		if n != 1 {
			t.Errorf("arrived %d, asked %d, mail %v: %d series", arrived, asked, mail, n)
		}
	}
	f(signal.OK, 2, 0)
	f(signal.OK, 4, 0, 4)
	f(signal.Stale, 5, 0, 4)
	f(signal.Stale, 8, 0, 6)
	f(signal.Idle, 5, 0)
	f(signal.Idle, 8, 0, 9, 2) // what was sent two days ago may still come
	f(signal.Stale, 8, 3)
	f(signal.NoData, 0, 0, 6)
	f(signal.Idle, 0, 0)
}

// A day whose deliveries may not all be known is not told of yet.
func TestGmailDaysWaitForDeliveries(t *testing.T) {
	m := postbag()
	var lag time.Duration
	var failing time.Time
	v := New(m, Options{Group: group, Lag: func() time.Duration { return lag }, FailingSince: func() time.Time { return failing }})
	check(t, v.Refresh(t.Context()))
	f := func(newest int) {
		t.Helper()
		check(t, v.RefreshGmail(t.Context()))
		if got := daysOf(v, observation.PostmasterSpamRate)[shop+"||ok"]; len(got) == 0 || got[0].Ago != newest {
			t.Errorf("lag %v, failing since %v: %v, want days from %d days ago on", lag, failing, got, newest)
		}
	}
	f(2)
	lag = 36 * time.Hour // the end of the day before yesterday
	f(2)
	lag = 37 * time.Hour
	f(3)
	lag, failing = 0, noon.Add(-37*time.Hour)
	f(3)
}

func TestPlaces(t *testing.T) {
	v := joined(t, postbag(), Settings{})
	want := Places{Domains: []string{"news." + shop, shop}, Accounts: []string{home.Account}, Regions: []string{home.Region}}
	if diff := cmp.Diff(want, v.Places()[campaign.Name{Campaign: "spring"}]); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if got := v.Places()[campaign.Name{Campaign: "nobody"}]; got.Accounts != nil {
		t.Errorf("a campaign without mail was sent from %v", got)
	}
}

// What a first pass brings of earlier days is neither late nor missing, although we know nothing of their mail; days that come
// late afterwards are.
func TestDomainDays(t *testing.T) {
	m := season()
	first := noon.AddDate(0, 0, -6) // of the first pass
	for _, days := range []int{14, 13, 12, 11, 10, 9, 8, 5, 4, 2} {
		m.arrive(days, shop, 0.001)
	}
	for i := range m.readings {
		if r := &m.readings[i]; r.FirstSeen.Before(first) {
			r.FirstSeen, r.LastChanged = first, first
		}
		if r := &m.readings[i]; r.Start.Equal(noon.AddDate(0, 0, -5).Truncate(24 * time.Hour)) {
			r.FirstSeen, r.LastChanged = noon, noon // four days and a half after its end
		}
	}
	m.read(3, shop, observation.PostmasterArrived, "", 1) // without a rate
	m.use(2, observation.Campaign{Name: "spring"}, observation.Stamp{FromDomain: "news." + shop}, 100)
	for i := range m.readings {
		if r := &m.readings[i]; r.Start.Equal(noon.AddDate(0, 0, -4).Truncate(24*time.Hour)) && r.Key.Metric == observation.PostmasterSpamRate {
			r.LastChanged = noon
		}
	}
	var got []string
	for _, d := range joined(t, m, Settings{}).DomainDays(shop) {
		text := strconv.Itoa(int(campaign.DayOf(noon, time.UTC) - d.Day))
		for _, of := range []struct {
			is   bool
			name string
		}{{!d.Arrived, "no data"}, {d.SpamRate != nil, "rate"}, {d.Late, "late"}, {d.Revised, "revised"}} {
			if of.is {
				text += " " + of.name
			}
		}
		if d.Deliveries != nil {
			text += " " + strconv.FormatInt(*d.Deliveries, 10)
		}
		got = append(got, text)
	}
	want := []string{
		"2 rate 100", "3 0", "4 rate revised 0", "5 rate late 0", "6 no data 0", "7 no data 0", "8 rate 0", "9 rate 0", "10 rate", "11 rate",
		"12 rate", "13 rate", "14 rate",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
}
