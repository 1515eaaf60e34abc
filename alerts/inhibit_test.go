package alerts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/internal/signal"
)

func TestInhibition(t *testing.T) {
	account := Rule{Name: "Account", Signal: AccountBounceRate, By: ByRegion, Warning: above(0.04), Critical: above(0.08), KeepFiringFor: new(time.Duration)}
	complaints := account
	complaints.Name, complaints.Signal = "Complaints", AccountComplaintRate
	region := Subject{Account: "1", Region: "eu"}
	from := func(samples []Sample, account, region string) []Sample {
		for i := range samples {
			samples[i] = labelled(samples[i], field1("account", account), field1("region", region))
		}
		return samples
	}
	d := newDesk(t, to("oncall"), nil, quick(bounceRule()), account, complaints)
	mine, theirs := from(campaigns(80, "a"), "1", "eu"), from(campaigns(80, "b"), "2", "eu")
	unknown := campaigns(80, "c")
	broad := gauge(AccountBounceRate, region, 0.05)
	d.expectSent(d.step(slices.Concat(mine, theirs, unknown, []Sample{broad})...), "oncall opened warning 1", "oncall opened warning 2")
	if len(d.last.Muted) != 1 {
		t.Errorf("%d muted, want one", len(d.last.Muted))
	}
	for _, c := range d.last.Changes {
		if n := c.Notification; n.Rule == "Account" && (len(n.Muted) != 1 || n.Muted[0].Subject.Campaign != "a") {
			t.Errorf("the account's notification lists %v", n.Muted)
		}
	}
	// Once the account is well, what it stood for is told.
	d.after(10 * time.Minute)
	calm := gauge(AccountBounceRate, region, 0.01)
	d.expectSent(d.step(slices.Concat(mine, theirs, unknown, []Sample{calm})...), "oncall closed warning 0 cleared", "oncall joined warning 3")
	// What was told before is not taken back when it is muted, and its end is told.
	d.after(10 * time.Minute)
	d.expectSent(d.step(slices.Concat(mine, theirs, unknown, []Sample{broad})...), "oncall opened warning 1")
	d.after(10 * time.Minute)
	d.expectSent(d.step(append(from(campaigns(0, "a", "b", "c"), "1", "eu"), broad)...), "oncall closed warning 0 cleared")
	// A warning mutes no critical, and another cause mutes nothing.
	d.after(10 * time.Minute)
	d.expectSent(d.step(append(from(campaigns(300, "a"), "1", "eu"), broad)...), "oncall opened critical 1")
	d = newDesk(t, to("oncall"), nil, quick(bounceRule()), account, complaints)
	d.expectSent(d.step(append(from(campaigns(80, "a"), "1", "eu"), gauge(AccountComplaintRate, region, 0.05))...), "oncall opened warning 1", "oncall opened warning 1")
}

