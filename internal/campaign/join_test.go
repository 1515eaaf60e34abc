package campaign

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

const today Day = 20_000

// used is mail of a campaign, "tenant/campaign" or "campaign", so many days ago, with a Feedback-ID. A tenth more was sent
// than was delivered to Gmail.
func used(ago int, campaign, from, feedbackID string, delivered int64) Use {
	tenant, name, ok := strings.Cut(campaign, "/")
	if !ok {
		tenant, name = "", campaign
	}
	return Use{
		Day: today - Day(ago), Account: "1", Region: "us-east-1", Campaign: Name{tenant, name},
		Stamp: observation.Stamp{
			FromDomain: from, A: feedbackField(feedbackID, placeA), B: feedbackField(feedbackID, placeB),
			C: feedbackField(feedbackID, placeC), FeedbackFrom: feedbackField(feedbackID, placeSender),
		},
		Sent: delivered + delivered/10, GmailDelivered: delivered,
	}
}

func reported(ago int, domain, identifier string, rate float64) Reading {
	return Reading{
		Source: observation.PostmasterV2, Domain: domain, Aggregation: observation.PostmasterFromHeader, Identifier: identifier,
		Day: today - Day(ago), Rate: &rate,
	}
}

func arrived(ago int, domain string) Arrival {
	return Arrival{observation.PostmasterV2, domain, today - Day(ago)}
}

// said is what a test expects of a reading; the rest of it repeats the input.
type said struct {
	Match              Match
	Users              string
	SharedBy           int
	OfDay, OfThreeDays int64
	CarryOver          bool
}

func sayings(j *Join) []said {
	var all []said
	for _, r := range j.Readings() {
		s := said{r.Match, "", r.SharedBy, r.OfDay, r.OfThreeDays, r.CarryOver}
		for _, u := range r.Users {
			s.Users += strings.TrimPrefix(u.Tenant+"/"+u.Campaign, "/") + "=" + u.Field + " "
		}
		s.Users = strings.TrimSpace(s.Users)
		all = append(all, s)
	}
	return all
}

