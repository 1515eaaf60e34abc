package traffic

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/observation"
)

// countedEvents counts what the events of a stretch say about an account's mail, as a collector of events would.
func countedEvents(m *Model, account string, from, to time.Time) map[string]float64 {
	sums := map[string]float64{}
	stream := m.Stream(from, to)
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		if e.Twin || e.Mail.Send.Campaign.Account != account {
			continue
		}
		n := float64(e.Mail.Recipients)
		if e.Type == observation.EventComplaint {
			n = 1
		}
		sums[e.Type.String()] += n
	}
	return sums
}

// TestMetricsCountWhatIsPublished compares CloudWatch's sums with the events where all events are published, and finds what is
// not published where some are not.
func TestMetricsCountWhatIsPublished(t *testing.T) {
	m := demo(5, 0.5)
	s := m.Metrics(Plural)
	from, to := anchor.Add(-3*day).Add(7*time.Minute), anchor.Add(-time.Hour)
	names := map[string]string{"Send": "Send", "Delivery": "Delivery", "Bounce": "Bounce", "Complaint": "Complaint", "Reject": "Reject",
		"Open": "Opens", "Click": "Clicks", "Rendering Failure": "Rendering Failures", "DeliveryDelay": "DeliveryDelay"}
	events := countedEvents(m, accountEU, from, to)
	for event, name := range names {
		if got := s.Sum(accountEU, regionEU, AccountMetric(name), from, to); got != events[event] {
			t.Errorf("%s: %v, published %v", name, got, events[event])
		}
	}
	if events["Send"] < 1000 || events["Bounce"] < 50 || events["Complaint"] == 0 {
		t.Errorf("too little to compare: %v", events)
	}
	events = countedEvents(m, accountUS, from, to)
	all, survey := s.Sum(accountUS, regionUS, AccountMetric("Delivery"), from, to), s.Sum(accountUS, regionUS, SetMetric("Delivery", "survey-tool"), from, to)
	if survey < 200 || all-survey != events["Delivery"] {
		t.Errorf("%v deliveries, %v of survey-tool, %v published", all, survey, events["Delivery"])
	}
	for _, none := range []Metric{AccountMetric("Open"), SetMetric("Send", "transactional"), SetMetric("Send", "nobody"), AccountMetric("Subscription")} {
		if got := s.Data(accountUS, regionUS, none, from, to); len(got) != 0 {
			t.Errorf("%v has data", none)
		}
	}
	if got := s.Sum(accountUS, regionEU, AccountMetric("Send"), from, to); got != 0 {
		t.Errorf("%v sent from a region of the other account", got)
	}
}

// TestMetricsAreTheSameHoweverAsked asks for stretches in several orders, and from several goroutines.
func TestMetricsAreTheSameHoweverAsked(t *testing.T) {
	m := demo(5, 0.3)
	from, to := anchor.Add(-2*day), anchor
	metrics := []Metric{AccountMetric("Delivery"), AccountMetric("Reputation.BounceRate"), TenantMetric("Sends", accountUS, regionUS, "globex"),
		ReceiptMetric("PublishFailure", "inbound", "unsub-flash-friday")}
	ask := func(s *Metrics, metric Metric, cuts ...time.Time) (data []Datum) {
		for i := range cuts[1:] {
			data = append(data, s.Data(accountUS, regionUS, metric, cuts[i], cuts[i+1])...)
		}
		return data
	}
	whole, parts, backwards := m.Metrics(Plural), m.Metrics(Plural), m.Metrics(Plural)
	middle := from.Add(31*time.Hour + 17*time.Minute)
	var joined sync.WaitGroup
	for _, metric := range metrics {
		joined.Go(func() {
			want := ask(whole, metric, from, to)
			if len(want) < 20 {
				t.Errorf("%v: %d minutes", metric, len(want))
			}
			if diff := cmp.Diff(want, ask(parts, metric, from, middle, to)); diff != "" {
				t.Errorf("%v: parts differ (-whole +parts):\n%s", metric, diff)
			}
			later := ask(backwards, metric, middle, to)
			if diff := cmp.Diff(want, append(ask(backwards, metric, from, middle), later...)); diff != "" {
				t.Errorf("%v: backwards (-whole +parts):\n%s", metric, diff)
			}
		})
	}
	joined.Wait()
}