// TestInhibitionOfSubdomains holds that what Gmail says of a domain mutes the same about its subdomains, and nothing else; and
// that a campaign is listed where somebody is told of it.
func TestInhibitionOfSubdomains(t *testing.T) {
	rule := func(name string, s Signal, by By) Rule {
		return Rule{Name: name, Signal: s, By: by, Warning: above(0.001).days(Of{1, 1}, 1000), Critical: above(0.003).days(Of{1, 1}, 1000)}
	}
	identifiers := rule("Identifier", GmailIdentifierSpamRate, ByIdentifier)
	identifiers.Critical = nil
	auth := Rule{Name: "Auth", Signal: GmailAuthRate, By: ByDomain, Warning: below(0.95).days(Of{1, 1}, 1000)}
	rules := []Rule{rule("Spam", GmailSpamRate, ByDomain), identifiers, auth}
	spam := func(domain string, value float64) Sample {
		return reading(GmailSpamRate, Subject{Domain: domain}, 9000, value)
	}
	dkim := func(domain, detail string) Sample {
		return reading(GmailAuthRate, Subject{Domain: domain, Detail: detail}, 9000, 0.5)
	}
	identifier := labelled(reading(GmailIdentifierSpamRate, Subject{Domain: "a.example.com", Identifier: "sale"}, 9000, 0.002),
		field1("domain", "b.a.example.com"), field1("domain", "a.example.com"), field1("domain", "example.com"))
	for name, c := range map[string]struct {
		samples []Sample
		sent    []string
		// lists are the alerts that a notification stands for, by its summary's domain.
		lists map[string]int
	}{
		"parent, child and grandchild": {
			[]Sample{spam("b.a.example.com", 0.002), spam("a.example.com", 0.002), spam("example.com", 0.002), identifier},
			[]string{"oncall opened warning 1"}, map[string]int{"example.com": 3},
		},
		"the child is worse": {
			[]Sample{spam("a.example.com", 0.004), spam("example.com", 0.002)},
			[]string{"oncall opened critical 1", "oncall opened warning 1"}, map[string]int{"example.com": 0, "a.example.com": 0},
		},
		"the parent is worse": {
			[]Sample{spam("a.example.com", 0.002), spam("example.com", 0.004)},
			[]string{"oncall opened critical 1"}, map[string]int{"example.com": 1},
		},
		"no subdomain": {
			[]Sample{spam("notexample.com", 0.002), spam("example.com", 0.002)},
			[]string{"oncall opened warning 1", "oncall opened warning 1"}, map[string]int{"example.com": 0, "notexample.com": 0},
		},
		"other figures": {
			[]Sample{dkim("a.example.com", "spf"), dkim("example.com", "dkim")},
			[]string{"oncall opened warning 1", "oncall opened warning 1"}, map[string]int{"example.com": 0, "a.example.com": 0},
		},
		"the same figure": {
			[]Sample{dkim("a.example.com", "dkim"), dkim("example.com", "dkim")},
			[]string{"oncall opened warning 1"}, map[string]int{"example.com": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, to("oncall"), nil, rules...)
			d.expectSent(d.step(c.samples...), c.sent...)
			got := map[string]int{}
			for _, change := range d.last.Changes {
				got[change.Notification.Members[0].Subject.Domain] = len(change.Notification.Muted)
			}
			if diff := cmp.Diff(c.lists, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMutedMutesNothing holds that a campaign is told where what would stand for it is itself muted by something that does not:
// domain d is sent from accounts 1 and 2, campaign b from account 2 alone, and account 1 is the one in trouble.
func TestMutedMutesNothing(t *testing.T) {
	domain := Rule{Name: "Spam", Signal: GmailSpamRate, By: ByDomain, Warning: above(0.001).days(Of{1, 1}, 1000)}
	complaints := Rule{Name: "Complaints", Signal: RateOf(signal.ComplaintRate), By: ByCampaign, Warning: above(0.001)}
	account := Rule{Name: "Account", Signal: AccountComplaintRate, By: ByRegion, Warning: above(0.001)}
	d := newDesk(t, to("oncall"), nil, domain, complaints, account)
	inBoth := labelled(reading(GmailSpamRate, Subject{Domain: "d.example"}, 9000, 0.002), field1("account", "1"), field1("account", "2"))
	a := labelled(ofFigure(signal.ComplaintRate, "a", figure(80, 1000)), field1("account", "1"), field1("domain", "d.example"))
	b := labelled(ofFigure(signal.ComplaintRate, "b", figure(80, 1000)), field1("account", "2"), field1("domain", "d.example"))
	d.expectSent(d.step(inBoth, a, b, gauge(AccountComplaintRate, Subject{Account: "1"}, 0.002)), "oncall opened warning 1", "oncall opened warning 1")
	for _, c := range d.last.Changes {
		var muted []string
		for _, m := range c.Notification.Muted {
			muted = append(muted, m.Subject.String())
		}
		want := map[string][]string{"Account": {"domain d.example", "campaign a"}, "Complaints": nil}[c.Notification.Rule]
		if diff := cmp.Diff(want, muted, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s stands for other alerts:\n%s", c.Notification.Rule, diff)
		}
	}
}

// TestUnheardMutesNothing holds that a campaign is told while nobody hears of the account's alert that would stand for it: a
// route leads nowhere, or is there by day only. One that was told by day goes on standing for it at night, and so does one
// that somebody has silenced.
func TestUnheardMutesNothing(t *testing.T) {
	complaints := Rule{Name: "Complaints", Signal: RateOf(signal.ComplaintRate), By: ByCampaign, Warning: above(0.001)}
	account := Rule{Name: "Account", Signal: AccountComplaintRate, By: ByRegion, Warning: above(0.001)}
	day, err := ParseHours("08:00-18:00", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	campaigns := Route{Match: []Matcher{{Name: "rule", Globs: []string{"Complaints"}}}, To: []string{"oncall"}}
	accounts := Route{Match: []Matcher{{Name: "rule", Globs: []string{"Account"}}}, To: []string{"team"}, Hours: day}
	a := labelled(ofFigure(signal.ComplaintRate, "a", figure(80, 1000)), field1("account", "1"))
	bad := gauge(AccountComplaintRate, Subject{Account: "1"}, 0.002)
	start := func(at time.Duration, routes ...Route) *desk {
		d := newDesk(t, routes, nil, complaints, account)
		d.now = d.now.Truncate(24 * time.Hour).Add(at)
		return d
	}
	d := start(3*time.Hour, campaigns)
	d.expectSent(d.step(a, bad), "oncall opened warning 1", "opened warning 1")
	if len(d.last.Muted) != 0 {
		t.Errorf("muted by what is a dead letter: %v", d.last.Muted)
	}
	d = start(3*time.Hour, campaigns, accounts)
	d.expectSent(d.step(a, bad), "oncall opened warning 1")
	d.after(5 * time.Hour)
	d.expectSent(d.step(a, bad), "team opened warning 1")
	if len(d.last.Muted) != 1 {
		t.Errorf("muted by day: %v", d.last.Muted)
	}
	d = start(17*time.Hour, campaigns, accounts)
	d.expectSent(d.step(bad), "team opened warning 1")
	d.after(10 * time.Hour)
	d.expectSent(d.step(a, bad))
	d = start(12*time.Hour, campaigns, accounts)
	d.silence(Silence{
		ID: "s", Matchers: []Matcher{{Name: "rule", Globs: []string{"Account"}}}, StartsAt: d.now, EndsAt: d.now.Add(time.Hour),
		CreatedBy: "ann", Comment: "known",
	})
	d.expectSent(d.step(a, bad))
}
