package alerts

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/observation"
	"github.com/mailvane/mailvane/internal/signal"
)

// chance draws numbers, the same ones in each run.
type chance struct{ *rand.Rand }

func newChance() chance { return chance{rand.New(rand.NewPCG(1, 2))} }

// of draws how many of n have something happen to them that happens at a rate: a binomial number, as near as tests need it.
func (c chance) of(n int64, rate float64) (k int64) {
	mean := float64(n) * rate
	if mean > 50 {
		return min(max(int64(math.Round(mean+math.Sqrt(mean)*c.NormFloat64())), 0), n)
	}
	for left := math.Exp(-mean); ; k++ { // a Poisson number
		if left /= 1 - c.Float64(); left >= 1 || k == n {
			return k
		}
	}
}

// mail are the rates of the mail of a subject: so many sent in a week, a seventh of it a day, and a tenth of that in the last hour.
func (c chance) mail(by By, subject Subject, week int64, complaints, bounces, blocks, delays float64) (samples []Sample) {
	for _, x := range []struct {
		signal signal.Signal
		window signal.Window
		n      int64
		rate   float64
	}{
		{signal.ComplaintRate, signal.Week, week / 4, complaints}, // at the providers that report
		{signal.HardBounceRate, signal.Day, week / 7, bounces},
		{signal.BlockRate, signal.Day, week / 7, blocks},
		{signal.DelayRate, signal.Hour, week / 70, delays},
	} {
		f := figure(c.of(x.n, x.rate), x.n)
		samples = append(samples, Sample{Series: Series{RateOf(x.signal), by, x.window}, Subject: subject, Figure: &f, AsOf: noon})
	}
	return samples
}

// TestHealthySenders holds that the default rules leave healthy senders alone: one of ten million mails a day by 300 campaigns,
// most of them of some hours, and one of five hundred mails a week, whose every complaint is a high rate.
func TestHealthySenders(t *testing.T) {
	region := Subject{Account: "123456789012", Region: "eu-west-1"}
	queue, domain := Subject{Source: "ses/events"}, Subject{Domain: "example.com"}
	own := func(s Sample) Sample { return labelled(s, field1("campaign", "news")) }
	state := func(s Sample, state signal.State) Sample {
		s.State = state
		return s
	}
	large := func(c chance) (samples []Sample) {
		for i := range 300 {
			week := int64(70_000_000/300*math.Exp(1.5*c.NormFloat64()-1.1)) + 1 // a few large ones, many small ones
			samples = append(samples, c.mail(ByCampaign, Subject{Campaign: fmt.Sprintf("c%03d", i)}, week, 0.0004, 0.008, 0.003, 0.02)...)
		}
		for _, provider := range []string{"gmail", "microsoft", "yahoo", observation.OtherProvider} {
			samples = append(samples, c.mail(ByProvider, Subject{Provider: provider}, 15_000_000, 0.0005, 0.02, 0.008, 0.08)...)
		}
		return append(samples,
			reading(GmailSpamRate, domain, 4_000_000, 0.0007, 0.0012, 0.0004), reading(GmailAuthRate, domain, 4_000_000, 0.991, 0.98, 0.995),
			own(reading(GmailIdentifierSpamRate, Subject{Domain: "example.com", Identifier: "news"}, 90_000, 0.0021, 0.004, 0.0008)),
			gauge(AccountBounceRate, region, 0.012), gauge(AccountComplaintRate, region, 0.0004), gauge(AccountQuotaUsed, region, 0.72),
			gauge(EventCoverage, region, 0.985), gauge(QueueLag, queue, 240), gauge(QuarantineGrowth, queue, 40),
			gauge(DedupeHorizon, Subject{Detail: "routine"}, (100*time.Minute).Seconds()), gauge(QuarantineUsed, Subject{}, 0.3),
		)
	}
	tiny := func(c chance) (samples []Sample) {
		samples = append(samples, c.mail(ByCampaign, Subject{Campaign: "news"}, 500, 0.01, 0.08, 0.1, 0.5)...)
		samples = append(samples, c.mail(ByProvider, Subject{Provider: observation.OtherProvider}, 400, 0.01, 0.08, 0.1, 0.5)...)
		return append(samples,
			reading(GmailSpamRate, domain, 150, 0.02, 0.01, 0.03), reading(GmailAuthRate, domain, 150, 0.5, 0.7, 1),
			own(reading(GmailIdentifierSpamRate, Subject{Domain: "example.com", Identifier: "news"}, 150, 0.02, 0.01, 0.03)),
			state(gauge(AccountBounceRate, region, 0), signal.NotReported), state(gauge(EventCoverage, region, 0.4), signal.Insufficient),
			gauge(QueueLag, queue, 0), state(gauge(QuarantineGrowth, queue, 0), signal.Insufficient), state(gauge(SourceStale, queue, 0), signal.Idle),
		)
	}
	for name, draw := range map[string]func(chance) []Sample{"large": large, "tiny": tiny} {
		w, c := newWorld(t, Defaults()...), newChance()
		for range 50 {
			for _, change := range w.round(draw(c)...).Transitions {
				if a := &change.Alert; change.Kind != Noted {
					t.Errorf("%s: %s %s of %s by %v of %d", name, a.Rule, change.Kind, a.Subject, a.Evidence.Numerator, a.Evidence.Denominator)
				}
			}
			w.now = w.now.Add(15 * time.Minute)
		}
	}
}

// TestOneBadCampaign holds that among 300 healthy campaigns the default rules find the one whose list is bad, and no other, in
// its first hours.
func TestOneBadCampaign(t *testing.T) {
	w, c := newWorld(t, Defaults()...), newChance()
	for hour := range int64(4) {
		var samples []Sample
		for i := range 300 {
			samples = append(samples, c.mail(ByCampaign, Subject{Campaign: fmt.Sprintf("c%03d", i)}, 230_000, 0.0004, 0.008, 0.003, 0.02)...)
		}
		w.round(append(samples, c.mail(ByCampaign, Subject{Campaign: "bought"}, 14_000*(hour+1), 0.006, 0.16, 0.15, 0.02)...)...)
		w.now = w.now.Add(time.Hour)
	}
	got := map[string]Severity{}
	for _, a := range w.state.Alerts() {
		got[a.Rule+" "+a.Subject.Campaign] = a.Severity
	}
	for _, rule := range []string{"CampaignComplaintRate", "CampaignHardBounceRate", "CampaignBlockRate"} {
		if got[rule+" bought"] != Critical {
			t.Errorf("%s is %s", rule, got[rule+" bought"])
		}
	}
	if len(got) != 3 {
		t.Errorf("alerts %v", got)
	}
}
