package campaign

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// traffic makes random mail of a few campaigns, values and domains, so that they collide in every way.
type traffic struct {
	random    *rand.Rand
	values    []string
	domains   []string
	campaigns []Name
}

func newTraffic(seed uint64) *traffic {
	return &traffic{
		random: rand.New(rand.NewPCG(seed, 3)), values: []string{"", "x", "y", "z", "x-1", observation.Other},
		domains:   []string{"shop.example", "news.shop.example", "a.news.shop.example", "other.example"},
		campaigns: []Name{{"", "spring"}, {"", "autumn"}, {"red", "spring"}},
	}
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func (w *traffic) uses(n int) []Use {
	uses := make([]Use, n)
	for i := range uses {
		uses[i] = Use{
			Day: today - Day(w.random.IntN(10)), Campaign: pick(w.random, w.campaigns),
			Stamp: observation.Stamp{
				FromDomain: pick(w.random, w.domains), A: pick(w.random, w.values), B: pick(w.random, w.values),
				C: pick(w.random, w.values), FeedbackFrom: pick(w.random, w.values),
			},
			Sent: w.random.Int64N(2000), GmailDelivered: w.random.Int64N(1000),
		}
	}
	return uses
}

func (w *traffic) readings(n int) []Reading {
	readings := make([]Reading, n)
	for i := range readings {
		r := reported(w.random.IntN(12), pick(w.random, w.domains), pick(w.random, w.values[1:]), w.random.Float64())
		switch w.random.IntN(4) {
		case 0:
			r.Source, r.Aggregation = observation.PostmasterV1, observation.PostmasterUnstated
		case 1:
			r.Aggregation = observation.PostmasterAllDKIM
		}
		if w.random.IntN(10) == 0 {
			r.Rate = nil
		}
		readings[i] = r
	}
	return readings
}

// Whatever was sent and reported: the shares of an identifier sum to 1, and no campaign has more complaints than mail at
// Gmail on the days that are reported, however many fields, domains and sources report it.
func TestJoinProperties(t *testing.T) {
	for seed := range uint64(300) {
		w := newTraffic(seed)
		p := Postmaster{Uses: w.uses(w.random.IntN(60)), Readings: unique(w.readings(w.random.IntN(60))), Covered: today - 9, Today: today}
		j := NewJoin(p)
		for _, r := range j.Readings() {
			sum := 0.0
			for _, u := range r.Users {
				sum += u.Share
			}
			if joined := r.Match == MatchOwn || r.Match == MatchShared; joined != (math.Abs(sum-1) < 1e-9) || !joined && sum != 0 {
				t.Errorf("seed %d: %s reading %+v: shares sum to %v", seed, r.Match, r.Reading, sum)
			}
		}
		for _, n := range j.Names() {
			first := today - Day(w.random.IntN(8))
			b := j.Bound(n, first, today)
			delivered, days := int64(0), map[Day]bool{}
			for _, r := range p.Readings {
				days[r.Day] = days[r.Day] || r.Domain == b.Domain && r.Source == b.Source && r.Rate != nil
			}
			for _, u := range p.Uses {
				if u.Campaign == n && u.Day >= first && days[u.Day] {
					delivered += u.GmailDelivered
				}
			}
			if b.Complaints > float64(delivered)+1e-6 || b.Delivered > delivered || b.Complaints > float64(b.Delivered)+1e-6 {
				t.Errorf("seed %d: %v of %v is above %d delivered", seed, b, n, delivered)
			}
			if b.Days > int(today-first)+1 || b.Field == "c" || b.Field == "sender" {
				t.Errorf("seed %d: %v of %v days", seed, b, today-first+1)
			}
		}
	}
}

// unique keeps one reading of each key and day, as a ledger does.
func unique(readings []Reading) []Reading {
	type key struct {
		source, domain, aggregation, identifier string
		day                                     Day
	}
	seen := map[key]bool{}
	var kept []Reading
	for _, r := range readings {
		k := key{r.Source, r.Domain, r.Aggregation, r.Identifier, r.Day}
		if !seen[k] {
			seen[k] = true
			kept = append(kept, r)
		}
	}
	return kept
}

// When Gmail reports everything, the bound of a campaign is never below the complaints that its mail really had.
func TestBoundIsUpper(t *testing.T) {
	counted := 0
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 4))
		var uses []Use
		truth := map[Name]float64{}
		type count struct{ complaints, mail float64 }
		reports := map[bucketKey]*[10]count{}
		for ago := range 7 {
			for _, n := range []string{"spring", "autumn"} {
				if random.IntN(3) == 0 {
					continue
				}
				a, b := pick(random, []string{"x", "y", n}), pick(random, []string{"x", "z", n})
				u := used(ago, n, "shop.example", a+":"+b+"::", 100+random.Int64N(10))
				uses = append(uses, u)
				complaints := float64(random.Int64N(20))
				truth[u.Campaign] += complaints
				for _, value := range slices.Compact([]string{a, b}) {
					key := bucketKey{"shop.example", value}
					if reports[key] == nil {
						reports[key] = &[10]count{}
					}
					c := &reports[key][ago]
					c.complaints, c.mail = c.complaints+complaints, c.mail+float64(u.GmailDelivered)
				}
			}
		}
		var readings []Reading
		for key, days := range reports {
			for ago, c := range days {
				if c.mail > 0 {
					readings = append(readings, reported(ago, key.domain, key.identifier, c.complaints/c.mail))
				}
			}
		}
		j := NewJoin(Postmaster{Uses: uses, Readings: readings, Covered: today - 9, Today: today})
		for n, complaints := range truth {
			counted++
			if b := j.Bound(n, today-6, today); b.Complaints < complaints-1e-6 {
				t.Errorf("seed %d: bound %v of %v, in truth %v", seed, b, n, complaints)
			}
		}
	}
	if counted == 0 {
		t.Error("nothing was compared")
	}
}

