package simulator

import (
	"fmt"
	"time"

	"github.com/mailvane/mailvane/internal/simulator/cloudwatch"
	"github.com/mailvane/mailvane/internal/simulator/postmaster"
	"github.com/mailvane/mailvane/internal/simulator/sqs"
	"github.com/mailvane/mailvane/internal/simulator/traffic"
)

// The queues of the presets.
const (
	// EventsQueue holds SES events of us-east-1, EventsQueueEU those of eu-west-1, IdentityQueue what the identity topic
	// repeats in the older format.
	EventsQueue   = "ses-events"
	EventsQueueEU = "ses-events-eu"
	IdentityQueue = "ses-identity"
)

// Demo is a sender with a history and some trouble, as of now: raw delivery in one region, SNS envelopes in the other,
// and an identity topic. Gmail shows its domains: one with trouble, one that is too small for it, and some that the account
// may not see. One day is revised and another arrives in the minutes after now. SES has found something in each of its two
// accounts, and some of CloudWatch's points come in two parts. After now the sender sends surge times as
// many mails, so that figures move while somebody looks.
func Demo(now time.Time, seed uint64, surge float64) Options {
	lively := sqs.QueueOptions{Duplicates: 0.005, Shuffle: 20}
	eu := lively
	eu.Region = "eu-west-1"
	return Options{
		Story: traffic.Demo(now),
		// The model sends by slots of five minutes, and the one that has begun is to be lively, too.
		Model: traffic.Options{Seed: seed, Surge: now.Truncate(5 * time.Minute), SurgeFactor: surge},
		Queues: []Queue{
			{Name: EventsQueue, Envelope: traffic.Raw, QueueOptions: lively},
			{Name: EventsQueueEU, Envelope: traffic.SNS, QueueOptions: eu},
			{Name: IdentityQueue, Envelope: traffic.SNS, Identity: true, AllRegions: true, QueueOptions: lively},
		},
		Postmaster: demoPostmaster(now),
		CloudWatch: cloudwatch.Options{Late: []cloudwatch.Late{{Every: 7, By: 4 * time.Minute, Draft: 0.5}}},
		SES:        demoAccounts(now, surge),
	}
}

// demoPostmaster is the Google account of the demo's sender, five weeks old.
func demoPostmaster(now time.Time) postmaster.Options {
	daysAgo := func(n int) time.Time { return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -n) }
	since, epoch := daysAgo(35), time.Unix(0, 0)
	return postmaster.Options{
		Domains: []postmaster.Domain{
			{Name: "example.com", Created: since, Verified: epoch},
			{Name: "news.example.com", Permission: "READER", Created: since, Deliverability: "SPAM_RATE_HIGH",
				NeedsWork: map[string]string{"USER_REPORTED_SPAM_RATE": "", "ONE_CLICK_UNSUBSCRIBE": "NO_UNSUB_PROMO_SPAM_REPORTS"}},
			{Name: "acme.example.org", Permission: "ADMIN", Created: since},
			{Name: "mail.example.net", Created: since},
			{Name: "globex.example.org", Permission: "NONE", Unverified: true, Created: since},
			{Name: "initech.example.org", Permission: "NONE", Created: since},
		},
		Quirks: []postmaster.Quirk{
			{Domain: "news.example.com", Day: daysAgo(4), Revised: now.Add(2 * time.Minute), Draft: 0.5},
			{Domain: "acme.example.org", Day: daysAgo(3), Appears: now.Add(3 * time.Minute)},
			{Domain: "acme.example.org", Day: daysAgo(5), Never: true},
		},
		// So that what Gmail's users report is among what it shows on any day, although the demo's sender is small.
		MinValueInboxed: 150,
	}
}

// benchLateness keeps a benchmark's events close to its mail.
const benchLateness = 2 * time.Hour

// Bench is one queue of that many messages in SNS envelopes, 2 % of them duplicates, of 300 campaigns whose mail was sent
// within span, some hours before now.
func Bench(now time.Time, seed uint64, messages int, span time.Duration) Options {
	const day = 24 * time.Hour
	// A mail has about 2.45 events; a tenth more mails than needed are sent, so that the events do not run out.
	perDay := float64(messages) / 2.45 * 1.1 * float64(day) / float64(span)
	end := now.Add(-benchLateness)
	start := end.Add(-span)
	return Options{
		Story: traffic.Bench(300, perDay),
		Model: traffic.Options{Seed: seed, Since: start, Until: end, Lateness: benchLateness},
		Queues: []Queue{{
			Name: EventsQueue, Envelope: traffic.SNS,
			Prefill: &Prefill{From: start, To: now, Messages: messages, Duplicates: 0.02},
		}},
	}
}

// GmailBench is a Google account of many domains, each with as many identifiers, all of which are reported every day.
func GmailBench(now time.Time, domains, identifiers int) Options {
	o := Options{Now: func() time.Time { return now }}
	for i := range domains {
		o.Postmaster.Domains = append(o.Postmaster.Domains, postmaster.Domain{Name: fmt.Sprintf("d%03d.example.com", i)})
	}
	values := make([]string, identifiers)
	for i := range values {
		values[i] = fmt.Sprintf("campaign-%03d", i)
	}
	o.Postmaster.Source = everyDay(values)
	o.Postmaster.TokenLife = 24 * time.Hour
	return o
}

// everyDay is a source in which each value is reported on every day, at rates that differ.
type everyDay []string

// Day implements postmaster.Source.
func (values everyDay) Day(_ string, t time.Time) traffic.GmailDay {
	day := traffic.GmailDay{Values: make(map[string]traffic.GmailValue, len(values))}
	for i, value := range values {
		count := traffic.GmailCount{Delivered: 1100, Inboxed: 1000, Reports: int64(2 + (i+t.Day())%9)}
		day.Values[value] = traffic.GmailValue{GmailCount: count}
		day.Delivered, day.Inboxed, day.Reports = day.Delivered+count.Delivered, day.Inboxed+count.Inboxed, day.Reports+count.Reports
	}
	return day
}
