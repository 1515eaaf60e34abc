package signal

import (
	"time"

	"github.com/mailvane/mailvane/internal/observation"
)

// Signal is a named rate.
type Signal uint8

// The signals, in the order in which they are shown. Those up to DelayRate divide by attempted.
const (
	DeliveryRate Signal = iota
	HardBounceRate
	SoftBounceRate
	BlockRate
	DelayRate
	ComplaintRate
	UnsubscribeRate
	SuppressedRate
	signalEnd
)

// Count is the length of an array indexed by Signal.
const Count = int(signalEnd)

// The three maturities: how long after the sending of mail most of what a signal counts has been reported.
const (
	matureSoon  = time.Hour
	matureDay   = 24 * time.Hour
	matureThree = 72 * time.Hour
)

// Definition says what a signal is.
type Definition struct {
	Signal Signal
	// Name is the signal's name in rules, metrics and the API.
	Name string
	// Numerator and Denominator name what is divided by what.
	Numerator, Denominator string
	// Maturity is how old mail must be for its part of the rate to be judged as final.
	Maturity time.Duration
	// Description is a sentence for people, Document where the world's own rule about this rate is written down.
	Description, Document string
	// HigherIsBetter is true of the one rate that falls when things go wrong.
	HigherIsBetter bool
}

const (
	sesEnforcement  = "https://docs.aws.amazon.com/ses/latest/dg/faqs-enforcement.html"
	sesEvents       = "https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"
	sesSuppression  = "https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html"
	sesSubscription = "https://docs.aws.amazon.com/ses/latest/dg/sending-email-subscription-management.html"
	gmailGuidelines = "https://support.google.com/a/answer/81126"
)

var definitions = [Count]Definition{
	DeliveryRate: {
		Name: "delivery_rate", Numerator: "delivered", Denominator: "attempted", Maturity: matureDay,
		Description:    "Recipients whose mail server took the mail.",
		Document:       sesEvents,
		HigherIsBetter: true,
	},
	HardBounceRate: {
		Name: "hard_bounce_rate", Numerator: "hard_bounced", Denominator: "attempted", Maturity: matureSoon,
		Description: "Recipients refused for good. SES reviews an account at 5 % and may pause it at 10 %.",
		Document:    sesEnforcement,
	},
	SoftBounceRate: {
		Name: "soft_bounce_rate", Numerator: "soft_bounced", Denominator: "attempted", Maturity: matureDay,
		Description: "Recipients given up after temporary refusals.",
		Document:    sesEvents,
	},
	BlockRate: {
		Name: "block_rate", Numerator: "bounced for reputation, content, authentication or policy",
		Denominator: "attempted", Maturity: matureSoon,
		Description: "Recipients refused because of the sender or the message, not because of the address.",
		Document:    gmailGuidelines,
	},
	DelayRate: {
		Name: "delay_rate", Numerator: "delayed", Denominator: "attempted", Maturity: matureSoon,
		Description: "Recipients whose mail was put off at least once.",
		Document:    sesEvents,
	},
	ComplaintRate: {
		Name: "complaint_rate", Numerator: "complained at reporting providers",
		Denominator: "delivered at reporting providers", Maturity: matureThree,
		Description: "Recipients who reported spam, where the provider tells. SES reviews an account at 0.1 % and may " +
			"pause it at 0.5 %.",
		Document: sesEnforcement,
	},
	UnsubscribeRate: {
		Name: "unsubscribe_rate", Numerator: "unsubscribed", Denominator: "delivered", Maturity: matureThree,
		Description: "Recipients who opted out through SES's subscription management.",
		Document:    sesSubscription,
	},
	SuppressedRate: {
		Name: "suppressed_rate", Numerator: "suppressed", Denominator: "sent", Maturity: matureSoon,
		Description: "Recipients that SES did not try because they are on a suppression list.",
		Document:    sesSuppression,
	},
}

// Signals lists every signal in its fixed order.
func Signals() []Signal {
	all := make([]Signal, Count)
	for i := range all {
		all[i] = Signal(i)
	}
	return all
}

