package view

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

func TestInboundSelect(t *testing.T) {
	t.Parallel()
	p := busyRoom()
	p.region.Region = "eu-west-9"
	p.did(30, "main", "reply", "received", 1)
	p.readThrough(5)
	p.region.Region = home.Region
	v := p.look(t, served(t))
	f := func(q InboundQuery, total, regions int, want string) {
		t.Helper()
		in := v.Inbound(signal.Day).Select(q)
		var got []string
		for _, r := range in.Rules {
			got = append(got, r.ReceiptRule)
		}
		if strings.Join(got, " ") != want || in.Total != total || len(in.Regions) != regions {
			t.Errorf("%+v: %v of %d in %d regions, want %s of %d in %d", q, got, in.Total, len(in.Regions), want, total, regions)
		}
	}
	const all = "dmarc unsub-spring unsub reply reply"
	f(InboundQuery{}, 5, 2, all)
	f(InboundQuery{Sort: "problem"}, 5, 2, all)
	f(InboundQuery{Sort: "name"}, 5, 2, "dmarc reply unsub unsub-spring reply")
	f(InboundQuery{Sort: observation.ReceiptReceived}, 5, 2, "unsub-spring dmarc reply reply unsub")
	f(InboundQuery{Limit: 2, Offset: 1}, 5, 2, "unsub-spring unsub")
	f(InboundQuery{Offset: 9}, 5, 2, "")
	f(InboundQuery{Region: "eu-west-9"}, 1, 1, "reply")
	f(InboundQuery{Account: home.Account}, 5, 2, all)
	f(InboundQuery{Account: "1"}, 0, 0, "")
	f(InboundQuery{RuleSet: "other"}, 0, 2, "")
	f(InboundQuery{Match: matcher(t, "unsub*")}, 2, 2, "unsub-spring unsub")
	f(InboundQuery{Purpose: PurposeReply}, 1, 2, "reply")
	f(InboundQuery{Problem: AnyProblem}, 4, 2, "dmarc unsub-spring unsub reply")
	f(InboundQuery{Problem: ProblemFailing}, 1, 2, "unsub-spring")
	f(InboundQuery{Campaign: "promo-1"}, 4, 2, "dmarc unsub reply reply")
	f(InboundQuery{Campaign: "spring", Problem: ProblemFailing}, 1, 2, "unsub-spring")
}

func (p *postroom) sentBy(campaigns ...string) {
	for _, name := range campaigns {
		p.fold(mail(observation.Campaign{Name: name}, "yahoo", time.Hour, counts{observation.Sent: 1})...)
	}
}

// A campaign's own rules are flagged before those that all share, however bad these are; what is silent, and shared, flags
// none.
func TestInboundFlags(t *testing.T) {
	t.Parallel()
	p := busyRoom()
	p.sentBy("spring", "promo-1", "other")
	v := p.look(t, served(t))
	got := map[string]*InboundFlag{}
	for _, c := range v.Campaigns(Query{Window: signal.Day}).Campaigns {
		got[c.ID] = c.Inbound
		d, err := v.Campaign(t.Context(), "", c.ID, signal.Day)
		check(t, err)
		if diff := cmp.Diff(c.Inbound, d.Campaign.Inbound); diff != "" || len(d.Inbound) < 2 {
			t.Errorf("%s by itself has %d rules with problems and the flag\n%s", c.ID, len(d.Inbound), diff)
		}
	}
	want := map[string]*InboundFlag{
		"spring":  {Problem: ProblemFailing, Purpose: PurposeUnsubscribe, ReceiptRule: "unsub-spring", Rules: 2},
		"promo-1": {Problem: ProblemDisabled, Purpose: PurposeUnsubscribe, ReceiptRule: "unsub", Rules: 2},
		"other":   {Problem: ProblemLost, Purpose: PurposeDMARC, ReceiptRule: "dmarc", Rules: 1, Shared: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	quiet := newPostroom()
	quiet.sentBy("spring")
	if c := quiet.look(t, served(t)).Campaigns(Query{Window: signal.Day}).Campaigns[0]; c.Inbound != nil {
		t.Errorf("without any problem: %+v", c.Inbound)
	}
}
