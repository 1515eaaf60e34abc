package view

import (
	"fmt"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/campaign"
	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

const shop = "shop.example"

// use is mail of a campaign at noon so many days ago.
func (m *memory) use(days int, c observation.Campaign, s observation.Stamp, gmail int64) {
	m.uses = append(m.uses, ledger.UseRow{
		Hour: noon.AddDate(0, 0, -days).Truncate(time.Hour), Account: home.Account, Region: home.Region, Campaign: c, Stamp: s,
		Sent: 2 * gmail, GmailDelivered: gmail,
	})
}

// read is a reading of v2 about the day so many days ago, which came a day and a half after it had begun.
func (m *memory) read(days int, domain, metric, detail string, value float64) *ledger.ReadingRow {
	start := noon.AddDate(0, 0, -days).Truncate(24 * time.Hour)
	m.readings = append(m.readings, ledger.ReadingRow{
		Reading: observation.Reading{
			Key: observation.ReadingKey{
				Source: observation.PostmasterV2, Subject: domain, Metric: metric, Detail: detail,
			},
			Start: start, End: start.AddDate(0, 0, 1), Value: &value,
		},
		FirstSeen: start.Add(36 * time.Hour), LastChanged: start.Add(36 * time.Hour),
	})
	return &m.readings[len(m.readings)-1]
}

func (m *memory) arrive(days int, domain string, rate float64) {
	m.read(days, domain, observation.PostmasterArrived, "", 1)
	m.read(days, domain, observation.PostmasterSpamRate, "", rate)
}

func (m *memory) loop(days int, domain, identifier string, rate float64) *ledger.ReadingRow {
	detail := observation.FeedbackLoopDetail(observation.PostmasterFromHeader, identifier)
	return m.read(days, domain, observation.PostmasterFeedbackLoopSpamRate, detail, rate)
}

// postbag is the mail of season with what Gmail says about some of it.
func postbag() *memory {
	m := season()
	spring := observation.Campaign{Name: "spring", Send: "spring-3"}
	stamp := func(a, b string) observation.Stamp { return observation.Stamp{FromDomain: "news." + shop, A: a, B: b} }
	m.use(3, spring, stamp("spring", "bulk"), 6000)
	m.use(2, spring, stamp("spring", "bulk"), 300)
	m.use(3, observation.Campaign{Tenant: "acme", Name: "spring"}, stamp("acme", "bulk"), 2000)
	m.use(0, observation.Campaign{Name: "otp"}, stamp("", ""), 500)
	m.fold(mail(observation.Campaign{Name: "spring", Send: "spring-3"}, "gmail", 3*24*time.Hour, counts{observation.Delivered: 6000})...)
	m.arrive(3, shop, 0.0031)
	m.arrive(2, shop, 0.0009)
	m.arrive(6, "silent.example", 0.0002)
	m.loop(3, shop, "spring", 0.0021)
	m.loop(2, shop, "spring", 0.011)
	m.loop(3, shop, "bulk", 0.0016)
	m.loop(3, shop, "1.eu-west-1.aGFzaA==", 0.0016)
	m.loop(3, shop, "AmazonSES", 0.0016)
	m.loop(2, shop, "winter", 0.05)
	m.read(2, shop, "auth_success_rate", "dkim", 0.99)
	m.read(3, shop, "auth_success_rate", "dkim", 0.5)
	m.read(0, "silent.example", observation.PostmasterAccess, "", 0).Text = "no_access"
	m.read(0, shop, observation.PostmasterAccess, "", 0).Text = "ok"
	return m
}

func joined(t *testing.T, m *memory, s Settings) *View {
	t.Helper()
	v := refreshed(t, m, s)
	check(t, v.RefreshGmail(t.Context()))
	return v
}

func TestGmailAnswers(t *testing.T) {
	v := joined(t, postbag(), Settings{})
	golden(t, "gmail_domains.json", v.Domains(DomainQuery{Window: signal.Week}))
	golden(t, "gmail_identifiers.json", v.Identifiers(IdentifierQuery{Window: signal.Week}))
	parts := map[string]*Gmail{}
	for _, c := range v.Campaigns(Query{Window: signal.Week}).Campaigns {
		parts[c.Tenant+"/"+c.ID] = c.Gmail
	}
	golden(t, "gmail_campaigns.json", parts)
	detail, err := v.Campaign(t.Context(), "", "spring", signal.Day)
	check(t, err)
	golden(t, "gmail_campaign_day.json", detail.Campaign.Gmail)
	for _, c := range v.Campaigns(Query{Window: signal.Week, Provider: "yahoo"}).Campaigns {
		if c.Gmail != nil {
			t.Errorf("%s at yahoo has a part about Gmail", c.ID)
		}
	}
}

// Before anything is known there are answers, which say nothing.
func TestGmailBeforeTheFirstRefresh(t *testing.T) {
	v := New(&memory{}, Options{Group: group})
	check(t, v.RefreshGmail(t.Context()))
	if d, i := v.Domains(DomainQuery{Window: signal.Week}), v.Identifiers(IdentifierQuery{Window: signal.Week}); len(d.Domains) != 0 || i.Total != 0 {
		t.Errorf("domains %v, identifiers %v", d, i)
	}
	v = refreshed(t, postbag(), Settings{})
	if got := v.Campaigns(Query{Window: signal.Week}).Campaigns[0].Gmail; got != nil {
		t.Errorf("Gmail part %v", got)
	}
}

func boundOf(t *testing.T, v *View, id string) *float64 {
	t.Helper()
	d, err := v.Campaign(t.Context(), "", id, signal.Week)
	check(t, err)
	if d.Campaign.Gmail == nil {
		t.Fatalf("%s has no part about Gmail", id)
	}
	return d.Campaign.Gmail.ComplaintsUpperBound
}

// Saved events of days that were joined already are joined at the next turn.
func TestGmailJoinsMailThatIsCountedLate(t *testing.T) {
	m := postbag()
	uses := m.uses
	m.uses = nil
	v := joined(t, m, Settings{})
	if got := boundOf(t, v, "spring"); got != nil {
		t.Fatalf("a bound without any use: %v", *got)
	}
	m.uses = uses
	m.fold(mail(observation.Campaign{Name: "spring", Send: "spring-3"}, "gmail", 3*24*time.Hour, counts{observation.Delivered: 1})...)
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshGmail(t.Context()))
	if got := boundOf(t, v, "spring"); got == nil || *got != 6000*0.0021 {
		t.Errorf("bound %v, want 12.6", got)
	}
}