func TestAdvice(t *testing.T) {
	var uses []Use
	for i := range 150 {
		uses = append(uses, used(2, "otp", "otp.example", fmt.Sprintf("user-%d:otp::", i), 3))
	}
	uses = append(uses,
		used(2, "spring", "shop.example", "spring:bulk::", 5000), used(2, "autumn", "shop.example", "bulk:bulk::", 3000),
		used(2, "winter", "shop.example", "winter sale:bulk::", 1500), used(3, "tiny", "shop.example", "tiny:bulk::", 30),
		used(2, "person", "shop.example", "ann@home.example:bulk::", 20), used(2, "plain", "shop.example", ":::", 450),
	)
	j := NewJoin(Postmaster{
		Uses: uses, Arrivals: []Arrival{arrived(2, "shop.example")}, Covered: today - 9, Today: today,
		Readings: []Reading{reported(2, "shop.example", "bulk", 0.001)},
	})
	want := []Advice{
		{AdviceUnique, "otp.example", "a", 150, []string{"user-0", "user-1", "user-2", "user-3", "user-4"}, 1},
		{AdviceTwoFields, "shop.example", "", 1, []string{"bulk"}, 0.955},
		{AdviceCharacters, "shop.example", "a", 2, []string{"winter sale"}, 0.152},
		{AdviceMissing, "shop.example", "", 0, nil, 0.045},
		{AdviceTooSmall, "shop.example", "a", 2, []string{"tiny"}, 0.005},
	}
	roughly := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 0.001 })
	if diff := cmp.Diff(want, j.Advice(), roughly); diff != "" {
		t.Errorf("advice (-want +got):\n%s", diff)
	}
	unreported := []Unreported{
		{"shop.example", "a", "spring", 5000, today - 2}, {"shop.example", "a", "winter sale", 1500, today - 2},
	}
	if diff := cmp.Diff(unreported, j.Unreported()); diff != "" {
		t.Errorf("unreported (-want +got):\n%s", diff)
	}
	use := []FeedbackUse{{"shop.example", 11000, 495, 495, 495}, {"otp.example", 450, 0, 0, 0}}
	if diff := cmp.Diff(use, j.FeedbackUse()); diff != "" {
		t.Errorf("use of fields (-want +got):\n%s", diff)
	}
}
