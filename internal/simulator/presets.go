package simulator

import (
	"time"

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
// and an identity topic. After now it sends surge times as many mails, so that figures move while somebody looks.
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
