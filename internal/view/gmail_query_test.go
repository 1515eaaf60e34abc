package view

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func TestCampaignsByGmailSpamRate(t *testing.T) {
	m := full()
	for i, c := range []string{"shared-only", "worst", "silent", "better", "shared-too"} {
		name, a := observation.Campaign{Name: c}, c
		if i%4 == 0 {
			a = ""
		}
		m.use(2, name, observation.Stamp{FromDomain: shop, A: a, B: "bulk"}, 1000)
		m.fold(mail(name, "gmail", time.Hour, counts{observation.Delivered: 10})...)
	}
	m.fold(mail(observation.Campaign{Name: "elsewhere"}, "yahoo", time.Hour, counts{observation.Delivered: 10_000})...)
	m.arrive(2, shop, 0.001)
	m.loop(2, shop, "bulk", 0.5)
	m.loop(2, shop, "worst", 0.004)
	m.loop(2, shop, "better", 0.0001)
	v := joined(t, m, Settings{})
	sort, ok := ParseSort("gmail_spam_rate")
	if !ok || !sort.OfCampaigns() {
		t.Fatal("there is no order by Gmail's spam rate")
	}
	var got []string
	for _, c := range v.Campaigns(Query{Window: signal.Week, Sort: sort}).Campaigns {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"worst", "better", "shared-only", "shared-too", "silent", "elsewhere"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got := refreshed(t, m, Settings{}).Campaigns(Query{Window: signal.Week, Sort: sort}).Campaigns[0].ID; got != "better" {
		t.Errorf("before the first join %s comes first, want the first of the names", got)
	}
}

func TestOwnRate(t *testing.T) {
	id := func(share float64, rate float64, state campaign.ReportState) campaign.Identifier {
		i := campaign.Identifier{Share: share, State: state}
		if rate >= 0 {
			i.Rate = &rate
		}
		return i
	}
	carried := id(1, 0.5, campaign.ReportOK)
	carried.CarryOver = true
	for _, c := range []struct {
		name  string
		of    []campaign.Identifier
		rate  float64 // -1 for none
		state campaign.ReportState
	}{
		{"nothing", nil, -1, campaign.ReportNoData},
		{"no day came", []campaign.Identifier{id(1, -1, campaign.ReportNoData)}, -1, campaign.ReportNoData},
		{"own", []campaign.Identifier{id(0.4, 0.5, campaign.ReportOK), id(0.9, 0, campaign.ReportOK)}, 0, campaign.ReportOK},
		{"newest own", []campaign.Identifier{id(1, 0.1, campaign.ReportOK), id(1, 0.2, campaign.ReportOK)}, 0.1, campaign.ReportOK},
		{"old own", []campaign.Identifier{id(1, 0.1, campaign.ReportStale)}, 0.1, campaign.ReportStale},
		{"shared", []campaign.Identifier{id(0.89, 0.5, campaign.ReportOK)}, -1, campaign.ReportNotReported},
		{"of mail before", []campaign.Identifier{carried}, -1, campaign.ReportNotReported},
		{"silent domain", []campaign.Identifier{id(1, -1, campaign.ReportNoData), id(1, -1, campaign.ReportStale)}, -1, campaign.ReportStale},
		{"one of two domains is silent", []campaign.Identifier{id(1, -1, campaign.ReportStale), id(1, -1, campaign.ReportNotReported)},
			-1, campaign.ReportNotReported},
	} {
		own, state := ownRate(c.of)
		got := -1.0
		if own != nil {
			got = *own.Rate
		}
		if got != c.rate || state != c.state {
			t.Errorf("%s: %v %s, want %v %s", c.name, got, state, c.rate, c.state)
		}
	}
}

// TestOneAccountThatMayReadIsEnough: Google accounts are asked one after the other, and what one of them said long ago is over.
func TestOneAccountThatMayReadIsEnough(t *testing.T) {
	type said struct {
		days          int
		account, text string
	}
	for name, c := range map[string]struct {
		said []said
		want string
	}{
		"one may":             {[]said{{0, "a", "no_access"}, {0, "b", "ok"}}, ""},
		"the other may":       {[]said{{0, "a", "ok"}, {0, "b", "no_access"}}, ""},
		"read before the day": {[]said{{0, "a", "no_access"}, {1, "b", "ok"}}, ""},
		"taken away":          {[]said{{0, "a", "no_access"}, {2, "b", "ok"}}, "no_access"},
		"neither may":         {[]said{{1, "a", "no_access"}, {0, "b", "unverified"}}, "unverified"},
		"given":               {[]said{{3, "a", "no_access"}, {0, "a", "ok"}}, ""},
	} {
		m := postbag()
		for _, s := range c.said {
			m.read(s.days, "two.example", observation.PostmasterAccess, s.account, 0).Text = s.text
		}
		got := joined(t, m, Settings{}).Domains(DomainQuery{Domain: "two.example"}).Domains
		if len(got) != 1 || got[0].Access != c.want {
			t.Errorf("%s: %+v, want access %q", name, got, c.want)
		}
	}
}

func TestDomainsOfAQuery(t *testing.T) {
	m := postbag()
	m.arrive(2, "a.example", 0.02)
	m.read(2, "b.example", observation.PostmasterAccess, "", 0).Text = "unverified"
	v := joined(t, m, Settings{})
	for _, c := range []struct {
		query DomainQuery
		total int
		want  []string
	}{
		{DomainQuery{}, 4, []string{"a.example", "b.example", shop, "silent.example"}},
		{DomainQuery{BySpamRate: true}, 4, []string{"a.example", shop, "silent.example", "b.example"}},
		{DomainQuery{Domain: shop}, 1, []string{shop}},
		{DomainQuery{Domain: "nowhere.example"}, 0, nil},
		{DomainQuery{State: campaign.ReportStale}, 1, []string{"silent.example"}},
		{DomainQuery{State: campaign.ReportNoData}, 1, []string{"b.example"}},
		{DomainQuery{Limit: 2, Offset: 1}, 4, []string{"b.example", shop}},
		{DomainQuery{Offset: 9}, 4, nil},
	} {
		c.query.Window = signal.Week
		answer := v.Domains(c.query)
		var got []string
		for _, d := range answer.Domains {
			got = append(got, d.Domain)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || answer.Total != c.total {
			t.Errorf("%+v: total %d, want %d (-want +got):\n%s", c.query, answer.Total, c.total, diff)
		}
	}
}

// A domain with thousands of identifiers is shown with those that users report most.
func TestDomainShowsItsWorstIdentifiers(t *testing.T) {
	m := postbag()
	for i := range 2 * maxOfDomain {
		m.loop(2, shop, fmt.Sprintf("x%03d", i), float64(i)/1000)
	}
	v := joined(t, m, Settings{})
	d := v.Domains(DomainQuery{Window: signal.Week, Domain: shop}).Domains[0]
	if len(d.Identifiers) != maxOfDomain || d.IdentifiersTotal != 2*maxOfDomain+5 || *d.Identifiers[0].SpamRate != 0.099 {
		t.Errorf("%d identifiers of %d, the first with %v", len(d.Identifiers), d.IdentifiersTotal, *d.Identifiers[0].SpamRate)
	}
}

func TestIdentifiersOfAQuery(t *testing.T) {
	m := postbag()
	m.arrive(6, "old.example", 0.1)
	m.loop(6, "old.example", "x", 0.9)
	v := joined(t, m, Settings{})
	for _, c := range []struct {
		query IdentifierQuery
		total int
		want  []string
	}{
		{IdentifierQuery{}, 6, []string{"x", "winter", "spring", "1.eu-west-1.aGFzaA==", "AmazonSES", "bulk"}},
		{IdentifierQuery{ByName: true}, 6, []string{"1.eu-west-1.aGFzaA==", "AmazonSES", "bulk", "spring", "winter", "x"}},
		{IdentifierQuery{Domain: "old.example"}, 1, []string{"x"}},
		{IdentifierQuery{State: campaign.ReportStale}, 1, []string{"x"}},
		{IdentifierQuery{Match: campaign.MatchShared}, 1, []string{"bulk"}},
		{IdentifierQuery{Limit: 1, Offset: 2}, 6, []string{"spring"}},
	} {
		c.query.Window = signal.Week
		answer := v.Identifiers(c.query)
		var got []string
		for _, i := range answer.Identifiers {
			got = append(got, i.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || answer.Total != c.total {
			t.Errorf("%+v: total %d, want %d (-want +got):\n%s", c.query, answer.Total, c.total, diff)
		}
	}
	if got := v.Identifiers(IdentifierQuery{Window: signal.Hour}); got.Total != 0 {
		t.Errorf("%d identifiers of days that begin within an hour", got.Total)
	}
	if got := v.Identifiers(IdentifierQuery{Window: signal.Week, Domain: "old.example"}); len(got.Advice)+len(got.Use)+len(got.NeverReported) > 0 {
		t.Errorf("the answer about one domain speaks of others: %+v", got)
	}
}

// Every kind of advice is told in words.
func TestAdviceHasWords(t *testing.T) {
	for _, kind := range []campaign.AdviceKind{campaign.AdviceTwoFields, campaign.AdviceUnique, campaign.AdviceMissing,
		campaign.AdviceTooSmall, campaign.AdviceCharacters} {
		if adviceText(kind) == "" {
			t.Errorf("%s has no words", kind)
		}
	}
}

// What metrics read is what the answers say, and its age goes by the clock of whoever asks.
func TestGmailWalks(t *testing.T) {
	v := New(postbag(), Options{Group: group})
	v.WalkDomains(func(*Domain) bool { t.Error("a domain before anything is known"); return true })
	v.WalkGmail(func(*GmailSubject) bool { t.Error("a campaign before anything is known"); return true })
	if v.GmailFresh(campaign.DayOf(noon, time.UTC), noon) {
		t.Error("something is fresh before anything is known")
	}
	v = joined(t, postbag(), Settings{})
	var domains, campaigns []string
	v.WalkDomains(func(d *Domain) bool {
		domains = append(domains, fmt.Sprint(d.Domain, " ", d.Spam.Rate, " ", d.Newest, " ", len(d.Identifiers)))
		return true
	})
	if diff := cmp.Diff([]string{shop + " 0.0009 2026-11-18 5", "silent.example 0.0002 2026-11-14 0"}, domains); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	v.WalkGmail(func(s *GmailSubject) bool {
		line := s.Tenant + "/" + s.Campaign
		if s.Own != nil {
			line += fmt.Sprint(" ", *s.Own.Rate, " of ", s.Own.Day)
		}
		for _, b := range s.Bounds {
			line += fmt.Sprintf(", at most %.4g on %d days of %s", b.Complaints, b.Days, b.Window)
		}
		campaigns = append(campaigns, line)
		return true
	})
	slices.Sort(campaigns)
	want := []string{"/spring 0.0021 of 2026-11-17, at most 12.6 on 1 days of 7d", "acme/spring, at most 12.8 on 1 days of 7d"}
	if diff := cmp.Diff(want, campaigns); diff != "" {
		t.Errorf("campaigns (-want +got):\n%s", diff)
	}
	day := campaign.DayOf(noon, time.UTC) - 3
	for at, want := range map[time.Duration]bool{0: true, 35 * time.Hour: true, 36 * time.Hour: false} {
		if got := v.GmailFresh(day, noon.Add(at)); got != want {
			t.Errorf("fresh after %v: %v", at, got)
		}
	}
}
