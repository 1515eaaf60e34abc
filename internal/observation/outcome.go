package observation

// Outcome is what became of a recipient. Outcomes overlap (a mail may be delivered and bounce later), so they are never
// summed. The numbers are kept in ledgers: they never change, new ones go to the end.
type Outcome uint8

// The outcomes. A signal names those that it counts; the others, such as opens and clicks, are in no rate.
const (
	Sent Outcome = iota + 1
	Delivered
	HardBounced
	SoftBounced
	AutoreplySuspected
	UndeterminedBounced
	Suppressed
	Complained
	NotSpam
	Rejected
	RenderingFailed
	Unsubscribed
	Delayed
	Opened
	Clicked
	OpenedByBot
	ClickedByBot
	// outcomeEnd is one past the last outcome.
	outcomeEnd
)

// OutcomeCount is the length of an array indexed by Outcome.
const OutcomeCount = int(outcomeEnd)

var outcomeNames = [OutcomeCount]string{
	Sent:                "sent",
	Delivered:           "delivered",
	HardBounced:         "hard_bounced",
	SoftBounced:         "soft_bounced",
	AutoreplySuspected:  "autoreply_suspected",
	UndeterminedBounced: "undetermined_bounced",
	Suppressed:          "suppressed",
	Complained:          "complained",
	NotSpam:             "not_spam",
	Rejected:            "rejected",
	RenderingFailed:     "rendering_failed",
	Unsubscribed:        "unsubscribed",
	Delayed:             "delayed",
	Opened:              "opened",
	Clicked:             "clicked",
	OpenedByBot:         "opened_by_bot",
	ClickedByBot:        "clicked_by_bot",
}

// Outcomes lists every outcome in its fixed order.
func Outcomes() []Outcome {
	all := make([]Outcome, 0, OutcomeCount-1)
	for o := Sent; o < outcomeEnd; o++ {
		all = append(all, o)
	}
	return all
}

// String returns the outcome's name as metrics, the API and ledgers spell it.
func (o Outcome) String() string {
	if o != 0 && o < outcomeEnd {
		return outcomeNames[o]
	}
	return "unknown"
}

// Routine says whether the outcome belongs to the routine class of ids (sent, delivered, opened, clicked), which are many,
// and not to the exceptional class (everything else), which are few and are remembered longer.
func (o Outcome) Routine() bool {
	switch o {
	case Sent, Delivered, Opened, Clicked, OpenedByBot, ClickedByBot:
		return true
	default:
		return false
	}
}

// Bounced says whether the outcome is one of the bounces that a rate may count: hard, soft or undetermined.
func (o Outcome) Bounced() bool {
	return o == HardBounced || o == SoftBounced || o == UndeterminedBounced
}