// Parse reads the name that String gives.
func Parse(name string) (Signal, bool) {
	for s := range definitions {
		if definitions[s].Name == name {
			return Signal(s), true
		}
	}
	return 0, false
}

// String returns the signal's name as rules, metrics and the API spell it.
func (s Signal) String() string {
	if s < signalEnd {
		return definitions[s].Name
	}
	return "unknown"
}

// Definition says what the signal is.
func (s Signal) Definition() Definition {
	d := definitions[s]
	d.Signal = s
	return d
}

// Window is a span of send time that a figure speaks of.
type Window uint8

// The windows. Life is all the mail of one send, whenever it was sent.
const (
	Hour Window = iota
	Day
	Week
	Life
	windowEnd
)

var windows = [windowEnd]struct {
	name string
	span time.Duration
}{
	Hour: {"1h", time.Hour},
	Day:  {"24h", 24 * time.Hour},
	Week: {"7d", 7 * 24 * time.Hour},
	Life: {"life", 0},
}

// Windows lists the rolling windows, the shortest first; Life is not among them.
func Windows() []Window { return []Window{Hour, Day, Week} }

// ParseWindow reads the name that String gives.
func ParseWindow(name string) (Window, bool) {
	for w := range windows {
		if windows[w].name == name {
			return Window(w), true
		}
	}
	return 0, false
}

// String returns the window's name as rules, metrics and the API spell it.
func (w Window) String() string {
	if w < windowEnd {
		return windows[w].name
	}
	return "unknown"
}

// Span is the length of a rolling window, 0 for Life.
func (w Window) Span() time.Duration { return windows[w].span }

// Blocks says whether a bounce for a reason of that group counts in block_rate: the receiver objected to the sender or
// the message, not to the address. The groups are those of the reasons' closed list.
func Blocks(group string) bool {
	switch group {
	case "reputation", "content", "authentication", "policy":
		return true
	default:
		return false
	}
}

// Simulator is the provider of the SES mailbox simulator (simulator.amazonses.com). Mail to it is in no rate, as SES
// itself leaves it out of its own: https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
const Simulator = "simulator"

// Coverage is the set of event types that an origin published when a mail was sent, as far as denominators depend on
// them.
type Coverage uint8

const (
	coversSend Coverage = 1 << iota
	coversDelivery
	coversBounce
	coversSubscription
	// coverageEnd is one past the largest Coverage.
	coverageEnd
)

// CoverageOf returns the coverage by these types; types on which no denominator depends change nothing.
func CoverageOf(types ...observation.EventType) Coverage {
	var c Coverage
	for _, t := range types {
		switch t {
		case observation.EventSend:
			c |= coversSend
		case observation.EventDelivery:
			c |= coversDelivery
		case observation.EventBounce:
			c |= coversBounce
		case observation.EventSubscription:
			c |= coversSubscription
		}
	}
	return c
}

func (c Coverage) has(types Coverage) bool { return c&types == types }

// settles says whether attempted must, and can, be taken from what became of the mail instead of from Send events.
func (c Coverage) settles() bool { return !c.has(coversSend) && c.has(coversDelivery|coversBounce) }

// Covers says whether mail of that coverage takes part in the signal. A signal that counts what no origin of clean mail
// ever publishes (a bounce, a complaint, a delay) cannot ask for that type: it asks for its denominator.
func (c Coverage) Covers(s Signal) bool { return coveredBy[s]&(1<<c) != 0 }

// coveredBy holds for each signal the set of the coverages that it takes part in, one bit each.
var coveredBy = func() (sets [Count]uint16) {
	for s := range signalEnd {
		for c := range coverageEnd {
			if c.suffices(s) {
				sets[s] |= 1 << c
			}
		}
	}
	return sets
}()

func (c Coverage) suffices(s Signal) bool {
	switch s {
	case DeliveryRate:
		return c.has(coversSend|coversDelivery) || c.settles()
	case ComplaintRate:
		return c.has(coversDelivery)
	case UnsubscribeRate:
		return c.has(coversDelivery | coversSubscription)
	case SuppressedRate:
		return c.has(coversSend)
	default:
		return c.has(coversSend) || c.settles()
	}
}
