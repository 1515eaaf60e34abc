package alerts

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/signal"
)

// Signal is a named figure that a rule can watch. The first are the rates of package signal, under the same numbers.
type Signal uint8

// The signals beside the rates.
const (
	GmailSpamRate Signal = Signal(signal.Count) + iota
	GmailIdentifierSpamRate
	GmailAuthRate
	GmailDeliveryErrorRate
	GmailTLSRate
	GmailCompliance
	AccountBounceRate
	AccountComplaintRate
	AccountEnforcement
	AccountSendingPaused
	AccountQuotaUsed
	TenantPaused
	TenantFindings
	ReceiptFailures
	ReceiptExpired
	ReceiptSilent
	EventCoverage
	FeedbackIDCoverage
	DeafLoop
	SourceFailing
	SourceStale
	QueueLag
	ReceivingStopped
	DedupeHorizon
	QuarantineGrowth
	QuarantineUsed
	CampaignFlood
	NotifierFailing
	signalEnd
)

// RateOf is the signal of a rate.
func RateOf(s signal.Signal) Signal { return Signal(s) }

// Rate is the rate behind the signal; ok is false when it is none.
func (s Signal) Rate() (rate signal.Signal, ok bool) { return signal.Signal(s), int(s) < signal.Count }

// Kind says how a signal is judged.
type Kind uint8

// The kinds.
const (
	// Rate is a part of a cohort: judged by its interval and floors.
	Rate Kind = iota
	// Daily is what somebody else measured over a day, without saying of how much: judged by how many days crossed.
	Daily
	// Number is a value as of now, or a count over a window: judged as it is.
	Number
)

// Unit says what a signal's value is, and how lines and values are written.
type Unit uint8

// The units. A line above a Ratio is crossed by the value of the line itself, because that is how SES and Gmail state
// theirs ("5 % or greater", "0.30 % or higher"); all other comparisons are strict, so that above 0 means any.
const (
	Ratio Unit = iota
	Count
	Seconds
	// Condition is a state as a number: what each means is in the signal's description.
	Condition
)

// Cause is what kind of trouble a signal tells of. Alerts of one cause may mute each other.
type Cause string

// The causes.
const (
	CauseComplaints     Cause = "complaints"
	CauseBounces        Cause = "bounces"
	CauseBlocks         Cause = "blocks"
	CauseDelays         Cause = "delays"
	CauseAuthentication Cause = "authentication"
	CauseStanding       Cause = "standing"
	CauseInbound        Cause = "inbound"
	CauseCoverage       Cause = "coverage"
	CauseSources        Cause = "sources"
	CauseEngagement     Cause = "engagement"
	CauseDaemon         Cause = "daemon"
)

// Definition says what a signal is to a rule.
type Definition struct {
	// Name is how rules, the API and labels spell it.
	Name string
	Kind Kind
	Unit Unit
	// By are the ways in which there is such a figure; the first is the usual one.
	By    []By
	Cause Cause
	// Windowed numbers are sums over a rolling window; rates always are. Other signals have no window.
	Windowed bool
	// Bound says that the value is an upper bound of the truth, which notifications say with it.
	Bound bool
	// Maturity is that of a rate, 0 otherwise.
	Maturity time.Duration
	// Description is a sentence for people, Document where the figure is explained.
	Description, Document string
}

// rateBys are the parts of mail that rates exist for. Not accounts: SES judges those by its own clock and volume, so they
// have figures of their own, AccountBounceRate and AccountComplaintRate.
func rateBys() []By { return []By{ByCampaign, ByProvider, ByCampaignProvider, ByTenant} }

func rateDefinition(s signal.Signal) Definition {
	d := s.Definition()
	return Definition{
		Name: d.Name, Kind: Rate, Unit: Ratio, By: rateBys(), Cause: rateCause(s), Maturity: d.Maturity,
		Description: d.Description, Document: d.Document,
	}
}

func rateCause(s signal.Signal) Cause {
	switch s {
	case signal.ComplaintRate:
		return CauseComplaints
	case signal.BlockRate:
		return CauseBlocks
	case signal.DelayRate:
		return CauseDelays
	case signal.UnsubscribeRate:
		return CauseEngagement
	default:
		return CauseBounces
	}
}

// Definition says what the signal is.
func (s Signal) Definition() Definition {
	if rate, ok := s.Rate(); ok {
		return rateDefinition(rate)
	}
	return definitions[s-GmailSpamRate]
}

// String returns the signal's name.
func (s Signal) String() string {
	if s < signalEnd {
		return s.Definition().Name
	}
	return "unknown"
}

// Signals lists every signal in its fixed order.
func Signals() []Signal {
	all := make([]Signal, signalEnd)
	for i := range all {
		all[i] = Signal(i)
	}
	return all
}

// ParseSignal reads the name that String gives.
func ParseSignal(name string) (Signal, bool) {
	i := slices.IndexFunc(Signals(), func(s Signal) bool { return s.String() == name })
	return Signal(max(i, 0)), i >= 0
}
