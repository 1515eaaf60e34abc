package signal

import "github.com/mailvane/mailvane/internal/observation"

// Row is a tally of recipients of one outcome, with all that decides in which rates it counts.
type Row struct {
	// Provider is the recipients' mailbox provider.
	Provider string
	Outcome  observation.Outcome
	// Blocked says that the reason's group Blocks; it matters for bounces only.
	Blocked bool
	// Reporting says that the provider was among the reporting providers when the mail was sent.
	Reporting bool
	// Coverage is what the origin published when the mail was sent.
	Coverage Coverage
	// N is the number of recipients, negative to take some away.
	N int64
}

// Counts are the numerators and denominators of all signals over some mail. The zero Counts are those of no mail.
type Counts struct {
	numerator, denominator [Count]int64
	// covered sums the rows that take part in each signal, whatever their outcome: it is 0 when none does.
	covered [Count]int64
	// mail sums all rows, so that mail of which a signal knows nothing differs from no mail.
	mail int64
	// attempted and settled are the two parts of the denominator "attempted", by its basis.
	attempted, settled int64
	// delivered sums covered deliveries at all providers, of which complaint_rate's denominator is a part.
	delivered int64
}

// Add counts a row in every signal that it takes part in.
func (c *Counts) Add(r Row) {
	if r.Provider == Simulator {
		return
	}
	c.mail += r.N
	for s := range signalEnd {
		if !r.Coverage.Covers(s) {
			continue
		}
		c.covered[s] += r.N
		if counts(s, r) {
			c.numerator[s] += r.N
		}
		c.denominator[s] += int64(weight(s, r)) * r.N
	}
	if w := int64(attempted(r)); r.Coverage.settles() {
		c.settled += w * r.N
	} else {
		c.attempted += w * r.N
	}
	if r.Outcome == observation.Delivered && r.Coverage.Covers(ComplaintRate) {
		c.delivered += r.N
	}
}

// counts says whether a row that takes part in a signal is in its numerator.
func counts(s Signal, r Row) bool {
	switch s {
	case DeliveryRate:
		return r.Outcome == observation.Delivered
	case HardBounceRate:
		return r.Outcome == observation.HardBounced
	case SoftBounceRate:
		return r.Outcome == observation.SoftBounced
	case BlockRate:
		return r.Blocked && r.Outcome.Bounced()
	case DelayRate:
		return r.Outcome == observation.Delayed
	case ComplaintRate:
		return r.Reporting && r.Outcome == observation.Complained
	case UnsubscribeRate:
		return r.Outcome == observation.Unsubscribed
	case SuppressedRate:
		return r.Outcome == observation.Suppressed
	default:
		return false
	}
}

// weight is what one recipient of a row that takes part in a signal adds to its denominator.
func weight(s Signal, r Row) int {
	switch s {
	case ComplaintRate:
		return one(r.Reporting && r.Outcome == observation.Delivered)
	case UnsubscribeRate:
		return one(r.Outcome == observation.Delivered)
	case SuppressedRate:
		return one(r.Outcome == observation.Sent)
	default:
		return attempted(r)
	}
}

// attempted is what one recipient of a row adds to "attempted". SES publishes a Send also for mail that it then does not
// try to deliver, so those are taken off. Without Send events, mail counts once its fate is known.
func attempted(r Row) int {
	switch {
	case r.Coverage.settles():
		return one(r.Outcome == observation.Delivered || r.Outcome.Bounced())
	case !r.Coverage.has(coversSend):
		return 0
	}
	switch r.Outcome {
	case observation.Sent:
		return 1
	case observation.Suppressed, observation.Rejected, observation.RenderingFailed:
		return -1
	default:
		return 0
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Plus returns the counts of both parts.
func (c Counts) Plus(d Counts) Counts { return c.combine(d, 1) }

// Minus returns the counts without those of the part d.
func (c Counts) Minus(d Counts) Counts { return c.combine(d, -1) }

func (c Counts) combine(d Counts, sign int64) Counts {
	for s := range c.numerator {
		c.numerator[s] += sign * d.numerator[s]
		c.denominator[s] += sign * d.denominator[s]
		c.covered[s] += sign * d.covered[s]
	}
	c.mail += sign * d.mail
	c.attempted += sign * d.attempted
	c.settled += sign * d.settled
	c.delivered += sign * d.delivered
	return c
}
