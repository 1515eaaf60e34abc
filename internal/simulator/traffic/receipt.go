package traffic

import (
	"math/rand/v2"
	"time"
)

// RuleSet is a set of receipt rules of an account in a region.
type RuleSet struct {
	Account, Region, Name string
	// Active says that it is the one that receives; at most one of an account and region is. The others have no traffic.
	Active  bool
	Created time.Time
	Rules   []ReceiptRule
}

// ReceiptRule is a rule for inbound mail.
type ReceiptRule struct {
	Name       string
	Recipients []string
	// Action is what it does with mail: S3, SNS or Lambda.
	Action   string
	Disabled bool
	// PerDay is how many mails come on a day between From and To, each of which may be zero for no bound. Neither a Surge of
	// what is sent nor its Scale makes more of them.
	PerDay   float64
	From, To time.Time
	Failures []Failure
}

// Failure is a time in which a share of a rule's mail cannot be handed on. A zero To is never.
type Failure struct {
	From, To time.Time
	// Share is 0 to 1; 0 means all.
	Share float64
}

// receiptGivesUp is how long SES tries to hand a mail on
// (https://docs.aws.amazon.com/ses/latest/dg/receiving-email-metrics.html).
const receiptGivesUp = 4 * time.Hour

// receiptSalt parts inbound mail from what the seed otherwise decides.
const receiptSalt = 0x696E626F756E642E

// inbound is what becomes of a mail: what happened, and when.
type inbound func(what measure, at time.Time)

// receive derives the mail that a rule receives in the slot that begins at start.
func (r *ReceiptRule) receive(random *rand.Rand, start time.Time, say inbound) {
	if r.Disabled || start.Before(r.From) || !r.To.IsZero() && !start.Before(r.To) {
		return
	}
	due := r.PerDay * rhythm(start) * slot.Hours() / 24
	for range int(due + random.Float64()) {
		at := start.Add(time.Duration(random.Int64N(int64(slot))))
		say(measureReceived, at)
		r.handOn(at, random.Float64(), say)
	}
}

// handOn tries to hand a mail on, soon at first and then every half hour, until that works or SES gives up. How SES spaces
// its attempts is not documented. The draw, 0 to 1, decides whether a failure strikes the mail.
func (r *ReceiptRule) handOn(received time.Time, draw float64, say inbound) {
	last, pause := received.Add(receiptGivesUp), time.Minute
	for at := received.Add(time.Second); at.Before(last); at = at.Add(pause) {
		if !r.fails(at, draw) {
			say(measurePublishSuccess, at)
			return
		}
		say(measurePublishFailure, at)
		if at.Sub(received) > time.Minute {
			pause = min(2*pause, 30*time.Minute)
		}
	}
	say(measurePublishExpired, last)
}

// fails says whether an attempt fails.
func (r *ReceiptRule) fails(at time.Time, draw float64) bool {
	for i := range r.Failures {
		f := &r.Failures[i]
		if !at.Before(f.From) && (f.To.IsZero() || at.Before(f.To)) && (f.Share == 0 || draw < f.Share) {
			return true
		}
	}
	return false
}

// demoRuleSets receive for the demo's sender: unsubscribes from flash-friday have not been handed on for six hours, so that
// the first of them are lost; acme's replies stopped coming two and a half days ago; nobody has ever written to abuse.
func demoRuleSets(anchor time.Time) []RuleSet {
	to := func(local string) []string { return []string{local + "@in.example.com"} }
	created := anchor.AddDate(0, -7, 0).UTC().Truncate(time.Second)
	return []RuleSet{
		{Account: accountUS, Region: regionUS, Name: "inbound", Active: true, Created: created, Rules: []ReceiptRule{
			{Name: "unsub-flash-friday", Recipients: to("unsub-flash-friday"), Action: "SNS", PerDay: 480,
				Failures: []Failure{{From: anchor.Add(-6 * time.Hour)}}},
			{Name: "unsub-weekly-digest", Recipients: to("unsub-weekly-digest"), Action: "SNS", PerDay: 90},
			{Name: "replies", Recipients: to("reply"), Action: "S3", PerDay: 160},
			{Name: "replies-acme", Recipients: to("reply-acme"), Action: "S3", PerDay: 140, To: anchor.Add(-60 * time.Hour)},
			{Name: "dmarc-reports", Recipients: to("dmarc"), Action: "S3", PerDay: 48},
			{Name: "abuse", Recipients: append(to("abuse"), to("postmaster")...), Action: "Lambda"},
		}},
		{Account: accountUS, Region: regionUS, Name: "inbound-2024", Created: created.AddDate(-2, 0, 0), Rules: []ReceiptRule{
			{Name: "replies", Recipients: to("reply"), Action: "S3"}}},
		{Account: accountEU, Region: regionEU, Name: "inbound", Active: true, Created: created, Rules: []ReceiptRule{
			{Name: "replies", Recipients: []string{"reply@in.example.net"}, Action: "SNS", PerDay: 70},
			{Name: "dmarc-reports", Recipients: []string{"dmarc@in.example.net"}, Action: "S3", PerDay: 30},
		}},
	}
}