func TestGmailRevision(t *testing.T) {
	m := postbag()
	v := joined(t, m, Settings{})
	if got := boundOf(t, v, "spring"); got == nil || *got != 6000*0.0021 {
		t.Fatalf("bound %v, want 12.6", got)
	}
	for i := range m.readings {
		r := &m.readings[i]
		if r.Key.Detail == "FROM_HEADER/spring" {
			r.Value, r.LastChanged = new(0.001), m.asOf
		}
	}
	m.asOf = m.asOf.Add(readingsEvery)
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshGmail(t.Context()))
	if got := boundOf(t, v, "spring"); got == nil || *got != 6 {
		t.Errorf("bound after the revision %v, want 6", got)
	}
}

// A zone that was changed leaves readings of a day under two sets of bounds: the later ones count, and only once.
func TestGmailDayInTwoZones(t *testing.T) {
	pacific := time.FixedZone("pacific", -8*60*60)
	m := postbag()
	for i := range m.readings {
		r := m.readings[i]
		r.Start, r.End = r.Start.Add(8*time.Hour), r.End.Add(8*time.Hour)
		r.FirstSeen, r.LastChanged = r.FirstSeen.Add(time.Hour), r.LastChanged.Add(time.Hour)
		if r.Key.Detail == "FROM_HEADER/spring" {
			r.Value = new(*r.Value * 2)
		}
		m.readings = append(m.readings, r)
	}
	v := joined(t, m, Settings{DayZone: pacific})
	if got := boundOf(t, v, "spring"); got == nil || *got != 6000*0.0042 {
		t.Errorf("bound %v, want 25.2", got)
	}
	for _, d := range v.Domains(DomainQuery{Window: signal.Week}).Domains {
		if d.Domain == shop && d.DaysReported != 2 {
			t.Errorf("%d days reported, want 2", d.DaysReported)
		}
	}
	// Noon of UTC is four in the morning there; mail of six hours earlier belongs to the day before.
	m.uses = nil
	m.uses = append(m.uses, ledger.UseRow{
		Hour: noon.Truncate(24 * time.Hour).Add(7*time.Hour - 48*time.Hour), Campaign: observation.Campaign{Name: "spring"},
		Stamp: observation.Stamp{FromDomain: shop, A: "spring"}, Sent: 1, GmailDelivered: 1000,
	})
	v = joined(t, m, Settings{DayZone: pacific})
	if got := boundOf(t, v, "spring"); got == nil || *got != 1000*0.0042 {
		t.Errorf("bound %v, want that of the day before", got)
	}
}

// Without Send or Delivery events since long enough nobody can say that we did not send something.
func TestGmailBeforeTheLedger(t *testing.T) {
	m := &memory{asOf: noon}
	m.publish(home, observation.EventSend, noon.AddDate(0, 0, -3))
	m.arrive(2, shop, 0.1)
	m.loop(2, shop, "winter", 0.1)
	v := joined(t, m, Settings{})
	if got := v.Identifiers(IdentifierQuery{Window: signal.Week}).Identifiers[0].Match; got != campaign.MatchNotCovered {
		t.Errorf("match %s, want %s", got, campaign.MatchNotCovered)
	}
}

// Most of what was read is kept for the next time.
func TestGmailReadsLittle(t *testing.T) {
	m := postbag()
	v := joined(t, m, Settings{})
	whole := m.reads
	m.reads, m.asOf = 0, m.asOf.Add(time.Minute)
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshGmail(t.Context()))
	if m.reads == 0 || m.reads > whole/4 {
		t.Errorf("%d readings, %d the first time", m.reads, whole)
	}
	m.asOf = m.asOf.Add(20 * 24 * time.Hour)
	check(t, v.Refresh(t.Context()))
	check(t, v.RefreshGmail(t.Context()))
	if n := len(v.joiner.uses); n != usedDays {
		t.Errorf("%d days are kept, want %d", n, usedDays)
	}
}

// What is too much to be told apart keeps its sums, and which fields it had.
func TestFoldOfUses(t *testing.T) {
	var d dayUses
	for i := range 10 {
		d.rows = append(d.rows, campaign.Use{
			Campaign: campaign.Name{Campaign: fmt.Sprint(i)}, Stamp: observation.Stamp{FromDomain: shop, A: fmt.Sprint("a", i)},
			Sent: 10, GmailDelivered: int64(i),
		})
	}
	d.fold(7)
	if len(d.rows) != 8 || d.folded != 3 {
		t.Fatalf("%d rows, %d folded; want 8, 3", len(d.rows), d.folded)
	}
	want := campaign.Use{
		Campaign: campaign.Name{Campaign: observation.Other}, Stamp: observation.Stamp{FromDomain: shop, A: observation.Other},
		Sent: 30, GmailDelivered: 0 + 1 + 2,
	}
	if d.rows[7] != want {
		t.Errorf("the rest is %+v, want %+v", d.rows[7], want)
	}
}