func TestMetricsListed(t *testing.T) {
	s := demo(5, 0.6).Metrics(Plural)
	list := func(account, region string, from, to time.Duration) (names []string, all []Metric) {
		all = s.Metrics(account, region, anchor.Add(from), anchor.Add(to))
		for _, m := range all {
			if m.Dimensions[0].Name == "" {
				names = append(names, m.Name)
			}
		}
		return names, all
	}
	names, all := list(accountUS, regionUS, -14*day, 0)
	want := []string{"Bounce", "Clicks", "Complaint", "Delivery", "DeliveryDelay", "Opens", "Reject", "Rendering Failures",
		"Reputation.BounceRate", "Reputation.ComplaintRate", "Send"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if names, _ = list(accountUS, regionEU, -14*day, 0); names != nil {
		t.Errorf("elsewhere: %v", names)
	}
	// The rule that fell silent has data before it did, and none since.
	silent := ReceiptMetric("Received", "inbound", "replies-acme")
	if _, since := list(accountUS, regionUS, -59*time.Hour, 0); !slices.Contains(all, silent) || slices.Contains(since, silent) {
		t.Error("replies-acme fell silent at another time")
	}
}

func TestSpellings(t *testing.T) {
	for spelling, names := range map[Spelling][]string{Plural: {"Opens", "Clicks", "Rendering Failures"}, Singular: {"Open", "Click", "RenderingFailure"}} {
		s := demo(5, 1).Metrics(spelling)
		for _, name := range []string{"Opens", "Clicks", "Rendering Failures", "Open", "Click", "RenderingFailure"} {
			_, ok := s.series[seriesKey{accountUS, regionUS, SetMetric(name, "marketing")}]
			if ok != slices.Contains(names, name) {
				t.Errorf("spelling %d has %s: %v", spelling, name, ok)
			}
		}
	}
}

func TestReputation(t *testing.T) {
	m := demo(5, 0.5)
	s := m.Metrics(Plural)
	at := anchor.Truncate(time.Hour)
	data := s.Data(accountUS, regionUS, AccountMetric("Reputation.BounceRate"), at, at.Add(time.Hour))
	if len(data) != 4 {
		t.Fatalf("%d points in an hour", len(data))
	}
	hard := 0
	stream := m.Stream(at.Add(-7*day), at)
	for e, ok := stream.Next(); ok; e, ok = stream.Next() {
		if c := e.Mail.Send.Campaign; e.Twin || c.Account != accountUS || c.ToSimulator {
			continue
		}
		if e.Outcome == observation.HardBounced {
			hard += e.Mail.Recipients
		}
	}
	hard += int(s.Sum(accountUS, regionUS, SetMetric("Bounce", "survey-tool"), at.Add(-7*day), at)) // of all kinds
	sent := int(s.Judged(accountUS, regionUS, at.Add(-7*day), at))
	got, most := data[0].Sum, float64(hard)/float64(sent)
	if got < 0.01 || got > most || got < most*0.95 {
		t.Errorf("the rate is %v, want a little under %v", got, most)
	}
	rate := func(set string) float64 {
		return s.Data(accountUS, regionUS, SetMetric("Reputation.ComplaintRate", set), at, at.Add(time.Hour))[0].Sum
	}
	if rate("marketing") <= 2*rate("transactional") {
		t.Errorf("people complain about marketing at %v, about transactional at %v", rate("marketing"), rate("transactional"))
	}
}

// TestReputationBeginsWithTheFirstBounce holds that there is no rate before.
func TestReputationBeginsWithTheFirstBounce(t *testing.T) {
	since := anchor.Add(-10 * time.Hour)
	story := Story{Campaigns: []Campaign{{Name: "few", PerDay: 24, Even: true, Rates: Rates{Hard: 0.2}, Account: accountUS, Region: regionUS}}}
	s := New(story, Options{Seed: 3, Since: since}).Metrics(Plural)
	bounces := s.Data(accountUS, regionUS, AccountMetric("Bounce"), since, anchor)
	rates := s.Data(accountUS, regionUS, AccountMetric("Reputation.BounceRate"), since, anchor)
	if len(bounces) == 0 || len(rates) == 0 {
		t.Fatalf("%d bounces, %d rates", len(bounces), len(rates))
	}
	want := bounces[0].At.Truncate(time.Hour).Add(time.Hour)
	if !rates[0].At.Equal(want) || rates[0].Sum == 0 {
		t.Errorf("the first bounce is at %s, the first rate %v at %s", bounces[0].At, rates[0].Sum, rates[0].At)
	}
	if got := s.Data(accountUS, regionUS, AccountMetric("Reputation.ComplaintRate"), since, anchor); len(got) != 0 {
		t.Errorf("a complaint rate without complaints: %v", got)
	}
}

func TestInboundMail(t *testing.T) {
	s := New(Story{RuleSets: demoRuleSets(anchor)}, Options{Seed: 5}).Metrics(Plural)
	sum := func(name, rule string, from, to time.Duration) int {
		return int(s.Sum(accountUS, regionUS, ReceiptMetric(name, "inbound", rule), anchor.Add(from), anchor.Add(to)))
	}
	for _, rule := range []string{"replies", "dmarc-reports", "unsub-weekly-digest"} {
		in, out := sum("Received", rule, -7*day, 0), sum("PublishSuccess", rule, -7*day, 0)
		if in < 200 || out < in-1 || out > in+1 || sum("PublishFailure", rule, -7*day, 0) != 0 {
			t.Errorf("%s: %d received, %d handed on", rule, in, out)
		}
	}
	const bad = "unsub-flash-friday"
	if got := sum("PublishFailure", bad, -7*day, -6*time.Hour); got != 0 {
		t.Errorf("%d failures before it fails", got)
	}
	in, failed := sum("Received", bad, -6*time.Hour, 0), sum("PublishFailure", bad, -6*time.Hour, 0)
	lost, lostEarly := sum("PublishExpired", bad, -2*time.Hour, 0), sum("PublishExpired", bad, -6*time.Hour, -2*time.Hour)
	if in < 50 || failed < 5*in || lost != sum("Received", bad, -6*time.Hour, -4*time.Hour) || lost < 10 || lostEarly != 0 || sum("PublishSuccess", bad, -6*time.Hour, 0) > 1 {
		t.Errorf("%d received, %d failed, %d and %d lost", in, failed, lost, lostEarly)
	}
	if in := sum("Received", "abuse", -35*day, 0); in != 0 {
		t.Errorf("abuse received %d", in)
	}
}

// TestFailuresThatEnd holds that mail which could not be handed on is, once it can be.
func TestFailuresThatEnd(t *testing.T) {
	from := anchor.Add(-8 * time.Hour)
	set := RuleSet{Account: accountUS, Region: regionUS, Name: "inbound", Active: true, Rules: []ReceiptRule{
		{Name: "whole", PerDay: 1000, Failures: []Failure{{From: from, To: from.Add(2 * time.Hour)}}},
		{Name: "half", PerDay: 1000, Failures: []Failure{{From: from, Share: 0.5}}},
		{Name: "off", PerDay: 1000, Disabled: true},
		{Name: "new", PerDay: 1000, From: anchor.Add(-time.Hour)},
	}}
	s := New(Story{RuleSets: []RuleSet{set}}, Options{Seed: 1, Since: from, Until: anchor}).Metrics(Plural)
	sum := func(name, rule string) int {
		return int(s.Sum(accountUS, regionUS, ReceiptMetric(name, "inbound", rule), from, anchor.Add(6*time.Hour)))
	}
	if in, out := sum("Received", "whole"), sum("PublishSuccess", "whole"); in < 100 || in != out || sum("PublishFailure", "whole") == 0 || sum("PublishExpired", "whole") != 0 {
		t.Errorf("whole: %d received, %d handed on", in, out)
	}
	in, out, lost := sum("Received", "half"), sum("PublishSuccess", "half"), sum("PublishExpired", "half")
	if in != out+lost || math.Abs(float64(out-lost)) > float64(in)/4 {
		t.Errorf("half: %d received, %d handed on, %d lost", in, out, lost)
	}
	if sum("Received", "off") != 0 || sum("Received", "new") > sum("Received", "half")/4 || sum("Received", "new") == 0 {
		t.Errorf("off received %d, new %d", sum("Received", "off"), sum("Received", "new"))
	}
}

func TestTenantID(t *testing.T) {
	a, b := TenantID(accountUS, regionUS, "acme"), TenantID(accountEU, regionEU, "acme")
	if a == b || len(a) != 34 || !strings.HasPrefix(a, "tn-") {
		t.Errorf("%s and %s", a, b)
	}
}

// BenchmarkMetrics derives what CloudWatch lists and tells of two weeks of the demo.
func BenchmarkMetrics(b *testing.B) {
	m := demo(1, 1)
	for b.Loop() {
		s := m.Metrics(Plural)
		for _, metric := range s.Metrics(accountUS, regionUS, anchor.Add(-14*day), anchor) {
			s.Data(accountUS, regionUS, metric, anchor.Add(-14*day), anchor)
		}
	}
}