func TestJoin(t *testing.T) {
	const shop, news = "shop.example", "news.shop.example"
	v1 := func(r Reading) Reading {
		r.Source, r.Aggregation = observation.PostmasterV1, observation.PostmasterUnstated
		return r
	}
	for _, c := range []struct {
		name     string
		uses     []Use
		readings []Reading
		want     []said
		// bounds are by campaign; those that are not known are left out.
		bounds map[string]Bound
	}{
		{
			name:     "own",
			uses:     []Use{used(2, "spring", shop, "spring:bulk::", 6000), used(2, "autumn", shop, "autumn:bulk::", 1000)},
			readings: []Reading{reported(2, shop, "spring", 0.002)},
			want:     []said{{MatchOwn, "spring=a", 1, 6000, 6000, false}},
			bounds:   map[string]Bound{"spring": {12, 1, 6000, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name: "own although others have a tenth",
			uses: []Use{used(2, "spring", shop, "spring:::", 900), used(2, "test", shop, "spring:::", 100)},
			readings: []Reading{
				reported(2, shop, "spring", 0.01),
			},
			want: []said{{MatchOwn, "spring=a test=a", 2, 1000, 1000, false}},
			bounds: map[string]Bound{
				"spring": {10, 1, 900, observation.PostmasterV2, shop, "a", today - 2},
				"test":   {10, 1, 100, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			// All complaints may be about one of those who share it, so each has all of them as its bound.
			name:     "shared",
			uses:     []Use{used(2, "spring", shop, "bulk:::", 899), used(2, "autumn", shop, "bulk:::", 101)},
			readings: []Reading{reported(2, shop, "bulk", 0.2)},
			want:     []said{{MatchShared, "spring=a autumn=a", 2, 1000, 1000, false}},
			bounds: map[string]Bound{
				"spring": {200, 1, 899, observation.PostmasterV2, shop, "a", today - 2},
				"autumn": {101, 1, 101, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			name:     "least shared field, a before b",
			uses:     []Use{used(2, "spring", shop, "bulk:spring::", 500), used(2, "autumn", shop, "bulk:autumn::", 500)},
			readings: []Reading{reported(2, shop, "bulk", 0.1), reported(2, shop, "spring", 0.01)},
			want: []said{
				{MatchShared, "autumn=a spring=a", 2, 1000, 1000, false}, {MatchOwn, "spring=b", 1, 500, 500, false},
			},
			bounds: map[string]Bound{
				"spring": {5, 1, 500, observation.PostmasterV2, shop, "b", today - 2},
				"autumn": {100, 1, 500, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			name:     "both fields reported",
			uses:     []Use{used(2, "spring", shop, "s1:s2::", 500)},
			readings: []Reading{reported(2, shop, "s2", 0.2), reported(2, shop, "s1", 0.1)},
			want:     []said{{MatchOwn, "spring=b", 1, 500, 500, false}, {MatchOwn, "spring=a", 1, 500, 500, false}},
			bounds:   map[string]Bound{"spring": {50, 1, 500, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name:     "unknown",
			uses:     []Use{used(2, "spring", shop, "spring:::", 500)},
			readings: []Reading{reported(2, shop, "winter", 0.1)},
			want:     []said{{Match: MatchUnknown}},
		},
		{
			name:     "not covered: the ledger is younger",
			uses:     []Use{used(2, "spring", shop, "spring:::", 500)},
			readings: []Reading{reported(8, shop, "winter", 0.1), reported(7, shop, "winter", 0.1)},
			want:     []said{{Match: MatchNotCovered}, {Match: MatchUnknown}},
		},
		{
			name:     "not covered: values beyond the cap",
			uses:     []Use{used(2, "spring", shop, observation.Other+":::", 500)},
			readings: []Reading{reported(2, shop, "winter", 0.1), reported(2, shop, observation.Other, 0.1)},
			want:     []said{{Match: MatchNotCovered}, {Match: MatchNotCovered}},
		},
		{
			name: "account, sender and addresses",
			uses: []Use{used(2, "spring", shop, "spring:bulk:1.us-east-1.aGFzaA==:AmazonSES", 500)},
			readings: []Reading{
				reported(2, shop, "1.us-east-1.aGFzaA==", 0.1), reported(2, shop, "AmazonSES", 0.1),
				reported(2, shop, "192.0.2.7", 0.1), reported(2, shop, "2001:db8::7", 0.1), reported(2, shop, "1.2", 0.1),
			},
			want: []said{{Match: MatchAccount}, {Match: MatchSender}, {Match: MatchIP}, {Match: MatchIP}, {Match: MatchUnknown}},
		},
		{
			name:     "a sender and a field c of our own",
			uses:     []Use{used(2, "spring", shop, "::team:example-mail", 500)},
			readings: []Reading{reported(2, shop, "example-mail", 0.1), reported(2, shop, "team", 0.1)},
			want:     []said{{Match: MatchSender}, {MatchOwn, "spring=c", 1, 500, 500, false}},
		},
		{
			name: "value in two fields of a mail and of two campaigns",
			uses: []Use{
				used(2, "spring", shop, "same:same::", 600), used(2, "autumn", shop, "autumn:same::", 400),
			},
			readings: []Reading{reported(2, shop, "same", 0.01), reported(2, shop, "autumn", 0.02)},
			want: []said{
				{MatchShared, "spring=a autumn=b", 2, 1000, 1000, false}, {MatchOwn, "autumn=a", 1, 400, 400, false},
			},
			bounds: map[string]Bound{
				"spring": {10, 1, 600, observation.PostmasterV2, shop, "a", today - 2},
				"autumn": {8, 1, 400, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			name: "two domains and a subdomain report one value",
			uses: []Use{
				used(2, "spring", shop, "same:::", 600), used(2, "spring", news, "same:::", 400),
				used(2, "autumn", "a."+news, "same:::", 100), used(2, "winter", "other.example", "same:::", 50),
			},
			readings: []Reading{
				reported(2, shop, "same", 0.01), reported(2, news, "same", 0.02), reported(2, "other.example", "same", 0.1),
				reported(2, "op.example", "same", 0.1),
			},
			want: []said{
				{MatchOwn, "spring=a", 1, 600, 600, false}, {MatchShared, "spring=a autumn=a", 2, 500, 500, false},
				{MatchOwn, "winter=a", 1, 50, 50, false}, {Match: MatchUnknown},
			},
			bounds: map[string]Bound{
				"spring": {6, 1, 600, observation.PostmasterV2, shop, "a", today - 2},
				"autumn": {10, 1, 100, observation.PostmasterV2, news, "a", today - 2},
				"winter": {5, 1, 50, observation.PostmasterV2, "other.example", "a", today - 2},
			},
		},
		{
			name: "a domain whose mail all comes from subdomains",
			uses: []Use{
				used(2, "spring", news, "same:::", 400), used(2, "autumn", "www.shop.example", "same:::", 100),
			},
			readings: []Reading{reported(2, shop, "same", 0.02)},
			want:     []said{{MatchShared, "spring=a autumn=a", 2, 500, 500, false}},
			bounds: map[string]Bound{
				"spring": {10, 1, 400, observation.PostmasterV2, shop, "a", today - 2},
				"autumn": {10, 1, 100, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			name:     "a domain and its subdomain report the same mail",
			uses:     []Use{used(2, "spring", news, "same:::", 400)},
			readings: []Reading{reported(2, shop, "same", 0.02), reported(2, news, "same", 0.01)},
			want:     []said{{MatchOwn, "spring=a", 1, 400, 400, false}, {MatchOwn, "spring=a", 1, 400, 400, false}},
			bounds:   map[string]Bound{"spring": {4, 1, 400, observation.PostmasterV2, news, "a", today - 2}},
		},
		{
			// Two sends of one campaign, each with a value of its own: their mail is different, so their bounds add up.
			name: "renamed campaign",
			uses: []Use{
				used(3, "spring", shop, "spring-1:bulk::", 600), used(2, "spring", shop, "spring-2:bulk::", 400),
			},
			readings: []Reading{
				reported(3, shop, "spring-1", 0.01), reported(2, shop, "spring-2", 0.02), reported(2, shop, "bulk", 0.5),
			},
			want: []said{
				{MatchOwn, "spring=a", 1, 600, 600, false}, {MatchOwn, "spring=a", 1, 400, 400, false},
				{MatchOwn, "spring=b", 1, 400, 1000, false},
			},
			bounds: map[string]Bound{"spring": {14, 2, 1000, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name:     "campaign that got another name between two days",
			uses:     []Use{used(3, "spring", shop, "s:::", 600), used(2, "Spring Sale", shop, "s:::", 400)},
			readings: []Reading{reported(2, shop, "s", 0.01)},
			want:     []said{{MatchShared, "spring=a Spring Sale=a", 2, 400, 1000, false}},
			bounds:   map[string]Bound{"Spring Sale": {4, 1, 400, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name: "campaign that ended, and reports after the send",
			uses: []Use{used(4, "spring", shop, "spring:::", 6000), used(3, "spring", shop, "spring:::", 599)},
			readings: []Reading{
				reported(4, shop, "spring", 0.001), reported(3, shop, "spring", 0.1), reported(2, shop, "spring", 0.2),
				reported(0, shop, "spring", 0.2),
			},
			want: []said{
				{MatchOwn, "spring=a", 1, 6000, 6000, false}, {MatchOwn, "spring=a", 1, 599, 6599, true},
				{MatchOwn, "spring=a", 1, 0, 6599, true}, {MatchEarlier, "", 0, 0, 0, false},
			},
			bounds: map[string]Bound{"spring": {6, 1, 6000, observation.PostmasterV2, shop, "a", today - 4}},
		},
		{
			name:     "one who shares an identifier sent on an earlier day",
			uses:     []Use{used(3, "spring", shop, "bulk:::", 500), used(2, "autumn", shop, "bulk:::", 500)},
			readings: []Reading{reported(2, shop, "bulk", 0.1)},
			want:     []said{{MatchShared, "autumn=a spring=a", 2, 500, 1000, false}},
			bounds:   map[string]Bound{"autumn": {50, 1, 500, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name:     "two tenants with one name",
			uses:     []Use{used(2, "red/spring", shop, "spring:::", 500), used(2, "blue/spring", shop, "spring:::", 500)},
			readings: []Reading{reported(2, shop, "spring", 0.01)},
			want:     []said{{MatchShared, "blue/spring=a red/spring=a", 2, 1000, 1000, false}},
			bounds: map[string]Bound{
				"red/spring":  {10, 1, 500, observation.PostmasterV2, shop, "a", today - 2},
				"blue/spring": {10, 1, 500, observation.PostmasterV2, shop, "a", today - 2},
			},
		},
		{
			name: "all signatures",
			uses: []Use{used(2, "spring", shop, "spring:::", 500)},
			readings: []Reading{{
				Source: observation.PostmasterV2, Domain: shop, Aggregation: observation.PostmasterAllDKIM, Identifier: "spring",
				Day: today - 2, Rate: new(float64),
			}},
			want: []said{{Match: MatchNotJoined}},
		},
		{
			name: "the older API: taken alone, left out beside the newer",
			uses: []Use{used(2, "spring", shop, "spring:::", 500), used(2, "autumn", "old.example", "autumn:::", 500)},
			readings: []Reading{
				v1(reported(2, shop, "spring", 0.5)), reported(2, shop, "spring", 0.01), v1(reported(2, "old.example", "autumn", 0.1)),
				v1(reported(2, "old.example", "winter", 0.1)),
			},
			want: []said{
				{MatchOwn, "spring=a", 1, 500, 500, false}, {MatchOwn, "spring=a", 1, 500, 500, false},
				{MatchOwn, "autumn=a", 1, 500, 500, false}, {Match: MatchNotJoined},
			},
			bounds: map[string]Bound{
				"spring": {5, 1, 500, observation.PostmasterV2, shop, "a", today - 2},
				"autumn": {50, 1, 500, observation.PostmasterV1, "old.example", "a", today - 2},
			},
		},
		{
			name: "rates that are none",
			uses: []Use{used(2, "spring", shop, "spring:::", 500)},
			readings: []Reading{
				reported(2, shop, "spring", 1.5), reported(3, shop, "spring", -1),
				{Source: observation.PostmasterV2, Domain: shop, Aggregation: observation.PostmasterFromHeader, Identifier: "spring", Day: today - 2},
			},
			want: []said{
				{MatchOwn, "spring=a", 1, 500, 500, false}, {Match: MatchEarlier}, {MatchOwn, "spring=a", 1, 500, 500, false},
			},
		},
		{
			name:     "a measured zero",
			uses:     []Use{used(2, "spring", shop, "spring:::", 500)},
			readings: []Reading{reported(2, shop, "spring", 0)},
			want:     []said{{MatchOwn, "spring=a", 1, 500, 500, false}},
			bounds:   map[string]Bound{"spring": {0, 1, 500, observation.PostmasterV2, shop, "a", today - 2}},
		},
		{
			name: "no Delivery events: shares by what was sent, no bound",
			uses: []Use{
				{Day: today - 2, Campaign: Name{"", "spring"}, Stamp: observation.Stamp{FromDomain: shop, A: "bulk"}, Sent: 300},
				{Day: today - 2, Campaign: Name{"", "autumn"}, Stamp: observation.Stamp{FromDomain: shop, A: "bulk"}, Sent: 200},
			},
			readings: []Reading{reported(2, shop, "bulk", 0.01)},
			want:     []said{{MatchShared, "spring=a autumn=a", 2, 0, 0, false}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := NewJoin(Postmaster{Uses: c.uses, Readings: c.readings, Covered: today - 9, Today: today})
			if diff := cmp.Diff(c.want, sayings(j)); diff != "" {
				t.Errorf("readings (-want +got):\n%s", diff)
			}
			bounds := map[string]Bound{}
			for _, n := range j.Names() {
				if b := j.Bound(n, today-6, today); b.Days > 0 {
					bounds[strings.TrimPrefix(n.Tenant+"/"+n.Campaign, "/")] = b
				}
			}
			if c.bounds == nil {
				c.bounds = map[string]Bound{}
			}
			if diff := cmp.Diff(c.bounds, bounds, nearly()); diff != "" {
				t.Errorf("bounds (-want +got):\n%s", diff)
			}
		})
	}
}

func nearly() cmp.Option {
	return cmp.Comparer(func(a, b float64) bool { return a == b || a-b < 1e-9 && b-a < 1e-9 })
}

func TestJoinNamesTheAccount(t *testing.T) {
	elsewhere := used(2, "spring", "shop.example", ":::", 1)
	elsewhere.Account, elsewhere.Region = "2", "eu-west-1"
	both := elsewhere
	both.Account = "3"
	j := NewJoin(Postmaster{
		Uses: []Use{used(2, "spring", "shop.example", ":::", 1), elsewhere, both, used(2, "autumn", "news.new.example", ":::", 1)},
		Readings: []Reading{
			reported(2, "shop.example", "1.us-east-1.aGFzaA==", 0.1), reported(2, "shop.example", "1.eu-west-1.aGFzaA==", 0.1),
			reported(2, "new.example", "1.us-east-1.aGFzaA==", 0.1), reported(2, "news.new.example", "1.us-east-1.aGFzaA==", 0.1),
		},
		Today: today,
	})
	first, second := j.Readings()[0], j.Readings()[1]
	if got := j.Readings()[2].Account; got != "1" {
		t.Errorf("account %q of a domain with mail from its subdomain alone, want 1", got)
	}
	if first.Region != "us-east-1" || first.Account != "1" {
		t.Errorf("region %q, account %q; want us-east-1, 1", first.Region, first.Account)
	}
	if second.Region != "eu-west-1" || second.Account != "" {
		t.Errorf("region %q, account %q; want eu-west-1 and none, because two accounts send from there", second.Region, second.Account)
	}
}

// A campaign's rate is that of the domain its mail is from, not that of the domain above it, whatever their names.
func TestMostSpecificDomainFirst(t *testing.T) {
	uses := []Use{used(3, "spring", "news.a.example", "spring:bulk::", 500)}
	rates := []Reading{reported(3, "a.example", "spring", 0.02), reported(3, "news.a.example", "spring", 0.01)}
	for range 2 {
		ids := NewJoin(Postmaster{Uses: uses, Readings: rates, Covered: today - 9, Today: today}).Identifiers(Name{"", "spring"})
		if len(ids) != 3 || ids[0].Domain != "news.a.example" || *ids[0].Rate != 0.01 || ids[1].Domain != "a.example" {
			t.Errorf("got %+v", ids)
		}
		rates[0], rates[1] = rates[1], rates[0]
	}
}

// A later reading of the same day is another input: the join made of it knows nothing of the earlier.
func TestJoinAfterRevision(t *testing.T) {
	p := Postmaster{
		Uses: []Use{used(2, "spring", "shop.example", "spring:::", 1000)}, Today: today,
		Readings: []Reading{reported(2, "shop.example", "spring", 0.01)},
	}
	before := NewJoin(p).Bound(Name{"", "spring"}, today-6, today)
	p.Readings = []Reading{reported(2, "shop.example", "spring", 0.004)}
	after := NewJoin(p).Bound(Name{"", "spring"}, today-6, today)
	if before.Complaints != 10 || after.Complaints != 4 {
		t.Errorf("bounds %v and %v, want 10 and 4", before.Complaints, after.Complaints)
	}
}

func TestIdentifiers(t *testing.T) {
	const shop = "shop.example"
	type id struct {
		Value, Field string
		State        ReportState
		Rate         float64
		Ago          int
		SharedBy     int
		CarryOver    bool
	}
	for _, c := range []struct {
		name     string
		uses     []Use
		readings []Reading
		arrivals []Arrival
		want     []id
	}{
		{
			name: "reported", uses: []Use{used(3, "spring", shop, "spring:bulk::", 500), used(3, "autumn", shop, "autumn:bulk::", 500)},
			readings: []Reading{reported(3, shop, "spring", 0.01)},
			want:     []id{{"spring", "a", ReportOK, 0.01, 3, 1, false}, {"bulk", "b", ReportNotReported, -1, 3, 2, false}},
		},
		{
			name: "reported long ago", uses: []Use{used(5, "spring", shop, "spring:::", 500)},
			readings: []Reading{reported(5, shop, "spring", 0.01)}, arrivals: []Arrival{arrived(2, shop)},
			want: []id{{"spring", "a", ReportStale, 0.01, 5, 1, false}},
		},
		{
			name: "the newest report, but one of its day's mail first",
			uses: []Use{used(4, "spring", shop, "spring:::", 500)},
			readings: []Reading{
				reported(3, shop, "spring", 0.3), reported(4, shop, "spring", 0.01), reported(2, shop, "spring", 0.2),
			},
			want: []id{{"spring", "a", ReportOK, 0.01, 4, 1, false}},
		},
		{
			name: "reported on later days only", uses: []Use{used(4, "spring", shop, "spring:::", 500)},
			readings: []Reading{reported(3, shop, "spring", 0.3)},
			want:     []id{{"spring", "a", ReportOK, 0.3, 3, 1, true}},
		},
		{
			name: "the days to come", uses: []Use{used(1, "spring", shop, "spring:::", 500)},
			arrivals: []Arrival{arrived(2, shop)},
			want:     []id{{"spring", "a", ReportNoData, -1, 1, 1, false}},
		},
		{
			name: "a domain that fell silent", uses: []Use{used(1, "spring", shop, "spring:::", 500)},
			arrivals: []Arrival{arrived(5, shop)},
			want:     []id{{"spring", "a", ReportStale, -1, 1, 1, false}},
		},
		{
			name: "a domain that nobody reports", uses: []Use{used(3, "spring", shop, "spring:::", 500)},
			want: []id{{"spring", "a", ReportNoData, -1, 3, 1, false}},
		},
		{
			name: "arrived, with a little mail of the day only",
			uses: []Use{used(4, "spring", shop, "spring:::", 5000), used(3, "spring", shop, "spring:::", 5)},
			arrivals: []Arrival{
				arrived(3, shop),
			},
			want: []id{{"spring", "a", ReportNoData, -1, 3, 1, false}},
		},
		{
			name: "listed without a rate", uses: []Use{used(3, "spring", shop, "spring:::", 500)},
			readings: []Reading{{
				Source: observation.PostmasterV2, Domain: shop, Aggregation: observation.PostmasterFromHeader, Identifier: "spring",
				Day: today - 3,
			}},
			want: []id{{"spring", "a", ReportNotReported, -1, 3, 1, false}},
		},
		{
			name: "senders, accounts and what is long over",
			uses: []Use{used(3, "spring", shop, "::1.us-east-1.x:example-mail", 500), used(8, "spring", shop, "old:::", 500)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := NewJoin(Postmaster{Uses: c.uses, Readings: c.readings, Arrivals: c.arrivals, Covered: today - 9, Today: today})
			var got []id
			for _, i := range j.Identifiers(Name{"", "spring"}) {
				rate := -1.0
				if i.Rate != nil {
					rate = *i.Rate
				}
				got = append(got, id{i.Value, i.Field, i.State, rate, int(today - i.Day), i.SharedBy, i.CarryOver})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("identifiers (-want +got):\n%s", diff)
			}
		})
	}
	if got := NewJoin(Postmaster{}).Identifiers(Name{"", "spring"}); got != nil {
		t.Errorf("identifiers of an unknown campaign: %v", got)
	}
}

func TestDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC)
	if got := DayOf(late, time.UTC).String(); got != "2026-03-28" {
		t.Errorf("in UTC %s", got)
	}
	day := DayOf(late, berlin)
	if got := day.String(); got != "2026-03-29" {
		t.Errorf("in Berlin %s", got)
	}
	// The clocks go forward that night.
	if got := (day + 1).Start(berlin).Sub(day.Start(berlin)); got != 23*time.Hour {
		t.Errorf("the day has %v", got)
	}
	if got := DayOf(day.Start(berlin), berlin); got != day {
		t.Errorf("the day begins on %v", got)
	}
}
