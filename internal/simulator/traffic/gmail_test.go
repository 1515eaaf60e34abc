package traffic

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// daysAgo is the start of a day before the anchor's.
func daysAgo(n int) time.Time { return anchor.Truncate(day).AddDate(0, 0, -n) }

func TestGmailOfOneSeedIsTheSame(t *testing.T) {
	first, second := demo(7, 1).Gmail(), demo(7, 1).Gmail()
	second.Day("news.example.com", daysAgo(3)) // asked for in another order
	for n := 9; n > 0; n-- {
		if diff := cmp.Diff(first.Day("news.example.com", daysAgo(n)), second.Day("news.example.com", daysAgo(n).Add(13*time.Hour))); diff != "" {
			t.Errorf("equal seeds differ (-first +second):\n%s", diff)
		}
	}
	if other := demo(8, 1).Gmail(); cmp.Equal(first.Day("news.example.com", daysAgo(3)), other.Day("news.example.com", daysAgo(3))) {
		t.Error("different seeds tell the same")
	}
}

// TestGmailGetsWhatSESDelivers recounts the deliveries of some days from the events that SES publishes.
func TestGmailGetsWhatSESDelivers(t *testing.T) {
	m := demo(7, 1)
	type key struct{ day, value, campaign string }
	want, domains := map[key]int64{}, map[string]int64{}
	stream := m.Stream(daysAgo(4), daysAgo(1))
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		if e.Type != observation.EventDelivery || e.Mail.Provider != "gmail" {
			continue
		}
		c, on, n := e.Mail.Send.Campaign, e.At.Format(time.DateOnly), int64(e.Mail.Recipients)
		domains[on+" "+c.FromDomain] += n
		if c.FromDomain != "news.example.com" {
			continue
		}
		values := []string{AccountValue(c.Account, c.Region), SenderValue}
		if c.Tagging == TagFeedback {
			values = append(values, e.Mail.Send.Name, c.Group)
		}
		for _, value := range values {
			want[key{on, value, c.Tenant + "/" + c.Name}] += n
		}
	}
	g, got := m.Gmail(), map[key]int64{}
	for n := 4; n > 1; n-- {
		on := daysAgo(n).Format(time.DateOnly)
		for value, v := range g.Day("news.example.com", daysAgo(n)).Values {
			for campaign, delivered := range v.Campaigns {
				got[key{on, value, campaign}] += delivered
			}
		}
		for _, domain := range []string{"news.example.com", "acme.example.org", "mail.example.net"} {
			if d := g.Day(domain, daysAgo(n)); d.Delivered != domains[on+" "+domain] || d.Delivered == 0 || d.Inboxed > d.Delivered {
				t.Errorf("%s on %s: %+v, SES delivered %d", domain, on, d.GmailCount, domains[on+" "+domain])
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 30 {
		t.Errorf("deliveries (-SES +Gmail):\n%s", diff)
	}
}

func TestGmailTellsTheStory(t *testing.T) {
	g := demo(1, 1).Gmail()
	sum := func(domain, value string, from, to int) (all GmailCount, campaigns []string) {
		for n := from; n >= to; n-- {
			for name, v := range g.Day(domain, daysAgo(n)).Values {
				if name == value {
					all.add(v.GmailCount)
					for campaign := range v.Campaigns {
						campaigns = append(campaigns, campaign)
					}
				}
			}
		}
		slices.Sort(campaigns)
		return all, slices.Compact(campaigns)
	}
	// Two days ago was Friday.
	if c, campaigns := sum("news.example.com", "flash-friday-20261120", 2, 2); c.Rate() < 0.002 || c.Rate() > 0.007 || len(campaigns) != 1 {
		t.Errorf("flash-friday: %+v %.4f %v", c, c.Rate(), campaigns)
	}
	if c, _ := sum("news.example.com", "flash-friday-20261120", 1, 1); c.Delivered != 0 || c.Reports == 0 {
		t.Errorf("flash-friday on the day after: %+v, want reports of yesterday's mail", c)
	}
	if c, campaigns := sum("news.example.com", "transactional", 6, 4); c.Rate() < 0.002 || len(campaigns) != 3 {
		t.Errorf("transactional: %+v %v", c, campaigns)
	}
	if c, _ := sum("news.example.com", "transactional", 30, 7); c.Rate() > 0.001 {
		t.Errorf("transactional before: %.4f", c.Rate())
	}
	if c, _ := sum("news.example.com", "weekly-digest-20261119", 3, 3); c.Rate() > 0.001 || c.Inboxed < 1000 {
		t.Errorf("weekly-digest: %+v", c)
	}
	if c, campaigns := sum("news.example.com", "autumn-mailing", 6, 5); c.Inboxed < 1200 || c.Reports == 0 || campaigns != nil {
		t.Errorf("autumn-mailing: %+v %v", c, campaigns)
	}
	value := AccountValue("123456789012", "us-east-1")
	if !strings.HasPrefix(value, "1.us-east-1.") || len(value) != len("1.us-east-1.")+44 || !strings.HasSuffix(value, "=") {
		t.Errorf("the account is %s", value)
	}
	if c, campaigns := sum("news.example.com", value, 6, 4); c.Inboxed < 2000 || len(campaigns) < 6 {
		t.Errorf("the account: %+v %v", c, campaigns)
	}
	acme := g.Day("acme.example.org", daysAgo(8))
	if acme.Signed["partner-mailing"].Inboxed < 500 || acme.Values["partner-mailing"].Inboxed != 0 || acme.Inboxed > 400 {
		t.Errorf("mail that acme has only signed: %+v", acme)
	}
	parent, own := g.Day("example.com", daysAgo(6)), g.Day("news.example.com", daysAgo(6))
	if diff := cmp.Diff(own, parent); diff != "" || own.Foreign < 500 || len(own.Errors) < 2 {
		t.Errorf("the parent differs from its one subdomain, or %d foreign, errors %v:\n%s", own.Foreign, own.Errors, diff)
	}
}

func TestSESIsNotToldOfGmail(t *testing.T) {
	from, to := anchor.Add(-2*day), anchor
	quiet := Demo(anchor)
	quiet.Annoyances, quiet.Strangers = nil, nil
	for i := range quiet.Campaigns {
		quiet.Campaigns[i].Rates.GmailReport, quiet.Campaigns[i].Rates.GmailSpam = 0, 0
	}
	m := demo(7, 0.1)
	m.Gmail().Day("news.example.com", daysAgo(1))
	if diff := cmp.Diff(render(New(quiet, Options{Seed: 7, Scale: 0.1}), from, to), render(m, from, to)); diff != "" {
		t.Errorf("reports at Gmail change events (-without +with):\n%s", diff)
	}
}
